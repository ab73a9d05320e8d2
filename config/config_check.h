/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of strings that the schema's rows name (config_check_fn). What they let pass is
 * printable ASCII.
 */
#pragma once

#include "config/config.h"

/* An address to listen on, that none of OTHERS already takes. */
const char *config_check_address(const char *text, const struct config_strings *others);
/* A path of the HTTP server that is neither its own page nor its own namespace. */
const char *config_check_path(const char *text, const struct config_strings *others);
/* A label's value that the configuration chooses: of a view, of a peer. */
const char *config_check_name(const char *text, const struct config_strings *others);
/* A prefix of addresses, or an address. */
const char *config_check_prefix(const char *text, const struct config_strings *others);
/* A metric family's name, or a pattern of it. */
const char *config_check_family(const char *text, const struct config_strings *others);
