/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prefixes of addresses and what each stands for: the longest that an address has decides. A binary
 * trie of both families in which a node stands only where prefixes end or part, so that it has
 * fewer than two for each of them.
 */
#pragma once

#include "daemon/core/sock.h"

#define PREFIX_NONE UINT16_MAX

struct prefix_node {
	struct sock_address address; /* zero behind its bits */
	uint8_t bits;
	uint16_t value;       /* PREFIX_NONE: prefixes only part here */
	uint32_t children[2]; /* by the bit behind; 0: none, which is a root's place */
};

struct prefix_trie {
	struct prefix_node *nodes; /* the first two are the roots, of IPv4 and of IPv6 */
	uint32_t count, cap;
};

/* 0 or -ENOMEM; done is due in either case. */
int prefix_trie_init(struct prefix_trie *t);
void prefix_trie_done(struct prefix_trie *t);
/* FAMILY: AF_INET or AF_INET6. VALUE is not PREFIX_NONE. 0, -EEXIST: this very prefix stands for
 * something already; or -ENOMEM. Bits behind the prefix are ignored. */
int prefix_trie_add(struct prefix_trie *t, uint8_t family, const struct sock_address *address,
		    unsigned int bits, uint16_t value);
/* What the longest prefix of an address stands for; PREFIX_NONE: there is none. */
uint16_t prefix_trie_find(const struct prefix_trie *t, uint8_t family,
			  const struct sock_address *address);
