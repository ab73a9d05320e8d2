/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_config.h"
#include "daemon/core/self_values.h"
#include "daemon/http_security.h"
#include "daemon/io/clock.h"
#include "daemon/io/log.h"
#include "daemon/lifecycle.h"
#include "daemon/listening.h"
#include "daemon/loading.h"
#include "daemon/options.h"
#include "daemon/pages.h"
#include "daemon/polling.h"
#include "daemon/service.h"
#include "daemon/settings.h"
#include "daemon/status.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "daemon/watchdog.h"

/* How long answers under way may take to end when we stop. */
#define STOP_GRACE_NS (5 * NSEC_PER_SEC)

/* Clients have a reload at most once in the interval of the sockets lane, or in this. */
#define RELOAD_PAUSE_MAX_NS (10 * NSEC_PER_SEC)

struct manager {
	const struct options *options;
	const char *config_path; /* what SIGHUP reads, NULL: nothing */
	struct config *config;
	struct http_security *security; /* until the server has it */
	struct loop loop;
	struct loop_signals signals;
	struct snapshot_exchange exchange;
	struct self_values self;
	struct polling polling;
	struct pages pages;
	struct http *http;
	struct listening listening;
	struct lifecycle lifecycle;
	struct watchdog watchdog;
	struct status status;
	uint64_t heartbeat_ns;
	bool is_stopping;
};

DEFINE_CLEANUP(struct catalogue *, catalogue, catalogue_unref);

static struct http_limits limits_of(const struct config *c)
{
	struct http_limits limits = http_limits_default;

	limits.connections = (unsigned int)c->web.max_connections;
	limits.first_answers = (unsigned int)c->web.max_requests;
	return limits;
}

static void note_config(struct manager *m, bool well)
{
	self_set(&m->self.reload_successful, well);
	m->status.keeps_old_config = !well;
	m->status.path = m->config->web.telemetry_path;
	if (!well)
		return;
	self_set(&m->self.reload_success_ms, clock_realtime_ns() / NSEC_PER_MSEC);
	self_set(&m->self.series_limit, m->config->limits.series);
	lifecycle_enable(&m->lifecycle, m->config->web.enable_lifecycle);
}

/* Puts in force, and takes over, what could be read and whose addresses are bound: all of it, or,
 * if that fails, nothing. */
static int apply(struct manager *m, struct loaded *loaded, struct http_listeners *listeners)
{
	_cleanup_(cleanup_catalogue) struct catalogue *catalogue = NULL;
	struct config *c = loaded->config;
	struct http_limits limits = limits_of(c);
	int r;

	r = settings_make_catalogue(c, false, &catalogue);
	if (r == 0)
		r = polling_prepare(&m->polling, c, catalogue);
	if (r < 0)
		return r;
	r = http_configure(m->http, listeners, loaded->security, &limits, c->web.telemetry_path);
	if (r < 0) {
		polling_discard(&m->polling);
		return r;
	}
	catalogue_begin(catalogue, m->polling.catalogue, clock_realtime_ns() / NSEC_PER_MSEC);
	http_security_say(take_ptr(loaded->security));
	polling_apply(&m->polling, c, catalogue);
	config_free(m->config);
	m->config = take_ptr(loaded->config);
	return 0;
}

/* To the log, and to who has asked for the reload. */
static void say_faults(void *userdata, const char *path, const struct config_errors *errors,
		       int error)
{
	struct manager *m = userdata;

	loading_log(NULL, path, errors, error);
	lifecycle_faults(&m->lifecycle, path, errors, error);
}

static int reload_config(struct manager *m)
{
	_cleanup_(loading_done) struct loaded loaded = {0};
	struct http_listeners *listeners = NULL;
	char fault[LISTENING_FAULT_MAX];
	int r;

	r = loading_load(m->options, m->config_path, say_faults, m, &loaded);
	if (r < 0)
		return r;
	r = listening_open(&m->listening, loaded.config, http_current_listeners(m->http),
			   &listeners, fault);
	if (r < 0) {
		lifecycle_fault(&m->lifecycle, "%s", fault);
		return r;
	}
	r = apply(m, &loaded, listeners);
	if (r < 0) {
		http_listeners_free(listeners);
		return lifecycle_fail(&m->lifecycle, "cannot put the configuration in force", r);
	}
	return r;
}

