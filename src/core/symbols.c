/*
 * From a code address to the name of its function, by the table that the build makes.
 */
#include "core/panic.h"

/* Nothing in the table says where the last function ends. */
#define FUNCTION_BYTES_MAX (64u * 1024)

const char *symbol_find(uintptr_t pc, size_t *offset)
{
	uint32_t low = 0, high = symbol_count;

	/* Finds the first entry above `pc`; the one before it is the function. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_table[middle].addr <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || pc - symbol_table[low - 1].addr >= FUNCTION_BYTES_MAX)
		return NULL;
	*offset = pc - symbol_table[low - 1].addr;
	return symbol_names + symbol_table[low - 1].name;
}
