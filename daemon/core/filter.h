/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter in the language of ss(8): parsed to a tree, which is matched against records here and
 * rendered for the kernel in filter_bytecode.h. What a record does not say (the device of a row of
 * /proc) makes a predicate neither true nor false; only what is definitely true matches, under
 * `not` as well.
 */
#pragma once

#include "daemon/core/sock.h"

#define FILTER_TEXT_MAX  4096
#define FILTER_NODES_MAX 1024
#define FILTER_DEPTH_MAX 64 /* of parentheses and negations */

enum filter_kind {
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,       /* of LEFT */
	FILTER_ANY,       /* always true: src * */
	FILTER_HOST,      /* src, dst: an address or prefix, and perhaps a port */
	FILTER_PORT,      /* sport, dport, and src or dst of a port alone */
	FILTER_AUTOBOUND, /* the local port is inside ip_local_port_range */
	FILTER_STATE,
	FILTER_DEVICE,
	FILTER_CGROUP,
};

/* What is not among these is the negation of one of them. */
enum filter_compare {
	FILTER_EQUAL,
	FILTER_AT_LEAST,
	FILTER_AT_MOST,
};

struct filter_node {
	uint8_t kind;    /* enum filter_kind */
	uint8_t compare; /* of PORT */
	bool is_remote;  /* of HOST and PORT: dst, dport */
	bool has_port;   /* of HOST */
	uint8_t family;  /* of HOST: AF_INET or AF_INET6 */
	uint8_t prefix;  /* bits; of 0 the family alone counts */
	uint16_t port;
	uint16_t left, right; /* places of AND, OR, NOT */
	struct sock_address address;
	uint32_t states;    /* SOCK_STATE_BIT()s */
	uint16_t name;      /* of DEVICE and CGROUP: where it begins in the names */
	uint32_t interface; /* as it was resolved; 0: there is none of that name */
	uint64_t cgroup_id; /* the same */
};

struct filter {
	uint16_t
		count; /* of nodes; each comes after those it is made of, so the last is the root */
	struct filter_node *nodes;
	char *names;
	uint16_t names_len;
	uint16_t ephemeral_low, ephemeral_high; /* 1, 0: not known */
};

struct filter_error {
	unsigned int at, len; /* bytes of the text; LEN may be 0 at its end */
	char what[144];
};

/* The port of a service, as /etc/services has it: 0, or -ENOENT. */
typedef int (*filter_service_fn)(const void *userdata, const char *name, uint16_t *ret_port);

/* What is found out when a filter is parsed. */
struct filter_world {
	filter_service_fn service; /* NULL: none has a name */
	const void *userdata;
};

/* 0, -ENOMEM, or -EINVAL with RET_ERROR filled. TEXT is terminated; nothing but blanks is an error:
 * who wants everything gives no filter. */
int filter_parse(const char *text, const struct filter_world *world, struct filter_error *ret_error,
		 struct filter **ret_filter);
void filter_free(struct filter *f);

/* What a filter names and others give numbers to, which may change while the daemon runs. */
struct filter_names {
	uint16_t ephemeral_low, ephemeral_high;  /* ip_local_port_range; 1, 0: not known */
	uint32_t (*interface)(const char *name); /* its index; 0: there is none */
	uint64_t (*cgroup)(const char *path);    /* its id; 0: there is none */
};

void filter_resolve(struct filter *f, const struct filter_names *names);
bool filter_match(const struct filter *f, const struct sock_record *record);
/* Whether what it says of a socket stays so for the socket's life: it does not ask for the state.
 */
bool filter_is_fixed(const struct filter *f);
