#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has systemd verify the units, alone and with each drop-in, and holds the service's exposure, and
its memory, against a bound; and the catalog against the messages that it explains.

    systemd_unit.py SOCKSTATD CATALOG EVIDENCE SERVICE SOCKET DROP-IN...

The service names the daemon where it will be installed; here it is the one that was built.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE = 14  # tenths; what remains is network access, which is the point of the daemon
SKIPPED = 77
# What the daemon may need beside the sockets that it follows, and for each of those.
MEMORY_BYTES, TRACKED_BYTES = 64 << 20, 160


def read(path):
    """The text of a file."""
    with open(path, encoding='utf-8') as f:
        return f.read()


def judge_memory(unit, sockstatd):
    """Why the limit of the UNIT's memory is too low for the default configuration, or None."""
    limit = re.search(r'(?m)^MemoryMax=(\d+)M$', unit)
    config = subprocess.run([sockstatd, '--config.file=/dev/null', '--config.dump'], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    tracked = int(re.search(r'(?m)^  tracked_sockets: (\d+)$', config)[1])
    needed = MEMORY_BYTES + TRACKED_BYTES * tracked
    if not limit or int(limit[1]) << 20 < needed:
        return f'MemoryMax is below the {needed >> 20} MiB that {tracked} sockets need'
    return None


def judge_catalog(catalog, evidence):
    """Why not exactly what is written with a MESSAGE_ID is explained, or None."""
    explained = sorted(re.findall(r'(?m)^-- ([0-9a-f]{32})$', catalog))
    written = sorted(re.findall(r'"([0-9a-f]{32})"', evidence))
    if explained != written or not written:
        return f'the catalog explains {explained}, the daemon writes {written}'
    return None


def verify(paths):
    """Whether systemd has nothing to say of these; what it would ignore is on stderr only."""
    result = subprocess.run(['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no',
                             *paths], stderr=subprocess.PIPE, text=True, check=False)
    print(result.stderr, end='')
    return result.returncode == 0 and not result.stderr


def judge_units(directory, units, drop_ins):
    """How many of the units, alone and with each drop-in, are not as they should be."""
    service = units[0]
    faults = 0 if verify(units) else 1
    faults += subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager',
                              f'--threshold={EXPOSURE}', service], check=False).returncode != 0
    place = os.path.join(directory, os.path.basename(service) + '.d')
    for drop_in in drop_ins:
        os.mkdir(place)
        shutil.copy(drop_in, place)
        print(f'== with {os.path.basename(drop_in)}')
        faults += not verify(units)
        shutil.rmtree(place)
    return faults


def main():
    sockstatd, catalog, evidence, service, socket, *drop_ins = sys.argv[1:]
    if not shutil.which('systemd-analyze'):
        print('SKIPPED: systemd-analyze is not installed')
        sys.exit(SKIPPED)
    text, count = re.subn(r'(?m)^(Exec\w+)=\S*/sockstatd', rf'\1={os.path.abspath(sockstatd)}',
                          read(service))
    if count != 2:
        sys.exit(f'{service} runs the daemon {count} times, not twice')
    fault = judge_memory(text, os.path.abspath(sockstatd)) or \
        judge_catalog(read(catalog), read(evidence))
    if fault:
        sys.exit(f'{service}: {fault}')
    with tempfile.TemporaryDirectory() as directory:
        units = [os.path.join(directory, os.path.basename(unit)) for unit in (service, socket)]
        with open(units[0], 'w', encoding='utf-8') as f:
            f.write(text)
        shutil.copy(socket, units[1])
        faults = judge_units(directory, units, drop_ins)
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
