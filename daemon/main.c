/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <protobuf-c/protobuf-c.h>
#include <yaml.h>
#include <zlib.h>

#include "build_config.h"
#include "config/web_config.h"
#include "daemon/doctor.h"
#include "daemon/filters.h"
#include "daemon/listing.h"
#include "daemon/loading.h"
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
	       "  GnuTLS:        %s\n"
	       "  libmicrohttpd: %s\n"
	       "  libmnl:        %s\n"
	       "  libyaml:       %s\n"
	       "  libsystemd:    %s\n"
	       "  protobuf-c:    %s\n"
	       "  zlib:          %s\n"
	       "  kernel:        %s\n",
	       BUILD_VERSION, BUILD_REVISION, __VERSION__, gnutls_check_version(NULL),
	       MHD_get_version(), BUILD_LIBMNL, yaml_get_version_string(), BUILD_LIBSYSTEMD,
	       protobuf_c_version(), zlibVersion(), kernel.release);
	return EXIT_SUCCESS;
}

/* What the web configuration says follows as comments, so that it all can be read back. */
static int add_web_config(const char *path, struct buf *text)
{
	struct config_errors errors;
	struct web_config *w;
	int r;

	if (!path)
		return 0;
	r = web_config_load(path, &errors, &w);
	if (r < 0)
		return r;
	buf_add_format(text, "\n# --web.config.file=%s\n", path);
	web_config_render(w, text);
	web_config_free(w);
	return 0;
}

static int dump(const struct options *o, const struct config *config)
{
	struct buf text = BUF_INIT;
	int status = EXIT_SUCCESS;

	config_render(config, &text);
	if (add_web_config(o->web_config_file, &text) < 0 || text.error ||
	    fwrite(text.data, 1, text.len, stdout) != text.len)
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

/* With a configuration: checks, dumps, examines the host, polls once, or serves. */
static int run(const struct options *o, const char *path, struct loaded *loaded)
{
	if (o->check)
		filters_print(loaded->config, o->procfs_path, stdout);
	else if (o->dump)
		return dump(o, loaded->config);
	else if (o->doctor)
		return examine(o, path, loaded->config);
	else if (o->once)
		return once_run(o, loaded->config) < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
	else
		return manager_run(o, path, loaded) < 0 ? EXIT_CANNOT_START : EXIT_SUCCESS;
	return EXIT_SUCCESS;
}

static int load_and_run(const struct options *o)
{
	const char *path = settings_find_file(o);
	struct loaded loaded = {0};
	int status;

	if (loading_load(o, path, loading_print, NULL, &loaded) < 0)
		return EXIT_CANNOT_START;
	status = run(o, path, &loaded);
	loading_done(&loaded);
	return status;
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
