/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lifecycle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/io/log.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"

static bool is_due(struct lifecycle *l)
{
	bool due;

	pthread_mutex_lock(&l->lock);
	due = l->needed > l->begun && !l->is_stopping;
	pthread_mutex_unlock(&l->lock);
	return due;
}

/* One for another reason may have begun meanwhile. */
static void reload_if_due(struct lifecycle *l)
{
	if (!l->is_resting && is_due(l))
		l->reload(l);
}

static void on_wanted(struct loop_event *event, uint64_t count)
{
	(void)count;
	reload_if_due(container_of(event, struct lifecycle, wanted));
}

static void on_rested(struct loop_timer *timer, uint64_t expirations)
{
	struct lifecycle *l = container_of(timer, struct lifecycle, rest);

	(void)expirations;
	l->is_resting = false;
	reload_if_due(l);
}

static unsigned int say_forbidden(struct http_response *response)
{
	buf_add_str(&response->body, "Lifecycle API is not enabled.\n");
	return 403;
}

static unsigned int say_stopping(struct http_response *response)
{
	buf_add_str(&response->body, "sockstatd is stopping.\n");
	return 503;
}

static unsigned int say_result(const struct lifecycle *l, struct http_response *response)
{
	if (l->went_well) {
		buf_add_str(&response->body, "The configuration was reloaded.\n");
		return 200;
	}
	buf_add_str(&response->body, "failed to reload config: ");
	buf_add(&response->body, l->answer.data, l->answer.len);
	return 500;
}

/* A reload that goes on may have read the file already. */
static void order(struct lifecycle *l, uint64_t *needed)
{
	*needed = l->begun + 1;
	l->needed = *needed;
	loop_event_raise(&l->wanted);
}

/* The state of a request is how many reloads must have ended for its answer. */
static unsigned int answer(struct lifecycle *l, uint64_t *needed, struct http_response *response)
{
	if (*needed == 0 && !l->is_enabled)
		return say_forbidden(response);
	if (*needed == 0)
		order(l, needed);
	if (l->ended >= *needed)
		return say_result(l, response);
	return l->is_stopping ? say_stopping(response) : HTTP_PENDING;
}

static unsigned int render(void *userdata, const struct http_request *request,
			   struct http_response *response)
{
	struct lifecycle *l = userdata;
	unsigned int status;

	pthread_mutex_lock(&l->lock);
	status = answer(l, request->state, response);
	pthread_mutex_unlock(&l->lock);
	return status;
}

struct http_route lifecycle_route(struct lifecycle *l)
{
	return (struct http_route){"/-/reload", render, l, .is_action = true};
}

int lifecycle_init(struct lifecycle *l, struct loop *loop, lifecycle_reload_fn reload)
{
	int r = loop_timer_init(&l->rest, loop, on_rested);

	l->reload = reload;
	return r < 0 ? r : loop_event_init(&l->wanted, loop, on_wanted);
}

void lifecycle_done(struct lifecycle *l)
{
	loop_event_done(&l->wanted);
	loop_timer_done(&l->rest);
	buf_done(&l->faults);
	buf_done(&l->answer);
}

void lifecycle_enable(struct lifecycle *l, bool enabled)
{
	pthread_mutex_lock(&l->lock);
	l->is_enabled = enabled;
	pthread_mutex_unlock(&l->lock);
}

void lifecycle_begin(struct lifecycle *l)
{
	pthread_mutex_lock(&l->lock);
	l->begun++;
	pthread_mutex_unlock(&l->lock);
	buf_clear(&l->faults);
}

void lifecycle_fault(struct lifecycle *l, const char *format, ...)
{
	char text[SETTINGS_ERROR_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_add_str(&l->faults, text);
	buf_add_char(&l->faults, '\n');
}

void lifecycle_faults(struct lifecycle *l, const char *path, const struct config_errors *errors,
		      int error)
{
	for (size_t i = 0; i < errors->count; i++) {
		char text[SETTINGS_ERROR_MAX];

		settings_describe_error(path, &errors->items[i], text);
		lifecycle_fault(l, "%s", text);
	}
	if (errors->total > errors->count)
		lifecycle_fault(l, "%s: %zu more", path, errors->total - errors->count);
	if (error != -EINVAL)
		lifecycle_fault(l, "%s: %s", path ? path : "sockstatd", strerror(-error));
}

int lifecycle_fail(struct lifecycle *l, const char *what, int error)
{
	log_error(what, "error=\"%s\"", strerror(-error));
	lifecycle_fault(l, "%s: %s", what, strerror(-error));
	return error;
}

void lifecycle_end(struct lifecycle *l, struct http *http, bool well)
{
	struct buf before;

	pthread_mutex_lock(&l->lock);
	before = l->answer;
	l->answer = l->faults;
	l->ended = l->begun;
	l->went_well = well;
	pthread_mutex_unlock(&l->lock);
	l->faults = before;
	http_resume(http);
}

void lifecycle_rest(struct lifecycle *l, uint64_t pause_ns)
{
	l->is_resting = loop_timer_start(&l->rest, pause_ns, 0) == 0;
}

void lifecycle_stop(struct lifecycle *l, struct http *http)
{
	pthread_mutex_lock(&l->lock);
	l->is_stopping = true;
	pthread_mutex_unlock(&l->lock);
	http_resume(http);
}
