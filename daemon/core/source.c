/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/source.h"

void source_configure(struct source *s, enum source_mode mode)
{
	s->mode = mode;
	s->retry_ns = 0;
}

enum poll_source source_choose(struct source *s, uint64_t now_ns)
{
	enum poll_source other = s->lacks_procfs ? POLL_SOURCE_END : POLL_SOURCE_PROCFS;

	if (s->mode == SOURCE_PROCFS_ONLY)
		return other;
	if (!s->is_refused || (s->mode == SOURCE_NETLINK_ONLY && !s->lacks_procfs))
		return POLL_SOURCE_NETLINK;
	if (now_ns < s->retry_ns)
		return other;
	/* This poll tries for both lanes. */
	s->retry_ns = now_ns + SOURCE_RETRY_NS;
	return POLL_SOURCE_NETLINK;
}

bool source_refused(struct source *s, uint64_t now_ns, bool *ret_is_new)
{
	*ret_is_new = !s->is_refused;
	s->is_refused = true;
	s->retry_ns = now_ns + SOURCE_RETRY_NS;
	return s->mode == SOURCE_AUTO && !s->lacks_procfs;
}

bool source_is_procfs(const struct source *s)
{
	return s->mode == SOURCE_PROCFS_ONLY || (s->mode == SOURCE_AUTO && s->is_refused);
}

bool source_served(struct source *s)
{
	bool was_refused = s->is_refused;

	s->is_refused = false;
	return was_refused;
}
