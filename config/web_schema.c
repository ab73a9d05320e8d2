/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_schema.h"

#include <assert.h>

#include "config/web_check.h"
#include "config/web_config.h"
#include "daemon/util/macros.h"

#define AT(member) .offset = offsetof(struct web_config, member)

static const char *const booleans[] = {"false", "true", NULL};

static const char *const client_auth_types[] = {
	[WEB_CLIENT_AUTH_NONE] = "NoClientCert",
	[WEB_CLIENT_AUTH_REQUEST] = "RequestClientCert",
	[WEB_CLIENT_AUTH_REQUIRE_ANY] = "RequireAnyClientCert",
	[WEB_CLIENT_AUTH_REQUIRE] = "RequireClientCert",
	[WEB_CLIENT_AUTH_VERIFY_IF_GIVEN] = "VerifyClientCertIfGiven",
	[WEB_CLIENT_AUTH_REQUIRE_AND_VERIFY] = "RequireAndVerifyClientCert",
	NULL,
};

static const char *const versions[] = {
	[WEB_TLS10] = "TLS10",
	[WEB_TLS11] = "TLS11",
	[WEB_TLS12] = "TLS12",
	[WEB_TLS13] = "TLS13",
	NULL,
};

#define HEADER(index, name, check_)                                                            \
	{                                                                                      \
		.path = WEB_HEADER_PREFIX name, .type = CONFIG_TYPE_STRING, .check = (check_), \
		AT(headers[index])                                                             \
	}

static const struct config_key keys[] = {
	{
		.path = "tls_server_config.cert",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_given,
		AT(tls.cert),
	},
	{
		.path = "tls_server_config.cert_file",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_file,
		AT(tls.cert_file),
	},
	{
		.path = "tls_server_config.key",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_given,
		.is_secret = true,
		AT(tls.key),
	},
	{
		.path = "tls_server_config.key_file",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_file,
		AT(tls.key_file),
	},
	{
		.path = "tls_server_config.client_ca",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_given,
		AT(tls.client_ca),
	},
	{
		.path = "tls_server_config.client_ca_file",
		.type = CONFIG_TYPE_STRING,
		.check = web_check_file,
		AT(tls.client_ca_file),
	},
	{
		.path = "tls_server_config.client_auth_type",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "NoClientCert",
		.choices = client_auth_types,
		AT(tls.client_auth_type),
	},
	{
		.path = "tls_server_config.client_allowed_sans",
		.type = CONFIG_TYPE_STRINGS,
		.check = web_check_given,
		.not_empty = true,
		AT(tls.client_allowed_sans),
	},
	{
		.path = "tls_server_config.cipher_suites",
		.type = CONFIG_TYPE_STRINGS,
		.check = web_check_suite,
		AT(tls.cipher_suites),
	},
	{
		.path = "tls_server_config.curve_preferences",
		.type = CONFIG_TYPE_STRINGS,
		.check = web_check_curve,
		AT(tls.curve_preferences),
	},
	{
		.path = "tls_server_config.min_version",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "TLS12",
		.choices = versions,
		AT(tls.min_version),
	},
	{
		.path = "tls_server_config.max_version",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "TLS13",
		.choices = versions,
		AT(tls.max_version),
	},
	{
		.path = "tls_server_config.prefer_server_cipher_suites",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(tls.prefer_server_cipher_suites),
	},
	{
		.path = "http_server_config.http2",
		.type = CONFIG_TYPE_CHOICE,
		.fallback = "true",
		.choices = booleans,
		AT(http2),
	},
	HEADER(0, "Content-Security-Policy", web_check_header),
	HEADER(1, "Strict-Transport-Security", web_check_header),
	HEADER(2, "X-Content-Type-Options", web_check_nosniff),
	HEADER(3, "X-Frame-Options", web_check_frame),
	HEADER(4, "X-XSS-Protection", web_check_header),
	{
		.path = "rate_limit.interval",
		.type = CONFIG_TYPE_DURATION,
		.fallback = "0",
		.min = "0",
		.max = "1d",
		AT(rate_limit.interval_ns),
	},
	{
		.path = "rate_limit.burst",
		.type = CONFIG_TYPE_U64,
		.fallback = "0",
		.min = "0",
		.max = "1000000",
		AT(rate_limit.burst),
	},
	{
		.path = "basic_auth_users",
		.type = CONFIG_TYPE_PAIRS,
		.check = web_check_hash,
		.check_name = web_check_user,
		.most = WEB_USERS_MAX,
		.is_secret = true,
		AT(users),
	},
};

/* A chain of certificates stands in the file as one value. */
#define SCALAR_MAX ((size_t)64 * 1024)

const struct config_schema web_schema = {keys, ARRAY_SIZE(keys), web_check, SCALAR_MAX};
static_assert(ARRAY_SIZE(keys) <= CONFIG_KEYS_MAX && ARRAY_SIZE(keys) <= WEB_KEYS_MAX,
	      "raise WEB_KEYS_MAX");
