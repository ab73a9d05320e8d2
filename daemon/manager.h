/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: owns the collector's loop, the configuration, the polling and the server; starts,
 * reloads and stops them. Runs on the main thread.
 */
#pragma once

struct options;
struct loaded;

/* Serves until a signal stops it. Takes over what was LOADED. CONFIG_PATH is what SIGHUP reloads,
 * NULL: nothing. Returns 0, or -errno if it could not start, and has then said why in the log. */
int manager_run(const struct options *options, const char *config_path, struct loaded *loaded);
