/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager's end of sd_notify(3). What is not heard was not said. */
#pragma once

#include <stddef.h>

/* A socket that NOTIFY_SOCKET names from now on. */
int notify_open(void);
/* The next thing that was said, in TEXT; "" if there is none. */
const char *notify_heard(int fd, char *text, size_t size);
