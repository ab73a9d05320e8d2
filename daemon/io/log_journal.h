/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry for systemd's journal, with fields of its own (systemd.journal-fields(7)): MESSAGE is
 * the message and its fields as one line, as people read it; each field is SOCKSTATD_KEY as well,
 * for journalctl to select by.
 */
#pragma once

#include "daemon/io/log.h"

/* Whether what is written to stderr ends up in the journal (JOURNAL_STREAM, systemd.exec(5)). */
bool log_journal_has_stderr(void);
/* 0, or -errno and the entry is lost. E->fields is logfmt, not NULL. */
int log_journal_send(const struct log_entry *e);
