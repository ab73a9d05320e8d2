/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/interface_name.h"

#include <stdio.h>

void interface_name_find(uint32_t interface, char ret_name[IF_NAMESIZE])
{
	if (!if_indextoname(interface, ret_name))
		snprintf(ret_name, IF_NAMESIZE, "if%u", interface);
}
