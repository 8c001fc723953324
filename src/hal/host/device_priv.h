/*
 * The devices of the machine: their registers, and the thread that serves them.
 */
#ifndef HAL_HOST_DEVICE_PRIV_H
#define HAL_HOST_DEVICE_PRIV_H

#include "hal/types.h"

/* Makes the devices that the options name, and starts their thread; or refuses. */
void device_create_all(void);

/* Lets what was given to the devices come out, for a bounded time. At power off. */
void device_stop_all(void);

/* Seeded mode: takes console input that is there, or waits for some. False at its end, and where
 * there is no input. */
bool device_read_input(bool wait);

#endif
