/*
 * What test_hostile.c needs of an instruction set.
 */
#ifndef TESTS_HAL_HOSTILE_H
#define TESTS_HAL_HOSTILE_H

#include "hal/conformance_user.h"

/* Addresses outside of user memory that are worth an attack, ended by 0. */
extern const vaddr_t hostile_addresses[];

/* A page of the machine's own code that user code may have in reach; 0: none. All its bytes are
 * jumped to. On a machine that has nothing there, the jump is a plain fault. */
extern const vaddr_t hostile_code;

/* Memory of the machine's own that user code may be able to write: an area for each CPU. */
extern const vaddr_t hostile_area;
#define HOSTILE_AREA_BYTES 0x8000

/* Sets of registers for jumps into hostile_code; how many, and fills in the i-th. */
extern const unsigned hostile_register_sets;
void hostile_set_registers(struct hal_user *user, unsigned set);

/* Writes b words of chance to chosen words of the area at a, then system call 1; for ever. */
extern const struct fragment fragment_forge;

#endif
