/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#include "build_config.h"
#include "daemon/doctor_host.h"
#include "daemon/doctor_walk.h"
#include "daemon/options.h"
#include "daemon/settings.h"
#include "daemon/util/macros.h"

/* What is lost where netlink does not serve, and the module that has its handler. */
static const struct {
	const char *loss, *module;
} families[POLL_FAMILY_END] = {
	[POLL_FAMILY_TCP] = {"limits, drops, round-trip times, memory and counters are absent",
			     "tcp_diag"},
	[POLL_FAMILY_UDP] = {"nothing is lost", "udp_diag"},
	[POLL_FAMILY_MPTCP] = {"/proc has no table of it", "mptcp_diag"},
	[POLL_FAMILY_UNIX] = {"the queues of listeners are absent", "unix_diag"},
	[POLL_FAMILY_RAW] = {"nothing is lost", "raw_diag"},
	[POLL_FAMILY_PACKET] = {"nothing is lost", "af_packet_diag"},
	[POLL_FAMILY_NETLINK] = {"nothing is lost", "netlink_diag"},
};

static void check_program(struct doctor *d)
{
	struct utsname host = {0};

	uname(&host);
	doctor_say(d, DOCTOR_OK, "version", "sockstatd %s (revision %s) on %s %s, %s",
		   BUILD_VERSION, BUILD_REVISION, host.sysname, host.release, host.machine);
	if (d->path)
		doctor_say(d, DOCTOR_OK, "configuration", "%s", d->path);
	else
		doctor_say(d, DOCTOR_OK, "configuration", "built-in defaults; there is no file");
}

/* Why netlink does not serve a family, and what to do. */
static void explain(enum poll_family family, enum poll_failure reason, char ret_text[160])
{
	if (reason == POLL_FAILURE_NO_HANDLER)
		snprintf(ret_text, 160, "the kernel has no handler; modprobe %s",
			 families[family].module);
	else if (reason == POLL_FAILURE_DENIED)
		snprintf(
			ret_text, 160,
			"netlink is refused; allow AF_NETLINK (RestrictAddressFamilies=, seccomp)");
	else
		snprintf(ret_text, 160, "netlink failed (%s); try again, or report it",
			 poll_failure_name(reason));
}

/* What a family that could not be read anywhere means. */
static enum doctor_verdict verdict_of(enum poll_family family)
{
	return family == POLL_FAMILY_TCP ? DOCTOR_FAIL : DOCTOR_NOTE;
}

static void say_procfs(struct doctor *d, enum poll_family family, const char *why)
{
	const char *name = poll_family_name(family);
	struct doctor_walk w = doctor_walk_run(d->procfs, family, POLL_SOURCE_PROCFS);

	if (w.failure != POLL_FAILURE_NONE)
		doctor_say(d, verdict_of(family), name, "cannot be read: %s; nor is %s there", why,
			   d->procfs);
	else if (settings_source(d->config) == SOURCE_PROCFS_ONLY)
		doctor_say(d, DOCTOR_OK, name, "/proc, as configured: %lu now; %s", w.sockets,
			   families[family].loss);
	else
		doctor_say(d, DOCTOR_NOTE, name, "/proc: %lu now, %s; %s", w.sockets,
			   families[family].loss, why);
}

static void check_family(struct doctor *d, enum poll_family family)
{
	const char *name = poll_family_name(family);
	enum source_mode mode = settings_source(d->config);
	struct doctor_walk w;
	char why[160];

	if (!settings_has_family(d->config, family)) {
		doctor_say(d, DOCTOR_OK, name, "off, as configured under families");
		return;
	}
	if (!settings_watches(d->config, d->catalogue, family)) {
		doctor_say(d, DOCTOR_OK, name, "not read; no metric of it is exported (metrics)");
		return;
	}
	if (mode == SOURCE_PROCFS_ONLY && family == POLL_FAMILY_MPTCP) {
		doctor_say(d, DOCTOR_NOTE, name, "not read; %s (source)", families[family].loss);
		return;
	}
	if (mode == SOURCE_PROCFS_ONLY) {
		say_procfs(d, family, "it was asked for (source)");
		return;
	}
	w = doctor_walk_run(d->procfs, family, POLL_SOURCE_NETLINK);
	explain(family, w.failure, why);
	if (w.failure == POLL_FAILURE_NONE)
		doctor_say(d, DOCTOR_OK, name, "netlink: %lu now", w.sockets);
	else if (mode == SOURCE_NETLINK_ONLY || family == POLL_FAMILY_MPTCP)
		doctor_say(d, verdict_of(family), name, "cannot be read: %s", why);
	else
		say_procfs(d, family, why);
}

static void check_families(struct doctor *d)
{
	for (unsigned int i = 0; i < POLL_FAMILY_END; i++)
		check_family(d, i);
}

static void (*const checks[])(struct doctor *d) = {
	check_program,      check_families,     doctor_check_attributes, doctor_check_events,
	doctor_check_files, doctor_check_place, doctor_check_limits,
};

int doctor_run(const struct options *o, const char *path, const struct config *config, FILE *out)
{
	struct doctor d = {.out = out, .path = path, .procfs = o->procfs_path, .config = config};
	int r = settings_make_catalogue(config, false, &d.catalogue);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&d);
	catalogue_unref(d.catalogue);
	return fflush(out) == EOF || ferror(out) || d.has_failed ? -EIO : 0;
}

void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *topic,
		const char *format, ...)
{
	static const char *const verdicts[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_NOTE] = "note",
		[DOCTOR_FAIL] = "fail",
	};
	va_list args;

	d->has_failed |= verdict == DOCTOR_FAIL;
	fprintf(d->out, "%-4s  %-14s  ", verdicts[verdict], topic);
	va_start(args, format);
	vfprintf(d->out, format, args);
	va_end(args);
	fputc('\n', d->out);
}
