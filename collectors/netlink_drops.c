/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/netlink_drops.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/parse_num.h"

/* A line of Linux 6.18 has 91 bytes; a longer one than this is none. */
#define LINE_BYTES 256

/* The columns that are read, by netlink_native_seq_show(). */
enum column {
	COLUMN_PROTOCOL = 1, /* "Eth" */
	COLUMN_PORT_ID = 2,  /* "Pid" */
	COLUMN_DROPS = 8,
	COLUMN_END,
};

/* Cuts TEXT at its blanks. Whether there are as many words as are read. */
static bool split(char *text, char *ret_words[COLUMN_END])
{
	char *rest = NULL;
	unsigned int count = 0;

	for (char *word = strtok_r(text, " ", &rest); word && count < COLUMN_END;
	     word = strtok_r(NULL, " ", &rest))
		ret_words[count++] = word;
	return count == COLUMN_END;
}

int netlink_drops_parse(const char *line, size_t n, uint32_t port_id, uint32_t *ret_drops)
{
	char text[LINE_BYTES];
	char *words[COLUMN_END];
	uint64_t protocol, port, drops;

	if (n >= sizeof(text) || memchr(line, '\0', n))
		return -EBADMSG;
	memcpy(text, line, n);
	text[n] = '\0';
	if (!split(text, words))
		return -EBADMSG;
	if (strcmp(words[COLUMN_PROTOCOL], "Eth") == 0)
		return -ENOENT;
	if (parse_u64(words[COLUMN_PROTOCOL], 0, UINT32_MAX, &protocol) ||
	    parse_u64(words[COLUMN_PORT_ID], 0, UINT32_MAX, &port))
		return -EBADMSG;
	if (protocol != NETLINK_SOCK_DIAG || port != port_id)
		return -ENOENT;
	if (parse_u64(words[COLUMN_DROPS], 0, UINT32_MAX, &drops))
		return -EBADMSG;
	*ret_drops = (uint32_t)drops;
	return 0;
}

/* A line of somebody else that cannot be read hides nothing of ours. */
int netlink_drops_read(const char *path, uint32_t port_id, uint32_t *ret_drops)
{
	_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_BYTES];
	int r = -ENOENT;

	if (!f)
		return -errno;
	while (r != 0 && fgets(line, sizeof(line), f)) {
		int error = netlink_drops_parse(line, strcspn(line, "\n"), port_id, ret_drops);

		if (error != -ENOENT)
			r = error;
	}
	return ferror(f) ? -EIO : r;
}
