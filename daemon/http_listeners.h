/* SPDX-License-Identifier: Apache-2.0 */
/* What a set of listening sockets is made of: for the server, which waits on them. */
#pragma once

#include "config/config.h"
#include "daemon/http.h"
#include "daemon/io/loop.h"

struct http_listener {
	struct config_address address; /* as asked for */
	struct config_address bound;   /* as it came out: port 0 and a missing IPv6 resolved */
	int fd;                        /* owned; shared sockets are duplicated descriptors */
	struct loop_source source;     /* while a server waits on it */
	struct http *server;           /* the same */
};

struct http_listeners {
	unsigned int count;
	struct http_listener items[];
};
