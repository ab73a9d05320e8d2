/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/prefix_trie.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"

enum root {
	ROOT_IPV4,
	ROOT_IPV6,
	ROOT_END,
};

static unsigned int bit_at(const struct sock_address *a, unsigned int i)
{
	return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

/* How many bits two addresses have alike, up to MOST. */
static unsigned int count_alike(const struct sock_address *a, const struct sock_address *b,
				unsigned int most)
{
	unsigned int bits = 0;

	while (bits + 8 <= most && a->bytes[bits / 8] == b->bytes[bits / 8])
		bits += 8;
	while (bits < most && bit_at(a, bits) == bit_at(b, bits))
		bits++;
	return bits;
}

static struct sock_address cut(const struct sock_address *a, unsigned int bits)
{
	struct sock_address prefix = {{0}};

	memcpy(prefix.bytes, a->bytes, (bits + 7) / 8);
	if (bits % 8)
		prefix.bytes[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	return prefix;
}

static uint32_t root_of(uint8_t family)
{
	return family == AF_INET ? ROOT_IPV4 : ROOT_IPV6;
}

int prefix_trie_init(struct prefix_trie *t)
{
	*t = (struct prefix_trie){.cap = 16};
	t->nodes = calloc(t->cap, sizeof(*t->nodes));
	if (!t->nodes)
		return -ENOMEM;
	for (t->count = 0; t->count < ROOT_END; t->count++)
		t->nodes[t->count].value = PREFIX_NONE;
	return 0;
}

void prefix_trie_done(struct prefix_trie *t)
{
	free(t->nodes);
	*t = (struct prefix_trie){0};
}

/* Room for what one prefix may add: itself, and where it parts from another. */
static int make_room(struct prefix_trie *t)
{
	struct prefix_node *nodes;

	if (t->count + 2 <= t->cap)
		return 0;
	nodes = reallocarray(t->nodes, t->cap * 2, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	t->nodes = nodes;
	t->cap *= 2;
	return 0;
}

static uint32_t new_node(struct prefix_trie *t, const struct sock_address *address,
			 unsigned int bits, uint16_t value)
{
	t->nodes[t->count] = (struct prefix_node){
		.address = cut(address, bits), .bits = (uint8_t)bits, .value = value};
	return t->count++;
}

/* Puts a prefix between a node and its child, which has BITS bits of it. */
static void insert(struct prefix_trie *t, uint32_t *child, const struct prefix_node *prefix,
		   unsigned int bits)
{
	uint32_t below = *child;
	uint32_t above = new_node(t, &prefix->address, bits,
				  bits == prefix->bits ? prefix->value : PREFIX_NONE);

	*child = above;
	t->nodes[above].children[bit_at(&t->nodes[below].address, bits)] = below;
	if (bits < prefix->bits)
		t->nodes[above].children[bit_at(&prefix->address, bits)] =
			new_node(t, &prefix->address, prefix->bits, prefix->value);
}

int prefix_trie_add(struct prefix_trie *t, uint8_t family, const struct sock_address *address,
		    unsigned int bits, uint16_t value)
{
	const struct prefix_node prefix = {
		.address = cut(address, bits), .bits = (uint8_t)bits, .value = value};
	uint32_t at = root_of(family);

	if (make_room(t) < 0)
		return -ENOMEM;
	while (t->nodes[at].bits < bits) {
		uint32_t *child =
			&t->nodes[at].children[bit_at(&prefix.address, t->nodes[at].bits)];
		const struct prefix_node *below = &t->nodes[*child];
		unsigned int alike;

		if (!*child) {
			*child = new_node(t, &prefix.address, bits, value);
			return 0;
		}
		alike = count_alike(&prefix.address, &below->address, MIN(bits, below->bits));
		if (alike < below->bits) {
			insert(t, child, &prefix, alike);
			return 0;
		}
		at = *child;
	}
	if (t->nodes[at].value != PREFIX_NONE)
		return -EEXIST;
	t->nodes[at].value = value;
	return 0;
}

uint16_t prefix_trie_find(const struct prefix_trie *t, uint8_t family,
			  const struct sock_address *address)
{
	const unsigned int most = family == AF_INET ? 32 : 128;
	const struct prefix_node *n = &t->nodes[root_of(family)];
	uint16_t found = PREFIX_NONE;

	for (;;) {
		uint32_t child;

		if (n->value != PREFIX_NONE)
			found = n->value;
		child = n->bits < most ? n->children[bit_at(address, n->bits)] : 0;
		if (!child)
			return found;
		n = &t->nodes[child];
		if (count_alike(address, &n->address, n->bits) < n->bits)
			return found;
	}
}
