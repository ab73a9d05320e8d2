/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/doctor_host.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "collectors/cgroup_walk.h"
#include "collectors/destroy_events.h"
#include "collectors/host_counters.h"
#include "collectors/port_range.h"
#include "collectors/procfs.h"
#include "daemon/doctor_walk.h"
#include "daemon/settings.h"
#include "daemon/util/cleanup.h"

/* What an event takes of the receive buffer (kernel.md: about 1.28 KB), which the kernel doubles.
 */
#define EVENT_BYTES  1280
#define EVENTS_ROOM  2000 /* of a process that exits with so many connections */
#define OWN_FILES    32   /* beside the connections of scrapers */
#define NAMES_MAX    512
#define CGROUP_MOUNT "/sys/fs/cgroup"

/* A list of names for one line. */
struct names {
	char text[NAMES_MAX];
	unsigned int count;
};

static void add_name(struct names *n, const char *name)
{
	size_t len = strlen(n->text);

	snprintf(n->text + len, sizeof(n->text) - len, "%s%s", n->count ? ", " : "", name);
	n->count++;
}

/* A connection of our own, for a kernel shows tcp_info of sockets only. */
struct pair {
	int listener, client;
};

static void pair_close(const struct pair *p)
{
	if (p->client >= 0)
		close(p->client);
	if (p->listener >= 0)
		close(p->listener);
}

