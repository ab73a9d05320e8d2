#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command whose socket(AF_NETLINK) fails with EAFNOSUPPORT, by a seccomp filter, as systemd's
RestrictAddressFamilies= makes it: without_netlink.py COMMAND [ARGUMENT ...]"""
import ctypes
import errno
import os
import platform
import socket
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06  # of classic BPF
ALLOW, ERRNO = 0x7fff0000, 0x00050000
NR_SOCKET = {'x86_64': 41, 'aarch64': 198}[platform.machine()]
AT_NR, AT_FIRST_ARGUMENT = 0, 16  # in struct seccomp_data, little-endian


class Program(ctypes.Structure):
    """struct sock_fprog"""
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]


def install():
    """Puts the filter in force for this process and what it becomes."""
    code = b''.join(struct.pack('HBBI', *line) for line in (
        (LOAD, 0, 0, AT_NR),
        (JUMP_EQUAL, 0, 3, NR_SOCKET),
        (LOAD, 0, 0, AT_FIRST_ARGUMENT),
        (JUMP_EQUAL, 0, 1, socket.AF_NETLINK),
        (RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW)))
    lines = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), 'seccomp')


if __name__ == '__main__':
    install()
    os.execvp(sys.argv[1], sys.argv[1:])
