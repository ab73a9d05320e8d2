/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd, driven from our loop: its epoll descriptor is a source there, and we hand it
 * connections. It tells when one begins and ends and when an answer is out; a connection's
 * descriptor is closed by it alone.
 */
#include <errno.h>
#include <gnutls/abstract.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_internal.h"
#include "daemon/http_tls.h"
#include "daemon/http_wire.h"
#include "daemon/io/clock.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"

/* How often in a row it may say that there is more to do, before others have their turn. */
#define ROUNDS_PER_SERVE 16
/* A header of 10 KiB fits. */
#define MEMORY_PER_CONNECTION 16384
/* Beyond any of ours: its own limit refuses where we make room. */
#define CONNECTIONS_MAX 1048576u
/* What it logs is about clients, and each malformed request is a line. */
#define LOG_PERIOD_NS NSEC_PER_SEC

struct http_client {
	struct http_connection connection;
	struct MHD_Connection *handle;
	struct http_tls *tls; /* a reference; NULL: plain */
	struct http_wire wire;
	struct http_waiter waiter;
	bool is_judged;      /* it waits for its password to be looked at */
	uint64_t body_bytes; /* of the request */
	struct http_call call;
	TAILQ_ENTRY(http_client) pending;
};

static void __attribute__((format(printf, 2, 0)))
log_message(void *cls, const char *format, va_list arguments)
{
	struct http *h = cls;
	char message[256], quoted[300];
	uint64_t held_back;

	if (!log_limit_pass(&h->daemon_limit, clock_monotonic_ns(), &held_back))
		return;
	vsnprintf(message, sizeof(message), format, arguments);
	message[strcspn(message, "\n")] = '\0';
	log_debug("HTTP library", "message=%s held_back=%" PRIu64,
		  log_quote(message, quoted, sizeof(quoted)), held_back);
}

static void publish_count(struct http *h)
{
	atomic_store_explicit(&h->open_connections, http_connections_count(&h->connections),
			      memory_order_relaxed);
}

static void client_free(struct http *h, struct http_client *client)
{
	http_call_end(&h->routes, &client->call);
	http_connections_remove(&h->connections, &client->connection);
	publish_count(h);
	http_tls_unref(client->tls);
	free(client);
}

/* The session is there, and has not begun to shake hands. */
static void begin_tls(struct http_client *client)
{
	gnutls_session_t session =
		MHD_get_connection_info(client->handle, MHD_CONNECTION_INFO_GNUTLS_SESSION)
			->tls_session;

	http_wire_attach(&client->wire, client->connection.fd, session);
	http_tls_attach(client->tls, session);
}

static void connection_changed(void *cls, struct MHD_Connection *handle, void **socket_context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		h->arriving->handle = handle;
		*socket_context = h->arriving;
		if (h->arriving->tls)
			begin_tls(h->arriving);
		h->arriving = NULL;
	} else {
		client_free(h, *socket_context);
	}
}

static void request_completed(void *cls, struct MHD_Connection *handle, void **request_context,
			      enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct http_client *client = *request_context;

	(void)handle;
	(void)code;
	if (!client)
		return;
	http_call_end(&h->routes, &client->call);
	http_connections_enter(&h->connections, &client->connection, HTTP_WAITING,
			       clock_monotonic_ns());
}

static struct http_client *client_of(struct MHD_Connection *handle)
{
	return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static enum MHD_Result drop_body(struct http_client *client, size_t *upload_data_size)
{
	client->body_bytes += *upload_data_size;
	*upload_data_size = 0;
	return client->body_bytes <= HTTP_BODY_MAX ? MHD_YES : MHD_NO;
}

/* Until then libmicrohttpd does not look at the connection, nor sees its end. */
static void suspend(struct http *h, struct http_client *client)
{
	TAILQ_INSERT_TAIL(&h->pending, client, pending);
	MHD_suspend_connection(client->handle);
}

static void resume(struct http *h, struct http_client *client)
{
	TAILQ_REMOVE(&h->pending, client, pending);
	MHD_resume_connection(client->handle);
}

/* Its password has been held against the hash. It is served at the end of this turn of the loop. */
static void resume_judged(struct http_gate *gate, struct http_waiter *waiter)
{
	(void)gate;
	MHD_resume_connection(container_of(waiter, struct http_client, waiter)->handle);
}

static enum http_verdict judge(struct http *h, struct http_client *client)
{
	const char *field = MHD_lookup_connection_value(client->handle, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_AUTHORIZATION);

