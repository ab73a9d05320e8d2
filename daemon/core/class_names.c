/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/class_names.h"

#include <errno.h>
#include <stdlib.h>

#define NONE UINT16_MAX

static unsigned int count(const char *const *list)
{
	unsigned int n = 0;

	while (list && list[n])
		n++;
	return n;
}

static int copy(const char *const *list, const char ***ret_list)
{
	unsigned int n = count(list);

	*ret_list = NULL;
	if (n == 0)
		return 0;
	*ret_list = calloc(n + 1, sizeof(char *));
	if (!*ret_list)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		(*ret_list)[i] = strdup(list[i]);
		if (!(*ret_list)[i])
			return -ENOMEM;
	}
	return 0;
}

int class_names_copy(struct class_names *names, const struct class_names *from)
{
	int r = copy(from->views, &names->views);

	names->peers = NULL;
	return r < 0 ? r : copy(from->peers, &names->peers);
}

static void free_list(const char **list)
{
	for (const char **p = list; p && *p; p++)
		free((char *)*p);
	free(list);
}

void class_names_done(struct class_names *names)
{
	free_list(names->views);
	free_list(names->peers);
	*names = (struct class_names){0};
}

static bool are_equal(const char *const *a, const char *const *b)
{
	unsigned int n = count(a);

	if (n != count(b))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool class_names_equal(const struct class_names *a, const struct class_names *b)
{
	return are_equal(a->views, b->views) && are_equal(a->peers, b->peers);
}

const char *class_view_name(const struct class_names *names, unsigned int view)
{
	return view == 0 ? "other" : names->views[view - 1];
}

const char *class_peer_name(const struct class_names *names, unsigned int peer)
{
	return peer == 0 ? "other" : names->peers[peer - 1];
}

static void map_list(uint16_t *places, const char *const *from, const char *const *to)
{
	places[0] = 0;
	for (unsigned int i = 0; i < count(from); i++) {
		places[i + 1] = NONE;
		for (unsigned int j = 0; j < count(to); j++)
			if (strcmp(from[i], to[j]) == 0)
				places[i + 1] = (uint16_t)(j + 1);
	}
}

void class_map_init(struct class_map *map, const struct class_names *from,
		    const struct class_names *to)
{
	map_list(map->views, from->views, to->views);
	map_list(map->peers, from->peers, to->peers);
}

struct sock_class class_map_find(const struct class_map *map, struct sock_class class)
{
	uint16_t view, peer;

	if (!class_is_known(class))
		return class;
	view = map->views[class.view];
	peer = map->peers[class.peer];
	return view == NONE || peer == NONE ? CLASS_UNKNOWN
					    : (struct sock_class){view, (uint8_t)peer};
}
