/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of the journal is made of is caught on its way to libsystemd. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/io/log_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "tests/support/test_support.h"

TEST_SUITE(log_journal);

/* The items of the last entry, a line each. */
static char caught[65536];
static int sent, send_result;

/* Instead of libsystemd's. */
__attribute__((visibility("default"))) int sd_journal_sendv(const struct iovec *items, int count)
{
	char *p = caught;

	for (int i = 0; i < count; i++) {
		memcpy(p, items[i].iov_base, items[i].iov_len);
		p += items[i].iov_len;
		*p++ = '\n';
	}
	*p = '\0';
	sent++;
	return send_result;
}

static void set_stream(char separator, unsigned long device, unsigned long inode)
{
	char stream[64];

	snprintf(stream, sizeof(stream), "%lu%c%lu", device, separator, inode);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void set_stream_to_stderr(void)
{
	struct stat st;

	cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
	set_stream(':', st.st_dev, st.st_ino);
}

static const char *send_entry(const char *message, const char *fields)
{
	int r = log_journal_send(&(const struct log_entry){
		.level = LOG_LEVEL_WARN, .message = message, .fields = fields});

	cr_assert_eq(r, 0);
	return caught;
}

#define HEAD(message) "MESSAGE=" message "\nPRIORITY=4\nSYSLOG_IDENTIFIER=sockstatd\n"

Test(log_journal, entry)
{
	cr_assert_str_eq(send_entry("started", ""), HEAD("started"));
	cr_assert_str_eq(
		send_entry("cannot listen", "address=:80 error=\"not \\\"now\\\"\""),
		HEAD("cannot listen address=:80 error=\"not \\\"now\\\"\"") "SOCKSTATD_ADDRESS=:"
									    "80\nSOCKSTATD_ERROR="
									    "not \"now\"\n");
	cr_assert_str_eq(send_entry("m", "odd-key\xff=1 b"),
			 HEAD("m odd-key\xff=1 b") "SOCKSTATD_ODD_KEY_=1\nSOCKSTATD_B=\n");
}

Test(log_journal, priorities)
{
	static const char *const expected[] = {"PRIORITY=7", "PRIORITY=6", "PRIORITY=4",
					       "PRIORITY=3"};

	for (int level = 0; level < 4; level++) {
		log_journal_send(&(const struct log_entry){
			.level = (enum log_level)level, .message = "m", .fields = ""});
		cr_assert(strstr(caught, expected[level]), "%d: %s", level, caught);
	}
}

Test(log_journal, message_id)
{
	log_journal_send(&(const struct log_entry){.level = LOG_LEVEL_WARN,
						   .id = "0123456789abcdef0123456789abcdef",
						   .message = "m",
						   .fields = "a=1"});
	cr_assert_str_eq(caught, HEAD("m a=1") "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"
					       "SOCKSTATD_A=1\n");
}

/* However many fields, however long: what has no room is left out. */
Test(log_journal, too_much)
{
	char fields[40000] = "", key[100];
	size_t len = 0, lines = 0;

	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(fields + len, sizeof(fields) - len, "k%d=v ", i);
	send_entry("m", fields);
	for (const char *p = caught; (p = strchr(p, '\n')); p++)
		lines++;
	cr_assert_eq(lines, 32);
	cr_assert(strstr(caught, "\nSOCKSTATD_K28=v\n"), "%s", caught);

	memset(fields, 'v', 9000);
	memcpy(fields, "k=", 2);
	fields[9000] = '\0';
	send_entry("m", fields);
	cr_assert_lt(strlen(caught), 16384 + 10);

	memset(key, 'k', 60);
	strcpy(key + 60, "=1");
	cr_assert_null(strstr(send_entry("m", key), "SOCKSTATD_"), "%s", caught);
}

Test(log_journal, has_stderr)
{
	struct stat st;

	cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
	unsetenv("JOURNAL_STREAM");
	cr_assert_not(log_journal_has_stderr());
	set_stream_to_stderr();
	cr_assert(log_journal_has_stderr());
	set_stream(':', st.st_dev, st.st_ino + 1);
	cr_assert_not(log_journal_has_stderr());
	set_stream(':', st.st_dev + 1, st.st_ino);
	cr_assert_not(log_journal_has_stderr());
	set_stream('/', st.st_dev, st.st_ino);
	cr_assert_not(log_journal_has_stderr());
}

/* Of the formats, only what was not chosen becomes the journal's. */
Test(log_journal, formats)
{
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_warn("to stderr", NULL);
	cr_assert_eq(sent, 0);
	set_stream_to_stderr();
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_warn("to stderr", NULL);
	cr_assert_eq(sent, 0);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_debug("not at all", NULL);
	cr_assert_eq(sent, 0);
	log_warn("to the journal", "a=%d", 1);
	cr_assert_eq(sent, 1);
	cr_assert_str_eq(caught, HEAD("to the journal a=1") "SOCKSTATD_A=1\n");
}

/* A journal that has gone away leaves what stderr is. */
Test(log_journal, falls_back)
{
	char line[256] = "";
	int fds[2], saved = dup(STDERR_FILENO);

	cr_assert_eq(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	set_stream_to_stderr();
	send_result = -ENOENT;
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_warn("still said", "a=1");
	dup2(saved, STDERR_FILENO);
	cr_assert_gt(read(fds[0], line, sizeof(line) - 1), 0);
	cr_assert(strstr(line, "level=warn msg=\"still said\" a=1\n"), "%s", line);
	close(saved);
	close(fds[0]);
	close(fds[1]);
}
