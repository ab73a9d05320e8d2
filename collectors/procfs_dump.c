/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs_dump.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "collectors/procfs.h"
#include "collectors/procfs_parse.h"
#include "collectors/sockstat.h"
#include "daemon/util/macros.h"

/* What a step reads at most. No line that is one has less than 44 bytes, so the batch has room. */
#define STEP_BYTES 16384
static_assert(STEP_BYTES + PROCFS_LINE_MAX <= SOCK_BATCH_BYTES, "the batch's bytes hold a step");

/* seq_read_iter() fills a page, of which less than a row stays empty, unless the table has ended.
 * To read on is not only dear, as it walks the whole table to where it was: where sockets come
 * faster than that, it finds some more each time and never ends. */
#define SHORT_READ 2048

#define FILES_MAX 2

static int parse_tcp(const char *line, size_t n, struct sock_record *ret_record)
{
	return procfs_parse_inet(line, n, PROCFS_TCP, ret_record);
}

static int parse_udp(const char *line, size_t n, struct sock_record *ret_record)
{
	return procfs_parse_inet(line, n, PROCFS_UDP, ret_record);
}

/* Read through `self`: this path stays when /proc is mounted with subset=pid. A family's first file
 * must be there; the second is not where the kernel has no IPv6. */
static const struct table {
	int (*parse)(const char *line, size_t n, struct sock_record *ret_record);
	struct {
		const char *path;
		const char *line; /* of sockstat6, whose "inuse" counts its listeners; or NULL */
	} files[FILES_MAX];
} tables[POLL_FAMILY_END] = {
	[POLL_FAMILY_TCP] = {parse_tcp, {{"self/net/tcp", NULL}, {"self/net/tcp6", "TCP6:"}}},
	[POLL_FAMILY_UDP] = {parse_udp, {{"self/net/udp", NULL}, {"self/net/udp6", NULL}}},
	[POLL_FAMILY_UNIX] = {procfs_parse_unix, {{"self/net/unix", NULL}}},
	[POLL_FAMILY_RAW] = {parse_udp, {{"self/net/raw", NULL}, {"self/net/raw6", NULL}}},
	[POLL_FAMILY_PACKET] = {procfs_parse_packet, {{"self/net/packet", NULL}}},
	[POLL_FAMILY_NETLINK] = {procfs_parse_netlink, {{"self/net/netlink", NULL}}},
};

void procfs_dump_init(struct procfs_dump *d, const char *root)
{
	*d = (struct procfs_dump)PROCFS_DUMP_INIT;
	d->root = root;
}

void procfs_dump_done(struct procfs_dump *d)
{
	procfs_dump_cancel(d);
}

