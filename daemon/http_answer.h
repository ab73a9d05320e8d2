/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its answer: the route table, and what is refused without asking it. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "daemon/http.h"
#include "daemon/http_security.h"

struct http_routes {
	const struct http_route *items;
	unsigned int count;
	const char *first_path;     /* that of route 0, */
	unsigned int first_max;     /* how many of its answers may be under way, 0: any number, */
	unsigned int first_answers; /* and how many are */
	http_observe_fn observe;
	void *observe_userdata;
	const struct http_header *headers; /* WEB_HEADERS, of every answer; NULL: none */
};

/* A request, from its head to the end of its answer. */
struct http_call {
	uint64_t state;  /* http_request.state */
	bool is_pending; /* its route has answered HTTP_PENDING */
	bool is_first;   /* counted among the answers of route 0 */
};

/* What a request may bring along; it is read and dropped. */
#define HTTP_BODY_MAX UINT64_C(65536)

/* With the head of a request: answers if it is one that needs no body to be refused. Returns
 * whether it did; RET_RESULT is then for libmicrohttpd. */
bool http_refuse(const struct http_routes *routes, struct MHD_Connection *connection,
		 const char *method, const char *path, enum MHD_Result *ret_result);
/* Why somebody is not answered what he asks for. */
enum http_unwelcome {
	HTTP_UNWELCOME_STRANGER, /* 401 */
	HTTP_UNWELCOME_TOO_MANY, /* 429: requests */
	HTTP_UNWELCOME_BUSY,     /* 503: nobody had time to look who it is */
};

enum MHD_Result http_answer_unwelcome(const struct http_routes *routes,
				      struct MHD_Connection *connection, const char *path,
				      enum http_unwelcome why);
/* With the whole request of somebody who may come, and again after CALL was pending. It is
 * answered, or pending. */
enum MHD_Result http_answer(struct http_routes *routes, struct MHD_Connection *connection,
			    const char *path, struct http_call *call);
/* CALL is answered to the last byte, or will not be. May run twice. */
void http_call_end(struct http_routes *routes, struct http_call *call);
