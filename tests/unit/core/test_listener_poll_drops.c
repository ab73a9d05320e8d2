/* SPDX-License-Identifier: Apache-2.0 */
/* How the namespace's ListenDrops are split over listeners, and what is stray. */
#include <string.h>

#include "daemon/core/listener_poll.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/listener_lane.h"

TEST_SUITE(listener_poll_drops);

#define LIMIT  10
#define FULL   (LIMIT + 1)
#define ROOM   LIMIT
#define FIRST  lane_values(&lane, "0.0.0.0", "80")
#define SECOND lane_values(&lane, "0.0.0.0", "81")

/* One listener that is polled twice. */
struct split_member {
	uint32_t length_before, length, growth;
	uint32_t drops, strays; /* expected */
};

static const struct split_case {
	const char *name;
	uint64_t listen_drops; /* how much they grow */
	uint64_t carried;      /* expected */
	struct split_member members[2];
} split_cases[] = {
	{"nothing happened", 0, 0, {{ROOM, ROOM, 0, 0, 0}, {FULL, FULL, 0, 0, 0}}},
	{"a full one takes all", 5, 0, {{FULL, FULL, 5, 5, 0}, {ROOM, ROOM, 0, 0, 0}}},
	{"only as much as its own growth", 9, 4, {{FULL, FULL, 5, 5, 0}, {ROOM, ROOM, 0, 0, 0}}},
	{"the rest is stray", 5, 0, {{FULL, FULL, 7, 5, 2}, {ROOM, ROOM, 0, 0, 0}}},
	{"probes and scans", 0, 0, {{ROOM, ROOM, 100, 0, 100}, {FULL, FULL, 3, 0, 3}}},
	{"the measured one", 150, 0, {{FULL, FULL, 345, 150, 195}, {ROOM, ROOM, 582, 0, 582}}},
	{"full ones first", 8, 0, {{ROOM, ROOM, 10, 2, 8}, {FULL, FULL, 6, 6, 0}}},
	{"full at the poll before", 3, 0, {{ROOM, ROOM, 5, 0, 5}, {FULL, 0, 3, 3, 0}}},
	{"full at this poll", 3, 0, {{ROOM, ROOM, 5, 0, 5}, {0, FULL, 3, 3, 0}}},
	{"full and empty between polls", 3, 0, {{0, 0, 3, 3, 0}, {0, 0, 0, 0, 0}}},
	{"none of ours", 3, 3, {{ROOM, ROOM, 0, 0, 0}, {FULL, FULL, 0, 0, 0}}},
};

static void poll_members(struct listener_lane *lane, const struct split_member *m, bool second)
{
	LANE_POLL(lane,
		  {"0.0.0.0:80", 1, second ? m[0].length : m[0].length_before, LIMIT,
		   second ? 70 + m[0].growth : 70},
		  {"0.0.0.0:81", 2, second ? m[1].length : m[1].length_before, LIMIT,
		   second ? 70 + m[1].growth : 70});
}

Test(listener_poll_drops, split)
{
	for (size_t i = 0; i < ARRAY_SIZE(split_cases); i++) {
		const struct split_case *c = &split_cases[i];
		struct listener_lane lane;

		lane_init(&lane, 10);
		poll_members(&lane, c->members, false);
		lane.listen_drops += c->listen_drops;
		poll_members(&lane, c->members, true);
		cr_assert_eq(FIRST->drops, c->members[0].drops, "%s", c->name);
		cr_assert_eq(FIRST->stray_drops, c->members[0].strays, "%s", c->name);
		cr_assert_eq(SECOND->drops, c->members[1].drops, "%s", c->name);
		cr_assert_eq(SECOND->stray_drops, c->members[1].strays, "%s", c->name);
		cr_assert_eq(lane.table.listen_drops_carried, c->carried, "%s", c->name);
		lane_done(&lane);
	}
}

