#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the daemon: flat in the number of sockets where they are not followed, bounded for each
that is, and bounded in the number of ports."""
import re
import sys

import daemon
import sockets

FAST = 'poll: {sockets: 500ms, cpu_limit: 1}\ncounters: %s\n'
# (what, connections, ports, field of /proc/PID/status, bar in KiB)
BOUNDS = (
    ('20 ports', 1000, 20, 'RssAnon', 4096),
    ('the default limits of ports and listeners', 2000, 250, 'RssAnon', 16384),
)
GROWTH_BAR_KIB = 1024
# Of sockets: a few chunks, a full index, one that has just grown, and the benchmark's.
FILLS = (10_000, 98_000, 99_000, 200_000)
TRACKED_BAR_BYTES = 160


def measure(connections, ports, field, counters):
    """KiB of FIELD after three scrapes of three polls."""
    with sockets.Sockets(connections, ports), daemon.Daemon(FAST % counters) as d:
        for _ in range(3):
            d.wait_polls()
            d.scrape()
        with open(f'/proc/{d.process.pid}/status', encoding='ascii') as f:
            return int(re.search(rf'^{field}:\s*(\d+) kB', f.read(), re.M).group(1))


def main():
    failed = False
    sockets.enter_namespace()
    for source in ('netlink', 'procfs'):
        few, many = (measure(n, 10, 'VmRSS', f'off\nsource: {source}')
                     for n in (1_000, 100_000))
        print(f'{source}: RSS with 2 000 sockets {few} KiB, with 200 000 {many} KiB: '
              f'{many - few} KiB more (bar {GROWTH_BAR_KIB})')
        failed |= many - few > GROWTH_BAR_KIB
    for fill in FILLS:
        kib = measure(fill // 2, 10, 'VmRSS', 'exact') - measure(fill // 2, 10, 'VmRSS', 'off')
        print(f'{fill} followed sockets: {kib} KiB, {kib * 1024 / fill:.0f} bytes each '
              f'(bar {TRACKED_BAR_BYTES})')
        failed |= kib * 1024 / fill > TRACKED_BAR_BYTES
    for what, connections, ports, field, bar in BOUNDS:
        kib = measure(connections, ports, field, 'auto')
        print(f'{field} at {what}: {kib} KiB (bar {bar})')
        failed |= kib > bar
    if failed:
        sys.exit('too much')


if __name__ == '__main__':
    main()
