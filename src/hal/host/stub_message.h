/*
 * What the kernel process and the zygote say to each other over the zygote's socket.
 */
#ifndef HAL_HOST_STUB_MESSAGE_H
#define HAL_HOST_STUB_MESSAGE_H

#include "hal/host/stub.h"

#include <stdint.h>

#define STUB_TRAP_TSC 1u   /* rdtsc ends in a fault */
#define STUB_TRAP_CPUID 2u /* cpuid too */

/* Make a stub; its eventfd comes with the message (SCM_RIGHTS). */
struct stub_message {
	uint64_t offset; /* of its request page in the exchange file; exchange areas follow */
	uint32_t cpus;	 /* how many */
	uint32_t flags;	 /* STUB_TRAP_* */
	int32_t parent;	 /* the kernel process */
	int32_t spare;
};

struct stub_answer {
	int32_t pid; /* or -ERRNO */
};

#endif
