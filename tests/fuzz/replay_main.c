/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over the files of one directory: how an ordinary build replays the corpus.
 *
 *     replay_NAME DIRECTORY
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_CLEANUP(DIR *, dir, closedir);

#define INPUT_MAX 65536

/* The input lies in memory of just its size, so that a sanitizer sees each byte too far. */
static int replay(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	_fclose_ FILE *f = fopen(path, "rb");
	_free_ uint8_t *input = NULL;
	size_t n;

	if (!f)
		return -errno;
	n = fread(bytes, 1, sizeof(bytes), f);
	if (ferror(f))
		return -EIO;
	if (!feof(f))
		return -EFBIG;
	input = malloc(n);
	if (n > 0 && !input)
		return -ENOMEM;
	if (n > 0)
		memcpy(input, bytes, n);
	LLVMFuzzerTestOneInput(input, n);
	return 0;
}

/* The number of inputs or -errno; the last file named is the one at fault. */
static int replay_directory(const char *directory)
{
	_cleanup_(cleanup_dir) DIR *dir = opendir(directory);
	const struct dirent *entry;
	int count = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char path[4096];
		int error;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		printf("%s\n", entry->d_name);
		fflush(stdout);
		error = replay(path);
		if (error < 0)
			return error;
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	int count;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	count = replay_directory(argv[1]);
	if (count < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-count));
		return 1;
	}
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
