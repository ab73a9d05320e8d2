#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds files, headers and functions against their sizes, and a .c file to its own header first.

    sizes.py ROOT
"""
import os
import sys

import sources

FILE_LINES = 400
HEADER_LINES = 100
HEADER_INCLUDES = 4
FUNCTION_LINES = 60
MOST_FUNCTION_LINES = 40  # of nine in ten

# Headers that may be larger, and why.
LARGE_HEADERS = {
    'daemon/core/listener.h': 'the table of the listeners and its items, which three files work on',
    'daemon/core/metric.h': 'the whole vocabulary of the metric table, with what each word means',
    'daemon/core/sock.h': "the record, with the kernel's numbers that it is made of",
}


def functions(lines):
    """(first line, length) of each function, from its signature to its last brace."""
    start = None
    for number, line in enumerate(lines):
        if line == '{':
            start = number
            while start > 0 and lines[start - 1] and not lines[start - 1].startswith(('#', '}')):
                start -= 1
            while lines[start].startswith(('/*', ' *')):
                start += 1
        elif line == '}' and start is not None:
            yield start + 1, number - start + 1
            start = None


def judge_header(path, lines, faults):
    if path in LARGE_HEADERS:
        return
    includes = sum(line.startswith('#include') for line in lines)
    if len(lines) - 1 > HEADER_LINES:
        faults.append(f'{path}: {len(lines) - 1} lines, above {HEADER_LINES}')
    if includes > HEADER_INCLUDES:
        faults.append(f'{path}: {includes} includes, above {HEADER_INCLUDES}')


def judge_source(root, path, lines, faults):
    if len(lines) - 1 > FILE_LINES:
        faults.append(f'{path}: {len(lines) - 1} lines, above {FILE_LINES}')
    own = path[:-1] + 'h'
    includes = [line for line in lines if line.startswith('#include')]
    if os.path.exists(os.path.join(root, own)) and includes[:1] != [f'#include "{own}"']:
        faults.append(f'{path}: {own} is not its first include')


def judge_functions(path, lines, faults):
    lengths = list(functions(lines))
    for number, length in lengths:
        if length > FUNCTION_LINES:
            faults.append(f'{path}:{number}: a function of {length} lines, above {FUNCTION_LINES}')
    return [length for _, length in lengths]


def main():
    root = sys.argv[1]
    faults, lengths = [], []
    for path in sources.find(root, (*sources.PRODUCT, 'tests'), ('.c', '.h')):
        lines = sources.read_lines(root, path)
        if path.endswith('.h'):
            judge_header(path, lines, faults)
        else:
            judge_source(root, path, lines, faults)
        lengths += judge_functions(path, lines, faults)
    long = sum(length > MOST_FUNCTION_LINES for length in lengths)
    if long * 10 > len(lengths):
        faults.append(f'{long} of {len(lengths)} functions are above {MOST_FUNCTION_LINES} lines: '
                      'more than one in ten')
    sources.conclude(faults, lengths)


if __name__ == '__main__':
    main()
