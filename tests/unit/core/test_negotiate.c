/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/negotiate.h"

#include <stddef.h>

#include "daemon/util/macros.h"
#include "tests/support/test_support.h"

TEST_SUITE(negotiate);

#define TEXT  NEGOTIATE_TEXT
#define OPEN  NEGOTIATE_OPENMETRICS
#define PROTO NEGOTIATE_PROTOBUF

#define DELIMITED      \
	"application/" \
	"vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

static const struct {
	const char *name, *accept;
	enum negotiate_format expected;
} formats[] = {
	{"nothing", NULL, TEXT},
	{"empty", "", TEXT},
	{"anything", "*/*", TEXT},
	{"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
	 TEXT},
	{"Prometheus 2.42",
	 "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
	 "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 OPEN},
	{"Prometheus 3",
	 "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
	 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
	 "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	 OPEN},
	{"Prometheus 3, text only",
	 "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,"
	 "*/*;q=0.2",
	 TEXT},
	{"an old one that knows no more than 0.0.1",
	 "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 TEXT},
	{"only what is not there", "application/json", TEXT},
	{"protobuf alone", DELIMITED, PROTO},
	{"Prometheus 2.42 with native histograms",
	 DELIMITED
	 ",application/openmetrics-text;version=1.0.0;q=0.8,"
	 "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
	 "*/*;q=0.1",
	 PROTO},
	{"Prometheus 3 with native histograms",
	 DELIMITED ";q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		   "text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
	 PROTO},
	{"protobuf no more than OpenMetrics", DELIMITED ",application/openmetrics-text", OPEN},
	{"protobuf no more than text", DELIMITED ",text/plain", TEXT},
	{"protobuf no more than anything", DELIMITED ";q=0.5,*/*;q=0.5", TEXT},
	{"protobuf less", DELIMITED ";q=0.5,text/plain;q=0.6", TEXT},
	{"protobuf not at all", DELIMITED ";q=0", TEXT},
	{"protobuf not at all, nor anything", DELIMITED ";q=0,*/*;q=0", TEXT},
	{"protobuf as text",
	 "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
	 TEXT},
	{"another message", "application/vnd.google.protobuf;proto=a.B;encoding=delimited", TEXT},
	{"protobuf of no message", "application/vnd.google.protobuf", TEXT},
	{"all of protobuf's type is no wish", "application/*;q=0.9,text/plain;q=0.1", TEXT},
	{"without a version", "application/openmetrics-text", OPEN},
	{"the same weight", "text/plain;q=0.5,application/openmetrics-text;q=0.5", OPEN},
	{"less", "text/plain;q=0.5,application/openmetrics-text;q=0.4", TEXT},
	{"less by a thousandth", "text/plain;q=0.5,application/openmetrics-text;q=0.499", TEXT},
	{"not at all", "application/openmetrics-text;q=0", TEXT},
	{"not at all, and anything", "application/openmetrics-text;q=0.000,*/*", TEXT},
	{"text less than anything", "text/plain;q=0.1,*/*,application/openmetrics-text;q=0.2",
	 OPEN},
	{"all of a type is no wish", "application/*", TEXT},
	{"a version outweighs a name",
	 "application/openmetrics-text;version=1.0.0;q=0.1,application/openmetrics-text;q=0.9,"
	 "text/plain;q=0.5",
	 TEXT},
	{"quotes and blanks",
	 "text/plain ; q=0.2 , application/openmetrics-text ; version=\"1.0.0\" ; q=0.9", OPEN},
	{"capitals", "Application/OpenMetrics-Text;Version=1.0.0;Q=0.9", OPEN},
	{"a comma in quotes", "text/plain;x=\",application/openmetrics-text,\"", TEXT},
	{"a weight that is none", "application/openmetrics-text;q=much", TEXT},
	{"a weight above 1", "application/openmetrics-text;q=7,text/plain", OPEN},
	{"separators alone", ",;,=;/,;q", TEXT},
	{"an open quote", "application/openmetrics-text;x=\"", OPEN},
};

Test(negotiate, format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		cr_assert_eq(negotiate_format(formats[i].accept), formats[i].expected, "%s",
			     formats[i].name);
}

static const struct {
	const char *accept_encoding;
	bool expected;
} codings[] = {
	{NULL, false},
	{"", false},
	{"identity", false},
	{"gzip", true},
	{"x-gzip", true},
	{"GZIP", true},
	{"deflate, gzip;q=1.0, *;q=0.5", true},
	{"gzip;q=0", false},
	{"gzip;q=0.000, identity", false},
	{"gzip;q=0, *", false},
	{"*, gzip;q=0", false},
	{"*", true},
	{"*;q=0", false},
	{"br, zstd", false},
	{"gzipped", false},
};

Test(negotiate, gzip)
{
	for (size_t i = 0; i < ARRAY_SIZE(codings); i++)
		cr_assert_eq(negotiate_gzip(codings[i].accept_encoding), codings[i].expected, "%s",
			     codings[i].accept_encoding);
}
