/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and a route have to say to each other, which is nothing of libmicrohttpd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/util/buf.h"

struct http_handle;

/* What a route may ask of a request; NULL: the client has not said. Valid while it renders. */
struct http_request {
	const char *accept, *accept_encoding;
	uint64_t *state;            /* the route's own of this request; 0 at first */
	struct http_handle *handle; /* for http_each_argument() */
};

/* VALUE: decoded, or NULL if the argument has none. */
typedef void (*http_argument_fn)(void *userdata, const char *name, const char *value);
/* Calls FN for each argument of the request's query, in order. */
void http_each_argument(const struct http_request *request, http_argument_fn fn, void *userdata);

struct http_response {
	struct buf body;
	const char *content_type;     /* static; NULL: text/plain; charset=utf-8 */
	const char *content_encoding; /* static; NULL: none */
	const char *vary;             /* static: the fields that it depends on; NULL: none */
};

/* What a route returns in the place of a status while it has no answer: the request is set aside,
 * the server goes on with others, and after the next http_resume(), or sooner, asks the route
 * again. It stays an answer under way, with its place and its deadline; a request whose client was
 * let go meanwhile is not asked for again. */
#define HTTP_PENDING 0u

/* Renders the answer to GET, or does what an action does, on the server's thread, and returns the
 * status, 200 for example, or HTTP_PENDING. HEAD is GET without the body; every other method was
 * refused before. */
typedef unsigned int (*http_render_fn)(void *userdata, const struct http_request *request,
				       struct http_response *response);

struct http_route {
	const char *path; /* exact; may change with http_configure() */
	http_render_fn render;
	void *userdata;
	/* Does something: asked for with POST or PUT alone, and not by pages of other origins. */
	bool is_action;
};

/* Called on the server's thread for each answer; ROUTE is an index, −1 for a path that is none. */
typedef void (*http_observe_fn)(void *userdata, int route, unsigned int status);
