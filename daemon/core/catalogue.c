/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/catalogue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/self_values.h"
#include "daemon/core/track.h"

/* Whether NAME matches PATTERN, in which * stands for any run of characters. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL;
	const char *resume = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool matches_any(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (matches(patterns[i], name))
			return true;
	return false;
}

/* What a single poll can know: no counter but the kernel's, nothing that is sampled over time. */
static bool is_known_at_once(const struct metric *m)
{
	if (m->profile == METRIC_ONCE || m->scope == METRIC_HOST ||
	    strcmp(m->name, "sockstatd_build_info") == 0)
		return true;
	return m->type == METRIC_GAUGE && m->scope != METRIC_SELF && !strstr(m->name, "_peak") &&
	       !strstr(m->name, "_last_drop_");
}

/* Whether the sockets of one family tell it. */
static bool is_of_family(const struct metric *m)
{
	return m->scope != METRIC_SELF && m->term_count == 0;
}

static bool is_on(const struct metric *m, const struct catalogue_settings *s)
{
	if (s->once ? !is_known_at_once(m) : m->profile == METRIC_ONCE)
		return false;
	if (is_of_family(m) && s->is_off[m->family])
		return false;
	if (metric_accrues(m) && !s->counts)
		return false;
	if (matches_any(s->exclude, s->exclude_count, m->name))
		return false;
	return m->profile != METRIC_EXTENDED || s->extended ||
	       matches_any(s->include, s->include_count, m->name);
}

bool catalogue_watches(const struct catalogue *c, enum poll_family family)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (c->on[i] && metrics[i].family == family && is_of_family(&metrics[i]))
			return true;
	return false;
}

unsigned int catalogue_cells(const struct catalogue *c, unsigned int metric)
{
	const struct metric *m = &metrics[metric];
	unsigned int one = m->type == METRIC_HISTOGRAM ? histogram_cells(c->bounds[metric]) : 1;

	return one * metric_value_count(m);
}

unsigned int catalogue_series(const struct catalogue *c, unsigned int metric)
{
	const struct metric *m = &metrics[metric];
	unsigned int one = m->type == METRIC_HISTOGRAM ? histogram_series(c->bounds[metric]) : 1;

	return (one + (c->created && metric_tells_created(m))) * metric_value_count(m);
}

static int make_native(struct histogram_bounds *b, const struct metric *m)
{
	struct native_buckets *native = malloc(sizeof(*native));

	if (!native)
		return -ENOMEM;
	native_buckets_init(native, metric_divisor(m), m->width ? 8U * m->width : 64);
	b->native = native;
	return 0;
}

static void free_bounds(struct histogram_bounds *b)
{
	if (!b)
		return;
	free((struct native_buckets *)b->native);
	free(b);
}

static int make_bounds(struct catalogue *c, unsigned int i, const struct catalogue_settings *s)
{
	const struct metric *m = &metrics[i];
	const double *bounds = s->buckets[m->buckets].bounds;
	unsigned int count = s->buckets[m->buckets].count;

	if (m->buckets == METRIC_BUCKETS_DURATION) {
		bounds = self_duration_bounds;
		count = SELF_DURATION_BOUNDS;
	}
	c->bounds[i] = malloc(sizeof(*c->bounds[i]));
	if (!c->bounds[i])
		return -ENOMEM;
	histogram_bounds_init(c->bounds[i], bounds, count, metric_divisor(m));
	/* The daemon's own are counted in cells of a fixed number. */
	return s->native && m->scope != METRIC_SELF ? make_native(c->bounds[i], m) : 0;
}

static void place(struct catalogue *c, unsigned int i)
{
	const struct metric *m = &metrics[i];
	unsigned int series = catalogue_series(c, i);

	switch (m->scope) {
	case METRIC_LISTENER:
		c->listener_series += series;
		if (m->type != METRIC_HISTOGRAM)
			return;
		c->cell[i] = (uint16_t)c->listener_cells;
		c->listener_cells += catalogue_cells(c, i);
		break;
	case METRIC_UNIX:
		c->unix_series += series;
		break;
	case METRIC_HOST:
		c->host_series += series;
		c->cell[i] = (uint16_t)c->host_cells;
		c->host_cells += catalogue_cells(c, i);
		break;
	case METRIC_SELF:
		c->self_series += series;
		break;
	case METRIC_CONNECTION:
	case METRIC_CLIENT:
	case METRIC_PORT:
		c->groups[m->family].series += series;
		break;
	case METRIC_SCOPE_END:
		break;
	}
}

