#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service as systemd runs it, installed as `meson install` installs it."""
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import daemon
import machine
import namespace
import states
import web

SERVICE, SOCKET = 'sockstatd.service', 'sockstatd.socket'
DROP_INS = f'/etc/systemd/system/{SERVICE}.d'
EVERY_CAPABILITY = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')
OVERFLOW_BEGAN = 'ee40c656f1fe4f23ae36772894733ae3'
OVERFLOW_ENDED = 'bccc760c12524b9faa5dff24af60b2fd'
# Fast enough that a test need not wait.
CONFIG = daemon.FAST


class Case(unittest.TestCase):
    """One machine for all tests; each begins with a service that does not run, as installed."""

    machine = None
    maxDiff = None

    def setUp(self):
        self.m = Case.machine
        self.m.run('systemctl', 'stop', SOCKET, SERVICE)
        self.m.run('rm', '-rf', DROP_INS, self.setting('default/sockstatd'))
        self.m.write(self.setting('sockstatd/sockstatd.yaml'), CONFIG)
        self.m.run('systemctl', 'daemon-reload')
        self.m.run('systemctl', 'reset-failed')

    @staticmethod
    def setting(name):
        """The path of a file below sysconfdir."""
        return os.path.join(os.environ['SYSCONFDIR'], name)

    def drop_in(self, text):
        """Adds to the service, for one test."""
        self.m.write(f'{DROP_INS}/test.conf', text)
        self.m.run('systemctl', 'daemon-reload')

    def example(self, name):
        """The same, with one of the drop-ins that are installed."""
        with open(f'{self.m.root}{os.environ["EXAMPLES"]}/{name}', encoding='utf-8') as f:
            self.drop_in(f.read())

    def start(self):
        """Starts it; its process."""
        self.m.run('systemctl', 'start', SERVICE)
        return self.pid()

    def pid(self):
        """The number of its process in the machine; 0 if there is none."""
        return int(self.m.show(SERVICE, 'MainPID'))

    def scrape(self, address='127.0.0.1', port=daemon.PORT):
        """The metrics now."""
        status, _, text = daemon.get('/metrics', port, address)
        self.assertEqual(status, 200)
        return daemon.Scrape(text)

    def eventually(self, probe, what):
        """daemon.eventually(), with the log of what went wrong."""
        try:
            return daemon.eventually(probe, what)
        except daemon.DaemonError as e:
            raise daemon.DaemonError(f'{e}\n{self.m.log()}') from None

    def wait_status(self, text):
        """Waits until `systemctl status` says TEXT of it."""
        return self.eventually(lambda: text in self.m.show(SERVICE, 'StatusText'),
                               f'the status to say "{text}"')

    def wait_successor(self, pid):
        """Waits until another process than PID answers; its number."""
        def probe():
            try:
                return self.pid() not in (0, pid) and self.scrape() and self.pid()
            except OSError:
                return None
        return self.eventually(probe, 'a new process to answer')


