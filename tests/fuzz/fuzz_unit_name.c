/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a cgroup, whose name is whatever a user made of it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/unit_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unit_name name, again;
	char *path = malloc(size + 1);
	size_t id_len;

	assert(path);
	memcpy(path, data, size);
	path[size] = '\0';
	unit_name_parse(path, &name);
	id_len = strnlen(name.container_id, sizeof(name.container_id));
	assert(id_len == 0 || id_len == CONTAINER_ID_MAX - 1);
	assert(id_len == 0 || strspn(name.container_id, "0123456789abcdef") == id_len);
	/* What is left has nothing more to drop, unless its suffix was cut. */
	if (strnlen(name.unit, sizeof(name.unit)) < UNIT_NAME_MAX - 1) {
		unit_name_parse(name.unit, &again);
		assert(strcmp(again.unit, name.unit) == 0);
	}
	free(path);
	return 0;
}
