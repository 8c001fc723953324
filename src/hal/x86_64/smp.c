/*
 * The CPUs together: starting them, requests between them, stopping them.
 *
 * All CPUs that ACPI names are started at boot in parallel, while the boot CPU calibrates its
 * clock; they set themselves up and wait. hal_cpu_start() only lets them go on.
 *
 * A request (TLB, FPU) lies in the asking CPU's struct; the asked CPUs find it by a bit in their
 * word `requests`, do it in the vector VECTOR_REQUEST, and clear their bit in `waiting`. The asking
 * CPU serves others while it waits, so that two that ask each other both go on. The bit is set
 * after the request is written and cleared after it is done (sequentially consistent). A CPU that
 * idles is not woken up for a TLB request: see can_wait().
 */
#include "hal/base.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"
#include "hal/x86_64/paging.h"

#define START_TIMEOUT_US 1000000u
#define START_RETRY_US 2000u /* after which a startup message is sent again, as Intel asks for */
#define STOP_TIMEOUT_US 100000u
#define XAPIC_ID_BROADCAST 255u

/* The end of the trampoline in head.S. */
struct trampoline_vars {
	uint16_t gdt_limit;
	uint32_t gdt_addr;
	uint16_t pad;
	uint32_t cr3, efer;
	uint32_t far32[2], far64[2]; /* address, selector */
} __attribute__((packed));

extern char trampoline[], trampoline_end[], trampoline_vars[], trampoline_gdt[];
extern char trampoline32[], trampoline64[];
extern uint64_t boot_pml4[];

/* Used by head.S. */
extern _Atomic uint32_t x86_smp_ticket;
extern uint32_t x86_smp_stacks_count;
extern uintptr_t x86_smp_stacks[];

_Atomic uint32_t x86_smp_ticket;
uint32_t x86_smp_stacks_count;
uintptr_t x86_smp_stacks[HAL_CPUS_MAX]; /* their tops. Set once */

unsigned x86_cpu_total = 1;
_Atomic uint64_t x86_stopped;
static _Atomic uint64_t smp_alive = 1; /* bits of CPUs that serve requests */

unsigned hal_cpu_count(void)
{
	return x86_cpu_total;
}

/* ---- Requests ---- */

void x86_smp_wake(struct x86_cpu *cpu)
{
	x86_apic_send(cpu->apic_id, VECTOR_WAKE);
}

static void serve_one(struct x86_cpu *cpu, struct x86_request *request)
{
	if (request->kind == REQUEST_FPU_SAVE)
		x86_fpu_serve(cpu, request);
	else
		x86_mmu_serve(cpu, request);
	atomic_fetch_and(&request->waiting, ~(1ull << cpu->id));
}

void x86_smp_serve_requests(void)
{
	struct x86_cpu *cpu = x86_cpu_this();
	uint64_t from = atomic_exchange(&cpu->requests, 0);

	for (; from; from &= from - 1)
		serve_one(cpu, &x86_cpus[__builtin_ctzll(from)]->request);
}

/* Whether `cpu` need not do the request now, since it idles and drops all before it goes on. What
 * the request is about was changed before; that and the exchanges of `idle` are sequentially
 * consistent. A space that ends is another matter: the CPU may have its tables loaded. */
static bool can_wait(struct x86_cpu *cpu, const struct x86_request *request)
{
	int idle = IDLE_YES;

	if (request->kind == REQUEST_FPU_SAVE ||
	    (request->kind == REQUEST_TLB_USER && !request->pages))
		return false;
	return atomic_compare_exchange_strong(&cpu->idle, &idle, IDLE_STALE) || idle == IDLE_STALE;
}

void x86_smp_request(struct x86_request *request, uint64_t cpus)
{
	struct x86_cpu *cpu = x86_cpu_this();
	uint64_t own = 1ull << cpu->id;
	struct x86_request *mine = &cpu->request;

	cpus &= atomic_load(&smp_alive) & ~own & ~atomic_load(&x86_stopped);
	for (uint64_t left = cpus; left; left &= left - 1)
		if (can_wait(x86_cpus[__builtin_ctzll(left)], request))
			cpus &= ~(left & -left);
	if (!cpus)
		return;
	mine->kind = request->kind;
	mine->mmu = request->mmu;
	mine->user = request->user;
	mine->addr = request->addr;
	mine->pages = request->pages;
	atomic_store(&mine->waiting, cpus);
	for (uint64_t left = cpus; left; left &= left - 1) {
		struct x86_cpu *to = x86_cpus[__builtin_ctzll(left)];

		if (!atomic_fetch_or(&to->requests, own))
			x86_apic_send(to->apic_id, VECTOR_REQUEST);
	}
	while (atomic_load(&mine->waiting) & ~atomic_load(&x86_stopped)) {
		if (atomic_load_explicit(&cpu->requests, memory_order_relaxed)) {
			bool restore = hardware_irq_disable();

			x86_smp_serve_requests();
			hardware_irq_restore(restore);
		}
		hal_cpu_relax();
	}
}

/* ---- Start ---- */

static uint32_t read_own_apic_id(void)
{
	return x86_features.x2apic ? cpuid(0xb, 0).edx : cpuid(1, 0).ebx >> 24;
}

static struct x86_cpu *find_cpu(uint32_t id)
{
	for (unsigned i = 0; i < x86_cpu_total; i++)
		if (x86_cpus[i]->apic_id == id)
			return x86_cpus[i];
	return NULL;
}

static bool wait_alive(const struct x86_cpu *cpu, unsigned timeout_us)
{
	for (unsigned us = 0; us < timeout_us && !atomic_load(&cpu->alive); us += 10)
		x86_clock_delay_us(10);
	return atomic_load(&cpu->alive);
}

