/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a group of a family as a whole: added, taken over, carried to another catalogue. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/catalogue.h"

/* Adds FROM to TO, the cells of one poll to those of the same poll. */
void group_cells_fold(const struct catalogue *c, unsigned int family, uint64_t *to,
		      const uint64_t *from);
/* Takes a poll that has ended well over: gauges are replaced, histograms and what accrues grow. */
void group_cells_commit(const struct catalogue *c, unsigned int family, uint64_t *cells,
			const uint64_t *poll);
/* Forgets what one poll counted; what has accrued stays until it is taken over. */
void group_cells_begin(const struct catalogue *c, unsigned int family, uint64_t *poll);
/* Forgets what has accrued, which was taken over. */
void group_cells_settle(const struct catalogue *c, unsigned int family, uint64_t *poll);
/* Whether anything has accrued since then. */
bool group_cells_have_accrued(const struct catalogue *c, unsigned int family, const uint64_t *poll);
/* Copies what both catalogues have; a histogram only with the same bounds. */
void group_cells_carry(const struct catalogue *from, const uint64_t *cells,
		       const struct catalogue *to, unsigned int family, uint64_t *ret_cells);
