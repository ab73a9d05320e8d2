/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_verifier.h"

#include <errno.h>

#include "daemon/http_users.h"
#include "daemon/util/macros.h"

/* Waits for the next check; NULL: there is no other. */
static struct http_check *next(struct http_verifier *v)
{
	struct http_check *check;

	pthread_mutex_lock(&v->lock);
	while (!v->is_stopping && TAILQ_EMPTY(&v->waiting))
		pthread_cond_wait(&v->wake, &v->lock);
	check = v->is_stopping ? NULL : TAILQ_FIRST(&v->waiting);
	if (check)
		TAILQ_REMOVE(&v->waiting, check, link);
	v->current = check;
	pthread_mutex_unlock(&v->lock);
	return check;
}

static void *run(void *userdata)
{
	struct http_verifier *v = userdata;
	struct http_check *check;

	/* But for what http_users_verify() lets be left. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_setname_np(pthread_self(), "passwords");
	while ((check = next(v))) {
		check->result = http_users_verify(check->hash, check->password);
		pthread_mutex_lock(&v->lock);
		TAILQ_INSERT_TAIL(&v->done, check, link);
		v->current = NULL;
		pthread_mutex_unlock(&v->lock);
		loop_event_raise(&v->event);
	}
	return NULL;
}

static struct http_check *take_first(struct http_verifier *v, struct http_checks *checks)
{
	struct http_check *check;

	pthread_mutex_lock(&v->lock);
	check = TAILQ_FIRST(checks);
	if (check)
		TAILQ_REMOVE(checks, check, link);
	pthread_mutex_unlock(&v->lock);
	return check;
}

static void end_done(struct http_verifier *v)
{
	struct http_check *check;

	while ((check = take_first(v, &v->done)))
		v->ended(v, check);
}

static void on_done(struct loop_event *event, uint64_t count)
{
	(void)count;
	end_done(container_of(event, struct http_verifier, event));
}

int http_verifier_init(struct http_verifier *v, struct loop *loop, http_check_ended_fn ended)
{
	*v = (struct http_verifier){
		.event = LOOP_OWNED_INIT,
		.ended = ended,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER,
	};
	TAILQ_INIT(&v->waiting);
	TAILQ_INIT(&v->done);
	return loop_event_init(&v->event, loop, on_done);
}

int http_verifier_submit(struct http_verifier *v, struct http_check *check)
{
	int r;

	if (!v->is_running) {
		r = -pthread_create(&v->thread, NULL, run, v);
		if (r < 0)
			return r;
		v->is_running = true;
	}
	pthread_mutex_lock(&v->lock);
	TAILQ_INSERT_TAIL(&v->waiting, check, link);
	pthread_cond_signal(&v->wake);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

static void join(struct http_verifier *v)
{
	pthread_mutex_lock(&v->lock);
	v->is_stopping = true;
	pthread_cond_signal(&v->wake);
	pthread_mutex_unlock(&v->lock);
	pthread_cancel(v->thread);
	pthread_join(v->thread, NULL);
	v->is_running = false;
	/* It was left where it was. */
	if (v->current)
		TAILQ_INSERT_HEAD(&v->waiting, v->current, link);
	v->current = NULL;
}

void http_verifier_done(struct http_verifier *v)
{
	struct http_check *check;

	if (!v->ended)
		return;
	if (v->is_running)
		join(v);
	end_done(v);
	while ((check = take_first(v, &v->waiting))) {
		check->result = -ECANCELED;
		v->ended(v, check);
	}
	loop_event_done(&v->event);
	v->ended = NULL;
}
