/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a network device by its index, for listeners that are bound to one. */
#pragma once

#include <net/if.h>
#include <stdint.h>

/* Writes the device's name, or "if7" (as ss prints it) for index 7 if there is none any more. */
void interface_name_find(uint32_t interface, char ret_name[IF_NAMESIZE]);
