#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Users and their passwords, by the web configuration."""
import collections
import http.client
import itertools
import os
import signal
import statistics
import tempfile
import threading
import time
import unittest

import daemon
import namespace
import prometheus
import truth
import web

PROMETHEUS = os.environ.get('PROMETHEUS', '')
RIGHT = web.basic('prom', 'right')


class Who(web.Case):
    """Who is let in."""

    def setUp(self):
        super().setUp()
        self.text = web.users(prom=web.hash_of('right', cost=4), other=web.hash_of('b:c', cost=5))

    def test_right_and_wrong(self):
        d = self.web(self.text, headers=RIGHT)
        self.assertIn('users=2', d.log())
        for headers, status in (
                (RIGHT, 200), (web.basic('other', 'b:c'), 200), ({}, 401),
                (web.basic('prom', 'wrong'), 401), (web.basic('prom', ''), 401),
                (web.basic('prom', 'b:c'), 401), (web.basic('nobody', 'right'), 401),
                (web.basic('', ''), 401), (web.basic('PROM', 'right'), 401),
                (web.basic('prom', 'right\0'), 401), (web.basic('prom', 'r' * 5000), 401),
                ({'Authorization': 'Bearer right'}, 401), ({'Authorization': 'Basic'}, 401),
                ({'Authorization': 'Basic ====='}, 401)):
            for attempt in ('looked at', 'remembered'):
                found, fields, body = daemon.fetch('/metrics', headers=headers)
                self.assertEqual(found, status, f'{headers} {attempt}')
                if status == 401:
                    self.assertEqual(fields['WWW-Authenticate'], 'Basic realm="sockstatd"')
                    self.assertEqual(body, b'Unauthorized\n')
        d.stop()

    def test_every_path(self):
        d = self.web(self.text, headers=RIGHT)
        for path in ('/', '/metrics', '/-/healthy', '/-/ready', '/nothing'):
            self.assertEqual(daemon.get(path)[0], 401, path)
            self.assertEqual(daemon.get(path, headers=RIGHT)[0],
                             404 if path == '/nothing' else 200, path)
        d.stop()

    def test_on_a_connection_that_is_kept(self):
        d = self.web(self.text, headers=RIGHT)
        connection = daemon.connect()
        for n in range(20):
            for headers, status in ((RIGHT, 200), (web.basic('prom', f'wrong {n}'), 401),
                                    ({}, 401), (RIGHT, 200)):
                connection.request('GET', '/-/healthy', headers=headers)
                response = connection.getresponse()
                response.read()
                self.assertEqual(response.status, status)
        connection.close()
        d.stop()

    def test_with_tls_and_client_certificates(self):
        self.authority.issue('member', 'DNS:member.example', 'clientAuth')
        context = self.client('member')
        d = self.web(web.TLS + '  client_ca_file: ca.crt\n'
                     '  client_auth_type: RequireAndVerifyClientCert\n' + self.text,
                     tls=context, headers=RIGHT)
        self.assertEqual(self.status(context, headers=RIGHT), 200)
        self.assertEqual(self.status(context), 401)
        self.assertEqual(self.status(self.client(), headers=RIGHT), None)
        d.stop()

    @unittest.skipUnless(PROMETHEUS, 'prometheus is not installed')
    def test_prometheus_scrapes(self):
        d = self.web(self.text, headers=RIGHT)
        config = f'''
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: right
    basic_auth: {{username: prom, password: right}}
    static_configs: [{{targets: ["127.0.0.1:{d.port}"]}}]
  - job_name: wrong
    basic_auth: {{username: prom, password: wrong}}
    static_configs: [{{targets: ["127.0.0.1:{d.port}"]}}]
'''
        with tempfile.TemporaryDirectory() as directory:
            with prometheus.Prometheus(directory, config) as p:
                p.wait_query('up{job="right"} == 1')
                p.wait_query('up{job="wrong"} == 0')
        d.stop()

    def test_the_dump_hides_them(self):
        path = self.file('web.yaml', self.text + 'http_server_config: {http2: false}\n')
        run = self.sockstatd('--config.dump', web.FLAG + path,
                             '--config.file=' + self.file('c.yaml', ''))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('# basic_auth_users."prom": <secret>\n', run.stdout)
        self.assertIn('# http_server_config.http2: false\n', run.stdout)
        self.assertNotIn('$2y$', run.stdout)
        again = self.sockstatd('--config.check', '--config.file=' + self.file('d.yaml', run.stdout))
        self.assertEqual(again.returncode, 0, again.stderr)


