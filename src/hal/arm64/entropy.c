/*
 * Random numbers: the CPU's RNDR instruction, else a generator over the seed that the boot loader
 * left in /chosen/rng-seed (32 bytes or more), else none.
 *
 * The generator is ChaCha20 (RFC 8439, section 2.3) with fast key erasure: the first 32 bytes of
 * each block replace the key, so that what was given out cannot be computed from the state. Lock:
 * one flag; nothing else is called under it.
 */
#include "hal/arm64/arm64_priv.h"

#define RNDR_TRIES 100
#define SEED_WORDS 8

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

static void quarter_round(uint32_t *s, const uint8_t *at)
{
	uint32_t a = s[at[0]], b = s[at[1]], c = s[at[2]], d = s[at[3]];

	a += b;
	d = rotate(d ^ a, 16);
	c += d;
	b = rotate(b ^ c, 12);
	a += b;
	d = rotate(d ^ a, 8);
	c += d;
	b = rotate(b ^ c, 7);
	s[at[0]] = a;
	s[at[1]] = b;
	s[at[2]] = c;
	s[at[3]] = d;
}

/* One block of the key with a counter of zero and an empty nonce; the key is used once. */
static void make_block(const uint32_t *key, uint32_t *block)
{
	static const uint8_t rounds[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
					     {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
					     {2, 7, 8, 13},  {3, 4, 9, 14}};
	uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	unsigned i, j;

	for (i = 0; i < SEED_WORDS; i++)
		start[4 + i] = key[i];
	for (i = 0; i < 16; i++)
		block[i] = start[i];
	for (i = 0; i < 10; i++)
		for (j = 0; j < 8; j++)
			quarter_round(block, rounds[j]);
	for (i = 0; i < 16; i++)
		block[i] += start[i];
}

/* The seed is folded into the key, 32 bytes at a time. False: there is none. */
static bool read_seed(uint32_t *key)
{
	struct fdt_value value;
	uint32_t chosen, block[16];
	unsigned i, at;

	if (fdt_find_path(&arm64.fdt, "/chosen", &chosen) != 0 ||
	    fdt_get(&arm64.fdt, chosen, "rng-seed", &value) != 0 || value.bytes < SEED_WORDS * 4)
		return false;
	for (at = 0; at + SEED_WORDS <= value.bytes / 4; at += SEED_WORDS) {
		for (i = 0; i < SEED_WORDS; i++)
			key[i] ^= fdt_cell(&value, at + i);
		make_block(key, block);
		for (i = 0; i < SEED_WORDS; i++)
			key[i] = block[i];
	}
	return true;
}

void entropy_init(void)
{
	if ((READ_SYSREG(id_aa64isar0_el1) >> 60 & 15) != 0)
		arm64.random.source = RANDOM_RNDR;
	else if (read_seed(arm64.random.key))
		arm64.random.source = RANDOM_SEED;
}

static bool read_rndr(uint64_t *word)
{
	uint64_t ok;
	unsigned i;

	for (i = 0; i < RNDR_TRIES; i++) {
		/* RNDR; NZCV is 0100 where it failed. */
		__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, ne"
				 : "=r"(*word), "=r"(ok)::"cc");
		if (ok)
			return true;
	}
	return false;
}

static void read_generator(uint64_t *word)
{
	uint32_t block[16];
	unsigned i;

	while (atomic_flag_test_and_set_explicit(&arm64.random.lock, memory_order_acquire))
		hal_cpu_relax();
	make_block(arm64.random.key, block);
	for (i = 0; i < SEED_WORDS; i++)
		arm64.random.key[i] = block[i];
	atomic_flag_clear_explicit(&arm64.random.lock, memory_order_release);
	*word = (uint64_t)block[8] << 32 | block[9];
}

int hal_entropy(void *buf, size_t bytes)
{
	uint8_t *to = buf;
	uint64_t word = 0;
	size_t i;

	if (arm64.random.source == RANDOM_NONE)
		return -ENODEV;
	for (i = 0; i < bytes; i++) {
		if (i % 8 == 0) {
			if (arm64.random.source == RANDOM_SEED)
				read_generator(&word);
			else if (!read_rndr(&word))
				return -ENODEV;
		}
		to[i] = (uint8_t)(word >> i % 8 * 8);
	}
	return 0;
}
