/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code for a node goes on behind its end where the node is true, and jumps to a target where it is
 * false. Negations are moved down to the predicates. What cannot be said to the kernel is taken for
 * true, under a negation as well, so that the whole takes too much and never too little.
 */
#include "daemon/core/filter_bytecode.h"

#include <linux/inet_diag.h>
#include <sys/socket.h>

#include "daemon/util/macros.h"

#define OP_LEN   sizeof(struct inet_diag_bc_op)
#define PORT_LEN (2 * OP_LEN) /* a second, whose `no` is the port */

struct maker {
	const struct filter *f;
	bool without_cgroup;
	int in_header[2]; /* the nodes whose ports the request's header has, or −1 */
	/* How long each node's code is, as it is and negated; 0: it is taken for true. */
	uint32_t lens[FILTER_NODES_MAX][2];
	uint8_t *code;
	uint32_t at;
};

static uint32_t states_of(const struct filter *f, unsigned int at, bool negate)
{
	const struct filter_node *n = &f->nodes[at];
	uint32_t left, right;

	switch ((enum filter_kind)n->kind) {
	case FILTER_NOT:
		return states_of(f, n->left, !negate);
	case FILTER_AND:
	case FILTER_OR:
		left = states_of(f, n->left, negate);
		right = states_of(f, n->right, negate);
		return (n->kind == FILTER_AND) != negate ? left & right : left | right;
	case FILTER_STATE:
		return negate ? ~n->states : n->states;
	case FILTER_ANY:
		return negate ? 0 : UINT32_MAX;
	case FILTER_HOST:
	case FILTER_PORT:
	case FILTER_AUTOBOUND:
	case FILTER_DEVICE:
	case FILTER_CGROUP:
		break;
	}
	return UINT32_MAX;
}

/* Ports that all rows must have. */
static void find_header_ports(struct maker *m, unsigned int at)
{
	const struct filter_node *n = &m->f->nodes[at];

	if (n->kind == FILTER_AND) {
		find_header_ports(m, n->left);
		find_header_ports(m, n->right);
	}
	if (n->kind == FILTER_PORT && n->compare == FILTER_EQUAL && n->port != 0 &&
	    m->in_header[n->is_remote] < 0)
		m->in_header[n->is_remote] = (int)at;
}

/* Of a predicate, without what negates it. */
static uint32_t leaf_len(const struct maker *m, const struct filter_node *n)
{
	switch ((enum filter_kind)n->kind) {
	case FILTER_HOST:
		return OP_LEN + sizeof(struct inet_diag_hostcond) + (n->family == AF_INET ? 4 : 16);
	case FILTER_ANY:
		return OP_LEN + sizeof(struct inet_diag_hostcond);
	case FILTER_PORT:
		return PORT_LEN;
	case FILTER_DEVICE:
		return n->interface ? OP_LEN + sizeof(uint32_t) : 0;
	case FILTER_CGROUP:
		return n->cgroup_id && !m->without_cgroup ? OP_LEN + sizeof(uint64_t) : 0;
	case FILTER_AND:
	case FILTER_OR:
	case FILTER_NOT:
	case FILTER_STATE:
	case FILTER_AUTOBOUND:
		break;
	}
	return 0;
}

static uint32_t either_len(uint32_t left, uint32_t right)
{
	return left && right ? left + (uint32_t)OP_LEN + right : 0;
}

static void measure(struct maker *m, unsigned int at)
{
	const struct filter_node *n = &m->f->nodes[at];
	const uint32_t *left = m->lens[n->left], *right = m->lens[n->right];
	uint32_t *lens = m->lens[at];
	bool has_range = m->f->ephemeral_low <= m->f->ephemeral_high;

	switch ((enum filter_kind)n->kind) {
	case FILTER_NOT:
		lens[0] = left[1];
		lens[1] = left[0];
		break;
	case FILTER_AND:
		lens[0] = left[0] + right[0];
		lens[1] = either_len(left[1], right[1]);
		break;
	case FILTER_OR:
		lens[0] = either_len(left[0], right[0]);
		lens[1] = left[1] + right[1];
		break;
	case FILTER_AUTOBOUND:
		lens[0] = has_range ? 2 * PORT_LEN : 0;
		lens[1] = has_range ? 2 * (PORT_LEN + OP_LEN) + OP_LEN : 0;
		break;
	case FILTER_ANY:
		lens[0] = 0;
		lens[1] = leaf_len(m, n) + (uint32_t)OP_LEN;
		break;
	case FILTER_HOST:
	case FILTER_PORT:
	case FILTER_DEVICE:
	case FILTER_CGROUP:
	case FILTER_STATE:
		lens[0] = leaf_len(m, n);
		lens[1] = lens[0] ? lens[0] + (uint32_t)OP_LEN : 0;
		break;
	}
	if ((int)at == m->in_header[0] || (int)at == m->in_header[1])
		lens[0] = 0;
}

