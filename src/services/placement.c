/*
 * The table of services that core starts, made from placement.def.
 *
 * Owns no state. Each service NAME defines `const struct service NAME_service`.
 */
#include "services/placement.h"

#include "core/klib.h"
#include "core/service.h"

#define SERVICE(name, class, why) const char placement_class_##name[] = #class;
#include "services/placement.def"
#undef SERVICE

#define SERVICE(name, class, why) extern const struct service name##_service;
#include "services/placement.def"
#undef SERVICE

const struct service *const service_table[] = {
#define SERVICE(name, class, why) &name##_service,
#include "services/placement.def"
#undef SERVICE
	NULL,
};

static const struct {
	const char *name;
	const char *why;
} reasons[] = {
#define SERVICE(name, class, why) {#name, why},
#include "services/placement.def"
#undef SERVICE
};

const char *placement_why(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
		if (str_compare(reasons[i].name, name) == 0)
			return reasons[i].why;
	}
	return NULL;
}
