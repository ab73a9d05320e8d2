#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration: what is wrong in it is said with its place, and a reload is all or nothing."""
import re
import signal
import socket

import command
import daemon
import namespace
import truth

IPV4 = namespace.IPV4
# Its faults, and for each the place and the key that must be named.
FAULTY = '''poll:
  listeners: 5 parsecs
  sokets: 5s
peak_window: 2m
peak_window: 3m
limits: {ports: -1}
histograms:
  rtt_seconds: [1, 0.5]
'''
FAULTS = (('2:14', 'poll.listeners'), ('3:3', 'poll.sokets'), ('5:1', 'peak_window'),
          ('6:17', 'limits.ports'), ('8:', 'histograms.rtt_seconds'))


class Check(command.Case):
    """--config.check."""

    def test_a_good_file_passes(self):
        path = self.file('c.yaml', daemon.FAST)
        self.assertEqual(self.sockstatd('--config.check', '--config.file=' + path).returncode, 0)

    def test_an_empty_file_is_all_defaults(self):
        path = self.file('c.yaml', '')
        self.assertEqual(self.sockstatd('--config.check', '--config.file=' + path).returncode, 0)

    def test_every_fault_is_named_with_its_place(self):
        path = self.file('c.yaml', FAULTY)
        run = self.sockstatd('--config.check', '--config.file=' + path)
        self.assertEqual(run.returncode, 1)
        lines = (run.stdout + run.stderr).splitlines()
        self.assertEqual(len(lines), len(FAULTS), lines)
        for line, (place, key) in zip(lines, FAULTS):
            self.assertTrue(line.startswith(f'{path}:{place}'), f'{line}: {place}')
            self.assertRegex(line, rf'^{re.escape(path)}:\d+:\d+: {re.escape(key)}(\[\d+\])?: .+')

    def test_what_yaml_allows_and_we_do_not(self):
        for name, text in (('alias', 'a: &x 1\nb: *x\n'), ('tag', 'poll: !!map {}\n'),
                           ('second document', 'poll: {}\n---\npoll: {}\n'),
                           ('depth', 'poll: ' + '[' * 1000 + '\n'), ('a list', '- 1\n'),
                           ('not UTF-8', 'peak_window: "\udcff"\n'),
                           ('too long', '# ' + 'x' * (1 << 20) + '\n')):
            with self.subTest(name):
                path = self.file('c.yaml', text)
                run = self.sockstatd('--config.check', '--config.file=' + path)
                self.assertEqual(run.returncode, 1)
                self.assertIn(path, run.stdout + run.stderr)

    def test_the_dump_is_the_configuration(self):
        path = self.file('c.yaml', daemon.FAST + 'ports: {server: [443]}\n')
        first = self.sockstatd('--config.dump', '--config.file=' + path)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn('443', first.stdout)
        second = self.sockstatd('--config.dump',
                                '--config.file=' + self.file('d.yaml', first.stdout))
        self.assertEqual(second.stdout, first.stdout)


