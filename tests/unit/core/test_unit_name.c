/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup's path says of unit and container, and that nothing in a path can do harm. */
#include "daemon/core/unit_name.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(unit_name);

#define HEX12 "0123456789ab"
#define HEX32 "0123456789abcdef0123456789abcdef"
#define ID    HEX32 HEX32
#define ID2   "fedcba9876543210" HEX32 "fedcba9876543210"
#define UUID  "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

struct unit_case {
	const char *cgroup, *unit, *container_id;
};

static void check_case(const struct unit_case *c)
{
	struct unit_name name;

	memset(&name, 'x', sizeof(name));
	unit_name_parse(c->cgroup, &name);
	cr_assert_str_eq(name.unit, c->unit, "%s: unit %s, not %s", c->cgroup, name.unit, c->unit);
	cr_assert_str_eq(name.container_id, c->container_id ? c->container_id : "",
			 "%s: container_id %s", c->cgroup, name.container_id);
}

#define CHECK_CASES(cases)                                     \
	do {                                                   \
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) \
			check_case(&(cases)[i]);               \
	} while (0)

Test(unit_name, innermost)
{
	static const struct unit_case cases[] = {
		{"", ""},
		{"/", ""},
		{"///", ""},
		{"/system.slice", ""},
		{"/system.slice/nginx.service", "nginx.service"},
		{"/system.slice/nginx.service/", "nginx.service"},
		{"nginx.service", "nginx.service"},
		{"/system.slice/nginx.service/worker/0", "nginx.service"},
		{"/system.slice/ssh.socket", "ssh.socket"},
		{"/system.slice/mnt-nfs.mount", "mnt-nfs.mount"},
		{"/system.slice/dev-sda2.swap", "dev-sda2.swap"},
		{"/system.slice/a.service/b.scope/c.socket/d.slice", "c.socket"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
		 "foo.service"},
		{"/a.target/b.timer/c.path/d.device/e.automount", ""},
		{"/nginx.service.d", ""},
		{"/nginx.SERVICE", ""},
		{"/service", ""},
		{"/a.service/service", "a.service"},
		{"/a.service/.service", "a.service"},
		{"/a.service//.scope//", "a.service"},
		{"/a.service.scope", "a.service.scope"},
	};

	CHECK_CASES(cases);
}

/* That of a user's manager, or of a container's, says nothing of whose it is. */
Test(unit_name, init_scope)
{
	static const struct unit_case cases[] = {
		{"/init.scope", "init.scope"},
		{"//init.scope", "init.scope"},
		{"init.scope", "init.scope"},
		{"/init.scope/x", "init.scope"},
		{"/init.scope/init.scope", "init.scope"},
		{"/x/init.scope", ""},
		{"/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service"},
		{"/system.slice/docker-" ID ".scope/init.scope", "docker.scope", ID},
		{"/a.service/xinit.scope", "xinit.scope"},
		{"/a.service/init.scope2", "a.service"},
		{"/a.service/init.scope.service", "init.scope.service"},
		{"/a.service/init.service", "init.service"},
	};

	CHECK_CASES(cases);
}

