/* SPDX-License-Identifier: Apache-2.0 */
/* What a dump makes of each datagram, and of what is no datagram; the kernel itself is asked by
 * test_inetdiag_kernel.c. */
#include "collectors/inetdiag_dump.h"

#include <endian.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/collectors/message_builder.h"

TEST_SUITE(inetdiag_dump);

#define SEQUENCE 7
#define PORT_ID  4242

#define LEGACY    TCPDIAG_GETSOCK
#define BY_FAMILY SOCK_DIAG_BY_FAMILY

enum payload {
	NOTHING, /* the end of a case's messages */
	HEADER,
	ERROR,
	ROW,
	ROW_OF_NO_FAMILY,
	ROW_OF_NO_STATE,
	ROW_WITH_A_CUT_ATTRIBUTE,
};

struct part {
	enum payload payload;
	uint16_t type, flags;
	int error;
};

struct digest_case {
	const char *name;
	uint8_t family;
	bool has_rows; /* from datagrams before */
	struct part parts[4];
	enum inetdiag_verdict verdict;
	enum poll_failure failure;
	unsigned int count;
};

#define ROWS        INETDIAG_VERDICT_ROWS, POLL_FAILURE_NONE
#define END         INETDIAG_VERDICT_END, POLL_FAILURE_NONE
#define UNSUPPORTED INETDIAG_VERDICT_UNSUPPORTED, POLL_FAILURE_NONE, 0
#define FAILED(why) INETDIAG_VERDICT_FAILED, POLL_FAILURE_##why, 0

static const struct digest_case digest_cases[] = {
	{"a row", 0, 0, {{ROW, LEGACY}}, ROWS, 1},
	{"rows", 0, 1, {{ROW, LEGACY}, {ROW, LEGACY}, {ROW, LEGACY}}, ROWS, 3},
	{"a row by family", AF_INET, 0, {{ROW, BY_FAMILY}}, ROWS, 1},
	{"the end", 0, 0, {{ERROR, NLMSG_DONE}}, END, 0},
	{"the end after rows", 0, 0, {{ROW, LEGACY}, {ERROR, NLMSG_DONE}}, END, 1},
	{"a no-op", 0, 0, {{HEADER, NLMSG_NOOP}, {ROW, LEGACY}}, ROWS, 1},
	{"an acknowledgement", 0, 0, {{ERROR, NLMSG_ERROR}, {ROW, LEGACY}}, ROWS, 1},
	{"another family's row", 0, 0, {{ROW_OF_NO_FAMILY, LEGACY}, {ROW, LEGACY}}, ROWS, 1},
	{"another state's row", 0, 0, {{ROW_OF_NO_STATE, LEGACY}, {ROW, LEGACY}}, ROWS, 1},

	{"no handler", 0, 0, {{ERROR, NLMSG_DONE, 0, -ENOENT}}, FAILED(NO_HANDLER)},
	{"no handler for IPv4", AF_INET, 0, {{ERROR, NLMSG_DONE, 0, -ENOENT}}, FAILED(NO_HANDLER)},
	{"refused at the end", 0, 0, {{ERROR, NLMSG_DONE, 0, -EPERM}}, FAILED(DENIED)},
	{"refused after rows",
	 0,
	 0,
	 {{ROW, LEGACY}, {ERROR, NLMSG_DONE, 0, -ENOMEM}},
	 FAILED(REFUSED)},
	{"no request but in the end", 0, 0, {{ERROR, NLMSG_DONE, 0, -EINVAL}}, FAILED(REFUSED)},
	{"an end without its payload", 0, 0, {{HEADER, NLMSG_DONE}}, FAILED(MALFORMED)},
	{"a row after the end", 0, 0, {{ERROR, NLMSG_DONE}, {ROW, LEGACY}}, FAILED(MALFORMED)},
	{"two ends", 0, 0, {{ERROR, NLMSG_DONE}, {ERROR, NLMSG_DONE}}, FAILED(MALFORMED)},

	{"busy", 0, 0, {{ERROR, NLMSG_ERROR, 0, -EBUSY}}, FAILED(BUSY)},
	{"busy after rows", 0, 1, {{ERROR, NLMSG_ERROR, 0, -EBUSY}}, FAILED(BUSY)},
	{"refused", 0, 0, {{ERROR, NLMSG_ERROR, 0, -EPERM}}, FAILED(DENIED)},
	{"refused otherwise", 0, 0, {{ERROR, NLMSG_ERROR, 0, -ENOMEM}}, FAILED(REFUSED)},
	{"an error without its payload", 0, 0, {{HEADER, NLMSG_ERROR}}, FAILED(MALFORMED)},
	{"no inet_diag", 0, 0, {{ERROR, NLMSG_ERROR, 0, -EOPNOTSUPP}}, UNSUPPORTED},
	{"no such type", 0, 0, {{ERROR, NLMSG_ERROR, 0, -EINVAL}}, UNSUPPORTED},
	{"no such table", 0, 0, {{ERROR, NLMSG_ERROR, 0, -ENOENT}}, UNSUPPORTED},
	{"no such type after rows", 0, 1, {{ERROR, NLMSG_ERROR, 0, -EINVAL}}, FAILED(REFUSED)},
	{"no IPv4", AF_INET, 0, {{ERROR, NLMSG_ERROR, 0, -ENOENT}}, FAILED(NO_HANDLER)},
	{"bad request", AF_INET, 0, {{ERROR, NLMSG_ERROR, 0, -EINVAL}}, FAILED(REFUSED)},
	{"no IPv6", AF_INET6, 0, {{ERROR, NLMSG_ERROR, 0, -ENOENT}}, END, 0},
	{"IPv6 is off", AF_INET6, 0, {{ERROR, NLMSG_ERROR, 0, -EAFNOSUPPORT}}, END, 0},
	{"no IPv6, at the end", AF_INET6, 0, {{ERROR, NLMSG_DONE, 0, -ENOENT}}, END, 0},
	{"IPv6 lost", AF_INET6, 1, {{ERROR, NLMSG_DONE, 0, -ENOENT}}, FAILED(NO_HANDLER)},
	{"IPv6 refused", AF_INET6, 0, {{ERROR, NLMSG_ERROR, 0, -EINVAL}}, FAILED(REFUSED)},

	{"overrun", 0, 0, {{ROW, LEGACY}, {HEADER, NLMSG_OVERRUN}}, FAILED(OVERRUN)},
	{"a short row", 0, 0, {{ROW, LEGACY}, {HEADER, LEGACY}}, FAILED(MALFORMED)},
	{"a cut attribute", 0, 0, {{ROW_WITH_A_CUT_ATTRIBUTE, LEGACY}}, FAILED(MALFORMED)},
	{"not the type asked for", 0, 0, {{ROW, BY_FAMILY}}, FAILED(MALFORMED)},
	{"not the type asked for", AF_INET, 0, {{ROW, LEGACY}}, FAILED(MALFORMED)},
	{"an unknown control message", 0, 0, {{HEADER, 9}}, FAILED(MALFORMED)},
};

