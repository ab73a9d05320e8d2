#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--doctor: what this host can give, why not more, and what to do about it."""
import re
import shutil
import socket

import command
import namespace
import truth

FAMILIES = ('tcp', 'udp', 'mptcp', 'unix', 'raw', 'packet', 'netlink')
UNPRIVILEGED = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all',
                '--bounding-set=-all', '--no-new-privs')
EXTENDED = 'metrics: {profile: extended}\n'


class Doctor(command.Case):
    """Each line has a verdict, a topic and what was found."""

    def examine(self, *arguments, status=0, wrap=()):
        """{topic: (verdict, finding)}"""
        run = self.sockstatd('--doctor', *arguments, wrap=wrap)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        self.assertEqual(run.stderr, '')
        lines = [re.fullmatch(r'(ok|note|fail) +(\w+) +(\S.*)', line)
                 for line in run.stdout.splitlines()]
        self.assertTrue(all(lines), run.stdout)
        found = {line[2]: (line[1], line[3]) for line in lines}
        self.assertEqual(len(found), len(lines), 'a line for each topic')
        self.assertEqual('fail' in {verdict for verdict, _ in found.values()}, status != 0)
        return found

    def config(self, text):
        """A flag that names a file with it."""
        return '--config.file=' + self.file('doctor.yaml', text)

    def test_where_netlink_serves(self):
        self.keep(*namespace.IPV4.pair(5000))
        for _ in range(3):
            self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(('127.0.0.1', 0))
        found = self.examine(self.config(EXTENDED))
        for family, count in (('tcp', 3), ('udp', 3)):
            self.assertEqual(found[family], ('ok', f'netlink: {count} now'))
        for family in FAMILIES:
            self.assertIn(found[family][0], ('ok', 'note'), family)
            if found[family][0] == 'note':
                self.assertRegex(found[family][1], 'modprobe', family)
        self.assertRegex(found['tcp_info'][1], r'^\d+ bytes: ')
        self.assertEqual(found['congestion'][0], 'ok')
        self.assertRegex(found['destroy_events'][1], '^can be had')
        self.assertEqual(found['namespace'][0], 'note', 'this is one of its own')
        self.assertRegex(found['counters'][1], 'sockstat_tcp_overview_closed')
        self.assertNotRegex(found['counters'][1], 'sockstat_netstat_listen_drops_total')
        self.assertEqual(found['configuration'][0], 'ok')

    def test_attributes_are_seen_where_there_is_no_socket(self):
        found = self.examine()
        self.assertEqual(found['tcp'], ('ok', 'netlink: 0 now'))
        self.assertRegex(found['tcp_info'][1], r'^\d\d\d bytes: ')
        self.assertRegex(found['skmem'][1], r'^\d\d bytes: ')
        self.assertEqual(found['tcp'], self.examine()['tcp'], 'its own connection has gone')

    def test_netlink_that_is_refused(self):
        found = self.examine(wrap=namespace.WITHOUT_NETLINK)
        for family in ('tcp', 'udp', 'unix', 'raw', 'packet', 'netlink'):
            verdict, finding = found[family]
            self.assertEqual(verdict, 'note', family)
            self.assertRegex(finding, '^/proc: .* AF_NETLINK', family)
        self.assertRegex(found['tcp'][1], 'counters are absent')
        self.assertRegex(found['destroy_events'][1], 'not counted')
        self.assertNotIn('tcp_info', found)
        found = self.examine(self.config(EXTENDED), wrap=namespace.WITHOUT_NETLINK)
        self.assertRegex(found['mptcp'][1], '^cannot be read')

    def test_netlink_alone_that_is_refused(self):
        found = self.examine('--source=netlink', status=1, wrap=namespace.WITHOUT_NETLINK)
        self.assertEqual(found['tcp'][0], 'fail')
        self.assertRegex(found['tcp'][1], '^cannot be read')

    def test_neither_netlink_nor_proc(self):
        found = self.examine('--path.procfs=' + self.path(''), status=1,
                             wrap=namespace.WITHOUT_NETLINK)
        self.assertEqual(found['tcp'][0], 'fail')
        self.assertEqual(found['udp'][0], 'note')

    def test_procfs_as_configured(self):
        self.keep(*namespace.IPV4.pair(5000))
        for arguments in (('--source=procfs',), (self.config('source: procfs\n'),)):
            found = self.examine(*arguments)
            self.assertEqual(found['tcp'][0], 'ok')
            self.assertRegex(found['tcp'][1], '^/proc, as configured: 3 now')
        found = self.examine('--source=procfs', self.config(EXTENDED))
        self.assertEqual(found['mptcp'][0], 'note')

    def test_families_that_are_off(self):
        off = 'families: {' + ', '.join(f'{name}: false' for name in
                                        ('tcp', 'udp', 'unix', 'raw', 'mptcp')) + '}\n'
        found = self.examine(self.config(off), wrap=namespace.WITHOUT_NETLINK)
        for family in FAMILIES:
            self.assertEqual(found[family], ('ok', 'off, as configured under families'), family)
        self.assertRegex(found['destroy_events'][1], '^not needed')

    def test_without_privileges(self):
        if not shutil.which('setpriv'):
            self.skipTest('no setpriv')
        found = self.examine(wrap=UNPRIVILEGED)
        self.assertRegex(found['capabilities'][1], '^none is held')
        self.assertEqual(found['tcp'][0], 'ok')
        self.assertEqual(found['tcp_info'], self.examine()['tcp_info'])

    def test_limits_that_are_met(self):
        self.assertEqual(self.examine()['series'][0], 'ok')
        found = self.examine(self.config(EXTENDED + 'limits: {series: 1000}\n'))
        self.assertEqual(found['series'][0], 'note')
        found = self.examine(wrap=('prlimit', '--nofile=50'))
        self.assertEqual(found['files'][0], 'note')
        self.assertRegex(found['files'][1], '^50 may be open')

    def test_what_cannot_be_examined(self):
        run = self.sockstatd('--doctor', self.config('poll: {sockets: soon}\n'))
        self.assertEqual((run.returncode, run.stdout), (1, ''))
        self.assertRegex(run.stderr, 'doctor.yaml:1:')
        run = self.sockstatd('--doctor', wrap=('sh', '-c', 'exec "$0" "$@" >/dev/full'))
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, '^sockstatd: cannot write')


if __name__ == '__main__':
    truth.main()
