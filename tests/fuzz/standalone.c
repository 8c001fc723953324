/*
 * main() of a fuzz target in a tree without libFuzzer: runs the target once on each file named on
 * the command line, or on each file in a folder named there. So the corpus is a regression test
 * for any compiler and sanitizer.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *whole = malloc(INPUT_BYTES_MAX), *exact;
	size_t bytes;

	if (!file || !whole) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	bytes = fread(whole, 1, INPUT_BYTES_MAX, file);
	fclose(file);
	exact = malloc(bytes ? bytes : 1); /* so that one byte too far is seen by sanitizers */
	if (!exact)
		exit(2);
	memcpy(exact, whole, bytes);
	free(whole);
	LLVMFuzzerTestOneInput(exact, bytes);
	free(exact);
	return 1;
}

static int run_folder(DIR *folder, const char *path)
{
	int count = 0;

	for (const struct dirent *entry; (entry = readdir(folder));) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) < (int)sizeof(name))
			count += run_file(name);
	}
	closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);

		count += folder ? run_folder(folder, argv[i]) : run_file(argv[i]);
	}
	printf("%s: ran %d inputs\n", argv[0], count);
	return count ? 0 : 2;
}
