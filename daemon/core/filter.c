/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"

/* In this order AND is the smaller of two, and OR the larger. */
enum truth {
	NO,
	UNKNOWN,
	YES,
};

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->nodes);
	free(f->names);
	free(f);
}

void filter_resolve(struct filter *f, const struct filter_names *names)
{
	f->ephemeral_low = names->ephemeral_low;
	f->ephemeral_high = names->ephemeral_high;
	for (unsigned int i = 0; i < f->count; i++) {
		struct filter_node *n = &f->nodes[i];

		if (n->kind == FILTER_DEVICE)
			n->interface = names->interface(f->names + n->name);
		else if (n->kind == FILTER_CGROUP)
			n->cgroup_id = names->cgroup(f->names + n->name);
	}
}

static enum truth truth_of(bool is_true)
{
	return is_true ? YES : NO;
}

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(address, prefix, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

/* The address as an IPv6 socket has it. What a listener has for a remote one is not mapped. */
static void unfold(const struct sock_record *record, bool is_remote, uint8_t ret_bytes[16])
{
	const struct sock_address *a = is_remote ? &record->remote : &record->local;

	memset(ret_bytes, 0, 16);
	if (is_remote && record->state == SOCK_LISTEN)
		return;
	ret_bytes[10] = 0xff;
	ret_bytes[11] = 0xff;
	memcpy(ret_bytes + 12, a->bytes, 4);
}

/* As inet_diag_bc_run(): a rule for IPv4 takes mapped addresses as well, which are folded here; one
 * for IPv6 sees them as they were. */
static bool match_address(const struct filter_node *n, const struct sock_record *record)
{
	const struct sock_address *a = n->is_remote ? &record->remote : &record->local;
	uint8_t unfolded[16];

	if (n->family == AF_INET6 && record->is_v4_in_v6) {
		unfold(record, n->is_remote, unfolded);
		return has_prefix(unfolded, n->address.bytes, n->prefix);
	}
	if (n->family != record->family)
		return false;
	if (n->is_remote && record->is_v4_in_v6 && record->state == SOCK_LISTEN)
		return false;
	return has_prefix(a->bytes, n->address.bytes, n->prefix);
}

static bool match_port(const struct filter_node *n, const struct sock_record *record)
{
	uint16_t port = n->is_remote ? record->remote_port : record->local_port;

	switch ((enum filter_compare)n->compare) {
	case FILTER_EQUAL:
		return port == n->port;
	case FILTER_AT_LEAST:
		return port >= n->port;
	case FILTER_AT_MOST:
		return port <= n->port;
	}
	return false;
}

static enum truth match_autobound(const struct filter *f, const struct sock_record *record)
{
	if (f->ephemeral_low > f->ephemeral_high)
		return UNKNOWN;
	return truth_of(record->local_port >= f->ephemeral_low &&
			record->local_port <= f->ephemeral_high);
}

static enum truth match(const struct filter *f, unsigned int at, const struct sock_record *record);

static enum truth match_both(const struct filter *f, const struct filter_node *n,
			     const struct sock_record *record)
{
	enum truth decided = n->kind == FILTER_AND ? NO : YES;
	enum truth left = match(f, n->left, record), right;

	if (left == decided)
		return left;
	right = match(f, n->right, record);
	return n->kind == FILTER_AND ? MIN(left, right) : MAX(left, right);
}

static enum truth match(const struct filter *f, unsigned int at, const struct sock_record *record)
{
	const struct filter_node *n = &f->nodes[at];

	switch ((enum filter_kind)n->kind) {
	case FILTER_AND:
	case FILTER_OR:
		return match_both(f, n, record);
	case FILTER_NOT:
		return YES - match(f, n->left, record);
	case FILTER_ANY:
		return YES;
	case FILTER_HOST:
		return truth_of((!n->has_port || match_port(n, record)) &&
				match_address(n, record));
	case FILTER_PORT:
		return truth_of(match_port(n, record));
	case FILTER_AUTOBOUND:
		return match_autobound(f, record);
	case FILTER_STATE:
		if (record->known & SOCK_IS_DESTROYED)
			return UNKNOWN;
		return truth_of(n->states & SOCK_STATE_BIT(record->state));
	case FILTER_DEVICE:
		if (!record->cookie) /* /proc does not tell */
			return UNKNOWN;
		return truth_of(n->interface && n->interface == record->interface);
	case FILTER_CGROUP:
		if (!record->cgroup_id)
			return UNKNOWN;
		return truth_of(n->cgroup_id == record->cgroup_id);
	}
	return UNKNOWN;
}

bool filter_match(const struct filter *f, const struct sock_record *record)
{
	return match(f, f->count - 1U, record) == YES;
}

bool filter_is_fixed(const struct filter *f)
{
	for (unsigned int i = 0; i < f->count; i++)
		if (f->nodes[i].kind == FILTER_STATE)
			return false;
	return true;
}
