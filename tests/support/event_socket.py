# SPDX-License-Identifier: Apache-2.0
"""The multicast socket of a running daemon, by which it hears of destroyed sockets: found in /proc,
and its buffer made as large, or as small, as a test wants it."""
import collections
import ctypes
import os
import socket

SYS_PIDFD_GETFD = 438  # on every architecture
SO_RCVBUFFORCE = 33
NETLINK_SOCK_DIAG = 4
TCP_DESTROY_GROUPS = 1 << 0 | 1 << 2  # SKNLGRP_INET_TCP_DESTROY and …INET6…

Row = collections.namedtuple('Row', 'groups drops inode')

_libc = ctypes.CDLL(None, use_errno=True)


def rows(pid):
    """The sock_diag sockets of a process, by file descriptor."""
    with open(f'/proc/{pid}/net/netlink', encoding='ascii') as f:
        lines = [line.split() for line in f.readlines()[1:]]
    by_inode = {int(words[9]): Row(int(words[3], 16), int(words[8]), int(words[9]))
                for words in lines if int(words[1]) == NETLINK_SOCK_DIAG}
    found = {}
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            target = os.readlink(f'/proc/{pid}/fd/{fd}')
        except FileNotFoundError:
            continue  # it was closed meanwhile
        inode = int(target[8:-1]) if target.startswith('socket:[') else None
        if inode in by_inode:
            found[int(fd)] = by_inode[inode]
    return found


def multicast(pid):
    """Those of them that listen to a multicast group."""
    return {fd: row for fd, row in rows(pid).items() if row.groups}


def _duplicate(pid, fd):
    """The very socket behind a descriptor of another process."""
    pidfd = os.pidfd_open(pid)
    try:
        copy = _libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if copy < 0:
        error = ctypes.get_errno()
        raise OSError(error, f'pidfd_getfd: {os.strerror(error)}')
    return socket.socket(fileno=copy)


def set_buffer(daemon, size):
    """Makes the buffer of its only multicast socket SIZE, whatever rmem_max is; the kernel doubles
    that, and has a least one, in which there is room for one event or two."""
    (fd, row), = multicast(daemon.process.pid).items()
    if row.groups != TCP_DESTROY_GROUPS:
        raise ValueError(f'groups {row.groups:x}')
    with _duplicate(daemon.process.pid, fd) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)


def drops(daemon):
    """What the kernel has dropped because its multicast sockets had no room."""
    return sum(row.drops for row in multicast(daemon.process.pid).values())
