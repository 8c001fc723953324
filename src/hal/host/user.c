/*
 * Running user code on the host: a run of a guest thread in a stub.
 *
 * The guest thread of a CPU waits in the stub for its word GO to change. A run writes all registers
 * into the exchange area, counts GO up, and waits until the stub has made DONE equal to it. Then
 * the signal frame that stopped user code says why it stopped.
 *
 *	1. A value of the exchange area is read once, checked, and used as checked: user code of
 *	   another CPU, or of this one that only pretends to have stopped, may change it meanwhile.
 *	2. Nothing here is proof that user code has stopped; see mmu.c.
 *
 * host_user_cpu.locked guards what host_user_kick() reads.
 */
#include "hal/host/host_user.h"

#include "hal/host/host_priv.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CS_USER 0x33
#define SS_USER 0x2b
#define FLAGS_USER 0x244dd5ull /* CF PF AF ZF SF TF DF OF NT AC ID */
#define FLAGS_ALWAYS 0x202ull

/* Linux's signal frame of x86_64: struct ucontext and what follows. */
#define UCONTEXT_REGS 40
#define UCONTEXT_FPU 224
#define UCONTEXT_BYTES 304
#define FRAME_BYTES (UCONTEXT_BYTES + 128) /* with siginfo */
#define FPU_SOFTWARE 464
#define FPU_MAGIC 0x46505853u
#define FPU_BYTES_MIN 576

/* Linux 6.14 and later let this call pass by all seccomp filters, and answer it with a SIGILL of
 * the kernel's own (SI_KERNEL) when no probe made it. It is nothing but a wrong number. */
#define NR_URETPROBE 335

#define TRAPNO_DIVIDE 0
#define TRAPNO_DEBUG 1
#define TRAPNO_ILLEGAL 6
#define TRAPNO_PAGE 14
#define PAGE_ERROR_WRITE 2
#define PAGE_ERROR_EXEC 16


/* struct sigcontext. */
struct frame_regs {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trapno, mask, cr2, fpu;
};

struct frame_info {
	int32_t signo, number, code, pad;
	uint64_t addr;
	int32_t syscall;
	uint32_t arch;
};

_Static_assert(UCONTEXT_REGS + offsetof(struct frame_regs, fpu) == UCONTEXT_FPU, "sigcontext");
_Static_assert(offsetof(struct hal_regs, rdi) == 14 * 8, "the stub pops r15..rdi in this order");

struct host_user_cpu {
	_Atomic bool locked;
	struct host_guest *running; /* for host_user_kick() */
};

int host_user_cpu_start(struct host_cpu *cpu)
{
	cpu->user = calloc(1, sizeof(*cpu->user));
	return cpu->user ? 0 : -ENOMEM;
}

static void set_running(struct host_cpu *cpu, struct host_guest *guest)
{
	host_lock(&cpu->user->locked);
	cpu->user->running = guest;
	host_unlock(&cpu->user->locked);
}

void host_user_kick(struct host_cpu *cpu)
{
	/* What user code reads in its signal frame: not who sent it. */
	siginfo_t info = {.si_signo = STUB_SIGNAL_STOP, .si_code = SI_QUEUE};
	struct host_guest *guest;

	if (!cpu->user)
		return;
	host_lock(&cpu->user->locked);
	guest = cpu->user->running;
	if (guest) {
		atomic_store(&host_exchange_of(guest)->kick, 1);
		syscall(SYS_rt_tgsigqueueinfo, guest->pid, guest->tid, STUB_SIGNAL_STOP, &info);
	}
	host_unlock(&cpu->user->locked);
}

/* ---- The birth of a guest thread ---- */

/* The first frame shows where all others will be. False: one that cannot be used. */
static bool learn_frame(const struct host_guest *guest, unsigned cpu)
{
	struct host_frame *frame = &host_user.frame;
	uint64_t ucontext = host_exchange_of(guest)->ucontext - host_area_address(cpu);
	uint64_t fpu;
	uint32_t software[5];

	if (ucontext > STUB_EXCHANGE_BYTES - FRAME_BYTES)
		return false;
	if (frame->fpu_bytes)
		return ucontext == frame->ucontext;
	memcpy(&fpu, guest->area + ucontext + UCONTEXT_FPU, sizeof(fpu));
	fpu -= host_area_address(cpu);
	if (fpu > STUB_EXCHANGE_BYTES - FPU_BYTES_MIN ||
	    ucontext < EXCHANGE_REGISTERS + sizeof(struct hal_regs))
		return false;
	memcpy(software, guest->area + fpu + FPU_SOFTWARE, sizeof(software));
	if (software[0] != FPU_MAGIC || software[4] < FPU_BYTES_MIN ||
	    software[4] > STUB_EXCHANGE_BYTES - fpu)
		return false;
	frame->ucontext = (uint32_t)ucontext;
	frame->fpu = (uint32_t)fpu;
	frame->fpu_bytes = software[4];
	return true;
}

