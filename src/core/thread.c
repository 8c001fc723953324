/*
 * Threads: from creation to the last reference.
 *
 * A thread that has been started is a reference of its own. Its end: thread_exit() takes it out of
 * its task, sched_exit() leaves its stack for ever; the thread that runs next on that CPU calls
 * thread_ended(), which wakes those who join, and drops the reference. The last one is never
 * dropped there, where nothing may block, but by the reaper, a kernel thread.
 *
 * Stacks are kept for reuse with their guard page in place: setting it costs more than a stack.
 */
#include "core/page.h"
#include "core/space.h"
#include "core/state.h"
#include "core/task.h"
#include "core/trap.h"

_Static_assert(HAL_STACK_BYTES % PAGE_SIZE == 0, "a kernel stack is whole pages");

struct thread *thread_this(void)
{
	return cpu_this()->thread;
}

/* ---- Stacks ---- */

static unsigned stack_order(void)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < HAL_STACK_BYTES)
		order++;
	return order;
}

static void *take_cached_stack(void)
{
	struct task_state *state = &kernel.task;
	struct page *page;

	spin_lock(&state->lock);
	page = LIST_FIRST(&state->stacks, struct page, link);
	if (page) {
		list_remove(&page->link);
		state->stack_count--;
	}
	spin_unlock(&state->lock);
	return page ? page_to_virt(page) : NULL;
}

static void *alloc_stack(void)
{
	void *stack = take_cached_stack();
	struct page *page;

	if (stack)
		return stack;
	page = page_alloc(stack_order());
	if (!page)
		return NULL;
	if (hal_guard_set(page_to_virt(page), true)) {
		page_free(page, stack_order());
		return NULL;
	}
	return page_to_virt(page);
}

static void free_stack(void *stack)
{
	struct task_state *state = &kernel.task;
	struct page *page = page_from_virt(stack);
	bool cached;
	int err;

	spin_lock(&state->lock);
	cached = state->stack_count < STACKS_CACHED_MAX;
	if (cached) {
		list_add_first(&state->stacks, &page->link);
		state->stack_count++;
	}
	spin_unlock(&state->lock);
	if (cached)
		return;
	err = hal_guard_set(stack, false);
	ASSERT(!err);
	page_free(page, stack_order());
}

/* ---- Creation and destruction ---- */

static void destroy_thread(struct object *object)
{
	struct thread *thread = CONTAINER_OF(object, struct thread, object);

	if (thread->user) {
		hal_user_fini(thread->user);
		slab_free(kernel.task.user_cache, thread->user);
	}
	if (thread->stack) {
		hal_context_fini(&thread->context);
		free_stack(thread->stack);
	}
	/* One that was never started is still a thread of its task. */
	if (atomic_load(&thread->state) == THREAD_NEW)
		task_remove_thread(thread->task, thread);
	task_put(thread->task);
	slab_free(kernel.task.thread_cache, thread);
}

static void init_params(struct sched_params *params, const struct task *task)
{
	struct thread *parent = task->space ? thread_this() : NULL;

	*params = (struct sched_params){.policy = SCHED_POLICY_FAIR, .affinity = UINT64_MAX};
	/* A program's threads run as the one that made them. */
	if (parent && parent->user)
		sched_get(parent, params);
}

/* All but stack, context and user registers. */
static struct thread *alloc_thread(struct task *task, const char *name)
{
	struct thread *thread = slab_alloc(kernel.task.thread_cache);
	struct sched_params params;

	if (!thread)
		return NULL;
	str_copy(thread->name, sizeof(thread->name), name);
	thread->task = task;
	list_init(&thread->task_link);
	list_init(&thread->wait.link);
	thread->wait.thread = thread;
	wait_queue_init(&thread->dead, "thread dead");
	init_params(&params, task);
	sched_init_entity(&thread->sched, &params);
	atomic_store(&thread->state, THREAD_NEW);
	return thread;
}

static HAL_NORETURN void run_thread(void *arg)
{
	struct thread *thread = arg;

	sched_start_thread();
	trace_thread_name(thread);
	trace_event(TRACE_THREAD_START, thread->id, thread->task->id);
	if (thread->user)
		trap_loop(thread);
	thread->entry(thread->arg);
	thread_exit();
}

/* Makes the thread one of its task, and an object. On failure it is as before. */
static int enter_thread(struct thread *thread)
{
	if (!task_add_thread(thread->task, thread))
		return -EAGAIN;
	object_get(&thread->task->object);
	object_init(&thread->object, &kernel.task.thread_type);
	return 0;
}

static int create_thread(struct task *task, const char *name, struct thread **out)
{
	struct thread *thread = alloc_thread(task, name);
	int err = -ENOMEM;

	if (!thread)
		return err;
	thread->stack = alloc_stack();
	if (!thread->stack)
		goto fail_thread;
	err = enter_thread(thread);
	if (err)
		goto fail_stack;
	hal_context_init(&thread->context, thread->name, thread->stack, HAL_STACK_BYTES, run_thread,
			 thread);
	*out = thread;
	return 0;
fail_stack:
	free_stack(thread->stack);
fail_thread:
	slab_free(kernel.task.thread_cache, thread);
	return err;
}

