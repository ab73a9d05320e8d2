/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loading.h"

#include <errno.h>
#include <string.h>

#include "daemon/options.h"
#include "tests/support/test_support.h"

TEST_SUITE(loading);

static unsigned int said;
static int last_error;

static void say(void *userdata, const char *path, const struct config_errors *errors, int error)
{
	(void)userdata;
	(void)path;
	(void)errors;
	said++;
	last_error = error;
}

Test(loading, defaults)
{
	struct options o = {.source = -1};
	struct loaded loaded = {0};

	cr_assert_eq(loading_load(&o, NULL, say, NULL, &loaded), 0);
	cr_assert_not_null(loaded.config);
	cr_assert_null(loaded.security);
	cr_assert_eq(said, 0);
	loading_done(&loaded);
	loading_done(&loaded);
}

/* Each file's faults are said, and then nothing is loaded. */
Test(loading, faults)
{
	struct options o = {.source = -1, .web_config_file = "/nowhere"};
	struct loaded loaded = {0};

	cr_assert_eq(loading_load(&o, NULL, say, NULL, &loaded), -ENOENT);
	cr_assert_eq(said, 1);
	cr_assert_eq(loading_load(&o, "/nowhere.yaml", say, NULL, &loaded), -ENOENT);
	cr_assert_eq(said, 3);
	cr_assert_eq(last_error, -ENOENT);
	cr_assert_null(loaded.config);
}
