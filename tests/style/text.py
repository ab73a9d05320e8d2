#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds our files against what a reader should not meet: no licence, trailing blanks, words that
promise work instead of doing it, names that say nothing.

    text.py ROOT
"""
import os
import re
import sys

import sources

DIRECTORIES = ('.ci', 'collectors', 'config', 'daemon', 'dashboards', 'scripts', 'systemd', 'tests')
# Bytes that a program wrote or will read: what they hold is not ours to tidy.
FOREIGN = ('dashboards/pictures/', 'tests/fixtures/', 'tests/golden/', 'tests/fuzz/corpus/')
LICENCE = 'SPDX-License-Identifier: Apache-2.0'
PROMISE = re.compile(r'\b(TO[D]O|FIX[M]E|XX[X])\b')
EMPTY_NAMES = re.compile(r'(test_)?(common|data|handle|helpers?|info|misc|process|stuff|utils?\d*)')


def judge_licence(path, lines, faults):
    if path.endswith(('.c', '.h')):
        found = lines[0] == f'/* {LICENCE} */'
    elif path.endswith('.py') or lines[0].startswith('#!'):
        found = f'# {LICENCE}' in lines[:2]
    else:
        found = True
    if not found:
        faults.append(f'{path}:1: {LICENCE} is missing')


def judge_lines(path, lines, faults):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            faults.append(f'{path}:{number}: a blank at the end of the line')
        promise = PROMISE.search(line)
        if promise:
            faults.append(f'{path}:{number}: {promise[0]}')
    if lines[-1] != '' or lines[-2:] == ['', '']:
        faults.append(f'{path}:{len(lines)}: the last line must end, and once')


def main():
    root = sys.argv[1]
    faults = []
    paths = [path for path in sources.find(root, DIRECTORIES, ('',))
             if not path.startswith(FOREIGN)]
    for path in paths:
        stem = os.path.basename(path).split('.')[0]
        if EMPTY_NAMES.fullmatch(stem):
            faults.append(f'{path}: a name that says nothing')
        lines = sources.read_lines(root, path)
        judge_licence(path, lines, faults)
        judge_lines(path, lines, faults)
    sources.conclude(faults, paths)


if __name__ == '__main__':
    main()
