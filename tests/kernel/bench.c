/*
 * Runs the kernel benches and lists their tables.
 *
 * In seeded mode time is virtual and says nothing; there the benches run once, as a test.
 */
#include "tests/kernel/bench.h"

#include "core/log.h"
#include "core/main.h"
#include "hal/hal.h"

#define RUN_NS (20ull * 1000 * 1000) /* of one measurement, at least */
#define REPEATS 5
#define COUNT_MAX (1ull << 24)

#define TABLES(X) X(sched) X(memory)

#define X(module) extern const struct kbench kbenches_##module[];
TABLES(X)
#undef X

const struct kbench_table kbench_tables[] = {
#define X(module) {#module, kbenches_##module},
	TABLES(X)
#undef X
	{0},
};

static uint64_t measure(const struct kbench *bench, uint64_t count)
{
	uint64_t start = hal_time_ns();

	bench->run(count);
	return hal_time_ns() - start;
}

static uint64_t find_count(const struct kbench *bench)
{
	uint64_t count = 16;

	while (count < COUNT_MAX && measure(bench, count) < RUN_NS)
		count *= 2;
	return count;
}

static void sort(uint64_t *values, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		uint64_t value = values[i];
		unsigned at = i;

		for (; at > 0 && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
}

static void run_bench(const char *module, const struct kbench *bench)
{
	uint64_t count = hal_has(HAL_HAS_SEED) ? 16 : find_count(bench);
	uint64_t tenths[REPEATS];

	for (unsigned i = 0; i < REPEATS; i++)
		tenths[i] = measure(bench, count) * 10 / count;
	sort(tenths, REPEATS);
	log_write(LOG_WARNING, "bench",
		  "%s/%s: %lu.%lu ns (least %lu.%lu, most %lu.%lu; %lu times)", module, bench->name,
		  (unsigned long)(tenths[REPEATS / 2] / 10),
		  (unsigned long)(tenths[REPEATS / 2] % 10), (unsigned long)(tenths[0] / 10),
		  (unsigned long)(tenths[0] % 10), (unsigned long)(tenths[REPEATS - 1] / 10),
		  (unsigned long)(tenths[REPEATS - 1] % 10), (unsigned long)count);
}

int kbench_run_all(const char *prefix)
{
	bool all = !str_compare(prefix, "1") || !*prefix;

	for (const struct kbench_table *table = kbench_tables; table->module; table++) {
		for (const struct kbench *bench = table->benches; bench->name; bench++) {
			if (all || str_starts(table->module, prefix) ||
			    str_starts(bench->name, prefix))
				run_bench(table->module, bench);
		}
	}
	return 0;
}