/* Other user code may have forged the number: it is believed if it is a thread not yet known. */
static bool learn_tid(struct host_space *space, struct host_guest *guest)
{
	pid_t tid = (pid_t)atomic_exchange(&host_exchange_of(guest)->tid, 0);

	if (tid <= 0 || tid == space->pid || syscall(SYS_tgkill, space->pid, tid, 0))
		return false;
	for (unsigned cpu = 0; cpu < host.cpu_count; cpu++) {
		if (space->guests[cpu].tid == tid)
			return false;
	}
	guest->tid = tid;
	return true;
}

bool host_guest_begin(struct host_space *space, unsigned cpu)
{
	struct host_guest *guest = &space->guests[cpu];
	const struct host_request request = {
		(uint64_t)REQUEST_NEW_THREAD,
		{host_area_address(cpu), host_area_address(cpu) + EXCHANGE_STACK, 0,
		 STUB_EXCHANGE_BYTES - EXCHANGE_STACK},
	};
	bool made;

	guest->runs = 1;
	atomic_store(&host_exchange_of(guest)->go, 1);
	host_lock(&space->locked); /* until its birth is over: it reads the request page */
	made = host_space_request_locked(space, &request) && host_space_flush_locked(space) &&
	       host_guest_wait(space, guest) && learn_frame(guest, cpu) && learn_tid(space, guest);
	host_unlock(&space->locked);
	if (!made)
		atomic_store(&space->dead, true);
	return made;
}

/* ---- Registers ---- */

static bool is_canonical(uint64_t addr)
{
	return addr < 1ull << 47 || addr >= ~0ull << 47;
}

static void set_trap(struct hal_event *event, enum hal_trap trap, vaddr_t addr)
{
	*event = (struct hal_event){.kind = HAL_EVENT_TRAP, .trap = trap, .addr = addr};
}

static void set_fault(struct hal_event *event, unsigned access, vaddr_t addr)
{
	*event = (struct hal_event){.kind = HAL_EVENT_FAULT, .access = access, .addr = addr};
}

/* Values with which user code cannot be entered come back as what they would end in. */
static bool check_registers(const struct hal_regs *regs, struct hal_event *event)
{
	if (!is_canonical(regs->rip))
		set_trap(event, HAL_TRAP_PROTECTION, 0);
	else if (regs->rip >= HAL_USER_MAX)
		set_fault(event, HAL_PROT_EXEC, regs->rip);
	else if (!is_canonical(regs->fs_base) || !is_canonical(regs->gs_base))
		set_trap(event, HAL_TRAP_PROTECTION, 0);
	else
		return true;
	return false;
}

/* Selectors that can always be loaded; others become null. */
static uint16_t clean_selector(uint64_t selector)
{
	return selector == SS_USER ? SS_USER : 0;
}

static void write_registers(struct host_guest *guest, unsigned cpu, const struct hal_regs *regs)
{
	struct host_exchange *exchange = host_exchange_of(guest);
	uint64_t *words = (uint64_t *)(guest->area + EXCHANGE_REGISTERS);
	const uint16_t segments[4] = {(uint16_t)regs->ds, (uint16_t)regs->es, (uint16_t)regs->fs,
				      (uint16_t)regs->gs};

	memcpy(words, regs, 15 * sizeof(words[0]));
	words[15] = regs->rip;
	words[16] = CS_USER;
	words[17] = (regs->rflags & FLAGS_USER) | FLAGS_ALWAYS;
	words[18] = regs->rsp;
	words[19] = SS_USER;
	exchange->load_fs = regs->fs_base;
	exchange->load_gs = regs->gs_base;
	exchange->load_what = 0;
	if (memcmp(segments, guest->segments, sizeof(segments))) {
		for (unsigned i = 0; i < 4; i++)
			exchange->load_segments[i] = clean_selector(segments[i]);
		exchange->load_what = LOAD_SEGMENTS;
	}
	exchange->load_fpu = host_area_address(cpu) + host_user.frame.fpu;
	atomic_store_explicit(&exchange->kick, 0, memory_order_relaxed);
}

