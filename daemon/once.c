/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/once.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/expose_text.h"
#include "daemon/core/self_values.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/options.h"
#include "daemon/polling.h"
#include "daemon/settings.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

struct once {
	struct loop loop;
	struct snapshot_exchange exchange;
	struct self_values self;
	struct polling polling;
	bool ended[LANE_END], well[LANE_END];
};

static void on_cycle(struct polling *p, enum lane lane, bool well)
{
	struct once *o = container_of(p, struct once, polling);

	if (o->ended[lane])
		return;
	o->ended[lane] = true;
	o->well[lane] = well;
	if (lane == LANE_LISTENERS)
		polling_start(p, LANE_SOCKETS);
}

static int poll_both(struct once *o, const struct options *options, const struct config *config,
		     struct catalogue *catalogue)
{
	struct polling_settings settings = {
		.loop = &o->loop,
		.procfs = options->procfs_path,
		.config = config,
		.catalogue = catalogue,
		.exchange = &o->exchange,
		.self = &o->self,
		.ended = on_cycle,
		.is_once = true,
	};
	int r;

	r = loop_init(&o->loop);
	if (r == 0)
		r = polling_init(&o->polling, &settings);
	if (r < 0)
		return r;
	polling_start(&o->polling, LANE_LISTENERS);
	while (r >= 0 && !o->ended[LANE_SOCKETS])
		r = loop_turn(&o->loop, -1);
	if (r < 0)
		return r;
	return o->well[LANE_LISTENERS] && o->well[LANE_SOCKETS] ? 0 : -EIO;
}

static int render(struct once *o, const struct catalogue *catalogue, struct buf *out)
{
	struct snapshot *s = snapshot_take(&o->exchange);
	uint64_t now_ns = clock_boottime_ns();

	o->self.build_info = 1;
	expose_listeners(out, &expose_text, s->parts.listeners, now_ns);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		expose_sockets(out, &expose_text, s->parts.sockets[i],
			       expose_is_fresh(&s->parts.sockets[i]->age, now_ns));
	expose_unix(out, &expose_text, s->parts.unix_listeners, now_ns);
	expose_host(out, &expose_text, s->parts.host, now_ns, COLLECTORS_ALL);
	expose_self(out, &expose_text, catalogue, &o->self, 0);
	snapshot_unref(s);
	return out->error;
}

static int write_all(int fd, const struct buf *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += (size_t)MAX(n, 0);
	}
	return 0;
}

/* node_exporter reads whatever it finds, so the file appears whole or not at all. */
static int write_file(const char *path, const struct buf *text)
{
	_free_ char *temporary = NULL;
	_close_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

static int write_result(const char *textfile, const struct buf *text)
{
	const char *where = textfile ? textfile : "standard output";
	int r = textfile ? write_file(textfile, text) : write_all(STDOUT_FILENO, text);

	if (r < 0)
		log_error("cannot write", "path=\"%s\" error=\"%s\"", where, strerror(-r));
	return r;
}

static int run(struct once *o, const struct options *options, const struct config *config)
{
	struct catalogue *catalogue;
	struct buf text = BUF_INIT;
	int r;

	r = settings_make_catalogue(config, true, &catalogue);
	if (r == 0) {
		r = poll_both(o, options, config, catalogue);
		if (r == 0)
			r = render(o, catalogue, &text);
		polling_done(&o->polling);
		catalogue_unref(catalogue);
	}
	if (r == 0)
		r = write_result(options->textfile, &text);
	else
		log_error("the poll failed", "error=\"%s\"", strerror(-r));
	buf_done(&text);
	return r;
}

int once_run(const struct options *options, const struct config *config)
{
	struct once *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->loop = (struct loop)LOOP_INIT;
	o->exchange = (struct snapshot_exchange)SNAPSHOT_EXCHANGE_INIT;
	r = run(o, options, config);
	loop_done(&o->loop);
	snapshot_exchange_done(&o->exchange);
	free(o);
	return r;
}