void x86_cpu_main(void)
{
	struct x86_cpu *cpu = find_cpu(read_own_apic_id());

	while (!cpu)
		__asm__ volatile("cli; hlt"); /* one that ACPI does not name */
	x86_cpu_setup(cpu);
	x86_paging_load();
	x86_apic_init_cpu();
	x86_clock_init_cpu();
	atomic_fetch_or(&smp_alive, 1ull << cpu->id);
	atomic_store(&cpu->alive, true);
	for (;;) {
		cli();
		if (atomic_load(&cpu->started))
			break;
		__asm__ volatile("sti; hlt" ::: "memory");
	}
	sti();
	up_cpu_start();
}

int hal_cpu_start(unsigned number)
{
	struct x86_cpu *cpu;

	if (number >= x86_cpu_total)
		up_panic(0, 0, "hal_cpu_start: there is no CPU %u", number);
	cpu = x86_cpus[number];
	if (!number || atomic_load(&cpu->started))
		return -EBUSY;
	if (!wait_alive(cpu, START_RETRY_US)) {
		x86_apic_send_startup(cpu->apic_id, x86_boot_state.trampoline);
		if (!wait_alive(cpu, START_TIMEOUT_US))
			return -EIO;
	}
	atomic_store(&cpu->started, true);
	x86_smp_wake(cpu);
	return 0;
}

static void *take_memory(size_t bytes)
{
	paddr_t addr = ram_map_take(&x86_boot_state.ram, bytes, HAL_PAGE_SIZE, BOOT_REACH);

	if (!addr)
		x86_boot_fail("cannot start", "there is too little memory for all CPUs",
			  "Give the machine more memory or fewer CPUs.");
	memset(hal_phys_to_virt(addr), 0, bytes);
	return hal_phys_to_virt(addr);
}

static uintptr_t make_stack(void)
{
	char *stack = take_memory(HAL_STACK_BYTES);

	if (hal_guard_set(stack, true))
		x86_boot_fail("cannot start", "there is too little memory for page tables",
			  "Give the machine at least 16 MiB.");
	return (uintptr_t)stack;
}

static void add_cpu(uint32_t id)
{
	struct x86_cpu *cpu;

	if (find_cpu(id) || x86_cpu_total == HAL_CPUS_MAX ||
	    (!x86_features.x2apic && id >= XAPIC_ID_BROADCAST))
		return;
	cpu = take_memory(sizeof(*cpu));
	cpu->id = x86_cpu_total;
	cpu->apic_id = id;
	cpu->self = cpu;
	x86_cpus[x86_cpu_total++] = cpu;
	x86_smp_stacks[x86_smp_stacks_count++] = make_stack() + HAL_STACK_BYTES;
}

/* Page tables for the trampoline: the kernel's, and the lowest memory where it is. */
static void fill_trampoline(void)
{
	paddr_t page = x86_boot_state.trampoline;
	char *at = hal_phys_to_virt(page);
	struct trampoline_vars *vars = (void *)(at + (trampoline_vars - trampoline));

	memcpy(at, trampoline, (size_t)(trampoline_end - trampoline));
	vars->gdt_addr = (uint32_t)(page + (uint64_t)(trampoline_gdt - trampoline));
	vars->cr3 = (uint32_t)kernel_to_phys(boot_pml4);
	vars->efer = EFER_LME | (x86_features.nx ? EFER_NXE : 0);
	vars->far32[0] = (uint32_t)(page + (uint64_t)(trampoline32 - trampoline));
	vars->far64[0] = (uint32_t)(page + (uint64_t)(trampoline64 - trampoline));
	x86_paging_copy_kernel_half(boot_pml4);
}

void x86_smp_init(void)
{
	x86_boot_cpu.apic_id = x86_apic_id();
	x86_boot_cpu.stack = make_stack();
	atomic_store(&x86_boot_cpu.alive, true);
	atomic_store(&x86_boot_cpu.started, true);
	if (!x86_boot_state.trampoline)
		return;
	for (unsigned i = 0; i < x86_acpi.cpu_count; i++)
		add_cpu(x86_acpi.apic_ids[i]);
	fill_trampoline();
	for (unsigned i = 1; i < x86_cpu_total; i++)
		x86_apic_send_init(x86_cpus[i]->apic_id);
}

void x86_smp_start_all(void)
{
	for (unsigned i = 1; i < x86_cpu_total; i++)
		x86_apic_send_startup(x86_cpus[i]->apic_id, x86_boot_state.trampoline);
}

/* ---- Stop ---- */

void x86_smp_stop_this(void)
{
	cli();
	atomic_fetch_or(&x86_stopped, 1ull << x86_cpu_this()->id);
	atomic_store(&x86_cpu_this()->halted, true);
	for (;;)
		__asm__ volatile("hlt");
}

void hal_cpu_stop_others(void)
{
	uint64_t own = 1ull << x86_cpu_this()->id;
	uint64_t others = atomic_load(&smp_alive) & ~own;
	uint64_t before = atomic_fetch_or(&x86_stopped, others);

	if (before & own)
		x86_smp_stop_this(); /* another CPU was first */
	others &= ~before;
	for (uint64_t left = others; left; left &= left - 1)
		x86_apic_send_nmi(x86_cpus[__builtin_ctzll(left)]->apic_id);
	for (uint64_t left = others; left; left &= left - 1) {
		struct x86_cpu *cpu = x86_cpus[__builtin_ctzll(left)];

		for (unsigned us = 0; us < STOP_TIMEOUT_US && !atomic_load(&cpu->halted); us += 10)
			x86_clock_delay_us(10);
	}
}
