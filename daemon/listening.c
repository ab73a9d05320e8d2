/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/http.h"
#include "daemon/io/log.h"
#include "daemon/service.h"

static void say_error(const char *address, int r)
{
	char quoted[160];

	log_error("cannot listen", "address=%s error=\"%s\"",
		  log_quote(address, quoted, sizeof(quoted)), strerror(-r));
}

int listening_init(struct listening *l, bool needed)
{
	int n = service_sockets();

	if (n < 0) {
		log_error("cannot take over what the service manager has passed", "error=\"%s\"",
			  strerror(-n));
		return n;
	}
	if (n == 0 && needed) {
		log_error("the service manager has passed no sockets, which are needed",
			  "flag=--web.systemd-socket");
		return -ENOENT;
	}
	l->passed = (unsigned int)n;
	return 0;
}

static int adopt(const struct listening *l, struct http_listeners **ret_listeners)
{
	unsigned int failed = 0;
	int r = http_listeners_adopt(SERVICE_SOCKETS_FIRST, l->passed, ret_listeners, &failed);

	if (r < 0)
		log_error("cannot listen on a socket that was passed", "descriptor=%u error=\"%s\"",
			  SERVICE_SOCKETS_FIRST + failed, strerror(-r));
	return r;
}

int listening_open(const struct listening *l, const struct config *config,
		   struct http_listeners *current, struct http_listeners **ret_listeners)
{
	const struct config_strings *addresses = &config->web.listen_addresses;
	unsigned int failed = 0;
	int r;

	if (l->passed > 0)
		return adopt(l, ret_listeners);
	r = http_listeners_new(addresses->items, (unsigned int)addresses->count, current,
			       ret_listeners, &failed);
	if (r < 0)
		say_error(addresses->items[failed], r);
	return r;
}

void listening_say(const struct listening *l, const struct config *config)
{
	if (l->passed > 0) {
		log_info("listening on sockets that were passed", "sockets=%u path=%s", l->passed,
			 config->web.telemetry_path);
		return;
	}
	for (size_t i = 0; i < config->web.listen_addresses.count; i++)
		log_info("listening", "address=%s path=%s", config->web.listen_addresses.items[i],
			 config->web.telemetry_path);
}
