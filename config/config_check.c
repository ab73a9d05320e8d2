/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_check.h"

#include <arpa/inet.h>
#include <string.h>

#include "config/config_prefix.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
/* What RFC 3986 lets stand for itself in a path. */
#define PATH_LETTERS LETTERS "-.~!$&'()*+,;=:@/"

/* Longer than any that exists; bounds the work of matching. */
#define FAMILY_LEN_MAX 128
#define PATH_LEN_MAX   256
#define NAME_LEN_MAX   64

static bool consists_of(const char *text, const char *letters)
{
	return text[strspn(text, letters)] == '\0';
}

const char *config_check_address(const char *text, const struct config_strings *others)
{
	struct config_address address, other;

	if (config_address_parse(text, &address) < 0)
		return "must be \":PORT\", \"A.B.C.D:PORT\" or \"[v6]:PORT\"; names are not looked "
		       "up";
	for (size_t i = 0; i < others->count; i++) {
		if (config_address_parse(others->items[i], &other) < 0)
			continue;
		if (config_address_equal(&address, &other))
			return "is given twice";
		if (config_address_overlap(&address, &other))
			return "overlaps with another address";
	}
	return NULL;
}

const char *config_check_path(const char *text, const struct config_strings *others)
{
	(void)others;
	if (text[0] != '/')
		return "must begin with \"/\"";
	if (text[1] == '\0')
		return "must not be \"/\", which is the page with links";
	if (strncmp(text, "/-/", strlen("/-/")) == 0)
		return "must not lie below \"/-/\", which is the daemon's own";
	if (!consists_of(text, PATH_LETTERS))
		return "must be letters, digits and -._~!$&'()*+,;=:@/ only";
	return strlen(text) > PATH_LEN_MAX ? "must not be longer than 256 characters" : NULL;
}

const char *config_check_family(const char *text, const struct config_strings *others)
{
	(void)others;
	if (text[0] == '\0' || !consists_of(text, LETTERS "*"))
		return "must be a metric's name: letters, digits, _ and * only";
	return strlen(text) > FAMILY_LEN_MAX ? "must not be longer than 128 characters" : NULL;
}

const char *config_check_name(const char *text, const struct config_strings *others)
{
	(void)others;
	if (text[0] == '\0' || !consists_of(text, LETTERS "-.:/@+"))
		return "must be letters, digits and _-.:/@+ only";
	if (strcmp(text, "other") == 0)
		return "must not be \"other\", which is what has no name";
	return strlen(text) > NAME_LEN_MAX ? "must not be longer than 64 characters" : NULL;
}

const char *config_check_prefix(const char *text, const struct config_strings *others)
{
	struct config_prefix prefix;

	(void)others;
	return config_prefix_parse(text, &prefix);
}
