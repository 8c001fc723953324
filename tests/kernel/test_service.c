/*
 * Facts of the registry, with tables of its own. The table of the running system comes back at the
 * end of each test.
 */
#include "core/service.h"
#include "core/state.h"
#include "tests/kernel/ktest.h"

static char started[16];
static unsigned start_count, stop_count;
static int start_error, health_error;

static int start_a(void)
{
	started[start_count++] = 'a';
	return 0;
}

static int start_b(void)
{
	started[start_count++] = 'b';
	return 0;
}

static int start_c(void)
{
	started[start_count++] = 'c';
	return start_error;
}

static void stop_any(void)
{
	stop_count++;
}

static int ask_health(void)
{
	return health_error;
}

static struct service_registry *keep_registry(void)
{
	static struct service_registry kept;

	kept.table = kernel.service.table;
	kept.ordered = kernel.service.ordered;
	memcpy(kept.order, kernel.service.order, sizeof(kept.order));
	for (unsigned i = 0; i < SERVICES_MAX; i++)
		atomic_store(&kept.states[i], atomic_load(&kernel.service.states[i]));
	start_count = stop_count = 0;
	start_error = health_error = 0;
	memset(started, 0, sizeof(started));
	return &kept;
}

static void restore_registry(struct service_registry *kept)
{
	kernel.service.table = kept->table;
	kernel.service.ordered = kept->ordered;
	memcpy(kernel.service.order, kept->order, sizeof(kept->order));
	for (unsigned i = 0; i < SERVICES_MAX; i++)
		atomic_store(&kernel.service.states[i], atomic_load(&kept->states[i]));
}

static const struct service service_a = {
	.name = "a", .needs = {"b", "c"}, .start = start_a, .stop = stop_any, .health = ask_health};
static const struct service service_b = {
	.name = "b", .needs = {"c"}, .start = start_b, .stop = stop_any};
static const struct service service_c = {.name = "c", .start = start_c};
static const struct service optional_c = {.name = "c", .optional = true, .start = start_c};
static const struct service optional_b = {
	.name = "b", .needs = {"c"}, .optional = true, .start = start_b};
static const struct service lost = {.name = "lost", .needs = {"nobody"}, .start = start_a};
static const struct service circle_x = {.name = "x", .needs = {"y"}, .start = start_a};
static const struct service circle_y = {.name = "y", .needs = {"x"}, .start = start_b};

static void test_service_starts_needs_first(void)
{
	static const struct service *const table[] = {&service_a, &service_b, &service_c, NULL};
	struct service_registry *kept = keep_registry();

	EXPECT(!service_start_table(table));
	EXPECT(!str_compare(started, "cba"));
	EXPECT(service_state("a") == SERVICE_RUNNING);
	EXPECT(service_health("a") == 0 && service_health("b") == 0);
	service_stop_all();
	EXPECT(stop_count == 2);
	EXPECT(service_state("c") == SERVICE_STOPPED && service_state("none") == SERVICE_STOPPED);
	EXPECT(service_health("a") == -ENODEV && service_health("none") == -ENOENT);
	restore_registry(kept);
}

static void test_service_failure_fails_those_who_need_it(void)
{
	static const struct service *const table[] = {&service_a, &service_b, &service_c, NULL};
	struct service_registry *kept = keep_registry();

	start_error = -EIO;
	EXPECT(service_start_table(table) == -EIO);
	EXPECT(!str_compare(started, "c"));
	EXPECT(service_state("a") == SERVICE_FAILED && service_state("c") == SERVICE_FAILED);
	restore_registry(kept);
}

static void test_service_optional_failure_is_no_error(void)
{
	static const struct service *const table[] = {&optional_b, &optional_c, NULL};
	struct service_registry *kept = keep_registry();

	start_error = -ENODEV;
	EXPECT(!service_start_table(table));
	EXPECT(service_state("b") == SERVICE_FAILED);
	restore_registry(kept);
}

static void test_service_bad_health_is_a_failure(void)
{
	static const struct service *const table[] = {&service_a, &service_b, &service_c, NULL};
	struct service_registry *kept = keep_registry();

	EXPECT(!service_start_table(table));
	health_error = -EIO;
	EXPECT(service_health("a") == -EIO);
	EXPECT(service_state("a") == SERVICE_FAILED);
	EXPECT(service_health("a") == -ENODEV);
	restore_registry(kept);
}

static void test_service_refuses_circles_and_unknown_needs(void)
{
	static const struct service *const circle[] = {&circle_x, &circle_y, NULL};
	static const struct service *const unknown[] = {&lost, NULL};
	struct service_registry *kept = keep_registry();

	EXPECT(service_start_table(circle) == -ELOOP);
	EXPECT(service_start_table(unknown) == -ENOENT);
	EXPECT(!start_count);
	restore_registry(kept);
}

const struct ktest ktests_service[] = {
	KTEST(test_service_starts_needs_first),
	KTEST(test_service_failure_fails_those_who_need_it),
	KTEST(test_service_optional_failure_is_no_error),
	KTEST(test_service_bad_health_is_a_failure),
	KTEST(test_service_refuses_circles_and_unknown_needs),
	{0},
};
