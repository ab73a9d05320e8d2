/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_gate.h"

#include <stdio.h>
#include <string.h>

#include "daemon/http_users.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(http_gate);

/* Of "U*U", quick. */
#define UU "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

#define RIGHT    "Basic YTpVKlU="     /* a:U*U */
#define RIGHT_B  "Basic YjpVKlU="     /* b:U*U */
#define STRANGER "Basic Y2M6VSpV"     /* cc:U*U */
#define WRONG    "Basic YTp3cm9uZw==" /* a:wrong */

static struct loop loop;
static struct http_gate gate;
static unsigned int decided;

static void on_decided(struct http_gate *g, struct http_waiter *waiter)
{
	(void)g;
	(void)waiter;
	decided++;
}

static void begin(void)
{
	decided = 0;
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(http_gate_init(&gate, &loop, on_decided), 0);
}

static void end(void)
{
	http_gate_done(&gate);
	http_gate_done(&gate);
	loop_done(&loop);
}

static struct http_users *make_users(const char *text)
{
	struct config_errors errors;
	struct http_users *users;
	struct web_config *w;

	cr_assert_eq(web_config_parse(text, strlen(text), &errors, &w), 0);
	cr_assert_eq(http_users_new(w, &errors, &users), 0);
	web_config_free(w);
	return users;
}

static struct in6_addr address(unsigned char n)
{
	struct in6_addr a = {0};

	a.s6_addr[7] = n;
	return a;
}

static enum http_verdict ask(const struct http_users *users, const char *field, unsigned char from,
			     struct http_waiter *waiter)
{
	struct in6_addr remote = address(from);

	return http_gate_judge(&gate, users, field, &remote, waiter);
}

/* The verdict in the end. */
static enum http_verdict ask_to_the_end(const struct http_users *users, const char *field)
{
	struct http_waiter waiter = {0};
	enum http_verdict verdict = ask(users, field, 1, &waiter);
	unsigned int before = decided;

	if (verdict != HTTP_VERDICT_WAIT)
		return verdict;
	while (decided == before)
		cr_assert_geq(loop_turn(&loop, 20000), 0);
	return ask(users, field, 1, &waiter);
}

Test(http_gate, verdicts, .init = begin, .fini = end)
{
	static const struct {
		const char *field;
		enum http_verdict expected;
	} cases[] = {
		{NULL, HTTP_VERDICT_REFUSE},      {"", HTTP_VERDICT_REFUSE},
		{"Basic x", HTTP_VERDICT_REFUSE}, {RIGHT, HTTP_VERDICT_PASS},
		{WRONG, HTTP_VERDICT_REFUSE},     {STRANGER, HTTP_VERDICT_REFUSE},
	};
	struct http_users *users = make_users("basic_auth_users: {a: " UU "}");

	/* Once with the check and once from memory. */
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++)
		cr_assert_eq(ask_to_the_end(users, cases[i % ARRAY_SIZE(cases)].field),
			     cases[i % ARRAY_SIZE(cases)].expected, "%zu", i);
	cr_assert_eq(decided, 3);
	cr_assert_eq(ask_to_the_end(NULL, NULL), HTTP_VERDICT_PASS);
	http_users_free(users);
}

/* What was right of one user is not of another, nor after a change of the hash. */
Test(http_gate, changes, .init = begin, .fini = end)
{
	struct http_users *one = make_users("basic_auth_users: {a: " UU "}");
	struct http_users *both = make_users("basic_auth_users: {a: " UU ", b: " UU "}");
	struct http_users *other =
		make_users("basic_auth_users: {a: "
			   "$2a$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu}");

	cr_assert_eq(ask_to_the_end(one, RIGHT), HTTP_VERDICT_PASS);
	cr_assert_eq(ask_to_the_end(one, RIGHT_B), HTTP_VERDICT_REFUSE);
	cr_assert_eq(decided, 2);
	cr_assert_eq(ask_to_the_end(both, RIGHT), HTTP_VERDICT_PASS);
	cr_assert_eq(decided, 2, "a reload does not forget");
	cr_assert_eq(ask_to_the_end(both, RIGHT_B), HTTP_VERDICT_PASS);
	cr_assert_eq(ask_to_the_end(one, RIGHT_B), HTTP_VERDICT_REFUSE);
	cr_assert_eq(ask_to_the_end(other, RIGHT), HTTP_VERDICT_REFUSE);
	http_users_free(one);
	http_users_free(both);
	http_users_free(other);
}

