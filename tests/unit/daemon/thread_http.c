/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's threads, for TSan: clients on several threads scrape without pause while the server
 * is given new addresses, limits and paths, and none of them fails; and it is started and stopped
 * under them. Some of what they ask for is pending at first, and another thread has it resumed. A
 * program of its own, since Criterion does not start under TSan.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/unit/daemon/http_client.h"

#define CLIENTS   4
#define CHANGES   200
#define RESTARTS  20
#define SCRAPES   500 /* at least, by each client */
#define KEPT_FOR  10  /* requests of one connection */
#define NO_STATUS (-1000)

struct scraper {
	uint16_t port;
	pthread_t thread;
	_Atomic bool end;
	unsigned int scrapes;
	int error; /* the first: -errno, or NO_STATUS less the status that was not 200 */
};

struct resumer {
	struct http *http;
	pthread_t thread;
	_Atomic bool end;
};

static void *resume(void *userdata)
{
	struct resumer *r = userdata;

	while (!r->end) {
		http_resume(r->http);
		poll(NULL, 0, 1);
	}
	return NULL;
}

static void start_resumer(struct resumer *r, struct http *h)
{
	*r = (struct resumer){.http = h};
	pthread_create(&r->thread, NULL, resume, r);
}

static void end_resumer(struct resumer *r)
{
	r->end = true;
	pthread_join(r->thread, NULL);
}

static int scrape_kept(struct scraper *s)
{
	_close_ int fd = client_connect(s->port, NULL);
	struct client_answer a;
	int r = fd < 0 ? fd : 0;

	for (int i = 0; i < KEPT_FOR && r == 0; i++) {
		r = client_send(fd, i == KEPT_FOR / 2
					    ? "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
					    : "GET /typed HTTP/1.1\r\nHost: localhost\r\n\r\n");
		if (r == 0)
			r = client_receive(fd, false, &a);
		if (r == 0 && a.status != 200)
			r = NO_STATUS - (int)a.status;
		s->scrapes++;
	}
	return r;
}

static void *scrape(void *userdata)
{
	struct scraper *s = userdata;
	struct client_answer a;
	int r = 0;

	while (r == 0 && (!s->end || s->scrapes < SCRAPES)) {
		r = client_get(s->port, "/typed", &a);
		if (r == 0 && a.status != 200)
			r = NO_STATUS - (int)a.status;
		s->scrapes++;
		if (r == 0)
			r = scrape_kept(s);
	}
	s->error = r;
	return NULL;
}

static void start_scrapers(struct scraper *scrapers, uint16_t port)
{
	for (int i = 0; i < CLIENTS; i++) {
		scrapers[i] = (struct scraper){.port = port};
		pthread_create(&scrapers[i].thread, NULL, scrape, &scrapers[i]);
	}
}

static int end_scrapers(struct scraper *scrapers)
{
	int failed = 0;

	for (int i = 0; i < CLIENTS; i++)
		scrapers[i].end = true;
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(scrapers[i].thread, NULL);
		printf("client %d: %u scrapes, error %d\n", i, scrapers[i].scrapes,
		       scrapers[i].error);
		failed |= scrapers[i].error != 0;
	}
	return failed;
}

/* Each second change another limit, path and second address; the first address stays. */
static int change(struct http *h, int i)
{
	char *addresses[] = {(char *)"127.0.0.1:0", i % 2 ? (char *)"127.0.0.2:0" : NULL};
	struct http_limits limits = test_limits();
	struct http_listeners *listeners;
	unsigned int failed;
	int r;

	limits.connections += (unsigned int)(i % 3);
	r = http_listeners_new(addresses, i % 2 ? 2 : 1, http_current_listeners(h), &listeners,
			       &failed);
	if (r < 0)
		return r;
	r = http_configure(h, listeners, NULL, &limits, i % 2 ? "/odd" : "/even");
	if (r < 0)
		http_listeners_free(listeners);
	return r;
}

static int check_path(uint16_t port, int i)
{
	struct client_answer a;
	int r = client_get(port, i % 2 ? "/odd" : "/even", &a);

	if (r < 0)
		return r;
	return a.status == 200 ? 0 : NO_STATUS - (int)a.status;
}

static int change_under_load(struct http *h)
{
	struct scraper scrapers[CLIENTS];
	uint16_t port = server_port(h);
	struct resumer resumer;
	int r = 0;

	start_resumer(&resumer, h);
	start_scrapers(scrapers, port);
	for (int i = 0; i < CHANGES && r == 0; i++) {
		r = change(h, i);
		if (r == 0)
			r = check_path(port, i);
		if (http_connections(h) > test_limits().connections || http_heartbeat_ns(h) == 0)
			r = -ERANGE;
	}
	if (r < 0)
		printf("change: %d\n", r);
	r = end_scrapers(scrapers) || r < 0;
	end_resumer(&resumer);
	return r;
}

/* What a client meets then is its own affair; the server's is to come to an end. */
static int stop_under_load(const struct http_settings *settings)
{
	struct scraper scrapers[CLIENTS];
	struct resumer resumer;
	struct http *h;
	int r;

	r = server_start("127.0.0.1:0", settings, &h);
	if (r < 0)
		return r;
	start_resumer(&resumer, h);
	start_scrapers(scrapers, server_port(h));
	r = check_path(server_port(h), 0) == NO_STATUS - 404 ? 0 : -EPROTO;
	/* What is pending then has the grace, and is ended. */
	end_resumer(&resumer);
	http_stop(h, 10 * NSEC_PER_MSEC);
	http_free(h);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(scrapers[i].thread, NULL);
	return r;
}

int main(void)
{
	struct http_settings settings = {
		.routes = test_routes, .route_count = test_route_count, .limits = test_limits()};
	struct http *h;
	int r;

	r = server_start("127.0.0.1:0", &settings, &h);
	if (r < 0) {
		printf("start: %s\n", strerror(-r));
		return 1;
	}
	r = change_under_load(h);
	http_free(h);
	for (int i = 0; i < RESTARTS && r == 0; i++)
		r = stop_under_load(&settings);
	return r != 0;
}
