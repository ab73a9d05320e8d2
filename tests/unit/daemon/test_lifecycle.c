/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lifecycle.h"

#include <errno.h>
#include <string.h>

#include "config/config_errors.h"
#include "daemon/util/macros.h"
#include "daemon/util/units.h"
#include "tests/support/test_support.h"
#include "tests/unit/daemon/http_fixture.h"

TEST_SUITE(lifecycle);

#define REQUESTS 4
#define GOOD     "The configuration was reloaded.\n"
#define BAD      "failed to reload config: "
#define OFF      "Lifecycle API is not enabled.\n"
#define STOPPING "sockstatd is stopping.\n"

/* What happens, one letter an event:
 *   e, d   enabled, disabled
 *   0 … 3  this request is rendered
 *   (      a reload begins
 *   )      and ends well
 *   !      and ends badly, its fault being its number
 *   t      the collector's loop turns, and wanted reloads are made: ends well
 *   r      clients have no reload for an hour from now
 *   R      nor until the loop has turned
 *   s      the daemon stops */
struct script_case {
	const char *name;
	const char *script;
	struct {
		unsigned int status;
		const char *body;
	} last[REQUESTS]; /* what rendering it last has given */
	unsigned int reloads;
};

static const struct script_case script_cases[] = {
	{"off", "0t0", {{403, OFF}}, 0},
	{"off again", "ed0t", {{403, OFF}}, 0},
	{"not before it has ended", "e0", {{HTTP_PENDING, ""}}, 0},
	{"asked again for no reason", "e00", {{HTTP_PENDING, ""}}, 0},
	{"answered", "e0t0", {{200, GOOD}}, 1},
	{"off while it waits", "e0dt0", {{200, GOOD}}, 1},
	{"one for all", "e0123t0123", {{200, GOOD}, {200, GOOD}, {200, GOOD}, {200, GOOD}}, 1},
	{"once asked, once made", "e0t0tt", {{200, GOOD}}, 1},
	{"each its own", "e0t01t1", {{200, GOOD}, {200, GOOD}}, 2},
	{"one that goes on is too early", "e(0)0", {{HTTP_PENDING, ""}}, 1},
	{"the next is not", "e(0)0t0", {{200, GOOD}}, 2},
	{"of a signal", "e0(", {{HTTP_PENDING, ""}}, 1},
	{"of a signal, to its end", "e0()0", {{200, GOOD}}, 1},
	{"what a signal did need not be done anew", "e0()t0", {{200, GOOD}}, 1},
	{"bad", "e0(!0", {{500, BAD "fault 1\n"}}, 1},
	{"the fault of the first", "e0(1!0t1", {{500, BAD "fault 1\n"}, {200, GOOD}}, 2},
	{"an old fault", "e(!0(!0", {{500, BAD "fault 2\n"}}, 2},
	{"a fault stays until the next has ended", "e0(!(0", {{500, BAD "fault 1\n"}}, 2},
	{"a newer one will do", "e0(!()0", {{200, GOOD}}, 2},
	{"stopped while it waits", "e0s0", {{503, STOPPING}}, 0},
	{"stopped before", "es0", {{503, STOPPING}}, 0},
	{"off and stopped", "s0", {{403, OFF}}, 0},
	{"answered before the stop", "e0ts0", {{200, GOOD}}, 1},
	{"while it rests", "e0t0r1tt1", {{200, GOOD}, {HTTP_PENDING, ""}}, 1},
	{"when it has rested", "e0t0R1t1", {{200, GOOD}, {200, GOOD}}, 2},
	{"the faults of one are not those of the next", "e(!(!(!0(!0", {{500, BAD "fault 4\n"}}, 4},
	{"a signal's, while it rests", "er0()0", {{200, GOOD}}, 1},
	{"no reload when it stops", "e0st0", {{503, STOPPING}}, 0},
};

