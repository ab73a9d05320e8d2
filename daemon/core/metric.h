/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE table: one row for each exported family. Aggregation, rendering, --list-metrics, the manual
 * and the tests all walk it; a new metric out of tcp_info or skmem costs one row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/histogram.h"
#include "daemon/core/owner.h"
#include "daemon/core/sock.h"

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
};

/* What a family is about, which decides its labels and where its values lie. In the table, the
 * rows of a scope are neighbours. */
enum metric_scope {
	METRIC_LISTENER,   /* address, port: struct listener_values */
	METRIC_CONNECTION, /* side, port: the cells of a group */
	METRIC_CLIENT,     /* port: the cells of a client group */
	METRIC_PORT,       /* port: the cells of a group of a family that has no sides */
	METRIC_UNIX,       /* path: struct unix_listener_values */
	METRIC_HOST,       /* no label of its own: the cells of struct snapshot_host */
	METRIC_SELF,       /* the daemon about itself: struct self_values */
	METRIC_SCOPE_END,
};

enum metric_profile {
	METRIC_CORE,
	METRIC_EXTENDED,
	METRIC_ONCE, /* with --once only */
};

/* How the rows of a dump become the value of a group. */
enum metric_combine {
	METRIC_AS_IT_IS, /* computed elsewhere */
	METRIC_SUM,
	METRIC_COUNT,    /* of rows */
	METRIC_COUNT_BY, /* of rows, by their value: the index into the label's values, plus base */
	METRIC_COUNT_NAME, /* of rows, by their congestion control algorithm */
	METRIC_OBSERVE,    /* in a histogram */
	METRIC_DELTA,      /* the sum of what each socket's value grew by, also those that closed */
	METRIC_DROPS,      /* the same of the drops of sockets that tell of no end */
};

/* Which rows count. The last three happen once to a connection that is followed, at any time. */
enum metric_when {
	METRIC_WHEN_ANY,
	METRIC_WHEN_CONNECTION, /* not LISTEN */
	METRIC_WHEN_ORPHAN,     /* no process holds it any more */
	METRIC_WHEN_ACTIVE,     /* established; sent and was acknowledged since the poll before */
	METRIC_WHEN_OPENED,
	METRIC_WHEN_CLOSED,     /* with its last values */
	METRIC_WHEN_UNREPORTED, /* closed, and the kernel no longer had its last values */
	METRIC_WHEN_END,
};

/* Values that are made of several. */
enum metric_derive {
	METRIC_DERIVE_NOTHING,
	METRIC_DERIVE_ACKED, /* bytes_acked without SYN and FIN: see tcp_info_acked_bytes() */
};

/* Which values are none (kernel.md's tcp_get_info: "no sample yet"). */
enum metric_unless {
	METRIC_UNLESS_NEVER,
	METRIC_UNLESS_ZERO,
	METRIC_UNLESS_ALL_ONES,
	METRIC_UNLESS_APP_LIMITED, /* tcpi_delivery_rate_app_limited */
};

/* Where a value lies, in host order. A source that the kernel did not send, or sent too short,
 * has no value. */
enum metric_base {
	METRIC_BASE_NONE,
	METRIC_BASE_RECORD,   /* struct sock_record */
	METRIC_BASE_TCP_INFO, /* raw struct tcp_info */
	METRIC_BASE_SKMEM,    /* raw words of INET_DIAG_SKMEMINFO */
};

/* Which bounds of a histogram: configured ones, or a fixed set. */
enum metric_buckets {
	METRIC_BUCKETS_NONE,
	METRIC_BUCKETS_RTT,
	METRIC_BUCKETS_CWND,
	METRIC_BUCKETS_DELIVERY_RATE,
	METRIC_BUCKETS_FILL_RATIO,
	METRIC_BUCKETS_CLOSED_BYTES,
	METRIC_BUCKETS_DURATION,
	METRIC_BUCKETS_END,
};

/* A further label: its name and its values. */
struct metric_label {
	const char *name;
	const char *(*value)(unsigned int index); /* NULL: the algorithms seen so far */
	unsigned int count;
};