static void add_part(struct message_builder *b, const struct part *part)
{
	message_begin(b, part->type, SEQUENCE, PORT_ID);
	message_last(b)->nlmsg_flags = part->flags;
	if (part->payload == ERROR)
		message_add(b, &part->error, sizeof(part->error));
	if (part->payload < ROW)
		return;
	message_add_row(b);
	if (part->payload == ROW_OF_NO_FAMILY)
		message_row(b)->idiag_family = AF_UNIX;
	if (part->payload == ROW_OF_NO_STATE)
		message_row(b)->idiag_state = 99;
	if (part->payload == ROW_WITH_A_CUT_ATTRIBUTE)
		message_add(b, "\xff\xff\0\0", 4);
}

static struct sock_batch batch;

static void dump_init(struct inetdiag_dump *d)
{
	inetdiag_dump_init(d, SOCK_STATES_ALL, INETDIAG_EXT_INFO);
	d->sequence = SEQUENCE;
	d->socket.port_id = PORT_ID;
}

static enum inetdiag_verdict digest(struct inetdiag_dump *d, const struct message_builder *b,
				    enum poll_failure *ret_failure)
{
	*ret_failure = POLL_FAILURE_NONE;
	memcpy(batch.bytes, b->bytes, b->len);
	return inetdiag_dump_digest(d, &batch, b->len, ret_failure);
}

Test(inetdiag_dump, each_message_has_its_meaning)
{
	for (size_t i = 0; i < ARRAY_SIZE(digest_cases); i++) {
		const struct digest_case *c = &digest_cases[i];
		struct message_builder b = {0};
		struct inetdiag_dump d;
		enum poll_failure failure;

		for (const struct part *part = c->parts; part->payload != NOTHING; part++)
			add_part(&b, part);
		dump_init(&d);
		d.family = c->family;
		d.has_rows = c->has_rows;
		batch.count = 99;
		cr_assert_eq(digest(&d, &b, &failure), c->verdict, "%s", c->name);
		cr_assert_eq(failure, c->failure, "%s: %s", c->name, poll_failure_name(failure));
		cr_assert_eq(batch.count, c->count, "%s: %u", c->name, batch.count);
		cr_assert_not(d.was_interrupted, "%s", c->name);
	}
}

