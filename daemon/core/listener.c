/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/listener_member.h"
#include "daemon/core/listener_overflow.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

void listener_table_init(struct listener_table *t, struct catalogue *catalogue, uint64_t seed,
			 listener_interface_fn interface_name)
{
	*t = (struct listener_table){
		.catalogue = catalogue_ref(catalogue),
		.interface_name = interface_name,
		.seed = seed,
		.ephemeral_low = 1,
		.dump = 1, /* a listener that no dump has shown says 0 */
	};
	sock_index_init(&t->index, seed);
	cgroup_names_init(&t->cgroups, seed);
}

void listener_table_done(struct listener_table *t)
{
	for (uint32_t i = 0; i < t->overflows.count; i++)
		free(t->overflows.items[i]);
	for (uint32_t i = 0; i < t->count; i++)
		free(t->items[i]);
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_free(t->series[i]);
	free(t->items);
	free(t->series);
	free(t->members);
	map_done(&t->map);
	sock_index_done(&t->index);
	cgroup_names_done(&t->cgroups);
	catalogue_unref(t->catalogue);
	memset(t, 0, sizeof(*t));
}

int listener_table_prepare(struct listener_table *t, const struct catalogue *catalogue)
{
	for (uint32_t i = 0; i < t->series_count; i++) {
		if (listener_series_prepare(t->series[i], catalogue) == 0)
			continue;
		listener_table_discard(t);
		return -ENOMEM;
	}
	return 0;
}

void listener_table_discard(struct listener_table *t)
{
	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_prepare(t->series[i], NULL);
}

static void set_peak_window(struct listener_table *t, uint64_t window_ns, uint64_t now_ns)
{
	if (window_ns == t->peak_window_ns)
		return;
	t->peak_window_ns = window_ns;
	for (uint32_t i = 0; i < t->series_count; i++) {
		peak_window_init(&t->series[i]->peak, window_ns, now_ns);
		peak_window_init(&t->series[i]->peak_ratio, window_ns, now_ns);
	}
}

void listener_table_apply(struct listener_table *t, struct catalogue *catalogue,
			  uint32_t series_cap, uint64_t peak_window_ns, uint64_t now_ns)
{
	struct catalogue *before = t->catalogue;

	for (uint32_t i = 0; i < t->series_count; i++)
		listener_series_carry(t->series[i], before, catalogue);
	t->catalogue = catalogue_ref(catalogue);
	catalogue_unref(before);
	t->series_cap = series_cap;
	set_peak_window(t, peak_window_ns, now_ns);
}

int listener_table_configure(struct listener_table *t, struct catalogue *catalogue,
			     uint32_t series_cap, uint64_t peak_window_ns, uint64_t now_ns)
{
	int r = listener_table_prepare(t, catalogue);

	if (r == 0)
		listener_table_apply(t, catalogue, series_cap, peak_window_ns, now_ns);
	return r;
}

static bool is_listener(const void *items, uint32_t index, const void *key)
{
	const struct listener *l = ((struct listener *const *)items)[index];

	return memcmp(&l->key, key, sizeof(l->key)) == 0;
}

static uint64_t key_hash(const struct listener_table *t, const struct listener_key *key)
{
	return map_hash(t->seed, key, sizeof(*key));
}

static void write_address(const struct listener_table *t, struct listener *l)
{
	const struct listener_key *k = &l->key;
	char text[INET6_ADDRSTRLEN] = "";
	char device[IF_NAMESIZE] = "";
	bool is_v6 = k->family == AF_INET6;

	if (k->interface)
		t->interface_name(k->interface, device);
	inet_ntop(k->family, k->address.bytes, text, sizeof(text));
	if (is_v6 && !k->v6only && sock_address_is_any(&k->address))
		snprintf(l->address, sizeof(l->address), "*%s%s", device[0] ? "%" : "", device);
	else
		snprintf(l->address, sizeof(l->address), "%s%s%s%s%s", is_v6 ? "[" : "", text,
			 is_v6 ? "]" : "", device[0] ? "%" : "", device);
}