static void read_registers(struct host_guest *guest, const struct frame_regs *from,
			   struct hal_regs *regs)
{
	const struct host_exchange *exchange = host_exchange_of(guest);

	regs->r15 = from->r15;
	regs->r14 = from->r14;
	regs->r13 = from->r13;
	regs->r12 = from->r12;
	regs->rbp = from->rbp;
	regs->rbx = from->rbx;
	regs->r11 = from->r11;
	regs->r10 = from->r10;
	regs->r9 = from->r9;
	regs->r8 = from->r8;
	regs->rax = from->rax;
	regs->rcx = from->rcx;
	regs->rdx = from->rdx;
	regs->rsi = from->rsi;
	regs->rdi = from->rdi;
	regs->rip = from->rip;
	regs->cs = CS_USER;
	regs->rflags = (from->rflags & FLAGS_USER) | FLAGS_ALWAYS;
	regs->rsp = from->rsp;
	regs->ss = SS_USER;
	regs->fs_base = exchange->fs_base;
	regs->gs_base = exchange->gs_base;
	memcpy(guest->segments, exchange->segments, sizeof(guest->segments));
	regs->ds = guest->segments[0];
	regs->es = guest->segments[1];
	regs->fs = guest->segments[2];
	regs->gs = guest->segments[3];
}

/* ---- What happened ---- */

static void decode_memory(const struct frame_regs *regs, const struct frame_info *info,
			  struct hal_event *event)
{
	unsigned access = HAL_PROT_READ;

	if (regs->trapno != TRAPNO_PAGE) {
		set_trap(event, info->signo == SIGBUS && regs->trapno == 17 ? HAL_TRAP_ALIGNMENT
									    : HAL_TRAP_PROTECTION,
			 0);
		return;
	}
	if (info->signo == SIGBUS) { /* the machine's memory cannot be had: the host is out of it */
		set_trap(event, HAL_TRAP_MACHINE, regs->cr2);
		return;
	}
	if (regs->error & PAGE_ERROR_EXEC)
		access = HAL_PROT_EXEC;
	else if (regs->error & PAGE_ERROR_WRITE)
		access = HAL_PROT_WRITE;
	set_fault(event, access, regs->cr2);
}

static void decode(const struct frame_regs *regs, const struct frame_info *info,
		   struct hal_event *event)
{
	*event = (struct hal_event){.kind = HAL_EVENT_INTERRUPT};
	switch (info->signo) {
	case STUB_SIGNAL_STOP:
		break;
	case SIGSYS:
		if (info->arch == AUDIT_ARCH_X86_64)
			event->kind = HAL_EVENT_SYSCALL;
		else
			set_trap(event, HAL_TRAP_FOREIGN, 0);
		break;
	case SIGSEGV:
	case SIGBUS:
		decode_memory(regs, info, event);
		break;
	case SIGILL:
		if (info->code == SI_KERNEL)
			event->kind = HAL_EVENT_SYSCALL;
		else
			set_trap(event, HAL_TRAP_ILLEGAL, 0);
		break;
	case SIGFPE:
		set_trap(event, regs->trapno == TRAPNO_DIVIDE ? HAL_TRAP_DIVIDE : HAL_TRAP_FPU, 0);
		break;
	case SIGTRAP:
		set_trap(event,
			 regs->trapno == TRAPNO_DEBUG ? HAL_TRAP_STEP : HAL_TRAP_BREAKPOINT, 0);
		break;
	default:
		set_trap(event, HAL_TRAP_MACHINE, 0);
	}
	if (regs->cs != CS_USER) /* a far jump into compatibility mode */
		set_trap(event, HAL_TRAP_PROTECTION, 0);
	else if (regs->rip >= HAL_USER_MAX) /* nothing there is the user's, also no system call */
		set_fault(event, HAL_PROT_EXEC, regs->rip);
}

