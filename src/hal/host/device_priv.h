/*
 * The devices of the machine: their registers, and the thread that serves them.
 */
#ifndef HAL_HOST_DEVICE_PRIV_H
#define HAL_HOST_DEVICE_PRIV_H

#include "hal/types.h"

/* Makes the devices that the options name, and starts their thread; or refuses. */
void device_create_all(void);

/* Calls the models of all devices that were notified. On the devices' thread. */
void device_serve_all(void);

/* Lets what was given to the devices come out, for a bounded time. At power off. */
void device_stop_all(void);

/* The window has another size; from a signal handler. */
void device_note_resize(void);

#endif
