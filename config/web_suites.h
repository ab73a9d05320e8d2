/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that Go gives to cipher suites and curves, which a web configuration uses, and what
 * GnuTLS's priority strings call their parts. Words only: it knows no library.
 */
#pragma once

struct web_suite {
	const char *name;
	/* What a priority string needs for it; NULL: it is of TLS 1.3, where suites are not chosen.
	 */
	const char *exchange, *cipher, *mac;
};

struct web_curve {
	const char *name, *group;
};

/* NULL: there is none of this name. */
const struct web_suite *web_suite_find(const char *name);
const struct web_curve *web_curve_find(const char *name);
