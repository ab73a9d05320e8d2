/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_suites.h"

#include <string.h>

#include "tests/support/test_support.h"

TEST_SUITE(web_suites);

Test(web_suites, found_by_name)
{
	const struct web_suite *suite =
		web_suite_find("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");

	cr_assert_not_null(suite);
	cr_assert_str_eq(suite->exchange, "ECDHE-ECDSA");
	cr_assert_str_eq(suite->cipher, "CHACHA20-POLY1305");
	cr_assert_str_eq(suite->mac, "AEAD");
	cr_assert_null(web_suite_find("TLS_AES_128_GCM_SHA256")->exchange);
	cr_assert_null(web_suite_find("TLS_ECDHE_RSA_WITH_RC4_128_SHA"));
	cr_assert_null(web_suite_find(""));
	cr_assert_str_eq(web_curve_find("CurveP384")->group, "GROUP-SECP384R1");
	cr_assert_null(web_curve_find("CurveP224"));
}
