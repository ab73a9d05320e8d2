/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_security.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(http_security);

static char path[] = "/tmp/http-security-XXXXXX";

static int load(const char *text, struct config_errors *errors, struct http_security **ret_security)
{
	int fd = mkstemp(path), r;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	r = http_security_load(path, errors, ret_security);
	unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	return r;
}

Test(http_security, no_file)
{
	struct http_security *s = (void *)1;
	struct config_errors errors;

	cr_assert_eq(http_security_load(NULL, &errors, &s), 0);
	cr_assert_null(s);
	http_security_free(s);
	cr_assert_eq(http_security_load("/nowhere", &errors, &s), -ENOENT);
	cr_assert_eq(errors.total, 0);
}

Test(http_security, headers)
{
	struct config_errors errors;
	struct http_security *s;

	cr_assert_eq(load("http_server_config: {headers: {X-Frame-Options: deny}}", &errors, &s),
		     0);
	cr_assert_null(s->tls);
	cr_assert_str_eq(s->headers[3].name, "X-Frame-Options");
	cr_assert_str_eq(s->headers[3].value, "deny");
	cr_assert_null(s->headers[0].value);
	http_security_free(s);
}

Test(http_security, faults)
{
	struct config_errors errors;
	struct http_security *s;

	cr_assert_eq(
		load("tls_server_config: {cert_file: /nowhere, key_file: /nowhere}", &errors, &s),
		-EINVAL);
	cr_assert_eq(errors.total, 2);
	cr_assert_eq(load("nonsense: 1", &errors, &s), -EINVAL);
	cr_assert_eq(errors.total, 1);
}
