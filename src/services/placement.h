/*
 * The class of each service as placement.def gives it: placement_class_console and so on, for the
 * class_name of its struct service.
 */
#ifndef SERVICES_PLACEMENT_H
#define SERVICES_PLACEMENT_H

#define SERVICE(name, class, why) extern const char placement_class_##name[];
#include "services/placement.def"
#undef SERVICE

/* Why the service is placed there, for people; NULL for an unknown name. */
const char *placement_why(const char *name);

#endif
