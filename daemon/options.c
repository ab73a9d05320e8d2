/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "build_config.h"
#include "collectors/procfs.h"
#include "config/config.h"
#include "daemon/util/macros.h"

enum option_kind {
	OPTION_FLAG,    /* a bool */
	OPTION_TEXT,    /* a const char * */
	OPTION_ADDRESS, /* one more listen address */
	OPTION_LEVEL,
	OPTION_FORMAT,
	OPTION_SOURCE,
	OPTION_PATH, /* an absolute path */
};

/* THE flag table: parsing and --help walk it; completion reads the latter. */
static const struct option_row {
	const char *name;
	const char *value; /* what --help calls it, or "one|of|these"; NULL: none */
	enum option_kind kind;
	size_t offset;
	const char *help;
} rows[] = {
	{"config.file", "PATH", OPTION_TEXT, offsetof(struct options, config_file),
	 "Configuration in YAML (default: " BUILD_DEFAULT_CONFIG " if it is there)."},
	{"web.listen-address", "ADDR:PORT", OPTION_ADDRESS, 0,
	 "Address to listen on; may be given more than once (default: :17625)."},
	{"web.telemetry-path", "PATH", OPTION_TEXT, offsetof(struct options, telemetry_path),
	 "Path of the metrics (default: /metrics)."},
	{"web.max-requests", "N", OPTION_TEXT, offsetof(struct options, max_requests),
	 "Scrapes under way at a time, 0 for any number (default: 40)."},
	{"web.config.file", "PATH", OPTION_TEXT, offsetof(struct options, web_config_file),
	 "TLS, users and headers in YAML, as for Prometheus' exporters (default: none)."},
	{"web.systemd-socket", NULL, OPTION_FLAG, offsetof(struct options, systemd_socket),
	 "Do not start without sockets from systemd (which are used in any case)."},
	{"web.enable-lifecycle", NULL, OPTION_FLAG, offsetof(struct options, enable_lifecycle),
	 "Let POST /-/reload reload the configuration."},
	{"source", "auto|netlink|procfs", OPTION_SOURCE, 0,
	 "Where to read sockets (default: auto)."},
	{"path.procfs", "PATH", OPTION_PATH, offsetof(struct options, procfs_path),
	 "Where /proc is mounted (default: /proc)."},
	{"log.level", "debug|info|warn|error", OPTION_LEVEL, 0,
	 "Least level to log (default: info)."},
	{"log.format", "logfmt|json", OPTION_FORMAT, 0,
	 "How to log on stderr (default: the journal's own if it reads stderr, else logfmt)."},
	{"once", NULL, OPTION_FLAG, offsetof(struct options, once),
	 "Poll once, print the gauges, and exit."},
	{"output.textfile", "PATH", OPTION_TEXT, offsetof(struct options, textfile),
	 "With --once: write to this file, atomically, instead of standard output."},
	{"config.check", NULL, OPTION_FLAG, offsetof(struct options, check),
	 "Check the configuration, print each fault with its place, and exit."},
	{"config.dump", NULL, OPTION_FLAG, offsetof(struct options, dump),
	 "Print the effective configuration and exit."},
	{"list-metrics", NULL, OPTION_FLAG, offsetof(struct options, list_metrics),
	 "Print the catalogue of metrics and exit."},
	{"doctor", NULL, OPTION_FLAG, offsetof(struct options, doctor),
	 "Print what this host can give, and why not more, and exit."},
	{"version", NULL, OPTION_FLAG, offsetof(struct options, version),
	 "Print the version and exit."},
	{"help", NULL, OPTION_FLAG, offsetof(struct options, help), "Print this help and exit."},
};

static int PRINTF_LIKE(2, 3) fault(char error[256], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, 256, format, args);
	va_end(args);
	return -EINVAL;
}

static const struct option_row *find_row(const char *name, size_t len)
{
	if (len == 1 && *name == 'h')
		return &rows[ARRAY_SIZE(rows) - 1];
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

static int add_address(struct options *o, char *value, char error[256])
{
	if (o->listen_address_count == OPTIONS_ADDRESSES_MAX)
		return fault(error, "--web.listen-address: more than %d", OPTIONS_ADDRESSES_MAX);
	o->listen_addresses[o->listen_address_count++] = value;
	return 0;
}

static int set_source(struct options *o, const char *value, char error[256])
{
	static const char *const names[] = {
		[CONFIG_SOURCE_AUTO] = "auto",
		[CONFIG_SOURCE_NETLINK] = "netlink",
		[CONFIG_SOURCE_PROCFS] = "procfs",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], value) != 0)
			continue;
		o->source = (int)i;
		return 0;
	}
	return fault(error, "--source: '%s' is not auto, netlink or procfs", value);
}

static int set(struct options *o, const struct option_row *row, char *value, char error[256])
{
	char *field = (char *)o + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)(void *)field = value;
		return 0;
	case OPTION_ADDRESS:
		return add_address(o, value, error);
	case OPTION_LEVEL:
		if (log_level_parse(value, &o->log_level) == 0)
			return 0;
		return fault(error, "--log.level: '%s' is not debug, info, warn or error", value);
	case OPTION_FORMAT:
		if (log_format_parse(value, &o->log_format) == 0)
			return 0;
		return fault(error, "--log.format: '%s' is not logfmt or json", value);
	case OPTION_SOURCE:
		return set_source(o, value, error);
	case OPTION_PATH:
		*(const char **)(void *)field = value;
		if (*value == '/')
			return 0;
		return fault(error, "--%s: '%s' must begin with '/'", row->name, value);
	}
	return 0;
}

/* One argument at ARGV[*INDEX], with its value in the same or in the next. */
static int parse_one(struct options *o, char **argv, int *index, char error[256])
{
	char *arg = argv[*index];
	const char *name = arg + (arg[0] == '-') + (arg[0] == '-' && arg[1] == '-');
	size_t len = strcspn(name, "=");
	char *value = name[len] ? arg + (name - arg) + len + 1 : NULL;
	const struct option_row *row = find_row(name, len);

	if (name == arg)
		return fault(error, "unexpected argument '%s'", arg);
	if (!row || (name == arg + 1 && len > 1))
		return fault(error, "unknown flag '%s'", arg);
	if (!row->value && value)
		return fault(error, "--%s takes no value", row->name);
	if (row->value && !value)
		value = argv[++*index];
	if (!row->value)
		value = arg; /* a flag has none, and looks at none */
	if (!value || !*value)
		return fault(error, "--%s needs a value", row->name);
	return set(o, row, value, error);
}

int options_parse(struct options *o, int argc, char **argv, char ret_error[256])
{
	*o = (struct options){
		.log_level = LOG_LEVEL_INFO,
		.log_format = LOG_FORMAT_AUTO,
		.procfs_path = PROCFS_ROOT,
		.source = -1,
	};
	for (int i = 1; i < argc; i++) {
		int r = parse_one(o, argv, &i, ret_error);

		if (r < 0)
			return r;
	}
	if (o->textfile && !o->once)
		return fault(ret_error, "--output.textfile needs --once");
	return 0;
}

void options_print_help(FILE *out)
{
	fputs("usage: sockstatd [FLAG ...]\n\n"
	      "What ss shows, always on: polls the kernel's sockets and serves Prometheus\n"
	      "metrics. See sockstatd(8).\n\n",
	      out);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, "  --%s%s%s\n        %s\n", rows[i].name, rows[i].value ? "=" : "",
			rows[i].value ? rows[i].value : "", rows[i].help);
}
