#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where netlink is refused /proc is read, and netlink again when it serves."""
import errno
import os
import re
import shutil
import subprocess
import tempfile

import daemon
import namespace
import states
import truth

EXTENDED = daemon.FAST + 'metrics: {profile: extended}\n'


def needs_netlink():
    """The families that /proc cannot give: those that read tcp_info or skmem, and what needs a
    listener's limit or drops."""
    listeners = ('accept_queue_limit', 'accept_queue_peak_ratio', 'accept_queue_full_seconds_total',
                 'drops_total', 'stray_drops_total', 'last_drop_timestamp_seconds',
                 'unaccepted_oldest_seconds', 'unaccepted_reset', 'accept_queue_fill_ratio')
    tcp = ('memory_bytes', 'rtt_seconds', 'congestion_window_segments', 'sent_bytes_total',
           'received_bytes_total', 'sent_segments_total', 'retransmitted_segments_total',
           'connections_opened_total', 'connections_closed_total',
           'connections_closed_unreported_total', 'receive_window_limited_seconds_total',
           'congestion_sockets', 'congestion_algorithm_sockets', 'unsent_bytes',
           'unacked_segments', 'lost_segments', 'buffer_limit_bytes', 'min_rtt_seconds',
           'closed_rtt_seconds', 'acked_bytes_total', 'busy_seconds_total')
    return ['sockstat_listener_' + name for name in listeners] + ['sockstat_tcp_' + name
                                                                  for name in tcp]


class Refusable(truth.Case):
    """A daemon that can be refused netlink and allowed it again."""

    def setUp(self):
        super().setUp()
        directory = tempfile.mkdtemp(prefix='sockstatd-refuse-')
        self.addCleanup(shutil.rmtree, directory)
        self.refusal = os.path.join(directory, 'errno')

    def refuse(self, error):
        """From now on sock_diag answers with ERROR."""
        with open(self.refusal + '.new', 'w', encoding='ascii') as f:
            f.write(str(error))
        os.rename(self.refusal + '.new', self.refusal)

    def allow(self):
        """And from now on it serves."""
        os.unlink(self.refusal)

    def refusable(self, config=EXTENDED):
        """The daemon, with a say in its system calls."""
        return self.daemon(config, env={'LD_PRELOAD': os.environ['REFUSE'],
                                        'REFUSE_FILE': self.refusal,
                                        'ASAN_OPTIONS': 'verify_asan_link_order=0'})

    def wait_source(self, d, source, patience=daemon.PATIENCE_SECONDS):
        """Waits until TCP comes from there, in both lanes; that scrape."""
        def there(scrape):
            shown = scrape.by('sockstatd_source', 'family', 'source')
            return all(shown['tcp', name] == (name == source) for name in ('netlink', 'procfs'))
        d.wait_until(lambda: there(d.scrape()), f'the source {source}', patience)
        d.wait_polls('listeners')
        return d.wait_polls()


