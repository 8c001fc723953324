/*
 * Objects and references: what everything that the kernel counts begins with.
 *
 * States:  object_init -> live (refs >= 1) -> last object_put -> type->destroy -> gone
 * The count of live objects of each type is kept, so that a test can say that none is left.
 */
#ifndef CORE_OBJECT_H
#define CORE_OBJECT_H

#include "core/list.h"

#include <stdatomic.h>

struct object;

struct object_type {
	const char *name;
	void (*destroy)(struct object *object); /* called once, no lock held, may free it */
	_Atomic uint32_t live;
};

struct object {
	struct object_type *type; /* Set once */
	_Atomic uint32_t refs;
	uint64_t id; /* never used twice while the system runs. Set once */
};

void object_init(struct object *object, struct object_type *type);
struct object *object_get(struct object *object); /* gives its argument back */
void object_put(struct object *object);		  /* NULL is allowed */

/* Takes a reference unless the last one is gone already (for tables that do not count). */
bool object_try_get(struct object *object);

/* Drops a reference unless it is the last one; false: it is still the caller's. */
bool object_put_unless_last(struct object *object);

/* Live objects of all types: for tests that look for leaks. */
uint64_t object_live(void);

struct object_state {
	_Atomic uint64_t last_id;
	_Atomic uint64_t live;
};

#endif