	h->gate.waiters_max = MIN(HTTP_GATE_WAITERS_MAX, h->limits.connections / 2 + 1);
	return http_gate_judge(&h->gate, h->security ? h->security->users : NULL, field,
			       &client->connection.remote, &client->waiter);
}

static enum MHD_Result answer_welcome(struct http *h, struct http_client *client, const char *path)
{
	enum MHD_Result result = http_answer(&h->routes, client->handle, path, &client->call);

	if (client->call.is_pending)
		suspend(h, client);
	return result;
}

static enum MHD_Result answer_who_may_come(struct http *h, struct http_client *client,
					   const char *path)
{
	enum http_verdict verdict = judge(h, client);

	client->is_judged = verdict == HTTP_VERDICT_WAIT;
	switch (verdict) {
	case HTTP_VERDICT_WAIT:
		MHD_suspend_connection(client->handle);
		return MHD_YES;
	case HTTP_VERDICT_REFUSE:
		return http_answer_unwelcome(&h->routes, client->handle, path,
					     HTTP_UNWELCOME_STRANGER);
	case HTTP_VERDICT_BUSY:
		return http_answer_unwelcome(&h->routes, client->handle, path, HTTP_UNWELCOME_BUSY);
	case HTTP_VERDICT_PASS:
		break;
	}
	return answer_welcome(h, client, path);
}

/* The whole request, and again when it was pending, who then was let in, or its password was looked
 * at. It is under way, and counted, since the first time. */
static enum MHD_Result answer(struct http *h, struct http_client *client, const char *path)
{
	if (client->connection.phase == HTTP_LEAVING)
		return MHD_NO;
	if (client->call.is_pending)
		return answer_welcome(h, client, path);
	if (client->is_judged)
		return answer_who_may_come(h, client, path);
	http_connections_enter(&h->connections, &client->connection, HTTP_ANSWERING,
			       clock_monotonic_ns());
	if (h->security && !token_bucket_take(&h->security->rate, clock_monotonic_ns()))
		return http_answer_unwelcome(&h->routes, client->handle, path,
					     HTTP_UNWELCOME_TOO_MANY);
	return answer_who_may_come(h, client, path);
}

/* Called with the head of a request, with each piece of its body, with its end, and once more each
 * time that it is resumed. An answer at the first call would end the connection, so there only
 * refusals are given.
 * NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's. */
static enum MHD_Result handle_request(void *cls, struct MHD_Connection *handle, const char *url,
				      const char *method, const char *version,
				      const char *upload_data, size_t *upload_data_size,
				      void **request_context)
{
	struct http *h = cls;
	struct http_client *client = *request_context;
	enum MHD_Result result = MHD_YES;

	(void)version, (void)upload_data;
	if (!client) {
		client = client_of(handle);
		client->body_bytes = 0;
		client->call = (struct http_call){0};
		client->is_judged = false;
		*request_context = client;
		if (http_refuse(&h->routes, handle, method, url, &result))
			http_connections_enter(&h->connections, &client->connection, HTTP_ANSWERING,
					       clock_monotonic_ns());
		return result;
	}
	if (*upload_data_size > 0)
		return drop_body(client, upload_data_size);
	return answer(h, client, url);
}

/* It wants a certificate to start; each session has one of its own.
 * NOLINTNEXTLINE(readability-function-size): the parameters are GnuTLS's. */
static int have_no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
			       int authority_count, const gnutls_pk_algorithm_t *algorithms,
			       int algorithm_count, gnutls_pcert_st **ret_chain,
			       unsigned int *ret_chain_len, gnutls_privkey_t *ret_key)
{
	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	(void)ret_chain;
	(void)ret_chain_len;
	(void)ret_key;
	return -1;
}

static unsigned int timeout_ms(const struct http_library *library, unsigned int max_ms)
{
	unsigned long long ms;

	if (MHD_get_timeout(library->daemon, &ms) != MHD_YES || ms > max_ms)
		return max_ms;
	return (unsigned int)ms;
}

/* Its epoll is edge-triggered: what it has not finished shows in its time-out only. */
static void serve(struct http_library *library)
{
	for (int i = 0; i < ROUNDS_PER_SERVE; i++) {
		MHD_run(library->daemon);
		if (timeout_ms(library, 1) > 0)
			break;
	}
}

void http_daemon_resume(struct http *h)
{
	while (!TAILQ_EMPTY(&h->pending))
		resume(h, TAILQ_FIRST(&h->pending));
}

