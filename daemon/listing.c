/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listing.h"

#include <errno.h>

#include "daemon/settings.h"

static const char *profile_name(enum metric_profile profile)
{
	static const char *const names[] = {
		[METRIC_CORE] = "core",
		[METRIC_EXTENDED] = "extended",
		[METRIC_ONCE] = "once",
	};

	return names[profile];
}

static void print_row(FILE *out, const struct catalogue *c, unsigned int i)
{
	const struct metric *m = &metrics[i];
	unsigned int series = c->on[i] ? catalogue_series(c, i) : metric_value_count(m);
	char labels[64];

	metric_label_names(m, labels);
	fprintf(out, "%s\t%s\t%s\t%s\t%u\t%s\n", m->name, metric_type_name(m), labels,
		profile_name(m->profile), series, m->help);
}

int listing_print(FILE *out)
{
	struct config *config = config_new();
	struct catalogue *c;
	int r;

	if (!config)
		return -ENOMEM;
	config->metrics.profile = CONFIG_PROFILE_EXTENDED;
	r = settings_make_catalogue(config, false, &c);
	config_free(config);
	if (r < 0)
		return r;
	fputs("# name\ttype\tlabels\tprofile\tseries\thelp\n", out);
	for (unsigned int i = 0; i < metric_count; i++)
		print_row(out, c, i);
	catalogue_unref(c);
	return 0;
}
