#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: what is printed where, and which status says what."""
import json
import os
import shutil
import subprocess
import unittest

import command
import daemon
import exposition
import namespace
import sstool
import states
import truth

PROMTOOL = os.environ.get('PROMTOOL', '')


class Print(command.Case):
    """What prints and ends."""

    def test_version(self):
        run = self.sockstatd('--version')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        first, *libraries = run.stdout.splitlines()
        self.assertRegex(first, r'^sockstatd, version \d+\.\d+\.\d+ \(revision: \S+\)$')
        for library in ('libmnl', 'libmicrohttpd', 'libyaml', 'libsystemd', 'protobuf-c', 'zlib'):
            self.assertTrue([line for line in libraries if library in line], library)

    def test_help(self):
        run = self.sockstatd('--help')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        for flag in ('--config.file', '--config.check', '--config.dump', '--web.listen-address',
                     '--web.telemetry-path', '--log.level', '--log.format', '--once',
                     '--output.textfile', '--list-metrics', '--doctor', '--version', '--help'):
            self.assertIn(flag, run.stdout)

    def test_the_list_holds_what_is_exported(self):
        run = self.sockstatd('--list-metrics')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        d = self.daemon(daemon.FAST + 'metrics: {profile: extended}\n')
        self.keep(*namespace.IPV4.pair(5000))
        exported = set(d.wait_polls().families)
        self.assertLessEqual(exported, set(run.stdout.split()))
        d.stop()

    def test_wrong_usage_is_status_2(self):
        for arguments in (('--no-such-flag',), ('extra',), ('--log.level=loud',),
                          ('--log.format=xml',), ('--config.file',), ('--once=1',),
                          ('--output.textfile=/tmp/x',)):
            with self.subTest(arguments):
                run = self.sockstatd(*arguments)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertEqual(run.stdout, '')
                self.assertTrue(run.stderr)

    def test_the_log_can_be_json(self):
        d = self.daemon(flags=('--log.format=json', '--log.level=debug'))
        d.wait_polls()
        d.stop()
        # destroy() has not run yet, so the file is there.
        lines = d.log().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertLessEqual({'ts', 'level', 'msg'}, set(json.loads(line)))


class CannotStart(command.Case):
    """Status 1, and one clear line."""

    def assert_refused(self, *arguments, names):
        run = self.sockstatd(*arguments)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(run.stdout, '')
        lines = [line for line in run.stderr.splitlines() if 'error' in line or 'warn' not in line]
        said = [line for line in lines if all(name in line for name in names)]
        self.assertEqual(len(said), 1, f'{names}\n{run.stderr}')

    def test_a_taken_port(self):
        self.keep(namespace.listen(('127.0.0.1', 17625)))
        self.assert_refused('--config.file=' + self.file('c.yaml', ''),
                            '--web.listen-address=127.0.0.1:17625',
                            names=('127.0.0.1:17625', 'in use'))

    def test_an_address_that_is_none(self):
        for address in ('127.0.0.1', 'localhost:1', '127.0.0.1:66000', '[::1:80', ':http'):
            with self.subTest(address):
                self.assert_refused('--config.file=' + self.file('c.yaml', ''),
                                    '--web.listen-address=' + address, names=(address,))

    def test_an_address_of_another_host(self):
        self.assert_refused('--config.file=' + self.file('c.yaml', ''),
                            '--web.listen-address=192.0.2.1:17625', names=('192.0.2.1:17625',))

    def test_a_file_that_cannot_be_read(self):
        path = self.path('missing.yaml')
        self.assert_refused('--config.file=' + path, names=(path, 'No such file'))
        self.assert_refused('--config.file=' + self.directory, names=(self.directory,))

    def test_a_file_with_a_fault(self):
        path = self.file('c.yaml', 'poll: {sockets: 0}\n')
        self.assert_refused('--config.file=' + path, names=(f'{path}:1:17', 'poll.sockets'))


