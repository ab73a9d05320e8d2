/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_answer.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "daemon/util/parse_num.h"

#define TEXT_TYPE "text/plain; charset=utf-8"

struct header {
	const char *name, *value;
};

/* libmicrohttpd renamed some of its own from version to version. */
enum http_status {
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_METHOD_NOT_ALLOWED = 405,
	STATUS_CONTENT_TOO_LARGE = 413,
	STATUS_TOO_MANY_REQUESTS = 429,
	STATUS_INTERNAL_SERVER_ERROR = 500,
	STATUS_SERVICE_UNAVAILABLE = 503,
};

static const char *status_body(enum http_status status)
{
	switch (status) {
	case STATUS_UNAUTHORIZED:
		return "Unauthorized\n";
	case STATUS_FORBIDDEN:
		return "Forbidden to pages of other origins\n";
	case STATUS_NOT_FOUND:
		return "Not Found\n";
	case STATUS_METHOD_NOT_ALLOWED:
		return "Method Not Allowed\n";
	case STATUS_CONTENT_TOO_LARGE:
		return "Content Too Large\n";
	case STATUS_TOO_MANY_REQUESTS:
		return "Too Many Requests\n";
	case STATUS_INTERNAL_SERVER_ERROR:
		return "Internal Server Error\n";
	case STATUS_SERVICE_UNAVAILABLE:
		return "Service Unavailable\n";
	}
	return "";
}

static int find_route(const struct http_routes *routes, const char *path)
{
	for (unsigned int i = 0; i < routes->count; i++)
		if (strcmp(path, i == 0 ? routes->first_path : routes->items[i].path) == 0)
			return (int)i;
	return -1;
}

static bool is_action(const struct http_routes *routes, int route)
{
	return route >= 0 && routes->items[route].is_action;
}

static void observe(const struct http_routes *routes, int route, unsigned int status)
{
	if (routes->observe)
		routes->observe(routes->observe_userdata, route, status);
}

static enum MHD_Result add_configured(const struct http_routes *routes,
				      struct MHD_Response *response)
{
	enum MHD_Result result = MHD_YES;

	for (unsigned int i = 0; routes->headers && result == MHD_YES && i < WEB_HEADERS; i++)
		if (routes->headers[i].value)
			result = MHD_add_response_header(response, routes->headers[i].name,
							 routes->headers[i].value);
	return result;
}

/* Takes RESPONSE over. HEADERS up to one without a name; those without a value are left out. */
static enum MHD_Result queue(const struct http_routes *routes, struct MHD_Connection *connection,
			     struct MHD_Response *response, unsigned int status,
			     const struct header *headers)
{
	enum MHD_Result result = add_configured(routes, response);

	for (; result == MHD_YES && headers->name; headers++)
		if (headers->value)
			result = MHD_add_response_header(response, headers->name, headers->value);
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result queue_error(const struct http_routes *routes,
				   struct MHD_Connection *connection, int route,
				   enum http_status status)
{
	const char *methods = is_action(routes, route) ? "POST, PUT" : "GET, HEAD";
	const struct header headers[] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE, TEXT_TYPE},
		{MHD_HTTP_HEADER_ALLOW, status == STATUS_METHOD_NOT_ALLOWED ? methods : NULL},
		{MHD_HTTP_HEADER_WWW_AUTHENTICATE,
		 status == STATUS_UNAUTHORIZED ? "Basic realm=\"sockstatd\"" : NULL},
		{MHD_HTTP_HEADER_RETRY_AFTER, status == STATUS_SERVICE_UNAVAILABLE ? "1" : NULL},
		{NULL, NULL},
	};
	const char *body = status_body(status);
	struct MHD_Response *response;

	observe(routes, route, status);
	response =
		MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_PERSISTENT);
	return response ? queue(routes, connection, response, status, headers) : MHD_NO;
}

