#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a Criterion executable and holds the number of tests that ran against its source.

    run_criterion.py EXECUTABLE SOURCE

Exits with the executable's status, or 1 if a test of the source did not run. A test that prints
"SKIPPED: reason" makes the whole exit 77 when nothing failed.
"""
import re
import signal
import subprocess
import sys


def run(executable):
    """Its output and status. Without --full-stats, which sends a message for each assertion."""
    with subprocess.Popen([executable, '-j1'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        # Criterion outlives the SIGTERM that meson sends to a test that takes too long.
        signal.signal(signal.SIGTERM, lambda *_: child.kill())
        return child.communicate()[0].decode(errors='replace'), child.returncode


def main():
    executable, source = sys.argv[1:3]
    with open(source, encoding='utf-8') as f:
        written = len(re.findall(r'^(?:Test|ParameterizedTest|Theory)\(', f.read(), re.M))
    text, status = run(executable)
    print(text)
    ran = re.findall(r'Tested:\s*(?:\x1b\[[0-9;]*m)*(\d+)', text)
    if status != 0:
        return 1
    if not ran or int(ran[-1]) < written:
        print(f'{source} has {written} tests, {ran[-1] if ran else "none"} ran')
        return 1
    return 77 if 'SKIPPED: ' in text else 0


if __name__ == '__main__':
    sys.exit(main())
