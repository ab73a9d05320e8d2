/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_bind.h"
#include "config/config_file.h"
#include "config/config_value.h"
#include "daemon/core/prefix_trie.h"
#include "daemon/util/cleanup.h"

DEFINE_CLEANUP(struct config *, config, config_free);

struct config *config_new(void)
{
	_cleanup_(cleanup_config) struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	for (size_t i = 0; i < config_keys_count; i++) {
		if (config_value_set_fallback(&config_keys[i], c) < 0)
			return NULL;
	}
	return take_ptr(c);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < config_keys_count; i++)
		config_value_clear(&config_keys[i], c);
	if (c->peer_prefixes)
		prefix_trie_done(c->peer_prefixes);
	free(c->peer_prefixes);
	free(c);
}

int config_parse(const char *text, size_t n, struct config_errors *errors,
		 struct config **ret_config)
{
	_cleanup_(cleanup_config) struct config *c = NULL;
	int r;

	*errors = (struct config_errors){0};
	c = config_new();
	if (!c)
		return -ENOMEM;
	r = config_bind_text(text, n, &config_schema, errors, c);
	if (r < 0)
		return r;
	*ret_config = take_ptr(c);
	return 0;
}

int config_load(const char *path, struct config_errors *errors, struct config **ret_config)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	int r;

	*errors = (struct config_errors){0};
	r = config_file_read(path, CONFIG_YAML_TEXT_MAX, &text);
	if (r < 0)
		return r;
	return config_parse(text.data, text.len, errors, ret_config);
}

int config_set_listen_addresses(struct config *c, char *const *addresses, size_t count)
{
	const struct config_key *key = &config_keys[config_key_find("web.listen_addresses")];
	struct config fresh = {0};
	struct config_strings old = c->web.listen_addresses;
	struct config_fault fault;
	int r = count > 0 ? 0 : -EINVAL;

	for (size_t i = 0; i < count && r == 0; i++)
		r = config_value_add(key, &fresh, addresses[i], &fault);
	if (r == 0) {
		c->web.listen_addresses = fresh.web.listen_addresses;
		fresh.web.listen_addresses = old;
	}
	config_value_clear(key, &fresh);
	return r == -E2BIG ? -EINVAL : r;
}

int config_set_telemetry_path(struct config *c, const char *path)
{
	const struct config_key *key = &config_keys[config_key_find("web.telemetry_path")];
	struct config_fault fault;

	return config_value_add(key, c, path, &fault);
}
