#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header alone, and twice in one unit, with the flags of the build.

    headers.py ROOT BUILD COMPILER...
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

import sources


def flags_by_directory(root, build):
    """The flags that matter to a header, by the directory of a source that is compiled so."""
    flags = {}
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
        for entry in json.load(f):
            path = os.path.relpath(os.path.join(entry['directory'], entry['file']), root)
            words = shlex.split(entry['command'])
            flags.setdefault(os.path.dirname(path), [
                word for word in words
                if word.startswith(('-D', '-I', '-W', '-f', '-std=')) and '-fsanitize' not in word])
    return flags


def flags_of(directory, flags):
    """Those of the nearest directory that has any."""
    while directory and directory not in flags:
        directory = os.path.dirname(directory)
    return flags.get(directory) or next(iter(flags.values()))


def compile_alone(build, compiler, header, flags):
    run = subprocess.run(
        [compiler, *flags, '-Werror', '-fsyntax-only', '-x', 'c', '-'], cwd=build, check=False,
        input=f'#include "{header}"\n' * 2, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    return None if run.returncode == 0 else f'{header}: alone, with {compiler}:\n{run.stdout}'


def main():
    root, build, *compilers = sys.argv[1:]
    flags = flags_by_directory(root, build)
    paths = sources.find(root, (*sources.PRODUCT, 'tests'), ('.h',))
    jobs = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for compiler in compilers:
            foreign = ['-Wno-unknown-warning-option'] if 'clang' in compiler else []
            jobs += [pool.submit(compile_alone, build, compiler, path,
                                 flags_of(os.path.dirname(path), flags) + foreign)
                     for path in paths]
    sources.conclude([job.result() for job in jobs if job.result()], paths and compilers)


if __name__ == '__main__':
    main()
