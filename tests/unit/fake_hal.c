/*
 * A machine for unit tests under Check: the HAL contract, as far as code needs it that runs on one
 * CPU without interrupts, devices and user code.
 *
 * It has UNIT_RAM_BYTES of memory at HAL_DIRECT_MAP_BASE, a clock that a test sets by hand
 * (fake_hal.h), random numbers that are the same each time, and a log that is shown when a test
 * asks for it or the machine ends. What it cannot do ends the test with a message.
 */
#include "tests/unit/fake_hal.h"

#include "hal/hal.h"
#include "tests/kernel/ktest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT_LOG_BYTES 65536

static struct {
	struct hal_boot boot;
	bool irq_enabled;
	uint64_t now_ns, deadline_ns;
	uint64_t random;
	char log[UNIT_LOG_BYTES];
	size_t log_bytes;
} fake;

static HAL_NORETURN void give_up(const char *what)
{
	fprintf(stderr, "the machine of the unit tests cannot do this: %s\n", what);
	abort();
}

void fake_hal_init(void)
{
	void *ram = mmap((void *)HAL_DIRECT_MAP_BASE, UNIT_RAM_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (ram != (void *)HAL_DIRECT_MAP_BASE) {
		perror("unit-tests: the address of the direct map is taken");
		exit(2);
	}
	fake.boot.ram[0] = (struct hal_range){HAL_PAGE_SIZE, UNIT_RAM_BYTES - HAL_PAGE_SIZE};
	fake.boot.ram_count = 1;
	fake.boot.cmdline = "loglevel=3";
	fake.boot.loader = "Check";
	fake.now_ns = 1000000000;
	fake.deadline_ns = HAL_TIME_NEVER;
	fake.random = 88172645463325252ull;
}

void fake_hal_set_time(uint64_t now_ns)
{
	fake.now_ns = now_ns;
}

uint64_t fake_hal_deadline(void)
{
	return fake.deadline_ns;
}

size_t fake_hal_log(const char **text)
{
	*text = fake.log;
	return fake.log_bytes;
}

/* ---- boot.h ---- */

const struct hal_boot *hal_boot_info(void)
{
	return &fake.boot;
}

bool hal_has(enum hal_feature feature)
{
	(void)feature;
	return false;
}

uint64_t hal_seed(void)
{
	return 0;
}

void hal_log_write(const char *text, size_t bytes)
{
	size_t room = sizeof(fake.log) - fake.log_bytes;

	bytes = bytes < room ? bytes : room;
	memcpy(fake.log + fake.log_bytes, text, bytes);
	fake.log_bytes += bytes;
}

size_t hal_log_read(char *buf, size_t max)
{
	(void)buf;
	(void)max;
	return 0;
}

void hal_power_off(int status)
{
	fprintf(stderr, "%.*sthe machine ends with status %d\n", (int)fake.log_bytes, fake.log,
		status);
	abort();
}

void hal_power_reset(void)
{
	give_up("reset");
}

/* ---- clock.h ---- */

uint64_t hal_time_ns(void)
{
	return fake.now_ns;
}

uint64_t hal_time_epoch_ns(void)
{
	return 1700000000ull * 1000000000;
}

void hal_timer_set(uint64_t deadline_ns)
{
	fake.deadline_ns = deadline_ns;
}

int hal_entropy(void *buf, size_t bytes)
{
	unsigned char *to = buf;

	for (size_t i = 0; i < bytes; i++) { /* xorshift64 */
		fake.random ^= fake.random << 13;
		fake.random ^= fake.random >> 7;
		fake.random ^= fake.random << 17;
		to[i] = (unsigned char)(fake.random >> 32);
	}
	return 0;
}

/* ---- cpu.h ---- */

unsigned hal_cpu_count(void)
{
	return 1;
}

unsigned hal_cpu_id(void)
{
	return 0;
}

int hal_cpu_start(unsigned cpu)
{
	return cpu ? -EIO : -EBUSY;
}

void hal_cpu_idle(void)
{
	give_up("idle: nothing would ever wake it up");
}

void hal_cpu_kick(unsigned cpu)
{
	(void)cpu;
}

/* One thread: program order is all the order there is. */
void hal_dma_rmb(void)
{
}

void hal_dma_wmb(void)
{
}

void hal_cpu_relax(void)
{
}

void hal_cpu_stop_others(void)
{
}

void hal_cpu_halt(void)
{
	hal_power_off(0);
}

void hal_context_init(struct hal_context *context, const char *name, void *stack,
		      size_t stack_bytes, void (*entry)(void *), void *arg)
{
	*context = (struct hal_context){
		.stack = stack,
		.stack_bytes = stack_bytes,
		.name = name,
		.entry = entry,
		.arg = arg,
	};
}

void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
	(void)from;
	(void)to;
	give_up("switch to another thread: mark the test KTEST_MACHINE");
}

