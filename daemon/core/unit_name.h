/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a cgroup is, read from its path: the systemd unit and the container. Knows how systemd and
 * the container engines name cgroups; asks nobody, since a path is all that is left of most.
 */
#pragma once

#define UNIT_NAME_MAX    256 /* NAME_MAX and its end: no cgroup has a longer name */
#define CONTAINER_ID_MAX 65

struct unit_name {
	char unit[UNIT_NAME_MAX];            /* "nginx.service"; "": none */
	char container_id[CONTAINER_ID_MAX]; /* 64 hexadecimal digits; "": none */
};

/*
 * CGROUP is a path below the root of the hierarchy: "/system.slice/nginx.service". Users choose
 * such names, so any bytes will do; what is too long is cut.
 *
 * The unit is the innermost that can have processes, without what is another at each start: the
 * numbers of sessions and runs, and ids of 12 or more hexadecimal digits. A template's instance
 * stays, unless it is such an id. "init.scope" is PID 1's at the root only; elsewhere it belongs to
 * the unit around it.
 */
void unit_name_parse(const char *cgroup, struct unit_name *ret_name);