static struct pair pair_open(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pair p = {
		.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	};
	socklen_t len = sizeof(a);

	if (bind(p.listener, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(p.listener, 1) == 0 && getsockname(p.listener, (struct sockaddr *)&a, &len) == 0)
		/* Also one that is still being made is shown. */
		(void)connect(p.client, (const struct sockaddr *)&a, sizeof(a));
	return p;
}

/* Of the values that lie in tcp_info, or in skmem. */
static void say_values(struct doctor *d, const char *topic, enum metric_base base, unsigned int len)
{
	struct names missing = {.count = 0};
	unsigned int count = 0;

	for (unsigned int i = 0; i < metric_count; i++) {
		if (metrics[i].base != base)
			continue;
		count++;
		if (metric_source_end(&metrics[i]) > len)
			add_name(&missing, metrics[i].name);
	}
	if (missing.count == 0)
		doctor_say(d, DOCTOR_OK, topic, "%u bytes: all %u metrics of it", len, count);
	else
		doctor_say(d, DOCTOR_NOTE, topic,
			   "%u bytes: %u of %u metrics of it; a newer kernel has %s", len,
			   count - missing.count, count, missing.text);
}

/* How many of the listeners' cgroups have a path that can be seen from here. */
static unsigned int count_visible(const struct doctor_walk *w, struct cgroup_walk *walk)
{
	unsigned int budget = UINT_MAX, visible = 0;
	const char *path;
	uint64_t id;

	while (cgroup_walk_next(walk, &budget, &id, &path))
		for (unsigned int i = 0; i < w->cgroup_count; i++)
			visible += w->cgroups[i] == id;
	return visible;
}

static void say_visible(struct doctor *d, const struct doctor_walk *w)
{
	struct cgroup_walk walk = CGROUP_WALK_INIT;
	unsigned int visible;

	if (cgroup_walk_start(&walk) < 0) {
		doctor_say(d, DOCTOR_NOTE, "units",
			   "of listeners only the user is known; no cgroup v2 is mounted "
			   "at " CGROUP_MOUNT);
		return;
	}
	visible = count_visible(w, &walk);
	cgroup_walk_done(&walk);
	if (visible == w->cgroup_count)
		doctor_say(d, DOCTOR_OK, "units", "all %u cgroups of listeners have a name",
			   visible);
	else if (walk.left_out > 0)
		doctor_say(d, DOCTOR_NOTE, "units",
			   "%u of %u cgroups of listeners have a name; %lu directories of the "
			   "hierarchy cannot be read",
			   visible, w->cgroup_count, walk.left_out);
	else
		doctor_say(d, DOCTOR_NOTE, "units",
			   "%u of %u cgroups of listeners have a name, the rest was removed or "
			   "is out of sight; a container needs the host's " CGROUP_MOUNT
			   " mounted there",
			   visible, w->cgroup_count);
}

static void say_units(struct doctor *d, const struct doctor_walk *w)
{
	if (d->config->units == CONFIG_UNITS_OFF)
		doctor_say(d, DOCTOR_OK, "units", "not needed, as configured");
	else if (!w->has_cgroup)
		doctor_say(d, DOCTOR_NOTE, "units",
			   "of listeners only the user is known; see cgroup_id");
	else
		say_visible(d, w);
}

void doctor_check_attributes(struct doctor *d)
{
	struct doctor_walk w;
	struct pair p;

	if (!d->config->families_tcp || settings_source(d->config) == SOURCE_PROCFS_ONLY)
		return;
	p = pair_open();
	w = doctor_walk_run(d->procfs, POLL_FAMILY_TCP, POLL_SOURCE_NETLINK);
	pair_close(&p);
	if (w.failure != POLL_FAILURE_NONE)
		return; /* said with the family */
	say_values(d, "tcp_info", METRIC_BASE_TCP_INFO, w.tcp_info_len);
	say_values(d, "skmem", METRIC_BASE_SKMEM, w.skmem_len);
	doctor_say(d, w.has_algorithm ? DOCTOR_OK : DOCTOR_NOTE, "congestion",
		   w.has_algorithm ? "the kernel names the algorithm of each socket"
				   : "the kernel names no algorithm");
	doctor_say(d, w.has_cgroup ? DOCTOR_OK : DOCTOR_NOTE, "cgroup_id",
		   w.has_cgroup ? "the kernel tells the cgroup of each socket"
				: "the kernel does not tell a socket's cgroup; Linux 5.8 with "
				  "cgroup v2 does");
	say_units(d, &w);
}

void doctor_check_events(struct doctor *d)
{
	struct destroy_events e = DESTROY_EVENTS_INIT;
	uint64_t events;
	char text[32];
	int r;

	if (!d->config->families_tcp || d->config->counters == CONFIG_COUNTERS_OFF) {
		doctor_say(d, DOCTOR_OK, "destroy_events", "not needed, as configured");
		return;
	}
	e.procfs = d->procfs;
	r = destroy_events_open(&e);
	destroy_events_close(&e);
	if (r < 0) {
		doctor_say(d, DOCTOR_NOTE, "destroy_events",
			   "%s: connections that live between two polls are not counted; see tcp",
			   strerror(-r));
		return;
	}
	if (procfs_read(d->procfs, "sys/net/core/rmem_max", text, sizeof(text)) < 0) {
		doctor_say(d, DOCTOR_NOTE, "destroy_events",
			   "can be had; how large a buffer may be is not known");
		return;
	}
	events = 2 * strtoull(text, NULL, 10) / EVENT_BYTES;
	doctor_say(d, events < EVENTS_ROOM ? DOCTOR_NOTE : DOCTOR_OK, "destroy_events",
		   "can be had; a buffer holds about %lu%s", events,
		   events < EVENTS_ROOM
			   ? ", of more that close at once some are lost and counted; sysctl "
			     "net.core.rmem_max=4194304"
			   : "");
}

static bool is_absent(const uint64_t *cells, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (cells[i] != METRIC_ABSENT)
			return false;
	return true;
}

void doctor_check_files(struct doctor *d)
{
	struct host_counters *h = host_counters_new(d->procfs);
	uint64_t *cells = calloc(d->catalogue->host_cells + 1, sizeof(*cells));
	struct names missing = {.count = 0};
	unsigned int count = 0;

	if (h && cells)
		host_counters_read(h, d->catalogue, cells);
	for (unsigned int i = 0; h && cells && i < metric_count; i++) {
		if (!d->catalogue->on[i] || metrics[i].term_count == 0)
			continue;
		count++;
		if (is_absent(cells + d->catalogue->cell[i], metric_value_count(&metrics[i])))
			add_name(&missing, metrics[i].name);
	}
	if (missing.count == 0)
		doctor_say(d, DOCTOR_OK, "counters", "all %u metrics of %s/net and its sysctls",
			   count, d->procfs);
	else
		doctor_say(d, DOCTOR_NOTE, "counters",
			   "%u of %u metrics of %s/net and its sysctls; neither this kernel nor "
			   "namespace has %s",
			   count - missing.count, count, d->procfs, missing.text);
	free(cells);
	host_counters_free(h);
}

static const char *cgroup_mode(void)
{
	struct statfs root, unified;

	if (statfs(CGROUP_MOUNT, &root) < 0)
		return NULL;
	if ((unsigned long)root.f_type == CGROUP2_SUPER_MAGIC)
		return "v2";
	if (statfs(CGROUP_MOUNT "/unified", &unified) == 0 &&
	    (unsigned long)unified.f_type == CGROUP2_SUPER_MAGIC)
		return "v1 and v2 (hybrid)";
	return "v1 alone";
}

static void say_capabilities(struct doctor *d)
{
	static const char key[] = "CapEff:";
	char text[8192];
	const char *line = NULL;

	if (procfs_read(d->procfs, "self/status", text, sizeof(text)) >= 0)
		line = strstr(text, key);
	if (!line)
		doctor_say(d, DOCTOR_NOTE, "capabilities", "not known, and none is needed");
	else if (strtoull(line + strlen(key), NULL, 16) == 0)
		doctor_say(d, DOCTOR_OK, "capabilities", "none is held, and none is needed");
	else
		doctor_say(d, DOCTOR_NOTE, "capabilities",
			   "0x%llx are held, and none is needed; run as a user without any",
			   strtoull(line + strlen(key), NULL, 16));
}

void doctor_check_place(struct doctor *d)
{
	const char *mode = cgroup_mode();
	char text[32];

	/* The kernel has this sysctl in the initial namespace only. */
	if (procfs_read(d->procfs, "sys/net/ipv4/tcp_max_orphans", text, sizeof(text)) >= 0)
		doctor_say(d, DOCTOR_OK, "namespace", "the initial network namespace");
	else
		doctor_say(d, DOCTOR_NOTE, "namespace",
			   "not the initial network namespace; the sockets of the host are seen "
			   "from there");
	if (mode)
		doctor_say(d, DOCTOR_OK, "cgroup", "%s", mode);
	else
		doctor_say(d, DOCTOR_NOTE, "cgroup", "none is mounted at " CGROUP_MOUNT);
	say_capabilities(d);
}

static void say_series(struct doctor *d)
{
	struct settings_labels given = {.listeners =
						settings_listener_cap(d->config, d->catalogue)};
	uint32_t ports = settings_group_budget(d->config, d->catalogue, POLL_FAMILY_TCP, &given);

	doctor_say(
		d, ports == 0 ? DOCTOR_NOTE : DOCTOR_OK, "series",
		"limits.series %lu: %u listeners and besides %u ports have labels of their own%s",
		d->config->limits.series, given.listeners, ports,
		ports == 0 ? "; raise limits.series, or lower limits.listeners" : "");
}

static void say_tracked(struct doctor *d)
{
	enum poll_source source = settings_source(d->config) == SOURCE_PROCFS_ONLY
					  ? POLL_SOURCE_PROCFS
					  : POLL_SOURCE_NETLINK;
	struct doctor_walk w = doctor_walk_run(d->procfs, POLL_FAMILY_TCP, source);
	uint64_t limit = d->config->limits.tracked_sockets;

	if (w.failure != POLL_FAILURE_NONE)
		return; /* said with the family */
	doctor_say(d, w.sockets > limit / 5 * 4 ? DOCTOR_NOTE : DOCTOR_OK, "tracked",
		   "limits.tracked_sockets %lu: %lu TCP sockets are open%s", limit, w.sockets,
		   w.sockets > limit / 5 * 4 ? "; raise it, each takes 160 bytes" : "");
}

void doctor_check_limits(struct doctor *d)
{
	uint64_t needed = d->config->web.max_connections + OWN_FILES;
	struct rlimit files = {0};
	char path[PROCFS_PATH_MAX];
	uint16_t low, high;

	say_series(d);
	if (d->config->families_tcp && d->catalogue->counts)
		say_tracked(d);
	procfs_path(d->procfs, "sys/net/ipv4/ip_local_port_range", path);
	if (port_range_read(path, &low, &high) == 0)
		doctor_say(d, DOCTOR_OK, "ephemeral", "ports from %u to %u", low, high);
	else
		doctor_say(d, DOCTOR_NOTE, "ephemeral",
			   "ip_local_port_range is not known; no port is called so");
	getrlimit(RLIMIT_NOFILE, &files);
	doctor_say(d, files.rlim_cur < needed ? DOCTOR_NOTE : DOCTOR_OK, "files",
		   "%lu may be open, %lu are needed at most%s", files.rlim_cur, needed,
		   files.rlim_cur < needed ? "; raise LimitNOFILE=, or lower web.max_connections"
					   : "");
}
