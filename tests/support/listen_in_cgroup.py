#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listens from within a cgroup: listen_in_cgroup.py DIRECTORY UID ADDRESS PORT BACKLOG

Standard input is a socket, to which the listener is passed as well, and with whose end it ends.
"""
import os
import socket
import sys

import namespace


def main():
    directory, uid, address, port, backlog = sys.argv[1:]
    # A socket belongs to the cgroup, and to the user, in which it was made.
    with open(directory + '/cgroup.procs', 'w', encoding='ascii') as f:
        f.write('0')
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    with socket.socket(fileno=0) as channel, \
            namespace.listen((address, int(port)), int(backlog), reuse_port=True) as listener:
        socket.send_fds(channel, [b'x'], [listener.fileno()])
        channel.recv(1)


if __name__ == '__main__':
    main()
