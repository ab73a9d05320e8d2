/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"

void tally_init(struct tally *t, uint64_t seed)
{
	*t = (struct tally){.seed = seed};
}

void tally_done(struct tally *t)
{
	map_done(&t->seen);
	free(t->cookies);
	*t = (struct tally){0};
}

void tally_begin(struct tally *t, enum poll_family family)
{
	memset(t->families[family].poll, 0, sizeof(t->families[family].poll));
	map_clear(&t->seen);
	t->count = 0;
}

static bool is_cookie(const void *items, uint32_t index, const void *key)
{
	return ((const uint64_t *)items)[index] == *(const uint64_t *)key;
}

/* Whether the socket is new to this walk: 1, 0 or -ENOMEM. netlink_diag shows members of a
 * multicast group a second time (__netlink_diag_dump() walks the table, and then the members). */
static int note_cookie(struct tally *t, uint64_t cookie)
{
	uint64_t hash = map_hash(t->seed, &cookie, sizeof(cookie));

	if (map_find(&t->seen, hash, is_cookie, t->cookies, &cookie) != MAP_NONE)
		return 0;
	if (t->count == t->cap) {
		uint32_t cap = MAX(64, t->cap * 2);
		uint64_t *cookies = reallocarray(t->cookies, cap, sizeof(*cookies));

		if (!cookies)
			return -ENOMEM;
		t->cookies = cookies;
		t->cap = cap;
	}
	if (map_add(&t->seen, hash, t->count) < 0)
		return -ENOMEM;
	t->cookies[t->count++] = cookie;
	return 1;
}

/* In the order of the label's values; 3: none of them. */
static unsigned int type_index(uint8_t type)
{
	return type == SOCK_STREAM ? 0 : type == SOCK_DGRAM ? 1 : type == SOCK_SEQPACKET ? 2 : 3;
}

static unsigned int state_index(uint8_t state)
{
	return state == SOCK_ESTABLISHED ? 0
	       : state == SOCK_CLOSE     ? 1
	       : state == SOCK_LISTEN    ? 2
					 : 3;
}

/* One that waits to be accepted has no inode: unix_diag leaves it out, /proc does not. */
static void add_unix(uint64_t *cells, const struct sock_record *record)
{
	unsigned int type = type_index(record->type), state = state_index(record->state);

	if (record->inode && type < 3 && state < 3)
		cells[type * 3 + state]++;
}

int tally_add(struct tally *t, enum poll_family family, const struct sock_record *record)
{
	uint64_t *cells = t->families[family].poll;
	int r = 1;

	if (family == POLL_FAMILY_UNIX) {
		add_unix(cells, record);
		return 0;
	}
	if (record->cookie && family == POLL_FAMILY_NETLINK)
		r = note_cookie(t, record->cookie);
	cells[0] += r > 0;
	return r < 0 ? r : 0;
}

void tally_commit(struct tally *t, enum poll_family family, uint64_t now_ns)
{
	struct tally_family *f = &t->families[family];

	memcpy(f->cells, f->poll, sizeof(f->cells));
	f->taken_ns = now_ns;
}

void tally_fill(const struct tally *t, const struct catalogue *catalogue, uint64_t now_ns,
		uint64_t stale_after_ns, uint64_t *ret_cells)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		const struct metric *m = &metrics[i];
		const struct tally_family *f = &t->families[m->family];
		bool fresh = f->taken_ns && now_ns - f->taken_ns <= stale_after_ns;

		if (m->scope != METRIC_HOST || m->term_count > 0 || !catalogue->on[i])
			continue;
		for (unsigned int j = 0; j < metric_value_count(m); j++)
			ret_cells[catalogue->cell[i] + j] = fresh ? f->cells[j] : METRIC_ABSENT;
	}
}
