/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a poll: what it found becomes parts of a new snapshot. */
#pragma once

#include <stdbool.h>

#include "daemon/core/poll.h"

struct polling;

/* Publishes all parts that the lane has a say in, or none: the listeners', and WITH_SOCKETS those
 * of the sockets lane as well. POLL_FAILURE_NONE or POLL_FAILURE_MEMORY. */
enum poll_failure publishing_run(struct polling *p, bool with_sockets);