void hal_context_fini(struct hal_context *context)
{
	context->stack = NULL;
}

unsigned hal_backtrace(uintptr_t *pcs, unsigned max)
{
	if (max == 0)
		return 0;
	pcs[0] = (uintptr_t)__builtin_return_address(0);
	return 1;
}

bool hal_irq_disable(void)
{
	bool was = fake.irq_enabled;

	fake.irq_enabled = false;
	return was;
}

void hal_irq_enable(void)
{
	fake.irq_enabled = true;
}

void hal_irq_restore(bool enable)
{
	fake.irq_enabled = enable;
}

bool hal_irq_enabled(void)
{
	return fake.irq_enabled;
}

bool hal_irq_pending(void)
{
	return false;
}

int hal_irq_unmask(unsigned irq, unsigned cpu)
{
	return irq < HAL_IRQ_DEVICE || irq >= HAL_IRQ_MAX || cpu ? -EINVAL : 0;
}

void hal_irq_mask(unsigned irq)
{
	(void)irq;
}

void hal_irq_done(unsigned irq)
{
	(void)irq;
}

/* ---- memory.h ---- */

int hal_guard_set(void *page, bool guarded)
{
	int prot = guarded ? PROT_NONE : PROT_READ | PROT_WRITE;

	return mprotect(page, HAL_PAGE_SIZE, prot) ? -ENOMEM : 0;
}

/*
 * What is mapped is recorded in a hash table of pages, so that a test can ask for it
 * (ktest_mmu_find). An entry whose rights are HAL_PROT_NONE is free to be used again for its page.
 */
#define MMU_ENTRIES 65536u

struct host_space {
	struct {
		vaddr_t addr; /* 0: never used */
		paddr_t phys;
		unsigned prot;
	} entries[MMU_ENTRIES];
};

static unsigned find_entry(const struct host_space *space, vaddr_t addr)
{
	uint64_t hash = addr / HAL_PAGE_SIZE * 0x9e3779b97f4a7c15ull;
	unsigned at = (unsigned)(hash >> 48) % MMU_ENTRIES;

	for (unsigned i = 0; i < MMU_ENTRIES; i++) {
		if (!space->entries[at].addr || space->entries[at].addr == addr)
			return at;
		at = (at + 1) % MMU_ENTRIES;
	}
	give_up("more mapped pages in a space");
}

bool ktest_mmu_find(struct hal_mmu *mmu, vaddr_t addr, paddr_t *phys, unsigned *prot)
{
	unsigned at = find_entry(mmu->space, addr);

	*phys = mmu->space->entries[at].phys;
	*prot = mmu->space->entries[at].addr ? mmu->space->entries[at].prot : HAL_PROT_NONE;
	return *prot != HAL_PROT_NONE;
}

int hal_mmu_init(struct hal_mmu *mmu)
{
	mmu->space = calloc(1, sizeof(*mmu->space));
	return mmu->space ? 0 : -ENOMEM;
}

void hal_mmu_fini(struct hal_mmu *mmu)
{
	free(mmu->space);
	mmu->space = NULL;
}

static void check_mapping(const struct hal_mapping *map)
{
	bool aligned = !((map->addr | map->phys) % HAL_PAGE_SIZE);

	if (!aligned || !map->pages || !map->prot || map->addr < HAL_USER_MIN ||
	    map->addr + map->pages * HAL_PAGE_SIZE > HAL_USER_MAX ||
	    map->phys + map->pages * HAL_PAGE_SIZE > UNIT_RAM_BYTES)
		give_up("a mapping that the contract does not allow");
}