void http_daemon_reap(struct http *h)
{
	struct http_client *client, *next;

	for (client = TAILQ_FIRST(&h->pending); client; client = next) {
		next = TAILQ_NEXT(client, pending);
		if (client->connection.phase == HTTP_LEAVING)
			resume(h, client);
	}
}

static void library_ready(struct loop_source *source, uint32_t events)
{
	(void)events;
	serve(container_of(source, struct http_library, source));
}

int http_daemon_init(struct http *h)
{
	http_connections_init(&h->connections);
	TAILQ_INIT(&h->pending);
	h->daemon_limit.period_ns = LOG_PERIOD_NS;
	for (int i = 0; i < HTTP_LIBRARIES; i++)
		h->libraries[i] = (struct http_library){NULL, LOOP_SOURCE_INIT};
	return http_gate_init(&h->gate, &h->loop, resume_judged);
}

int http_daemon_start(struct http *h, enum http_library_kind kind)
{
	const struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)have_no_certificate},
		{MHD_OPTION_END, 0, NULL},
	};
	const unsigned int flags = kind == HTTP_LIBRARY_TLS ? MHD_USE_TLS : 0;
	struct http_library *library = &h->libraries[kind];
	const union MHD_DaemonInfo *info;

	if (library->daemon)
		return 0;
	errno = 0;
	library->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
			MHD_ALLOW_SUSPEND_RESUME | flags,
		0, NULL, NULL, handle_request, h, MHD_OPTION_EXTERNAL_LOGGER, log_message, h,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_PER_CONNECTION, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, h, MHD_OPTION_NOTIFY_COMPLETED,
		request_completed, h, MHD_OPTION_ARRAY, tls_options + (flags == 0), MHD_OPTION_END);
	if (!library->daemon)
		return errno > 0 ? -errno : -ENOMEM;
	info = MHD_get_daemon_info(library->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return loop_source_add(&h->loop, &library->source, info->epoll_fd, EPOLLIN, library_ready);
}

void http_daemon_stop(struct http *h)
{
	/* It must have no connection that is suspended. */
	http_gate_done(&h->gate);
	http_daemon_resume(h);
	for (int i = 0; i < HTTP_LIBRARIES; i++) {
		struct http_library *library = &h->libraries[i];

		loop_source_remove(&library->source);
		if (library->daemon)
			MHD_stop_daemon(library->daemon);
		library->daemon = NULL;
	}
}

enum http_library_kind http_daemon_kind(const struct http_security *security)
{
	return security && security->tls ? HTTP_LIBRARY_TLS : HTTP_LIBRARY_PLAIN;
}

void http_daemon_serve(struct http *h)
{
	for (int i = 0; i < HTTP_LIBRARIES; i++)
		if (h->libraries[i].daemon)
			serve(&h->libraries[i]);
}

unsigned int http_daemon_timeout_ms(struct http *h, unsigned int max_ms)
{
	for (int i = 0; i < HTTP_LIBRARIES; i++)
		if (h->libraries[i].daemon)
			max_ms = timeout_ms(&h->libraries[i], max_ms);
	return max_ms;
}

static unsigned int inactivity_seconds(const struct http_limits *limits)
{
	uint64_t seconds =
		limits->inactivity_ns / NSEC_PER_SEC + (limits->inactivity_ns % NSEC_PER_SEC > 0);

	return (unsigned int)MIN(seconds, UINT32_MAX);
}

void http_daemon_admit(struct http *h, int fd, const struct sockaddr *address, socklen_t len)
{
	enum http_library_kind kind = http_daemon_kind(h->security);
	struct in6_addr remote = http_remote(address);
	struct http_client *client;

	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	http_connections_add(&h->connections, &client->connection, fd, &remote,
			     clock_monotonic_ns());
	publish_count(h);
	if (kind == HTTP_LIBRARY_TLS)
		client->tls = http_tls_ref(h->security->tls);
	h->arriving = client;
	/* The time-out not before the connection is in: on its way out of a failure libmicrohttpd
	 * looks for it among those that have the daemon's. */
	if (MHD_add_connection(h->libraries[kind].daemon, fd, address, len) == MHD_YES)
		MHD_set_connection_option(client->handle, MHD_CONNECTION_OPTION_TIMEOUT,
					  inactivity_seconds(&h->limits));
	else if (h->arriving)
		client_free(h, h->arriving);
	h->arriving = NULL;
}
