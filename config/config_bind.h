/* SPDX-License-Identifier: Apache-2.0 */
/* Events of YAML into struct config: keys, duplicates, types, and the order of values. */
#pragma once

#include "config/config.h"
#include "config/config_yaml.h"

/* Overwrites in C what the events give. 0, -ENOMEM, or -EINVAL: the text cannot be read to its end.
 * What is wrong is in the errors of YAML, also after 0. */
int config_bind(struct config_yaml *yaml, struct config *c);
