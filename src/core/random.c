/*
 * The random generator: a key, from which each request makes a stream and the next key, so that
 * nobody who sees the state later can tell what was given out before.
 */
#include "core/random.h"

#include "core/klib.h"
#include "core/log.h"
#include "core/state.h"

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

static void quarter_round(uint32_t *x, unsigned a, unsigned b, const unsigned cd[2])
{
	unsigned c = cd[0], d = cd[1];

	x[a] += x[b];
	x[d] = ROTATE(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = ROTATE(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = ROTATE(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = ROTATE(x[b] ^ x[c], 7);
}

/* RFC 8439, 2.3: ten double rounds, columns then diagonals. */
void random_chacha_block(const uint32_t input[16], uint32_t output[16])
{
	memcpy(output, input, 16 * sizeof(uint32_t));
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++)
			quarter_round(output, i, 4 + i, (const unsigned[2]){8 + i, 12 + i});
		for (unsigned i = 0; i < 4; i++)
			quarter_round(output, i, 4 + (i + 1) % 4,
				      (const unsigned[2]){8 + (i + 2) % 4, 12 + (i + 3) % 4});
	}
	for (unsigned i = 0; i < 16; i++)
		output[i] += input[i];
}

static void next_block_locked(uint32_t output[16])
{
	struct random_state *state = &kernel.random;
	uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	lock_assert_held(&state->lock);
	memcpy(input + 4, state->key, sizeof(state->key));
	input[12] = (uint32_t)state->counter;
	input[13] = (uint32_t)(state->counter >> 32);
	state->counter++;
	random_chacha_block(input, output);
}

/* Puts a new key in place of the one that made the last blocks. */
static void erase_key_locked(void)
{
	uint32_t block[16];

	next_block_locked(block);
	memcpy(kernel.random.key, block, sizeof(kernel.random.key));
	memset(block, 0, sizeof(block));
}

void random_bytes(void *buf, size_t bytes)
{
	char *to = buf;
	uint32_t block[16];

	spin_lock(&kernel.random.lock);
	while (bytes) {
		size_t part = MIN(bytes, sizeof(block));

		next_block_locked(block);
		memcpy(to, block, part);
		to += part;
		bytes -= part;
	}
	erase_key_locked();
	spin_unlock(&kernel.random.lock);
	memset(block, 0, sizeof(block));
}

static void stir_locked(const uint8_t *from, size_t bytes)
{
	uint8_t *key = (uint8_t *)kernel.random.key;

	for (size_t i = 0; i < bytes; i++) {
		key[i % sizeof(kernel.random.key)] ^= from[i];
		if ((i + 1) % sizeof(kernel.random.key) == 0)
			erase_key_locked();
	}
	erase_key_locked();
}

void random_add(const void *buf, size_t bytes)
{
	spin_lock(&kernel.random.lock);
	stir_locked(buf, bytes);
	if (bytes >= sizeof(kernel.random.key))
		kernel.random.seeded = true;
	spin_unlock(&kernel.random.lock);
}

bool random_seeded(void)
{
	bool seeded;

	spin_lock(&kernel.random.lock);
	seeded = kernel.random.seeded;
	spin_unlock(&kernel.random.lock);
	return seeded;
}

void random_init(void)
{
	uint64_t times[2] = {hal_time_ns(), hal_time_epoch_ns()};
	uint8_t seed[RANDOM_KEY_WORDS * sizeof(uint32_t)];

	spinlock_init(&kernel.random.lock, LOCK_RANK_RANDOM, "random");
	random_add(times, sizeof(times));
	if (!hal_entropy(seed, sizeof(seed)))
		random_add(seed, sizeof(seed));
	else
		log_write(LOG_WARNING, "random",
			  "the machine has no entropy; random numbers can be guessed until a "
			  "device gives some");
	memset(seed, 0, sizeof(seed));
}
