/*
 * The registry: starts services in the order of their needs, asks for their health, stops them.
 *
 * Core knows no service by name: src/services/placement.c gives it the table that
 * placement.def spells out.
 *
 *   STOPPED --start ok--> RUNNING --health fails--> FAILED
 *      |  ^                 |
 *      |  +-----stop--------+
 *      +--start fails or a need is not RUNNING--> FAILED
 */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include "hal/types.h"

#include <stdatomic.h>

#define SERVICES_MAX 64
#define SERVICE_NEEDS_MAX 8

enum service_state { SERVICE_STOPPED, SERVICE_RUNNING, SERVICE_FAILED };

struct service {
	const char *name;
	const char *class_name; /* "kernel": placement.def */
	const char *needs[SERVICE_NEEDS_MAX + 1]; /* names, up to NULL: started before */
	bool optional; /* the system goes on without it */
	int (*start)(void);  /* in a kernel thread; 0 or -ERRNO. May block */
	void (*stop)(void);  /* may be NULL */
	int (*health)(void); /* 0 or -ERRNO; may be NULL */
};

/* Given by src/services (or by a test): NULL-terminated. */
extern const struct service *const service_table[];

/* Starts all, in the order of needs. 0; -ELOOP for a circle of needs, -ENOENT for an unknown need,
 * or the error of the first required service that failed. Each failure is logged. */
HAL_USE_RESULT int service_start_all(void);
void service_stop_all(void); /* in reverse order */
int service_health(const char *name);
enum service_state service_state(const char *name);

/* The same with a table of a test. The registry holds one table at a time. */
HAL_USE_RESULT int service_start_table(const struct service *const *table);

struct service_registry {
	const struct service *const *table;
	_Atomic int states[SERVICES_MAX]; /* enum service_state, as the table */
	uint8_t order[SERVICES_MAX];	  /* indices in the order of starting */
	unsigned ordered;
};

#endif
