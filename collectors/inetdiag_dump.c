/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/inetdiag_dump.h"

#include <assert.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "collectors/inetdiag_parse.h"
#include "collectors/localdiag_parse.h"

void inetdiag_dump_init(struct inetdiag_dump *d, uint32_t states, uint8_t extensions)
{
	*d = (struct inetdiag_dump)INETDIAG_DUMP_INIT;
	d->states = states;
	d->extensions = extensions;
}

void inetdiag_dump_done(struct inetdiag_dump *d)
{
	inetdiag_dump_cancel(d);
}

void inetdiag_dump_cancel(struct inetdiag_dump *d)
{
	netlink_socket_close(&d->socket);
	d->running = false;
}

/* What systemd's RestrictAddressFamilies=, a seccomp filter, a security module, or a kernel without
 * sock_diag answer, as against what passes. */
static bool is_refusal(int error)
{
	return error == -EAFNOSUPPORT || error == -EPROTONOSUPPORT || error == -EPERM ||
	       error == -EACCES || error == -ENOSYS || error == -ECONNREFUSED;
}

/* Whom to ask for a family's sockets, one after the other. */
static const uint8_t walks[POLL_FAMILY_END][2] = {
	[POLL_FAMILY_TCP] = {AF_INET, AF_INET6},   [POLL_FAMILY_UDP] = {AF_INET, AF_INET6},
	[POLL_FAMILY_MPTCP] = {AF_INET, AF_INET6}, [POLL_FAMILY_UNIX] = {AF_UNIX},
	[POLL_FAMILY_RAW] = {AF_INET, AF_INET6},   [POLL_FAMILY_PACKET] = {AF_PACKET},
	[POLL_FAMILY_NETLINK] = {AF_NETLINK},
};

static enum poll_failure start_walk(struct inetdiag_dump *d, uint8_t family)
{
	const struct inetdiag_request request = {
		.of = d->of,
		.family = family,
		.extensions = d->extensions,
		.states = d->states,
		.filter = d->filter,
	};
	uint8_t bytes[INETDIAG_REQUEST_MAX];
	size_t n;
	int r;

	d->family = family;
	d->has_rows = false;
	n = inetdiag_request_render(&request, ++d->sequence, bytes);
	r = netlink_socket_send(&d->socket, bytes, n);
	if (r < 0) {
		inetdiag_dump_cancel(d);
		return is_refusal(r) ? POLL_FAILURE_DENIED : POLL_FAILURE_SEND;
	}
	return POLL_FAILURE_NONE;
}

enum poll_failure inetdiag_dump_start(struct inetdiag_dump *d)
{
	int r = 0;

	assert(!d->running);
	if (d->socket.fd < 0)
		r = netlink_socket_open(&d->socket);
	if (r < 0)
		return is_refusal(r) ? POLL_FAILURE_DENIED : POLL_FAILURE_SOCKET;
	d->running = true;
	d->was_interrupted = false;
	if (d->of == POLL_FAMILY_TCP && !d->no_legacy)
		return start_walk(d, AF_UNSPEC);
	return start_walk(d, walks[d->of][0]);
}

static enum inetdiag_verdict digest_fault(enum poll_failure failure, enum poll_failure *ret_failure)
{
	*ret_failure = failure;
	return INETDIAG_VERDICT_FAILED;
}

/* The -errno that follows the header of NLMSG_DONE and of NLMSG_ERROR. */
static int load_error(const struct nlmsghdr *m, int *ret_error)
{
	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*ret_error)))
		return -EBADMSG;
	memcpy(ret_error, NLMSG_DATA(m), sizeof(*ret_error));
	return 0;
}

static enum inetdiag_verdict digest_refusal(const struct inetdiag_dump *d, int error,
					    enum poll_failure *ret_failure)
{
	/* IPv4 was served before; a kernel without IPv6 has no sockets of it. */
	if (d->family == AF_INET6 && !d->has_rows && (error == -ENOENT || error == -EAFNOSUPPORT))
		return INETDIAG_VERDICT_END;
	if (error == -ENOENT)
		return digest_fault(POLL_FAILURE_NO_HANDLER, ret_failure);
	if (error == -EBUSY)
		return digest_fault(POLL_FAILURE_BUSY, ret_failure);
	if (error == -EPERM || error == -EACCES)
		return digest_fault(POLL_FAILURE_DENIED, ret_failure);
	return digest_fault(POLL_FAILURE_REFUSED, ret_failure);
}

