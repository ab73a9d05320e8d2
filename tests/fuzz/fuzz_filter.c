/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as somebody writes it: parsed, rendered for the kernel and matched, or a fault that has
 * its place. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/filter_bytecode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int find_service(const void *userdata, const char *name, uint16_t *ret_port)
{
	(void)userdata;
	*ret_port = 80;
	return strcmp(name, "http") == 0 ? 0 : -ENOENT;
}

static uint32_t find_interface(const char *name)
{
	return (uint32_t)strlen(name);
}

static uint64_t find_cgroup(const char *path)
{
	return strlen(path);
}

static void use(struct filter *f)
{
	static const struct filter_names names = {32768, 60999, find_interface, find_cgroup};
	static struct filter_request q;
	const struct sock_record record = {.family = 2, .state = SOCK_ESTABLISHED};

	filter_resolve(f, &names);
	filter_request_make(&q, f, false);
	assert(q.code_len % 4 == 0 && q.code_len <= FILTER_CODE_MAX);
	filter_match(f, &record);
	filter_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct filter_world world = {.service = find_service};
	struct filter_error error = {0};
	struct filter *f = NULL;
	char *text = malloc(size + 1);
	int r;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = filter_parse(text, &world, &error, &f);
	assert(r == 0 || r == -EINVAL);
	if (r == 0) {
		use(f);
	} else {
		assert(!f && error.what[0]);
		assert(error.at + error.len <= strlen(text));
	}
	free(text);
	return 0;
}
