#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""POST /-/reload: it does what SIGHUP does, and its answer comes when it has."""
import http.client
import os
import signal
import threading

import daemon
import namespace
import truth

ON = daemon.FAST + 'web: {enable_lifecycle: true}\n'
RELOAD = '/-/reload'


def series(limit):
    """Configuration that can be told by sockstatd_series_limit."""
    return f'{ON}limits: {{series: {limit}}}\n'


def request(method='POST', headers=(), source=None, path=RELOAD):
    """(status, headers, body) of a request, from an address of its own if SOURCE is one."""
    connection = http.client.HTTPConnection('127.0.0.1', daemon.PORT,
                                            timeout=daemon.PATIENCE_SECONDS,
                                            source_address=(source, 0) if source else None)
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def answer_to(client):
    """(status, body) of what comes next on a socket."""
    client.settimeout(daemon.PATIENCE_SECONDS)
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, response.read().decode()


class Post(threading.Thread):
    """A reload that is asked for, and its answer when it has come."""

    def __init__(self, source=None):
        super().__init__(daemon=True)
        self._source = source
        self._answer = None
        self.start()

    def run(self):
        try:
            self._answer = request(source=self._source)
        except (OSError, http.client.HTTPException) as e:
            self._answer = (repr(e), None, None)

    def answer(self):
        """(status, body)."""
        self.join(daemon.PATIENCE_SECONDS)
        return (self._answer[0], self._answer[2]) if self._answer else None


