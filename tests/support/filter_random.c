/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/filter_random.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/util/macros.h"

static uint32_t below(struct filter_random *r, uint32_t n)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)((r->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.1.0.1", "[::1]",
					"[::ffff:127.0.0.1]"};
/* Those that are the same to ss come first: it compares addresses of both families bit by bit, and
 * so finds 0.0.0.0 in ::/8 where it negates what the kernel said. */
static const char *const prefixes[] = {
	"127.0.0.0/8",
	"127.0.0.0/31",
	"127.0.0.1/32",
	"127.0.0.3/30",
	"::1/128",
	"128.0.0.0/1",
	"::ffff:0.0.0.0/96",
	"0.0.0.0/0",
	"0.0.0.0/1",
	"::/0",
	"::/8",
	"::/127",
};
#define PREFIXES_OF_SS 7
static const uint16_t ports[] = {0, 1, 80, 443, 5000, 5001, 32768, 40000, 60999, 65535};
static const char *const states[] = {"established", "syn-sent",     "syn-recv", "fin-wait-1",
				     "fin-wait-2",  "time-wait",    "closed",   "close-wait",
				     "last-ack",    "listening",    "closing",  "all",
				     "connected",   "synchronized", "bucket",   "big"};
static const char *const comparisons[] = {"=",  "!=", "<",  ">",  "<=", ">=", "eq",
					  "ne", "lt", "gt", "le", "ge", "==", "neq"};

/* What is written so far; what does not fit is cut, and then no filter. */
struct writer {
	char *text;
	size_t len;
};

static void PRINTF_LIKE(2, 3) add(struct writer *w, const char *format, ...)
{
	va_list args;

	if (w->len >= FILTER_RANDOM_MAX)
		return;
	va_start(args, format);
	w->len += (size_t)vsnprintf(w->text + w->len, FILTER_RANDOM_MAX - w->len, format, args);
	va_end(args);
}

#define ANY_OF(r, array) ((array)[below(r, ARRAY_SIZE(array))])

static const char *any_prefix(struct filter_random *r)
{
	return prefixes[below(r, r->only_kernel ? PREFIXES_OF_SS : ARRAY_SIZE(prefixes))];
}

static void add_host(struct filter_random *r, struct writer *w)
{
	static const char *const words[] = {"", "= ", "eq ", "!= ", "ne "};

	/* ss has no != for addresses. */
	add(w, "%s %s", below(r, 2) ? "src" : "dst",
	    words[below(r, r->only_kernel ? 3 : ARRAY_SIZE(words))]);
	switch (below(r, 5)) {
	case 0:
		add(w, "%s", ANY_OF(r, addresses));
		break;
	case 1:
		add(w, "%s:%u", ANY_OF(r, addresses), ANY_OF(r, ports));
		break;
	case 2:
		add(w, "%s", any_prefix(r));
		break;
	case 3:
		add(w, "%s:%u", any_prefix(r), ANY_OF(r, ports));
		break;
	default:
		add(w, "%s:%u", below(r, 2) ? "*" : "", ANY_OF(r, ports));
		break;
	}
}

static void add_predicate(struct filter_random *r, struct writer *w)
{
	switch (below(r, r->only_kernel ? 7 : 9)) {
	case 0:
	case 1:
		add_host(r, w);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		add(w, "%s %s %s%u", below(r, 2) ? "sport" : "dport", ANY_OF(r, comparisons),
		    below(r, 2) ? ":" : "", ANY_OF(r, ports));
		break;
	case 6:
		if (r->only_kernel)
			add_host(r, w);
		else
			add(w, "%s %s", below(r, 2) ? "state" : "exclude", ANY_OF(r, states));
		break;
	case 7:
		add(w, "%s", below(r, 2) ? "autobound" : "dev lo");
		break;
	default:
		add(w, "cgroup %s/a", below(r, 2) ? "" : "!= ");
		break;
	}
}

static void add_list(struct filter_random *r, struct writer *w, unsigned int depth);

static void add_operand(struct filter_random *r, struct writer *w, unsigned int depth)
{
	uint32_t what = depth > 3 ? 0 : below(r, 5);

	if (what == 3)
		add(w, "%s", below(r, 2) ? "not " : "! ");
	if (what < 3) {
		add_predicate(r, w);
		return;
	}
	add(w, "( ");
	add_list(r, w, depth + 1);
	add(w, " )");
}

static void add_list(struct filter_random *r, struct writer *w, unsigned int depth)
{
	static const char *const ands[] = {" and ", " & ", " && ", " "};
	static const char *const ors[] = {" or ", " | ", " || "};
	bool is_or = below(r, 2);

	add_operand(r, w, depth);
	for (uint32_t i = below(r, 3); i > 0; i--) {
		add(w, "%s", is_or ? ANY_OF(r, ors) : ANY_OF(r, ands));
		add_operand(r, w, depth);
	}
}

void filter_random_text(struct filter_random *r, char ret_text[FILTER_RANDOM_MAX])
{
	struct writer w;

	do {
		w = (struct writer){.text = ret_text};
		add_list(r, &w, 0);
	} while (w.len >= FILTER_RANDOM_MAX);
}

static void take_address(const char *text, uint8_t family, struct sock_address *ret_address)
{
	inet_pton(family, text, ret_address->bytes);
}

void filter_random_record(struct filter_random *r, struct sock_record *ret_record)
{
	static const char *const v4[] = {"127.0.0.1", "127.0.0.2", "127.1.0.1", "10.0.0.1",
					 "0.0.0.0"};
	static const char *const v6[] = {"::1", "::2", "2001:db8::1", "::"};
	struct sock_record record = {
		.cookie = 1,
		.family = below(r, 3) ? AF_INET : AF_INET6,
		.local_port = ANY_OF(r, ports),
		.remote_port = ANY_OF(r, ports),
		.state = (uint8_t)(SOCK_ESTABLISHED + below(r, SOCK_STATE_END - SOCK_ESTABLISHED)),
		.interface = below(r, 2),
		.cgroup_id = below(r, 3),
	};

	record.is_v4_in_v6 = record.family == AF_INET && below(r, 3) == 0;
	if (record.family == AF_INET) {
		take_address(ANY_OF(r, v4), AF_INET, &record.local);
		take_address(ANY_OF(r, v4), AF_INET, &record.remote);
	} else {
		take_address(ANY_OF(r, v6), AF_INET6, &record.local);
		take_address(ANY_OF(r, v6), AF_INET6, &record.remote);
	}
	*ret_record = record;
}
