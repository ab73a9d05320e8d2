#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server under bad clients, and how the daemon starts and stops."""
import os
import signal
import socket
import time

import daemon
import namespace
import truth

IPV4 = namespace.IPV4
BIG = daemon.FAST + 'metrics: {profile: extended}\n'
REQUEST = b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'


def read_response(s):
    """(status line, the announced length, the bytes of the body that came)."""
    received = b''
    while b'\r\n\r\n' not in received:
        part = s.recv(65536)
        if not part:
            return received, None, 0
        received += part
    head, body = received.split(b'\r\n\r\n', 1)
    length = next(int(line.split(b':')[1]) for line in head.split(b'\r\n')
                  if line.lower().startswith(b'content-length'))
    while len(body) < length:
        part = s.recv(65536)
        if not part:
            break
        body += part
    return head.split(b'\r\n')[0], length, len(body)


class SlowClients(truth.Case):
    """Clients that never end their request."""

    def crowd(self, d, count, sources):
        for n in range(count):
            client = namespace.connect(('127.0.0.1', d.port), source=(sources(n), 0))
            client.send(b'GET /metrics HTTP/1.1\r\nHo')
            self.keep(client)

    def assert_scraped_within_a_second(self, d):
        d.disconnect()
        for _ in range(3):
            start = time.monotonic()
            self.assertEqual(daemon.get('/metrics')[0], 200)
            self.assertLess(time.monotonic() - start, 1)

    def test_500_of_many_addresses(self):
        d = self.daemon()
        self.crowd(d, 500, lambda n: f'127.0.{1 + n % 100}.2')
        self.assert_scraped_within_a_second(d)
        self.assertLessEqual(d.scrape().value('sockstatd_http_connections'), 64)
        d.stop()

    def test_500_of_the_address_of_the_scraper(self):
        d = self.daemon()
        self.crowd(d, 500, lambda n: '127.0.0.1')
        self.assert_scraped_within_a_second(d)
        d.stop()

    def test_the_places_are_those_of_the_configuration(self):
        d = self.daemon(daemon.FAST + 'web: {max_connections: 4}\n')
        self.crowd(d, 20, lambda n: f'127.0.0.{2 + n}')
        self.assert_scraped_within_a_second(d)
        self.assertLessEqual(d.scrape().value('sockstatd_http_connections'), 4)
        d.stop()

    def test_500_that_say_nothing(self):
        d = self.daemon()
        for n in range(500):
            self.keep(namespace.connect(('127.0.0.1', d.port), source=(f'127.0.{n % 100}.2', 0)))
        self.assert_scraped_within_a_second(d)
        d.stop()

    def test_the_log_does_not_grow_with_them(self):
        d = self.daemon()
        before = len(d.log().splitlines())
        self.crowd(d, 300, lambda n: f'127.0.{1 + n % 100}.2')
        for _ in range(100):
            bad = namespace.connect(('127.0.0.1', d.port))
            bad.send(b'\0\0\0 nonsense\r\n\r\n')
            self.keep(bad)
        self.assert_scraped_within_a_second(d)
        self.assertLess(len(d.log().splitlines()) - before, 20, d.log())
        d.stop()

    def test_it_does_not_spin_without_descriptors(self):
        d = self.daemon(wrap=('prlimit', '--nofile=33'))
        clients = [self.keep(namespace.connect(('127.0.0.1', d.port))) for _ in range(60)]
        d.wait_until(lambda: len(os.listdir(f'/proc/{d.process.pid}/fd')) >= 31,
                     'the descriptors to be used up')
        before, lines = self.cpu_seconds(d), len(d.log().splitlines())
        start = time.monotonic()
        time.sleep(0.5)  # what it does while it can do nothing is the subject
        used = self.cpu_seconds(d) - before
        self.assertLess(used, 0.3 * (time.monotonic() - start))
        self.assertLess(len(d.log().splitlines()) - lines, 5)
        for client in clients:
            client.close()
        self.assert_scraped_within_a_second(d)
        d.stop()

    @staticmethod
    def cpu_seconds(d):
        """User and system time of the daemon so far."""
        with open(f'/proc/{d.process.pid}/stat', encoding='ascii') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class MaxRequests(truth.Case):
    """Scrapes that are read slowly are under way for as long."""

    def setUp(self):
        super().setUp()
        # A small window and a small buffer, so that an answer cannot leave in one piece.
        namespace.sysctl('ipv4.tcp_wmem', '4096 4096 4096')

    def big(self, web, flags=()):
        d = self.daemon(f'{BIG}web: {{{web}}}\n', flags=flags)
        self.keep(*(s for port in range(5000, 5060) for s in IPV4.pair(port)))
        d.wait_polls()
        d.disconnect()
        return d

    def read_slowly(self, d, count):
        """Clients that read no more than the beginning of what they get."""
        clients = []
        for _ in range(count):
            client = namespace.connect(('127.0.0.1', d.port),
                                       options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
            client.send(REQUEST)
            self.assertEqual(client.recv(12, socket.MSG_PEEK), b'HTTP/1.1 200')
            clients.append(client)
        self.addCleanup(lambda: [client.close() for client in clients])
        return clients

    def stop(self, d, clients):
        """Without waiting for them."""
        for client in clients:
            namespace.reset(client)
        d.stop()

    def assert_full(self, limit):
        for _ in range(3):
            status, _, body = daemon.get('/metrics')
            self.assertEqual((status, body), (
                503, f'Limit of concurrent requests reached ({limit}), try again later.\n'))
        for path in ('/', '/-/healthy', '/-/ready'):
            self.assertEqual(daemon.get(path)[0], 200, path)

    def test_one_more_is_refused_at_once(self):
        d = self.big('max_requests: 3')
        clients = self.read_slowly(d, 3)
        self.assert_full(3)
        status, length, read = read_response(clients[0])
        self.assertEqual((status, read), (b'HTTP/1.1 200 OK', length))
        namespace.reset(clients[1])
        scrape = d.wait_until(lambda: daemon.get('/metrics')[0] == 200 and d.scrape(),
                              'two places to be free')
        self.assertGreaterEqual(
            scrape.value('sockstatd_http_requests_total', path='/metrics', code='503'), 3)
        self.stop(d, clients[2:])

    def test_a_reload_changes_the_limit(self):
        d = self.big('max_requests: 0, enable_lifecycle: true')
        clients = self.read_slowly(d, 5)
        self.assertEqual(daemon.get('/metrics')[0], 200)
        for limit, full in ((5, True), (6, False), (2, True), (0, False)):
            d.write_config(f'{BIG}web: {{max_requests: {limit}, enable_lifecycle: true}}\n')
            self.assertEqual(daemon.get('/-/reload', method='POST')[0], 200)
            if full:
                self.assert_full(limit)
            else:
                self.assertEqual(daemon.get('/metrics')[0], 200, limit)
        self.stop(d, clients)

    def test_the_flag_wins(self):
        d = self.big('max_requests: 7', flags=('--web.max-requests=1',))
        clients = self.read_slowly(d, 1)
        self.assert_full(1)
        self.stop(d, clients)


class Stop(truth.Case):
    """SIGTERM and SIGINT."""

    def test_a_scrape_in_flight_is_finished(self):
        # A small window and a small buffer, so that the answer cannot leave in one piece.
        namespace.sysctl('ipv4.tcp_wmem', '4096 4096 4096')
        d = self.daemon(BIG)
        self.keep(*(s for port in range(5000, 5060) for s in IPV4.pair(port)))
        d.wait_polls()
        client = self.keep(namespace.connect(
            ('127.0.0.1', d.port), options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]))
        client.send(REQUEST)
        client.recv(1, socket.MSG_PEEK)
        d.disconnect()
        d.process.send_signal(signal.SIGTERM)
        daemon.eventually(lambda: daemon.is_refused(d.port), 'no new connections')
        self.assertIsNone(d.process.poll(), 'it waits for the answer to end')
        status, length, read = read_response(client)
        self.assertEqual(status, b'HTTP/1.1 200 OK')
        self.assertGreater(length, 100000)
        self.assertEqual(read, length)
        self.assertEqual(d.wait_exit(), 0)

    def test_a_client_that_does_not_read_cannot_hold_it(self):
        namespace.sysctl('ipv4.tcp_wmem', '4096 4096 4096')
        d = self.daemon(BIG)
        self.keep(*(s for port in range(5000, 5060) for s in IPV4.pair(port)))
        client = self.keep(namespace.connect(
            ('127.0.0.1', d.port), options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]))
        client.send(REQUEST)
        client.recv(1, socket.MSG_PEEK)
        d.stop()

    def test_idle_connections_do_not_delay_it(self):
        d = self.daemon()
        for _ in range(5):
            self.keep(namespace.connect(('127.0.0.1', d.port)))
        d.scrape()
        start = time.monotonic()
        d.process.send_signal(signal.SIGTERM)
        self.assertEqual(d.wait_exit(), 0)
        self.assertLess(time.monotonic() - start, 3)

    def test_an_interrupt_stops_it_as_well(self):
        d = self.daemon()
        d.process.send_signal(signal.SIGINT)
        self.assertEqual(d.wait_exit(), 0)

    def test_the_port_is_free_at_once(self):
        for _ in range(3):
            d = self.daemon()
            d.scrape()
            d.stop()


