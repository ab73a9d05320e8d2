/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the web configuration's keys. */
#pragma once

#include "config/config_schema.h"

extern const struct config_schema web_schema;

/* In the table: the first of the headers. */
#define WEB_HEADER_PREFIX "http_server_config.headers."