static void put(struct maker *m, const void *bytes, size_t n)
{
	memcpy(m->code + m->at, bytes, n);
	m->at += (uint32_t)n;
}

/* LEN: of the whole instruction, behind which it goes on where it is true. */
static void put_op(struct maker *m, uint8_t code, uint32_t len, uint32_t target)
{
	const struct inet_diag_bc_op op = {
		.code = code,
		.yes = (uint8_t)len,
		.no = (uint16_t)(target - m->at),
	};

	put(m, &op, sizeof(op));
}

/* The kernel jumps as if it were false. */
static void put_jump(struct maker *m, uint32_t target)
{
	put_op(m, INET_DIAG_BC_JMP, OP_LEN, target);
}

static void put_port(struct maker *m, uint8_t code, uint16_t port, uint32_t target)
{
	const struct inet_diag_bc_op operand = {.no = port};

	put_op(m, code, PORT_LEN, target);
	put(m, &operand, sizeof(operand));
}

static uint8_t port_code(const struct filter_node *n)
{
	static const uint8_t codes[][2] = {
		[FILTER_EQUAL] = {INET_DIAG_BC_S_EQ, INET_DIAG_BC_D_EQ},
		[FILTER_AT_LEAST] = {INET_DIAG_BC_S_GE, INET_DIAG_BC_D_GE},
		[FILTER_AT_MOST] = {INET_DIAG_BC_S_LE, INET_DIAG_BC_D_LE},
	};

	return codes[n->compare][n->is_remote];
}

static void put_host(struct maker *m, const struct filter_node *n, uint32_t target)
{
	uint32_t len = leaf_len(m, n);
	const struct inet_diag_hostcond condition = {
		.family = n->kind == FILTER_ANY ? AF_UNSPEC : n->family,
		.prefix_len = n->prefix,
		.port = n->has_port ? n->port : -1,
	};

	put_op(m, n->is_remote ? INET_DIAG_BC_D_COND : INET_DIAG_BC_S_COND, len, target);
	put(m, &condition, sizeof(condition));
	put(m, n->address.bytes, len - OP_LEN - sizeof(condition));
}

static void put_leaf(struct maker *m, const struct filter_node *n, uint32_t target)
{
	switch ((enum filter_kind)n->kind) {
	case FILTER_ANY:
	case FILTER_HOST:
		put_host(m, n, target);
		break;
	case FILTER_PORT:
		put_port(m, port_code(n), n->port, target);
		break;
	case FILTER_DEVICE:
		put_op(m, INET_DIAG_BC_DEV_COND, leaf_len(m, n), target);
		put(m, &n->interface, sizeof(n->interface));
		break;
	case FILTER_CGROUP:
		put_op(m, INET_DIAG_BC_CGROUP_COND, leaf_len(m, n), target);
		put(m, &n->cgroup_id, sizeof(n->cgroup_id));
		break;
	case FILTER_AND:
	case FILTER_OR:
	case FILTER_NOT:
	case FILTER_STATE:
	case FILTER_AUTOBOUND:
		break;
	}
}

static void put_negated(struct maker *m, const struct filter_node *n, uint32_t target)
{
	put_leaf(m, n, m->at + leaf_len(m, n) + (uint32_t)OP_LEN);
	put_jump(m, target);
}