static void reload(struct manager *m)
{
	bool well;

	lifecycle_begin(&m->lifecycle);
	if (m->status.has_begun)
		service_reloading();
	well = reload_config(m) == 0;
	note_config(m, well);
	if (well) {
		log_info("configuration reloaded", NULL);
		listening_say(&m->listening, m->config);
		for (unsigned int i = 0; i < LANE_END; i++)
			polling_start(&m->polling, i);
	} else {
		log_warn("reload failed; the old configuration stays", NULL);
	}
	if (m->status.has_begun)
		service_ready();
	status_update(&m->status);
	lifecycle_end(&m->lifecycle, m->http, well);
	lifecycle_rest(&m->lifecycle,
		       MIN(m->polling.lanes[LANE_SOCKETS].pace.current_ns, RELOAD_PAUSE_MAX_NS));
}

static void on_reload_wanted(struct lifecycle *l)
{
	struct manager *m = container_of(l, struct manager, lifecycle);

	/* Who waits is told when we stop. */
	if (!m->is_stopping)
		reload(m);
}

static void on_signal(struct loop_signals *signals, int signal)
{
	struct manager *m = container_of(signals, struct manager, signals);

	if (signal == SIGHUP) {
		reload(m);
		return;
	}
	log_info("stopping", "signal=%s", sigabbrev_np(signal));
	m->is_stopping = true;
}

/* The sockets lane starts when the listeners are known. The daemon is ready when each lane has
 * made one cycle, good or not: a kernel that refuses is shown in /metrics, not by a start that
 * never ends. */
static void begin(struct manager *m, enum lane lane)
{
	if (m->status.has_begun)
		return;
	if (lane == LANE_SOCKETS) {
		m->status.has_begun = true;
		service_ready();
	} else if (!m->polling.lanes[LANE_SOCKETS].started_ns) {
		polling_start(&m->polling, LANE_SOCKETS);
	}
}

static void on_cycle(struct polling *p, enum lane lane, bool well)
{
	struct manager *m = container_of(p, struct manager, polling);

	m->status.has_failed[lane] = !well;
	m->status.reason[lane] = p->lanes[lane].failure;
	m->status.source = p->sources_of[LANE_SOCKETS];
	begin(m, lane);
	status_update(&m->status);
}

static int start_server(struct manager *m)
{
	struct http_listeners *listeners = NULL;
	char fault[LISTENING_FAULT_MAX];
	struct http_settings settings = {
		.routes = m->pages.routes,
		.route_count = ARRAY_SIZE(m->pages.routes),
		.observe = pages_observe,
		.observe_userdata = &m->pages,
		.limits = limits_of(m->config),
	};
	int r;

	r = listening_init(&m->listening, m->options->systemd_socket);
	if (r == 0)
		r = listening_open(&m->listening, m->config, NULL, &listeners, fault);
	if (r < 0)
		return r;
	r = http_new(&settings, &m->http);
	m->pages.http = m->http;
	if (r == 0)
		r = http_start(m->http, listeners, m->security);
	if (r < 0) {
		http_listeners_free(listeners);
		log_error("cannot start the server", "error=\"%s\"", strerror(-r));
		return r;
	}
	http_security_say(take_ptr(m->security));
	return 0;
}

static int start_polling(struct manager *m)
{
	_cleanup_(cleanup_catalogue) struct catalogue *catalogue = NULL;
	struct polling_settings settings = {
		.loop = &m->loop,
		.procfs = m->options->procfs_path,
		.config = m->config,
		.exchange = &m->exchange,
		.self = &m->self,
		.ended = on_cycle,
	};
	int r;

	r = settings_make_catalogue(m->config, false, &catalogue);
	if (r < 0)
		return r;
	catalogue_begin(catalogue, NULL, clock_realtime_ns() / NSEC_PER_MSEC);
	settings.catalogue = catalogue;
	r = polling_init(&m->polling, &settings);
	if (r < 0)
		return r;
	return snapshot_publish(&m->exchange, catalogue, &(const struct snapshot_parts){0});
}

