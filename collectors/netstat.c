/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/parse_num.h"

/* Linux 6.18 writes 4 KiB of which a few grow with their numbers. */
#define NETSTAT_FIRST_BYTES 8192
#define NETSTAT_MAX_BYTES   65536

struct span {
	const char *at;
	size_t len;
};

static bool span_equal(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* Takes the next line off TEXT. One without its newline is none: it may be cut inside a number. */
static bool span_take_line(struct span *text, struct span *ret_line)
{
	const char *newline = memchr(text->at, '\n', text->len);

	if (!newline)
		return false;
	*ret_line = (struct span){text->at, (size_t)(newline - text->at)};
	text->at += ret_line->len + 1;
	text->len -= ret_line->len + 1;
	return true;
}

static bool span_take_word(struct span *line, struct span *ret_word)
{
	const char *space;

	while (line->len > 0 && *line->at == ' ') {
		line->at++;
		line->len--;
	}
	if (line->len == 0)
		return false;
	space = memchr(line->at, ' ', line->len);
	*ret_word = (struct span){line->at, space ? (size_t)(space - line->at) : line->len};
	line->at += ret_word->len;
	line->len -= ret_word->len;
	return true;
}

static int span_parse(struct span s, uint64_t *ret_value)
{
	char text[sizeof("18446744073709551615")];

	if (s.len >= sizeof(text))
		return -EBADMSG;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return parse_u64(text, 0, UINT64_MAX, ret_value) ? -EBADMSG : 0;
}

/* NAMES and VALUES are the lines after their prefix. The whole lines must match, or the value may
 * be that of another name. */
static int find_value(struct span names, struct span values, const char *name, uint64_t *ret_value)
{
	struct span column, value, found = {0};

	while (span_take_word(&names, &column)) {
		if (!span_take_word(&values, &value))
			return -EBADMSG;
		if (span_equal(column, name))
			found = value;
	}
	if (span_take_word(&values, &value))
		return -EBADMSG;
	return found.at ? span_parse(found, ret_value) : -ENOENT;
}

int netstat_parse(const char *text, size_t n, const char *prefix, const char *name,
		  uint64_t *ret_value)
{
	struct span rest = {text, n}, names, values, word;

	while (span_take_line(&rest, &names)) {
		if (!span_take_word(&names, &word) || !span_equal(word, prefix))
			continue;
		if (!span_take_line(&rest, &values) || !span_take_word(&values, &word) ||
		    !span_equal(word, prefix))
			return -EBADMSG;
		return find_value(names, values, name, ret_value);
	}
	return -ENOENT;
}

int netstat_reader_open(struct netstat_reader *r, const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return -errno;
	text = malloc(NETSTAT_FIRST_BYTES);
	if (!text)
		return -ENOMEM;

	netstat_reader_done(r);
	r->fd = take_fd(&fd);
	r->text = text;
	r->cap = NETSTAT_FIRST_BYTES;
	return 0;
}

void netstat_reader_done(struct netstat_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->text);
	*r = (struct netstat_reader)NETSTAT_READER_INIT;
}

static int reader_grow(struct netstat_reader *r)
{
	char *text;

	if (r->cap >= NETSTAT_MAX_BYTES)
		return -EFBIG;
	text = realloc(r->text, r->cap * 2);
	if (!text)
		return -ENOMEM;
	r->text = text;
	r->cap *= 2;
	return 0;
}

/* Reads all of the file; its length, or -errno. */
static ssize_t reader_fill(struct netstat_reader *r)
{
	for (;;) {
		/* From 0 the kernel writes the file anew; one read gives all of it that fits. */
		ssize_t n = pread(r->fd, r->text, r->cap, 0);
		int error;

		if (n < 0)
			return -errno;
		if ((size_t)n < r->cap)
			return n;
		error = reader_grow(r);
		if (error)
			return error;
	}
}

int netstat_reader_listen_drops(struct netstat_reader *r, uint64_t *ret_drops)
{
	ssize_t n = reader_fill(r);

	if (n < 0)
		return (int)n;
	return netstat_parse(r->text, (size_t)n, "TcpExt:", "ListenDrops", ret_drops);
}

int netstat_reader_tcp_opens(struct netstat_reader *r, uint64_t *ret_opens)
{
	ssize_t n = reader_fill(r);
	uint64_t active, passive;
	int error;

	if (n < 0)
		return (int)n;
	error = netstat_parse(r->text, (size_t)n, "Tcp:", "ActiveOpens", &active);
	if (error == 0)
		error = netstat_parse(r->text, (size_t)n, "Tcp:", "PassiveOpens", &passive);
	if (error == 0)
		*ret_opens = active + passive;
	return error;
}
