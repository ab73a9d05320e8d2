# SPDX-License-Identifier: Apache-2.0
"""Many sockets in a namespace of this process's own, for the benchmarks."""
import os
import subprocess
import sys

import namespace

FIRST_PORT = 1100


def enter_namespace():
    """Moves into a namespace with room for many sockets, or exits with 77 and a reason."""
    reason = namespace.missing()
    if reason:
        print(f'SKIPPED: {reason}')
        sys.exit(77)
    namespace.sysctl('ipv4.ip_local_port_range', '2048 65535')


class Sockets:
    """Established connections, both ends, on PORTS ports from FIRST_PORT on. RATE: how many sockets
    close in a second when they do; COOKIES: each is asked for as its socket is made."""

    def __init__(self, connections, ports, rate=0, cookies=False):
        option = 'cookies' if cookies else str(rate)
        self.process = subprocess.Popen(
            (os.environ['MAKE_SOCKETS'], str(connections), str(FIRST_PORT), str(ports), option),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'ready\n':
            raise RuntimeError('the sockets could not be made')

    def close(self):
        """Closes all of them; when this returns they are closed."""
        self.process.stdin.write('x')
        self.process.stdin.flush()
        if self.process.stdout.readline() != 'closed\n':
            raise RuntimeError('the sockets could not be closed')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