class Notify(truth.Case):
    """What the service manager hears."""

    def manager(self):
        """(the manager's socket, the environment that names it)."""
        name = '\0sockstatd-test-%d-%d' % (os.getpid(), id(self))
        s = self.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.settimeout(daemon.PATIENCE_SECONDS)
        s.bind(name)
        return s, {'NOTIFY_SOCKET': '@' + name[1:]}

    def wait(self, manager, what):
        """Everything that comes until a message says WHAT."""
        heard = []
        while not [message for message in heard if what in message.splitlines()]:
            heard.append(manager.recv(4096).decode())
        return heard

    def hear_reload(self, manager):
        heard = self.wait(manager, 'RELOADING=1')
        self.assertRegex(heard[-1], r'MONOTONIC_USEC=\d+')
        self.wait(manager, 'READY=1')

    def test_ready_means_polled_and_answering(self):
        manager, env = self.manager()
        d = self.daemon(env=env, wait=None)
        self.wait(manager, 'READY=1')
        self.assertEqual(daemon.get('/-/ready')[0], 200)
        scrape = d.scrape()
        for lane in ('listeners', 'sockets'):
            self.assertGreaterEqual(scrape.value('sockstatd_polls_total', lane=lane), 1)
        d.stop()
        self.wait(manager, 'STOPPING=1')

    def test_reload_is_announced_and_ended(self):
        manager, env = self.manager()
        d = self.daemon(env=env)
        self.wait(manager, 'READY=1')
        for config in (daemon.FAST, 'no: such key\n'):
            d.write_config(config)
            d.process.send_signal(signal.SIGHUP)
            self.hear_reload(manager)
        d.stop()

    def test_reload_by_a_client_is_announced_as_well(self):
        manager, env = self.manager()
        d = self.daemon(env=env, flags=('--web.enable-lifecycle',))
        self.wait(manager, 'READY=1')
        for config, status in ((daemon.FAST, 200), ('no: such key\n', 500)):
            d.write_config(config)
            self.assertEqual(daemon.get('/-/reload', method='POST')[0], status)
            self.hear_reload(manager)
        d.stop()


if __name__ == '__main__':
    truth.main()
