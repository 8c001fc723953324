/*
 * Standard input: where the console's input comes from.
 */
#ifndef HAL_HOST_INPUT_H
#define HAL_HOST_INPUT_H

#include "hal/host/vdev.h"

/* Free mode: starts the thread that reads it and feeds `console`. 0 or -ERRNO. Seeded mode:
 * remembers the console. */
int input_start(struct vdev_device *console);

/* The console's driver has taken input or offered room: the thread may go on. */
void input_note_room(void);

/* Seeded mode, on the CPU: takes input that is there, or waits for some. False at its end, and
 * where there is none. */
bool input_read_seeded(bool wait);

#endif
