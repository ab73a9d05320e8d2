/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "daemon/util/cleanup.h"

/* 16 more than zlib's largest window: gzip's frame and not zlib's. */
#define WINDOW_BITS  (MAX_WBITS + 16)
#define MEMORY_LEVEL 8 /* zlib's default */

/* Deflates into COMPRESSED, which has room for it. */
static int deflate_whole(z_stream *z, const struct buf *from, struct buf *compressed)
{
	z->next_in = (Bytef *)from->data;
	z->avail_in = (uInt)from->len;
	z->next_out = (Bytef *)compressed->data;
	z->avail_out = (uInt)compressed->cap;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM;
	compressed->len = z->total_out;
	return 0;
}

int gzip_buf(struct buf *b)
{
	struct buf compressed = BUF_INIT;
	z_stream z = {0};
	int r = -ENOMEM;

	if (b->len > UINT32_MAX / 2 || deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS,
						    MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	compressed.cap = deflateBound(&z, b->len);
	compressed.data = malloc(compressed.cap);
	if (compressed.data)
		r = deflate_whole(&z, b, &compressed);
	deflateEnd(&z);
	if (r < 0) {
		buf_done(&compressed);
		return r;
	}
	buf_done(b);
	*b = compressed;
	return 0;
}