static struct listener_key key_of(const struct sock_record *record)
{
	return (struct listener_key){
		.address = record->local,
		.interface = record->interface,
		.port = record->local_port,
		.family = record->family,
		.v6only = record->family == AF_INET6 && record->v6only &&
			  sock_address_is_any(&record->local),
	};
}

static void add_port(uint8_t *ports, uint16_t port)
{
	ports[port / 8] |= (uint8_t)(1U << (port % 8));
}

static bool has_port(const uint8_t *ports, uint16_t port)
{
	return ports[port / 8] & (1U << (port % 8));
}

static int make_room(struct listener_table *t)
{
	uint32_t cap = MAX(32, t->cap * 2);
	struct listener **items;

	if (t->count == LISTENERS_MAX)
		return -ENOSPC;
	if (t->count < t->cap)
		return 0;
	items = reallocarray(t->items, cap, sizeof(struct listener *));
	if (!items)
		return -ENOMEM;
	t->items = items;
	t->cap = cap;
	return 0;
}

static bool is_present(const struct listener_table *t, const struct listener *l)
{
	return l->members > 0 || l->dump == t->dump;
}

/* /proc tells neither the device nor [::] from *: what netlink said of the socket holds. */
static struct listener *find_told(const struct listener_table *t, const struct sock_record *record)
{
	const struct listener_member *m;

	if (record->cookie)
		return NULL;
	m = listener_member_of_inode(t, record);
	if (!m || m->listener->key.port != record->local_port ||
	    m->listener->key.family != record->family ||
	    !sock_address_equal(&m->listener->key.address, &record->local))
		return NULL;
	return m->listener;
}

/* Two listeners may have the same label, on a device whose name was given again: then they share
 * their series (listener_label.c). */
int listener_table_get(struct listener_table *t, const struct sock_record *record, uint64_t now_ns,
		       struct listener **ret_listener)
{
	struct listener_key key = key_of(record);
	uint64_t hash = key_hash(t, &key);
	uint32_t index = map_find(&t->map, hash, is_listener, t->items, &key);
	_free_ struct listener *l = NULL;
	int r;

	*ret_listener = find_told(t, record);
	if (*ret_listener)
		return 0;
	if (index != MAP_NONE) {
		*ret_listener = t->items[index];
		return 0;
	}
	r = make_room(t);
	if (r < 0)
		return r;
	l = malloc(sizeof(*l));
	if (!l || map_add(&t->map, hash, t->count) < 0)
		return -ENOMEM;
	*l = (struct listener){.key = key, .hash = hash, .first_seen_ns = now_ns};
	write_address(t, l);
	add_port(t->ports, key.port);
	listener_table_forget_matches(t);
	*ret_listener = l;
	t->items[t->count++] = take_ptr(l);
	return 0;
}

/* What the kernel would look for, best first (compute_score() in net/ipv4/inet_hashtables.c). */
static const struct candidate {
	bool has_device;  /* bound to the device of the connection */
	bool is_wildcard; /* 0.0.0.0 or [::] */
	bool is_dual;     /* the IPv6 wildcard that takes IPv4 as well, "*" */
} candidates[] = {
	{.has_device = true},
	{.has_device = false},
	{.has_device = true, .is_wildcard = true},
	{.has_device = true, .is_wildcard = true, .is_dual = true},
	{.has_device = false, .is_wildcard = true},
	{.has_device = false, .is_wildcard = true, .is_dual = true},
};

static struct listener *find_candidate(const struct listener_table *t,
				       const struct sock_record *record, const struct candidate *c)
{
	struct listener_key key = {
		.interface = c->has_device ? record->interface : 0,
		.port = record->local_port,
		.family = c->is_dual ? AF_INET6 : record->family,
	};
	uint32_t index;

	if (c->is_wildcard)
		key.v6only = key.family == AF_INET6 && !c->is_dual;
	else
		key.address = record->local;
	index = map_find(&t->map, key_hash(t, &key), is_listener, t->items, &key);
	return index == MAP_NONE ? NULL : t->items[index];
}

