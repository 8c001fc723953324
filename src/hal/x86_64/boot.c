/*
 * Boot: from the loader's tables to up_boot().
 *
 * Runs on the boot CPU with the tables of head.S, which show the lowest BOOT_REACH bytes of memory
 * in the direct map; all that is read or taken at this time lies there. Order matters: ACPI's
 * tables are read before any memory is taken, since a loader may have put its copies into RAM.
 */
#include "hal/boot.h"

#include "hal/base.h"
#include "hal/common/multiboot2.h"
#include "hal/common/pvh.h"
#include "hal/common/stack_protector.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define FAIL_STATUS 125 /* as a panic of the kernel */
#define RAM_MIN_BYTES (8ull << 20)
#define BIOS_AREA 0xe0000ull
#define BIOS_AREA_BYTES 0x20000u
#define EBDA_SEGMENT 0x40eull /* where the BIOS keeps the address of its data area */
#define EBDA_BYTES 1024u
#define LOW_MEMORY_END 0xa0000ull
#define LAPIC_DEFAULT 0xfee00000ull

struct x86_boot_state x86_boot_state;
struct acpi_info x86_acpi;
static struct hal_boot hal_boot; /* Set once */

static void log_text(const char *text)
{
	size_t bytes = 0;

	while (text[bytes])
		bytes++;
	hal_log_write(text, bytes);
}

void x86_boot_fail(const char *what, const char *why, const char *remedy)
{
	log_text("cloudos: ");
	log_text(what);
	log_text(": ");
	log_text(why);
	log_text(". ");
	log_text(remedy);
	log_text("\n");
	hal_power_off(FAIL_STATUS);
}

void x86_boot_warn(const char *what, const char *why)
{
	log_text("cloudos: ");
	log_text(what);
	log_text(": ");
	log_text(why);
	log_text("\n");
}

static const void *read_phys(void *arg, paddr_t addr, size_t bytes)
{
	(void)arg;
	if (addr >= BOOT_REACH || bytes > BOOT_REACH - addr)
		return NULL;
	return hal_phys_to_virt(addr);
}

static const struct phys_reader reader = {read_phys, NULL};

/* ---- What the loader left ---- */

static void read_loader_tables(uint32_t magic, paddr_t addr)
{
	struct boot_tables *tables = &x86_boot_state.tables;
	const char *why = "it is none of PVH and multiboot2";
	int err = -EINVAL;

	if (magic == MULTIBOOT2_MAGIC)
		err = multiboot2_parse(&reader, addr, tables, &why);
	else if (pvh_probe(&reader, addr))
		err = pvh_parse(&reader, addr, tables, &why);
	if (err)
		x86_boot_fail("cannot use what the boot loader left", why,
			  "Boot with qemu -kernel, or by multiboot2 from GRUB.");
	if (tables->cmdline_cut)
		x86_boot_warn("the kernel command line", "too long, its end is cut off");
	if (tables->initrd_bytes &&
	    (tables->initrd >= BOOT_REACH || tables->initrd_bytes > BOOT_REACH - tables->initrd)) {
		x86_boot_warn("the initial image", "lies above 4 GiB and is not used");
		tables->initrd_bytes = 0;
	}
}

static void read_acpi(void)
{
	paddr_t rsdp = x86_boot_state.tables.rsdp;
	uint16_t segment;

	if (!rsdp) {
		memcpy(&segment, hal_phys_to_virt(EBDA_SEGMENT), sizeof(segment));
		if (segment)
			rsdp = acpi_find_root(&reader, (paddr_t)segment << 4, EBDA_BYTES);
	}
	if (!rsdp)
		rsdp = acpi_find_root(&reader, BIOS_AREA, BIOS_AREA_BYTES);
	if (acpi_parse(&reader, rsdp, &x86_acpi) && rsdp)
		x86_boot_warn("ACPI", "the root pointer is damaged; going on without its tables");
	if (x86_acpi.problem)
		x86_boot_warn("ACPI", x86_acpi.problem);
}

/* ---- Memory ---- */

