# SPDX-License-Identifier: Apache-2.0
"""Every TCP state, made deterministically; each recipe returns the sockets that hold it.

CLOSE is left out: a bound-only socket is never asked for.
"""
import socket

import namespace

MSG_FASTOPEN = 0x20000000


def _dropping(port, direction, flags):
    namespace.drop(f'tcp {direction} {port} tcp flags & (fin|syn|ack) == {flags}')


def established(family, port):
    """A connection and its listener."""
    return family.pair(port)


def syn_sent(family, port):
    """The SYN is lost."""
    _dropping(port, 'dport', 'syn')
    return [family.connect(port, wait=False)]


def syn_recv(family, port):
    """The last ACK of the handshake is lost: a request socket, the client is established."""
    _dropping(port, 'dport', 'ack')
    return [family.listen(port), family.connect(port)]


def syn_recv_deferred(family, port):
    """The listener waits for data (TCP_DEFER_ACCEPT), the client sends none."""
    defer = (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
    return [family.listen(port, options=[defer]), family.connect(port)]


def syn_recv_fast_open(family, port):
    """A full socket in SYN_RECV: Fast Open's child, whose handshake does not end."""
    namespace.sysctl('ipv4.tcp_fastopen', 0x607)
    _dropping(port, 'dport', 'ack')
    listener = family.listen(port, options=[(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)])
    client = socket.socket(family.connect_family)
    client.sendto(b'hello', MSG_FASTOPEN, (family.connect_address, port))
    return [listener, client, listener.accept()[0]]


def fin_wait1(family, port):
    """The client's FIN is lost."""
    sockets = family.pair(port)
    _dropping(port, 'dport', 'fin|ack')
    sockets[1].shutdown(socket.SHUT_WR)
    return sockets


def fin_wait1_orphan(family, port):
    """The same after close(): no process holds the client any more."""
    listener, client, accepted = family.pair(port)
    _dropping(port, 'dport', 'fin|ack')
    client.close()
    return [listener, accepted]


def fin_wait2(family, port):
    """The client has shut down, the server (CLOSE_WAIT) has not."""
    sockets = family.pair(port)
    sockets[1].shutdown(socket.SHUT_WR)
    return sockets


def fin_wait2_time_wait(family, port):
    """The same after close(): FIN_WAIT2 in the shape of a TIME_WAIT socket."""
    listener, client, accepted = family.pair(port)
    client.close()
    return [listener, accepted]


def last_ack(family, port):
    """The server's FIN is lost after the client's was acknowledged."""
    sockets = family.pair(port)
    sockets[1].shutdown(socket.SHUT_WR)
    sockets[2].recv(1)
    _dropping(port, 'sport', 'fin|ack')
    sockets[2].shutdown(socket.SHUT_WR)
    return sockets


def closing(family, port):
    """Both FINs cross: the server is CLOSING, the client FIN_WAIT1."""
    sockets = family.pair(port)
    namespace.drop(f'tcp sport {port}')
    sockets[2].shutdown(socket.SHUT_WR)
    sockets[1].shutdown(socket.SHUT_WR)
    return sockets


def time_wait(family, port):
    """Closed by both; the listener stays, so that the side is still known."""
    listener, client, accepted = family.pair(port)
    client.close()
    accepted.close()
    return [listener]


def overflow(family, port):
    """Six connections to a queue of two: three wait, three are refused and try again."""
    listener = family.listen(port, backlog=2)
    return [listener] + [family.connect(port, wait=False) for _ in range(6)]


# The recipe, and the states that it must show.
RECIPES = (
    (established, {'listen', 'established'}),
    (syn_sent, {'syn_sent'}),
    (syn_recv, {'listen', 'established', 'syn_recv'}),
    (syn_recv_deferred, {'listen', 'established', 'syn_recv'}),
    (syn_recv_fast_open, {'listen', 'established', 'syn_recv'}),
    (fin_wait1, {'listen', 'established', 'fin_wait1'}),
    (fin_wait1_orphan, {'listen', 'established', 'fin_wait1'}),
    (fin_wait2, {'listen', 'fin_wait2', 'close_wait'}),
    (fin_wait2_time_wait, {'listen', 'fin_wait2', 'close_wait'}),
    (last_ack, {'listen', 'fin_wait2', 'last_ack'}),
    (closing, {'listen', 'fin_wait1', 'closing'}),
    (time_wait, {'listen', 'time_wait'}),
    (overflow, {'listen', 'established', 'syn_sent'}),
)


def make_all(family):
    """All of them, each on a port of its own: ({port: states it must show}, sockets)."""
    states, sockets = {}, []
    for offset, (recipe, shows) in enumerate(RECIPES):
        port = family.base + offset
        sockets.extend(recipe(family, port))
        states[port] = shows
    return states, sockets
