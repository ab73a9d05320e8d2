/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_gate.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/basic_auth.h"
#include "daemon/http_users.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"

struct http_gate_check {
	struct http_check check;
	LIST_ENTRY(http_gate_check) link;
	struct http_waiters waiters;
	unsigned char digest[HTTP_GATE_DIGEST];
	bool is_known; /* there is a user of this name */
	char hash[HTTP_HASH_LEN + 1];
};

static bool remembers(const struct http_gate_memory *memory, const unsigned char *digest)
{
	for (unsigned int i = 0; i < memory->count; i++)
		if (memcmp(memory->digests[i], digest, HTTP_GATE_DIGEST) == 0)
			return true;
	return false;
}

static void remember(struct http_gate_memory *memory, const unsigned char *digest)
{
	memcpy(memory->digests[memory->next], digest, HTTP_GATE_DIGEST);
	memory->count = MAX(memory->count, memory->next + 1);
	memory->next = (memory->next + 1) % memory->size;
}

/* What is known of one who says who he is. */
struct candidate {
	const struct basic_auth *auth;
	const char *hash;
	bool is_known;
	unsigned char digest[HTTP_GATE_DIGEST];
};

/* A hash has one length, and a name no colon, so that no two make the same text. */
static int make_digest(const struct http_gate *g, struct candidate *candidate)
{
	const struct basic_auth *auth = candidate->auth;
	char text[BASIC_AUTH_MAX + HTTP_HASH_LEN + 4];
	int len, r;

	len = snprintf(text, sizeof(text), "%c%s%s:%.*s", candidate->is_known ? 'u' : 's',
		       candidate->hash, auth->user, HTTP_PASSWORD_MAX, auth->password);
	r = gnutls_hmac_fast(GNUTLS_MAC_SHA256, g->key, sizeof(g->key), text, (size_t)len,
			     candidate->digest);
	explicit_bzero(text, sizeof(text));
	return r < 0 ? -ENOMEM : 0;
}

static struct http_gate_check *find_check(const struct http_gate *g, const unsigned char *digest)
{
	struct http_gate_check *c;

	LIST_FOREACH(c, &g->checks, link)
	if (memcmp(c->digest, digest, HTTP_GATE_DIGEST) == 0)
		return c;
	return NULL;
}

/* A host of IPv6 has a whole /64 to itself. */
static bool is_same_host(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, IN6_IS_ADDR_V4MAPPED(a) ? sizeof(*a) : sizeof(*a) / 2) == 0;
}

/* Whoever waits has a connection that nothing can make room of meanwhile. IS_NEW: with a password
 * that nobody else waits for. */
static bool is_full(const struct http_gate *g, const struct in6_addr *remote, bool is_new)
{
	unsigned int all = 0, of_host = 0;
	const struct http_gate_check *c;
	const struct http_waiter *w = NULL;

	LIST_FOREACH(c, &g->checks, link)
	{
		LIST_FOREACH(w, &c->waiters, link)
		{
			all++;
			of_host += is_same_host(&w->remote, remote);
		}
	}
	return all >= g->waiters_max || (is_new && of_host >= HTTP_GATE_WAITERS_PER_HOST);
}

static void forget_check(struct http_gate_check *c)
{
	LIST_REMOVE(c, link);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void release(struct http_gate *g, struct http_gate_check *c)
{
	bool was_busy = c->check.result != 0 && c->check.result != -EACCES;
	struct http_waiter *waiter;

	while ((waiter = LIST_FIRST(&c->waiters))) {
		LIST_REMOVE(waiter, link);
		waiter->was_busy = was_busy;
		g->decided(g, waiter);
	}
}

static void on_ended(struct http_verifier *verifier, struct http_check *check)
{
	struct http_gate *g = container_of(verifier, struct http_gate, verifier);
	struct http_gate_check *c = container_of(check, struct http_gate_check, check);

	if (check->result == 0 && c->is_known)
		remember(&g->right, c->digest);
	else if (check->result == 0 || check->result == -EACCES)
		remember(&g->wrong, c->digest);
	release(g, c);
	forget_check(c);
}

int http_gate_init(struct http_gate *g, struct loop *loop,
		   void (*decided)(struct http_gate *gate, struct http_waiter *waiter))
{
	memset(g, 0, sizeof(*g));
	g->decided = decided;
	g->waiters_max = HTTP_GATE_WAITERS_MAX;
	g->right = (struct http_gate_memory){.digests = g->right_digests, .size = WEB_USERS_MAX};
	g->wrong =
		(struct http_gate_memory){.digests = g->wrong_digests, .size = HTTP_GATE_WRONG_MAX};
	LIST_INIT(&g->checks);
	if (gnutls_rnd(GNUTLS_RND_KEY, g->key, sizeof(g->key)) < 0)
		return -EIO;
	return http_verifier_init(&g->verifier, loop, on_ended);
}

/* NULL: it cannot be looked at. */
static struct http_gate_check *add_check(struct http_gate *g, const struct candidate *candidate)
{
	struct http_gate_check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->is_known = candidate->is_known;
	memcpy(c->digest, candidate->digest, sizeof(c->digest));
	memcpy(c->hash, candidate->hash, sizeof(c->hash));
	memcpy(c->check.password, candidate->auth->password,
	       strnlen(candidate->auth->password, HTTP_PASSWORD_MAX));
	c->check.hash = c->hash;
	LIST_INSERT_HEAD(&g->checks, c, link);
	if (http_verifier_submit(&g->verifier, &c->check) == 0)
		return c;
	forget_check(c);
	return NULL;
}

static enum http_verdict judge(struct http_gate *g, const struct candidate *candidate,
			       const struct in6_addr *remote, struct http_waiter *waiter)
{
	struct http_gate_check *c;

	if (remembers(&g->right, candidate->digest))
		return HTTP_VERDICT_PASS;
	if (remembers(&g->wrong, candidate->digest))
		return HTTP_VERDICT_REFUSE;
	c = find_check(g, candidate->digest);
	if (waiter->was_busy || is_full(g, remote, !c))
		return HTTP_VERDICT_BUSY;
	if (!c)
		c = add_check(g, candidate);
	if (!c)
		return HTTP_VERDICT_BUSY;
	waiter->remote = *remote;
	LIST_INSERT_HEAD(&c->waiters, waiter, link);
	return HTTP_VERDICT_WAIT;
}

enum http_verdict http_gate_judge(struct http_gate *g, const struct http_users *users,
				  const char *field, const struct in6_addr *remote,
				  struct http_waiter *waiter)
{
	enum http_verdict verdict = HTTP_VERDICT_BUSY;
	struct candidate candidate;
	struct basic_auth auth;

	if (!users) {
		waiter->was_busy = false;
		return HTTP_VERDICT_PASS;
	}
	if (!field || basic_auth_parse(field, &auth) < 0)
		return HTTP_VERDICT_REFUSE;
	candidate.auth = &auth;
	candidate.hash = http_users_hash(users, auth.user, &candidate.is_known);
	if (make_digest(g, &candidate) == 0)
		verdict = judge(g, &candidate, remote, waiter);
	if (verdict != HTTP_VERDICT_WAIT)
		waiter->was_busy = false;
	explicit_bzero(&auth, sizeof(auth));
	return verdict;
}

void http_gate_done(struct http_gate *g)
{
	http_verifier_done(&g->verifier);
}
