#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every source against .clang-format.

    format.py ROOT CLANG_FORMAT
"""
import subprocess
import sys

import sources


def main():
    root, clang_format = sys.argv[1:]
    paths = sources.find(root, (*sources.PRODUCT, 'tests'), ('.c', '.h'))
    run = subprocess.run([clang_format, '--dry-run', '-Werror', '--style=file', *paths], cwd=root,
                         check=False)
    sources.conclude([f'{clang_format} -i puts it right'] if run.returncode else [], paths)


if __name__ == '__main__':
    main()
