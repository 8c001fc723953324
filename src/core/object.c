/*
 * Objects and references. The count says how many hold the object; who drops the last one
 * destroys it. What was written before a put is seen by destroy (release, then acquire).
 */
#include "core/object.h"

#include "core/state.h"

void object_init(struct object *object, struct object_type *type)
{
	object->type = type;
	object->id = atomic_fetch_add(&kernel.object.last_id, 1) + 1;
	atomic_fetch_add(&type->live, 1);
	atomic_fetch_add(&kernel.object.live, 1);
	/* Last: one that lies in a table already can be taken from now on. */
	atomic_store_explicit(&object->refs, 1, memory_order_release);
}

struct object *object_get(struct object *object)
{
	uint32_t refs = atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);

	if (!refs || refs == UINT32_MAX)
		panic("object %lu (%s): reference taken at count %u", (unsigned long)object->id,
		      object->type->name, refs);
	return object;
}

void object_put(struct object *object)
{
	struct object_type *type;
	uint32_t refs;

	if (!object)
		return;
	type = object->type;
	refs = atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel);
	if (!refs)
		panic("object %lu (%s): dropped more often than taken", (unsigned long)object->id,
		      type->name);
	if (refs > 1)
		return;
	atomic_fetch_sub(&type->live, 1);
	atomic_fetch_sub(&kernel.object.live, 1);
	type->destroy(object);
}

bool object_try_get(struct object *object)
{
	uint32_t refs = atomic_load_explicit(&object->refs, memory_order_relaxed);

	while (refs) {
		if (atomic_compare_exchange_weak_explicit(&object->refs, &refs, refs + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

bool object_put_unless_last(struct object *object)
{
	uint32_t refs = atomic_load_explicit(&object->refs, memory_order_relaxed);

	while (refs > 1) {
		if (atomic_compare_exchange_weak_explicit(&object->refs, &refs, refs - 1,
							  memory_order_release,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

uint64_t object_live(void)
{
	return atomic_load(&kernel.object.live);
}
