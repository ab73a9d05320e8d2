#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the compiled util and core call against what pure code may call: memory, strings,
numbers and addresses of libc. No I/O, no clock, no log, no randomness, no environment; of threads
only the one lock, under which the newest snapshot is handed over; of protobuf-c that which packs.

    pure.py ARCHIVE...
"""
import re
import subprocess
import sys

import sources

PURE = re.compile('|'.join((
    r'(__)?(mem|str|stp)[a-z0-9_]+',                # strings; strtoul and its kin
    r'__isoc\d+_strto[a-z]+',
    r'(malloc|calloc|realloc|reallocarray|aligned_alloc|free)',
    r'(__)?v?snprintf(_chk)?',
    r'(qsort|bsearch)',
    r'(ntohs|ntohl|htons|htonl|inet_ntop|inet_pton)',
    r'(__ctype_\w+_loc|__errno_location|is[a-z]+|to(upper|lower))',
    r'(newlocale|uselocale|freelocale|duplocale)',   # numbers are written without a locale
    r'(ceil|floor|fabs|fmin|fmax|frexp|ldexp|log|log2|log10|exp|exp2|pow|round|sqrt|trunc|modf)[fl]?',
    r'(protobuf_c_message_pack_to_buffer|prometheus__\w+__(init|descriptor))',
    r'pthread_mutex_(init|destroy|lock|unlock)',
    r'(abort|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)',
)))


def symbols(archive, option):
    """(object, name) of each symbol of the ARCHIVE that nm lists under OPTION."""
    text = subprocess.run(['nm', '--format=posix', option, archive], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    found, member = [], archive
    for line in text.splitlines():
        if line.endswith(':'):
            member = line[:-1]
        elif line:
            found.append((member, line.split()[0]))
    return found


def main():
    archives = sys.argv[1:]
    own = {name for archive in archives for _, name in symbols(archive, '--defined-only')}
    used = [use for archive in archives for use in symbols(archive, '--undefined-only')]
    faults = [f'{member}: calls {name}' for member, name in used
              if name not in own and not PURE.fullmatch(name)]
    sources.conclude(faults, own)


if __name__ == '__main__':
    main()
