/* SPDX-License-Identifier: Apache-2.0 */
/* --doctor: what this host can give, and why not more. */
#pragma once

#include <stdio.h>

struct config;
struct options;

/* Writes a line for each thing that was looked at. PATH: of the configuration; NULL: the defaults.
 * 0; -EIO: OUT could not be written, or TCP sockets cannot be read at all; or -ENOMEM. */
int doctor_run(const struct options *o, const char *path, const struct config *config, FILE *out);
