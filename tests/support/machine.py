# SPDX-License-Identifier: Apache-2.0
"""A real systemd: a container that boots a tree of files, over which it writes to memory.

The process that boots it moves into the machine's network namespace, so what it opens and asks from
then on is in there. It is process 1 of a namespace of its own, so that the machine dies with it,
however it dies.
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import daemon

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why none can be booted here, or None."""
    if os.geteuid() != 0:
        return 'a machine needs root'
    for tool in ('nsenter', 'systemd-nspawn', 'unshare'):
        if not shutil.which(tool):
            return f'{tool} is not installed'
    return None


def enter_namespaces():
    """Runs this script again where its mounts and processes are its own, and end with it."""
    if os.environ.get('MACHINE_NAMESPACES') != 'own':
        os.environ['MACHINE_NAMESPACES'] = 'own'
        os.execvp('unshare', ('unshare', '--mount', '--propagation', 'private', '--pid', '--fork',
                              '--kill-child', '--mount-proc', sys.executable, *sys.argv))


def _read(path):
    """The text of a file of /proc; "" if its process has ended meanwhile."""
    try:
        with open(path, encoding='utf-8') as f:
            return f.read()
    except OSError:
        return ''


def _fields(status):
    """What a /proc/PID/status says."""
    return dict(line.split(':\t', 1) for line in status.splitlines() if ':\t' in line)


def meson_install(build):
    """What installs, from a build directory, what `meson install` does."""
    def prepare(root):
        subprocess.run(('meson', 'install', '-C', build, '--no-rebuild', '--quiet'), check=True,
                       env={**os.environ, 'DESTDIR': root}, stdout=subprocess.DEVNULL)
    return prepare


class Machine:
    """Boots the files of LOWER, after PREPARE(root) has changed them. Of the host's own files no
    service but the most basic is started."""

    def __init__(self, prepare, lower='/'):
        self.directory = tempfile.mkdtemp(prefix='sockstatd-machine-')
        self._mount('tmpfs', 'tmpfs', self.directory, 'mode=755')
        for name in ('up', 'work', 'root'):
            os.mkdir(os.path.join(self.directory, name))
        self.root = os.path.join(self.directory, 'root')
        self._mount('overlay', 'overlay', self.root, f'lowerdir={lower},'
                                                     f'upperdir={self.directory}/up,'
                                                     f'workdir={self.directory}/work')
        prepare(self.root)
        target = ('systemd.unit=basic.target',) if lower == '/' else ()
        self._leader = None
        self._console = open(os.path.join(self.directory, 'console'), 'w+b')
        self._nspawn = subprocess.Popen(
            ('systemd-nspawn', '--quiet', '--boot', '--register=no', '--keep-unit',
             '--console=read-only', '--private-network', '-D', self.root, *target),
            stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console,
            env={**os.environ, 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
        try:
            self._leader = self._wait(self._find_leader, 'systemd to be process 1')
            self._wait(self._is_up, 'the machine to be up')
            self._enter_network()
        except BaseException:
            self.shut_down()
            raise

    @staticmethod
    def _mount(kind, what, where, options):
        subprocess.run(('mount', '-t', kind, '-o', options, what, where), check=True)

    def _wait(self, probe, what):
        def alive_probe():
            if self._nspawn.poll() is not None:
                raise daemon.DaemonError(f'the machine ended:\n{self.console()}')
            return probe()
        try:
            return daemon.eventually(alive_probe, what)
        except daemon.DaemonError as e:
            raise daemon.DaemonError(f'{e}\n{self.console()}') from None

    def console(self):
        """What it has written to its console."""
        with open(self._console.name, encoding='utf-8', errors='replace') as f:
            return f.read()

    def _find_leader(self):
        """The child of nspawn that is process 1 in there, once it is systemd; or None."""
        for child in _read(f'/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children').split():
            fields = _fields(_read(f'/proc/{child}/status'))
            if fields.get('Name') == 'systemd' and fields['NSpid'].split()[1:] == ['1']:
                return int(child)
        return None

    def _is_up(self):
        state = self.run('systemctl', 'is-system-running', check=False).stdout.strip()
        return state in ('running', 'degraded')

    def _enter_network(self):
        fd = os.open(f'/proc/{self._leader}/ns/net', os.O_RDONLY | os.O_CLOEXEC)
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), 'setns')
        os.close(fd)

    def command(self, *command):
        """COMMAND as it is to be run here to run in there."""
        return ('nsenter', '-t', str(self._leader), '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w',
                '--', *command)

    def run(self, *command, check=True, **options):
        """Runs it in there to its end."""
        result = subprocess.run(self.command(*command), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, check=False,
                                timeout=3 * daemon.PATIENCE_SECONDS, **options)
        if check and result.returncode:
            raise daemon.DaemonError(f'{command}: {result.returncode}\n{result.stdout}'
                                     f'{result.stderr}\n{self.log()}')
        return result

    def write(self, path, text):
        """Writes a file in there."""
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)

    def show(self, unit, name):
        """A property of a unit."""
        return self.run('systemctl', 'show', '--value', '-p', name, unit).stdout.strip()

    def log(self):
        """The end of the daemon's entries, for whoever looks what went wrong."""
        return self.run('journalctl', '-u', 'sockstatd', '-n', '40', '--no-pager',
                        check=False).stdout

    def entries(self, *match):
        """The entries of the journal that match, oldest first."""
        output = self.run('journalctl', '-o', 'json', '--no-pager', *match).stdout
        return [json.loads(line) for line in output.splitlines()]

    def process_status(self, pid):
        """The fields of /proc/PID/status, for a process of its own numbers."""
        return _fields(self.run('cat', f'/proc/{pid}/status').stdout)

    def shut_down(self):
        """Ends it: with its process 1 all others go, and nspawn, which waits for that."""
        os.kill(self._leader or self._nspawn.pid, signal.SIGKILL)
        self._nspawn.wait(daemon.PATIENCE_SECONDS)
        self._console.close()
        for place in (self.root, self.directory):
            subprocess.run(('umount', '--lazy', place), check=True)
        os.rmdir(self.directory)