class Reload(web.Case):
    """SIGHUP with other users."""

    def test_no_scrape_fails(self):
        prom = web.hash_of('right')
        d = self.web(web.users(prom=prom), headers=RIGHT)
        with web.Scraper(headers=RIGHT) as new, web.Scraper(headers=RIGHT, keep=True) as kept:
            for n in range(5):
                # A new hash of the same password must be looked at anew.
                if n == 3:
                    prom = web.hash_of('right')
                text = web.users(prom=prom, **{f'user{n}': web.hash_of(f'word{n}', cost=4)})
                self.assertIn('configuration reloaded', self.reload_web(d, text))
                self.assertEqual(self.status(headers=web.basic(f'user{n}', f'word{n}')), 200)
                self.assertEqual(self.status(headers=web.basic(f'user{n - 1}', f'word{n - 1}')),
                                 401)
                for scraper in (new, kept):
                    scraper.wait(d)
        self.assertEqual((new.faults, kept.faults), ([], []))
        d.stop()

    def test_a_password_changes_at_once(self):
        d = self.web(web.users(prom=web.hash_of('right', cost=4)), headers=RIGHT)
        self.assertEqual(self.status(headers=RIGHT), 200)
        self.reload_web(d, web.users(prom=web.hash_of('new', cost=4)))
        self.assertEqual(self.status(headers=RIGHT), 401)
        self.assertEqual(self.status(headers=web.basic('prom', 'new')), 200)
        self.reload_web(d, '')
        self.assertEqual(self.status(), 200)
        d.stop()

    def test_a_bad_hash_keeps_the_users(self):
        d = self.web(web.users(prom=web.hash_of('right', cost=4)), headers=RIGHT)
        said = self.reload_web(d, web.users(prom='right'))
        self.assertRegex(said, r'web\.yaml:2:9: basic_auth_users\.prom: must be a bcrypt hash')
        self.assertNotIn('right', said)
        self.assertEqual(self.status(headers=RIGHT), 200)
        self.assertEqual(self.status(), 401)
        d.stop()


class Flood(threading.Thread):
    """Tries one wrong password after the other from ADDRESS until it is told to stop."""

    def __init__(self, port, address, name):
        super().__init__(daemon=True)
        self.statuses, self.stopping = [], False
        self._target, self._source, self._user = ('127.0.0.1', port), (address, 0), name

    def run(self):
        n = 0
        while not self.stopping:
            n += 1
            connection = http.client.HTTPConnection(*self._target, timeout=60,
                                                    source_address=self._source)
            try:
                connection.request('GET', '/metrics',
                                   headers=web.basic(self._user, f'{self.name} {n}'))
                self.statuses.append(connection.getresponse().status)
            except (OSError, http.client.HTTPException):
                self.statuses.append(None)
            finally:
                connection.close()