Test(unit_name, of_containers)
{
	static const struct unit_case cases[] = {
		{"/system.slice/docker-" ID ".scope", "docker.scope", ID},
		{"/system.slice/docker-" ID ".scope/system.slice/nginx.service", "nginx.service",
		 ID},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f1e.slice/"
		 "cri-containerd-" ID ".scope",
		 "cri-containerd.scope", ID},
		{"/kubepods/burstable/pod" UUID "/" ID, "", ID},
		{"/kubepods/burstable/pod" UUID "/crio-" ID, "", ID},
		{"/x/crio-" ID ".scope", "crio.scope", ID},
		{"/x/crio-conmon-" ID ".scope", "crio-conmon.scope", ID},
		{"/machine.slice/libpod-" ID ".scope/container", "libpod.scope", ID},
		{"/docker/" ID, "", ID},
		{"docker/" ID "/", "", ID},
		{"/docker/" ID "/docker/" ID2, "", ID2},
		{"/docker-" ID ".scope/docker-" ID2 ".scope/x", "docker.scope", ID2},
		{"/" ID ".scope", ID ".scope", ID},
		{"/docker-" ID ".service", "docker.service", ""},
		{"/docker-" ID ".slice", "", ""},
		{"/docker-" ID "0.scope", "docker.scope", ""},
		{"/docker-0" ID ".scope", "docker.scope", ""},
		{"/docker-" ID ".scope.scope", "docker-" ID ".scope.scope", ""},
		{"/docker_" ID ".scope", "docker_" ID ".scope", ""},
		{"/docker/" ID "0", "", ""},
		{"/docker/x" ID, "", ""},
		{"/docker/" ID "-", "", ""},
		{"/docker/" ID "-x", "", ""},
		{"/docker/" ID2 "/" HEX32 "0123456789abcdef0123456789abcdeF", "", ID2},
		{"/docker/" ID2 "/" HEX32 "0123456789abcdef0123456789abcdeg", "", ID2},
		{"/docker/" ID2 "/" HEX32 "/" HEX32, "", ID2},
		{"/docker/" HEX32 "-" HEX32, "", ""},
	};

	CHECK_CASES(cases);
}

/* A name must not be another at each start. */
Test(unit_name, without_ids)
{
	static const struct unit_case cases[] = {
		{"/session-12.scope", "session.scope"},
		{"/session-c3.scope", "session.scope"},
		{"/run-u12.service", "run.service"},
		{"/run-u12.scope", "run.scope"},
		{"/run-u12.socket", "run.socket"},
		{"/run-r" HEX32 ".scope", "run.scope"},
		{"/run-r" HEX32 ".service", "run.service"},
		{"/run-p4711-i815.service", "run.service"},
		{"/run-p4711-i815.scope", "run.scope"},
		{"/run-r" HEX12 ".scope", "run.scope"},
		{"/run-backup-u12.service", "run-backup.service"},
		{"/app-gnome-firefox-4711.scope", "app-gnome-firefox.scope"},
		{"/vte-spawn-" UUID ".scope", "vte-spawn.scope"},
		{"/snap.firefox.firefox-" UUID ".scope", "snap.firefox.firefox.scope"},
		{"/snap.lxd.daemon-" UUID ".service", "snap.lxd.daemon.service"},
		{"/a-0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0.service", "a.service"},
		{"/a-" UUID "-" UUID "-" HEX12 ".service", "a.service"},
		{"/a-4711-" UUID "-12.scope", "a.scope"},
		{"/a-" HEX12 ".service", "a.service"},
		{"/a-" HEX12 ".socket", "a.socket"},
		{"/a-" HEX12 ".mount", "a.mount"},
		{"/a-" HEX12 ".swap", "a.swap"},
		{"/a-0123456789AB.service", "a.service"},
		{"/a-123456789012.service", "a.service"},
		{"/a-1.scope", "a.scope"},
		{"/a-" HEX32 ID ID ".scope", "a.scope"},
		{"/a-00000000000000000000000000000000000000000000000000.scope", "a.scope"},
		{"/a--1.scope", "a-.scope"},
	};

	CHECK_CASES(cases);
}

