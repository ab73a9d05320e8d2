/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listing.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/metric.h"
#include "tests/support/test_support.h"

TEST_SUITE(listing);

static unsigned int count_fields(const char *line, size_t n)
{
	unsigned int fields = 1;

	for (size_t i = 0; i < n; i++)
		fields += line[i] == '\t';
	return fields;
}

/* A head, and each family once, in the order of the table, with six fields. */
Test(listing, each_family_once)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	const char *line;

	cr_assert_eq(listing_print(f), 0);
	fclose(f);
	line = text;
	for (unsigned int i = 0; i <= metric_count; i++) {
		size_t n = strcspn(line, "\n");
		const char *name = i == 0 ? "# name" : metrics[i - 1].name;

		cr_assert_eq(count_fields(line, n), 6, "%s", name);
		cr_assert_eq(strncmp(line, name, strlen(name)), 0, "%s", name);
		cr_assert_eq(line[strlen(name)], '\t', "%s", name);
		line += n + 1;
	}
	cr_assert_eq(line, text + len);
	free(text);
}