static int start_loop(struct manager *m)
{
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = loop_init(&m->loop);
	if (r == 0)
		r = loop_signals_init(&m->signals, &m->loop, &signals, on_signal);
	return r < 0 ? r : lifecycle_init(&m->lifecycle, &m->loop, on_reload_wanted);
}

static void note_start(struct manager *m)
{
	struct self_values *v = &m->self;

	v->build_info = 1;
	v->process_start_ms = clock_realtime_ns() / NSEC_PER_MSEC;
	for (unsigned int i = 0; i < LANE_END; i++)
		v->poll_last_success_ms[i] = METRIC_ABSENT;
	m->heartbeat_ns = clock_monotonic_ns();
	note_config(m, true);
}

static void say_start(const struct manager *m)
{
	char quoted[256];

	if (geteuid() == 0)
		log_warn("running as root, which is not needed", NULL);
	log_info("starting", "version=%s revision=%s config=%s", BUILD_VERSION, BUILD_REVISION,
		 log_quote(m->config_path ? m->config_path : "", quoted, sizeof(quoted)));
}

static int start(struct manager *m)
{
	int r;

	note_start(m);
	say_start(m);
	r = start_loop(m);
	if (r == 0)
		r = start_polling(m);
	if (r < 0) {
		log_error("cannot start", "error=\"%s\"", strerror(-r));
		return r;
	}
	pages_init(&m->pages, &m->exchange, &m->self, &m->heartbeat_ns,
		   m->config->web.telemetry_path);
	m->pages.routes[SELF_ROUTE_RELOAD] = lifecycle_route(&m->lifecycle);
	r = start_server(m);
	if (r < 0)
		return r;
	r = watchdog_init(&m->watchdog, &m->loop, m->http, service_watchdog_ns());
	if (r < 0) {
		log_error("cannot start", "error=\"%s\"", strerror(-r));
		return r;
	}
	listening_say(&m->listening, m->config);
	status_update(&m->status);
	polling_start(&m->polling, LANE_LISTENERS);
	return 0;
}

static int serve(struct manager *m)
{
	while (!m->is_stopping) {
		int r = loop_turn(&m->loop, -1);
		uint64_t now_ns = clock_monotonic_ns();

		if (r < 0) {
			log_error("the event loop failed", "error=\"%s\"", strerror(-r));
			return r;
		}
		self_set(&m->heartbeat_ns, now_ns);
		self_observe_duration(m->self.loop_busy, now_ns - m->loop.awake_ns);
	}
	return 0;
}

static void stop(struct manager *m)
{
	service_stopping();
	watchdog_done(&m->watchdog);
	if (m->http) {
		lifecycle_stop(&m->lifecycle, m->http);
		http_stop(m->http, STOP_GRACE_NS);
		http_free(m->http);
	}
	pages_done(&m->pages);
	polling_done(&m->polling);
	lifecycle_done(&m->lifecycle);
	loop_signals_done(&m->signals);
	loop_done(&m->loop);
	snapshot_exchange_done(&m->exchange);
	config_free(m->config);
	http_security_free(m->security);
}

int manager_run(const struct options *options, const char *config_path, struct loaded *loaded)
{
	struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->options = options;
	m->config_path = config_path;
	m->config = take_ptr(loaded->config);
	m->security = take_ptr(loaded->security);
	m->loop = (struct loop)LOOP_INIT;
	m->signals = (struct loop_signals)LOOP_OWNED_INIT;
	m->lifecycle = (struct lifecycle)LIFECYCLE_INIT;
	m->exchange = (struct snapshot_exchange)SNAPSHOT_EXCHANGE_INIT;
	m->watchdog = (struct watchdog)WATCHDOG_INIT;
	r = start(m);
	if (r == 0)
		r = serve(m);
	stop(m);
	free(m);
	return r;
}
