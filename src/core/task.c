/*
 * Tasks: the table of tasks, and what a task is as a whole. Threads are in thread.c.
 *
 * The table (kernel.task.tasks) holds no references; a task leaves it when it is destroyed, and
 * who finds one there takes a reference unless the last is gone.
 */
#include "core/task.h"

#include "core/space.h"
#include "core/state.h"

static struct task *task_of(const struct rbtree_node *node)
{
	return CONTAINER_OF(node, struct task, node);
}

static bool task_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return task_of(a)->id < task_of(b)->id;
}

static int compare_id(const void *key, const struct rbtree_node *node)
{
	uint32_t id = *(const uint32_t *)key;

	return (id > task_of(node)->id) - (id < task_of(node)->id);
}

static void destroy_task(struct object *object)
{
	struct task *task = CONTAINER_OF(object, struct task, object);

	spin_lock(&kernel.task.lock);
	rbtree_erase(&kernel.task.tasks, &task->node);
	kernel.task.task_count--;
	spin_unlock(&kernel.task.lock);
	if (task->ops && task->ops->destroy)
		task->ops->destroy(task);
	if (task->space)
		space_put(task->space);
	slab_free(kernel.task.task_cache, task);
}

static uint32_t new_id_locked(bool of_kernel)
{
	struct task_state *state = &kernel.task;

	return of_kernel ? TASK_ID_KERNEL + state->last_kernel_id++ : ++state->last_id;
}

static uint32_t new_id(bool of_kernel)
{
	uint32_t id;

	spin_lock(&kernel.task.lock);
	id = new_id_locked(of_kernel);
	spin_unlock(&kernel.task.lock);
	return id;
}

/* Gives it an id and a place in the table. */
static int enter_task(struct task *task)
{
	struct task_state *state = &kernel.task;
	int err = -EAGAIN;

	spin_lock(&state->lock);
	if (state->task_count < TASKS_MAX) {
		state->task_count++;
		task->id = new_id_locked(!task->space);
		rbtree_insert(&state->tasks, &task->node, task_less);
		err = 0;
	}
	spin_unlock(&state->lock);
	return err;
}

int task_create(const char *name, struct space *space, const struct task_ops *ops,
		void *personality, struct task **out)
{
	struct task *task = slab_alloc(kernel.task.task_cache);
	int err;

	if (!task)
		return -ENOMEM;
	spinlock_init(&task->lock, LOCK_RANK_TASK, "task");
	str_copy(task->name, sizeof(task->name), name);
	task->space = space;
	task->ops = ops;
	task->personality = personality;
	list_init(&task->threads);
	wait_queue_init(&task->ended, "task ended");
	err = enter_task(task);
	if (err) {
		slab_free(kernel.task.task_cache, task);
		return err;
	}
	if (space)
		space_get(space);
	/* From now on it is found: until here its count is 0. */
	object_init(&task->object, &kernel.task.task_type);
	*out = task;
	return 0;
}

void task_put(struct task *task)
{
	if (task)
		object_put(&task->object);
}

/* The first task from `id` on that still lives. */
static struct task *find_from(uint32_t id)
{
	struct task *found = NULL;
	struct rbtree_node *node;

	spin_lock(&kernel.task.lock);
	node = rbtree_find_from(&kernel.task.tasks, &id, compare_id);
	for (; node && !found; node = rbtree_next(node)) {
		if (object_try_get(&task_of(node)->object))
			found = task_of(node);
	}
	spin_unlock(&kernel.task.lock);
	return found;
}

struct task *task_next(uint32_t after_id)
{
	return after_id == UINT32_MAX ? NULL : find_from(after_id + 1);
}

struct task *task_find(uint32_t id)
{
	struct task *task = find_from(id);

	if (task && task->id != id) {
		task_put(task);
		task = NULL;
	}
	return task;
}

/* An account is nothing but counters. */
#define ACCOUNT_FIELDS (sizeof(struct account) / sizeof(uint64_t))

static void add_account(struct account *sum, const struct account *part)
{
	const uint64_t *from = (const uint64_t *)part;
	uint64_t *to = (uint64_t *)sum;

	for (unsigned i = 0; i < ACCOUNT_FIELDS; i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void task_account(struct task *task, struct account *sum)
{
	struct thread *thread;

	spin_lock(&task->lock);
	*sum = task->account;
	LIST_FOR_EACH (thread, &task->threads, task_link)
		add_account(sum, &thread->account);
	spin_unlock(&task->lock);
}

bool task_add_thread(struct task *task, struct thread *thread)
{
	bool added;

	spin_lock(&task->lock);
	added = !task->ending;
	if (added) {
		thread->id = task->named ? new_id(!task->space) : task->id;
		task->named = true;
		list_add_last(&task->threads, &thread->task_link);
		task->thread_count++;
	}
	spin_unlock(&task->lock);
	return added;
}

bool task_remove_thread(struct task *task, struct thread *thread)
{
	bool last;

	spin_lock(&task->lock);
	list_remove(&thread->task_link);
	add_account(&task->account, &thread->account);
	last = --task->thread_count == 0;
	if (last && task != kernel.task.kernel_task)
		task->ending = true;
	spin_unlock(&task->lock);
	return last;
}

void task_kill(struct task *task, int exit_status)
{
	struct thread *thread;

	spin_lock(&task->lock);
	if (!task->ending) {
		task->ending = true;
		task->exit_status = exit_status;
	}
	LIST_FOR_EACH (thread, &task->threads, task_link) {
		atomic_store(&thread->killed, true);
		thread_interrupt(thread);
	}
	spin_unlock(&task->lock);
}

static bool has_ended(struct task *task)
{
	bool ended;

	spin_lock(&task->lock);
	ended = task->ending && !task->thread_count;
	spin_unlock(&task->lock);
	return ended;
}

int task_wait_ended(struct task *task, int *exit_status)
{
	int err;

	WAIT_UNTIL(err, &task->ended, HAL_TIME_NEVER, WAIT_INTERRUPTIBLE, has_ended(task));
	if (err)
		return err;
	spin_lock(&task->lock);
	*exit_status = task->exit_status;
	spin_unlock(&task->lock);
	return 0;
}

void task_init(void)
{
	struct task_state *state = &kernel.task;
	int err;

	spinlock_init(&state->lock, LOCK_RANK_OBJECT, "tasks");
	state->task_type = (struct object_type){.name = "task", .destroy = destroy_task};
	state->task_cache = slab_cache_create("task", sizeof(struct task), 64);
	ASSERT(state->task_cache);
	err = task_create("kernel", NULL, NULL, NULL, &state->kernel_task);
	ASSERT(!err);
}
