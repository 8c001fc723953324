/*
 * A body that runs on all CPUs at once.
 */
#include "tests/kernel/stress.h"

#include "core/cpu.h"
#include "core/slab.h"
#include "core/task.h"

struct worker {
	void (*body)(unsigned index, void *arg);
	void *arg;
	unsigned index;
	struct thread *thread;
};

static void work(void *arg)
{
	const struct worker *worker = arg;

	worker->body(worker->index, worker->arg);
}

void stress_run(void (*body)(unsigned index, void *arg), void *arg)
{
	unsigned count = cpu_count_online() * STRESS_THREADS_PER_CPU;
	struct worker *workers = kmalloc(count * sizeof(*workers));

	EXPECT(workers);
	for (unsigned i = 0; workers && i < count; i++) {
		struct sched_params params = {.policy = SCHED_POLICY_FAIR};

		workers[i] = (struct worker){.body = body, .arg = arg, .index = i};
		params.affinity = 1ull << (i % cpu_count_online());
		EXPECT(!thread_create_kernel(NULL, "stress", work, &workers[i],
					     &workers[i].thread));
		if (!workers[i].thread)
			continue;
		EXPECT(!sched_set(workers[i].thread, &params));
		thread_start(workers[i].thread);
	}
	for (unsigned i = 0; workers && i < count; i++) {
		if (!workers[i].thread)
			continue;
		thread_join(workers[i].thread);
		thread_put(workers[i].thread);
	}
	kfree(workers);
}