static const struct part end = {ERROR, NLMSG_DONE};
static const struct part row = {ROW, LEGACY};

Test(inetdiag_dump, unknown_rows_are_counted)
{
	static const struct part parts[] = {
		{ROW_OF_NO_FAMILY, LEGACY}, {ROW_OF_NO_STATE, LEGACY}, {ROW_OF_NO_STATE, LEGACY}};
	struct message_builder b = {0};
	struct inetdiag_dump d;
	enum poll_failure failure;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		add_part(&b, &parts[i]);
	dump_init(&d);
	cr_assert_eq(digest(&d, &b, &failure), INETDIAG_VERDICT_ROWS);
	cr_assert_eq(d.unknown_families, 1);
	cr_assert_eq(d.unknown_states, 2);
}

Test(inetdiag_dump, a_request_that_brought_rows_is_no_missing_one)
{
	static const struct part refusal = {ERROR, NLMSG_ERROR, 0, -EINVAL};
	struct message_builder rows = {0}, error = {0};
	struct inetdiag_dump d;
	enum poll_failure failure;

	add_part(&rows, &row);
	add_part(&error, &refusal);
	dump_init(&d);
	cr_assert_eq(digest(&d, &rows, &failure), INETDIAG_VERDICT_ROWS);
	cr_assert_eq(digest(&d, &error, &failure), INETDIAG_VERDICT_FAILED);
	cr_assert_eq(failure, POLL_FAILURE_REFUSED);
}