static void find_ram(void)
{
	struct x86_boot_state *state = &x86_boot_state;
	const struct boot_tables *tables = &state->tables;

	for (unsigned i = 0; i < tables->region_count; i++)
		if (tables->regions[i].ram)
			ram_map_add(&state->all_ram, tables->regions[i].base,
				    tables->regions[i].bytes);
	for (unsigned i = 0; i < tables->region_count; i++)
		if (!tables->regions[i].ram)
			ram_map_remove(&state->all_ram, tables->regions[i].base,
				       tables->regions[i].bytes);
	ram_map_remove(&state->all_ram, 1ull << x86_features.phys_bits, UINT64_MAX);
	ram_map_remove(&state->all_ram, RAM_END, UINT64_MAX);
	state->ram = state->all_ram;
	ram_map_remove(&state->ram, 0, HAL_PAGE_SIZE);
	ram_map_remove(&state->ram, kernel_to_phys(kernel_start),
		       (uint64_t)(kernel_end - kernel_start));
	ram_map_remove(&state->ram, tables->initrd, tables->initrd_bytes);
	if (ram_map_bytes(&state->ram) < RAM_MIN_BYTES)
		x86_boot_fail("cannot start", "the machine has less than 8 MiB of free memory",
			  "Give it more (qemu -m 64M).");
	if (state->ram.dropped_bytes || tables->regions_dropped)
		x86_boot_warn("memory map", "has too many pieces; the smallest are not used");
	state->trampoline = ram_map_take(&state->ram, HAL_PAGE_SIZE, HAL_PAGE_SIZE, LOW_MEMORY_END);
	if (!state->trampoline && x86_acpi.cpu_count > 1)
		x86_boot_warn("other CPUs", "cannot be started: no memory below 640 KiB is free");
}

paddr_t x86_page_alloc(void)
{
	paddr_t page;

	if (x86_boot_state.kernel_pages)
		return up_page_alloc(&page) ? 0 : page;
	page = ram_map_take(&x86_boot_state.ram, HAL_PAGE_SIZE, HAL_PAGE_SIZE, BOOT_REACH);
	if (page)
		memset(hal_phys_to_virt(page), 0, HAL_PAGE_SIZE);
	return page;
}

/* ---- What the kernel sees ---- */

static void fill_boot_info(void)
{
	const struct boot_tables *tables = &x86_boot_state.tables;
	const struct ram_map *ram = &x86_boot_state.ram;

	memcpy(hal_boot.ram, ram->ranges, sizeof(hal_boot.ram));
	hal_boot.ram_count = ram->count;
	hal_boot.initrd.base = tables->initrd;
	hal_boot.initrd.bytes = tables->initrd_bytes;
	if (tables->initrd_bytes &&
	    !ram_map_covers(&x86_boot_state.all_ram, tables->initrd, tables->initrd_bytes)) {
		x86_boot_warn("the initial image", "does not lie in RAM and is not used");
		hal_boot.initrd.bytes = 0;
	}
	hal_boot.cmdline = tables->cmdline;
	hal_boot.loader = tables->loader;
}

const struct hal_boot *hal_boot_info(void)
{
	return &hal_boot;
}

uint64_t hal_seed(void)
{
	return 0;
}

bool hal_has(enum hal_feature feature)
{
	switch (feature) {
	case HAL_HAS_PCI:
		return x86_pci_there();
	case HAL_HAS_DISPLAY:
		return x86_display_there();
	default:
		return false;
	}
}

/* On the boot CPU's idle stack. */
static void start_kernel(void)
{
	fill_boot_info();
	x86_boot_state.kernel_pages = true;
	sti();
	up_boot();
}

/* Its own guard changes while it runs, and it never returns. */
__attribute__((no_stack_protector)) void x86_boot(uint32_t magic, paddr_t table)
{
	uint64_t random;

	x86_serial_init();
	x86_irq_silence_pics();
	x86_cpu_find_features();
	x86_trap_init();
	x86_cpu_setup(&x86_boot_cpu);
	read_loader_tables(magic, table);
	x86_display_init(&x86_boot_state.tables.framebuffer);
	read_acpi();
	find_ram();
	x86_paging_init();
	x86_paging_load();
	x86_display_map();
	if (hal_entropy(&random, sizeof(random)))
		random = rdtsc() * 0x9e3779b97f4a7c15ull;
	stack_protector_seed(random);
	x86_apic_init(x86_acpi.lapic ? x86_acpi.lapic : LAPIC_DEFAULT);
	x86_apic_init_cpu();
	x86_smp_init();
	x86_clock_init();
	x86_smp_start_all();
	x86_irq_init();
	x86_pci_init();
	x86_boot_on_stack(x86_boot_cpu.stack + HAL_STACK_BYTES, start_kernel);
}