/* A field of the request's head, or NULL. */
static const char *field(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool body_too_large(struct MHD_Connection *connection)
{
	const char *text = field(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t length;

	return text && parse_u64(text, 0, HTTP_BODY_MAX, &length) < 0;
}

static bool is_allowed(const char *method, bool action)
{
	const char *const methods[] = {
		action ? MHD_HTTP_METHOD_POST : MHD_HTTP_METHOD_GET,
		action ? MHD_HTTP_METHOD_PUT : MHD_HTTP_METHOD_HEAD,
	};

	return strcmp(method, methods[0]) == 0 || strcmp(method, methods[1]) == 0;
}

/* Whether a field Host can be nobody else's: an address, or this machine. Any other name may lead
 * here though its owner did not mean it ("DNS rebinding"). */
static bool is_own(const char *host)
{
	const char *first = host + (*host == '[');
	size_t len = strcspn(first, *host == '[' ? "]" : ":");
	struct in6_addr address;
	char name[64] = "";

	if (len >= sizeof(name))
		return false;
	memcpy(name, first, len);
	return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET6, name, &address) == 1 ||
	       inet_pton(AF_INET, name, &address) == 1;
}

/* Browsers say which page a request comes from, and one of ours names the host that it asks. What
 * is no browser need not say anything. */
static bool is_foreign(struct MHD_Connection *connection)
{
	const char *origin = field(connection, MHD_HTTP_HEADER_ORIGIN);
	const char *host = field(connection, MHD_HTTP_HEADER_HOST);
	const char *authority;

	if (!origin)
		return false;
	authority = strstr(origin, "://");
	return !authority || !host || strcasecmp(authority + strlen("://"), host) != 0 ||
	       !is_own(host);
}

bool http_refuse(const struct http_routes *routes, struct MHD_Connection *connection,
		 const char *method, const char *path, enum MHD_Result *ret_result)
{
	int route = find_route(routes, path);
	bool action = is_action(routes, route);
	enum http_status status;

	if (!is_allowed(method, action))
		status = STATUS_METHOD_NOT_ALLOWED;
	else if (action && is_foreign(connection))
		status = STATUS_FORBIDDEN;
	else if (body_too_large(connection))
		status = STATUS_CONTENT_TOO_LARGE;
	else
		return false;
	*ret_result = queue_error(routes, connection, route, status);
	return true;
}

enum MHD_Result http_answer_unwelcome(const struct http_routes *routes,
				      struct MHD_Connection *connection, const char *path,
				      enum http_unwelcome why)
{
	static const enum http_status statuses[] = {
		[HTTP_UNWELCOME_STRANGER] = STATUS_UNAUTHORIZED,
		[HTTP_UNWELCOME_TOO_MANY] = STATUS_TOO_MANY_REQUESTS,
		[HTTP_UNWELCOME_BUSY] = STATUS_SERVICE_UNAVAILABLE,
	};

	return queue_error(routes, connection, find_route(routes, path), statuses[why]);
}

/* A body that could not be made whole is not handed out. */
static struct MHD_Response *response_of(struct http_response *rendered)
{
	struct MHD_Response *response;

	if (rendered->body.error)
		return NULL;
	response = MHD_create_response_from_buffer(rendered->body.len, rendered->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (response)
		rendered->body = (struct buf)BUF_INIT;
	return response;
}

struct argument_call {
	http_argument_fn fn;
	void *userdata;
};

static enum MHD_Result call_argument(void *cls, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	const struct argument_call *call = cls;

	(void)kind;
	call->fn(call->userdata, name, value);
	return MHD_YES;
}

void http_each_argument(const struct http_request *request, http_argument_fn fn, void *userdata)
{
	struct argument_call call = {fn, userdata};

	MHD_get_connection_values((struct MHD_Connection *)request->handle, MHD_GET_ARGUMENT_KIND,
				  call_argument, &call);
}

static enum MHD_Result queue_rendered(const struct http_routes *routes,
				      struct MHD_Connection *connection,
				      struct MHD_Response *response, unsigned int status,
				      const struct http_response *rendered)
{
	const struct header headers[] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE,
		 rendered->content_type ? rendered->content_type : TEXT_TYPE},
		{MHD_HTTP_HEADER_CONTENT_ENCODING, rendered->content_encoding},
		{MHD_HTTP_HEADER_VARY, rendered->vary},
		{NULL, NULL},
	};

	return queue(routes, connection, response, status, headers);
}

void http_call_end(struct http_routes *routes, struct http_call *call)
{
	routes->first_answers -= call->is_first;
	call->is_first = false;
}

/* Whether an answer of route 0 may begin, which is under way from then on; as one is that was
 * pending.
 */
static bool begin_first(struct http_routes *routes, struct http_call *call)
{
	if (call->is_first)
		return true;
	if (routes->first_max > 0 && routes->first_answers >= routes->first_max)
		return false;
	routes->first_answers++;
	call->is_first = true;
	return true;
}

static unsigned int render(struct http_routes *routes, int route, struct http_call *call,
			   const struct http_request *request, struct http_response *response)
{
	if (route == 0 && !begin_first(routes, call)) {
		buf_add_format(&response->body,
			       "Limit of concurrent requests reached (%u), try again later.\n",
			       routes->first_max);
		return 503;
	}
	return routes->items[route].render(routes->items[route].userdata, request, response);
}

enum MHD_Result http_answer(struct http_routes *routes, struct MHD_Connection *connection,
			    const char *path, struct http_call *call)
{
	const struct http_request request = {
		.accept = field(connection, MHD_HTTP_HEADER_ACCEPT),
		.accept_encoding = field(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING),
		.state = &call->state,
		.handle = (struct http_handle *)connection,
	};
	struct http_response rendered = {.body = BUF_INIT};
	struct MHD_Response *response;
	unsigned int status;
	int route;

	route = find_route(routes, path);
	if (route < 0)
		return queue_error(routes, connection, route, STATUS_NOT_FOUND);
	status = render(routes, route, call, &request, &rendered);
	call->is_pending = status == HTTP_PENDING;
	if (call->is_pending) {
		buf_done(&rendered.body);
		return MHD_YES;
	}
	response = response_of(&rendered);
	buf_done(&rendered.body);
	if (!response)
		return queue_error(routes, connection, route, STATUS_INTERNAL_SERVER_ERROR);
	observe(routes, route, status);
	return queue_rendered(routes, connection, response, status, &rendered);
}
