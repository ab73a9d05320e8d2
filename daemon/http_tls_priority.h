/* SPDX-License-Identifier: Apache-2.0 */
/* Versions, suites and curves as GnuTLS's priority strings. */
#pragma once

#include "config/web_config.h"

/* Both terminated. TO: of all versions. OLD: of TLS 1.2 and below, where suites are chosen; empty
 * if none are, or those versions are not allowed. -EINVAL: nothing is left to be negotiated;
 * -ENOMEM. */
int http_tls_priorities(const struct web_config *w, struct buf *to, struct buf *old);
