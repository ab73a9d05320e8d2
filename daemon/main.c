/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <microhttpd.h>
#include <protobuf-c/protobuf-c.h>
#include <yaml.h>
#include <zlib.h>

#include "build_config.h"
#include "daemon/doctor.h"
#include "daemon/filters.h"
#include "daemon/listing.h"
#include "daemon/manager.h"
#include "daemon/once.h"
#include "daemon/options.h"
#include "daemon/settings.h"

/* Exit statuses of the interface. */
#define EXIT_CANNOT_START 1
#define EXIT_WRONG_USAGE  2

static int print_version(void)
{
	struct utsname kernel = {0};

	uname(&kernel);
	printf("sockstatd, version %s (revision: %s)\n"
	       "  compiler:      %s\n"
	       "  libmicrohttpd: %s\n"
	       "  libmnl:        %s\n"
	       "  libyaml:       %s\n"
	       "  libsystemd:    %s\n"
	       "  protobuf-c:    %s\n"
	       "  zlib:          %s\n"
	       "  kernel:        %s\n",
	       BUILD_VERSION, BUILD_REVISION, __VERSION__, MHD_get_version(), BUILD_LIBMNL,
	       yaml_get_version_string(), BUILD_LIBSYSTEMD, protobuf_c_version(), zlibVersion(),
	       kernel.release);
	return EXIT_SUCCESS;
}

/* The value, with carets under what is wrong with it. */
static void print_excerpt(const struct config_error *e)
{
	if (!e->excerpt[0])
		return;
	fprintf(stderr, "    %s\n    %*s", e->excerpt, (int)e->caret, "");
	for (unsigned int i = 0; i < e->caret_len; i++)
		fputc('^', stderr);
	fputc('\n', stderr);
}

static void print_config_errors(const char *path, const struct config_errors *errors)
{
	char text[SETTINGS_ERROR_MAX];

	for (size_t i = 0; i < errors->count; i++) {
		settings_describe_error(path, &errors->items[i], text);
		fprintf(stderr, "%s\n", text);
		print_excerpt(&errors->items[i]);
	}
	if (errors->total > errors->count)
		fprintf(stderr, "%s: %zu more\n", path, errors->total - errors->count);
}

static int dump(const struct config *config)
{
	struct buf text = BUF_INIT;
	int status = EXIT_SUCCESS;

	config_render(config, &text);
	if (text.error || fwrite(text.data, 1, text.len, stdout) != text.len)
		status = EXIT_CANNOT_START;
	buf_done(&text);
	return status;
}

static int examine(const struct options *o, const char *path, const struct config *config)
{
	int r = doctor_run(o, path, config, stdout);

	if (ferror(stdout))
		fprintf(stderr, "sockstatd: cannot write to standard output\n");
	else if (r == -ENOMEM)
		fprintf(stderr, "sockstatd: %s\n", strerror(-r));
	return r < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
}

/* With a configuration: checks, dumps, examines the host, polls once, or serves. Takes CONFIG over.
 */
static int run(const struct options *o, const char *path, struct config *config)
{
	int status = EXIT_SUCCESS;

	if (o->check)
		filters_print(config, o->procfs_path, stdout);
	else if (o->dump)
		status = dump(config);
	else if (o->doctor)
		status = examine(o, path, config);
	else if (o->once)
		status = once_run(o, config) < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
	else
		return manager_run(o, path, config) < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
	config_free(config);
	return status;
}

static int load_and_run(const struct options *o)
{
	struct config_errors errors;
	struct config *config;
	const char *path = settings_find_file(o);
	int r;

	r = settings_load(o, path, &errors, &config);
	if (r == 0)
		return run(o, path, config);
	print_config_errors(path, &errors);
	if (r != -EINVAL)
		fprintf(stderr, "%s: %s\n", path ? path : "sockstatd", strerror(-r));
	return EXIT_CANNOT_START;
}

int main(int argc, char **argv)
{
	struct options options;
	char error[256];

	if (options_parse(&options, argc, argv, error) < 0) {
		fprintf(stderr, "sockstatd: %s; see sockstatd --help\n", error);
		return EXIT_WRONG_USAGE;
	}
	/* Of one poll only what is wrong is news. */
	if (options.once && options.log_level == LOG_LEVEL_INFO)
		options.log_level = LOG_LEVEL_WARN;
	log_configure(options.log_level, options.log_format);
	if (options.help) {
		options_print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (options.version)
		return print_version();
	if (options.list_metrics)
		return listing_print(stdout) < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
	return load_and_run(&options);
}
