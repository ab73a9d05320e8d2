#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the manual's options against the flags that the program has.

    flags.py MANUAL SOCKSTATD
"""
import re
import subprocess
import sys


def main():
    manual, program = sys.argv[1:]
    help_text = subprocess.run((program, '--help'), check=True, stdout=subprocess.PIPE,
                               text=True).stdout
    flags = set(re.findall(r'^  --([a-z.-]+)', help_text, re.M))
    with open(manual, encoding='utf-8') as f:
        options = set(re.findall(r'^\*--([a-z.-]+?)=?\*', f.read(), re.M))
    if not flags or flags != options:
        sys.exit(f'only the program has {sorted(flags - options)}, '
                 f'only the manual {sorted(options - flags)}')


if __name__ == '__main__':
    main()
