#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include against the layers: it never points upward, and each library has its place.

    layers.py ROOT
"""
import os
import re
import sys

import sources

# What a directory may include beside itself.
LAYERS = {
    'daemon/util': (),
    'daemon/core': ('daemon/util',),
    'daemon/io': ('daemon/util',),
    'collectors': ('daemon/core', 'daemon/io', 'daemon/util'),
    'config': ('daemon/core', 'daemon/util'),
    'daemon': ('collectors', 'config', 'daemon/core', 'daemon/io', 'daemon/util'),
}
LIBRARIES = {
    'crypt.h': ('daemon',),
    'gnutls/': ('daemon',),
    'libmnl/': ('collectors',),
    'microhttpd.h': ('daemon',),
    'protobuf-c/': ('daemon/core',),
    'systemd/': ('daemon', 'daemon/io'),  # the log's journal
    'yaml.h': ('config',),
    'zlib.h': ('daemon',),
}
VERSIONS = 'daemon/main.c'  # prints those of all libraries
# Below daemon/ nothing logs: a function returns a code, and who decides writes the line.
LOG, LOGGING = 'daemon/io/log.h', ('daemon', 'daemon/io')


def judge_own(root, directory, header):
    layer = os.path.dirname(header)
    # What is generated of a .proto lies in the build's tree.
    source = header.replace('.pb-c.h', '.proto')
    if not os.path.exists(os.path.join(root, source)):
        return 'is not there (paths begin at the root)'
    if layer != directory and layer not in LAYERS[directory]:
        return f'{directory} must not know {layer}'
    if header == LOG and directory not in LOGGING:
        return f'{directory} must not log'
    return None


def judge_library(directory, header):
    for name, places in LIBRARIES.items():
        if header.startswith(name) and directory not in places:
            return f'only {" and ".join(places)} may know this library'
    return None


def judge(root, directory, header, own):
    if directory not in LAYERS:
        return f'{directory} is no layer'
    return judge_own(root, directory, header) if own else judge_library(directory, header)


def main():
    root = sys.argv[1]
    faults = []
    paths = sources.find(root, sources.PRODUCT, ('.c', '.h'))
    for path in paths:
        for number, line in enumerate(sources.read_lines(root, path), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if not include or include[2] == 'build_config.h':
                continue
            if include[1] == '<' and path == VERSIONS:
                continue
            fault = judge(root, os.path.dirname(path), include[2], include[1] == '"')
            if fault:
                faults.append(f'{path}:{number}: {include[2]}: {fault}')
    sources.conclude(faults, paths)


if __name__ == '__main__':
    main()
