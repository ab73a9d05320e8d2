/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to the kernel, run as the kernel runs it: inet_diag_bc_audit() and inet_diag_bc_run()
 * of net/ipv4/inet_diag.c, written down again from what they do.
 */
#include "daemon/core/filter_bytecode.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/filter_random.h"
#include "tests/support/test_support.h"

TEST_SUITE(filter_bytecode);

static const struct filter_world world;

static uint32_t find_interface(const char *name)
{
	return strcmp(name, "lo") == 0 ? 1 : 0;
}

static uint64_t find_cgroup(const char *path)
{
	return strcmp(path, "/a") == 0 ? 1 : 0;
}

static const struct filter_names names = {32768, 60999, find_interface, find_cgroup};

static struct filter *parse(const char *text)
{
	struct filter_error error;
	struct filter *f = NULL;

	cr_assert_eq(filter_parse(text, &world, &error, &f), 0, "%s: %s", text, error.what);
	filter_resolve(f, &names);
	return f;
}

static struct inet_diag_bc_op op_at(const struct filter_request *q, uint32_t at)
{
	struct inet_diag_bc_op op;

	memcpy(&op, q->code + at, sizeof(op));
	return op;
}

/* What an operation is at least long. */
static uint32_t least_len(const struct filter_request *q, uint32_t at, const char *text)
{
	struct inet_diag_bc_op op = op_at(q, at);
	struct inet_diag_hostcond condition;

	switch (op.code) {
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		cr_assert_leq(at + 12, q->code_len, "%s", text);
		memcpy(&condition, q->code + at + 4, sizeof(condition));
		return 12 + (condition.family == AF_INET    ? 4
			     : condition.family == AF_INET6 ? 16
							    : 0);
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_EQ:
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_DEV_COND:
		return 8;
	case INET_DIAG_BC_CGROUP_COND:
		return 12;
	case INET_DIAG_BC_JMP:
		return 4;
	default:
		cr_assert_fail("%s: code %u", text, op.code);
		return 0;
	}
}

/* The kernel refuses code in which a step does not lead to an operation, or to the end. */
static void audit(const struct filter_request *q, const char *text)
{
	static bool is_op[FILTER_CODE_MAX + 8];
	uint32_t at = 0;

	memset(is_op, 0, sizeof(is_op));
	while (at < q->code_len) {
		is_op[at] = true;
		cr_assert_geq(op_at(q, at).yes, least_len(q, at, text), "%s", text);
		at += op_at(q, at).yes;
	}
	cr_assert_eq(at, q->code_len, "%s", text);
	is_op[at] = true;
	is_op[at + 4] = true;
	for (at = 0; at < q->code_len; at += op_at(q, at).yes) {
		struct inet_diag_bc_op op = op_at(q, at);

		cr_assert(op.yes % 4 == 0 && op.no % 4 == 0, "%s", text);
		cr_assert_geq(op.no, least_len(q, at, text), "%s", text);
		cr_assert_leq(at + op.no, q->code_len + 4U, "%s", text);
		cr_assert(is_op[at + op.no], "%s", text);
	}
}

static bool has_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* The address as the kernel has it, in a socket of its family. */
static uint8_t kernel_address(const struct sock_record *r, bool is_remote, uint8_t ret_bytes[16])
{
	const uint8_t *bytes = is_remote ? r->remote.bytes : r->local.bytes;

	memset(ret_bytes, 0, 16);
	if (r->is_v4_in_v6 && is_remote && r->state == SOCK_LISTEN)
		return AF_INET6;
	if (!r->is_v4_in_v6) {
		memcpy(ret_bytes, bytes, 16);
		return r->family;
	}
	ret_bytes[10] = 0xff;
	ret_bytes[11] = 0xff;
	memcpy(ret_bytes + 12, bytes, 4);
	return AF_INET6;
}

static bool run_host(const uint8_t *payload, bool is_remote, const struct sock_record *r)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct inet_diag_hostcond condition;
	uint8_t address[16], family;

	memcpy(&condition, payload, sizeof(condition));
	if (condition.port != -1 && condition.port != (is_remote ? r->remote_port : r->local_port))
		return false;
	family = kernel_address(r, is_remote, address);
	if (condition.family != AF_UNSPEC && condition.family != family)
		return family == AF_INET6 && condition.family == AF_INET &&
		       memcmp(address, mapped, 12) == 0 &&
		       has_prefix(address + 12, payload + 8, condition.prefix_len);
	return has_prefix(address, payload + 8, condition.prefix_len);
}

static bool run_op(const struct filter_request *q, uint32_t at, const struct sock_record *r)
{
	const uint8_t *payload = q->code + at + 4;
	uint16_t operand = op_at(q, at + 4).no;
	uint64_t cgroup;

	switch (op_at(q, at).code) {
	case INET_DIAG_BC_S_EQ:
		return r->local_port == operand;
	case INET_DIAG_BC_D_EQ:
		return r->remote_port == operand;
	case INET_DIAG_BC_S_GE:
		return r->local_port >= operand;
	case INET_DIAG_BC_S_LE:
		return r->local_port <= operand;
	case INET_DIAG_BC_D_GE:
		return r->remote_port >= operand;
	case INET_DIAG_BC_D_LE:
		return r->remote_port <= operand;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		return run_host(payload, op_at(q, at).code == INET_DIAG_BC_D_COND, r);
	case INET_DIAG_BC_DEV_COND:
		return sock_load_u32(payload, 0) == r->interface;
	case INET_DIAG_BC_CGROUP_COND:
		memcpy(&cgroup, payload, sizeof(cgroup));
		return cgroup == r->cgroup_id;
	default:
		return false; /* a jump */
	}
}

