/* SPDX-License-Identifier: Apache-2.0 */
/* Names of ports, as /etc/services has them. */
#pragma once

#include <stdint.h>

#define CONFIG_SERVICES "/etc/services"

/* Whether a line "http 80/tcp www # World Wide Web" names it, with its port. Pure. Returns 1: for
 * TCP; 0: for another protocol; −ENOENT: it does not. LINE is changed. */
int config_service_parse(char *line, const char *name, uint16_t *ret_port);
/* A filter_service_fn; USERDATA is the path of the file. Of a name with several ports that of TCP
 * counts. */
int config_service_find(const void *userdata, const char *name, uint16_t *ret_port);
