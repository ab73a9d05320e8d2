#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the log keeps of a listener that overflows: one entry as it begins, one as it ends."""
import datetime
import json

import daemon
import namespace
import states
import truth

BEGAN, ENDED = 'accept queue overflows', 'accept queue no longer overflows'
JSON = ('--log.format=json',)


class Evidence(truth.Case):
    """Of a daemon that writes JSON. Over /proc there is none: it tells neither limits nor drops."""

    family = namespace.IPV4

    def entries(self, d, message):
        """Those with this message."""
        entries = (json.loads(line) for line in d.log().splitlines() if line.startswith('{'))
        return [entry for entry in entries if entry['msg'] == message]

    def wait_entry(self, d, message, count=1):
        """The last of COUNT entries with this message, when there are so many."""
        def probe():
            entries = self.entries(d, message)
            return entries[-1] if len(entries) >= count else None
        return d.wait_until(probe, f'{count} entries "{message}"', patience=40)

    def overflow(self, port):
        """Three wait, three are refused, of a listener that the daemon knows by then."""
        self.keep(*states.overflow(self.family, port))
        return self._kept[-7], self._kept[-6:]

    def test_begins_and_ends_with_what_was_found(self):
        port = self.family.base
        d = self.daemon(flags=JSON)
        before = datetime.datetime.now(datetime.timezone.utc)
        listener, clients = self.overflow(port)
        began = self.wait_entry(d, BEGAN)
        for key, expected in (('level', 'warn'), ('address', self.family.label), ('port', port),
                              ('queue', 3), ('limit', 2), ('limit_is_somaxconn', 'no'),
                              ('peak', 3), ('closed', 0), ('reset', 0)):
            self.assertEqual(began[key], expected, key)
        self.assertGreaterEqual(began['drops'], 3)
        self.assertGreaterEqual(began['oldest_seconds'], 0)
        since = datetime.datetime.fromisoformat(began['since'].replace('Z', '+00:00'))
        self.assertLessEqual(before - datetime.timedelta(milliseconds=1), since)
        self.assertLessEqual(since, datetime.datetime.now(datetime.timezone.utc))
        self.assertNotIn('until', began)

        for client in clients[:2]:
            client.close()
        d.wait_polls(count=3)
        # Whoever was refused comes again, and is let in: so none of the six is left out.
        self.keep(*(listener.accept()[0] for _ in range(6)))
        ended = self.wait_entry(d, ENDED)
        self.assertEqual(self.entries(d, BEGAN), [began])
        self.assertEqual(ended['since'], began['since'])
        self.assertGreater(ended['until'], ended['since'])
        self.assertEqual((ended['queue'], ended['peak'], ended['closed']), (0, 3, 2))
        self.assertGreater(ended['oldest_seconds'], 0)
        shown = d.scrape().value('sockstat_listener_drops_total', address=self.family.label,
                                 port=str(port))
        self.assertEqual(ended['drops'], shown)
        d.stop()

    def test_a_limit_of_somaxconn_is_said(self):
        namespace.sysctl('core.somaxconn', 2)
        d = self.daemon(flags=JSON)
        self.keep(listener := self.family.listen(self.family.base, backlog=100))
        d.wait_polls('listeners')
        self.keep(*(self.family.connect(self.family.base, wait=False) for _ in range(6)))
        began = self.wait_entry(d, BEGAN)
        self.assertEqual((began['limit'], began['limit_is_somaxconn']), (2, 'yes'))
        listener.close()
        ended = self.wait_entry(d, ENDED)
        self.assertEqual(ended['queue'], 0)
        self.assertNotIn('limit', ended, 'of a listener that is gone')
        d.stop()

    def test_strays_and_hidden_listeners_are_no_evidence(self):
        port = self.family.base
        d = self.daemon(daemon.FAST + f'listener_filter: "sport != :{port + 1}"\n', flags=JSON)
        self.keep(self.family.listen(port))
        d.wait_polls('listeners')
        for source_port in range(4000, 4010):
            namespace.half_open_probe(self.family, port, source_port)
        hidden = self.overflow(port + 1)[0]
        d.wait_metrics(lambda m: m.value('sockstat_listener_stray_drops_total', port=str(port),
                                         address=self.family.label) == 10, 'ten strays')
        d.wait_polls(count=3)
        shown = self.overflow(port + 2)[0]
        self.assertEqual(self.wait_entry(d, BEGAN)['port'], port + 2)
        hidden.close()
        shown.close()
        self.wait_entry(d, ENDED)
        self.assertEqual(len(self.entries(d, BEGAN)), 1)
        d.stop()

    def test_a_reload_does_not_tell_it_again(self):
        d = self.daemon(flags=JSON)
        listener, _ = self.overflow(self.family.base)
        self.wait_entry(d, BEGAN)
        d.reload(daemon.FAST + 'metrics: {profile: extended}\n')
        d.wait_polls(count=3)
        listener.close()
        self.wait_entry(d, ENDED)
        self.assertEqual(len(self.entries(d, BEGAN)), 1)
        d.stop()


if __name__ == '__main__':
    truth.main()
