/*
 * CPUs are threads of the process. CPU 0 is the first thread; the others are made at the start,
 * before the process confines itself, and wait until hal_cpu_start().
 *
 * A CPU sleeps on its word `where`. Nothing is lost because the sleeper announces itself before it
 * looks at its interrupts, and who raises one sets the bit before it looks at the word; both with
 * sequential consistency.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"
#include "hal/host/futex.h"
#include "hal/host/seeded.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STOP_WAIT_NS 100000000ull /* for the others to stop; a thread in a long call stops later */
#define RELAXES_PER_YIELD 64	  /* then the host may run who is waited for */
#define STACK_BYTES (1u << 20)

static __thread struct host_cpu *cpu_of_thread;

__attribute__((noinline, noclone)) struct host_cpu *host_cpu_this(void)
{
	__asm__ volatile("" ::: "memory");
	return cpu_of_thread;
}

unsigned hal_cpu_count(void)
{
	return host.cpu_count;
}

__attribute__((noinline, noclone)) unsigned hal_cpu_id(void)
{
	const struct host_cpu *cpu = host_cpu_this();

	return cpu ? cpu->id : 0;
}

/* ---- Threads ---- */

static void pin_thread(const struct host_cpu *cpu)
{
	cpu_set_t allowed, one;
	unsigned left = cpu->id;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	left %= (unsigned)CPU_COUNT(&allowed);
	for (unsigned i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &allowed) || left--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static void find_stack(struct host_cpu *cpu)
{
	static const char *const names[] = {"cpu0", "cpu"};
	pthread_attr_t attr;

	cpu->boot.name = names[cpu->id != 0];
	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	pthread_attr_getstack(&attr, &cpu->boot.stack, &cpu->boot.stack_bytes);
	pthread_attr_destroy(&attr);
}

/* Makes the calling thread the CPU's. */
static void become_cpu(struct host_cpu *cpu)
{
	char name[16] = "cpu";
	stack_t stack = {.ss_size = HOST_SIGNAL_STACK};
	int err;

	name[3] = (char)('0' + cpu->id / 10);
	name[4] = (char)('0' + cpu->id % 10);
	if (cpu->id)
		prctl(PR_SET_NAME, name);
	prctl(PR_SET_TIMERSLACK, 1ul);
	cpu_of_thread = cpu;
	cpu->thread = pthread_self();
	find_stack(cpu);
	stack.ss_sp = mmap(NULL, HOST_SIGNAL_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL))
		host_refuse("cannot make the signal stack of CPU %u: %m", cpu->id);
	cpu->signal_stack = stack.ss_sp;
	if (host.options->pin)
		pin_thread(cpu);
	err = host_user_cpu_start(cpu);
	if (err)
		host_refuse("cannot prepare CPU %u for user code: error %d", cpu->id, -err);
	atomic_store(&cpu->tid, (pid_t)syscall(SYS_gettid));
}

static void *run_cpu(void *arg)
{
	struct host_cpu *cpu = arg;

	become_cpu(cpu);
	atomic_store(&cpu->ready, 1);
	futex_wake(&cpu->ready, 1);
	while (!atomic_load(&cpu->started))
		futex_wait(&cpu->started, 0, UINT64_MAX);
	up_cpu_start();
}

int host_cpu_create(unsigned id)
{
	struct host_cpu *cpu = &host.cpus[id];
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!id) {
		become_cpu(cpu);
		return 0;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&thread, &attr, run_cpu, cpu);
	pthread_attr_destroy(&attr);
	if (err)
		return -err;
	while (!atomic_load(&cpu->ready))
		futex_wait(&cpu->ready, 0, UINT64_MAX);
	return 0;
}

int hal_cpu_start(unsigned id)
{
	if (id >= host.cpu_count)
		up_panic(0, 0, "hal_cpu_start: there is no CPU %u", id);
	if (!id || atomic_exchange(&host.cpus[id].started, 1))
		return -EBUSY;
	futex_wake(&host.cpus[id].started, 1);
	return 0;
}

/* ---- Waiting ---- */

void hal_cpu_idle(void)
{
	struct host_cpu *cpu = host_cpu_this();
	uint64_t deadline_ns;

	if (host.seeded) {
		seeded_idle(cpu);
		return;
	}
	atomic_store(&cpu->where, HOST_IN_IDLE);
	deadline_ns = atomic_load(&cpu->deadline_ns);
	if (!host_irq_pending(cpu))
		futex_wait(&cpu->where, HOST_IN_IDLE,
			   deadline_ns == HAL_TIME_NEVER ? UINT64_MAX
							 : host.start_ns + deadline_ns);
	atomic_store(&cpu->where, HOST_IN_KERNEL);
	host_clock_idle_end(cpu);
}

void hal_cpu_kick(unsigned id)
{
	if (id >= host.cpu_count)
		up_panic(0, 0, "hal_cpu_kick: there is no CPU %u", id);
	host_irq_raise(&host.cpus[id], HAL_IRQ_KICK);
}

void hal_cpu_relax(void)
{
	struct host_cpu *cpu = host_cpu_this();

	if (host.seeded)
		seeded_relax();
	else if (++cpu->relaxes % RELAXES_PER_YIELD)
		__builtin_ia32_pause();
	else
		sched_yield();
}

bool host_cpu_enter_user(struct host_cpu *cpu)
{
	atomic_store(&cpu->where, HOST_IN_USER);
	if (!host_irq_pending(cpu))
		return true;
	atomic_store(&cpu->where, HOST_IN_KERNEL);
	return false;
}

void host_cpu_leave_user(struct host_cpu *cpu)
{
	atomic_store(&cpu->where, HOST_IN_KERNEL);
	atomic_fetch_add_explicit(&cpu->events, 1, memory_order_relaxed);
}

/* ---- The end ---- */

static void stop_here(int signal_number)
{
	struct host_cpu *cpu = cpu_of_thread;

	(void)signal_number;
	if (cpu)
		atomic_store(&cpu->stopped, 1);
	for (;;)
		pause();
}

void host_cpu_prepare_stop(void)
{
	struct sigaction action = {.sa_handler = stop_here, .sa_flags = SA_ONSTACK};

	sigfillset(&action.sa_mask);
	sigaction(HOST_STOP_SIGNAL, &action, NULL);
}

void hal_cpu_stop_others(void)
{
	const struct host_cpu *self = host_cpu_this();
	uint64_t until_ns = host_clock_monotonic_ns() + STOP_WAIT_NS;

	for (unsigned i = 0; i < host.cpu_count; i++) {
		struct host_cpu *cpu = &host.cpus[i];
		pid_t tid = atomic_load(&cpu->tid);

		if (cpu == self || !tid)
			continue;
		if (atomic_load(&cpu->where) == HOST_IN_USER)
			host_user_kick(cpu);
		syscall(SYS_tgkill, getpid(), tid, HOST_STOP_SIGNAL);
	}
	for (unsigned i = 0; i < host.cpu_count; i++) {
		struct host_cpu *cpu = &host.cpus[i];

		while (cpu != self && atomic_load(&cpu->tid) && !atomic_load(&cpu->stopped) &&
		       host_clock_monotonic_ns() < until_ns)
			sched_yield();
	}
}

void hal_cpu_halt(void)
{
	stop_here(0);
	__builtin_unreachable();
}