int hal_mmu_map(struct hal_mmu *mmu, const struct hal_mapping *maps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_mapping(&maps[i]);
		for (size_t page = 0; page < maps[i].pages; page++) {
			vaddr_t addr = maps[i].addr + page * HAL_PAGE_SIZE;
			unsigned at = find_entry(mmu->space, addr);

			mmu->space->entries[at].addr = addr;
			mmu->space->entries[at].phys = maps[i].phys + page * HAL_PAGE_SIZE;
			mmu->space->entries[at].prot = maps[i].prot;
		}
	}
	return 0;
}

/* Lowers the rights of all entries in a range; it may be the whole of user memory. */
void hal_mmu_protect(struct hal_mmu *mmu, vaddr_t addr, size_t pages, unsigned prot)
{
	struct host_space *space = mmu->space;

	if (pages > MMU_ENTRIES) {
		for (unsigned at = 0; at < MMU_ENTRIES; at++) {
			if (space->entries[at].addr - addr < pages * HAL_PAGE_SIZE)
				space->entries[at].prot &= prot;
		}
		return;
	}
	for (size_t page = 0; page < pages; page++)
		space->entries[find_entry(space, addr + page * HAL_PAGE_SIZE)].prot &= prot;
}

void hal_mmu_unmap(struct hal_mmu *mmu, vaddr_t addr, size_t pages)
{
	hal_mmu_protect(mmu, addr, pages, HAL_PROT_NONE);
}

/* ---- user.h ---- */

void hal_user_init(struct hal_user *user, vaddr_t pc, vaddr_t sp)
{
	memset(user, 0, sizeof(*user));
	hal_user_set_pc(user, pc);
	hal_user_set_sp(user, sp);
}

void hal_user_copy(struct hal_user *copy, struct hal_user *user)
{
	*copy = *user;
}

void hal_user_sync(struct hal_user *user)
{
	(void)user;
}

void hal_user_fini(struct hal_user *user)
{
	(void)user;
}

void hal_user_run(struct hal_mmu *mmu, struct hal_user *user, struct hal_event *event)
{
	(void)mmu;
	(void)user;
	(void)event;
	give_up("run user code: mark the test KTEST_MACHINE");
}

/* ---- device.h: there are none ---- */

bool hal_device_next(unsigned *cursor, struct hal_device *device)
{
	(void)cursor;
	(void)device;
	return false;
}

int hal_mmio_map(paddr_t regs, size_t bytes, uintptr_t *base)
{
	(void)regs;
	(void)bytes;
	(void)base;
	return -EINVAL;
}

#define NO_MMIO(bits)                                                                              \
	uint##bits##_t hal_mmio_read##bits(uintptr_t addr)                                         \
	{                                                                                          \
		(void)addr;                                                                        \
		give_up("device registers");                                                       \
	}                                                                                          \
	void hal_mmio_write##bits(uintptr_t addr, uint##bits##_t value)                            \
	{                                                                                          \
		(void)addr;                                                                        \
		(void)value;                                                                       \
		give_up("device registers");                                                       \
	}

NO_MMIO(8)
NO_MMIO(16)
NO_MMIO(32)
NO_MMIO(64)

uint32_t hal_pci_read(uint32_t pci, unsigned offset, unsigned bytes)
{
	(void)pci;
	(void)offset;
	return (uint32_t)(0xffffffffull >> (32 - 8 * bytes));
}

void hal_pci_write(uint32_t pci, unsigned offset, unsigned bytes, uint32_t value)
{
	(void)pci;
	(void)offset;
	(void)bytes;
	(void)value;
}

bool hal_pci_window(paddr_t *base, uint64_t *bytes)
{
	(void)base;
	(void)bytes;
	return false;
}

int hal_irq_message(unsigned *irq, uint64_t *addr, uint32_t *data)
{
	(void)irq;
	(void)addr;
	(void)data;
	return -EOPNOTSUPP;
}