class Fallback(Refusable):
    """To /proc and back."""

    def assert_on_procfs(self, d):
        """All that /proc can tell is what ss says, and nothing else is there."""
        scrape = self.assert_states_agree(d)
        for name in needs_netlink():
            self.assertEqual(scrape.series(name), {}, name)
            self.assertEqual(scrape.series(name + '_count'), {}, name)
        return scrape

    def test_a_daemon_that_starts_refused(self):
        errors = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPERM)
        for error, family in zip(errors, namespace.FAMILIES):
            self.refuse(error)
            namespace.enter()
            self.keep(*states.make_all(family)[1])
            d = self.refusable()
            self.wait_source(d, 'procfs')
            scrape = self.assert_on_procfs(d)
            self.assertGreater(scrape.value('sockstatd_poll_failures_total', lane='listeners',
                                            reason='denied'), 0)
            said = re.findall(r'netlink does not serve.* family=(\w+)', d.log())
            self.assertEqual(said.count('tcp'), 1)
            self.assertEqual(sorted(said), sorted(set(said)), 'each family once')
            self.allow()
            d.reload(EXTENDED)
            scrape = self.wait_source(d, 'netlink')
            self.assertGreater(len(scrape.series('sockstat_listener_accept_queue_limit')), 0)
            self.assertIn('netlink serves again', d.log())
            self.assert_states_agree(d)
            d.stop()

    def test_a_daemon_that_is_refused_while_it_runs(self):
        port = namespace.IPV4.base
        d = self.refusable()
        listener, client, accepted = self.keep(*namespace.IPV4.pair(port))
        d.wait_polls()
        client.send(bytes(1000))
        accepted.recv(1000)
        before = d.wait_polls()
        self.refuse(errno.EPERM)
        self.wait_source(d, 'procfs')
        self.assert_on_procfs(d)
        client.send(bytes(500))
        accepted.recv(500)
        self.keep(namespace.IPV4.connect(port), listener.accept()[0])
        self.assert_on_procfs(d)
        self.allow()
        d.reload(EXTENDED)
        after = self.wait_source(d, 'netlink')
        for name, growth in (('sent_bytes_total', 500), ('connections_opened_total', 1),
                             ('connections_closed_total', 0)):
            was, now = (s.value('sockstat_tcp_' + name, side='client', port=str(port))
                        for s in (before, after))
            self.assertEqual(now - was, growth, name)
        self.assertEqual(after.value('sockstat_tcp_received_bytes_total', side='server',
                                     port=str(port)), 1500)
        d.stop()

    def test_no_counter_falls_and_no_scrape_has_a_gap(self):
        port = namespace.IPV4.base
        d = self.refusable()
        self.keep(*namespace.IPV4.pair(port))
        d.wait_polls()
        highest = {}
        for change in (lambda: self.refuse(errno.EPERM), self.allow) * 3:
            change()
            d.reload(EXTENDED)
            for _ in range(20):
                scrape = d.wait_polls('listeners', 1)
                self.assertEqual(scrape.value('sockstat_tcp_sockets', side='client',
                                              port=str(port), state='established'), 1)
                for name, family in scrape.families.items():
                    if family.type != 'counter':
                        continue
                    for sample, labels, value in family.samples:
                        key = sample, frozenset(labels.items())
                        self.assertGreaterEqual(value, highest.get(key, 0), (name, labels))
                        highest[key] = value
        d.stop()

    def test_addresses_stay_what_netlink_said(self):
        d = self.refusable()
        for port, address in enumerate(('0.0.0.0', '::1', '::'), 5001):
            self.keep(namespace.listen((address, port)),
                      namespace.listen((address, port + 10), v6only=True),
                      namespace.listen((address, port + 20), device='lo'))
        def listeners(scrape):
            return {key for key, n in scrape.by('sockstat_listener_sockets', 'address',
                                                'port').items() if n}
        known = listeners(d.wait_polls('listeners'))
        self.assertIn(('0.0.0.0%lo', '5021'), known)
        self.assertIn(('[::]', '5013'), known)
        self.assertIn(('*', '5003'), known)
        self.refuse(errno.EAFNOSUPPORT)
        d.reload(EXTENDED)
        self.assertEqual(listeners(self.wait_source(d, 'procfs')), known)
        self.keep(namespace.listen(('::', 5040), v6only=True))
        scrape = d.wait_polls('listeners')
        self.assertEqual(listeners(scrape) - known, {('*', '5040')})
        self.allow()
        d.reload(EXTENDED)
        self.assertEqual(listeners(self.wait_source(d, 'netlink')) - known, {('[::]', '5040')})
        d.stop()

    def test_who_asks_for_netlink_alone_gets_no_other(self):
        self.refuse(errno.EPERM)
        d = self.daemon(daemon.FAST + 'source: netlink\n', wait='healthy',
                        env={'LD_PRELOAD': os.environ['REFUSE'], 'REFUSE_FILE': self.refusal,
                             'ASAN_OPTIONS': 'verify_asan_link_order=0'})
        scrape = d.wait_metrics(lambda m: (m.value('sockstatd_poll_failures_total', lane='sockets',
                                                   reason='denied') or 0) > 2, 'failures')
        self.assertEqual(scrape.series('sockstat_tcp_sockets'), {})
        self.assertEqual(set(scrape.by('sockstatd_source', 'source').values()), {0})
        d.stop()


class Forced(truth.Case):
    """--source=procfs, and a tree in place of /proc."""

    def test_it_opens_no_netlink_socket(self):
        d = self.daemon(flags=('--source=procfs',))
        d.wait_polls()
        out = subprocess.run(('ss', '-Hf', 'netlink', '-p'), check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        self.assertNotIn(f'pid={d.process.pid},', out)
        d.stop()

    def test_lines_that_are_none_are_counted(self):
        root = tempfile.mkdtemp(prefix='sockstatd-tree-')
        self.addCleanup(shutil.rmtree, root)
        os.makedirs(root + '/self/net')
        good = '   0: 0100007F:1388 00000000:0000 0A 00000000:00000002 00:00000000 00000000 0 0 ' \
               '77 1 0 100 0 0 10 0\n'
        with open(root + '/self/net/tcp', 'w', encoding='ascii') as f:
            f.write('heading\n' + good + 'garbage\n' + good.replace('77', '78') + good[:60])
        d = self.daemon(flags=('--source=procfs', '--path.procfs=' + root))
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_listener_accept_queue_length',
                                      address='127.0.0.1', port='5000'), 4)
        ignored = scrape.by('sockstatd_poll_rows_ignored_total', 'lane', 'reason')
        self.assertGreaterEqual(ignored['sockets', 'malformed'], 4)
        d.stop()


if __name__ == '__main__':
    truth.main()