static void put_autobound(struct maker *m, bool negate, uint32_t target)
{
	const struct filter_node at_least = {
		.kind = FILTER_PORT, .compare = FILTER_AT_LEAST, .port = m->f->ephemeral_low};
	const struct filter_node at_most = {
		.kind = FILTER_PORT, .compare = FILTER_AT_MOST, .port = m->f->ephemeral_high};
	uint32_t half = PORT_LEN + OP_LEN;

	if (!negate) {
		put_leaf(m, &at_least, target);
		put_leaf(m, &at_most, target);
		return;
	}
	put_negated(m, &at_least, m->at + half + (uint32_t)OP_LEN);
	put_jump(m, m->at + (uint32_t)OP_LEN + half);
	put_negated(m, &at_most, target);
}

static void put_node(struct maker *m, unsigned int at, bool negate, uint32_t target);

static void put_either(struct maker *m, const struct filter_node *n, bool negate, uint32_t target)
{
	put_node(m, n->left, negate, m->at + m->lens[n->left][negate] + (uint32_t)OP_LEN);
	put_jump(m, m->at + (uint32_t)OP_LEN + m->lens[n->right][negate]);
	put_node(m, n->right, negate, target);
}

static void put_node(struct maker *m, unsigned int at, bool negate, uint32_t target)
{
	const struct filter_node *n = &m->f->nodes[at];

	if (m->lens[at][negate] == 0)
		return;
	switch ((enum filter_kind)n->kind) {
	case FILTER_NOT:
		put_node(m, n->left, !negate, target);
		return;
	case FILTER_AND:
	case FILTER_OR:
		if ((n->kind == FILTER_OR) != negate) {
			put_either(m, n, negate, target);
			return;
		}
		put_node(m, n->left, negate, target);
		put_node(m, n->right, negate, target);
		return;
	case FILTER_AUTOBOUND:
		put_autobound(m, negate, target);
		return;
	case FILTER_ANY:
	case FILTER_HOST:
	case FILTER_PORT:
	case FILTER_DEVICE:
	case FILTER_CGROUP:
	case FILTER_STATE:
		break;
	}
	if (negate)
		put_negated(m, n, target);
	else
		put_leaf(m, n, target);
}

/* Whether the code says all of a node. A cgroup that a row does not tell is one for the kernel. */
static bool is_said(const struct maker *m, unsigned int at, bool negate)
{
	const struct filter_node *n = &m->f->nodes[at];

	switch ((enum filter_kind)n->kind) {
	case FILTER_NOT:
		return is_said(m, n->left, !negate);
	case FILTER_AND:
	case FILTER_OR:
		return is_said(m, n->left, negate) && is_said(m, n->right, negate);
	case FILTER_ANY:
		return true;
	case FILTER_CGROUP:
		return m->lens[at][0] && !negate;
	case FILTER_HOST:
	case FILTER_PORT:
	case FILTER_AUTOBOUND:
	case FILTER_DEVICE:
	case FILTER_STATE:
		break;
	}
	return m->lens[at][negate] > 0;
}

/* The same of what all rows must be, of which the header says some. */
static bool is_whole(const struct maker *m, unsigned int at)
{
	const struct filter_node *n = &m->f->nodes[at];

	if (n->kind == FILTER_AND)
		return is_whole(m, n->left) && is_whole(m, n->right);
	return n->kind == FILTER_STATE || (int)at == m->in_header[0] ||
	       (int)at == m->in_header[1] || is_said(m, at, false);
}

void filter_request_make(struct filter_request *q, const struct filter *f, bool without_cgroup)
{
	struct maker m = {
		.f = f, .without_cgroup = without_cgroup, .in_header = {-1, -1}, .code = q->code};
	unsigned int root = f->count - 1U;
	uint32_t len;

	find_header_ports(&m, root);
	for (unsigned int i = 0; i < f->count; i++)
		measure(&m, i);
	len = m.lens[root][0];
	q->states = states_of(f, root, false);
	q->local_port = m.in_header[0] < 0 ? 0 : f->nodes[m.in_header[0]].port;
	q->remote_port = m.in_header[1] < 0 ? 0 : f->nodes[m.in_header[1]].port;
	q->is_whole = len <= FILTER_CODE_MAX && is_whole(&m, root);
	q->code_len = 0;
	if (len > FILTER_CODE_MAX)
		return;
	/* Beyond the end by one instruction: the row is not wanted. */
	put_node(&m, root, false, len + (uint32_t)OP_LEN);
	q->code_len = (uint16_t)len;
}
