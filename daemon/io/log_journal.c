/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/io/log_journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "daemon/io/log_field.h"

#define IDENTIFIER "SYSLOG_IDENTIFIER=sockstatd"
#define KEY_PREFIX "SOCKSTATD_"
/* The journal takes names of up to 64 bytes. */
#define KEY_BYTES 64
/* More than any entry of ours has; what is beyond is in MESSAGE only. */
#define FIELDS_MAX 32
/* MESSAGE, and the fields once more. */
#define TEXT_BYTES 16384

struct journal_entry {
	struct iovec items[FIELDS_MAX];
	int count;
	char text[TEXT_BYTES];
	size_t len;
};

static const int priorities[] = {
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_ERROR] = LOG_ERR,
};

bool log_journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2 ||
	    fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

/* What has been written to the text since it had LEN bytes is one item. */
static void close_item(struct journal_entry *j, size_t len)
{
	j->items[j->count++] = (struct iovec){.iov_base = j->text + len, .iov_len = j->len - len};
}

static void PRINTF_LIKE(2, 3) add_item(struct journal_entry *j, const char *format, ...)
{
	size_t room = sizeof(j->text) - j->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(j->text + j->len, room, format, args);
	va_end(args);
	if (n < 0 || j->count == FIELDS_MAX)
		return;
	j->len += MIN((size_t)n, room - 1);
	close_item(j, j->len - MIN((size_t)n, room - 1));
}

/* The journal's names are capitals, digits and underscores. */
static char key_character(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

static void add_field(struct journal_entry *j, const struct log_field *f)
{
	size_t begin = j->len, prefix = strlen(KEY_PREFIX);

	if (j->count == FIELDS_MAX || prefix + f->key_len > KEY_BYTES ||
	    sizeof(j->text) - begin < prefix + f->key_len + 1)
		return;
	memcpy(j->text + j->len, KEY_PREFIX, prefix);
	j->len += prefix;
	for (size_t i = 0; i < f->key_len; i++)
		j->text[j->len++] = key_character(f->key[i]);
	j->text[j->len++] = '=';
	j->len += log_field_unquote(f, j->text + j->len, sizeof(j->text) - j->len);
	close_item(j, begin);
}

int log_journal_send(const struct log_entry *e)
{
	struct journal_entry j = {.count = 0};
	const char *p = e->fields;
	struct log_field f;

	add_item(&j, "MESSAGE=%s%s%s", e->message, *e->fields ? " " : "", e->fields);
	add_item(&j, "PRIORITY=%d", priorities[e->level]);
	add_item(&j, "%s", IDENTIFIER);
	if (e->id)
		add_item(&j, "MESSAGE_ID=%s", e->id);
	while (log_field_next(&p, &f))
		add_field(&j, &f);
	return sd_journal_sendv(j.items, j.count);
}
