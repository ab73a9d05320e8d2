/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pages.h"

#include <string.h>

#include "build_config.h"
#include "daemon/core/expose_protobuf.h"
#include "daemon/core/expose_text.h"
#include "daemon/gzip.h"
#include "daemon/io/clock.h"
#include "daemon/process_stats.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* The collector's loop turns at least once a second, if the longest syscall lasts so long. */
#define HUNG_NS (60 * NSEC_PER_SEC)

DEFINE_CLEANUP(struct snapshot *, snapshot, snapshot_unref);

static const struct expose_format *const formats[NEGOTIATE_FORMAT_END] = {
	[NEGOTIATE_TEXT] = &expose_text,
	[NEGOTIATE_OPENMETRICS] = &expose_openmetrics,
	[NEGOTIATE_PROTOBUF] = &expose_protobuf,
};

/* Renders a part unless it is the one that was rendered last. */
static void render_part(struct page_part *p, const struct expose_format *format,
			struct snapshot_sockets *part, uint64_t now_ns)
{
	bool fresh = expose_is_fresh(&part->age, now_ns);

	if (part == p->part && fresh == p->is_fresh && !p->text.error)
		return;
	snapshot_sockets_unref(p->part);
	p->part = snapshot_sockets_ref(part);
	p->is_fresh = fresh;
	buf_clear(&p->text);
	p->series = expose_sockets(&p->text, format, part, fresh);
}

/* How many series it has; without memory the buffer fails. */
static uint64_t add_part(struct page_part *p, const struct expose_format *format,
			 struct snapshot_sockets *part, uint64_t now_ns, struct buf *out)
{
	render_part(p, format, part, now_ns);
	buf_add(out, p->text.data, p->text.len);
	if (p->text.error)
		out->error = p->text.error;
	return p->series;
}

static void read_self(struct pages *p, struct self_values *values)
{
	self_values_copy(values, p->self);
	process_stats_read(values);
	values->http_connections = http_connections(p->http);
}

/* What a scrape wants of what there is. */
struct wanted {
	enum negotiate_format format;
	unsigned int collect, exclude; /* COLLECTOR_BIT() of those that were named */
	bool is_wrong;
};

static void take_argument(void *userdata, const char *name, const char *value)
{
	struct wanted *w = userdata;
	bool collects = strcmp(name, "collect[]") == 0;
	enum collector_name collector;

	if (!collects && strcmp(name, "exclude[]") != 0)
		return;
	if (!value || collector_parse(value, &collector) < 0)
		w->is_wrong = true;
	else if (collects)
		w->collect |= COLLECTOR_BIT(collector);
	else
		w->exclude |= COLLECTOR_BIT(collector);
}

static unsigned int render_wrong(struct http_response *response)
{
	buf_add_str(&response->body, "Either collect[] or exclude[], each one of:");
	for (unsigned int i = 0; i < COLLECTOR_NAME_END; i++)
		buf_add_format(&response->body, " %s", collector_name(i));
	buf_add_str(&response->body, ".\n");
	return 400;
}

static unsigned int collectors_of(const struct wanted *w)
{
	return (w->collect ? w->collect : COLLECTORS_ALL) & ~w->exclude;
}

/* The whole exposition, or what of it is wanted; without memory OUT fails. */
static void add_metrics(struct pages *p, const struct wanted *w, struct buf *out)
{
	_cleanup_(cleanup_snapshot) struct snapshot *s = NULL;
	const struct expose_format *f = formats[w->format];
	unsigned int collectors = collectors_of(w);
	struct self_values self;
	uint64_t series = 0;
	uint64_t now_ns;

	/* In this order: no poll is counted whose data are not shown, and no data come from a time
	 * that is yet to be. */
	read_self(p, &self);
	s = snapshot_take(p->exchange);
	now_ns = clock_boottime_ns();
	if (s->parts.listeners && collectors & COLLECTOR_BIT(COLLECTOR_LISTENERS))
		series += expose_listeners(out, f, s->parts.listeners, now_ns);
	for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
		if (s->parts.sockets[i] && collectors & COLLECTOR_BIT(collector_of_groups(i)))
			series += add_part(&p->parts[w->format][i], f, s->parts.sockets[i], now_ns,
					   out);
	if (s->parts.unix_listeners && collectors & COLLECTOR_BIT(COLLECTOR_UNIX))
		series += expose_unix(out, f, s->parts.unix_listeners, now_ns);
	if (s->parts.host)
		series += expose_host(out, f, s->parts.host, now_ns, collectors);
	if (collectors & COLLECTOR_BIT(COLLECTOR_SELF))
		expose_self(out, f, s->catalogue, &self, series);
	buf_add_str(out, f->end);
}

