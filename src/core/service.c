/*
 * The registry of services. Its state (kernel.service) is written by the thread that starts and
 * stops them, one entry at a time, and read by anybody.
 */
#include "core/service.h"

#include "core/klib.h"
#include "core/log.h"
#include "core/state.h"
#include "core/trace.h"

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* The search for an order: depth first over the needs. */
struct plan {
	const struct service *const *table;
	unsigned count;
	enum mark marks[SERVICES_MAX];
	uint8_t *order; /* indices, needs before those who need them */
	unsigned ordered;
};

static int find_index(const struct service *const *table, const char *name)
{
	for (int i = 0; i < SERVICES_MAX && table[i]; i++) {
		if (!str_compare(table[i]->name, name))
			return i;
	}
	return -ENOENT;
}

static int visit(struct plan *plan, unsigned index);

static int visit_needs(struct plan *plan, const struct service *service)
{
	for (unsigned i = 0; i < SERVICE_NEEDS_MAX && service->needs[i]; i++) {
		int need = find_index(plan->table, service->needs[i]);
		int err;

		if (need < 0) {
			log_write(LOG_ERROR, "service",
				  "%s needs '%s', which placement.def does not list", service->name,
				  service->needs[i]);
			return need;
		}
		err = visit(plan, (unsigned)need);
		if (err)
			return err;
	}
	return 0;
}

/* Recursion is as deep as the longest chain of needs, SERVICES_MAX at most. */
static int visit(struct plan *plan, unsigned index)
{
	const struct service *service = plan->table[index];
	int err;

	if (plan->marks[index] == MARK_DONE)
		return 0;
	if (plan->marks[index] == MARK_OPEN) {
		log_write(LOG_ERROR, "service", "%s needs itself, by way of its needs",
			  service->name);
		return -ELOOP;
	}
	plan->marks[index] = MARK_OPEN;
	err = visit_needs(plan, service);
	if (err)
		return err;
	plan->marks[index] = MARK_DONE;
	plan->order[plan->ordered++] = (uint8_t)index;
	return 0;
}

static void set_state(unsigned index, enum service_state state)
{
	atomic_store(&kernel.service.states[index], (int)state);
	trace_event(TRACE_SERVICE, index, (uint64_t)state);
}

/* The first need that does not run, or NULL. */
static const char *find_missing_need(const struct service *service)
{
	for (unsigned i = 0; i < SERVICE_NEEDS_MAX && service->needs[i]; i++) {
		if (service_state(service->needs[i]) != SERVICE_RUNNING)
			return service->needs[i];
	}
	return NULL;
}

static int start_one(unsigned index)
{
	const struct service *service = kernel.service.table[index];
	const char *missing = find_missing_need(service);
	int err = missing ? -ENOENT : 0;

	if (missing)
		log_write(service->optional ? LOG_NOTICE : LOG_ERROR, "service",
			  "%s not started: it needs %s, which does not run", service->name,
			  missing);
	else
		err = service->start();
	if (err && !missing)
		log_write(service->optional ? LOG_NOTICE : LOG_ERROR, "service",
			  "%s not started: error %d", service->name, -err);
	set_state(index, err ? SERVICE_FAILED : SERVICE_RUNNING);
	return service->optional ? 0 : err;
}

int service_start_table(const struct service *const *table)
{
	struct service_registry *registry = &kernel.service;
	struct plan plan = {.table = table, .order = registry->order};
	int err;

	registry->table = table;
	registry->ordered = 0;
	while (plan.count < SERVICES_MAX && table[plan.count])
		atomic_store(&registry->states[plan.count++], (int)SERVICE_STOPPED);
	for (unsigned i = 0; i < plan.count; i++) {
		err = visit(&plan, i);
		if (err)
			return err;
	}
	registry->ordered = plan.ordered;
	err = 0;
	for (unsigned i = 0; i < plan.ordered; i++) {
		int one = start_one(registry->order[i]);

		err = err ? err : one;
	}
	return err;
}

int service_start_all(void)
{
	return service_start_table(service_table);
}

void service_stop_all(void)
{
	struct service_registry *registry = &kernel.service;

	for (unsigned i = registry->ordered; i-- > 0;) {
		unsigned index = registry->order[i];

		if (atomic_load(&registry->states[index]) != SERVICE_RUNNING)
			continue;
		if (registry->table[index]->stop)
			registry->table[index]->stop();
		set_state(index, SERVICE_STOPPED);
	}
}

enum service_state service_state(const char *name)
{
	int index = kernel.service.table ? find_index(kernel.service.table, name) : -ENOENT;

	if (index < 0)
		return SERVICE_STOPPED;
	return (enum service_state)atomic_load(&kernel.service.states[index]);
}

int service_health(const char *name)
{
	int index = kernel.service.table ? find_index(kernel.service.table, name) : -ENOENT;
	const struct service *service;
	int err = 0;

	if (index < 0)
		return index;
	service = kernel.service.table[index];
	if (atomic_load(&kernel.service.states[index]) != SERVICE_RUNNING)
		return -ENODEV;
	if (service->health)
		err = service->health();
	if (err) {
		log_write(LOG_ERROR, "service", "%s has failed: its health is error %d", name,
			  -err);
		set_state((unsigned)index, SERVICE_FAILED);
	}
	return err;
}