struct script {
	struct lifecycle l;
	struct loop loop;
	struct http *http;
	struct http_route route;
	uint64_t states[REQUESTS];
	unsigned int status[REQUESTS];
	struct http_response responses[REQUESTS];
	unsigned int reloads;
};

static void begin(struct script *s)
{
	s->reloads++;
	lifecycle_begin(&s->l);
}

static void on_wanted(struct lifecycle *l)
{
	struct script *s = container_of(l, struct script, l);

	begin(s);
	lifecycle_end(&s->l, s->http, true);
}

static void render(struct script *s, unsigned int i)
{
	struct http_request request = {.state = &s->states[i]};

	buf_clear(&s->responses[i].body);
	s->status[i] = s->route.render(s->route.userdata, &request, &s->responses[i]);
}

static void play(struct script *s, char event)
{
	if (event == 'e' || event == 'd')
		lifecycle_enable(&s->l, event == 'e');
	else if (event == '(')
		begin(s);
	else if (event == '!')
		lifecycle_fault(&s->l, "fault %u", s->reloads);
	else if (event == 't')
		cr_assert_geq(loop_turn(&s->loop, 0), 0);
	else if (event == 'r' || event == 'R')
		lifecycle_rest(&s->l, event == 'r' ? 3600 * NSEC_PER_SEC : 0);
	else if (event == 's')
		lifecycle_stop(&s->l, s->http);
	else if (event != ')')
		render(s, (unsigned int)(event - '0'));
	if (event == ')' || event == '!')
		lifecycle_end(&s->l, s->http, event == ')');
}

static void check_script(struct http *http, const struct script_case *c)
{
	struct script s = {.l = LIFECYCLE_INIT, .loop = LOOP_INIT, .http = http};

	cr_assert_eq(loop_init(&s.loop), 0);
	cr_assert_eq(lifecycle_init(&s.l, &s.loop, on_wanted), 0);
	s.route = lifecycle_route(&s.l);
	for (const char *event = c->script; *event; event++)
		play(&s, *event);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		const struct buf *body = &s.responses[i].body;
		const char *expected = c->last[i].body ? c->last[i].body : "";

		cr_assert_eq(s.status[i], c->last[i].status, "%s: %u is %u", c->name, i,
			     s.status[i]);
		cr_assert(body->len == strlen(expected) &&
				  (body->len == 0 || memcmp(body->data, expected, body->len) == 0),
			  "%s: %u is %.*s", c->name, i, (int)body->len, body->data);
		buf_done(&s.responses[i].body);
	}
	cr_assert_eq(s.reloads, c->reloads, "%s: %u", c->name, s.reloads);
	lifecycle_done(&s.l);
	loop_done(&s.loop);
}

Test(lifecycle, scripts)
{
	struct http_limits limits = test_limits();
	struct http *http = must_start(&limits);

	for (size_t i = 0; i < ARRAY_SIZE(script_cases); i++)
		check_script(http, &script_cases[i]);
	http_free(http);
}

Test(lifecycle, is_an_action)
{
	struct lifecycle l = LIFECYCLE_INIT;
	struct http_route route = lifecycle_route(&l);

	cr_assert_str_eq(route.path, "/-/reload");
	cr_assert(route.is_action);
}

/* As the log has them, a line each. */
Test(lifecycle, says_faults)
{
	static const struct config_errors errors = {
		.items = {{2, 12, "poll.sockets", "is wrong"}, {0, 0, "", "is worse"}},
		.count = 2,
		.total = 5,
	};
	struct lifecycle l = LIFECYCLE_INIT;

	lifecycle_faults(&l, "/etc/x", &errors, -EINVAL);
	cr_assert_eq(lifecycle_fail(&l, "cannot", -ENOENT), -ENOENT);
	buf_add_char(&l.faults, '\0');
	cr_assert_str_eq(l.faults.data, "/etc/x:2:12: poll.sockets: is wrong\n"
					"/etc/x: is worse\n"
					"/etc/x: 3 more\n"
					"cannot: No such file or directory\n");
	lifecycle_done(&l);
}
