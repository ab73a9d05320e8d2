#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Destroy events: what is lost of 20 000 sockets that close, paced and at once, and what the events
cost those who close."""
import os
import statistics
import subprocess
import sys

import daemon
import sockets

CONNECTIONS = 10_000  # both ends of which are here
PACE = 10_000
CONFIG = 'poll: {sockets: 1s, cpu_limit: 1}\ncounters: %s\n'
LOOPS, LOOP_CONNECTIONS = 7, 20_000


def counted(scrape, name):
    """The sum of a counter over both sides of the ports of the sockets."""
    return sum(value for (_, port), value in scrape.by(name, 'side', 'port').items()
               if port == str(sockets.FIRST_PORT))


def dropped(d):
    """What the kernel says that the daemon's event socket lost."""
    with open(f'/proc/{d.process.pid}/net/netlink', encoding='ascii') as f:
        rows = [line.split() for line in f]
    return sum(int(row[8]) for row in rows[1:] if row[1] == '4' and row[3] == '00000005')


def close_all(rate):
    """(closed, lost, what the kernel dropped) of sockets that polls have seen."""
    sockets.enter_namespace()
    with daemon.Daemon(CONFIG % 'exact') as d:
        with sockets.Sockets(CONNECTIONS, ports=1, rate=rate) as s:
            d.wait_polls()
            s.close()
            scrape = d.wait_polls()
            return (counted(scrape, 'sockstat_tcp_connections_closed_total'),
                    scrape.value('sockstatd_destroy_events_lost_total'), dropped(d))


def loop(counters):
    """Nanoseconds of CPU, and of time, of a connection, beside a daemon on the other core."""
    sockets.enter_namespace()
    with daemon.Daemon(CONFIG % counters, wrap=('taskset', '-c', '0')):
        out = subprocess.run(('taskset', '-c', '1', os.environ['CONNECT_LOOP'],
                              str(LOOP_CONNECTIONS), str(sockets.FIRST_PORT)), check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        return [int(word) for word in out.split()]


def measure_price():
    """Prints what events cost a loop of connections; there is no bar."""
    figures = {'polled': [], 'exact': []}
    for _ in range(LOOPS):
        for counters, found in figures.items():
            found.append(loop(counters))
    for i, what in enumerate(('CPU', 'time')):
        polled, exact = (statistics.median(row[i] for row in figures[counters]) / 1e3
                         for counters in ('polled', 'exact'))
        print(f'a connection made and closed, {what}: polled {polled:.1f} µs, exact {exact:.1f} µs, '
              f'ratio {exact / polled:.2f}')


def main():
    failed = False
    for what, rate in ((f'{PACE} a second', PACE), ('at once', 0)):
        closed, lost, drops = close_all(rate)
        print(f'{2 * CONNECTIONS} sockets closed {what}: {closed:.0f} counted, {lost:.0f} events '
              f'lost, Drops {drops}', flush=True)
        failed |= closed != 2 * CONNECTIONS or lost != drops or (rate and lost > 0)
    measure_price()
    if failed:
        sys.exit('not all of it adds up')


if __name__ == '__main__':
    main()