int thread_create_user(struct task *task, vaddr_t pc, vaddr_t sp, struct thread **out)
{
	struct hal_user *user = slab_alloc(kernel.task.user_cache);
	int err;

	if (!user)
		return -ENOMEM;
	err = create_thread(task, task->name, out);
	if (err) {
		slab_free(kernel.task.user_cache, user);
		return err;
	}
	hal_user_init(user, pc, sp);
	(*out)->user = user;
	return 0;
}

int thread_create_kernel(struct task *task, const char *name, void (*entry)(void *arg), void *arg,
			 struct thread **out)
{
	int err = create_thread(task ? task : kernel.task.kernel_task, name, out);

	if (err)
		return err;
	(*out)->entry = entry;
	(*out)->arg = arg;
	return 0;
}

struct thread *thread_create_idle(unsigned cpu)
{
	char name[TASK_NAME_MAX];
	struct thread *thread;
	int err;

	str_format(name, sizeof(name), "idle%u", cpu);
	thread = alloc_thread(kernel.task.kernel_task, name);
	ASSERT(thread);
	err = enter_thread(thread);
	ASSERT(!err);
	return thread;
}

void thread_start(struct thread *thread)
{
	object_get(&thread->object);
	sched_start(thread);
}

struct thread *thread_get(struct thread *thread)
{
	object_get(&thread->object);
	return thread;
}

void thread_put(struct thread *thread)
{
	if (thread)
		object_put(&thread->object);
}

/* ---- The end ---- */

void thread_account_kernel(struct thread *thread, uint64_t now_ns)
{
	account_add(&thread->account.kernel_ns, now_ns - thread->account_since_ns);
	thread->account_since_ns = now_ns;
}

void thread_exit(void)
{
	struct thread *thread = thread_this();
	struct task *task = thread->task;

	lock_assert_none();
	if (task->ops && task->ops->thread_ended)
		task->ops->thread_ended(thread);
	thread_account_kernel(thread, hal_time_ns());
	trace_event(TRACE_THREAD_EXIT, thread->id, task->id);
	if (task_remove_thread(task, thread) && task != kernel.task.kernel_task) {
		trace_event(TRACE_TASK_EXIT, task->id, (uint64_t)(int64_t)task->exit_status);
		if (task->ops && task->ops->task_ended)
			task->ops->task_ended(task);
		wake_up_all(&task->ended);
	}
	sched_exit();
}

void thread_ended(struct thread *thread)
{
	struct task_state *state = &kernel.task;

	/* A mark of its own: `state` is DEAD already while the stack is still in use. */
	atomic_store(&thread->off_cpu, true);
	wake_up_all(&thread->dead);
	if (object_put_unless_last(&thread->object))
		return;
	spin_lock(&state->lock);
	list_add_last(&state->dead, &thread->task_link);
	spin_unlock(&state->lock);
	wake_up_all(&state->reaper);
}

static struct thread *take_dead(void)
{
	struct task_state *state = &kernel.task;
	struct thread *thread;

	spin_lock(&state->lock);
	thread = LIST_FIRST(&state->dead, struct thread, task_link);
	if (thread)
		list_remove(&thread->task_link);
	spin_unlock(&state->lock);
	return thread;
}

static void run_reaper(void *arg)
{
	struct thread *thread;
	int err;

	(void)arg;
	for (;;) {
		WAIT_UNTIL(err, &kernel.task.reaper, HAL_TIME_NEVER, 0,
			   (thread = take_dead()) != NULL);
		ASSERT(!err);
		thread_put(thread);
	}
}

void thread_interrupt(struct thread *thread)
{
	atomic_store(&thread->interrupted, true);
	/* A sleep that is not interruptible finds its condition false and goes on. */
	sched_wake(thread);
	sched_kick_running(thread);
}

void thread_join(struct thread *thread)
{
	int err;

	WAIT_UNTIL(err, &thread->dead, HAL_TIME_NEVER, 0, atomic_load(&thread->off_cpu));
	ASSERT(!err);
}

void thread_init(void)
{
	struct task_state *state = &kernel.task;

	list_init(&state->stacks);
	list_init(&state->dead);
	wait_queue_init(&state->reaper, "reaper");
	state->thread_type = (struct object_type){.name = "thread", .destroy = destroy_thread};
	state->thread_cache = slab_cache_create("thread", sizeof(struct thread), 64);
	state->user_cache = slab_cache_create("user registers", sizeof(struct hal_user), 64);
	ASSERT(state->thread_cache && state->user_cache);
}

void thread_start_reaper(void)
{
	struct thread *thread;
	int err = thread_create_kernel(NULL, "reaper", run_reaper, NULL, &thread);

	ASSERT(!err);
	thread_start(thread);
	thread_put(thread);
}