class Reload(truth.Case):
    """SIGHUP."""

    def test_a_bad_file_keeps_the_running_configuration(self):
        d = self.daemon(daemon.FAST + 'metrics: {exclude: [sockstat_tcp_memory_bytes]}\n')
        lines = len(d.log().splitlines())
        scrape = d.reload_badly('poll: {sockets: never}\n')
        self.assertNotIn('sockstat_tcp_memory_bytes', scrape.families)
        said = [line for line in d.log().splitlines()[lines:] if 'poll.sockets' in line]
        self.assertEqual(len(said), 1, d.log())
        self.assertRegex(said[0], r':1:\d+')
        d.wait_polls()
        scrape = d.reload(daemon.FAST)
        self.assertEqual(scrape.value('sockstatd_config_last_reload_successful'), 1)
        d.wait_metrics(lambda m: 'sockstat_tcp_memory_bytes' in m.families, 'the new choice')
        d.stop()

    def test_a_file_that_has_gone_keeps_the_running_configuration(self):
        d = self.daemon()
        d.config_path += '.elsewhere'
        d.process.send_signal(signal.SIGHUP)
        d.config_path = d.config_path.removesuffix('.elsewhere')
        d.wait_metrics(lambda m: m.value('sockstatd_config_last_reload_successful') == 1,
                       'the unchanged file')
        namespace.run('mv', d.config_path, d.config_path + '.gone')
        d.process.send_signal(signal.SIGHUP)
        d.wait_metrics(lambda m: m.value('sockstatd_config_last_reload_successful') == 0,
                       'the refusal')
        d.wait_polls()
        d.stop()

    def test_counters_survive(self):
        d = self.daemon(daemon.FAST)
        self.keep(IPV4.listen(5000, backlog=1))
        d.wait_polls('listeners')
        for n in range(10):
            namespace.half_open_probe(IPV4, 5000, 20000 + n)
        _, client, accepted = self.keep(*IPV4.pair(5001))
        client.send(b'x')
        accepted.recv(1)
        before = d.wait_polls()
        after = d.reload(daemon.FAST.replace('100ms', '120ms'))
        for scrape in (after, d.wait_polls()):
            self.assertEqual(scrape.value('sockstat_listener_stray_drops_total',
                                          address='127.0.0.1', port='5000'), 10)
            for name in ('sockstat_tcp_rtt_seconds_count', 'sockstatd_polls_total'):
                for labels, value in before.series(name).items():
                    self.assertGreaterEqual(scrape.series(name).get(labels, -1), value, name)
        d.stop()

    def test_the_address_moves(self):
        d = self.daemon(daemon.FAST + 'web: {listen_addresses: [":17625"]}\n')
        before = d.polls('sockets')
        d.port = 18000
        d.write_config(daemon.FAST + 'web: {listen_addresses: ["127.0.0.1:18000"]}\n')
        d.process.send_signal(signal.SIGHUP)
        d.wait_until(lambda: not daemon.is_refused(18000), 'the new address to answer')
        d.wait_until(lambda: daemon.is_refused(17625), 'the old address to be let go')
        d.disconnect()
        self.assertGreaterEqual(d.polls('sockets'), before)
        d.stop()

    def test_an_address_that_stays_is_never_let_go(self):
        d = self.daemon(daemon.FAST + 'web: {listen_addresses: [":17625"]}\n')
        d.reload(daemon.FAST + 'web: {listen_addresses: [":17625", "127.0.0.1:18000"]}\n')
        self.assertFalse(daemon.is_refused(18000))
        self.assertFalse(daemon.is_refused(17625))
        d.stop()

    def test_a_taken_port_keeps_everything_as_it_was(self):
        taken = self.keep(namespace.listen(('127.0.0.1', 18000)))
        d = self.daemon()
        scrape = d.reload_badly(daemon.FAST + 'metrics: {profile: extended}\n'
                                'web: {listen_addresses: ["127.0.0.1:17626", "127.0.0.1:18000"]}\n')
        self.assertNotIn('sockstat_tcp_orphan_sockets', scrape.families)
        self.assertTrue(daemon.is_refused(17626))
        self.assertRegex(d.log(), r'127\.0\.0\.1:18000.*in use')
        self.assertNotIn('sockstat_tcp_orphan_sockets', d.wait_polls().families)
        taken.close()
        d.stop()

    def test_each_key_reloads(self):
        for text, check in (
                ('metrics: {profile: extended}',
                 lambda m: m.series('sockstat_tcp_orphan_sockets')),
                ('poll: {listeners: 20ms, sockets: 150ms, cpu_limit: 1}',
                 lambda m: m.value('sockstatd_poll_interval_seconds', lane='sockets') == 0.15
                 and m.value('sockstatd_poll_interval_seconds', lane='listeners') == 0.02),
                ('limits: {series: 1234}', lambda m: m.value('sockstatd_series_limit') == 1234),
                ('histograms: {rtt_seconds: [0.25]}', self.has_quarter_second),
                ('ports: {server: [40000]}',
                 lambda m: ('server', '40000') in m.by('sockstat_tcp_receive_queue_bytes', 'side',
                                                       'port')),
                ('web: {telemetry_path: /m}', None)):
            with self.subTest(text):
                namespace.enter()
                d = self.daemon()
                self.keep(*IPV4.pair(40000))
                d.wait_polls()
                config = text + '\n' if 'poll' in text else daemon.FAST + text + '\n'
                if check:
                    d.reload(config)
                    d.wait_metrics(check, text)
                else:
                    d.write_config(config)
                    d.process.send_signal(signal.SIGHUP)
                    d.wait_until(lambda: d.fetch('/m')[0] == 200, text)
                    self.assertEqual(d.fetch('/metrics')[0], 404)
                d.stop()

    @staticmethod
    def has_quarter_second(scrape):
        """Whether the buckets of the round-trip time are the configured ones."""
        found = {bound for bound, _ in scrape.buckets('sockstat_tcp_rtt_seconds')}
        return found == {0.25, float('inf')}

    def test_a_storm_of_signals_does_no_harm(self):
        d = self.daemon()
        for n in range(50):
            d.write_config(daemon.FAST + f'limits: {{ports: {n + 1}}}\n')
            d.process.send_signal(signal.SIGHUP)
        d.wait_polls()
        self.assertEqual(d.fetch('/-/ready')[0], 200)
        d.stop()


class Addresses(truth.Case):
    """Where it listens."""

    def test_ipv6_and_several_addresses(self):
        d = self.daemon(flags=('--web.listen-address=127.0.0.1:17625',
                               '--web.listen-address=[::1]:18000'))
        self.assertEqual(daemon.get('/-/ready', 18000, '::1')[0], 200)
        self.assertTrue(daemon.is_refused(17625, '127.0.0.2'))
        d.stop()

    def test_a_flag_goes_before_the_file(self):
        d = self.daemon(daemon.FAST + 'web: {listen_addresses: ["127.0.0.1:18000"]}\n',
                        flags=('--web.listen-address=127.0.0.1:17625',))
        self.assertTrue(daemon.is_refused(18000))
        d.reload(daemon.FAST + 'web: {listen_addresses: ["127.0.0.1:18001"]}\n')
        self.assertTrue(daemon.is_refused(18001))
        d.stop()

    def test_the_path_of_the_metrics_can_be_given(self):
        d = self.daemon(flags=('--web.telemetry-path=/elsewhere',))
        self.assertEqual(daemon.get('/elsewhere')[0], 200)
        self.assertEqual(daemon.get('/metrics')[0], 404)
        self.assertIn('href="/elsewhere"', daemon.get('/')[2])
        d.stop()

    def test_the_default_takes_both_families(self):
        d = self.daemon()
        for address in ('127.0.0.1', '::1'):
            self.assertEqual(daemon.get('/-/ready', address=address)[0], 200, address)
        self.assertEqual(socket.getaddrinfo('127.0.0.1', d.port)[0][4][1], d.port)
        d.stop()


if __name__ == '__main__':
    truth.main()
