# SPDX-License-Identifier: Apache-2.0
"""Certificates that openssl makes, and the case of tests that run the daemon with a web
configuration."""
import base64
import ctypes
import http.client
import os
import signal
import ssl
import subprocess
import threading
import time

import command
import daemon

FLAG = '--web.config.file='
# What a client meets that is not let in.
REFUSALS = (ssl.SSLError, ConnectionError, http.client.HTTPException)
TLS = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n'


def openssl(directory, *arguments):
    """Runs it in DIRECTORY."""
    subprocess.run(('openssl', *arguments), cwd=directory, check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)


def hash_of(password, cost=8):
    """A bcrypt hash with a salt of its own."""
    library = ctypes.CDLL('libcrypt.so.1')
    library.crypt.restype = library.crypt_gensalt.restype = ctypes.c_char_p
    salt = library.crypt_gensalt(b'$2y$', cost, os.urandom(16), 16)
    return library.crypt(password.encode(), salt).decode()


def users(**hashes):
    """The section with these users."""
    return 'basic_auth_users:\n' + ''.join(f'  {name}: {text}\n' for name, text in hashes.items())


class Authority:
    """A CA, whose files lie in DIRECTORY beside those of what it issues."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.path = os.path.join(directory, name + '.crt')
        openssl(directory, 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                'ec_paramgen_curve:prime256v1', '-nodes', '-days', '10', '-subj', '/CN=' + name,
                '-keyout', name + '.key', '-out', name + '.crt')

    def issue(self, name, sans, usage='serverAuth', kind=('rsa:2048',)):
        """Makes NAME.crt and NAME.key, anew if they are there."""
        with open(os.path.join(self.directory, 'extensions'), 'w', encoding='ascii') as f:
            f.write(f'subjectAltName={sans}\nextendedKeyUsage={usage}\n')
        openssl(self.directory, 'req', '-newkey', *kind, '-nodes', '-subj', '/CN=' + name,
                '-keyout', name + '.key.new', '-out', name + '.csr')
        openssl(self.directory, 'x509', '-req', '-in', name + '.csr', '-CA', self.name + '.crt',
                '-CAkey', self.name + '.key', '-CAcreateserial', '-days', '10',
                '-extfile', 'extensions', '-out', name + '.crt.new')
        for end in ('.key', '.crt'):
            path = os.path.join(self.directory, name + end)
            os.rename(path + '.new', path)


def basic(user, password):
    """The header that says who asks."""
    token = base64.b64encode(f'{user}:{password}'.encode()).decode()
    return {'Authorization': 'Basic ' + token}


class Scraper:
    """Scrapes in a loop until the `with` block ends, each time on a new connection, or on one that
    is kept; what failed is in FAULTS, and how long each took in SECONDS."""

    def __init__(self, tls=None, headers=(), keep=False):
        self.count, self.faults, self.seconds = 0, [], []
        self._tls, self._headers, self._keep = tls, dict(headers), keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        connection = None
        while not self._stop.is_set():
            connection = connection or daemon.connect(tls=self._tls)
            start = time.monotonic()
            try:
                connection.request('GET', '/metrics', headers=self._headers)
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.faults.append(response.status)
            except (OSError, http.client.HTTPException) as e:
                self.faults.append(repr(e))
                connection.close()
                connection = None
            self.seconds.append(time.monotonic() - start)
            self.count += 1
            if connection and not self._keep:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def wait(self, d, more=3):
        """Waits for so many more scrapes."""
        target = self.count + more
        d.wait_until(lambda: self.count >= target, 'more scrapes')


class Case(command.Case):
    """Each test has a CA, and a certificate of the server by it."""

    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        self.authority = Authority(self.directory, 'ca')
        self.issue_server()

    def issue_server(self):
        """A new certificate in the place of the last."""
        self.authority.issue('server', 'DNS:localhost,IP:127.0.0.1')

    def client(self, cert=None, authority=None, versions=None):
        """An ssl.SSLContext: with a certificate by that name, that trusts AUTHORITY (our own),
        for the version, or the (lowest, highest)."""
        context = ssl.create_default_context(cafile=(authority or self.authority).path)
        if cert:
            context.load_cert_chain(self.path(cert + '.crt'), self.path(cert + '.key'))
        if versions:
            context.set_ciphers('DEFAULT@SECLEVEL=0')
            context.minimum_version, context.maximum_version = versions
        return context

    def web(self, text, **kwargs):
        """A daemon with this web configuration."""
        self.file('web.yaml', text)
        return self.daemon(flags=(FLAG + self.path('web.yaml'),), **kwargs)

    def reload_web(self, d, text):
        """SIGHUP with another web configuration; waits until the daemon has said how it went, and
        returns what it said."""
        if text is not None:
            self.file('web.yaml', text)
        before = len(d.log())
        d.process.send_signal(signal.SIGHUP)
        def said():
            log = d.log()[before:]
            return log if 'configuration reloaded' in log or 'reload failed' in log else None
        return d.wait_until(said, 'the end of the reload')

    def status(self, tls=None, path='/-/healthy', **kwargs):
        """The status of one answer; None: there is none, since the client was refused."""
        try:
            return daemon.fetch(path, tls=tls, **kwargs)[0]
        except REFUSALS:
            return None