/* What somebody has called a unit stays, and so does what is all of a name. */
Test(unit_name, what_stays)
{
	static const struct unit_case cases[] = {
		{"/foo-2.service", "foo-2.service"},
		{"/foo-2.socket", "foo-2.socket"},
		{"/run-parts-2.service", "run-parts-2.service"},
		{"/run-user-1000.mount", "run-user-1000.mount"},
		{"/run-u12.mount", "run-u12.mount"},
		{"/foo-u12.service", "foo-u12.service"},
		{"/foo-c3.scope", "foo-c3.scope"},
		{"/foo-r" HEX32 ".scope", "foo-r" HEX32 ".scope"},
		{"/session-c3.service", "session-c3.service"},
		{"/sessions-c3.scope", "sessions-c3.scope"},
		{"/runs-u12.service", "runs-u12.service"},
		{"/run-u.service", "run-u.service"},
		{"/run-x12.service", "run-x12.service"},
		{"/run-u12x.service", "run-u12x.service"},
		{"/run-r0123456789a.scope", "run-r0123456789a.scope"},
		{"/a-0123456789a.service", "a-0123456789a.service"},
		{"/a-0123456789a.scope", "a-0123456789a.scope"},
		{"/a-" HEX12 "g.service", "a-" HEX12 "g.service"},
		{"/a-" HEX12 "-x.service", "a-" HEX12 "-x.service"},
		{"/a-1-x.scope", "a-1-x.scope"},
		{"/a-1x.scope", "a-1x.scope"},
		{"/a_" HEX12 ".service", "a_" HEX12 ".service"},
		{"/a-" HEX12 "-.service", "a-" HEX12 "-.service"},
		/* Almost a UUID: its last part alone is an id. */
		{"/a-00f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0.service",
		 "a-00f1e2d3c-4b5a-6978-8796.service"},
		{"/a-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0.service",
		 "a-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0.service"},
		{"/a-0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.service",
		 "a-0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.service"},
		{"/a-0f1e2d3c4-b5a-6978-8796-a5b4c3d2e1f0.service",
		 "a-0f1e2d3c4-b5a-6978-8796.service"},
		/* One part stays at least. */
		{"/4711.scope", "4711.scope"},
		{"/4711-4712.scope", "4711.scope"},
		{"/" HEX12 ".service", HEX12 ".service"},
		{"/" HEX12 "-" HEX12 ".service", HEX12 ".service"},
		{"/" UUID ".scope", UUID ".scope"},
		{"/" UUID "-12.scope", UUID ".scope"},
		{"/" UUID "-" UUID ".service", UUID ".service"},
		{"/-4711.scope", "-4711.scope"},
		{"/--4711.scope", "-.scope"},
		{"/-" UUID ".scope", "-" UUID ".scope"},
		{"/-.mount", "-.mount"},
	};

	CHECK_CASES(cases);
}

/* An instance is a name that somebody gave, or a desktop made up. */
Test(unit_name, instances)
{
	static const struct unit_case cases[] = {
		{"/postgresql@15-main.service", "postgresql@15-main.service"},
		{"/user@1000.service", "user@1000.service"},
		{"/a-b@c-" HEX12 ".service", "a-b@c-" HEX12 ".service"},
		{"/a-" HEX12 "@b.service", "a-" HEX12 "@b.service"},
		{"/run-u12@u13.service", "run-u12@u13.service"},
		{"/a@b-" UUID ".socket", "a@b-" UUID ".socket"},
		{"/a@b-4711.scope", "a@b.scope"},
		{"/app-firefox@" HEX32 ".service", "app-firefox@.service"},
		{"/a@" UUID ".service", "a@.service"},
		{"/a@0123456789a.service", "a@0123456789a.service"},
		{"/a@4711.service", "a@4711.service"},
		{"/a@.service", "a@.service"},
	};

	CHECK_CASES(cases);
}

/* What libvirt and systemd do to names. */
Test(unit_name, numbers_of_machines_and_underscores)
{
	static const struct unit_case cases[] = {
		{"/machine.slice/machine-qemu\\x2d3\\x2dweb.scope/libvirt/emulator",
		 "machine-qemu\\x2dweb.scope"},
		{"/machine-lxc\\x2d4711\\x2dweb\\x2d2.scope", "machine-lxc\\x2dweb\\x2d2.scope"},
		{"/machine-qemu\\x2d3\\x2d.scope", "machine-qemu\\x2d3\\x2d.scope"},
		{"/machine-qemu\\x2d3.scope", "machine-qemu\\x2d3.scope"},
		{"/machine-qemu\\x2d\\x2dweb.scope", "machine-qemu\\x2d\\x2dweb.scope"},
		{"/machine-web\\x2d3\\x2da.scope", "machine-web\\x2d3\\x2da.scope"},
		{"/_memory.service", "memory.service"},
		{"/__a.service", "_a.service"},
		{"/_.service", ""},
	};

	CHECK_CASES(cases);
}

