/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/classes.h"

void classes_init(struct classes *c)
{
	c->are_fixed = true;
	for (unsigned int i = 0; i < c->view_count; i++)
		if (!filter_is_fixed(c->views[i]))
			c->are_fixed = false;
}

static uint16_t find_view(const struct classes *c, const struct sock_record *record)
{
	for (unsigned int i = 0; i < c->view_count; i++)
		if (filter_match(c->views[i], record))
			return (uint16_t)(i + 1);
	return 0;
}

static uint8_t find_peer(const struct classes *c, const struct sock_record *record)
{
	uint16_t found;

	if (!c->peers || record->remote_port == 0)
		return 0;
	found = prefix_trie_find(c->peers, record->family, &record->remote);
	return found == PREFIX_NONE ? 0 : (uint8_t)found;
}

struct sock_class classes_find(const struct classes *c, const struct sock_record *record)
{
	return (struct sock_class){find_view(c, record), find_peer(c, record)};
}
