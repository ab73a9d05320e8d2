# SPDX-License-Identifier: Apache-2.0
"""Cgroups that a test makes, and processes that listen from within them."""
import os
import socket
import subprocess
import sys
import tempfile

import daemon

# Of version 2 alone, and where it is beside version 1.
ROOTS = ('/sys/fs/cgroup', '/sys/fs/cgroup/unified')
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'listen_in_cgroup.py')


def _root():
    """Where the hierarchy of version 2 is, or None."""
    return next((root for root in ROOTS if os.path.exists(root + '/cgroup.controllers')), None)


def missing():
    """Why none can be made here, or None."""
    root = _root()
    if not root:
        return 'there is no cgroup v2'
    return None if os.access(root, os.W_OK) else f'{root} is not writable'


def _write(directory, name, text):
    with open(os.path.join(directory, name), 'w', encoding='ascii') as f:
        f.write(text)


def _remove(directory):
    """Removes it as soon as the last who was in there is no more."""
    def removed():
        try:
            os.rmdir(directory)
            return True
        except OSError:
            return not os.path.exists(directory)
    daemon.eventually(removed, f'{directory!r} to be empty')


def _sweep(top):
    """Ends whoever is below, and removes all, innermost first."""
    _write(top, 'cgroup.kill', '1')
    for directory, _, _ in os.walk(top, topdown=False):
        _remove(directory)


class Listener:
    """A process in a cgroup that listens, and its socket, which is held here as well."""

    def __init__(self, directory, address, uid, backlog):
        self._channel, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                (sys.executable, PROGRAM, directory, str(uid), address[0], str(address[1]),
                 str(backlog)), stdin=theirs)
        fds = socket.recv_fds(self._channel, 1, 1)[1]
        if not fds:
            self.leave()
            raise daemon.DaemonError(f'nobody listens in {directory!r}')
        self.socket = socket.socket(fileno=fds[0])

    def move(self, directory):
        """Moves the process into another cgroup."""
        _write(directory, 'cgroup.procs', str(self.process.pid))

    def leave(self):
        """Ends the process; the socket stays."""
        self._channel.close()
        self.process.wait()

    def close(self):
        """Ends both."""
        self.leave()
        self.socket.close()


class Tree:
    """A cgroup by a name that no other test has, below which a test makes its own."""

    def __init__(self):
        self._root = _root()
        self._top = tempfile.mkdtemp(prefix='sockstatd-test-', dir=self._root)
        os.chmod(self._top, 0o755)  # as mkdir makes them
        self._sweeper, self._end = self._start_sweeper()

    def _start_sweeper(self):
        """A process that removes everything when this one closes the tree, or ends, however it
        does; and the descriptor that keeps it from that."""
        wait, end = os.pipe()
        pid = os.fork()
        if pid:
            os.close(wait)
            return pid, end
        os.setsid()  # a signal that ends the test is not for it
        os.close(end)
        try:
            os.read(wait, 1)
            _sweep(self._top)
            os._exit(0)
        finally:
            os._exit(1)

    def close(self):
        """Kills whoever is in there, and removes all."""
        os.close(self._end)
        status = os.waitpid(self._sweeper, 0)[1]
        if status:
            raise daemon.DaemonError(f'{self._top} is left')

    def directory(self, name):
        """The directory of the cgroup NAME of this tree, which is made if it is not there."""
        path = os.path.join(self._top, name)
        os.makedirs(path, exist_ok=True)
        return path

    def path(self, name):
        """What the kernel calls it."""
        return os.path.join(self._top, name)[len(self._root):]

    def listen(self, name, address, uid=0, backlog=64):
        """A process in the cgroup NAME that listens there, as UID. Others may with SO_REUSEPORT."""
        return Listener(self.directory(name), address, uid, backlog)

    def remove(self, name):
        """Removes the cgroup NAME, in which nobody is any more."""
        _remove(os.path.join(self._top, name))
