/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(config_services);

Test(config_services, lines)
{
	static const struct {
		const char *line;
		int r;
		uint16_t port;
	} cases[] = {
		{"http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP\n", 1, 80},
		{"http 80/udp", 0, 80},
		{"www 80/tcp http", 1, 80},
		{"www 80/tcp a b http c\r\n", 1, 80},
		{"http 0/tcp", 1, 0},
		{"http 65535/sctp", 0, 65535},
		{"https 443/tcp", -ENOENT, 0},
		{"www 80/tcp # http", -ENOENT, 0},
		{"# http 80/tcp", -ENOENT, 0},
		{"http", -ENOENT, 0},
		{"http 80", -ENOENT, 0},
		{"http x/tcp", -ENOENT, 0},
		{"http 65536/tcp", -ENOENT, 0},
		{"http -1/tcp", -ENOENT, 0},
		{"80/tcp http", -ENOENT, 0},
		{"", -ENOENT, 0},
		{"\n", -ENOENT, 0},
	};
	char line[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t port = 0;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		cr_assert_eq(config_service_parse(line, "http", &port), cases[i].r, "%s",
			     cases[i].line);
		cr_assert_eq(port, cases[i].port, "%s", cases[i].line);
	}
}

Test(config_services, file)
{
	static const char text[] = "a 1/udp\n"
				   "b 2/tcp a\n"
				   "a 3/tcp\n"
				   "c 4/udp\n"
				   "c 5/sctp\n";
	char path[] = "/tmp/test-services-XXXXXX";
	int fd = mkstemp(path);
	uint16_t port;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(config_service_find(path, "a", &port), 0);
	cr_assert_eq(port, 2, "TCP before UDP");
	cr_assert_eq(config_service_find(path, "c", &port), 0);
	cr_assert_eq(port, 4);
	cr_assert_eq(config_service_find(path, "d", &port), -ENOENT);
	unlink(path);
	cr_assert_eq(config_service_find(path, "a", &port), -ENOENT, "there is no such file");
}
