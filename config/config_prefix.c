/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_prefix.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/util/parse_num.h"

#define MAPPED_BITS 96

static bool is_mapped(const struct config_prefix *p)
{
	static const uint8_t head[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

	return p->family == AF_INET6 && p->bits >= MAPPED_BITS &&
	       memcmp(p->address.bytes, head, sizeof(head)) == 0;
}

static void fold_mapped(struct config_prefix *p)
{
	struct sock_address folded = {{0}};

	memcpy(folded.bytes, p->address.bytes + MAPPED_BITS / 8, 4);
	p->address = folded;
	p->family = AF_INET;
	p->bits -= MAPPED_BITS;
}

static bool has_bits_behind(const struct config_prefix *p)
{
	for (unsigned int i = p->bits; i < 8 * sizeof(p->address.bytes); i++)
		if (p->address.bytes[i / 8] >> (7 - i % 8) & 1)
			return true;
	return false;
}

const char *config_prefix_parse(const char *text, struct config_prefix *ret_prefix)
{
	const char *slash = strchrnul(text, '/');
	struct config_prefix p = {.family = memchr(text, ':', (size_t)(slash - text)) ? AF_INET6
										      : AF_INET};
	const unsigned int most = p.family == AF_INET ? 32 : 128;
	uint64_t bits = most;
	char address[INET6_ADDRSTRLEN];

	if ((size_t)(slash - text) >= sizeof(address))
		return "must be an address or a prefix, such as 10.0.0.0/8 or fd00::/8";
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (inet_pton(p.family, address, p.address.bytes) != 1)
		return "must be an address or a prefix, such as 10.0.0.0/8 or fd00::/8";
	if (*slash == '/' && parse_u64(slash + 1, 0, most, &bits) < 0)
		return p.family == AF_INET ? "must have a length from 0 to 32 behind the slash"
					   : "must have a length from 0 to 128 behind the slash";
	p.bits = (unsigned int)bits;
	if (has_bits_behind(&p))
		return "must have no bits set behind its length";
	if (is_mapped(&p))
		fold_mapped(&p);
	*ret_prefix = p;
	return NULL;
}