class Once(command.Case):
    """--once, beside ss."""

    def setUp(self):
        super().setUp()
        self.config = '--config.file=' + self.file('c.yaml', '')

    def test_it_agrees_with_ss(self):
        for family in namespace.FAMILIES:
            self.keep(*states.make_all(family)[1])
        def attempt():
            before = sstool.identities(sstool.rows())
            run = self.sockstatd('--once', self.config)
            rows = sstool.rows()
            return (rows, run) if before == sstool.identities(rows) else None
        rows, run = daemon.eventually(attempt, 'the sockets to hold still')
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        scrape = daemon.Scrape(run.stdout)
        model = sstool.Model(rows)
        shown = scrape.by('sockstat_tcp_sockets', 'side', 'port', 'state')
        self.assertEqual({key: n for key, n in shown.items() if n},
                         dict(model.count(lambda row: (*model.group_of(row), row.state))))
        self.assertEqual(scrape.by('sockstat_listener_sk_drops_total', 'address', 'port'),
                         {(sstool.listener_label(row), str(row.local.port)): row.skmem['drops']
                          for row in model.listeners})
        for name, family in scrape.families.items():
            if name.startswith('sockstat_') and name != 'sockstat_listener_sk_drops_total':
                kind = 'counter' if name.startswith('sockstat_netstat_') else 'gauge'
                self.assertEqual(family.type, kind, 'a fresh process has no other')

    @unittest.skipUnless(PROMTOOL, 'promtool is not installed')
    def test_promtool_is_silent(self):
        self.keep(*namespace.IPV4.pair(5000))
        run = self.sockstatd('--once', self.config)
        check = subprocess.run((PROMTOOL, 'check', 'metrics'), input=run.stdout, text=True,
                               capture_output=True, check=False)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, '', ''))

    def test_the_text_file_is_renamed_into_place(self):
        self.keep(*namespace.IPV4.pair(5000))
        path = self.file('sockstatd.prom', 'old\n')
        inode = os.stat(path).st_ino
        with open(path, encoding='utf-8') as reader:
            run = self.sockstatd('--once', '--output.textfile=' + path, self.config)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, '', ''))
            self.assertEqual(reader.read(), 'old\n', 'a reader that had it open')
        self.assertNotEqual(os.stat(path).st_ino, inode)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        with open(path, encoding='utf-8') as f:
            self.assertIn('sockstat_tcp_sockets', exposition.parse(f.read()))
        self.assertEqual(sorted(os.listdir(self.directory)), ['c.yaml', 'sockstatd.prom'])

    def test_a_text_file_that_cannot_be_written(self):
        path = self.path('missing/sockstatd.prom')
        run = self.sockstatd('--once', '--output.textfile=' + path, self.config)
        self.assertEqual((run.returncode, run.stdout), (1, ''))
        self.assertIn(path, run.stderr)

    def test_an_output_that_is_full(self):
        run = subprocess.run((daemon.executable(), '--once', self.config), check=False,
                             stdout=os.open('/dev/full', os.O_WRONLY), stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, 1)

    @unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
    def test_a_poll_that_fails_touches_nothing(self):
        path = self.file('sockstatd.prom', 'old\n')
        inject = ('strace', '-f', '-e', 'trace=recvmsg', '-e', 'inject=recvmsg:error=ENOBUFS',
                  '-o', '/dev/null')
        for output in ((), ('--output.textfile=' + path,)):
            run = self.sockstatd('--once', self.config, *output, wrap=inject,
                                 env=daemon.NO_LEAK_CHECK)
            self.assertEqual((run.returncode, run.stdout), (1, ''), run.stderr)
            self.assertTrue(run.stderr.strip())
        with open(path, encoding='utf-8') as f:
            self.assertEqual(f.read(), 'old\n')
        self.assertEqual(sorted(os.listdir(self.directory)), ['c.yaml', 'sockstatd.prom'])

    def test_it_needs_no_port(self):
        self.keep(namespace.listen(('0.0.0.0', daemon.PORT)))
        self.assertEqual(self.sockstatd('--once', self.config).returncode, 0)


if __name__ == '__main__':
    truth.main()
