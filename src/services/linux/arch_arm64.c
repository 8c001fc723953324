/*
 * What the Linux ABI of ARM64 has of its own: the table of calls, struct stat, register names,
 * hardware capabilities.
 *
 * No state.
 */
#include "services/linux/linux_priv.h"

const struct linux_call linux_calls[] = {
#define CALL(number, name) [number] = {#name, linux_##name},
#define NONE(number, name) [number] = {#name, NULL},
#include "services/linux/table_arm64.def"
#undef CALL
#undef NONE
};

const unsigned linux_calls_count = ARRAY_COUNT(linux_calls);
_Static_assert(ARRAY_COUNT(linux_calls) <= LINUX_CALLS_MAX, "counters for each call");

const uint16_t linux_elf_machine = ELF_MACHINE_ARM64;
const char linux_platform[] = "aarch64";

#define HWCAP_FP (1u << 0)
#define HWCAP_ASIMD (1u << 1)

/* What every ARMv8-A CPU has; nothing that would need to be looked up. */
uint64_t linux_hwcap(void)
{
	return HWCAP_FP | HWCAP_ASIMD;
}

#define REGISTERS_COUNT 31u
#define REGISTERS_PER_LINE 3u

bool linux_registers(const struct hal_user *user, unsigned i, char *buf, size_t size)
{
	const struct hal_regs *r = &user->regs;
	size_t used = 0;

	if (i > REGISTERS_COUNT / REGISTERS_PER_LINE)
		return false;
	for (unsigned n = i * REGISTERS_PER_LINE;
	     n < MIN((i + 1) * REGISTERS_PER_LINE, REGISTERS_COUNT) && used < size; n++)
		used += str_format(buf + used, size - used, "x%-2u %016llx  ", n,
				   (unsigned long long)r->x[n]);
	if (i == REGISTERS_COUNT / REGISTERS_PER_LINE && used < size)
		str_format(buf + used, size - used, "sp  %016llx  psr %08llx",
			   (unsigned long long)r->sp, (unsigned long long)r->pstate);
	return true;
}

/* struct stat of ARM64: <asm-generic/stat.h> of Linux. */
struct stat_layout {
	uint64_t device, inode;
	uint32_t mode, links, uid, gid;
	uint64_t special_device, pad;
	uint64_t bytes;
	uint32_t block_bytes, pad_block;
	uint64_t blocks;
	uint64_t times[6];
	uint32_t spare[2];
};
_Static_assert(sizeof(struct stat_layout) == 128, "struct stat of ARM64");

size_t linux_stat_console(unsigned fd, uint8_t *buf)
{
	const struct stat_layout stat = {
		.device = 1,
		.inode = fd + 1,
		.links = 1,
		.mode = LINUX_MODE_CONSOLE,
		.block_bytes = PAGE_SIZE,
	};

	memcpy(buf, &stat, sizeof(stat));
	return sizeof(stat);
}
