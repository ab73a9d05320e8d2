#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the daemon: flat in the number of sockets, bounded in the number of ports."""
import re
import sys

import daemon
import sockets

FAST = 'poll: {sockets: 500ms, cpu_limit: 1}\n'
# (what, connections, ports, field of /proc/PID/status, bar in KiB)
BOUNDS = (
    ('20 ports', 1000, 20, 'RssAnon', 4096),
    ('the default limits of ports and listeners', 2000, 250, 'RssAnon', 16384),
)
GROWTH_BAR_KIB = 1024


def measure(connections, ports, field):
    """KiB of FIELD after three scrapes of three polls."""
    with sockets.Sockets(connections, ports), daemon.Daemon(FAST) as d:
        for _ in range(3):
            d.wait_polls()
            d.scrape()
        with open(f'/proc/{d.process.pid}/status', encoding='ascii') as f:
            return int(re.search(rf'^{field}:\s*(\d+) kB', f.read(), re.M).group(1))


def main():
    failed = False
    sockets.enter_namespace()
    few, many = (measure(n, 10, 'VmRSS') for n in (1_000, 100_000))
    print(f'RSS with 2 000 sockets {few} KiB, with 200 000 {many} KiB: '
          f'{many - few} KiB more (bar {GROWTH_BAR_KIB})')
    failed |= many - few > GROWTH_BAR_KIB
    for what, connections, ports, field, bar in BOUNDS:
        kib = measure(connections, ports, field)
        print(f'{field} at {what}: {kib} KiB (bar {bar})')
        failed |= kib > bar
    if failed:
        sys.exit('too much')


if __name__ == '__main__':
    main()
