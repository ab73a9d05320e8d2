/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may pass, without the server ever waiting for a password to be verified. What was right or
 * wrong once is known by a keyed digest of name, hash and password, so a reload forgets nothing but
 * what it changes. Wrong passwords cannot push out right ones. What must be verified waits, in a
 * bounded number for all and for each address; who comes beyond that is told to come again.
 */
#pragma once

#include <netinet/in.h>

#include "config/web_config.h"
#include "daemon/http_verifier.h"

struct basic_auth;
struct http_users;

#define HTTP_GATE_WAITERS_MAX      16  /* requests, of however many passwords */
#define HTTP_GATE_WAITERS_PER_HOST 4   /* beyond this, a host may bring no password that is new */
#define HTTP_GATE_WRONG_MAX        256 /* passwords that are known to be wrong */
#define HTTP_GATE_DIGEST           32  /* bytes */

enum http_verdict {
	HTTP_VERDICT_PASS,
	HTTP_VERDICT_REFUSE,
	HTTP_VERDICT_BUSY, /* nobody had time to look */
	HTTP_VERDICT_WAIT, /* until the waiter is called */
};

/* Somebody who waits for a password; the caller's, and zeros before it is first used. */
struct http_waiter {
	LIST_ENTRY(http_waiter) link;
	struct in6_addr remote;
	bool was_busy;
};

LIST_HEAD(http_waiters, http_waiter);

struct http_gate_memory {
	unsigned char (*digests)[HTTP_GATE_DIGEST];
	unsigned int count, next, size;
};

struct http_gate_check;

struct http_gate {
	struct http_verifier verifier;
	void (*decided)(struct http_gate *gate, struct http_waiter *waiter);
	unsigned char key[HTTP_GATE_DIGEST];
	unsigned char right_digests[WEB_USERS_MAX][HTTP_GATE_DIGEST];
	unsigned char wrong_digests[HTTP_GATE_WRONG_MAX][HTTP_GATE_DIGEST];
	struct http_gate_memory right, wrong;
	LIST_HEAD(http_gate_checks, http_gate_check) checks;
	unsigned int waiters_max; /* the owner may set less than HTTP_GATE_WAITERS_MAX */
};

/* DECIDED is called on the thread of the loop for each who waits: judge anew. 0 or -errno. */
int http_gate_init(struct http_gate *g, struct loop *loop,
		   void (*decided)(struct http_gate *gate, struct http_waiter *waiter));
/* Judges a request by its field Authorization (NULL: none), from REMOTE. */
enum http_verdict http_gate_judge(struct http_gate *g, const struct http_users *users,
				  const char *field, const struct in6_addr *remote,
				  struct http_waiter *waiter);
/* Calls whoever waits; they were not looked at. May be called on one that is all zeros. */
void http_gate_done(struct http_gate *g);
