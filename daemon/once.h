/* SPDX-License-Identifier: Apache-2.0 */
/* --once: one poll of both lanes, printed. */
#pragma once

struct config;
struct options;

/* Prints to standard output, or writes the text file of the options and renames it into place.
 * Returns 0, or -errno and then nothing was printed, the file is untouched, and the log says why.
 */
int once_run(const struct options *options, const struct config *config);