static unsigned int render_metrics(void *userdata, const struct http_request *request,
				   struct http_response *response)
{
	struct wanted w = {.format = negotiate_format(request->accept)};

	http_each_argument(request, take_argument, &w);
	if (w.is_wrong || (w.collect && w.exclude))
		return render_wrong(response);
	add_metrics(userdata, &w, &response->body);
	if (response->body.error)
		return 500;
	response->content_type = formats[w.format]->content_type;
	response->vary = "Accept, Accept-Encoding";
	/* Without memory for it, it goes as it is. */
	if (negotiate_gzip(request->accept_encoding) && gzip_buf(&response->body) == 0)
		response->content_encoding = "gzip";
	return 200;
}

static unsigned int render_index(void *userdata, const struct http_request *request,
				 struct http_response *response)
{
	struct pages *p = userdata;

	(void)request;
	response->content_type = "text/html; charset=utf-8";
	buf_add_format(&response->body,
		       "<!DOCTYPE html>\n"
		       "<html lang=\"en\">\n"
		       "<head><meta charset=\"utf-8\"><title>sockstatd</title></head>\n"
		       "<body>\n"
		       "<h1>sockstatd</h1>\n"
		       "<p>What ss shows, always on. Version %s, revision %s.</p>\n"
		       "<ul>\n"
		       "<li><a href=\"%s\">Metrics</a></li>\n"
		       "<li><a href=\"/-/healthy\">Healthy</a></li>\n"
		       "<li><a href=\"/-/ready\">Ready</a></li>\n"
		       "</ul>\n"
		       "</body>\n"
		       "</html>\n",
		       BUILD_VERSION, BUILD_REVISION, http_first_path(p->http));
	return 200;
}

static unsigned int render_healthy(void *userdata, const struct http_request *request,
				   struct http_response *response)
{
	const struct pages *p = userdata;
	bool hung = clock_monotonic_ns() - self_get(p->heartbeat_ns) > HUNG_NS;

	(void)request;
	buf_add_str(&response->body,
		    hung ? "The collector has hung.\n" : "sockstatd is healthy.\n");
	return hung ? 503 : 200;
}

static unsigned int render_ready(void *userdata, const struct http_request *request,
				 struct http_response *response)
{
	const struct pages *p = userdata;
	_cleanup_(cleanup_snapshot) struct snapshot *s = snapshot_take(p->exchange);
	bool ready = s->parts.listeners && s->parts.sockets[POLL_FAMILY_TCP];

	(void)request;
	buf_add_str(&response->body,
		    ready ? "sockstatd is ready.\n" : "No good poll of both lanes yet.\n");
	return ready ? 200 : 503;
}

void pages_init(struct pages *p, struct snapshot_exchange *exchange, struct self_values *self,
		const uint64_t *heartbeat_ns, const char *path)
{
	*p = (struct pages){
		.exchange = exchange,
		.self = self,
		.heartbeat_ns = heartbeat_ns,
	};
	/* In the order of enum self_route. */
	p->routes[SELF_ROUTE_METRICS] = (struct http_route){path, render_metrics, p};
	p->routes[SELF_ROUTE_INDEX] = (struct http_route){"/", render_index, p};
	p->routes[SELF_ROUTE_HEALTHY] = (struct http_route){"/-/healthy", render_healthy, p};
	p->routes[SELF_ROUTE_READY] = (struct http_route){"/-/ready", render_ready, p};
}

static void forget_part(struct page_part *part)
{
	snapshot_sockets_unref(take_ptr(part->part));
	buf_done(&part->text);
}

void pages_done(struct pages *p)
{
	for (unsigned int format = 0; format < NEGOTIATE_FORMAT_END; format++)
		for (unsigned int i = 0; i < POLL_FAMILY_PORTS; i++)
			forget_part(&p->parts[format][i]);
}

static enum self_status status_index(unsigned int status)
{
	static const unsigned int known[] = {
		[SELF_STATUS_200] = 200, [SELF_STATUS_400] = 400, [SELF_STATUS_401] = 401,
		[SELF_STATUS_403] = 403, [SELF_STATUS_404] = 404, [SELF_STATUS_405] = 405,
		[SELF_STATUS_429] = 429, [SELF_STATUS_500] = 500, [SELF_STATUS_503] = 503,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == status)
			return i;
	return SELF_STATUS_OTHER;
}

void pages_observe(void *userdata, int route, unsigned int status)
{
	struct pages *p = userdata;
	enum self_route path = route < 0 ? SELF_ROUTE_OTHER : (enum self_route)route;

	self_add(&p->self->http_requests[path][status_index(status)], 1);
}
