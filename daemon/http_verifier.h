/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds passwords against hashes on a thread of its own, one after the other, since each takes
 * longer than the server may stand still. The thread begins with the first one.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/io/loop.h"

#define HTTP_PASSWORD_MAX 72 /* bytes of which bcrypt takes notice */

struct http_check {
	TAILQ_ENTRY(http_check) link; /* the verifier's */
	const char *hash;             /* owned by whoever submits it, until it has ended */
	char password[HTTP_PASSWORD_MAX + 1];
	int result; /* of http_users_verify(); -ECANCELED: it was not looked at */
};

TAILQ_HEAD(http_checks, http_check);

struct http_verifier;

/* On the thread of the loop; CHECK is the caller's again. */
typedef void (*http_check_ended_fn)(struct http_verifier *verifier, struct http_check *check);

struct http_verifier {
	struct loop_event event;
	http_check_ended_fn ended;
	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct http_checks waiting, done;
	struct http_check *current; /* on its thread */
	bool is_stopping;
};

/* 0 or -errno. */
int http_verifier_init(struct http_verifier *v, struct loop *loop, http_check_ended_fn ended);
/* 0, or -errno: there is no thread. */
int http_verifier_submit(struct http_verifier *v, struct http_check *check);
/* Ends each check that was submitted, also the one that is under way. May be called on one that is
 * all zeros, and twice. */
void http_verifier_done(struct http_verifier *v);