/* Whether the kernel sends such a row. */
static bool is_sent(const struct filter_request *q, const struct sock_record *r)
{
	uint32_t at = 0;

	if (!(q->states & SOCK_STATE_BIT(r->state)) ||
	    (q->local_port && q->local_port != r->local_port) ||
	    (q->remote_port && q->remote_port != r->remote_port))
		return false;
	while (at < q->code_len)
		at += run_op(q, at, r) ? op_at(q, at).yes : op_at(q, at).no;
	return at == q->code_len;
}

Test(filter_bytecode, requests)
{
	static const struct {
		const char *text;
		uint32_t states;
		uint16_t local_port, remote_port, code_len;
		bool is_whole;
	} cases[] = {
		{"sport = :443", UINT32_MAX, 443, 0, 0, true},
		{"sport = :443 and dport = :80", UINT32_MAX, 443, 80, 0, true},
		{"sport = :443 and sport = :444", UINT32_MAX, 443, 0, 8, true},
		{"sport = :0", UINT32_MAX, 0, 0, 8, true},
		{"sport >= :443", UINT32_MAX, 0, 0, 8, true},
		{"sport > :443", UINT32_MAX, 0, 0, 12, true},
		{"src :443", UINT32_MAX, 443, 0, 0, true},
		{"src 127.0.0.1", UINT32_MAX, 0, 0, 16, true},
		{"src [::1]:80", UINT32_MAX, 0, 0, 28, true},
		{"src *", UINT32_MAX, 0, 0, 0, true},
		{"not src *", 0, 0, 0, 16, true},
		{"state established", 2, 0, 0, 0, true},
		{"state established ( dport = :443 or sport = :443 )", 2, 0, 0, 20, true},
		{"state established or sport = :443", UINT32_MAX, 0, 0, 0, false},
		{"(state established and sport = :1) or (state listening and sport = :2)", 0x402, 0,
		 0, 20, false},
		{"not (state established or sport = :443)", ~UINT32_C(2), 0, 0, 12, false},
		{"autobound", UINT32_MAX, 0, 0, 16, true},
		{"not autobound", UINT32_MAX, 0, 0, 28, true},
		{"dev lo", UINT32_MAX, 0, 0, 8, true},
		{"dev eth7 and sport >= 1", UINT32_MAX, 0, 0, 8, false},
		{"cgroup /a", UINT32_MAX, 0, 0, 12, true},
		{"cgroup != /a", UINT32_MAX, 0, 0, 16, false},
		{"cgroup /gone", UINT32_MAX, 0, 0, 0, false},
	};
	static struct filter_request q;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *f = parse(cases[i].text);

		filter_request_make(&q, f, false);
		audit(&q, cases[i].text);
		cr_assert_eq(q.states, cases[i].states, "%s: %x", cases[i].text, q.states);
		cr_assert_eq(q.local_port, cases[i].local_port, "%s", cases[i].text);
		cr_assert_eq(q.remote_port, cases[i].remote_port, "%s", cases[i].text);
		cr_assert_eq(q.code_len, cases[i].code_len, "%s: %u", cases[i].text, q.code_len);
		cr_assert_eq(q.is_whole, cases[i].is_whole, "%s", cases[i].text);
		filter_free(f);
	}
}

/* A kernel that does not know cgroups is asked for less. */
Test(filter_bytecode, without_cgroup)
{
	static struct filter_request q;
	struct filter *f = parse("cgroup /a and sport >= 1");

	filter_request_make(&q, f, true);
	cr_assert_eq(q.code_len, 8);
	cr_assert_not(q.is_whole);
	filter_free(f);
}

/* What is too long for the kernel is matched here alone. */
Test(filter_bytecode, too_long)
{
	static struct filter_request q;
	char text[FILTER_TEXT_MAX] = "src [::1]";
	struct filter *f;

	for (unsigned int i = 0; i < 400; i++)
		strcat(text, "|src ::/9");
	f = parse(text);
	filter_request_make(&q, f, false);
	cr_assert_eq(q.code_len, 400 * (28 + 4) + 28);
	filter_free(f);

	strcpy(text, "sport=1|sport!=1");
	for (unsigned int i = 0; i < 200; i++)
		strcat(text, "|src!=[::1]:1");
	f = parse(text);
	filter_request_make(&q, f, false);
	audit(&q, "long");
	filter_free(f);
}

static void assert_alike(const char *text, const struct filter *f, const struct filter_request *q,
			 struct filter_random *r)
{
	struct sock_record record;

	for (int i = 0; i < 30; i++) {
		bool sent, matched;

		filter_random_record(r, &record);
		sent = is_sent(q, &record);
		matched = filter_match(f, &record);
		cr_assert(sent || !matched, "the kernel keeps what matches: %s", text);
		cr_assert(!q->is_whole || sent == matched, "it is not the whole: %s", text);
	}
}

/* The kernel sends whatever matches, and exactly that where nothing else is left to be said. */
Test(filter_bytecode, random)
{
	static struct filter_request q;
	struct filter_random r = {.state = 88172645463325252};
	unsigned int wholes = 0;
	char text[FILTER_RANDOM_MAX];

	for (unsigned int i = 0; i < 20000; i++) {
		struct filter *f;

		filter_random_text(&r, text);
		f = parse(text);
		filter_request_make(&q, f, i % 5 == 0);
		audit(&q, text);
		assert_alike(text, f, &q, &r);
		wholes += q.is_whole;
		filter_free(f);
	}
	cr_assert(wholes > 5000 && wholes < 19000, "%u", wholes);
}