static void close_file(struct procfs_dump *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void procfs_dump_cancel(struct procfs_dump *d)
{
	close_file(d);
	d->running = false;
}

/* Whether the kernel counts no socket there. What it counts leaves out time-wait and request
 * sockets, so this is a reason to skip heads only. */
static bool is_idle(const struct procfs_dump *d, const char *line)
{
	char text[1024];
	uint64_t in_use;
	ssize_t n;

	if (!line)
		return false;
	n = procfs_read(d->root, "self/net/sockstat6", text, sizeof(text));
	return n >= 0 && sockstat_parse(text, (size_t)n, line, "inuse", &in_use) == 0 &&
	       in_use == 0;
}

/* 0, also where there is nothing to open; or -errno. */
static int open_file(struct procfs_dump *d)
{
	const char *path = tables[d->family].files[d->file].path;
	int fd;

	d->is_inside = false;
	d->is_at_end = false;
	d->is_overlong = false;
	d->rest_len = 0;
	if (d->heads_only && is_idle(d, tables[d->family].files[d->file].line))
		return 0;
	fd = procfs_open(d->root, path);
	if (fd == -ENOENT && d->file > 0)
		return 0;
	if (fd < 0)
		return fd;
	d->fd = fd;
	return 0;
}

enum poll_failure procfs_dump_start(struct procfs_dump *d, enum poll_family family, bool heads_only)
{
	assert(!d->running && tables[family].parse);
	d->family = family;
	d->heads_only = heads_only;
	d->file = 0;
	if (open_file(d) < 0)
		return POLL_FAILURE_TABLE;
	d->running = true;
	return POLL_FAILURE_NONE;
}

/* Whether the rest of the file is wanted. */
static bool add_line(struct procfs_dump *d, const char *line, size_t n, struct sock_batch *batch)
{
	struct sock_record *record = &batch->records[batch->count];

	if (!d->is_inside) {
		d->is_inside = true;
		return true;
	}
	if (batch->count == SOCK_BATCH_RECORDS) {
		d->malformed_lines++;
		return true;
	}
	switch (tables[d->family].parse(line, n, record)) {
	case 0:
		if (d->heads_only && record->state != SOCK_LISTEN)
			return false;
		batch->count++;
		break;
	case -EPROTO:
		d->unknown_states++;
		break;
	default:
		d->malformed_lines++;
		break;
	}
	return true;
}

/* Keeps the beginning of a line for the next step. One that is too long is skipped to its end. */
static void keep_rest(struct procfs_dump *d, const char *at, size_t n)
{
	if (n > sizeof(d->rest)) {
		d->malformed_lines += !d->is_overlong;
		d->is_overlong = true;
		n = 0;
	}
	memcpy(d->rest, at, n);
	d->rest_len = n;
}

/* Whether the rest of the file is wanted. */
static bool add_lines(struct procfs_dump *d, struct sock_batch *batch, size_t len)
{
	const char *at = (const char *)batch->bytes, *end = at + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline)
			break;
		if (d->is_overlong)
			d->is_overlong = false;
		else if (!add_line(d, at, (size_t)(newline - at), batch))
			return false;
		at = newline + 1;
	}
	keep_rest(d, at, (size_t)(end - at));
	return true;
}

/* Reads behind what was kept of a line; of the head no more than must be, for the kernel walks its
 * whole table to fill a page. How many bytes there are then; 0: the file is at its end;
 * -errno. */
static ssize_t fill(struct procfs_dump *d, struct sock_batch *batch)
{
	size_t len = d->rest_len;
	size_t end = len + STEP_BYTES;

	memcpy(batch->bytes, d->rest, len);
	while (len < end) {
		ssize_t n = read(d->fd, batch->bytes + len, end - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		d->is_at_end = n == 0 || ((size_t)n < end - len && n < SHORT_READ);
		len += (size_t)n;
		if (d->is_at_end)
			break;
		if (d->heads_only)
			break;
	}
	return len == d->rest_len ? 0 : (ssize_t)len;
}

static enum sock_step fail(struct procfs_dump *d, struct sock_batch *batch,
			   enum poll_failure *ret_failure)
{
	procfs_dump_cancel(d);
	batch->count = 0;
	*ret_failure = POLL_FAILURE_TABLE;
	return SOCK_STEP_FAILED;
}

/* The file has ended, or there was none: the next. */
static enum sock_step end_file(struct procfs_dump *d, struct sock_batch *batch,
			       enum poll_failure *ret_failure)
{
	close_file(d);
	d->malformed_lines += d->rest_len > 0; /* the last line was cut */
	if (d->file + 1 == FILES_MAX || !tables[d->family].files[d->file + 1].path) {
		d->running = false;
		return SOCK_STEP_DONE;
	}
	d->file++;
	return open_file(d) < 0 ? fail(d, batch, ret_failure) : SOCK_STEP_MORE;
}

enum sock_step procfs_dump_step(struct procfs_dump *d, struct sock_batch *batch,
				enum poll_failure *ret_failure)
{
	ssize_t n;

	assert(d->running);
	batch->count = 0;
	if (d->fd < 0)
		return end_file(d, batch, ret_failure);
	n = fill(d, batch);
	if (n < 0)
		return fail(d, batch, ret_failure);
	if (n == 0)
		return end_file(d, batch, ret_failure);
	if (!add_lines(d, batch, (size_t)n))
		d->rest_len = 0; /* the head has been read, and the rest is not wanted */
	else if (!d->is_at_end)
		return SOCK_STEP_MORE;
	return end_file(d, batch, ret_failure);
}