/* A protocol without a handler is refused here, at the end, and not by NLMSG_ERROR. */
static enum inetdiag_verdict digest_done(const struct inetdiag_dump *d, const struct nlmsghdr *m,
					 enum poll_failure *ret_failure)
{
	int error;

	if (load_error(m, &error) < 0)
		return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
	return error ? digest_refusal(d, error, ret_failure) : INETDIAG_VERDICT_END;
}

static enum inetdiag_verdict digest_error(const struct inetdiag_dump *d, const struct nlmsghdr *m,
					  enum poll_failure *ret_failure)
{
	int error;

	if (load_error(m, &error) < 0)
		return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
	if (error == 0)
		return INETDIAG_VERDICT_ROWS; /* an acknowledgement */
	/* How sock_diag_rcv_msg() refuses TCPDIAG_GETSOCK: inet_diag is not there, the type is not
	 * known, or nobody handles it. */
	if (d->family == AF_UNSPEC && !d->has_rows &&
	    (error == -EOPNOTSUPP || error == -EINVAL || error == -ENOENT))
		return INETDIAG_VERDICT_UNSUPPORTED;
	return digest_refusal(d, error, ret_failure);
}

static int parse_row(const struct inetdiag_dump *d, const struct nlmsghdr *m,
		     struct sock_record *ret_record)
{
	return d->family == AF_UNSPEC || d->family == AF_INET || d->family == AF_INET6
		       ? inetdiag_parse(m, ret_record)
		       : localdiag_parse(m, ret_record);
}

static enum inetdiag_verdict digest_row(struct inetdiag_dump *d, const struct nlmsghdr *m,
					struct sock_batch *batch, enum poll_failure *ret_failure)
{
	d->has_rows = true;
	switch (parse_row(d, m, &batch->records[batch->count])) {
	case 0:
		batch->count++;
		break;
	case -EAFNOSUPPORT:
		d->unknown_families++;
		break;
	case -EPROTO:
		d->unknown_states++;
		break;
	default:
		return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
	}
	return INETDIAG_VERDICT_ROWS;
}

static enum inetdiag_verdict digest_message(struct inetdiag_dump *d, const struct nlmsghdr *m,
					    struct sock_batch *batch,
					    enum poll_failure *ret_failure)
{
	/* The kernel answers with the type that it was asked with. */
	const uint16_t row = d->family == AF_UNSPEC ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY;

	if (m->nlmsg_seq != d->sequence || m->nlmsg_pid != d->socket.port_id)
		return digest_fault(POLL_FAILURE_SEQUENCE, ret_failure);
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		d->was_interrupted = true;
	if (m->nlmsg_type == row)
		return digest_row(d, m, batch, ret_failure);
	switch (m->nlmsg_type) {
	case NLMSG_NOOP:
		return INETDIAG_VERDICT_ROWS;
	case NLMSG_DONE:
		return digest_done(d, m, ret_failure);
	case NLMSG_ERROR:
		return digest_error(d, m, ret_failure);
	case NLMSG_OVERRUN:
		return digest_fault(POLL_FAILURE_OVERRUN, ret_failure);
	default:
		return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
	}
}