class Running(Case):
    """From its start to its end."""

    def test_is_ready_when_it_has_polled_and_answers(self):
        self.start()
        scrape = self.scrape()
        self.assertEqual(self.m.show(SERVICE, 'StatusText'), 'Serving /metrics.')
        for lane in ('listeners', 'sockets'):
            self.assertGreaterEqual(scrape.value('sockstatd_polls_total', lane=lane), 1, lane)
        self.assertEqual(daemon.get('/-/ready')[0], 200)

    def test_is_confined(self):
        status = self.m.process_status(self.start())
        for name in EVERY_CAPABILITY:
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status['Seccomp'], '2')
        self.assertEqual(status['NoNewPrivs'], '1')
        self.assertNotIn('0', status['Uid'].split())
        self.assertNotIn('0', status['Gid'].split())

    def test_answers_from_afar(self):
        namespace.run('ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo')
        self.addCleanup(namespace.run, 'ip', 'address', 'del', '192.0.2.1/32', 'dev', 'lo')
        self.start()
        self.scrape('192.0.2.1')

    def test_sees_the_same_as_anybody(self):
        """Owners are not nobody, and no field is missing for want of a right."""
        self.start()
        with socket.create_server(('127.0.0.1', 8080)):
            name = 'sockstat_listener_accept_queue_limit'
            self.eventually(lambda: self.scrape().value(name, address='127.0.0.1', port='8080'),
                            'the listener to be shown')
        self.assertEqual(self.scrape().value('sockstatd_source', family='tcp', source='netlink'),
                         1)

    def test_reload(self):
        pid = self.start()
        self.m.write(self.setting('sockstatd/sockstatd.yaml'),
                     CONFIG + 'web: {telemetry_path: /other}\n')
        self.m.run('systemctl', 'reload', SERVICE)
        self.wait_status('Serving /other.')
        self.assertEqual(daemon.get('/other')[0], 200)

        self.m.write(self.setting('sockstatd/sockstatd.yaml'), 'poll: {listeners: never}\n')
        result = self.m.run('systemctl', 'reload', SERVICE, check=False)
        self.assertNotEqual(result.returncode, 0, 'whoever reloads is told')
        self.wait_status('Serving /other. The last reload failed')
        self.assertEqual(self.m.show(SERVICE, 'ActiveState'), 'active')
        wrong = [entry for entry in self.m.entries('-t', 'sockstatd', f'_PID={pid}', '-p', 'err')
                 if entry['MESSAGE'].startswith('configuration is wrong')]
        self.assertRegex(wrong[-1]['SOCKSTATD_ERROR'],
                         r'/sockstatd\.yaml:1:19: poll\.listeners: ')
        metrics = daemon.Scrape(daemon.get('/other')[2])
        self.assertEqual(metrics.value('sockstatd_config_last_reload_successful'), 0)

        self.m.write(self.setting('sockstatd/sockstatd.yaml'), CONFIG)
        self.m.run('systemctl', 'reload', SERVICE)
        self.wait_status('Serving /metrics.')
        self.assertEqual(self.pid(), pid)

    def test_tls_and_users_in_the_sandbox(self):
        with tempfile.TemporaryDirectory() as directory:
            authority = web.Authority(directory, 'ca')
            authority.issue('server', 'IP:127.0.0.1')
            tls = ssl.create_default_context(cafile=authority.path)
            for name in ('server.crt', 'server.key'):
                with open(os.path.join(directory, name), encoding='ascii') as f:
                    self.m.write(self.setting('sockstatd/' + name), f.read())
        path = self.setting('sockstatd/web.yaml')
        self.m.write(path, web.TLS + web.users(prom=web.hash_of('right')))
        self.m.write(self.setting('default/sockstatd'), f'ARGS="--web.config.file={path}"\n')
        self.m.run('chmod', '-R', 'a+rX', self.setting('sockstatd'))
        pid = self.start()
        for password, expected in (('right', 200), ('wrong', 401), ('right', 200)):
            status, _, _ = daemon.fetch('/metrics', tls=tls, headers=web.basic('prom', password))
            self.assertEqual(status, expected, password)
        self.m.write(path, web.TLS)
        self.m.run('systemctl', 'reload', SERVICE)
        self.assertEqual(daemon.fetch('/metrics', tls=tls)[0], 200)
        self.m.write(path, 'nonsense: 1\n')
        self.assertNotEqual(self.m.run('systemctl', 'reload', SERVICE, check=False).returncode, 0)
        self.assertEqual(daemon.fetch('/metrics', tls=tls)[0], 200)
        self.assertEqual(self.pid(), pid)

    def test_a_clean_stop_completes_a_scrape_in_flight(self):
        namespace.sysctl('ipv4/tcp_wmem', '4096 4096 4096')
        self.addCleanup(namespace.sysctl, 'ipv4/tcp_wmem', '4096 16384 4194304')
        self.m.write(self.setting('sockstatd/sockstatd.yaml'),
                     CONFIG + 'metrics: {profile: extended}\n')
        self.start()
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.settimeout(daemon.PATIENCE_SECONDS)
            s.connect(('127.0.0.1', daemon.PORT))
            s.sendall(b'GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n')
            answer = s.recv(1)
            stop = subprocess.Popen(self.m.command('systemctl', 'stop', SERVICE))
            self.eventually(lambda: self.m.show(SERVICE, 'ActiveState') == 'deactivating',
                            'it to be stopping')
            while part := s.recv(65536):
                answer += part
        self.assertEqual(stop.wait(daemon.PATIENCE_SECONDS), 0)
        head, body = answer.split(b'\r\n\r\n', 1)
        self.assertIn(b' 200 ', head.split(b'\r\n')[0])
        self.assertEqual(len(body), int(re.search(rb'(?i)content-length: (\d+)', head)[1]))
        self.assertGreater(len(body), 30000, 'more than the kernel holds for either')
        self.assertEqual(self.m.show(SERVICE, 'Result'), 'success')
        self.assertEqual(self.m.show(SERVICE, 'ExecMainStatus'), '0')

    def test_arguments_come_from_the_defaults_file(self):
        self.m.write(self.setting('default/sockstatd'),
                     'ARGS="--web.listen-address=:17999 --log.level=debug"\n')
        self.start()
        self.scrape(port=17999)

    def test_a_wrong_flag_is_not_tried_again(self):
        self.m.write(self.setting('default/sockstatd'), 'ARGS=--nonsense\n')
        self.assertNotEqual(self.m.run('systemctl', 'start', SERVICE, check=False).returncode, 0)
        self.assertEqual(self.m.show(SERVICE, 'ActiveState'), 'failed')
        self.assertEqual(self.m.show(SERVICE, 'NRestarts'), '0')
        self.assertIn("unknown flag '--nonsense'", self.m.log())


