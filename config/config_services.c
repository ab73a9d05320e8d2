/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_services.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/parse_num.h"

#define BLANKS   " \t\r\n"
#define LINE_MAX 1024

int config_service_parse(char *line, const char *name, uint16_t *ret_port)
{
	char *rest = NULL, *word, *slash;
	char *first, *port;
	uint64_t number;
	bool is_named;

	line[strcspn(line, "#")] = '\0';
	first = strtok_r(line, BLANKS, &rest);
	port = first ? strtok_r(NULL, BLANKS, &rest) : NULL;
	slash = port ? strchr(port, '/') : NULL;
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	is_named = strcmp(first, name) == 0;
	while (!is_named && (word = strtok_r(NULL, BLANKS, &rest)))
		is_named = strcmp(word, name) == 0;
	if (!is_named || parse_u64(port, 0, UINT16_MAX, &number) < 0)
		return -ENOENT;
	*ret_port = (uint16_t)number;
	return strcmp(slash + 1, "tcp") == 0;
}

int config_service_find(const void *userdata, const char *name, uint16_t *ret_port)
{
	_fclose_ FILE *f = fopen(userdata, "re");
	char line[LINE_MAX];
	bool is_found = false;
	uint16_t port;

	while (f && fgets(line, sizeof(line), f)) {
		int r = config_service_parse(line, name, &port);

		if (r < 0 || (r == 0 && is_found))
			continue;
		*ret_port = port;
		is_found = true;
		if (r > 0)
			break;
	}
	return is_found ? 0 : -ENOENT;
}
