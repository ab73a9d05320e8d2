/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a filter the kernel can apply before it copies a row: the states and ports of the request
 * itself, and bytecode for inet_diag_bc_run(). It takes all rows that the filter matches, and no
 * fewer; where it takes more, filter_match() has the last word.
 */
#pragma once

#include "daemon/core/filter.h"

#define FILTER_CODE_MAX 16384

struct filter_request {
	uint32_t states;                  /* SOCK_STATE_BIT()s */
	uint16_t local_port, remote_port; /* 0: any */
	uint16_t code_len;                /* 0: none */
	bool is_whole;                    /* nothing is left to be matched */
	uint8_t code[FILTER_CODE_MAX] __attribute__((aligned(4)));
};

/* Of a filter that was resolved. WITHOUT_CGROUP: the kernel is older than 5.8. */
void filter_request_make(struct filter_request *q, const struct filter *f, bool without_cgroup);
