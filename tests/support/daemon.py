# SPDX-License-Identifier: Apache-2.0
"""The real sockstatd as a child: started, asked over HTTP, waited for by what it reports, stopped.

Nothing here waits for a time to pass: a wait ends with an event, and its limit only says when to
give up.
"""
import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import exposition

PORT = 17625  # the default; a namespace of its own has it free
PATIENCE_SECONDS = 20
# Fast enough that a test need not wait, and never stretched.
FAST = 'poll: {listeners: 10ms, sockets: 100ms, cpu_limit: 1}\n'
# A traced process cannot look for leaks.
NO_LEAK_CHECK = {'ASAN_OPTIONS': 'detect_leaks=0:abort_on_error=1'}


class DaemonError(Exception):
    """The daemon did not do what every test needs of it."""


def executable():
    """The path of the daemon under test."""
    return os.environ['SOCKSTATD']


def eventually(probe, what, patience=PATIENCE_SECONDS):
    """Calls PROBE until it returns something true, which is returned."""
    end = time.monotonic() + patience
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise DaemonError(f'waited in vain: {what}')
        time.sleep(0.003)


def connect(port=PORT, address='127.0.0.1', tls=None):
    """A connection for HTTP, with an ssl.SSLContext one for HTTPS."""
    if tls:
        return http.client.HTTPSConnection(address, port, timeout=PATIENCE_SECONDS, context=tls)
    return http.client.HTTPConnection(address, port, timeout=PATIENCE_SECONDS)


