/*
 * From the first C instruction at the kernel's own addresses to up_boot().
 *
 * What it knows comes from the device tree alone. The order is forced: the log needs the tree, the
 * direct map needs the RAM list and the count of CPUs (their stacks), everything that has
 * registers needs the direct map.
 */
#include "hal/arm64/arm64_priv.h"
#include "hal/arm64/pagetable.h"
#include "hal/common/stack_protector.h"

#define FAULT_STACK_BYTES (2 * PAGE_BYTES)
#define FDT_WINDOW_BYTES (2 * BLOCK_BYTES)

const struct hal_boot *hal_boot_info(void)
{
	return &arm64.boot;
}

bool hal_has(enum hal_feature feature)
{
	return feature == HAL_HAS_PCI && arm64.pci.config != 0;
}

uint64_t hal_seed(void)
{
	return 0;
}

void boot_fail(const char *what, const char *why)
{
	log_text("cloudos: cannot boot: ");
	log_text(what);
	log_text(": ");
	log_text(why);
	log_text("\n");
	hal_power_off(FAIL_STATUS);
}

/*
 * The tree is read through its window and stays there. Of a broken one the sound part may still
 * name the serial port and the way to power off; without one nothing is known, the CPU stops, and
 * a debugger finds it in stop_cpu.
 */
static void open_tree(paddr_t phys)
{
	uintptr_t offset = phys & (BLOCK_BYTES - 1);
	const void *blob;
	uint32_t bytes;
	int err;

	if (phys == 0 || phys >= 1ull << 48 || phys % 8 != 0)
		boot_fail("device tree", "x0 does not hold the address of one");
	blob = kernel_start + WINDOW_FDT * BLOCK_BYTES + offset;
	if (fdt_peek(blob, &bytes) != 0)
		boot_fail("device tree", "there is none where x0 says");
	err = fdt_open(&arm64.fdt, blob, FDT_WINDOW_BYTES - offset);
	log_init();
	psci_init();
	if (err != 0)
		boot_fail("device tree", "it is malformed or cut off");
}

static void read_cmdline(void)
{
	const char *text;
	uint32_t chosen;
	size_t i;

	arm64.boot.cmdline = arm64.cmdline;
	if (fdt_find_path(&arm64.fdt, "/chosen", &chosen) != 0 ||
	    fdt_get_string(&arm64.fdt, chosen, "bootargs", &text) != 0)
		return;
	for (i = 0; text[i] != 0 && i < HAL_CMDLINE_MAX - 1; i++)
		arm64.cmdline[i] = text[i];
	if (text[i] != 0)
		log_text("cloudos: the command line is too long, its end was cut off\n");
}

static void make_stacks(void)
{
	unsigned i;

	for (i = 0; i < arm64.cpu_count; i++) {
		struct arm64_cpu *cpu = &arm64.cpus[i];

		cpu->fault_stack = (uintptr_t)kernel_boot_alloc(FAULT_STACK_BYTES);
		cpu->fault_stack += FAULT_STACK_BYTES;
		if (i == 0)
			continue;
		cpu->stack = (uintptr_t)kernel_boot_alloc(HAL_STACK_BYTES);
		if (hal_guard_set((void *)cpu->stack, true) != 0)
			boot_fail("memory", "no guard page under a stack");
	}
}

static void hand_over_ram(void)
{
	struct hal_boot *boot = &arm64.boot;

	boot->ram_count = arm64.free.count;
	memcpy(boot->ram, arm64.free.ranges, sizeof(boot->ram));
	if (arm64.ram.dropped_bytes + arm64.free.dropped_bytes > 0)
		log_text("cloudos: memory in too many pieces, ignored the smallest\n");
}

void arm64_start(paddr_t fdt, paddr_t kernel_phys)
{
	uint64_t guard;

	WRITE_SYSREG(tpidr_el1, &arm64.cpus[0]);
	arm64.kernel_phys = kernel_phys;
	arm64.boot.loader = "Linux arm64 boot protocol";
	open_tree(fdt);
	read_cmdline();
	cpu_find_all();
	boot_ram_find(fdt);
	kernel_map_ram();
	make_stacks();
	hand_over_ram();
	entropy_init();
	if (hal_entropy(&guard, sizeof(guard)) == 0)
		stack_protector_seed(guard);
	timer_init();
	gic_init();
	user_init();
	user_init_cpu();
	arm64.gic.ops->init_cpu(this_cpu());
	timer_init_cpu();
	device_find_all();
	pci_find();
	arm64.cpus[0].running = true;
	arm64.kernel_runs = true;
	__asm__ volatile("msr daifclr, #5"); /* FIQ and SError */
	up_boot();
}

void arm64_start_cpu(void)
{
	struct arm64_cpu *cpu = this_cpu();

	user_init_cpu();
	arm64.gic.ops->init_cpu(cpu);
	timer_init_cpu();
	__asm__ volatile("msr daifclr, #5");
	atomic_store_explicit(&cpu->running, true, memory_order_release);
	up_cpu_start();
}