class Cost(web.Case):
    """What a wrong password costs, and whom."""

    def setUp(self):
        super().setUp()
        self.hash = web.hash_of('right')

    def seconds(self, headers, count):
        """How long each of so many requests takes, on a connection of its own."""
        found = []
        for n in range(count):
            start = time.monotonic()
            self.status(headers=headers(n))
            found.append(time.monotonic() - start)
        return found

    def flood(self, d, addresses):
        """Starts a flood from each address, which is under way when this returns."""
        threads = [Flood(d.port, address, 'prom' if i % 2 else 'nobody')
                   for i, address in enumerate(addresses)]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(setattr, thread, 'stopping', True)
        d.wait_until(lambda: sum(len(thread.statuses) for thread in threads) > 20,
                     'the flood to be under way')
        return threads

    def test_strangers_and_users_cost_the_same(self):
        d = self.web(web.users(prom=self.hash), headers=RIGHT)
        user = self.seconds(lambda n: web.basic('prom', f'wrong {n}'), 15)
        stranger = self.seconds(lambda n: web.basic('nobody', f'wrong {n}'), 15)
        ratio = statistics.median(user) / statistics.median(stranger)
        self.assertTrue(0.6 < ratio < 1.6, f'{ratio}: {user} {stranger}')
        d.stop()

    def test_a_flood_does_not_hold_up_who_is_right(self):
        d = self.web(web.users(prom=web.hash_of('right', cost=10)), headers=RIGHT)
        check = statistics.median(self.seconds(lambda n: web.basic('prom', f'wrong {n}'), 9))
        with web.Scraper(headers=RIGHT, keep=True) as unloaded:
            unloaded.wait(d, more=50)
        threads = self.flood(d, [f'127.0.0.{n}' for n in range(2, 10)])
        with web.Scraper(headers=RIGHT, keep=True) as loaded:
            loaded.wait(d, more=50)
        self.assertEqual(loaded.faults, [])
        # What stands still for a password takes a whole check each time, or several.
        print(f'median {statistics.median(unloaded.seconds) * 1000:.2f} ms without a flood, '
              f'{statistics.median(loaded.seconds) * 1000:.2f} ms with it, '
              f'a check {check * 1000:.2f} ms')
        self.assertLess(statistics.median(loaded.seconds) - statistics.median(unloaded.seconds),
                        check / 8)
        for thread in threads:
            thread.stopping = True
        for thread in threads:
            thread.join()
        statuses = {status for thread in threads for status in thread.statuses}
        self.assertTrue(statuses <= {401, 503}, statuses)
        d.stop()

    def test_who_comes_for_the_first_time_is_let_in_during_a_flood(self):
        d = self.web(web.users(prom=self.hash, late=web.hash_of('late')), headers=RIGHT)
        check = statistics.median(self.seconds(lambda n: web.basic('prom', f'wrong {n}'), 9))
        self.flood(d, [f'127.0.0.{n}' for n in range(2, 4)])
        start = time.monotonic()
        self.assertEqual(self.status(headers=web.basic('late', 'late')), 200)
        took = time.monotonic() - start
        # Each of the two has four places at most; and a loaded machine is twice as slow.
        self.assertLess(took, 2 * (1 + 2 * 4 + 1) * check)
        d.stop()

    def test_who_shares_a_wrong_password_shuts_nobody_out(self):
        d = self.web(web.users(prom=self.hash), headers=RIGHT)
        kept, stop = collections.deque(), threading.Event()

        def crowd():
            for n in itertools.count():
                if stop.is_set():
                    return
                try:
                    client = namespace.connect(('127.0.0.1', d.port),
                                               source=(f'127.0.1.{1 + n % 20}', 0))
                    token = web.basic('prom', f'wrong {n // 12}')['Authorization']
                    client.send(f'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n'.encode())
                    kept.append(client)
                except OSError:
                    pass
                if len(kept) > 300:
                    kept.popleft().close()
        thread = threading.Thread(target=crowd, daemon=True)
        thread.start()
        d.wait_until(lambda: len(kept) > 200, 'a crowd')
        statuses = [self.status(path='/metrics', headers=RIGHT) for _ in range(50)]
        stop.set()
        thread.join()
        self.keep(*kept)
        self.assertEqual(statuses, [200] * 50)
        d.stop()

    def test_what_waits_is_bounded(self):
        d = self.web(web.users(prom=self.hash), headers=RIGHT)
        threads = self.flood(d, [f'127.0.0.{n}' for n in range(2, 42)])
        d.wait_until(lambda: sum(len(t.statuses) for t in threads) > 300, 'many answers')
        for thread in threads:
            thread.stopping = True
        for thread in threads:
            thread.join()
        statuses = [status for thread in threads for status in thread.statuses]
        self.assertEqual(set(statuses), {401, 503})
        self.assertGreater(statuses.count(503), statuses.count(401))
        self.assertEqual(self.status(headers=RIGHT), 200)
        d.stop()

    def test_many_that_are_right_wait_for_one_check(self):
        d = self.web(web.users(prom=self.hash, b=web.hash_of('b')), headers=RIGHT)
        results = []
        def scrape():
            results.append(self.status(headers=web.basic('b', 'b')))
        threads = [threading.Thread(target=scrape) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [200] * 12)
        d.stop()

    def test_it_stops_amid_a_check_that_takes_long(self):
        d = self.web(web.users(prom=web.hash_of('right', cost=4), slow='$2y$18$' + 'a' * 53),
                     headers=RIGHT)
        asked = threading.Thread(target=lambda: self.status(headers=web.basic('slow', 'x')))
        asked.start()
        self.assertEqual(self.status(headers=RIGHT), 200, 'what is known is not held up')
        start = time.monotonic()
        d.process.send_signal(signal.SIGTERM)
        self.assertEqual(d.wait_exit(), 0)
        # The answer that is under way is waited for, 5 seconds, and the check, 13 or more, is not.
        self.assertLess(time.monotonic() - start, 10)
        asked.join()

    def test_it_stops_amid_a_flood(self):
        d = self.web(web.users(prom=self.hash), headers=RIGHT)
        self.flood(d, [f'127.0.0.{n}' for n in range(2, 10)])
        d.stop()


if __name__ == '__main__':
    truth.main()