class HangingFile:
    """A configuration file whose end does not come until it is given one: a FIFO."""

    def __init__(self, d):
        self._daemon = d
        self._pipe = None
        self._aside = d.config_path + '.fifo'
        os.unlink(d.config_path)
        os.mkfifo(d.config_path)

    def wait_for_reader(self):
        """The daemon is in the middle of it from then on."""
        def opened():
            try:
                return os.open(self._daemon.config_path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return None
        self._pipe = self._daemon.wait_until(opened, 'the file to be opened')

    def end(self, text, following=None):
        """The file is TEXT, and the next one, which is at its place before that, FOLLOWING."""
        os.rename(self._daemon.config_path, self._aside)
        self._daemon.write_config(following or text)
        os.write(self._pipe, text.encode())
        os.close(self._pipe)


class Reload(truth.Case):
    """What the answer says, and what is in force then."""

    def assert_limit(self, d, limit):
        self.assertEqual(d.scrape().value('sockstatd_series_limit'), limit)

    def count(self, d, code):
        return d.scrape().value('sockstatd_http_requests_total', path=RELOAD, code=str(code))

    def test_it_is_off_by_default(self):
        d = self.daemon()
        d.write_config(series(2000))
        for method in ('POST', 'PUT'):
            status, _, body = request(method)
            self.assertEqual((status, body), (403, 'Lifecycle API is not enabled.\n'))
        self.assert_limit(d, 10000)
        self.assertEqual(self.count(d, 403), 2)
        d.stop()

    def test_the_new_value_is_in_force_when_the_answer_comes(self):
        d = self.daemon(ON)
        for n, method in enumerate(('POST', 'PUT') * 10):
            d.write_config(series(2000 + n))
            status, _, body = request(method)
            self.assertEqual((status, body), (200, 'The configuration was reloaded.\n'))
            self.assert_limit(d, 2000 + n)
        self.assertEqual(self.count(d, 200), 20)
        d.stop()

    def test_the_flag_turns_it_on_for_good(self):
        d = self.daemon(flags=('--web.enable-lifecycle',))
        for _ in range(2):
            d.write_config(daemon.FAST + 'web: {enable_lifecycle: false}\n')
            self.assertEqual(request()[0], 200)
        d.stop()

    def test_a_reload_turns_it_on_and_off(self):
        d = self.daemon()
        self.assertEqual(request()[0], 403)
        d.reload(ON)
        d.write_config(daemon.FAST)
        self.assertEqual(request()[0], 200, 'it was on when this was asked')
        self.assertEqual(request()[0], 403)
        d.stop()

    def test_a_bad_file_is_named_with_its_place(self):
        d = self.daemon(series(2000))
        d.write_config('poll:\n  sockets: never\nlimits: {series: x, ports: 0}\n')
        status, fields, body = request()
        self.assertEqual(status, 500)
        self.assertEqual(fields['Content-Type'], 'text/plain; charset=utf-8')
        self.assertTrue(body.startswith('failed to reload config: '), body)
        lines = body.removeprefix('failed to reload config: ').splitlines()
        self.assertEqual(len(lines), 3, body)
        for line, place in zip(lines, ('2:12: poll.sockets', '3:18: limits.series',
                                       '3:28: limits.ports')):
            self.assertTrue(line.startswith(f'{d.config_path}:{place}: '), line)
            self.assertIn(line.split(': ', 1)[1], d.log())
        scrape = d.scrape()
        self.assertEqual(scrape.value('sockstatd_config_last_reload_successful'), 0)
        self.assert_limit(d, 2000)
        self.assertEqual(self.count(d, 500), 1)
        d.write_config(series(3000))
        self.assertEqual(request()[0], 200)
        self.assertEqual(d.scrape().value('sockstatd_config_last_reload_successful'), 1)
        self.assert_limit(d, 3000)
        d.stop()

    def test_no_file_and_no_address(self):
        d = self.daemon(ON)
        self.keep(namespace.listen(('127.0.0.1', 18000)))
        d.write_config(daemon.FAST + 'web: {listen_addresses: ["127.0.0.1:18000"]}\n')
        status, _, body = request()
        self.assertEqual(status, 500)
        self.assertRegex(body, r'^failed to reload config: cannot listen on 127\.0\.0\.1:18000: '
                               r'Address already in use\n$')
        os.unlink(d.config_path)
        status, _, body = request()
        self.assertEqual(status, 500)
        self.assertRegex(body, 'No such file or directory\n$')
        d.stop()

    def test_what_it_is_asked_through_may_change(self):
        d = self.daemon(ON)
        d.write_config(daemon.FAST + 'web: {listen_addresses: ["127.0.0.1:18000"], '
                       'telemetry_path: /elsewhere}\n')
        d.disconnect()
        self.assertEqual(request()[0], 200)
        d.port = 18000
        self.assertTrue(daemon.is_refused(daemon.PORT))
        self.assertEqual(d.fetch('/elsewhere')[0], 200)
        self.assertEqual(d.fetch('/metrics')[0], 404)
        d.stop()


class Refusals(truth.Case):
    """Who may not ask."""

    def test_methods(self):
        d = self.daemon(ON)
        for method in ('GET', 'HEAD', 'DELETE', 'OPTIONS'):
            status, fields, _ = request(method)
            self.assertEqual((status, fields['Allow']), (405, 'POST, PUT'), method)
        for path in ('/metrics', '/', '/-/healthy', '/nowhere'):
            status, fields, _ = request(path=path)
            self.assertEqual((status, fields['Allow']), (405, 'GET, HEAD'), path)
        self.assertEqual(d.log().count('configuration reloaded'), 0)
        d.stop()

    def test_pages_of_other_origins(self):
        d = self.daemon(ON)
        here = f'127.0.0.1:{d.port}'
        for origin, status in ((f'http://{here}', 200), (f'https://{here}', 200),
                               ('http://127.0.0.1', 403), ('http://127.0.0.1:80', 403),
                               ('https://example.org', 403), (f'http://{here}.example.org', 403),
                               ('null', 403), ('', 403)):
            reloads = d.log().count('configuration reloaded')
            self.assertEqual(request(headers={'Origin': origin})[0], status, origin)
            self.assertEqual(d.log().count('configuration reloaded') - reloads, status == 200,
                             origin)
        # A name may be anybody's by the time that the page asks.
        self.assertEqual(request(headers={'Origin': 'http://a.example', 'Host': 'a.example'})[0],
                         403)
        d.stop()

    def test_who_asks_again_and_again_does_not_stop_the_polls(self):
        d = self.daemon(ON.replace('sockets: 100ms', 'sockets: 500ms'))
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                request()
        clients = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
        for client in clients:
            client.start()
        before = d.scrape()
        d.wait_until(lambda: d.log().count('configuration reloaded') >= 6, 'six reloads')
        after = d.scrape()
        stop.set()
        for client in clients:
            client.join()
        polls = [scrape.value('sockstatd_polls_total', lane='sockets') for scrape in (before, after)]
        self.assertGreaterEqual(polls[1] - polls[0], 4)
        d.stop()


class Waiting(truth.Case):
    """While a reload hangs."""

    def hang(self, config=ON):
        """(daemon, the file that it reads, who has asked for that)."""
        d = self.daemon(config)
        hanging = HangingFile(d)
        post = Post()
        hanging.wait_for_reader()
        return d, hanging, post

    def ask(self, d, count):
        """So many clients whose request the server has set aside."""
        clients = [namespace.connect(('127.0.0.1', d.port), source=(f'127.0.0.{2 + n}', 0))
                   for n in range(count)]
        self.keep(*clients)
        for client in clients:
            client.send(b'POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n')
        # What had come when a turn of the server began has been read when it ends.
        for _ in range(3):
            d.scrape()
        return clients

    def wait_connections(self, d, count):
        """Until there are so many besides the scraper's."""
        d.wait_metrics(lambda m: m.value('sockstatd_http_connections') == count + 1,
                       f'{count} connections')

    def test_everybody_else_is_answered(self):
        d, hanging, post = self.hang()
        for path in ('/metrics', '/-/healthy', '/-/ready', '/'):
            self.assertEqual(daemon.get(path)[0], 200, path)
        self.assertTrue(post.is_alive())
        hanging.end(series(2000))
        self.assertEqual(post.answer()[0], 200)
        self.assertEqual(d.scrape().value('sockstatd_series_limit'), 2000)
        d.stop()

    def test_one_reload_answers_all_who_came_before_it(self):
        d, hanging, first = self.hang()
        others = self.ask(d, 20)
        hanging.end('no: such key\n', following=series(3000))
        # What the first is told is about the file as it was; the others came too late for that.
        self.assertEqual(first.answer()[0], 500)
        for other in others:
            self.assertEqual(answer_to(other)[0], 200)
        self.assertEqual(d.scrape().value('sockstatd_series_limit'), 3000)
        self.assertEqual(d.log().count('configuration reloaded'), 1)
        self.assertEqual(d.log().count('reload failed'), 1)
        d.stop()

    def test_a_signal_serves_who_waits_as_well(self):
        d, hanging, first = self.hang()
        second, = self.ask(d, 1)
        d.process.send_signal(signal.SIGHUP)
        hanging.end(series(2000), following=series(3000))
        self.assertEqual((first.answer()[0], answer_to(second)[0]), (200, 200))
        d.wait_metrics(lambda m: m.value('sockstatd_series_limit') == 3000, 'the last file')
        d.stop()

    def test_clients_may_go(self):
        d, hanging, first = self.hang()
        clients = self.ask(d, 10)
        for client in clients[::2]:
            namespace.reset(client)
        for client in clients[1::2]:
            client.close()
        hanging.end(ON)
        self.assertEqual(first.answer()[0], 200)
        self.wait_connections(d, 0)
        d.stop()

    def test_a_stop_tells_who_waits(self):
        d = self.daemon(ON)
        hanging = HangingFile(d)
        d.process.send_signal(signal.SIGHUP)
        hanging.wait_for_reader()
        d.process.send_signal(signal.SIGTERM)
        clients = self.ask(d, 10)
        d.disconnect()
        hanging.end(ON)
        for client in clients:
            self.assertEqual(answer_to(client), (503, 'sockstatd is stopping.\n'))
        self.assert_ended_well(d)

    def test_a_stop_waits_for_the_reload(self):
        d, hanging, first = self.hang()
        d.process.send_signal(signal.SIGTERM)
        hanging.end(ON)
        self.assertEqual(first.answer()[0], 200)
        self.assert_ended_well(d)

    def assert_ended_well(self, d):
        self.assertEqual(d.wait_exit(), 0, d.log())
        self.assertNotIn('Sanitizer', d.log())


class AtOnce(truth.Case):
    """Many clients, signals and scrapes together."""

    @staticmethod
    def replace_config(d, text):
        """Also while it may be read: an empty file is a good one, and turns this off."""
        with open(d.config_path + '.new', 'w', encoding='utf-8') as f:
            f.write(text)
        os.rename(d.config_path + '.new', d.config_path)

    def test_20_at_once(self):
        d = self.daemon(ON)
        for n in range(5):
            self.replace_config(d, series(2000 + n))
            posts = [Post(f'127.0.0.{2 + i}') for i in range(20)]
            d.process.send_signal(signal.SIGHUP)
            for post in posts:
                self.assertEqual(post.answer()[0], 200)
            self.assertEqual(d.scrape().value('sockstatd_series_limit'), 2000 + n)
        scrape = d.scrape()
        self.assertEqual(scrape.value('sockstatd_http_requests_total', path=RELOAD, code='200'),
                         100)
        d.stop()

    def test_a_stop_among_them(self):
        for _ in range(5):
            d = self.daemon(ON)
            posts = [Post(f'127.0.0.{2 + i}') for i in range(20)]
            d.process.send_signal(signal.SIGTERM)
            self.assertEqual(d.wait_exit(), 0, d.log())
            for post in posts:
                status = post.answer()[0]
                self.assertTrue(status in (200, 503) or isinstance(status, str), status)
            self.assertNotIn('Sanitizer', d.log())


if __name__ == '__main__':
    truth.main()
