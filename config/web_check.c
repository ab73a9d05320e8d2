/* SPDX-License-Identifier: Apache-2.0 */
#include "config/web_check.h"

#include <limits.h>
#include <string.h>

#include "config/config_bind_internal.h"
#include "config/web_config.h"
#include "config/web_schema.h"
#include "config/web_suites.h"

#define USER_LEN_MAX   256
#define HEADER_LEN_MAX 2048
#define COST_MIN       4
#define HASH_LEN       60 /* with the prefix, "$2y$10$" */
#define PREFIX_LEN     7
#define HASH_LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./"

const char *web_check_given(const char *text, const struct config_strings *others)
{
	(void)others;
	return text[0] == '\0' ? "must not be empty" : NULL;
}

const char *web_check_file(const char *text, const struct config_strings *others)
{
	(void)others;
	if (text[0] == '\0')
		return "must not be empty";
	return strlen(text) >= PATH_MAX ? "is too long for a path" : NULL;
}

const char *web_check_suite(const char *text, const struct config_strings *others)
{
	(void)others;
	return web_suite_find(text) ? NULL
				    : "must be a cipher suite as Go names them, such as "
				      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
}

const char *web_check_curve(const char *text, const struct config_strings *others)
{
	(void)others;
	return web_curve_find(text) ? NULL
				    : "must be one of: CurveP256, CurveP384, CurveP521, X25519";
}

/* Nothing that could end the header's line. */
const char *web_check_header(const char *text, const struct config_strings *others)
{
	(void)others;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p >= 0x7f)
			return "must be printable ASCII";
	return strlen(text) > HEADER_LEN_MAX ? "must not be longer than 2048 characters" : NULL;
}

const char *web_check_nosniff(const char *text, const struct config_strings *others)
{
	(void)others;
	return strcmp(text, "nosniff") == 0 ? NULL : "must be nosniff";
}

const char *web_check_frame(const char *text, const struct config_strings *others)
{
	(void)others;
	return strcmp(text, "deny") == 0 || strcmp(text, "sameorigin") == 0
		       ? NULL
		       : "must be one of: deny, sameorigin";
}

const char *web_check_user(const char *text, const struct config_strings *others)
{
	(void)others;
	if (text[0] == '\0')
		return "must not be empty";
	if (strchr(text, ':'))
		return "must not hold a colon, which ends a name in a request";
	return strlen(text) > USER_LEN_MAX ? "must not be longer than 256 bytes" : NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "$2y$10$", and "$2a$", "$2b$", "$2x$". */
static bool has_prefix(const char *text)
{
	return text[0] == '$' && text[1] == '2' && text[2] != '\0' && strchr("abxy", text[2]) &&
	       text[3] == '$' && is_digit(text[4]) && is_digit(text[5]) && text[6] == '$';
}

const char *web_check_hash(const char *text, const struct config_strings *others)
{
	int cost;

	(void)others;
	if (!has_prefix(text) || strlen(text) != HASH_LEN ||
	    strspn(text + PREFIX_LEN, HASH_LETTERS) != HASH_LEN - PREFIX_LEN)
		return "must be a bcrypt hash, as htpasswd -nB writes it";
	cost = (text[4] - '0') * 10 + text[5] - '0';
	if (cost < COST_MIN || cost > WEB_COST_MAX)
		return "must have a cost from 4 to 18: beyond that a password takes too long";
	return NULL;
}

static const struct config_given *given_of(const struct config_binder *b, const char *path)
{
	return &b->keys[config_schema_find(b->schema, path)];
}

static bool is_given(const struct config_binder *b, const char *path)
{
	return given_of(b, path)->line > 0;
}

/* Reports at the value of a key. */
static void refuse(struct config_binder *b, const char *path, const char *what)
{
	config_errors_add(b->yaml->errors, given_of(b, path)->value, path, "%s", what);
}

static void check_exclusive(struct config_binder *b, const char *inline_path, const char *file_path,
			    const char *what)
{
	if (is_given(b, inline_path) && is_given(b, file_path))
		refuse(b, file_path, what);
}

/* Where the section is; its line is kept with its first key. */
static struct config_mark section_mark(const struct config_binder *b, const char *section)
{
	int first = config_schema_find_section(b->schema, section);

	return (struct config_mark){b->section_lines[first], 1};
}

static void check_pair(struct config_binder *b)
{
	static const char section[] = "tls_server_config";
	bool has_cert =
		is_given(b, "tls_server_config.cert") || is_given(b, "tls_server_config.cert_file");
	bool has_key =
		is_given(b, "tls_server_config.key") || is_given(b, "tls_server_config.key_file");

	if (!has_cert)
		config_errors_add(b->yaml->errors, section_mark(b, section), section,
				  "one of cert_file and cert is missing");
	if (!has_key)
		config_errors_add(b->yaml->errors, section_mark(b, section), section,
				  "one of key_file and key is missing");
}

static bool requires_cert(int type)
{
	return type == WEB_CLIENT_AUTH_REQUIRE_ANY || type == WEB_CLIENT_AUTH_REQUIRE ||
	       type == WEB_CLIENT_AUTH_REQUIRE_AND_VERIFY;
}

static void check_clients(struct config_binder *b, const struct web_config *w)
{
	static const char no_policy[] = "needs a client_auth_type that asks for certificates";

	if (given_of(b, "tls_server_config.client_auth_type")->is_wrong)
		return;
	if (w->tls.client_auth_type == WEB_CLIENT_AUTH_NONE) {
		if (is_given(b, "tls_server_config.client_ca"))
			refuse(b, "tls_server_config.client_ca", no_policy);
		if (is_given(b, "tls_server_config.client_ca_file"))
			refuse(b, "tls_server_config.client_ca_file", no_policy);
	}
	if (is_given(b, "tls_server_config.client_allowed_sans") &&
	    !requires_cert(w->tls.client_auth_type))
		refuse(b, "tls_server_config.client_allowed_sans",
		       "needs client_auth_type RequireAnyClientCert or "
		       "RequireAndVerifyClientCert");
}

static bool wants_tls(const struct config_binder *b)
{
	static const char *const paths[] = {
		"tls_server_config.cert",
		"tls_server_config.cert_file",
		"tls_server_config.key",
		"tls_server_config.key_file",
		"tls_server_config.client_ca",
		"tls_server_config.client_ca_file",
		"tls_server_config.client_auth_type",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (is_given(b, paths[i]))
			return true;
	return false;
}

void web_check(struct config_binder *b)
{
	struct web_config *w = b->base;

	check_exclusive(b, "tls_server_config.cert", "tls_server_config.cert_file",
			"must not be given beside cert");
	check_exclusive(b, "tls_server_config.key", "tls_server_config.key_file",
			"must not be given beside key");
	check_exclusive(b, "tls_server_config.client_ca", "tls_server_config.client_ca_file",
			"must not be given beside client_ca");
	check_clients(b, w);
	if (wants_tls(b))
		check_pair(b);
	if (!given_of(b, "tls_server_config.min_version")->is_wrong &&
	    !given_of(b, "tls_server_config.max_version")->is_wrong &&
	    w->tls.min_version > w->tls.max_version)
		refuse(b,
		       is_given(b, "tls_server_config.min_version")
			       ? "tls_server_config.min_version"
			       : "tls_server_config.max_version",
		       "min_version is above max_version");
	for (size_t i = 0; i < b->schema->count; i++)
		if (b->keys[i].line > 0)
			w->places[i] = b->keys[i].value;
}