/* Of "a", each time another. */
static void write_wrong(char field[32], unsigned int n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";

	snprintf(field, 32, "Basic YTpaY%cx%c", letters[n / 32 % 32], letters[n % 32]);
}

/* So many passwords of one host, and requests of all, whether or not they bring the same one. */
static void assert_bounded(bool shared)
{
	struct http_users *users = make_users("basic_auth_users: {a: " UU "}");
	struct http_waiter waiters[56] = {0};
	unsigned int waiting = 0, busy = 0;
	char field[32];

	for (unsigned int i = 0; i < 8; i++) {
		write_wrong(field, shared ? 0 : i);
		busy += ask(users, field, 1, &waiters[i]) == HTTP_VERDICT_BUSY;
	}
	cr_assert_eq(busy, shared ? 0 : 8 - HTTP_GATE_WAITERS_PER_HOST, "%u", busy);
	for (unsigned int i = 8; i < 56; i++) {
		write_wrong(field, shared ? 0 : i);
		waiting += ask(users, field, (unsigned char)i, &waiters[i]) == HTTP_VERDICT_WAIT;
	}
	cr_assert_eq(waiting, HTTP_GATE_WAITERS_MAX - (8 - busy), "%u", waiting);
	while (decided < HTTP_GATE_WAITERS_MAX)
		cr_assert_geq(loop_turn(&loop, 20000), 0);
	cr_assert(LIST_EMPTY(&gate.checks));
	http_users_free(users);
}

Test(http_gate, what_waits_is_bounded, .init = begin, .fini = end)
{
	assert_bounded(false);
}

Test(http_gate, who_shares_a_password_is_bounded_too, .init = begin, .fini = end)
{
	assert_bounded(true);
}

/* However many wrong ones there are, the right one is still known. */
Test(http_gate, wrong_ones_push_out_nothing, .init = begin, .fini = end, .timeout = 60)
{
	struct http_users *users =
		make_users("basic_auth_users: {a: "
			   "$2a$04$zVHmKQtGGQob.b/Nc7l9NO8UlrYcW05FiuCj/SxsFO/ZtiN9.mNzy}");
	char field[32];

	/* "a:" with an empty password is right. */
	cr_assert_eq(ask_to_the_end(users, "Basic YTo="), HTTP_VERDICT_PASS);
	for (unsigned int i = 0; i < HTTP_GATE_WRONG_MAX + 10; i++) {
		write_wrong(field, i);
		cr_assert_eq(ask_to_the_end(users, field), HTTP_VERDICT_REFUSE);
	}
	cr_assert_eq(gate.wrong.count, HTTP_GATE_WRONG_MAX);
	decided = 0;
	cr_assert_eq(ask_to_the_end(users, "Basic YTo="), HTTP_VERDICT_PASS);
	cr_assert_eq(decided, 0);
	write_wrong(field, 0);
	cr_assert_eq(ask_to_the_end(users, field), HTTP_VERDICT_REFUSE);
	cr_assert_eq(decided, 1, "the first wrong one was forgotten");
	http_users_free(users);
}

/* Whoever waits is called at the end. */
Test(http_gate, ends_while_somebody_waits, .init = begin)
{
	struct http_users *users = make_users("basic_auth_users: {a: " UU "}");
	struct http_waiter waiters[3] = {0};

	cr_assert_eq(ask(users, RIGHT, 1, &waiters[0]), HTTP_VERDICT_WAIT);
	cr_assert_eq(ask(users, RIGHT, 1, &waiters[1]), HTTP_VERDICT_WAIT);
	cr_assert_eq(ask(users, WRONG, 1, &waiters[2]), HTTP_VERDICT_WAIT);
	end();
	cr_assert_eq(decided, 3);
	cr_assert(LIST_EMPTY(&gate.checks));
	http_users_free(users);
}
