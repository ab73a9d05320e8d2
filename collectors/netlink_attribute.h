/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes behind a message's head, one after the other. Pure. */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* The next of the N bytes, which then are those behind it. NULL: there is none, or N is not 0 and
 * what is there is none. The last may come without its padding. */
static inline const struct nlattr *netlink_attribute_next(const uint8_t **bytes, size_t *n)
{
	const struct nlattr *a = (const struct nlattr *)*bytes;
	size_t step;

	if (*n < NLA_HDRLEN || a->nla_len < NLA_HDRLEN || a->nla_len > *n)
		return NULL;
	step = (size_t)NLA_ALIGN(a->nla_len);
	step = step < *n ? step : *n;
	*bytes += step;
	*n -= step;
	return a;
}

static inline const uint8_t *netlink_attribute_payload(const struct nlattr *a)
{
	return (const uint8_t *)a + NLA_HDRLEN;
}

static inline size_t netlink_attribute_len(const struct nlattr *a)
{
	return (size_t)a->nla_len - NLA_HDRLEN;
}
