#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A host that opens connections to 50 000 different ports: the limits of ports and of series hold,
what is folded is counted, and the sums are the same whatever is folded."""
import os
import socket
import warnings

import daemon
import namespace
import truth

PORTS = [port for port in range(10000, 60001) if port != daemon.PORT]
EACH = 9000  # files of one process
# The timers of so many SYN are not to fire while the sums are compared.
CONFIG = ('poll: {listeners: 100ms, sockets: 500ms, cpu_limit: 1}\n'
          'limits: {ports: %d, series: %d}\n')


class Opener:
    """A process that opens a connection to each of some ports, which nobody answers, and holds them
    until it is told to end."""

    def __init__(self, ports):
        ready, self._end = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._end[1])
            warnings.simplefilter('ignore')  # at its end the sockets may close themselves
            os._exit(self._run(ports, ready[1]))
        os.close(ready[1])
        os.close(self._end[0])
        self._ready = ready[0]

    def _run(self, ports, ready):
        held = []
        for port in ports:
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(('127.0.0.1', port))
            held.append(s)
        os.write(ready, b'x')
        os.read(self._end[0], 1)
        return len(held) != len(ports)

    def wait(self):
        """Until all are open."""
        if os.read(self._ready, 1) != b'x':
            raise RuntimeError('not all could be opened')

    def end(self):
        """Closes all of them."""
        os.close(self._end[1])
        os.close(self._ready)
        os.waitpid(self.pid, 0)


class Ports(truth.Case):
    """What does not fit is folded, and nothing is lost."""

    def open_all(self):
        """Connections that are in SYN_SENT, one to each port."""
        namespace.drop(f'tcp dport != {daemon.PORT} tcp dport {PORTS[0]}-{PORTS[-1]} '
                       'tcp flags & (fin|syn|ack) == syn')
        openers = [Opener(PORTS[i:i + EACH]) for i in range(0, len(PORTS), EACH)]
        for opener in openers:
            self.addCleanup(opener.end)
            opener.wait()

    def assert_bounded(self, d, ports, series):
        """A scrape of polls under such limits."""
        d.reload(CONFIG % (ports, series))
        scrape = d.wait_polls()
        shown = scrape.by('sockstat_tcp_sockets', 'side', 'port', 'state')
        self.assertEqual(sum(n for key, n in shown.items() if key[2] == 'syn_sent'), len(PORTS))
        self.assertLessEqual(scrape.value('sockstatd_series'), series)
        labels = {key[1] for key in shown if key[0] == 'client'}
        own = len(labels - {'other', 'ephemeral'})
        self.assertLessEqual(own, ports)
        folded = scrape.by('sockstatd_folded_groups', 'reason')
        # The port of a scrape may be one more.
        self.assertIn(folded['ports'] + folded['series'] + own - len(PORTS), (0, 1), folded)
        return own

    def test_fifty_thousand_ports(self):
        namespace.sysctl('ipv4.ip_local_port_range', '1024 9999')
        namespace.sysctl('ipv4.tcp_syn_retries', 10)
        self.open_all()
        d = self.daemon(CONFIG % (64, 10000), flags=('--log.level=warn',))
        own = [self.assert_bounded(d, ports, series)
               for ports, series in ((64, 10000), (500, 100000), (500, 5000), (500, 1500))]
        self.assertGreaterEqual(own[0], 60)
        self.assertGreaterEqual(own[1], 490)
        self.assertLess(own[2], own[1])
        self.assertLess(own[3], own[2])
        d.stop()


if __name__ == '__main__':
    truth.main()
