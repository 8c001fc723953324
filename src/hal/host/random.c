/*
 * Random numbers: of the host, or in seeded mode of a generator whose only input is the seed.
 *
 * The generator is xoshiro256** by Blackman and Vigna ("Scrambled linear pseudorandom number
 * generators", 2018), its state filled by SplitMix64 as they recommend. Not for secrets: a seeded
 * machine has none.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

void host_random_seed(uint64_t seed)
{
	for (unsigned i = 0; i < ARRAY_COUNT(host.random); i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		host.random[i] = z ^ z >> 31;
	}
}

uint64_t host_random_next(void)
{
	uint64_t *s = host.random;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t host_random_below(uint64_t limit)
{
	return (uint64_t)((unsigned __int128)host_random_next() * limit >> 64);
}

int hal_entropy(void *buf, size_t bytes)
{
	uint8_t *to = buf;

	while (host.seeded && bytes) {
		uint64_t word = host_random_next();
		size_t part = MIN(bytes, sizeof(word));

		memcpy(to, &word, part);
		to += part;
		bytes -= part;
	}
	while (bytes) {
		ssize_t got = getrandom(to, bytes, 0);

		if (got < 0 && errno != EINTR)
			return -ENODEV;
		if (got > 0) {
			to += got;
			bytes -= (size_t)got;
		}
	}
	return 0;
}
