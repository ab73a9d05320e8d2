/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_suggest.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "config/config_schema.h"
#include "daemon/util/macros.h"

/* Nothing this long is a slip of a known key; bounds the work. */
#define LEN_MAX 64

struct span {
	const char *text;
	size_t len;
};

struct suggestion {
	const char *path;
	size_t len;
	size_t distance;
};

/* Letters to insert, drop or replace to make A of B. */
static size_t edit_distance(struct span a, struct span b)
{
	size_t row[LEN_MAX + 1], diagonal, above;

	assert(b.len <= LEN_MAX);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			above = row[j];
			row[j] = MIN(MIN(above, row[j - 1]) + 1,
				     diagonal + (a.text[i - 1] != b.text[j - 1]));
			diagonal = above;
		}
	}
	return row[b.len];
}

static struct span last_part(struct span path)
{
	const char *dot = memrchr(path.text, '.', path.len);
	size_t skipped = dot ? (size_t)(dot + 1 - path.text) : 0;

	return (struct span){path.text + skipped, path.len - skipped};
}

/* How far a slip may be off: a third of what was written, as short words are near to anything. */
static size_t tolerance(struct span written)
{
	return last_part(written).len / 3;
}

static void consider(struct span written, struct span known, struct suggestion *best)
{
	struct span a = last_part(written), b = last_part(known);
	size_t distance;

	if (known.len == 0)
		return;
	distance = edit_distance(written, known);
	/* The right key in the wrong section. */
	if (a.len == b.len && memcmp(a.text, b.text, a.len) == 0)
		distance = MIN(distance, 1);
	if (distance > tolerance(written) || distance >= best->distance)
		return;
	best->path = known.text;
	best->len = known.len;
	best->distance = distance;
}

const char *config_suggest(const struct config_schema *schema, const char *path, size_t *ret_len)
{
	struct span written = {path, strlen(path)};
	struct suggestion best = {.distance = SIZE_MAX};

	if (written.len >= LEN_MAX)
		return NULL;
	for (size_t i = 0; i < schema->count; i++) {
		const struct config_key *key = &schema->keys[i];

		consider(written, (struct span){key->path, strlen(key->path)}, &best);
		consider(written, (struct span){key->path, config_key_section_len(key)}, &best);
	}
	if (best.path)
		*ret_len = best.len;
	return best.path;
}
