/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to what each part of the daemon wants to know. */
#pragma once

#include "config/config.h"
#include "daemon/core/group.h"
#include "daemon/core/lane_pace.h"
#include "daemon/core/source.h"

struct options;

/* The file that the flags name, or the installed one; NULL: there is none. */
const char *settings_find_file(const struct options *o);
/* Loads the file, NULL: the defaults, and lets the flags override it. 0; -EINVAL with ERRORS
 * filled; or -errno. */
int settings_load(const struct options *o, const char *path, struct config_errors *errors,
		  struct config **ret_config);

#define SETTINGS_ERROR_MAX 4608 /* a path of PATH_MAX bytes, and the rest */

/* "FILE:LINE:COLUMN: key: what is wrong". */
void settings_describe_error(const char *path, const struct config_error *error,
			     char ret_text[SETTINGS_ERROR_MAX]);

/* 0 or -ENOMEM. */
int settings_make_catalogue(const struct config *c, bool once, struct catalogue **ret_catalogue);
struct group_settings settings_of_groups(const struct config *c, struct catalogue *catalogue,
					 enum poll_family family);
/* Which sockets are of which view and peer; borrows from the configuration. */
void settings_of_classes(const struct config *c, struct classes *ret_classes);
/* How connections are counted, enum config_counters; and where sockets are to be read. */
int settings_counters(const struct config *c, const struct catalogue *catalogue);
/* Whether the configuration wants a family of sockets. */
bool settings_has_family(const struct config *c, enum poll_family family);
/* The same, and some metric wants it. */
bool settings_watches(const struct config *c, const struct catalogue *catalogue,
		      enum poll_family family);
enum source_mode settings_source(const struct config *c);
struct lane_pace settings_of_lane(const struct config *c, enum lane lane);

/* Labels that are given now. */
struct settings_labels {
	uint32_t listeners;
	uint32_t groups[POLL_FAMILY_PORTS];
};

/* How limits.series is shared out: the daemon's own series and the shared groups come first, then
 * listeners, then the ports of MPTCP and of UDP, which have few, then TCP's server ports, then its
 * client ports. Both return a number of labels. */
uint32_t settings_listener_cap(const struct config *c, const struct catalogue *catalogue);
uint32_t settings_group_budget(const struct config *c, const struct catalogue *catalogue,
			       enum poll_family family, const struct settings_labels *given);
