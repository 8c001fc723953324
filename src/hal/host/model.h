/*
 * The device models. Each is made once, before the machine runs, and stays.
 */
#ifndef HAL_HOST_MODEL_H
#define HAL_HOST_MODEL_H

#include "hal/host/host.h"
#include "hal/host/vdev.h"

/*
 * A console that writes to `out_fd`. With `input`, what model_console_input() is given goes to
 * the driver, and the size of the terminal is in the configuration.
 */
struct vdev_device *model_console_create(int out_fd, bool input, unsigned irq);

/* How many bytes of input it can take now, and giving it some; it takes all or nothing. In seeded
 * mode also: whether the driver waits for input. */
size_t model_console_room(struct vdev_device *device);
bool model_console_wants_input(struct vdev_device *device);
void model_console_input(struct vdev_device *device, const char *text, size_t bytes);

/* The terminal has another size. On the devices' thread. */
void model_console_resize(struct vdev_device *device);

/* Whether all that the driver has offered for output is written. Never waits for a lock. */
bool model_console_is_drained(struct vdev_device *device);

/* A disk over an open image of `bytes`. */
struct vdev_device *model_block_create(const struct host_disk *disk, int fd, uint64_t bytes,
					 unsigned irq);

struct vdev_device *model_entropy_create(unsigned irq);

#endif