/* Where the frame lies in the area; 0 if nowhere in it. */
static uint32_t find_frame(const struct host_guest *guest, unsigned cpu)
{
	const struct host_exchange *exchange = host_exchange_of(guest);
	uint64_t ucontext;

	if (exchange->kind == KIND_EARLY)
		return host_user.frame.ucontext;
	ucontext = exchange->ucontext - host_area_address(cpu);
	if (ucontext < EXCHANGE_STACK || ucontext > STUB_EXCHANGE_BYTES - FRAME_BYTES)
		return 0;
	return (uint32_t)ucontext;
}

/* The frame is not where it always is: user code had its stack pointer in the alternate stack. */
static bool take_strange_fpu(struct host_guest *guest, unsigned cpu, struct hal_user *user,
			     uint64_t fpu)
{
	fpu -= host_area_address(cpu);
	if (fpu > STUB_EXCHANGE_BYTES - host_user.frame.fpu_bytes)
		return false;
	host_fpu_move(guest, user, guest->area + fpu);
	return true;
}

static void read_event(struct host_guest *guest, unsigned cpu, struct hal_user *user,
		       struct hal_event *event)
{
	struct frame_regs regs;
	struct frame_info info;
	uint32_t frame;

	user->regs.orig_rax = UINT64_MAX;
	if (host_exchange_of(guest)->kind == KIND_UNCHANGED) {
		*event = (struct hal_event){.kind = HAL_EVENT_INTERRUPT};
		return;
	}
	frame = find_frame(guest, cpu);
	if (!frame) {
		set_trap(event, HAL_TRAP_MACHINE, 0);
		return;
	}
	memcpy(&regs, guest->area + frame + UCONTEXT_REGS, sizeof(regs));
	memcpy(&info, guest->area + frame + UCONTEXT_BYTES, sizeof(info));
	__asm__ volatile("" ::: "memory"); /* the copies are what is checked and used */
	if (frame != host_user.frame.ucontext && !take_strange_fpu(guest, cpu, user, regs.fpu)) {
		set_trap(event, HAL_TRAP_MACHINE, 0);
		return;
	}
	if (info.signo == SIGSYS && info.addr >= HAL_USER_MAX && regs.rip < HAL_USER_MAX) {
		/* A call of the vsyscall page: Linux has returned from it already. */
		regs.rip = info.addr;
		regs.rsp -= sizeof(uint64_t);
	}
	if (info.signo == SIGILL && info.code == SI_KERNEL)
		regs.rax = NR_URETPROBE;
	read_registers(guest, &regs, &user->regs);
	decode(&regs, &info, event);
	if (event->kind == HAL_EVENT_SYSCALL)
		user->regs.orig_rax = user->regs.rax;
}

/* One run. False: interrupted before it began. */
static void run_once(struct host_space *space, struct hal_user *user, struct hal_event *event)
{
	struct host_cpu *cpu = host_cpu_this();
	struct host_guest *guest = &space->guests[cpu->id];
	bool alive;

	if (!guest->tid && !host_guest_begin(space, cpu->id)) {
		set_trap(event, HAL_TRAP_MACHINE, 0);
		return;
	}
	host_fpu_load(guest, user);
	write_registers(guest, cpu->id, &user->regs);
	set_running(cpu, guest);
	if (!host_cpu_enter_user(cpu)) {
		set_running(cpu, NULL);
		*event = (struct hal_event){.kind = HAL_EVENT_INTERRUPT};
		return;
	}
	alive = host_guest_post(space, guest, cpu->id) && host_guest_wait(space, guest);
	host_cpu_leave_user(cpu);
	set_running(cpu, NULL);
	if (alive)
		read_event(guest, cpu->id, user, event);
	else
		set_trap(event, HAL_TRAP_MACHINE, 0);
}

void hal_user_run(struct hal_mmu *mmu, struct hal_user *user, struct hal_event *event)
{
	struct host_cpu *cpu = host_cpu_this();

	do {
		if (host_irq_pending(cpu))
			*event = (struct hal_event){.kind = HAL_EVENT_INTERRUPT};
		else if (check_registers(&user->regs, event))
			run_once(mmu->space, user, event);
	} while (event->kind == HAL_EVENT_TRAP && event->trap == HAL_TRAP_PROTECTION &&
		 host_user_emulate(mmu->space, user));
	host_time_advance_event();
}
