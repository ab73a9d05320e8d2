/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/filter_states.h"

#include <strings.h>

#include "daemon/util/macros.h"

#define CONNECTED     (FILTER_STATES_ALL & ~(SOCK_STATE_BIT(SOCK_CLOSE) | SOCK_STATE_BIT(SOCK_LISTEN)))
#define BUCKET_STATES (SOCK_STATE_BIT(SOCK_SYN_RECV) | SOCK_STATE_BIT(SOCK_TIME_WAIT))

/* scan_state() of ss.c, and the names that our metrics have. */
static const struct {
	const char *name;
	uint32_t states;
} state_names[] = {
	{"established", SOCK_STATE_BIT(SOCK_ESTABLISHED)},
	{"syn-sent", SOCK_STATE_BIT(SOCK_SYN_SENT)},
	{"syn-recv", SOCK_STATE_BIT(SOCK_SYN_RECV)},
	{"syn-rcv", SOCK_STATE_BIT(SOCK_SYN_RECV)},
	{"fin-wait-1", SOCK_STATE_BIT(SOCK_FIN_WAIT1)},
	{"fin-wait1", SOCK_STATE_BIT(SOCK_FIN_WAIT1)},
	{"fin-wait-2", SOCK_STATE_BIT(SOCK_FIN_WAIT2)},
	{"fin-wait2", SOCK_STATE_BIT(SOCK_FIN_WAIT2)},
	{"time-wait", SOCK_STATE_BIT(SOCK_TIME_WAIT)},
	{"closed", SOCK_STATE_BIT(SOCK_CLOSE)},
	{"close", SOCK_STATE_BIT(SOCK_CLOSE)},
	{"unconnected", SOCK_STATE_BIT(SOCK_CLOSE)},
	{"close-wait", SOCK_STATE_BIT(SOCK_CLOSE_WAIT)},
	{"last-ack", SOCK_STATE_BIT(SOCK_LAST_ACK)},
	{"listening", SOCK_STATE_BIT(SOCK_LISTEN)},
	{"listen", SOCK_STATE_BIT(SOCK_LISTEN)},
	{"closing", SOCK_STATE_BIT(SOCK_CLOSING)},
	{"all", FILTER_STATES_ALL},
	{"connected", CONNECTED},
	{"synchronized", CONNECTED & ~SOCK_STATE_BIT(SOCK_SYN_SENT)},
	{"bucket", BUCKET_STATES},
	{"big", FILTER_STATES_ALL & ~BUCKET_STATES},
};

uint32_t filter_states_find(const struct filter_token *t)
{
	char name[16];

	if (t->len >= sizeof(name))
		return 0;
	for (size_t i = 0; i < t->len; i++)
		name[i] = t->text[i] == '_' ? '-' : t->text[i];
	name[t->len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
		if (strcasecmp(name, state_names[i].name) == 0)
			return state_names[i].states;
	return 0;
}
