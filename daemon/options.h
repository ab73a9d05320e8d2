/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/io/log.h"

#define OPTIONS_ADDRESSES_MAX 64

struct options {
	const char *config_file;                       /* NULL: not given */
	char *listen_addresses[OPTIONS_ADDRESSES_MAX]; /* borrowed from argv */
	size_t listen_address_count;
	const char *telemetry_path;
	const char *max_requests;    /* as web.max_requests takes it */
	const char *web_config_file; /* NULL: not given */
	const char *textfile;
	enum log_level log_level;
	enum log_format log_format;
	const char *procfs_path; /* never NULL */
	int source;              /* enum config_source; −1: as the file says */
	bool systemd_socket;     /* what the service manager passes is needed */
	bool enable_lifecycle;
	bool check, dump, once, doctor, list_metrics, version, help;
};

/* 0, or -EINVAL and what is wrong with which argument in RET_ERROR. */
int options_parse(struct options *o, int argc, char **argv, char ret_error[256]);
void options_print_help(FILE *out);
