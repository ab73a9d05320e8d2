#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has systemd verify the unit, and holds its exposure, and its memory, against a bound.

    systemd_unit.py UNIT SOCKSTATD

The unit names the daemon where it will be installed; here it is the one that was built.
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


def main():
    unit, sockstatd = sys.argv[1:]
    if not shutil.which('systemd-analyze'):
        print('SKIPPED: systemd-analyze is not installed')
        sys.exit(SKIPPED)
    with open(unit, encoding='utf-8') as f:
        text, count = re.subn(r'(?m)^ExecStart=\S+', f'ExecStart={os.path.abspath(sockstatd)}',
                              f.read())
    if count != 1:
        sys.exit(f'{unit} has {count} ExecStart, not 1')
    fault = judge_memory(text, os.path.abspath(sockstatd))
    if fault:
        sys.exit(f'{unit}: {fault}')
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, os.path.basename(unit))
        with open(copy, 'w', encoding='utf-8') as f:
            f.write(text)
        verify = subprocess.run(['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no',
                                 copy], stderr=subprocess.PIPE, text=True, check=False)
        print(verify.stderr)
        security = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager',
                                   f'--threshold={EXPOSURE}', copy], check=False)
    # What it would ignore in a unit is on stderr only.
    sys.exit(1 if verify.returncode or verify.stderr or security.returncode else 0)


if __name__ == '__main__':
    main()
