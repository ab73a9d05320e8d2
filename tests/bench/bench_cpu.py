#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of a sockets poll beside that of a bare receive loop, or of cat, with 200 000 sockets."""
import os
import subprocess
import sys

import sockets

# (profile, counters, source, bar): over netlink beside a bare receive loop, over /proc beside cat.
RUNS = (
    ('core', 'off', 'netlink', 1.10),
    ('core', 'exact', 'netlink', 1.20),
    ('extended', 'exact', 'netlink', None),
    ('core', 'off', 'procfs', 1.60),
)


def measure(profile, counters, source):
    """(what was measured, the ratio)."""
    out = subprocess.run((os.environ['BENCH_POLL'], '9', profile, counters, source), check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return out.splitlines()[0], float(out.split()[-1])


def main():
    failed = False
    # Cookies in the order of the dump, as the first dump gives them; or in that in which the
    # sockets were made, as where somebody asked for them before: then the table is read at random.
    for order in ('dumped', 'made'):
        sockets.enter_namespace()
        with sockets.Sockets(connections=100_000, ports=10, cookies=order == 'made'):
            for profile, counters, source, bar in RUNS:
                what, ratio = measure(profile, counters, source)
                print(f'cookies as {order}, {profile}, counters {counters}: {what}: '
                      f'ratio {ratio:.3f}' + (f' (bar {bar:.2f})' if bar else ''), flush=True)
                failed |= bool(bar) and ratio > bar
    if failed:
        sys.exit('above the bar')


if __name__ == '__main__':
    main()
