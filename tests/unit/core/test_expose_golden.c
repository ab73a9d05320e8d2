/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One whole exposition for each profile, byte for byte: what a change of the metric table or of the
 * renderer changes is seen in the golden file. UPDATE_GOLDEN=1 in the environment writes them anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_config.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/macros.h"
#include "tests/support/test_support.h"
#include "tests/unit/core/core_fixture.h"
#include "tests/unit/core/hand_made.h"

TEST_SUITE(expose_golden);

/* The text with the version and the revision of this build replaced, which no file can know. */
static char *without_build(const struct buf *text)
{
	static const char build[] = "version=\"" BUILD_VERSION "\",revision=\"" BUILD_REVISION "\"";
	static const char any[] = "version=\"VERSION\",revision=\"REVISION\"";
	char *found = memmem(text->data, text->len, build, strlen(build));
	char *golden;

	cr_assert(found);
	cr_assert_gt(asprintf(&golden, "%.*s%s%.*s", (int)(found - text->data), text->data, any,
			      (int)(text->data + text->len - found - strlen(build)),
			      found + strlen(build)),
		     0);
	return golden;
}

static void update(const char *path, const char *text)
{
	const char *root = getenv("SOURCE_ROOT");
	_fclose_ FILE *f = NULL;
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", root ? root : ".", path);
	f = fopen(full, "w");
	cr_assert(f, "%s cannot be written", full);
	cr_assert_geq(fputs(text, f), 0);
}

/* The number of the first line that differs, from 1. */
static unsigned int first_difference(const char *a, const char *b)
{
	unsigned int line = 1;

	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

static void assert_golden(const char *path, bool extended)
{
	const char *update_golden = getenv("UPDATE_GOLDEN");
	_free_ char *text = NULL, *golden = NULL;
	struct hand_made h;

	hand_made_init(&h, core_catalogue(extended));
	hand_made_render(&h);
	text = without_build(&h.text);
	hand_made_done(&h);
	if (update_golden && *update_golden)
		update(path, text);
	golden = test_read_file(path, NULL);
	cr_assert(
		strcmp(text, golden) == 0,
		"%s differs from line %u on; if that is meant, UPDATE_GOLDEN=1 writes it anew:\n%s",
		path, first_difference(text, golden), text);
}

Test(expose_golden, core)
{
	assert_golden("tests/golden/core.txt", false);
}

Test(expose_golden, extended)
{
	assert_golden("tests/golden/extended.txt", true);
}