Test(inetdiag_dump, what_answers_another_request)
{
	static const struct {
		const char *name;
		uint32_t sequence, port_id;
		enum poll_failure failure;
	} cases[] = {
		{"ours", SEQUENCE, PORT_ID, POLL_FAILURE_NONE},
		{"the last one", SEQUENCE - 1, PORT_ID, POLL_FAILURE_SEQUENCE},
		{"the next one", SEQUENCE + 1, PORT_ID, POLL_FAILURE_SEQUENCE},
		{"an event", 0, 0, POLL_FAILURE_SEQUENCE},
		{"another socket", SEQUENCE, PORT_ID + 1, POLL_FAILURE_SEQUENCE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct inetdiag_dump d;
		enum poll_failure failure;

		add_part(&b, &row);
		add_part(&b, &end);
		message_last(&b)->nlmsg_seq = cases[i].sequence;
		message_last(&b)->nlmsg_pid = cases[i].port_id;
		dump_init(&d);
		digest(&d, &b, &failure);
		cr_assert_eq(failure, cases[i].failure, "%s", cases[i].name);
		cr_assert_eq(batch.count, failure ? 0 : 1, "%s", cases[i].name);
	}
}

Test(inetdiag_dump, the_flag_of_an_interrupted_walk_is_seen_on_any_message)
{
	static const struct part interrupted_end = {ERROR, NLMSG_DONE, NLM_F_DUMP_INTR};
	static const struct part interrupted_row = {ROW, LEGACY, NLM_F_MULTI | NLM_F_DUMP_INTR};
	const struct part *const cases[][2] = {{&interrupted_row, &end}, {&row, &interrupted_end}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct inetdiag_dump d;
		enum poll_failure failure;

		add_part(&b, cases[i][0]);
		add_part(&b, cases[i][1]);
		dump_init(&d);
		cr_assert_eq(digest(&d, &b, &failure), INETDIAG_VERDICT_END);
		cr_assert(d.was_interrupted);
		cr_assert_eq(batch.count, 1);
	}
}

/* However many bytes of two messages come, there is never a row without a fault but between the
 * messages. */
Test(inetdiag_dump, no_cut_goes_unnoticed)
{
	struct message_builder b = {0};
	size_t first, len;

	add_part(&b, &row);
	first = b.len;
	add_part(&b, &row);
	len = b.len;
	for (b.len = 0; b.len <= len; b.len++) {
		struct inetdiag_dump d;
		enum poll_failure failure, expected = POLL_FAILURE_TRUNCATED;

		if (b.len == 0)
			expected = POLL_FAILURE_MALFORMED;
		if (b.len == first || b.len == len)
			expected = POLL_FAILURE_NONE;
		dump_init(&d);
		digest(&d, &b, &failure);
		cr_assert_eq(failure, expected, "%zu", b.len);
		cr_assert_eq(batch.count, expected ? 0 : b.len / first, "%zu", b.len);
	}
}

Test(inetdiag_dump, bytes_that_are_left_over)
{
	for (size_t n = 1; n < NLMSG_HDRLEN; n++) {
		struct message_builder b = {0};
		struct inetdiag_dump d;
		enum poll_failure failure;

		add_part(&b, &row);
		b.len += n;
		dump_init(&d);
		cr_assert_eq(digest(&d, &b, &failure), INETDIAG_VERDICT_FAILED, "%zu", n);
		cr_assert_eq(failure, POLL_FAILURE_TRUNCATED, "%zu", n);
		cr_assert_eq(batch.count, 0, "%zu", n);
	}
}

Test(inetdiag_dump, lengths_that_lie)
{
	static const struct {
		uint32_t len;
		enum poll_failure failure;
	} cases[] = {
		{0, POLL_FAILURE_MALFORMED},          {1, POLL_FAILURE_MALFORMED},
		{15, POLL_FAILURE_MALFORMED},         {16, POLL_FAILURE_MALFORMED},
		{87, POLL_FAILURE_MALFORMED},         {89, POLL_FAILURE_TRUNCATED},
		{UINT32_MAX, POLL_FAILURE_TRUNCATED}, {UINT32_MAX - 3, POLL_FAILURE_TRUNCATED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_builder b = {0};
		struct inetdiag_dump d;
		enum poll_failure failure;

		add_part(&b, &row);
		message_last(&b)->nlmsg_len = cases[i].len;
		dump_init(&d);
		cr_assert_eq(digest(&d, &b, &failure), INETDIAG_VERDICT_FAILED, "%u", cases[i].len);
		cr_assert_eq(failure, cases[i].failure, "%u", cases[i].len);
	}
}

Test(inetdiag_dump, as_many_rows_as_fit)
{
	struct message_builder b = {0};
	struct inetdiag_dump d;
	enum poll_failure failure;

	add_part(&b, &row);
	for (size_t i = 0; i < sizeof(batch.bytes) / b.len; i++)
		memcpy(batch.bytes + i * b.len, b.bytes, b.len);
	dump_init(&d);
	cr_assert_eq(
		inetdiag_dump_digest(&d, &batch, sizeof(batch.bytes) / b.len * b.len, &failure),
		INETDIAG_VERDICT_ROWS);
	cr_assert_eq(batch.count, sizeof(batch.bytes) / b.len);
}

Test(inetdiag_dump, what_a_kernel_wrote)
{
	static const struct {
		const char *path;
		uint8_t family;
		enum inetdiag_verdict verdict;
		enum poll_failure failure;
		unsigned int count;
	} cases[] = {
		{"legacy.bin", AF_UNSPEC, END, 37},
		{"ipv4.bin", AF_INET, END, 23},
		{"ipv6.bin", AF_INET6, END, 14},
		{"done-no-handler.bin", AF_UNSPEC, FAILED(NO_HANDLER)},
		{"error-no-family.bin", AF_UNSPEC, UNSUPPORTED},
		{"error-no-family.bin", AF_INET6, END, 0},
		{"error-short-request.bin", AF_UNSPEC, UNSUPPORTED},
		{"error-short-request.bin", AF_INET, FAILED(REFUSED)},
		{"error-busy.bin", AF_UNSPEC, FAILED(BUSY)},
	};

	if (BYTE_ORDER != LITTLE_ENDIAN) {
		printf("SKIPPED: the fixtures are little-endian\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char path[128], *bytes;
		enum poll_failure failure = POLL_FAILURE_NONE;
		struct inetdiag_dump d;
		size_t n;

		snprintf(path, sizeof(path), "tests/fixtures/inetdiag/%s", cases[i].path);
		bytes = test_read_file(path, &n);
		memcpy(batch.bytes, bytes, n);
		free(bytes);
		dump_init(&d);
		d.family = cases[i].family;
		cr_assert_eq(inetdiag_dump_digest(&d, &batch, n, &failure), cases[i].verdict, "%s",
			     path);
		cr_assert_eq(failure, cases[i].failure, "%s", path);
		cr_assert_eq(batch.count, cases[i].count, "%s: %u", path, batch.count);
	}
}

Test(inetdiag_dump, nothing_is_open_before_the_start)
{
	struct inetdiag_dump d;

	inetdiag_dump_init(&d, SOCK_STATES_ALL, 0);
	cr_assert_eq(d.socket.fd, -1);
	inetdiag_dump_cancel(&d);
	inetdiag_dump_done(&d);
	inetdiag_dump_done(&d);
	cr_assert_eq(d.socket.fd, -1);
}
