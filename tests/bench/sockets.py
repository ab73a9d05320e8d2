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
    """Established connections, both ends, on PORTS ports from FIRST_PORT on."""

    def __init__(self, connections, ports):
        self.process = subprocess.Popen(
            (os.environ['MAKE_SOCKETS'], str(connections), str(FIRST_PORT), str(ports)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'ready\n':
            raise RuntimeError('the sockets could not be made')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
