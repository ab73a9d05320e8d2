#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of a sockets poll beside that of a bare receive loop, with 200 000 sockets."""
import os
import subprocess
import sys

import sockets

BAR = 1.10


def main():
    sockets.enter_namespace()
    with sockets.Sockets(connections=100_000, ports=10):
        for profile, bar in (('core', BAR), ('extended', None)):
            out = subprocess.run((os.environ['BENCH_POLL'], '9', profile), check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
            ratio = float(out.split()[-1])
            print(f'{profile}: {out.splitlines()[0]}: ratio {ratio:.3f}'
                  + (f' (bar {bar:.2f})' if bar else ''))
            if bar and ratio > bar:
                sys.exit(f'{ratio:.3f} is above {bar:.2f}')


if __name__ == '__main__':
    main()
