/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listeners of the namespace. A listener is an address, device and port; its members are the
 * LISTEN sockets there, more than one with SO_REUSEPORT. It outlives them by ten minutes. Up to a
 * limit each has series of its own (listener_label.h). Its two lanes, each with a header of its
 * own: listener_poll.h and listener_dump.h.
 */
#pragma once

#include <net/if.h>

#include "daemon/core/cgroup_names.h"
#include "daemon/core/listener_series.h"
#include "daemon/core/overflow.h"
#include "daemon/core/sock_index.h"

/* How long a listener is remembered that has gone (interface: ten minutes). */
#define LISTENER_AFTERLIFE_NS UINT64_C(600000000000)
/* How long a listener must live before its port, inside ip_local_port_range, has a label. */
#define LISTENER_SETTLED_NS UINT64_C(600000000000)
/* What is beyond these is not known at all: its connections count as a client's. Nobody listens
 * on so many, but anybody may try. */
#define LISTENERS_MAX        65536
#define LISTENER_MEMBERS_MAX 65536

struct listener_key {
	struct sock_address address;
	uint32_t interface;
	uint16_t port;
	uint8_t family;
	uint8_t v6only; /* 1: [::] proper; 0: any other, also the dual-stack "*" */
};

struct listener {
	/* What each row of a dump is matched against comes first, in one cache line. */
	struct listener_key key;
	uint32_t members;
	uint32_t shown; /* the fast poll in which the filter let one of its members through */
	uint32_t dump;  /* the dump of the sockets lane that last showed it */
	uint64_t gone_since_ns; /* 0 while it has members */
	uint64_t hash;
	uint64_t first_seen_ns;
	struct listener_series *series;     /* of its labels; NULL: not polled yet */
	struct listener_queues queues;      /* of the dump under way */
	struct overflow *overflow;          /* NULL: its queue has room */
	char address[LISTENER_ADDRESS_MAX]; /* as ss prints it */
};

struct filter;

struct listener_member {
	struct listener *listener;
	uint64_t cgroup_id;                    /* 0: not told */
	uint32_t uid;                          /* of who opened it */
	uint32_t poll;                         /* the fast poll that last showed it */
	uint32_t sk_drops;                     /* as last known */
	uint32_t growth;                       /* of sk_drops, waiting to be split; saturates */
	uint32_t drops;                        /* what the split gave it, at this poll */
	uint32_t length, limit, next_sk_drops; /* of the poll under way */
	bool has_limit, has_drops;             /* of the same */
	bool knows_drops;                      /* sk_drops are */
	bool is_older;                         /* than the first poll of the daemon */
	bool was_full;
};

/* What the last connection of such a local end was matched to. Most share a few, so this saves most
 * of the searches; PORT 0: empty. */
struct listener_match {
	struct sock_address address;
	uint32_t interface;
	uint16_t port;
	uint8_t family;
	struct listener *listener; /* NULL: none */
};

#define LISTENER_MATCHES 256 /* the highest byte of a hash finds one */

/* Names a device: collectors' interface_name_find(). */
typedef void (*listener_interface_fn)(uint32_t interface, char ret_name[IF_NAMESIZE]);

struct listener_table {
	struct catalogue *catalogue;
	listener_interface_fn interface_name;
	uint64_t seed;
	uint64_t peak_window_ns;
	struct listener_series **series; /* all of them, in no order */
	uint32_t series_count, series_room;
	uint32_t series_cap;            /* how many there may be beside "other" */
	struct listener_series *other;  /* one of them; NULL: nothing was folded yet */
	struct listener_series *hidden; /* of those that the filter does not let through; or NULL */
	const struct filter
		*filter; /* which listeners are shown; NULL: all; for the owner to set */
	uint16_t ephemeral_low, ephemeral_high; /* ip_local_port_range; 1, 0: none */
	struct listener **items;
	uint32_t count, cap;
	struct map map;
	struct sock_index index; /* of the members */
	struct listener_member *members;
	uint32_t member_cap;
	uint32_t poll, dump; /* numbers of those under way, or of the last */
	bool has_polled;     /* a good poll of the fast lane */
	bool knows_listen_drops;
	uint64_t listen_drops, listen_drops_carried;
	uint64_t polled_ns;
	struct overflows overflows;
	struct cgroup_names cgroups; /* of members that are shown */
	bool tells_owners;
	bool owners_due;               /* who owns what may have changed */
	uint8_t ports[65536 / 8];      /* whether any listener has this port */
	uint8_t settled[65536 / 8];    /* whether a present one has lived for LISTENER_SETTLED_NS */
	uint8_t configured[65536 / 8]; /* whether it is in ports.server */
	struct listener_match matches[LISTENER_MATCHES];
};

void listener_table_init(struct listener_table *t, struct catalogue *catalogue, uint64_t seed,
			 listener_interface_fn interface_name);
void listener_table_done(struct listener_table *t);
/* Takes another catalogue, cap and window, in two steps: prepare gets the memory (0, or -ENOMEM and
 * nothing has changed), apply cannot fail. In between, discard goes back. configure is both. */
int listener_table_prepare(struct listener_table *t, const struct catalogue *catalogue);
void listener_table_apply(struct listener_table *t, struct catalogue *catalogue,
			  uint32_t series_cap, uint64_t peak_window_ns, uint64_t now_ns);
void listener_table_discard(struct listener_table *t);
int listener_table_configure(struct listener_table *t, struct catalogue *catalogue,
			     uint32_t series_cap, uint64_t peak_window_ns, uint64_t now_ns);

/* Which ports are configured, so that they are a label even inside ip_local_port_range. */
void listener_table_set_ports(struct listener_table *t, const uint16_t *ports, uint32_t count);

/* The listener of a LISTEN row, made if it is new. 0, -ENOMEM, or -ENOSPC above LISTENERS_MAX. */
int listener_table_get(struct listener_table *t, const struct sock_record *record, uint64_t now_ns,
		       struct listener **ret_listener);
/* The listener that the kernel would choose for this connection, present before gone; or NULL. */
struct listener *listener_table_match(struct listener_table *t, const struct sock_record *record);
/* To be called when a listener has come or gone. */
void listener_table_forget_matches(struct listener_table *t);
/* Finds anew what listener_table.ports and settled say, when listeners have gone or grown older. */
void listener_table_find_ports(struct listener_table *t, uint64_t now_ns);
/* Frees L, which has no member and no series any more. */
void listener_table_remove(struct listener_table *t, struct listener *l);

/* Whether the port is inside ip_local_port_range. */
bool listener_table_is_ephemeral(const struct listener_table *t, uint16_t port);
/* Whether at the last good poll a listener on this port had lived for LISTENER_SETTLED_NS. */
bool listener_table_is_settled(const struct listener_table *t, uint16_t port);
/* Whether a listener's port is a label of its own, and not "ephemeral". */
bool listener_table_has_label(const struct listener_table *t, uint16_t port);
/* How many present listeners are folded. */
uint32_t listener_table_folded(const struct listener_table *t);
