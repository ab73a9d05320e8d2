/* SPDX-License-Identifier: Apache-2.0 */
/* Time units. Every number's name says its own: _ns, _us, _ms, _seconds. */
#pragma once

#include <stdint.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC  UINT64_C(1000000000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define MSEC_PER_SEC  UINT64_C(1000)