static enum inetdiag_verdict digest_messages(struct inetdiag_dump *d, struct sock_batch *batch,
					     size_t n, enum poll_failure *ret_failure)
{
	enum inetdiag_verdict verdict = INETDIAG_VERDICT_ROWS;
	size_t at = 0;

	if (n == 0)
		return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
	while (at < n) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(batch->bytes + at);

		if (verdict == INETDIAG_VERDICT_END)
			return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
		if (n - at < NLMSG_HDRLEN)
			return digest_fault(POLL_FAILURE_TRUNCATED, ret_failure);
		if (m->nlmsg_len < NLMSG_HDRLEN)
			return digest_fault(POLL_FAILURE_MALFORMED, ret_failure);
		if (m->nlmsg_len > n - at)
			return digest_fault(POLL_FAILURE_TRUNCATED, ret_failure);
		verdict = digest_message(d, m, batch, ret_failure);
		if (verdict == INETDIAG_VERDICT_UNSUPPORTED || verdict == INETDIAG_VERDICT_FAILED)
			return verdict;
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
	return verdict;
}

enum inetdiag_verdict inetdiag_dump_digest(struct inetdiag_dump *d, struct sock_batch *batch,
					   size_t n, enum poll_failure *ret_failure)
{
	enum inetdiag_verdict verdict;

	assert(n <= sizeof(batch->bytes));
	batch->count = 0;
	verdict = digest_messages(d, batch, n, ret_failure);
	if (verdict == INETDIAG_VERDICT_UNSUPPORTED || verdict == INETDIAG_VERDICT_FAILED)
		batch->count = 0;
	return verdict;
}

static enum sock_step step_failed(struct inetdiag_dump *d, struct sock_batch *batch,
				  enum poll_failure failure, enum poll_failure *ret_failure)
{
	inetdiag_dump_cancel(d);
	batch->count = 0;
	*ret_failure = failure;
	return SOCK_STEP_FAILED;
}

static enum poll_failure failure_of_receive(long error)
{
	if (error == -ENOSPC)
		return POLL_FAILURE_TRUNCATED;
	if (error == -ENOBUFS)
		return POLL_FAILURE_OVERRUN;
	return POLL_FAILURE_RECEIVE;
}

/* The walk has ended: the next one, if there is one. */
static enum sock_step step_walk(struct inetdiag_dump *d, struct sock_batch *batch, uint8_t family,
				enum poll_failure *ret_failure)
{
	enum poll_failure failure = start_walk(d, family);

	if (failure)
		return step_failed(d, batch, failure, ret_failure);
	return SOCK_STEP_MORE;
}

static enum sock_step step_verdict(struct inetdiag_dump *d, struct sock_batch *batch,
				   enum inetdiag_verdict verdict, enum poll_failure *ret_failure)
{
	switch (verdict) {
	case INETDIAG_VERDICT_UNSUPPORTED:
		d->no_legacy = true;
		return step_walk(d, batch, AF_INET, ret_failure);
	case INETDIAG_VERDICT_END:
		if (d->family == walks[d->of][0] && walks[d->of][1])
			return step_walk(d, batch, walks[d->of][1], ret_failure);
		d->running = false;
		return SOCK_STEP_DONE;
	case INETDIAG_VERDICT_ROWS:
		return SOCK_STEP_MORE;
	case INETDIAG_VERDICT_FAILED:
		break;
	}
	return step_failed(d, batch, *ret_failure, ret_failure);
}

enum sock_step inetdiag_dump_step(struct inetdiag_dump *d, struct sock_batch *batch,
				  bool tolerate_interrupted, enum poll_failure *ret_failure)
{
	enum inetdiag_verdict verdict;
	long n = netlink_socket_receive(&d->socket, batch->bytes, sizeof(batch->bytes));

	batch->count = 0;
	if (n == -ESRCH)
		d->foreign_messages++;
	if (n == -ESRCH || n == -EAGAIN)
		return SOCK_STEP_MORE;
	if (n < 0)
		return step_failed(d, batch, failure_of_receive(n), ret_failure);
	/* Nothing was asked that this could answer. */
	if (!d->running)
		return step_failed(d, batch, POLL_FAILURE_SEQUENCE, ret_failure);

	verdict = inetdiag_dump_digest(d, batch, (size_t)n, ret_failure);
	if (d->was_interrupted && !tolerate_interrupted && verdict != INETDIAG_VERDICT_FAILED)
		return step_failed(d, batch, POLL_FAILURE_INTERRUPTED, ret_failure);
	return step_verdict(d, batch, verdict, ret_failure);
}
