# SPDX-License-Identifier: Apache-2.0
"""A network namespace of its own for each test, and the sockets that a test makes in it.

The process itself moves: what it opens or starts from then on is in the new namespace. Nothing has
a name outside, so nothing is left behind however the process ends.
"""
import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import termios
import threading

CLONE_NEWNET = 0x40000000
CURRENT = '/proc/thread-self/ns/net'
TABLE = 'inet truth'
# Runs a command to which netlink is refused.
WITHOUT_NETLINK = (sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                'without_netlink.py'))

_libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Moves this process into a new network namespace with lo up."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'unshare: {os.strerror(error)}')
    run('ip', 'link', 'set', 'lo', 'up')


@contextlib.contextmanager
def elsewhere(place=None):
    """Moves into a new network namespace, or into that of a descriptor, for as long as the block
    lasts; gives the descriptor, which is the caller's."""
    before = os.open(CURRENT, os.O_RDONLY)
    try:
        if place is None:
            enter()
            place = os.open(CURRENT, os.O_RDONLY)
        else:
            _move(place)
        yield place
    finally:
        _move(before)
        os.close(before)


def _move(place):
    if _libc.setns(place, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'setns: {os.strerror(error)}')


def missing():
    """Why no test can run here, or None."""
    if os.geteuid() != 0:
        return 'a network namespace needs root'
    for tool in ('ip', 'nft', 'nstat', 'setpriv', 'ss'):
        if not shutil.which(tool):
            return f'{tool} is not installed'
    try:
        enter()
    except (OSError, subprocess.CalledProcessError) as e:
        return f'no network namespace: {e}'
    return None


def run(*command, **options):
    """Runs a command that must succeed; its standard output."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def sysctl(name, value):
    """Sets net.NAME of the namespace."""
    with open('/proc/sys/net/' + name.replace('.', '/'), 'w', encoding='ascii') as f:
        f.write(str(value))


def drop(match):
    """Drops the packets that match, on input: a drop on output returns EPERM to the stack."""
    rules = (f'table {TABLE} {{ chain input {{ type filter hook input priority 0; '
             f'{match} drop; }}; }}\n')
    subprocess.run(('nft', '-f', '-'), input=rules, check=True, text=True)


def undrop():
    """Drops nothing any more."""
    run('nft', 'delete', 'table', *TABLE.split())


class Family:
    """One of the ways to reach a listener: IPv4, IPv6, or IPv4 to a dual-stack IPv6 socket."""

    def __init__(self, name, listen, connect, base):
        self.name = name
        self.listen_address = listen
        self.connect_address = connect
        self.base = base  # its first port
        self.listen_family = socket.AF_INET6 if ':' in listen else socket.AF_INET
        self.connect_family = socket.AF_INET6 if ':' in connect else socket.AF_INET
        # As ss, and the label `address`, show the listener.
        self.label = {'::': '*', '::1': '[::1]'}.get(listen, listen)

    def listen(self, port, backlog=64, **options):
        """A listener at PORT of this family."""
        return listen((self.listen_address, port), backlog, **options)

    def connect(self, port, **options):
        """A connection to PORT of this family."""
        return connect((self.connect_address, port), **options)

    def pair(self, port, listener=None):
        """(listener, client, accepted), the listener made unless it is given."""
        listener = listener or self.listen(port)
        client = self.connect(port)
        accepted, _ = listener.accept()
        return listener, client, accepted


IPV4 = Family('ipv4', '127.0.0.1', '127.0.0.1', 5000)
IPV6 = Family('ipv6', '::1', '::1', 5100)
MAPPED = Family('mapped', '::', '127.0.0.1', 5200)
FAMILIES = (IPV4, IPV6, MAPPED)


def _family_of(address):
    return socket.AF_INET6 if ':' in address[0] else socket.AF_INET


def listen(address, backlog=64, reuse_port=False, options=(), device=None, v6only=False):
    """A listener; OPTIONS are arguments of setsockopt(). IPv6 is dual-stack unless V6ONLY."""
    s = socket.socket(_family_of(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
    if reuse_port:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    for option in options:
        s.setsockopt(*option)
    s.bind(address)
    s.listen(backlog)
    return s


def connect(address, wait=True, source=None, options=()):
    """A client socket; without WAIT it does not wait for the handshake."""
    s = socket.socket(_family_of(address), socket.SOCK_STREAM)
    for option in options:
        s.setsockopt(*option)
    if source:
        s.bind(source)
    s.setblocking(wait)
    s.connect_ex(address) if not wait else s.connect(address)
    return s


def reset(s):
    """Closes a socket with RST instead of FIN."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def unacked_bytes(s):
    """What the peer's kernel has not acknowledged yet (SIOCOUTQ), without waiting."""
    return struct.unpack('i', fcntl.ioctl(s, termios.TIOCOUTQ, bytes(4)))[0]


def half_open_probe(family, port, source_port):
    """Sends a SYN from a port that has no socket: the stack answers the SYN-ACK with RST, as a
    port scanner does."""
    address = family.connect_address
    header = struct.pack('!HHIIBBHHH', source_port, port, 1, 0, 5 << 4, 0x02, 1024, 0, 0)
    with socket.socket(family.connect_family, socket.SOCK_RAW, socket.IPPROTO_TCP) as s:
        if family.connect_family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 16)
        else:
            packed = socket.inet_aton(address)
            pseudo = packed + packed + struct.pack('!BBH', 0, socket.IPPROTO_TCP, len(header))
            header = header[:16] + struct.pack('!H', _checksum(pseudo + header)) + header[18:]
        s.sendto(header, (address, 0))


def _checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


class Churn:
    """A thread that opens and closes connections for as long as the `with` block lasts."""

    def __init__(self, family, port):
        self.connections = 0
        self._family = family
        self._listener = family.listen(port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)

    def _run(self, port):
        while not self._stop.is_set():
            _, client, accepted = self._family.pair(port, self._listener)
            reset(client)
            accepted.close()
            self.connections += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._listener.close()


def delay_nothing(s):
    """The sender does not wait to fill a segment."""
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def delay_ack(s):
    """The receiver acknowledges the next segment when its timer ends, 40 ms later. Holds for one
    segment or a few, so call it before each."""
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