/* Gone less than ten minutes: then what is left of its connections is a server's still, unless the
 * port may by now be the local port of a client. */
static bool may_be_gone(const struct listener_table *t, const struct listener *l)
{
	return l->gone_since_ns && !listener_table_is_ephemeral(t, l->key.port);
}

static struct listener *search(const struct listener_table *t, const struct sock_record *record)
{
	struct listener *gone = NULL;

	for (unsigned int i = 0; i < ARRAY_SIZE(candidates); i++) {
		struct listener *l;

		if (candidates[i].has_device && !record->interface)
			continue;
		l = find_candidate(t, record, &candidates[i]);
		if (l && is_present(t, l))
			return l;
		if (l && !gone && may_be_gone(t, l))
			gone = l;
	}
	return gone;
}

/* A seed is not needed here: what collides is searched for, as it would be without this. */
static struct listener_match *match_of(struct listener_table *t, const struct sock_record *record)
{
	uint64_t mixed = sock_load_u64(record->local.bytes, 0) ^
			 sock_load_u64(record->local.bytes, 8) ^ (uint64_t)record->local_port << 40;

	return &t->matches[mixed * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

struct listener *listener_table_match(struct listener_table *t, const struct sock_record *record)
{
	struct listener_match *m;

	if (!has_port(t->ports, record->local_port))
		return NULL;
	m = match_of(t, record);
	if (m->port != record->local_port || m->interface != record->interface ||
	    m->family != record->family || !sock_address_equal(&m->address, &record->local))
		*m = (struct listener_match){
			.address = record->local,
			.interface = record->interface,
			.port = record->local_port,
			.family = record->family,
			.listener = search(t, record),
		};
	return m->listener;
}

void listener_table_forget_matches(struct listener_table *t)
{
	memset(t->matches, 0, sizeof(t->matches));
}

void listener_table_find_ports(struct listener_table *t, uint64_t now_ns)
{
	memset(t->ports, 0, sizeof(t->ports));
	memset(t->settled, 0, sizeof(t->settled));
	for (uint32_t i = 0; i < t->count; i++) {
		const struct listener *l = t->items[i];

		add_port(t->ports, l->key.port);
		if (l->members > 0 && now_ns - l->first_seen_ns >= LISTENER_SETTLED_NS)
			add_port(t->settled, l->key.port);
	}
}

void listener_table_remove(struct listener_table *t, struct listener *l)
{
	uint32_t index = map_find(&t->map, l->hash, is_listener, t->items, &l->key);
	uint32_t last = --t->count;

	listener_overflow_forget(t, l);
	map_remove(&t->map, l->hash, index);
	if (index != last) {
		map_move(&t->map, t->items[last]->hash, last, index);
		t->items[index] = t->items[last];
	}
	free(l);
	listener_table_forget_matches(t);
}

bool listener_table_is_ephemeral(const struct listener_table *t, uint16_t port)
{
	return port >= t->ephemeral_low && port <= t->ephemeral_high;
}

bool listener_table_is_settled(const struct listener_table *t, uint16_t port)
{
	return has_port(t->settled, port);
}

bool listener_table_has_label(const struct listener_table *t, uint16_t port)
{
	return !listener_table_is_ephemeral(t, port) || has_port(t->settled, port) ||
	       has_port(t->configured, port);
}

void listener_table_set_ports(struct listener_table *t, const uint16_t *ports, uint32_t count)
{
	memset(t->configured, 0, sizeof(t->configured));
	for (uint32_t i = 0; i < count; i++)
		add_port(t->configured, ports[i]);
}

uint32_t listener_table_folded(const struct listener_table *t)
{
	uint32_t folded = 0;

	for (uint32_t i = 0; i < t->count; i++)
		folded += t->other && t->items[i]->series == t->other && t->items[i]->members > 0;
	return folded;
}
