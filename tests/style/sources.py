# SPDX-License-Identifier: Apache-2.0
"""Which files are ours, and how a check says what it found."""
import os
import sys

PRODUCT = ('collectors', 'config', 'daemon')


def find(root, directories, suffixes):
    """Paths, from ROOT, of the files below DIRECTORIES that end so; sorted."""
    found = []
    for directory in directories:
        for place, below, names in os.walk(os.path.join(root, directory)):
            below[:] = [name for name in below if name != '__pycache__']
            found += [os.path.relpath(os.path.join(place, name), root)
                      for name in names if name.endswith(suffixes)]
    return sorted(found)


def read_lines(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as f:
        return f.read().split('\n')


def conclude(faults, checked):
    """Prints the faults and exits. A check that looked at nothing has failed as well."""
    for fault in faults:
        print(fault)
    if not checked:
        print('there was nothing to check')
    sys.exit(1 if faults or not checked else 0)
