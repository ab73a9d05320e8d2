/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/unit_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/macros.h"

#define DIGITS    "0123456789"
#define LOWER_HEX DIGITS "abcdef"
#define HEX       LOWER_HEX "ABCDEF"

/* Fewer may be a word, a year or a version: "foo-2024.service". */
#define ID_MIN 12
/* 8-4-4-4-12 */
#define UUID_LEN 36

#define CONTAINER_ID_LEN (CONTAINER_ID_MAX - 1)

/* A part of a path: not terminated, but what comes behind it is no letter and no digit, so strspn()
 * does not leave it. */
struct span {
	const char *at;
	size_t len;
};

struct unit_type {
	const char *suffix;
	bool is_scope; /* made by a program and never from a file, so it is no template's instance
			*/
	bool has_runs; /* systemd-run makes such, "run-u12" */
};

/* No slice: it has no processes of its own. */
static const struct unit_type unit_types[] = {
	{".service", false, true}, {".scope", true, true},  {".socket", false, true},
	{".mount", false, false},  {".swap", false, false},
};

static bool starts_with(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && memcmp(s.at, prefix, n) == 0;
}

static bool ends_with(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && memcmp(s.at + s.len - n, suffix, n) == 0;
}

static bool is_all_of(struct span s, const char *set)
{
	return s.len > 0 && strspn(s.at, set) >= s.len;
}

static bool is_uuid(struct span s)
{
	static const size_t groups[] = {8, 4, 4, 4, 12};

	if (s.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strspn(s.at, HEX) != groups[i] || (i > 0 && s.at[-1] != '-'))
			return false;
		s.at += groups[i] + 1;
	}
	return true;
}

/* As systemd counts what it makes: "c3", "u12", "p4711-i815", "r0123456789abcdef0123456789abcdef".
 */
static bool is_lettered(struct span part)
{
	const struct span number = {part.at + 1, part.len - 1};

	if (part.len < 2 || !strchr("crupi", part.at[0]))
		return false;
	return is_all_of(number, DIGITS) || (number.len >= ID_MIN && is_all_of(number, HEX));
}

/* Whether sessions or runs are counted in the letters' way in such a name. */
static bool has_letters(struct span stem, const struct unit_type *type)
{
	return (type->has_runs && starts_with(stem, "run-")) ||
	       (type->is_scope && starts_with(stem, "session-"));
}

static bool is_id(struct span part, const struct unit_type *type, bool letters)
{
	if (is_uuid(part) || (part.len >= ID_MIN && is_all_of(part, HEX)))
		return true;
	/* Whoever writes a service may number it; the number of a scope comes from a program. */
	if (type->is_scope && is_all_of(part, DIGITS))
		return true;
	return letters && is_lettered(part);
}

/* The last part of STEM: what is behind its last dash, or a UUID, whose dashes are its own. */
static struct span last_part(struct span stem)
{
	const char *dash;

	if (stem.len >= UUID_LEN) {
		const struct span uuid = {stem.at + stem.len - UUID_LEN, UUID_LEN};

		if (is_uuid(uuid) && (uuid.at == stem.at || uuid.at[-1] == '-'))
			return uuid;
	}
	dash = memrchr(stem.at, '-', stem.len);
	if (!dash)
		return stem;
	return (struct span){dash + 1, (size_t)(stem.at + stem.len - dash - 1)};
}

/* An instance has a name, unless a desktop has made one up: "app-firefox@0123456789abcdef". AT is
 * the place of its '@'. */
static struct span without_instance_id(struct span stem, const char *at,
				       const struct unit_type *type)
{
	const struct span instance = {at + 1, (size_t)(stem.at + stem.len - at - 1)};

	if (is_id(instance, type, false))
		stem.len -= instance.len;
	return stem;
}

static struct span without_ids(struct span stem, const struct unit_type *type)
{
	const char *at = type->is_scope ? NULL : memchr(stem.at, '@', stem.len);
	bool letters = has_letters(stem, type);

	if (at)
		return without_instance_id(stem, at, type);
	for (;;) {
		struct span part = last_part(stem);

		/* Before the dash something has to stay. */
		if (part.at - stem.at < 2 || !is_id(part, type, letters))
			return stem;
		stem.len -= part.len + 1;
	}
}

/* libvirt numbers a machine at each start: "machine-qemu\x2d3\x2dweb". Returns the length of what
 * is before the number, or of all; RET_NAME is what is behind it. */
static size_t split_machine(struct span stem, struct span *ret_name)
{
	static const char *const prefixes[] = {"machine-qemu\\x2d", "machine-lxc\\x2d"};
	static const char dash[] = "\\x2d";

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t before = strlen(prefixes[i]), skipped;
		struct span name;

		if (!starts_with(stem, prefixes[i]))
			continue;
		skipped = before + strspn(stem.at + before, DIGITS);
		name = (struct span){stem.at + skipped, stem.len - skipped};
		if (skipped == before || !starts_with(name, dash) || name.len == strlen(dash))
			continue;
		*ret_name = (struct span){name.at + strlen(dash), name.len - strlen(dash)};
		return before;
	}
	*ret_name = (struct span){stem.at + stem.len, 0};
	return stem.len;
}

static void parse_unit(struct span component, struct unit_name *name)
{
	/* So systemd writes what might be taken for a file of the cgroup above: "_memory.service".
	 */
	if (starts_with(component, "_"))
		component = (struct span){component.at + 1, component.len - 1};
	for (size_t i = 0; i < ARRAY_SIZE(unit_types); i++) {
		const struct unit_type *type = &unit_types[i];
		struct span stem = component, rest;
		size_t before;

		if (!ends_with(component, type->suffix))
			continue;
		stem.len -= strlen(type->suffix);
		if (stem.len == 0)
			return;
		stem = without_ids(stem, type);
		before = split_machine(stem, &rest);
		snprintf(name->unit, sizeof(name->unit), "%.*s%.*s%s",
			 (int)MIN(before, sizeof(name->unit)), stem.at,
			 (int)MIN(rest.len, sizeof(name->unit)), rest.at, type->suffix);
	}
}

/* "ID", "docker-ID", "cri-containerd-ID.scope" */
static void parse_container(struct span component, struct unit_name *name)
{
	struct span id = component;

	if (ends_with(id, ".scope"))
		id.len -= strlen(".scope");
	id = last_part(id);
	if (id.len != CONTAINER_ID_LEN || !is_all_of(id, LOWER_HEX))
		return;
	memcpy(name->container_id, id.at, id.len);
}

static bool is_init_scope(struct span s)
{
	return s.len == strlen("init.scope") && starts_with(s, "init.scope");
}

void unit_name_parse(const char *cgroup, struct unit_name *ret_name)
{
	const char *first = cgroup + strspn(cgroup, "/");
	struct span rest = {cgroup, strlen(cgroup)};

	*ret_name = (struct unit_name){0};
	while (rest.len > 0) {
		const char *slash = memrchr(rest.at, '/', rest.len);
		const char *at = slash ? slash + 1 : rest.at;
		const struct span component = {at, (size_t)(rest.at + rest.len - at)};

		if (!ret_name->unit[0] && (at == first || !is_init_scope(component)))
			parse_unit(component, ret_name);
		if (!ret_name->container_id[0])
			parse_container(component, ret_name);
		rest.len = slash ? (size_t)(slash - rest.at) : 0;
	}
}
