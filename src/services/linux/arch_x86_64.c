/*
 * What the Linux ABI of x86_64 has of its own: the table of calls, struct stat, register names,
 * hardware capabilities, arch_prctl(2).
 *
 * No state.
 */
#include "services/linux/linux_priv.h"

const struct linux_call linux_calls[] = {
#define CALL(number, name) [number] = {#name, linux_##name},
#define NONE(number, name) [number] = {#name, NULL},
#include "services/linux/table_x86_64.def"
#undef CALL
#undef NONE
};

const unsigned linux_calls_count = ARRAY_COUNT(linux_calls);
_Static_assert(ARRAY_COUNT(linux_calls) <= LINUX_CALLS_MAX, "counters for each call");

const uint16_t linux_elf_machine = ELF_MACHINE_X86_64;
const char linux_platform[] = "x86_64";

uint64_t linux_hwcap(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx;
}

bool linux_registers(const struct hal_user *user, unsigned i, char *buf, size_t size)
{
	const struct hal_regs *r = &user->regs;
	const struct {
		const char *names[3];
		uint64_t values[3];
	} lines[] = {
		{{"rax", "rbx", "rcx"}, {r->rax, r->rbx, r->rcx}},
		{{"rdx", "rsi", "rdi"}, {r->rdx, r->rsi, r->rdi}},
		{{"rbp", "rsp", "rip"}, {r->rbp, r->rsp, r->rip}},
		{{"r8 ", "r9 ", "r10"}, {r->r8, r->r9, r->r10}},
		{{"r11", "r12", "r13"}, {r->r11, r->r12, r->r13}},
		{{"r14", "r15", "flg"}, {r->r14, r->r15, r->rflags}},
	};

	if (i >= ARRAY_COUNT(lines))
		return false;
	str_format(buf, size, "%s %016llx  %s %016llx  %s %016llx", lines[i].names[0],
		   (unsigned long long)lines[i].values[0], lines[i].names[1],
		   (unsigned long long)lines[i].values[1], lines[i].names[2],
		   (unsigned long long)lines[i].values[2]);
	return true;
}

/* struct stat of x86_64: <asm/stat.h> of Linux. */
struct stat_layout {
	uint64_t device, inode, links;
	uint32_t mode, uid, gid, pad;
	uint64_t special_device, bytes, block_bytes, blocks;
	uint64_t times[6];
	uint64_t spare[3];
};
_Static_assert(sizeof(struct stat_layout) == 144, "struct stat of x86_64");

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

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

/* arch_prctl(2): a base outside of user addresses is EPERM. */
int64_t linux_arch_prctl(const uint64_t args[6])
{
	struct hal_user *user = thread_this()->user;

	switch ((uint32_t)args[0]) {
	case ARCH_SET_FS:
		if (args[1] >= HAL_USER_MAX)
			return -EPERM;
		hal_user_set_tls(user, args[1]);
		return 0;
	case ARCH_SET_GS:
		if (args[1] >= HAL_USER_MAX)
			return -EPERM;
		user->regs.gs_base = args[1];
		return 0;
	case ARCH_GET_FS:
		return copy_out(space_this(), args[1], &user->regs.fs_base, sizeof(uint64_t));
	case ARCH_GET_GS:
		return copy_out(space_this(), args[1], &user->regs.gs_base, sizeof(uint64_t));
	default:
		return -EINVAL;
	}
}
