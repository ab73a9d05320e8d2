/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/unix_listeners.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/metric.h"
#include "daemon/util/macros.h"

/* What is no name but a number: of a container, a connection, a boot. */
#define HEX_RUN 12

static const char other_label[] = "other";

struct unix_listeners *unix_listeners_new(uint64_t seed)
{
	struct unix_listeners *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->seed = seed;
	t->window_ns = 1;
	memcpy(t->other.path, other_label, sizeof(other_label));
	return t;
}

void unix_listeners_free(struct unix_listeners *t)
{
	if (!t)
		return;
	free(t->items);
	map_done(&t->map);
	free(t);
}

static uint64_t hash(const struct unix_listeners *t, const char *path)
{
	return map_hash(t->seed, path, strlen(path));
}

static bool has_path(const void *items, uint32_t index, const void *path)
{
	return strcmp(((const struct unix_listener *)items)[index].path, path) == 0;
}

static void remove_item(struct unix_listeners *t, uint32_t index)
{
	uint32_t last = --t->count;

	map_remove(&t->map, hash(t, t->items[index].path), index);
	if (index == last)
		return;
	map_move(&t->map, hash(t, t->items[last].path), last, index);
	t->items[index] = t->items[last];
}

void unix_listeners_configure(struct unix_listeners *t, uint32_t limit, uint64_t window_ns)
{
	t->limit = limit;
	while (t->count > limit)
		remove_item(t, t->count - 1);
	if (t->window_ns == window_ns)
		return;
	t->window_ns = window_ns;
	memset(&t->other.peak, 0, sizeof(t->other.peak));
	for (uint32_t i = 0; i < t->count; i++)
		memset(&t->items[i].peak, 0, sizeof(t->items[i].peak));
}

static void begin_item(struct unix_listener *l)
{
	l->sockets = 0;
	l->length = 0;
	l->limit = 0;
	l->has_queues = false;
}

void unix_listeners_begin(struct unix_listeners *t)
{
	begin_item(&t->other);
	for (uint32_t i = 0; i < t->count; i++)
		begin_item(&t->items[i]);
}

void unix_listener_label(const char *name, size_t n, char ret_label[UNIX_LABEL_MAX])
{
	size_t len = 0;

	n = MIN(n, UNIX_LABEL_MAX - 1);
	/* The kernel sends the end of a path, and of an abstract name all that was given. */
	if (n > 0 && name[0] != '\0')
		n = strnlen(name, n);
	for (size_t i = 0, run; i < n; i += run) {
		for (run = 0; i + run < n && isxdigit((unsigned char)name[i + run]); run++)
			;
		if (run >= HEX_RUN) {
			ret_label[len++] = '*';
			continue;
		}
		run = MAX(run, 1);
		for (size_t j = i; j < i + run; j++)
			ret_label[len++] = name[j] ? name[j] : '@';
	}
	ret_label[len] = '\0';
}

/* The listener of a label, made if there is room. NULL: out of memory. */
static struct unix_listener *get(struct unix_listeners *t, const char *path)
{
	uint64_t h = hash(t, path);
	uint32_t place = map_find(&t->map, h, has_path, t->items, path);
	uint32_t cap = MAX(16, t->cap * 2);
	struct unix_listener *items;

	if (place != MAP_NONE)
		return &t->items[place];
	if (t->count >= t->limit || strcmp(path, other_label) == 0)
		return &t->other;
	if (t->count == t->cap) {
		items = reallocarray(t->items, cap, sizeof(*items));
		if (!items)
			return NULL;
		t->items = items;
		t->cap = cap;
	}
	if (map_add(&t->map, h, t->count) < 0)
		return NULL;
	t->items[t->count] = (struct unix_listener){0};
	memcpy(t->items[t->count].path, path, strlen(path) + 1);
	return &t->items[t->count++];
}

int unix_listeners_add(struct unix_listeners *t, const struct sock_record *record)
{
	const uint8_t queues = SOCK_KNOWS_RECEIVE_QUEUE | SOCK_KNOWS_SEND_QUEUE;
	char path[UNIX_LABEL_MAX];
	struct unix_listener *l;

	unix_listener_label(record->name, record->name_len, path);
	l = get(t, path);
	if (!l)
		return -ENOMEM;
	l->sockets++;
	if ((record->known & queues) != queues)
		return 0;
	l->length += record->receive_queue;
	l->limit += record->send_queue;
	l->has_queues = true;
	return 0;
}

static void commit_item(struct unix_listener *l, uint64_t window_ns, uint64_t now_ns)
{
	l->values = (struct unix_listener_values){METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT};
	if (!l->has_queues)
		return;
	if (!l->peak.slot_ns)
		peak_window_init(&l->peak, window_ns, now_ns);
	peak_window_observe(&l->peak, now_ns, l->length);
	l->values.length = l->length;
	l->values.limit = l->limit;
	l->values.peak = peak_window_max(&l->peak, now_ns);
}

void unix_listeners_commit(struct unix_listeners *t, uint64_t now_ns, uint64_t taken_ns)
{
	t->taken_ns = taken_ns;
	for (uint32_t i = t->count; i-- > 0;) {
		if (t->items[i].sockets == 0)
			remove_item(t, i);
		else
			commit_item(&t->items[i], t->window_ns, now_ns);
	}
	commit_item(&t->other, t->window_ns, now_ns);
	if (t->other.sockets == 0)
		memset(&t->other.peak, 0, sizeof(t->other.peak));
}