/* Which of several full ones gets what there is not enough of is open, but nothing is lost. */
Test(listener_poll_drops, several_full)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, FULL, LIMIT, 0}, {"0.0.0.0:81", 2, FULL, LIMIT, 0});
	lane.listen_drops += 7;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, FULL, LIMIT, 5}, {"0.0.0.0:81", 2, FULL, LIMIT, 5});
	cr_assert_eq(FIRST->drops + SECOND->drops, 7);
	cr_assert_eq(FIRST->drops + FIRST->stray_drops, 5);
	cr_assert_eq(SECOND->drops + SECOND->stray_drops, 5);
	lane_done(&lane);
}

Test(listener_poll_drops, members_are_summed)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, FULL, LIMIT, 0}, {"0.0.0.0:80", 2, ROOM, LIMIT, 0});
	lane.listen_drops += 4;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, FULL, LIMIT, 4}, {"0.0.0.0:80", 2, ROOM, LIMIT, 6});
	cr_assert_eq(FIRST->drops, 4);
	cr_assert_eq(FIRST->stray_drops, 6);
	cr_assert_eq(FIRST->sk_drops, 10);
	lane_done(&lane);
}

/* ListenDrops are read after the rows, so some may belong to what the next poll shows; but to no
 * later one, or probes would be taken for drops. */
Test(listener_poll_drops, remainder_is_carried_once)
{
	static const struct {
		const char *name;
		struct {
			uint32_t listen_drops, growth, drops;
		} polls[3];
	} cases[] = {
		{"to the next poll", {{5, 0, 0}, {0, 5, 5}, {0, 1, 0}}},
		{"not to the one after", {{5, 0, 0}, {0, 0, 0}, {0, 5, 0}}},
		{"in part", {{5, 2, 2}, {0, 9, 3}, {0, 1, 0}}},
		{"the older first", {{5, 0, 0}, {3, 6, 6}, {0, 9, 2}}},
		{"a new remainder", {{5, 0, 0}, {3, 0, 0}, {0, 9, 3}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener_lane lane;
		uint32_t drops = 0;

		lane_init(&lane, 10);
		LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
		for (size_t j = 0; j < ARRAY_SIZE(cases[i].polls); j++) {
			uint64_t before = FIRST->drops;

			lane.listen_drops += cases[i].polls[j].listen_drops;
			drops += cases[i].polls[j].growth;
			LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, drops});
			cr_assert_eq(FIRST->drops - before, cases[i].polls[j].drops, "%s: poll %zu",
				     cases[i].name, j);
		}
		cr_assert_eq(FIRST->drops + FIRST->stray_drops, drops, "%s", cases[i].name);
		lane_done(&lane);
	}
}

Test(listener_poll_drops, wrap)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, UINT32_MAX - 1});
	lane.listen_drops += 2;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 3});
	cr_assert_eq(FIRST->drops, 2);
	cr_assert_eq(FIRST->stray_drops, 3);
	lane_done(&lane);
}

/* While ListenDrops cannot be read, what fell waits, and nothing that was counted is lost. */
Test(listener_poll_drops, unreadable_for_a_while)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
	lane.listen_drops += 1;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 1});
	lane.is_blind = true;
	lane.listen_drops += 6;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 5});
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 9});
	cr_assert_eq(FIRST->drops, 1);
	cr_assert_eq(FIRST->stray_drops, 0);
	cr_assert_eq(FIRST->sk_drops, 9);
	lane.is_blind = false;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 9});
	cr_assert_eq(FIRST->drops, 7);
	cr_assert_eq(FIRST->stray_drops, 2);
	lane_done(&lane);
}

Test(listener_poll_drops, what_waits_saturates)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
	lane.is_blind = true;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, UINT32_MAX - 1});
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 1});
	lane.is_blind = false;
	lane.listen_drops += UINT64_C(1) << 33;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 1});
	cr_assert_eq(FIRST->drops, UINT32_MAX);
	lane_done(&lane);
}

