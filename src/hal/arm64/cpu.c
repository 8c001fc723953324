/*
 * CPUs: finding them in the device tree, starting, idling, stopping; kernel contexts; the call
 * chain. CPU 0 is the one that boots, the others follow in the order of the tree.
 */
#include "hal/arm64/arm64_priv.h"

#define MPIDR_AFFINITY 0xff00ffffffull
#define RELAXES_PER_NAP 512
#define START_WAIT_NS 1000000000ull

HAL_NORETURN void stop_cpu(void);

static bool is_cpu(uint32_t node, uint64_t *mpidr)
{
	struct fdt_range reg;
	const char *type;

	if (fdt_get_string(&arm64.fdt, node, "device_type", &type) != 0 || type[0] != 'c' ||
	    type[1] != 'p' || type[2] != 'u' || type[3] != 0)
		return false;
	if (!fdt_enabled(&arm64.fdt, node) || fdt_reg(&arm64.fdt, node, 0, &reg) != -ENXIO)
		return false;
	*mpidr = reg.base & MPIDR_AFFINITY;
	return true;
}

void cpu_find_all(void)
{
	uint64_t boot = READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY, mpidr;
	uint32_t node;
	bool more;

	arm64.cpus[0].mpidr = boot;
	arm64.cpu_count = 1;
	if (fdt_find_path(&arm64.fdt, "/cpus", &node) != 0)
		return;
	for (more = fdt_child(&arm64.fdt, node, &node); more;
	     more = fdt_sibling(&arm64.fdt, &node)) {
		struct arm64_cpu *cpu = &arm64.cpus[arm64.cpu_count];

		if (!is_cpu(node, &mpidr) || mpidr == boot)
			continue;
		if (arm64.cpu_count == HAL_CPUS_MAX) {
			log_text("cloudos: more CPUs than the kernel serves, ignored the rest\n");
			return;
		}
		cpu->id = arm64.cpu_count++;
		cpu->mpidr = mpidr;
	}
}

unsigned hal_cpu_count(void)
{
	return arm64.cpu_count;
}

__attribute__((noinline)) unsigned hal_cpu_id(void)
{
	return this_cpu()->id;
}

int hal_cpu_start(unsigned id)
{
	struct arm64_cpu *cpu = &arm64.cpus[id];
	uint64_t end;
	int err;

	if (id >= arm64.cpu_count)
		up_panic(0, 0, "hal_cpu_start: there is no CPU %u", id);
	if (atomic_load_explicit(&cpu->running, memory_order_acquire))
		return -EBUSY;
	/* It reads its struct only with its MMU on: caches are coherent by then. */
	err = psci_cpu_on(cpu->mpidr, image_phys(secondary_entry), (uint64_t)(uintptr_t)cpu);
	if (err != 0)
		return err;
	end = hal_time_ns() + START_WAIT_NS;
	while (!atomic_load_explicit(&cpu->running, memory_order_acquire))
		if (hal_time_ns() > end)
			return -EIO;
	return 0;
}

/*
 * A CPU that waits long is likely to wait for one that does not run: a hypervisor or an emulator
 * has fewer CPUs than it shows. A nap gives it the time.
 */
void hal_cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
	if (++this_cpu()->relaxed % RELAXES_PER_NAP == 0)
		timer_nap();
}

/* WFI ends with a pending interrupt although PSTATE masks it. */
void hal_cpu_idle(void)
{
	if (atomic_load_explicit(&this_cpu()->kicked, memory_order_acquire))
		return;
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

/*
 * The flag is the pending bit; the SGI that follows it gets the CPU out of its idling or its user
 * code, and is dropped when it is taken.
 */
void hal_cpu_kick(unsigned id)
{
	struct arm64_cpu *cpu = &arm64.cpus[id];

	if (id >= arm64.cpu_count)
		up_panic(0, 0, "hal_cpu_kick: there is no CPU %u", id);
	atomic_store_explicit(&cpu->kicked, true, memory_order_release);
	if (cpu == this_cpu() || !atomic_load_explicit(&cpu->running, memory_order_acquire))
		return;
	__asm__ volatile("dsb ishst" ::: "memory");
	arm64.gic.ops->send(cpu, SGI_KICK);
}

void hal_cpu_stop_others(void)
{
	unsigned i;

	if (arm64.gic.ops == NULL)
		return;
	for (i = 0; i < arm64.cpu_count; i++)
		if (&arm64.cpus[i] != this_cpu() && atomic_load(&arm64.cpus[i].running))
			arm64.gic.ops->send(&arm64.cpus[i], SGI_STOP);
}

void hal_cpu_halt(void)
{
	stop_cpu();
}

/* ---- Contexts ---- */

struct first_frame { /* as context_switch() restores it */
	uint64_t x29, x30;
	uint64_t x19, x20;
	uint64_t rest[8];
};

void hal_context_init(struct hal_context *context, const char *name, void *stack,
		      size_t stack_bytes, void (*entry)(void *), void *arg)
{
	uintptr_t top = ((uintptr_t)stack + stack_bytes) & ~(uintptr_t)15;
	struct first_frame *frame = (struct first_frame *)(top - sizeof(*frame));

	(void)name;
	*frame = (struct first_frame){
		.x30 = (uintptr_t)context_start,
		.x19 = (uintptr_t)entry,
		.x20 = (uintptr_t)arg,
	};
	context->sp = (uintptr_t)frame;
}

/* The thread that leaves may run on another CPU next: its FPU registers must not stay here. */
void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
	user_release_fpu(this_cpu());
	context_switch(&from->sp, to->sp);
}

void hal_context_fini(struct hal_context *context)
{
	context->sp = 0;
}

/* A frame record is two words: the caller's record and the return address. */
unsigned hal_backtrace(uintptr_t *pcs, unsigned max)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	unsigned count = 0;

	while (count < max && frame % 16 == 0 && kernel_mapped(frame)) {
		const uintptr_t *record = (const uintptr_t *)frame;

		if (record[1] < (uintptr_t)kernel_start || record[1] >= (uintptr_t)text_end)
			break;
		pcs[count++] = record[1];
		if (record[0] == frame)
			break;
		frame = record[0];
	}
	return count;
}
