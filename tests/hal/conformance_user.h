/*
 * A small user address space for the conformance test: a page of code, of data, of stack.
 */
#ifndef TESTS_HAL_CONFORMANCE_USER_H
#define TESTS_HAL_CONFORMANCE_USER_H

#include "hal/conformance.h"

#define USER_CODE ((vaddr_t)0x400000)
#define USER_DATA ((vaddr_t)0x500000)
#define USER_STACK ((vaddr_t)0x600000)
#define USER_STACK_TOP (USER_STACK + HAL_PAGE_SIZE - 256)
#define USER_NOTHING ((vaddr_t)0x700000) /* where nothing is mapped */

struct space {
	struct hal_mmu mmu;
	paddr_t code_page, data_page, stack_page;
	char *data; /* the data page in the direct map */
};

/* Maps the fragment's code (read, execute), zeroed data and stack (read, write). */
void space_make(struct space *space, const struct fragment *fragment);
void space_map(struct space *space, vaddr_t addr, paddr_t page, unsigned prot);
void space_drop(struct space *space);

/* At the start of the code with the two arguments. */
void user_start(struct hal_user *user, uint64_t a, uint64_t b);

/* Runs until something but an interrupt happens; takes interrupts. The event's kind. */
enum hal_event_kind user_run(struct space *space, struct hal_user *user, struct hal_event *event);

/* Ends the user and drops the space. */
void user_end(struct space *space, struct hal_user *user);

#endif
