/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/http.h"
#include "daemon/io/log.h"
#include "daemon/service.h"

static void say_error(const char *address, int r, char fault[LISTENING_FAULT_MAX])
{
	char quoted[160];

	snprintf(fault, LISTENING_FAULT_MAX, "cannot listen on %s: %s", address, strerror(-r));

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

static int adopt(const struct listening *l, struct http_listeners **ret_listeners,
		 char fault[LISTENING_FAULT_MAX])
{
	unsigned int failed = 0;
	int r = http_listeners_adopt(SERVICE_SOCKETS_FIRST, l->passed, ret_listeners, &failed);

	if (r == 0)
		return 0;
	failed += SERVICE_SOCKETS_FIRST;
	log_error("cannot listen on a socket that was passed", "descriptor=%u error=\"%s\"", failed,
		  strerror(-r));
	snprintf(fault, LISTENING_FAULT_MAX,
		 "cannot listen on a socket that was passed, descriptor %u: %s", failed,
		 strerror(-r));
	return r;
}

int listening_open(const struct listening *l, const struct config *config,
		   struct http_listeners *current, struct http_listeners **ret_listeners,
		   char ret_fault[LISTENING_FAULT_MAX])
{
	const struct config_strings *addresses = &config->web.listen_addresses;
	unsigned int failed = 0;
	int r;

	if (l->passed > 0)
		return adopt(l, ret_listeners, ret_fault);
	r = http_listeners_new(addresses->items, (unsigned int)addresses->count, current,
			       ret_listeners, &failed);
	if (r < 0)
		say_error(addresses->items[failed], r, ret_fault);
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