/* Each length around the field's, with an id behind that is dropped first. */
Test(unit_name, cut)
{
	struct {
		struct unit_name name;
		char guard[16];
	} out;
	char path[1024], expected[1024];

	for (int n = UNIT_NAME_MAX - 40; n < UNIT_NAME_MAX + 40; n++) {
		char stem[UNIT_NAME_MAX + 40];

		memset(stem, 'x', sizeof(stem));
		memset(&out, 'g', sizeof(out));
		snprintf(path, sizeof(path), "/docker/%s/%.*s-" HEX12 ".service", ID, n, stem);
		snprintf(expected, sizeof(expected), "%.*s.service", n, stem);
		expected[UNIT_NAME_MAX - 1] = '\0';
		unit_name_parse(path, &out.name);
		cr_assert_str_eq(out.name.unit, expected, "%d: %s", n, out.name.unit);
		cr_assert_str_eq(out.name.container_id, ID, "%d", n);
		cr_assert_eq(out.guard[0], 'g', "%d", n);
	}
}

/* A path of a megabyte in memory of just its size, for the sanitizers. */
Test(unit_name, of_any_length)
{
	static const char *const pieces[] = {"x", "/", "0", "-", "a-", ("-" UUID), "\xff/"};
	static const char tail[] = "-4711.scope";
	const size_t n = 1 << 20;
	char *path = malloc(n + sizeof(tail));
	struct unit_name name;

	cr_assert(path);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t len = strlen(pieces[i]);

		for (size_t at = 0; at < n; at++)
			path[at] = pieces[i][at % len];
		memcpy(path + n, tail, sizeof(tail));
		unit_name_parse(path, &name);
		cr_assert(strlen(name.unit) > 0, "%s", pieces[i]);
		cr_assert_str_empty(name.container_id, "%s", pieces[i]);
	}
	free(path);
}

/* The next piece of a random path; what a piece is made of is what the rules look at. */
static const char *random_piece(uint32_t *seed)
{
	static const char *const pieces[] = {
		"/",        "-",       "@",          ".",           "a",         "run-",
		"session-", "u12",     "4711",       HEX12,         ID,          UUID,
		".service", ".scope",  ".socket",    ".mount",      ".swap",     ".slice",
		"\xff",     "docker-", "init.scope", "/init.scope", ("r" HEX32), "\n",
	};

	*seed = *seed * 1664525 + 1013904223;
	return pieces[(*seed >> 16) % ARRAY_SIZE(pieces)];
}

static void check_invariants(const char *path)
{
	struct unit_name name, again;
	char own[UNIT_NAME_MAX + 1];

	unit_name_parse(path, &name);
	cr_assert(name.container_id[0] == '\0' ||
			  strspn(name.container_id, "0123456789abcdef") == 64,
		  "%s: %s", path, name.container_id);
	cr_assert(name.container_id[0] == '\0' || strstr(path, name.container_id), "%s", path);
	cr_assert_not(strchr(name.unit, '/'), "%s: %s", path, name.unit);
	if (strlen(name.unit) == UNIT_NAME_MAX - 1)
		return;
	snprintf(own, sizeof(own), "/%s", name.unit);
	unit_name_parse(own, &again);
	cr_assert_str_eq(again.unit, name.unit, "%s: nothing is left to drop", path);
}

Test(unit_name, random)
{
	uint32_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		char path[1024] = "";
		uint32_t count = (uint32_t)i % 11;

		for (uint32_t piece = 0; piece < count; piece++)
			strcat(path, random_piece(&seed));
		check_invariants(path);
	}
}
