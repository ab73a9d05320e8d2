#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completes command lines as bash would, and holds what comes against what the program takes.

    completion.py COMPLETION SOCKSTATD
"""
import os
import re
import subprocess
import sys
import tempfile

# The words of a command line, the last of which is to be completed, as bash divides them.
ASK = '''source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_sockstatd "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
'''


def complete(script, *words):
    """What the last word may become."""
    result = subprocess.run(('bash', '-c', ASK, 'bash', script, *words), text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode or result.stderr:
        sys.exit(f'{words}: {result.returncode}\n{result.stderr}')
    return sorted(result.stdout.split())


def takes(sockstatd, flag, value):
    """Whether the program has nothing against a value."""
    return subprocess.run((sockstatd, f'{flag}={value}', '--version'), check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def main():
    script, sockstatd = map(os.path.abspath, sys.argv[1:])
    faults = []

    def expect(expected, *words):
        found = complete(script, sockstatd, *words)
        if found != sorted(expected):
            faults.append(f'{words}: {found}, not {sorted(expected)}')

    help_text = subprocess.run((sockstatd, '--help'), check=True, stdout=subprocess.PIPE,
                               text=True).stdout
    flags = re.findall(r'(?m)^  (--\S+?)(?:=(\S+))?$', help_text)
    if len(flags) < 10:
        faults.append(f'--help has {len(flags)} flags')
    everything = [flag + '=' * bool(value) for flag, value in flags]
    expect(everything, '')
    expect(everything, '--')
    expect([flag for flag in everything if flag.startswith('--config')], '--config')
    expect(['--source='], '--so')
    expect(['--version'], '--vers')
    expect(['--version'], '--once', '--vers')
    expect([], '--nonsense')
    for flag, value in flags:
        if '|' not in value:
            continue
        values = value.split('|')
        expect(values, flag, '=')
        expect(values, flag, '')
        expect([v for v in values if v.startswith(values[0][:2])], flag, '=', values[0][:2])
        faults += [f'{flag} does not take {v}' for v in values if not takes(sockstatd, flag, v)]
        if takes(sockstatd, flag, value):
            faults.append(f'{flag} takes anything')
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'a file.yaml')
        with open(path, 'w', encoding='utf-8'):
            pass
        expect(path.split(), '--config.file', '=', directory + '/a')
    print('\n'.join(faults))
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
