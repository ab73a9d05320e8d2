# SPDX-License-Identifier: Apache-2.0
"""A little of all that can happen to a socket, again and again, in the namespace of a test."""
import itertools
import socket
import threading

import namespace

TALK, BULK, CHURN, FULL, UNREAD, DATAGRAMS = range(5000, 5006)
TICK_SECONDS = 0.05
MPTCP = 262  # IPPROTO_MPTCP
UNIX_NAME = '\0dashboards'


class Load:
    """Made when the `with` block begins; a thread goes on with it until the block ends.

    TALK: connections that ask and answer. BULK: one that sends as fast as it can, then rests. CHURN:
    connections that live for a moment. FULL: a queue that nobody accepts from, whose clients try, give
    up and reset. UNREAD: a peer that does not read, and connections that only one end has closed.
    DATAGRAMS: more than their socket has room for.
    """

    def __init__(self, family=namespace.IPV4, talkers=4):
        self.family = family
        self._kept = []
        self._listeners = {}
        self._stop = threading.Event()
        self._talkers = [self._pair(TALK) for _ in range(talkers)]
        self._bulk, self._bulk_reader = self._pair(BULK)
        self._churn = self._listener(CHURN)
        self._full = self._listener(FULL, backlog=4)
        self._fill()
        self._unread()
        self._datagrams = self._keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._datagrams.bind((family.listen_address, DATAGRAMS))
        self.has_mptcp = self._mptcp()
        self._unix()
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._run, self._drain)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._bulk.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for s in self._kept:
            s.close()

    def _keep(self, s):
        self._kept.append(s)
        return s

    def _listener(self, port, **options):
        """The one at a port, made when it is first asked for."""
        if port not in self._listeners:
            self._listeners[port] = self._keep(self.family.listen(port, **options))
        return self._listeners[port]

    def _pair(self, port):
        """(client, accepted)"""
        _, client, accepted = self.family.pair(port, self._listener(port))
        for s in (client, accepted):
            namespace.delay_nothing(self._keep(s))
        return client, accepted

    def _fill(self):
        """Three who wait, one who has closed, one who has reset."""
        for _ in range(3):
            self._keep(self.family.connect(FULL))
        self.family.connect(FULL).close()
        namespace.reset(self.family.connect(FULL))

    def _unread(self):
        """One whose peer does not read, an orphan with such a peer, and one in CLOSE_WAIT."""
        for _ in range(2):
            client, _ = self._pair(UNREAD)
            client.setblocking(False)
            try:
                while True:
                    client.send(bytes(1 << 16))
            except BlockingIOError:
                pass
        client.close()
        _, accepted = self._pair(UNREAD)
        accepted.close()

    def _mptcp(self):
        """One connection, where the kernel has MPTCP."""
        try:
            namespace.sysctl('mptcp.enabled', 1)
            listener, client = (self._keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP))
                                for _ in range(2))
        except OSError:
            return False
        listener.bind((self.family.listen_address, 0))
        listener.listen()
        client.connect(listener.getsockname())
        self._keep(listener.accept()[0])
        return True

    def _unix(self):
        """A listener with somebody in its queue."""
        listener = self._keep(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(UNIX_NAME)
        listener.listen(5)
        client = self._keep(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        client.connect(listener.getsockname())

    def _run(self):
        for turn in itertools.count():
            for talker in self._talkers:
                self._talk(*talker)
            for order in (reversed, list):
                self._live(order, turn)
            namespace.reset(self.family.connect(FULL, wait=False))
            namespace.half_open_probe(self.family, TALK, 1024 + turn % 1000)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                for _ in range(10):
                    s.sendto(bytes(1000), self._datagrams.getsockname())
            try:
                self._bulk.sendall(bytes(1 << 20))
            except OSError:
                pass
            if self._stop.wait(TICK_SECONDS):
                return

    @staticmethod
    def _talk(client, server):
        client.sendall(bytes(1000))
        server.recv(4096)
        server.sendall(bytes(100))
        client.recv(4096)

    def _live(self, order, turn):
        """One connection that carries something and is closed, or sometimes reset."""
        _, client, accepted = self.family.pair(CHURN, self._churn)
        self._talk(client, accepted)
        if turn % 10 == 0:
            namespace.reset(client)
        for s in order([client, accepted]):
            s.close()

    def _drain(self):
        while self._bulk_reader.recv(1 << 20):
            pass
