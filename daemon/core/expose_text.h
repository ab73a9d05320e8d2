/* SPDX-License-Identifier: Apache-2.0 */
/* The text format 0.0.4 of Prometheus (docs/instrumenting/exposition_formats.md). */
#pragma once

#include "daemon/core/expose.h"

#define EXPOSE_TEXT_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A label's value is cut at so many bytes, between two characters. */
#define EXPOSE_LABEL_VALUE_MAX 128

extern const struct expose_format expose_text;