/* A label that is a text: always the same, or of the owner. */
struct metric_text {
	const char *name, *value;
	enum owner_label owner; /* where there is no value */
};

/* The files that tell of the host, below /proc. */
enum metric_file {
	METRIC_FILE_NONE, /* the term is 1 */
	METRIC_FILE_SNMP,
	METRIC_FILE_NETSTAT,
	METRIC_FILE_SOCKSTAT,
	METRIC_FILE_SOCKSTAT6,
	METRIC_FILE_SYSCTL,
};

/* A number of such a file. A value is the sum of its terms, and absent where one of them is. */
struct metric_term {
	uint8_t file;      /* enum metric_file */
	uint8_t value;     /* of the labels' values, which it is a part of */
	uint8_t word;      /* of a sysctl: which of its words */
	bool in_pages;     /* of memory; the value is in bytes */
	bool is_less;      /* it is subtracted; a sum below 0 is 0 */
	bool is_condition; /* it must be there, and adds nothing */
	bool is_optional;  /* where it is not, it is 0 */
	const char *line;  /* "TcpExt:"; of a sysctl its path below sys/ */
	const char *key;   /* "ListenDrops" */
};

struct metric {
	const char *name;
	const char *help;
	enum metric_type type;
	enum metric_scope scope;
	enum metric_profile profile;
	bool needs_netlink;              /* /proc cannot tell: absent in the fallback */
	bool slow;                       /* a listener's value that comes from the sockets lane */
	bool is_pulse;                   /* no followed value changes unless one of these does */
	bool hides_zero;                 /* of a label's many values, only those that happened */
	const struct metric_text *texts; /* up to one without a name */
	const struct metric_label *labels[2];
	enum metric_combine combine;
	enum metric_when when;
	enum metric_unless unless;
	enum metric_derive derive;
	enum metric_base base;
	uint8_t width;           /* bytes of the value */
	uint8_t count_base;      /* METRIC_COUNT_BY: the value of the label's first, */
	const uint8_t *counted;  /* or the value of each */
	uint16_t offset;         /* from the base; in the scope's struct of values */
	const uint16_t *offsets; /* one for each value of labels[0], instead of offset */
	enum metric_buckets buckets;
	const struct metric_term *terms; /* of METRIC_HOST; NULL: sockets of FAMILY are counted */
	uint8_t family;                  /* enum poll_family, whose sockets it is about */
	uint8_t term_count;
	uint64_t divisor; /* the value divided by this is in base units; 0 stands for 1 */
};

/* A listener's or the daemon's value that is not there. */
#define METRIC_ABSENT UINT64_MAX
/* At most so many congestion control algorithms have a name of their own; then "other". */
#define METRIC_ALGORITHMS_MAX 16

extern const struct metric metrics[];
extern const unsigned int metric_count;
/* An array that is one for each metric may have this size. */
#define METRIC_COUNT_MAX 192

/* Whether its cells are those of the groups of a family. */
bool metric_is_of_groups(const struct metric *m, unsigned int family);
/* How many values a row has: the product of its labels' values, or 1. */
unsigned int metric_value_count(const struct metric *m);
double metric_divisor(const struct metric *m);
/* Whether the value grows with what happens to connections that are followed, whatever becomes of
 * the poll that saw it; any other value is that of one poll, and of the polls that ended well. */
bool metric_accrues(const struct metric *m);
/* Whether it is known when its counting began, which the kernel does not say of its own counters.
 */
bool metric_tells_created(const struct metric *m);
/* Whether the last value of each socket is kept for it. */
bool metric_is_followed(const struct metric *m);
/* How many bytes of its base a value takes that lies there. */
unsigned int metric_source_end(const struct metric *m);
/* "counter", "gauge", "histogram". */
const char *metric_type_name(const struct metric *m);
/* The length of its name without a counter's "_total", which OpenMetrics adds to samples only. */
size_t metric_family_length(const struct metric *m);
/* The base unit that its name ends with before that, "seconds" or "bytes" for example; or NULL. */
const char *metric_unit(const struct metric *m);
/* All label names of a family, "side,port,state"; "" for none. */
void metric_label_names(const struct metric *m, char ret_names[64]);
