/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys that are made when they are needed. */
#pragma once

#include <stddef.h>

/* What a file holds, terminated; the caller frees both. */
struct pem_pair {
	char *cert, *key;
};

/* A key, and a certificate of it by itself. */
struct pem_pair pem_pair_new(void);
void pem_pair_done(struct pem_pair *pair);
/* TEXT indented, as a block of YAML holds it; the caller frees it. */
char *pem_indent(const char *text);
