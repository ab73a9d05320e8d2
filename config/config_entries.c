/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_entries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_check.h"
#include "config/config_prefix.h"
#include "daemon/core/prefix_trie.h"

void *config_entries_at(const struct config_key *key, const struct config_maps *list, size_t i)
{
	return (char *)list->items + i * key->entries->size;
}

void *config_entries_add(const struct config_key *key, struct config_maps *list)
{
	void *items = reallocarray(list->items, list->count + 1, key->entries->size);

	if (!items)
		return NULL;
	list->items = items;
	return memset(config_entries_at(key, list, list->count++), 0, key->entries->size);
}

static int refuse_twice(const char *what, const char *text, struct config_fault *ret_fault)
{
	*ret_fault = (struct config_fault){0};
	snprintf(ret_fault->what, sizeof(ret_fault->what), "the %s %s is given twice", what, text);
	return -EINVAL;
}

static int take_view(struct config *c, struct config_fault *ret_fault)
{
	const struct config_view *views = c->views.items, *view = &views[c->views.count - 1];

	for (const struct config_view *other = views; other < view; other++)
		if (strcmp(other->name, view->name) == 0)
			return refuse_twice("name", view->name, ret_fault);
	return 0;
}

static int init_prefixes(struct config *c)
{
	if (c->peer_prefixes)
		return 0;
	c->peer_prefixes = calloc(1, sizeof(*c->peer_prefixes));
	return c->peer_prefixes ? prefix_trie_init(c->peer_prefixes) : -ENOMEM;
}

static int take_prefix(struct config *c, const char *text, struct config_fault *ret_fault)
{
	struct config_prefix p;
	int r;

	config_prefix_parse(text, &p);
	r = prefix_trie_add(c->peer_prefixes, p.family, &p.address, p.bits,
			    (uint16_t)c->peers.count);
	return r == -EEXIST ? refuse_twice("prefix", text, ret_fault) : r;
}

static int take_peer(struct config *c, struct config_fault *ret_fault)
{
	const struct config_peer *peers = c->peers.items, *peer = &peers[c->peers.count - 1];
	int r = init_prefixes(c);

	for (const struct config_peer *other = peers; other < peer; other++)
		if (strcmp(other->name, peer->name) == 0)
			return refuse_twice("name", peer->name, ret_fault);
	for (size_t i = 0; r == 0 && i < peer->prefixes.count; i++)
		r = take_prefix(c, peer->prefixes.items[i], ret_fault);
	return r;
}

const struct config_entries config_entries_views = {
	.size = sizeof(struct config_view),
	.fields =
		{
			{
				.path = "views.name",
				.type = CONFIG_TYPE_STRING,
				.check = config_check_name,
				.not_empty = true,
				.offset = offsetof(struct config_view, name),
			},
			{
				.path = "views.filter",
				.type = CONFIG_TYPE_FILTER,
				.not_empty = true,
				.offset = offsetof(struct config_view, filter),
			},
		},
	.take = take_view,
};

const struct config_entries config_entries_peers = {
	.size = sizeof(struct config_peer),
	.fields =
		{
			{
				.path = "peers.name",
				.type = CONFIG_TYPE_STRING,
				.check = config_check_name,
				.not_empty = true,
				.offset = offsetof(struct config_peer, name),
			},
			{
				.path = "peers.prefixes",
				.type = CONFIG_TYPE_STRINGS,
				.check = config_check_prefix,
				.not_empty = true,
				.most = CONFIG_PREFIXES_MAX,
				.offset = offsetof(struct config_peer, prefixes),
			},
		},
	.take = take_peer,
};
