/*
 * The HAL contract, version 1: all that the kernel knows of the machine it runs on.
 *
 * Rules that hold for every call below:
 *   1. No call blocks, except hal_cpu_idle() and hal_user_run().
 *   2. All that is not determined enters here: time, entropy, interrupts, device completions and
 *      the moment at which user code is stopped. Nothing else may differ between two runs.
 *   3. An interrupt is a bit which the machine sets and the kernel takes at known points: in
 *      hal_irq_enable() and hal_irq_restore(), in hal_cpu_idle(), and by the return of
 *      hal_user_run(). Kernel code is never interrupted anywhere else.
 *   4. A call may be made from any CPU and with any lock held unless it says otherwise; it takes
 *      no lock that is held while it calls up.
 *   5. A call with wrong arguments (a bug of the kernel) calls up_panic(). What can fail in
 *      operation returns -ERRNO.
 *
 * The parts, in reading order: cpu.h (CPUs, contexts, interrupts), memory.h (RAM, the direct map,
 * user address spaces), user.h (running user code), clock.h (time, timer, entropy), device.h
 * (finding and reaching devices), boot.h (what was booted, log, power), up.h (what the machine
 * calls in the kernel). docs/hal-contract.md is the manual page.
 */
#ifndef HAL_HAL_H
#define HAL_HAL_H

#include "hal/types.h"

#include "hal/boot.h"
#include "hal/clock.h"
#include "hal/cpu.h"
#include "hal/device.h"
#include "hal/memory.h"
#include "hal/up.h"
#include "hal/user.h"

#endif
