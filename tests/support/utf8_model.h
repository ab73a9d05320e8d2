/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 defines it, told from the encoder's side: bytes are a character if encoding its
 * number gives just these bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The bytes of a character, at most 4; returns how many; 0: POINT is no character. */
size_t utf8_model_encode(uint32_t point, unsigned char ret_bytes[4]);
/* What utf8_character() must return. */
size_t utf8_model_character(const char *text, size_t n);
