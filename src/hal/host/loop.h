/*
 * The thread that serves the devices in free mode: one libuv loop.
 */
#ifndef HAL_HOST_LOOP_H
#define HAL_HOST_LOOP_H

#include <uv.h>

/* Makes the loop, its pool of file threads and its own thread, which calls device_serve_all() at
 * each wake-up. 0 or -ERRNO. */
int loop_start(void);

/* Makes the thread serve the devices soon. From any thread, and from signal handlers. */
void loop_wake(void);

/* For the requests of models; used on the loop's thread alone. */
uv_loop_t *loop_uv(void);

#endif
