/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/host_counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collectors/netstat.h"
#include "collectors/procfs.h"
#include "collectors/sockstat.h"
#include "daemon/core/catalogue.h"
#include "daemon/util/macros.h"
#include "daemon/util/parse_num.h"

/* Read through `self`: these stay when /proc is mounted with subset=pid; what is below sys/ does
 * not. */
static const char *const paths[] = {
	"self/net/snmp",
	"self/net/netstat",
	"self/net/sockstat",
	"self/net/sockstat6",
};

/* "4\t8\t16\n" is the most that a sysctl of ours has. */
#define SYSCTL_TEXT 128
/* More than the largest of the others has; one that is larger is not read. */
#define TEXT_BYTES 16384

struct host_counters {
	const char *procfs;
	uint64_t page_bytes;
	struct text {
		size_t len; /* 0: it could not be read */
		char bytes[TEXT_BYTES];
	} texts[ARRAY_SIZE(paths)];
};

struct host_counters *host_counters_new(const char *procfs)
{
	struct host_counters *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->procfs = procfs;
	h->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	return h;
}

void host_counters_free(struct host_counters *h)
{
	free(h);
}

static int read_sysctl(const struct host_counters *h, const struct metric_term *t,
		       uint64_t *ret_value)
{
	char path[256], text[SYSCTL_TEXT];
	char *rest = text;
	char *word = NULL;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/%s", t->line);
	n = procfs_read(h->procfs, path, text, sizeof(text));
	/* One that does not end with its line may be cut inside a number. */
	if (n <= 0 || text[n - 1] != '\n')
		return -ENOENT;
	for (unsigned int i = 0; i <= t->word; i++)
		word = strsep(&rest, "\t \n");
	return word && *word ? parse_u64(word, 0, UINT64_MAX, ret_value) : -ENOENT;
}

static int read_term(const struct host_counters *h, const struct metric_term *t,
		     uint64_t *ret_value)
{
	const struct text *text;

	switch ((enum metric_file)t->file) {
	case METRIC_FILE_NONE:
		*ret_value = 1;
		return 0;
	case METRIC_FILE_SYSCTL:
		return read_sysctl(h, t, ret_value);
	case METRIC_FILE_SNMP:
	case METRIC_FILE_NETSTAT:
		text = &h->texts[t->file - METRIC_FILE_SNMP];
		return netstat_parse(text->bytes, text->len, t->line, t->key, ret_value);
	case METRIC_FILE_SOCKSTAT:
	case METRIC_FILE_SOCKSTAT6:
		text = &h->texts[t->file - METRIC_FILE_SNMP];
		return sockstat_parse(text->bytes, text->len, t->line, t->key, ret_value);
	}
	return -ENOENT;
}

/* A value of a row, the sum of its terms; in two's complement, so that their order does not
 * matter. */
static uint64_t read_value(const struct host_counters *h, const struct metric *m,
			   unsigned int value)
{
	uint64_t sum = 0;
	bool can_fall = false;

	for (unsigned int i = 0; i < m->term_count; i++) {
		const struct metric_term *t = &m->terms[i];
		uint64_t n = 0;

		if (t->value != value)
			continue;
		if (read_term(h, t, &n) < 0 && !t->is_optional)
			return METRIC_ABSENT;
		if (t->is_condition)
			continue;
		if (t->in_pages)
			n *= h->page_bytes;
		can_fall |= t->is_less;
		sum += t->is_less ? -n : n;
	}
	/* The files are not read at one moment. */
	return can_fall && (int64_t)sum < 0 ? 0 : sum;
}

static void read_text(struct host_counters *h, unsigned int file)
{
	struct text *text = &h->texts[file];
	ssize_t n = procfs_read(h->procfs, paths[file], text->bytes, sizeof(text->bytes));

	text->len = n < 0 ? 0 : (size_t)n;
}

void host_counters_read(struct host_counters *h, const struct catalogue *catalogue,
			uint64_t *ret_cells)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++)
		read_text(h, i);
	for (unsigned int i = 0; i < metric_count; i++) {
		if (metrics[i].term_count == 0 || !catalogue->on[i])
			continue;
		for (unsigned int j = 0; j < metric_value_count(&metrics[i]); j++)
			ret_cells[catalogue->cell[i] + j] = read_value(h, &metrics[i], j);
	}
}
