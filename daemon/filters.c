/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/filters.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "collectors/cgroup_id.h"
#include "collectors/port_range.h"
#include "collectors/procfs.h"

/* Linux 5.8 has INET_DIAG_BC_CGROUP_COND; an older one refuses the whole request. */
#define CGROUP_MAJOR 5
#define CGROUP_MINOR 8

static bool lacks_cgroup(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname host;

	if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &major, &minor) != 2)
		return true;
	return major < CGROUP_MAJOR || (major == CGROUP_MAJOR && minor < CGROUP_MINOR);
}

struct filters *filters_new(const struct config *config)
{
	struct filters *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->config = config;
	f->without_cgroup = lacks_cgroup();
	return f;
}

void filters_free(struct filters *f)
{
	free(f);
}

bool filters_configure(struct filters *f, const struct config *config)
{
	const struct config *before = f->config;

	f->config = config;
	return strcmp(before->socket_filter.text, config->socket_filter.text) != 0;
}

static uint32_t find_interface(const char *name)
{
	return if_nametoindex(name);
}

void filters_resolve(struct filters *f, uint16_t low, uint16_t high)
{
	const struct filter_names names = {low, high, find_interface, cgroup_id_find};
	struct filter *sockets = f->config->socket_filter.filter;
	const struct config_view *views = f->config->views.items;

	for (size_t i = 0; i < f->config->views.count; i++)
		filter_resolve(views[i].filter.filter, &names);
	if (f->config->listener_filter.filter)
		filter_resolve(f->config->listener_filter.filter, &names);
	if (!sockets)
		return;
	filter_resolve(sockets, &names);
	filter_request_make(&f->sockets, sockets, f->without_cgroup);
	if (f->without_code && f->sockets.code_len > 0) {
		f->sockets.code_len = 0;
		f->sockets.is_whole = false;
	}
}

const struct filter *filters_of_sockets(const struct filters *f)
{
	return f->config->socket_filter.filter;
}

const struct filter_request *filters_request(const struct filters *f)
{
	return f->config->socket_filter.filter ? &f->sockets : NULL;
}

void filters_refused(struct filters *f)
{
	f->without_code = filters_request(f) && f->sockets.code_len > 0;
}

static void print_states(uint32_t states, FILE *out)
{
	bool is_first = true;

	for (unsigned int i = SOCK_ESTABLISHED; i < SOCK_STATE_END; i++) {
		if (!(states & SOCK_STATE_BIT(i)))
			continue;
		fprintf(out, "%s%s", is_first ? " " : ",", sock_state_name(i));
		is_first = false;
	}
}

/* All states but CLOSE, which is asked for of UDP alone. */
static bool is_every_state(uint32_t states)
{
	uint32_t all = SOCK_STATES_ALL & (SOCK_STATE_BIT(SOCK_STATE_END) - 1);

	return (states & all) == all;
}

static void print_request(const struct filter_request *q, FILE *out)
{
	fputs("the kernel applies", out);
	if (!is_every_state(q->states)) {
		fputs(" state", out);
		print_states(q->states, out);
	}
	if (q->local_port)
		fprintf(out, " sport %u", q->local_port);
	if (q->remote_port)
		fprintf(out, " dport %u", q->remote_port);
	if (q->code_len)
		fprintf(out, " %u bytes of bytecode", q->code_len);
	if (is_every_state(q->states) && !q->local_port && !q->remote_port && !q->code_len)
		fputs(" nothing", out);
	fputs(q->is_whole ? ", which is all of it\n" : "; the rest is matched here\n", out);
}

static void print_views(const struct config *config, FILE *out)
{
	const struct config_view *views = config->views.items;

	for (size_t i = 0; i < config->views.count; i++)
		fprintf(out, "views: %s: matched here, %s\n", views[i].name,
			filter_is_fixed(views[i].filter.filter)
				? "once for each connection"
				: "at each poll, as it asks for the state");
}

void filters_print(const struct config *config, const char *procfs, FILE *out)
{
	struct filters *f = filters_new(config);
	char path[PROCFS_PATH_MAX];
	uint16_t low = 1, high = 0;

	if (!f)
		return;
	procfs_path(procfs, "sys/net/ipv4/ip_local_port_range", path);
	port_range_read(path, &low, &high);
	filters_resolve(f, low, high);
	if (config->listener_filter.filter)
		fputs("listener_filter: matched here, as all listeners are read\n", out);
	if (config->socket_filter.filter) {
		fputs("socket_filter: ", out);
		print_request(&f->sockets, out);
	}
	print_views(config, out);
	filters_free(f);
}
