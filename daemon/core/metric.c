/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/metric.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/tcp_info.h"
#include "daemon/util/macros.h"

unsigned int metric_value_count(const struct metric *m)
{
	unsigned int count = 1;

	for (unsigned int i = 0; i < ARRAY_SIZE(m->labels); i++)
		if (m->labels[i])
			count *= m->labels[i]->count;
	return count;
}

double metric_divisor(const struct metric *m)
{
	return m->divisor ? (double)m->divisor : 1;
}

bool metric_is_of_groups(const struct metric *m, unsigned int family)
{
	return m->family == family && (m->scope == METRIC_CONNECTION || m->scope == METRIC_CLIENT ||
				       m->scope == METRIC_PORT);
}

bool metric_accrues(const struct metric *m)
{
	return m->combine == METRIC_DELTA || m->combine == METRIC_DROPS ||
	       m->when >= METRIC_WHEN_OPENED;
}

bool metric_tells_created(const struct metric *m)
{
	return m->type != METRIC_GAUGE && m->scope != METRIC_HOST;
}

bool metric_is_followed(const struct metric *m)
{
	return m->combine == METRIC_DELTA ||
	       (m->combine == METRIC_OBSERVE && m->when == METRIC_WHEN_CLOSED);
}

unsigned int metric_source_end(const struct metric *m)
{
	if (m->derive == METRIC_DERIVE_ACKED)
		return TCP_INFO_BYTES_RETRANS + sizeof(uint64_t);
	return m->offset + m->width;
}

const char *metric_type_name(const struct metric *m)
{
	static const char *const names[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	return names[m->type];
}

static void add_name(char names[64], const char *name, size_t n)
{
	size_t len = strlen(names);

	snprintf(names + len, 64 - len, "%s%.*s", len ? "," : "", (int)n, name);
}

#define COUNTER_SUFFIX "_total"

size_t metric_family_length(const struct metric *m)
{
	size_t len = strlen(m->name);

	return m->type == METRIC_COUNTER ? len - strlen(COUNTER_SUFFIX) : len;
}

const char *metric_unit(const struct metric *m)
{
	static const char *const units[] = {"seconds", "bytes", "segments", "ratio"};
	size_t len = metric_family_length(m);

	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++) {
		size_t unit_len = strlen(units[i]);

		if (len > unit_len && m->name[len - unit_len - 1] == '_' &&
		    memcmp(m->name + len - unit_len, units[i], unit_len) == 0)
			return units[i];
	}
	return NULL;
}

void metric_label_names(const struct metric *m, char ret_names[64])
{
	static const char *const scopes[METRIC_SCOPE_END] = {
		[METRIC_LISTENER] = "address,port",
		[METRIC_CONNECTION] = "side,port",
		[METRIC_CLIENT] = "port",
		[METRIC_PORT] = "port",
		[METRIC_UNIX] = "path",
		[METRIC_HOST] = "",
		[METRIC_SELF] = "",
	};

	snprintf(ret_names, 64, "%s", scopes[m->scope]);
	for (const struct metric_text *t = m->texts; t && t->name; t++)
		add_name(ret_names, t->name, strlen(t->name));
	for (unsigned int i = 0; i < ARRAY_SIZE(m->labels); i++)
		if (m->labels[i])
			add_name(ret_names, m->labels[i]->name, strlen(m->labels[i]->name));
}
