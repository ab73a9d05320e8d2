/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which format, and whether compressed, a client asks for (RFC 9110, 12.5): as Prometheus 2 and 3
 * do, and never an answer of "not acceptable": who asks for nothing that there is gets text.
 */
#pragma once

#include <stdbool.h>

enum negotiate_format {
	NEGOTIATE_TEXT,        /* 0.0.4 */
	NEGOTIATE_OPENMETRICS, /* 1.0.0 */
	NEGOTIATE_PROTOBUF,    /* delimited */
	NEGOTIATE_FORMAT_END,
};

/* The format with the highest weight in a field Accept, which may be NULL. OpenMetrics only for who
 * names it, and then before text of the same weight; protobuf only for who prefers it to both. */
enum negotiate_format negotiate_format(const char *accept);
/* Whether a field Accept-Encoding, which may be NULL, allows gzip. */
bool negotiate_gzip(const char *accept_encoding);
