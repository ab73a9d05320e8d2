/* SPDX-License-Identifier: Apache-2.0 */
/* What all collectors share: why a poll can fail. */
#pragma once

#include "daemon/core/poll.h"
