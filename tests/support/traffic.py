# SPDX-License-Identifier: Apache-2.0
"""Connections by the thousand, made and closed by a program as fast as the machine can."""
import os
import subprocess

import daemon

REQUEST_BYTES = 10000  # of the client, on each connection
RESPONSE_BYTES = 2000  # of the server
FAMILIES = {'ipv4': '4', 'ipv6': '6', 'mapped': 'mapped'}

# In which order the ends of a connection close, and who of them aborts: its values are zeroed.
ABORTER = {'client': None, 'server': None, 'half': None, 'reset': None,
           'client-aborts': 'client', 'server-aborts': 'server'}


class Traffic:
    """A program that stops after each of its steps until it is told to go on:

    listening, kept (if any are: they stand, and have carried their bytes), done (all have closed).
    """

    def __init__(self, connections, port, order, kept=0, rate=0, family='ipv4'):
        self.connections = connections
        self.port = str(port)
        self.order = order
        self.kept = kept
        self.process = subprocess.Popen(
            (os.environ['TRAFFIC'], '-f', FAMILIES[family], '-k', str(kept), '-r', str(rate),
             str(connections), self.port, order),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait('listening')

    def wait(self, step):
        """Waits until it has done a step."""
        line = self.process.stdout.readline()
        if line.split()[:1] != [step]:
            raise daemon.DaemonError(f'traffic on {self.port} said {line!r} and not {step}')

    def go(self, step=None):
        """Lets it go on; and waits for the end of the STEP."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        if step:
            self.wait(step)

    def end(self):
        """Lets it end, and its listener close."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
