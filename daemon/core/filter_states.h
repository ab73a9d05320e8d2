/* SPDX-License-Identifier: Apache-2.0 */
/* The names of states, and of sets of them, that may follow `state` and `exclude`. */
#pragma once

#include "daemon/core/filter_token.h"
#include "daemon/core/sock.h"

#define FILTER_STATES_ALL (SOCK_STATE_BIT(SOCK_STATE_END) - 2)

/* SOCK_STATE_BIT()s; 0: it names none. */
uint32_t filter_states_find(const struct filter_token *t);
