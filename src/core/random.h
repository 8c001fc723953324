/*
 * Random numbers fit for keys: ChaCha20 (RFC 8439) with fast key erasure, seeded from the machine
 * and from devices. In seeded mode a function of the seed and of the calls made.
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include "core/lock.h"

#define RANDOM_KEY_WORDS 8

/* Never fails and never waits. Before anything has seeded it (the log says so) the numbers are not
 * fit for keys. */
void random_bytes(void *buf, size_t bytes);

/* Stirs in what a device gives; harmless if it is no random at all. */
void random_add(const void *buf, size_t bytes);

bool random_seeded(void);
void random_init(void);

/* The ChaCha20 block function, for its test: key, 32-bit counter and 96-bit nonce in `input`. */
void random_chacha_block(const uint32_t input[16], uint32_t output[16]);

struct random_state {
	struct spinlock lock;
	uint32_t key[RANDOM_KEY_WORDS]; /* Guarded by lock */
	uint64_t counter;		/* Guarded by lock */
	bool seeded;			/* Guarded by lock */
};

#endif