class Failing(Case):
    """What ends it, or keeps it from its work, without its doing."""

    def test_is_back_within_two_seconds_of_kill_9(self):
        pid = self.start()
        killed_us = time.monotonic_ns() // 1000
        self.m.run('systemctl', 'kill', '--signal=KILL', '--kill-who=main', SERVICE)
        self.wait_successor(pid)
        ready_us = int(self.m.show(SERVICE, 'ActiveEnterTimestampMonotonic'))
        self.assertGreater(ready_us, killed_us)
        self.assertLess(ready_us - killed_us, 2000000)
        self.assertEqual(self.m.show(SERVICE, 'NRestarts'), '1')

    def test_a_hang_is_ended_by_the_watchdog(self):
        self.drop_in('[Service]\nWatchdogSec=1s\n')
        pid = self.start()
        self.wait_running_for(3)
        self.assertEqual(self.pid(), pid, 'as long as it does not hang')
        self.m.run('systemctl', 'kill', '--signal=STOP', '--kill-who=main', SERVICE)
        self.wait_successor(pid)
        self.assertIn('Watchdog timeout', self.m.log())
        self.assertEqual(self.m.show(SERVICE, 'NRestarts'), '1')

    def wait_running_for(self, seconds):
        """Watches it for a while, of which the watchdog is the judge."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.scrape()

    def test_without_netlink_it_reads_proc(self):
        self.drop_in('[Service]\nRestrictAddressFamilies=\n'
                     'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n')
        self.start()
        scrape = self.scrape()
        self.assertEqual(scrape.value('sockstatd_source', family='tcp', source='procfs'), 1)
        self.assertEqual(scrape.value('sockstatd_source', family='tcp', source='netlink'), 0)
        self.assertEqual(scrape.value('sockstatd_poll_success', lane='sockets'), 1)
        self.wait_status('Sockets are read from /proc')
        said = [entry for entry in self.m.entries('-t', 'sockstatd', f'_PID={self.pid()}')
                if entry.get('SOCKSTATD_FAMILY') == 'tcp']
        self.assertEqual(len(said), 1, said)

    def test_is_ready_even_if_nothing_can_be_read(self):
        self.m.write(self.setting('default/sockstatd'), 'ARGS=--source=netlink\n')
        self.drop_in('[Service]\nRestrictAddressFamilies=\n'
                     'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n')
        self.start()
        self.wait_status('Polls of sockets fail (')
        self.assertEqual(self.scrape().value('sockstatd_poll_success', lane='sockets'), 0)
        self.assertEqual(daemon.get('/-/ready')[0], 503)


class Activation(Case):
    """sockstatd.socket."""

    def test_the_first_scrape_starts_it(self):
        self.m.run('systemctl', 'start', SOCKET)
        self.assertEqual(self.m.show(SERVICE, 'ActiveState'), 'inactive')
        self.scrape()
        # It answers while systemd still reads that it is ready.
        self.eventually(lambda: self.m.show(SERVICE, 'ActiveState') == 'active', 'it to be active')

    def test_a_scrape_waits_while_it_starts_anew(self):
        self.m.run('systemctl', 'start', SOCKET)
        self.scrape()
        pid = self.pid()
        self.m.run('systemctl', 'kill', '--signal=KILL', '--kill-who=main', SERVICE)
        self.scrape()
        self.assertNotEqual(self.pid(), pid)

    def test_a_reload_keeps_the_socket(self):
        self.m.run('systemctl', 'start', SOCKET)
        self.scrape()
        self.m.write(self.setting('sockstatd/sockstatd.yaml'),
                     CONFIG + 'web: {listen_addresses: [":17999"], telemetry_path: /other}\n')
        self.m.run('systemctl', 'reload', SERVICE)
        self.wait_status('Serving /other.')
        self.assertEqual(daemon.get('/other')[0], 200)
        self.assertTrue(daemon.is_refused(17999))

    def test_without_it_the_flag_keeps_it_from_starting(self):
        self.m.write(self.setting('default/sockstatd'), 'ARGS=--web.systemd-socket\n')
        self.assertNotEqual(self.m.run('systemctl', 'start', SERVICE, check=False).returncode, 0)
        self.assertIn('has passed no sockets', self.m.log())
        self.m.run('systemctl', 'stop', SERVICE)
        self.m.run('systemctl', 'start', SOCKET)
        self.scrape()


class Journal(Case):
    """What an operator reads the morning after."""

    def test_entries_have_fields(self):
        pid = self.start()
        entries = self.m.entries('-t', 'sockstatd', f'_PID={pid}')
        listening = [entry for entry in entries if entry['MESSAGE'].startswith('listening ')]
        self.assertEqual(len(listening), 1)
        self.assertEqual(listening[0]['MESSAGE'], 'listening address=:17625 path=/metrics')
        self.assertEqual(listening[0]['PRIORITY'], '6')
        self.assertEqual(listening[0]['SOCKSTATD_ADDRESS'], ':17625')
        self.assertEqual(listening[0]['_TRANSPORT'], 'journal')
        self.assertNotIn('CODE_FILE', listening[0])

    def test_a_chosen_format_goes_to_stderr(self):
        self.m.write(self.setting('default/sockstatd'), 'ARGS=--log.format=json\n')
        entries = self.m.entries('-t', 'sockstatd', f'_PID={self.start()}')
        self.assertTrue(any('"msg":"listening"' in entry['MESSAGE'] for entry in entries))

    def test_an_overflow_leaves_evidence(self):
        pid = self.start()
        listener, *clients = states.overflow(namespace.IPV4, 8080)
        mine = ('-t', 'sockstatd', f'_PID={pid}')
        def wait_entry(message_id):
            return self.eventually(lambda: self.m.entries(*mine, 'MESSAGE_ID=' + message_id),
                                   'the evidence')[0]
        began = wait_entry(OVERFLOW_BEGAN)
        for client in clients:
            client.close()
        listener.close()
        ended = wait_entry(OVERFLOW_ENDED)
        for name, value in (('ADDRESS', '127.0.0.1'), ('PORT', '8080'), ('QUEUE', '3'),
                            ('LIMIT', '2'), ('PEAK', '3'), ('LIMIT_IS_SOMAXCONN', 'no'),
                            ('CLOSED', '0')):
            self.assertEqual(began['SOCKSTATD_' + name], value, name)
        self.assertGreaterEqual(int(began['SOCKSTATD_DROPS']), 3)
        self.assertGreaterEqual(float(began['SOCKSTATD_OLDEST_SECONDS']), 0)
        self.assertEqual(began['SOCKSTATD_SINCE'], ended['SOCKSTATD_SINCE'])
        self.assertGreater(ended['SOCKSTATD_UNTIL'], ended['SOCKSTATD_SINCE'])
        self.m.run('journalctl', '--update-catalog')
        explained = self.m.run('journalctl', '-x', '-o', 'short', '--no-pager', *mine).stdout
        self.assertIn('The accept queue of 127.0.0.1:8080 is full, and drops', explained)
        self.assertIn('The accept queue of 127.0.0.1:8080 no longer drops', explained)


class Units(Case):
    """Whose the listeners of the machine are, as a service sees it that is confined."""

    def unit(self, name, text):
        """Starts a unit that is there for one test."""
        path = f'/etc/systemd/system/{name}'
        self.m.write(path, text)
        self.m.run('systemctl', 'daemon-reload')
        self.addCleanup(self.m.run, 'rm', path)
        self.addCleanup(self.m.run, 'systemctl', 'stop', name)
        self.m.run('systemctl', 'start', name)

    def listener(self, port):
        """Waits until a listener is shown; its labels."""
        def find():
            series = map(dict, self.scrape().series('sockstat_listener_info'))
            return next((labels for labels in series if labels['port'] == str(port)), None)
        return self.eventually(find, f'a listener at port {port}')

    def assert_named(self, port, *units, uid='0'):
        """Its labels are those of one of the UNITS, which `ss` shows the cgroup of in there."""
        labels = self.listener(port)
        said = self.m.run('ss', '-HltnO', '--cgroup', f'sport = :{port}').stdout
        cgroup = re.search(r'\bcgroup:(\S+)', said)[1]
        self.assertIn(os.path.basename(cgroup), units)
        self.assertEqual(labels, {**labels, 'unit': os.path.basename(cgroup), 'cgroup': cgroup,
                                  'container_id': '', 'uid': uid})

    def test_a_service_and_this_one(self):
        self.unit('shop.service', f'[Service]\nExecStart={sys.executable} -m http.server 8080\n')
        uid = self.m.process_status(self.start())['Uid'].split()[0]
        self.assert_named(8080, 'shop.service')
        self.assert_named(daemon.PORT, SERVICE, uid=uid)

    def test_a_service_that_is_started_later(self):
        self.start()
        self.unit('shop@1.service', f'[Service]\nExecStart={sys.executable} -m http.server 8080\n')
        self.assert_named(8080, 'shop@1.service')

    def test_a_socket(self):
        """It is made before there is a service: in a cgroup of its own where systemd can give it a
        firewall, else by process 1."""
        self.m.write('/etc/systemd/system/shop.service', '[Service]\nExecStart=/bin/true\n')
        self.unit('shop.socket', '[Socket]\nListenStream=127.0.0.1:8081\n')
        self.m.run('systemctl', 'start', SOCKET)
        self.assert_named(8081, 'shop.socket', 'init.scope')
        self.assert_named(daemon.PORT, SOCKET, 'init.scope')


class DropIns(Case):
    """The examples that come with the unit do what they say."""

    def test_low_port(self):
        self.m.write(self.setting('sockstatd/sockstatd.yaml'),
                     CONFIG + 'web: {listen_addresses: [":81"]}\n')
        self.assertNotEqual(self.m.run('systemctl', 'start', SERVICE, check=False).returncode, 0)
        self.m.run('systemctl', 'stop', SERVICE)
        self.example('low-port.conf')
        status = self.m.process_status(self.start())
        self.scrape(port=81)
        self.assertEqual(int(status['CapEff'], 16), 1 << 10, 'CAP_NET_BIND_SERVICE')

    def test_many_sockets(self):
        self.example('many-sockets.conf')
        self.start()
        self.assertEqual(self.m.show(SERVICE, 'MemoryMax'), str(1 << 30))

    def test_namespace(self):
        self.m.run('ip', 'netns', 'add', 'web')
        self.addCleanup(self.m.run, 'ip', 'netns', 'delete', 'web')
        self.m.run('ip', '-n', 'web', 'link', 'set', 'lo', 'up')
        self.example('namespace.conf')
        pid = self.start()
        self.assertTrue(daemon.is_refused(daemon.PORT))
        inside = self.m.run('ip', 'netns', 'identify', str(pid)).stdout.strip()
        self.assertEqual(inside, 'web')

    def test_static_user(self):
        examples = os.environ['EXAMPLES']
        self.m.run('install', '-D', '-t', '/etc/sysusers.d', f'{examples}/sysusers.d/sockstatd.conf')
        self.m.run('systemd-sysusers')
        self.example('static-user.conf')
        pid = self.start()
        uid = self.m.run('id', '-u', 'sockstatd').stdout.strip()
        self.assertEqual(self.m.process_status(pid)['Uid'].split()[0], uid)
        self.scrape()

    def test_local_only(self):
        self.example('local-only.conf')
        self.start()
        self.scrape()
        self.assertIn('127.0.0.0/8', self.m.show(SERVICE, 'IPAddressAllow'))


def main():
    """Boots the machine and runs the tests; exits with 77 if it cannot be booted here."""
    reason = machine.missing()
    if reason:
        print(f'SKIPPED: {reason}')
        sys.exit(77)
    machine.enter_namespaces()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    Case.machine = machine.Machine(machine.meson_install(os.environ['BUILD_ROOT']))
    try:
        program = unittest.main(exit=False, verbosity=2)
    finally:
        Case.machine.shut_down()
    sys.exit(0 if program.result.wasSuccessful() else 1)


if __name__ == '__main__':
    main()