def fetch(path, port=PORT, address='127.0.0.1', method='GET', headers=(), tls=None):
    """(status, headers, bytes) of one request on a connection of its own."""
    connection = connect(port, address, tls)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in dict(headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def get(path, port=PORT, address='127.0.0.1', method='GET', headers=()):
    """(status, headers, body) of one request whose answer is text."""
    status, fields, body = fetch(path, port, address, method, headers)
    return status, fields, body.decode()


def is_refused(port, address='127.0.0.1'):
    """Whether nobody listens there."""
    try:
        get('/-/healthy', port, address)
        return False
    except ConnectionRefusedError:
        return True
    except (ConnectionError, http.client.HTTPException):
        return False  # it was let in, and out again, while the listener went


class Scrape:
    """One answer of /metrics, which passed the strict reader."""

    def __init__(self, text):
        self.text = text
        self.families = exposition.parse(text)

    def series(self, name):
        """{frozenset of label items: value} of a family, or of a histogram's _count, …"""
        base = re.sub('_(bucket|sum|count)$', '', name)
        family = self.families.get(name) or self.families.get(base)
        return {frozenset(labels.items()): value
                for sample, labels, value in (family.samples if family else ()) if sample == name}

    def value(self, name, **labels):
        """The value of one series, or None."""
        return self.series(name).get(frozenset(labels.items()))

    def by(self, name, *keys):
        """{(value of each label of KEYS): value}; with one key the bare label value."""
        found = {}
        for labels, value in self.series(name).items():
            labels = dict(labels)
            key = tuple(labels[k] for k in keys)
            found[key[0] if len(keys) == 1 else key] = value
        return found

    def buckets(self, name, **labels):
        """[(upper bound, cumulative count)] of one histogram."""
        wanted = labels.items()
        found = [(float(dict(key)['le']), value)
                 for key, value in self.series(name + '_bucket').items() if wanted <= set(key)]
        return sorted(found)


class Daemon:
    """A running daemon; leave the `with` block and it has stopped cleanly."""

    def __init__(self, config=FAST, flags=(), wrap=(), env=None, wait='ready', tls=None,
                 headers=()):
        self.tls, self.headers = tls, dict(headers)  # of whoever asks it here
        self.directory = tempfile.mkdtemp(prefix='sockstatd-test-')
        os.chmod(self.directory, 0o755)
        self.config_path = os.path.join(self.directory, 'sockstatd.yaml')
        self.stderr_path = os.path.join(self.directory, 'stderr')
        self.port = PORT
        self._connection = None
        self.write_config(config)
        # A wrapper dies with us, and the daemon with the wrapper.
        with_parent = ('setpriv', '--pdeathsig', 'KILL')
        command = (*with_parent, *wrap, *(with_parent if wrap else ()), self._program(bool(wrap)),
                   '--config.file=' + self.config_path, *flags)
        with open(self.stderr_path, 'wb') as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr,
                                            stdout=stderr, env={**os.environ, **(env or {})})
        if wait:
            self._wait_answer('/-/' + wait)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.destroy()

    def _program(self, copy):
        """The executable, or one that whoever the wrapper makes of us can reach."""
        if not copy:
            return executable()
        path = os.path.join(self.directory, os.path.basename(executable()))
        try:
            os.link(executable(), path)
        except OSError:
            shutil.copy(executable(), path)
        return path

    def destroy(self):
        """Ends it whatever state it is in, and removes its files."""
        self.disconnect()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def write_config(self, text):
        """Writes the configuration file, which the daemon reads at its next reload."""
        with open(self.config_path, 'w', encoding='utf-8') as f:
            f.write(text)

    def log(self):
        """What it has written to stderr."""
        with open(self.stderr_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def stop(self):
        """SIGTERM; it must end with 0, and no sanitizer may have spoken."""
        self.disconnect()
        self.process.send_signal(signal.SIGTERM)
        status = self.wait_exit()
        if status != 0:
            raise DaemonError(f'exit status {status}:\n{self.log()}')
        if re.search('Sanitizer|runtime error', self.log()):
            raise DaemonError(f'a sanitizer spoke:\n{self.log()}')

    def wait_exit(self):
        """Waits for its end; the exit status."""
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise DaemonError(f'it does not end:\n{self.log()}') from None

    def disconnect(self):
        """Lets go of the connection that scrapes share."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def wait_until(self, probe, what, patience=PATIENCE_SECONDS):
        """eventually(), as long as the daemon lives."""
        def alive_probe():
            if self.process.poll() is not None:
                raise DaemonError(f'it ended with {self.process.returncode}:\n{self.log()}')
            return probe()
        try:
            return eventually(alive_probe, what, patience)
        except DaemonError as e:
            raise DaemonError(f'{e}\n{self.log()}') from None

    def _wait_answer(self, path):
        def answers():
            try:
                return fetch(path, self.port, headers=self.headers, tls=self.tls)[0] == 200
            except OSError:
                return False
        try:
            self.wait_until(answers, f'{path} answers 200')
        except DaemonError:
            self.destroy()
            raise

    def fetch(self, path='/metrics'):
        """(status, body) over one connection that is kept, so that scrapes leave no sockets."""
        for attempt in (1, 2):
            if not self._connection:
                self._connection = connect(self.port, tls=self.tls)
            try:
                self._connection.request('GET', path, headers=self.headers)
                response = self._connection.getresponse()
                return response.status, response.read().decode()
            except (http.client.HTTPException, ConnectionError):
                self.disconnect()
                if attempt == 2:
                    raise
        return None

    def scrape(self):
        """The metrics now."""
        status, text = self.fetch()
        if status != 200:
            raise DaemonError(f'/metrics: {status}')
        return Scrape(text)

    def polls(self, lane):
        """How many polls of the lane ended well."""
        return self.scrape().value('sockstatd_polls_total', lane=lane)

    def wait_polls(self, lane='sockets', count=2):
        """Waits until COUNT more polls have ended: with two, one began after this call. Returns
        the scrape that shows them."""
        target = (self.polls(lane) or 0) + count
        def reached():
            scrape = self.scrape()
            return scrape if (scrape.value('sockstatd_polls_total', lane=lane) or 0) >= target \
                else None
        return self.wait_until(reached, f'{count} more polls of the lane {lane}')

    def wait_metrics(self, check, what):
        """Waits for a scrape on which CHECK is true; that scrape."""
        def probe():
            scrape = self.scrape()
            return scrape if check(scrape) else None
        return self.wait_until(probe, what)

    def reload(self, config):
        """SIGHUP with another configuration, and waits until it is in force."""
        name = 'sockstatd_config_last_reload_success_timestamp_seconds'
        before = self.scrape().value(name)
        self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_metrics(lambda m: m.value(name) > before, 'the reload to succeed')

    def reload_badly(self, config):
        """SIGHUP with a configuration that must be refused, and waits for the refusal."""
        self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_metrics(
            lambda m: m.value('sockstatd_config_last_reload_successful') == 0,
            'the reload to be refused')


class Fault:
    """Makes a system call of a running daemon fail, until the `with` block ends."""

    def __init__(self, daemon, call, error):
        self.daemon = daemon
        self.process = subprocess.Popen(
            ('setpriv', '--pdeathsig', 'TERM', 'strace', '-f', '-e', 'trace=' + call, '-e',
             f'inject={call}:error={error}', '-o', '/dev/null', '-p', str(daemon.process.pid)),
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stderr.readline()
        if 'attached' not in line:
            raise DaemonError(f'strace: {line}')
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