static void place_in_group(struct catalogue *c, unsigned int family, bool accrues)
{
	struct catalogue_group *g = &c->groups[family];

	for (unsigned int i = 0; i < metric_count; i++) {
		if (!c->on[i] || !metric_is_of_groups(&metrics[i], family) ||
		    metric_accrues(&metrics[i]) != accrues)
			continue;
		c->cell[i] = (uint16_t)g->cells;
		g->cells += catalogue_cells(c, i);
	}
}

static void place_in_groups(struct catalogue *c)
{
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++) {
		struct catalogue_group *g = &c->groups[i];

		place_in_group(c, i, false);
		g->accrual_cell = g->cells;
		place_in_group(c, i, true);
		g->spare_cell = g->cells++;
	}
}

/* The slot of the same value, where a row before this one follows it; −1: none does. */
static int find_slot(const struct catalogue *c, unsigned int metric)
{
	const struct metric *m = &metrics[metric];

	for (unsigned int i = 0; i < metric; i++)
		if (metric_is_followed(&metrics[i]) && metrics[i].base == m->base &&
		    metrics[i].offset == m->offset && metrics[i].derive == m->derive)
			return c->slot[i];
	return -1;
}

/* A slot for each value that is followed, whether or not its families are on: a record outlives a
 * reload. The wide ones come first, so that all are aligned. */
static unsigned int place_values(struct catalogue *c, bool wide, unsigned int end)
{
	for (unsigned int i = 0; i < metric_count; i++) {
		int slot;

		if (!metric_is_followed(&metrics[i]) || (metrics[i].width == 8) != wide)
			continue;
		slot = find_slot(c, i);
		c->slot[i] = (uint8_t)(slot < 0 ? (int)end : slot);
		if (slot < 0)
			end += wide ? 8 : 4;
	}
	return end;
}

unsigned int catalogue_slot(const struct catalogue *c, unsigned int tcp_info_offset)
{
	for (unsigned int i = 0; i < metric_count; i++)
		if (metric_is_followed(&metrics[i]) && metrics[i].base == METRIC_BASE_TCP_INFO &&
		    metrics[i].offset == tcp_info_offset)
			return c->slot[i];
	return TRACK_VALUE_BYTES;
}

int catalogue_new(const struct catalogue_settings *settings, struct catalogue **ret_catalogue)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	unsigned int end;

	if (!c)
		return -ENOMEM;
	c->refs = 1;
	c->counts = settings->counts;
	c->created = settings->created;
	if (class_names_copy(&c->names, &settings->names) < 0) {
		catalogue_unref(c);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < metric_count; i++) {
		c->on[i] = is_on(&metrics[i], settings);
		if (!c->on[i])
			continue;
		if (metrics[i].type == METRIC_HISTOGRAM && make_bounds(c, i, settings) < 0) {
			catalogue_unref(c);
			return -ENOMEM;
		}
		place(c, i);
	}
	place_in_groups(c);
	end = place_values(c, false, place_values(c, true, 0));
	assert(end <= TRACK_VALUE_BYTES);
	*ret_catalogue = c;
	return 0;
}

struct catalogue *catalogue_ref(struct catalogue *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void catalogue_unref(struct catalogue *c)
{
	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (unsigned int i = 0; i < metric_count; i++)
		free_bounds(c->bounds[i]);
	class_names_done(&c->names);
	free(c);
}

bool catalogue_same(const struct catalogue *a, const struct catalogue *b, unsigned int metric)
{
	if (!a->on[metric] || !b->on[metric])
		return false;
	if (metrics[metric].type != METRIC_HISTOGRAM)
		return true;
	return a->bounds[metric]->count == b->bounds[metric]->count &&
	       !a->bounds[metric]->native == !b->bounds[metric]->native &&
	       memcmp(a->bounds[metric]->le, b->bounds[metric]->le,
		      a->bounds[metric]->count * sizeof(double)) == 0;
}

void catalogue_begin(struct catalogue *c, const struct catalogue *before, uint64_t now_ms)
{
	for (unsigned int i = 0; i < metric_count; i++)
		c->since_ms[i] =
			before && catalogue_same(before, c, i) ? before->since_ms[i] : now_ms;
}