/* Absent beats wrong; and what fell before the first reading is the baseline. */
Test(listener_poll_drops, first_known_later)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	lane.is_blind = true;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 5});
	cr_assert_eq(FIRST->drops, METRIC_ABSENT);
	cr_assert_eq(FIRST->stray_drops, METRIC_ABSENT);
	cr_assert_eq(FIRST->sk_drops, 5);
	lane.is_blind = false;
	lane.listen_drops += 5;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 8});
	cr_assert_eq(FIRST->drops, 0);
	cr_assert_eq(FIRST->stray_drops, 0);
	lane.listen_drops += 5;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 13});
	cr_assert_eq(FIRST->drops, 5);
	cr_assert_eq(FIRST->stray_drops, 0);
	lane_done(&lane);
}

/* skmem of eight words, before Linux 4.7, knows no drops. */
Test(listener_poll_drops, old_kernel)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	for (int i = 0; i < 3; i++) {
		lane.listen_drops += 5;
		LANE_POLL(&lane, {"0.0.0.0:80", 1, FULL, LIMIT, 77, .has_no_drops = true});
		cr_assert_eq(FIRST->drops, METRIC_ABSENT);
		cr_assert_eq(FIRST->stray_drops, METRIC_ABSENT);
		cr_assert_eq(FIRST->sk_drops, METRIC_ABSENT);
		cr_assert_eq(FIRST->last_drop_ms, METRIC_ABSENT);
	}
	cr_assert_eq(FIRST->length, FULL, "the rest is there");
	lane_done(&lane);
}

Test(listener_poll_drops, last_drop_timestamp)
{
	struct listener_lane lane;
	uint64_t fell_ms;

	lane_init(&lane, 10);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 3});
	cr_assert_eq(FIRST->last_drop_ms, METRIC_ABSENT, "strays are no drops");
	lane.listen_drops += 2;
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 5});
	fell_ms = lane_realtime_ms(&lane);
	cr_assert_eq(FIRST->last_drop_ms, fell_ms);
	LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 5});
	cr_assert_eq(FIRST->last_drop_ms, fell_ms);
	LANE_POLL_NONE(&lane);
	cr_assert_eq(FIRST->last_drop_ms, fell_ms, "it outlives the listener");
	lane_done(&lane);
}

/* Reading ListenDrops costs more than the poll: only where it is needed. */
Test(listener_poll_drops, when_they_are_wanted)
{
	static const struct {
		const char *name;
		bool is_first, is_blind;
		uint32_t listen_drops, drops_before, drops;
		bool wanted;
	} cases[] = {
		{"never read", true, true, 0, 0, 0, true},
		{"nothing grew", false, false, 0, 7, 7, false},
		{"grew now", false, false, 0, 7, 8, true},
		{"grew before and waits", false, true, 0, 7, 7, true},
		{"a remainder", false, false, 5, 0, 0, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener_lane lane;

		lane_init(&lane, 10);
		lane.is_blind = cases[i].is_first;
		LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
		lane.is_blind = cases[i].is_blind;
		lane.listen_drops += cases[i].listen_drops;
		LANE_POLL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, cases[i].drops_before});
		LANE_FAIL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, cases[i].drops});
		cr_assert_eq(listener_poll_wants_listen_drops(&lane.table), cases[i].wanted, "%s",
			     cases[i].name);
		lane_done(&lane);
	}
}

Test(listener_poll_drops, wanted_for_the_newly_born)
{
	struct listener_lane lane;

	lane_init(&lane, 10);
	LANE_POLL_NONE(&lane);
	LANE_FAIL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 0});
	cr_assert_not(listener_poll_wants_listen_drops(&lane.table));
	LANE_FAIL(&lane, {"0.0.0.0:80", 1, 0, LIMIT, 1});
	cr_assert(listener_poll_wants_listen_drops(&lane.table));
	lane_fail(&lane, NULL, 0);
	cr_assert_not(listener_poll_wants_listen_drops(&lane.table), "it is gone");
	lane_done(&lane);
}
