#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a scrape takes while 200 000 sockets are polled, one poll after the other."""
import socket
import sys
import time

import daemon
import sockets

SCRAPES = 5000
BAR_SECONDS = 0.010
# Polls are due ten times as often as they can be made.
BUSY = 'poll: {sockets: 100ms, cpu_limit: 1}\n'


def scrape(connection):
    """One scrape on a kept connection; its seconds."""
    start = time.monotonic()
    connection.sendall(b'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
    data = b''
    while b'\r\n\r\n' not in data:
        data += connection.recv(1 << 20)
    head, body = data.split(b'\r\n\r\n', 1)
    left = int(head.lower().split(b'content-length:')[1].split()[0]) - len(body)
    while left > 0:
        left -= len(connection.recv(1 << 20))
    return time.monotonic() - start


def main():
    sockets.enter_namespace()
    with sockets.Sockets(connections=100_000, ports=10), daemon.Daemon(BUSY) as d:
        before = d.scrape().value('sockstatd_polls_total', lane='sockets')
        with socket.create_connection(('127.0.0.1', d.port)) as connection:
            seconds = sorted(scrape(connection) for _ in range(SCRAPES))
        polls = d.scrape().value('sockstatd_polls_total', lane='sockets') - before
        p50, p99 = seconds[SCRAPES // 2], seconds[SCRAPES * 99 // 100]
        print(f'{SCRAPES} scrapes during {polls:.0f} polls: p50 {p50 * 1e3:.2f} ms, '
              f'p99 {p99 * 1e3:.2f} ms (bar {BAR_SECONDS * 1e3:.0f} ms), '
              f'slowest {seconds[-1] * 1e3:.2f} ms')
        if p99 > BAR_SECONDS:
            sys.exit('too slow')


if __name__ == '__main__':
    main()
