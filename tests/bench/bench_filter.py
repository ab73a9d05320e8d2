#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of a sockets poll with a filter that leaves 1 % of 200 000 sockets beside one without."""
import os
import subprocess
import sys

import sockets

PORTS = 100
# (filter, source, bar): what the kernel can apply as it is, what it takes bytecode for; and /proc,
# which must be read all the same.
RUNS = (
    ('sport = :{port} or dport = :{port}', 'netlink', 0.20),
    ('sport = :{port}', 'netlink', 0.20),
    ('( sport = :{port} or dport = :{port} ) and not src [::1] and state established', 'netlink',
     0.20),
    ('sport = :{port} or dport = :{port}', 'procfs', None),
)


def main():
    failed = False
    sockets.enter_namespace()
    with sockets.Sockets(connections=100_000, ports=PORTS):
        for text, source, bar in RUNS:
            text = text.format(port=sockets.FIRST_PORT)
            out = subprocess.run((os.environ['BENCH_POLL'], '9', 'core', 'exact', source, text),
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
            what, ratio = out.splitlines()[0], float(out.split()[-1])
            print(f'{source}, {text}: {what}: ratio {ratio:.3f}'
                  + (f' (bar {bar:.2f})' if bar else ''), flush=True)
            failed |= bool(bar) and ratio > bar
    if failed:
        sys.exit('above the bar')


if __name__ == '__main__':
    main()
