/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to number, strictly: the whole text or nothing, no white space, no sign on what cannot be
 * negative, no silent overflow. All return 0, -EINVAL (not such a number) or -ERANGE (outside
 * of what the type, or the given bounds, can hold), and write the result on success only.
 */
#pragma once

#include <stdint.h>

/* Decimal digits; MIN and MAX inclusive. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_n);
/* A finite decimal number: "0.5", "1e3"; no hexadecimal, no "inf", no "nan". Ignores the locale. */
int parse_double(const char *text, double *ret_x);
/* A duration in the manner of Prometheus: "100ms", "5s", "1m", "1h30m", "1d"; "0" is allowed. Units
 * ms, s, m, h, d in falling order, each at most once. */
int parse_duration_ns(const char *text, uint64_t *ret_ns);
/* What parse_duration_ns() reads as NS, which must be whole milliseconds: each unit that is not
 * zero, "1m30s"; nothing at all is "0". */
void render_duration_ns(uint64_t ns, char ret_text[32]);
