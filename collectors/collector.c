/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/collector.h"

void collector_init(struct collector *c, const char *procfs)
{
	inetdiag_dump_init(&c->netlink, 0, 0);
	procfs_dump_init(&c->procfs, procfs);
	c->source = POLL_SOURCE_NETLINK;
}

void collector_done(struct collector *c)
{
	inetdiag_dump_done(&c->netlink);
	procfs_dump_done(&c->procfs);
}

enum poll_failure collector_start(struct collector *c, enum poll_source source,
				  const struct collector_query *query)
{
	c->source = source;
	if (source == POLL_SOURCE_PROCFS)
		return procfs_dump_start(&c->procfs, query->family,
					 query->states == SOCK_STATE_BIT(SOCK_LISTEN));
	c->netlink.of = query->family;
	c->netlink.states = query->states;
	c->netlink.extensions = query->extensions;
	c->netlink.filter = query->filter;
	return inetdiag_dump_start(&c->netlink);
}

int collector_fd(const struct collector *c)
{
	return c->source == POLL_SOURCE_PROCFS ? -1 : c->netlink.socket.fd;
}

enum sock_step collector_step(struct collector *c, struct sock_batch *batch,
			      bool tolerate_interrupted, enum poll_failure *ret_failure)
{
	if (c->source == POLL_SOURCE_PROCFS)
		return procfs_dump_step(&c->procfs, batch, ret_failure);
	return inetdiag_dump_step(&c->netlink, batch, tolerate_interrupted, ret_failure);
}

void collector_cancel(struct collector *c)
{
	if (c->netlink.running)
		inetdiag_dump_cancel(&c->netlink);
	procfs_dump_cancel(&c->procfs);
}
