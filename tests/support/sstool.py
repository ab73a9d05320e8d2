# SPDX-License-Identifier: Apache-2.0
"""What `ss` says of the TCP sockets of this namespace, and the independent reading of it.

The rules for sides, ports and listeners are written here a second time, from their description:
where the daemon and this file disagree, one of them is wrong.
"""
import collections
import ipaddress
import re

import namespace

STATES = {
    'ESTAB': 'established', 'SYN-SENT': 'syn_sent', 'SYN-RECV': 'syn_recv',
    'FIN-WAIT-1': 'fin_wait1', 'FIN-WAIT-2': 'fin_wait2', 'TIME-WAIT': 'time_wait',
    'UNCONN': 'close', 'CLOSE-WAIT': 'close_wait', 'LAST-ACK': 'last_ack', 'LISTEN': 'listen',
    'CLOSING': 'closing',
}
TIMERS = {'on': 'retransmit', 'keepalive': 'keepalive', 'timewait': 'time_wait',
          'persist': 'zero_window_probe', 'delack': 'delayed_ack'}
SKMEM = {'r': 'rmem_alloc', 'rb': 'rcvbuf', 't': 'wmem_alloc', 'tb': 'sndbuf', 'f': 'fwd_alloc',
         'w': 'wmem_queued', 'o': 'optmem', 'bl': 'backlog', 'd': 'drops'}
ALGORITHMS = ('bbr', 'cubic', 'reno')

End = collections.namedtuple('End', 'address device port')


def _end(text):
    """'[::ffff:127.0.0.1]%lo:5000': the address folded to IPv4 where it is mapped, as a string."""
    host, port = text.rsplit(':', 1)
    host, _, device = host.partition('%')
    if host.startswith('['):
        address = ipaddress.IPv6Address(host[1:-1])
        host = str(address.ipv4_mapped) if address.ipv4_mapped else host
    return End(host, device, None if port == '*' else int(port))


class Row:
    """One line of `ss -HtanoiemO`."""

    def __init__(self, line):
        state, receive, send, local, remote, *rest = line.split(None, 5)
        self.text = rest[0].strip() if rest else ''
        self.state = STATES[state]
        self.receive_queue = int(receive)
        self.send_queue = int(send)
        self.local = _end(local)
        self.remote = _end(remote)

    @property
    def identity(self):
        """What tells two rows apart, and what of them must hold still while they are compared."""
        return self.state, self.local, self.remote, self.receive_queue, self.send_queue

    @property
    def timer(self):
        """The label of the timer that runs, or None."""
        match = re.search(r'timer:\((\w+)', self.text)
        return TIMERS[match[1]] if match else None

    @property
    def retransmits(self):
        """How often what the timer waits for has been sent again."""
        match = re.search(r'timer:\(\w+,[^,]*,(\d+)\)', self.text)
        return int(match[1]) if match else 0

    @property
    def has_inode(self):
        """Whether a process holds it, as far as the inode tells."""
        match = re.search(r'\bino:(\d+)', self.text)
        return bool(match and int(match[1]))

    @property
    def has_tcp_info(self):
        """Whether the kernel gave struct tcp_info."""
        return ' cwnd:' in self.text

    @property
    def skmem(self):
        """The words of SK_MEMINFO by name; empty if the kernel gave none."""
        match = re.search(r'skmem:\(([^)]*)\)', self.text)
        words = re.findall(r'([a-z]+)(\d+)', match[1]) if match else ()
        return {SKMEM[word]: int(value) for word, value in words}

    @property
    def algorithm(self):
        """The congestion control algorithm, or None."""
        return next((word for word in self.text.split() if word in ALGORITHMS), None)

    def number(self, name, absent=0.0):
        """The number behind NAME: ('rtt' takes a of rtt:a/b)."""
        match = re.search(rf'(?:^|\s){name}:([0-9.]+)', self.text)
        return float(match[1]) if match else absent

    def part(self, name, index):
        """The part INDEX of NAME:a/b; 0 if NAME is not shown."""
        match = re.search(rf'(?:^|\s){name}:([0-9.]+)/([0-9.]+)', self.text)
        return float(match[1 + index]) if match else 0.0


def rows(*ignored_ports):
    """All TCP rows but those with one of the ports at either end."""
    lines = namespace.run('ss', '-HtanoiemO').splitlines()
    return [row for row in map(Row, lines)
            if row.local.port not in ignored_ports and row.remote.port not in ignored_ports]


def listener_label(row):
    """The label `address` of a listener."""
    return row.local.address + ('%' + row.local.device if row.local.device else '')


def identities(some):
    """A multiset that is equal exactly when the rows are."""
    return collections.Counter(row.identity for row in some)


def netstat(name):
    """A counter of the namespace, such as TcpExtListenDrops, from nstat."""
    out = namespace.run('nstat', '-asz', name)
    return int(re.search(rf'^{name}\s+(\d+)', out, re.M)[1])


class Model:
    """What the daemon should make of some rows."""

    def __init__(self, some, configured_server=(), configured_client=(), ephemeral=(32768, 60999)):
        self.rows = some
        self.configured = {'server': configured_server, 'client': configured_client}
        self.ephemeral = ephemeral
        self.listeners = [row for row in some if row.state == 'listen']

    def _covers(self, listener, end):
        """How well a listener fits a local end, smaller is better; None: not at all."""
        own = listener.local
        if own.port != end.port or (own.device and own.device != end.device):
            return None
        wildcards = ('*', '[::]') if ':' in end.address else ('0.0.0.0', '*')
        ranks = (end.address,) + wildcards
        if own.address not in ranks:
            return None
        return ranks.index(own.address), not own.device

    def listener_of(self, row):
        """The listener to which a connection's local end belongs, or None."""
        fitting = [(self._covers(l, row.local), listener_label(l), l) for l in self.listeners]
        fitting = [fit for fit in fitting if fit[0] is not None]
        return min(fitting, key=lambda fit: fit[:2])[2] if fitting else None

    def group_of(self, row):
        """(side, port) of a row."""
        listens = row.state == 'listen' or any(self._device_blind(l, row) for l in self.listeners)
        side, port = ('server', row.local.port) if listens else ('client', row.remote.port)
        low, high = self.ephemeral
        if low <= port <= high and port not in self.configured[side]:
            return side, 'ephemeral'
        return side, str(port)

    @staticmethod
    def _device_blind(listener, row):
        """Side asks for address and port only."""
        wildcards = ('*', '[::]') if ':' in row.local.address else ('0.0.0.0', '*')
        return (listener.local.port == row.local.port
                and listener.local.address in (row.local.address,) + wildcards)

    def count(self, key):
        """How many rows have each KEY(row); rows with key None are left out."""
        keys = (key(row) for row in self.rows)
        return collections.Counter(k for k in keys if k is not None)

    def total(self, value, listening=False):
        """The sum of VALUE(row) for each (side, port), without listeners unless LISTENING."""
        sums = collections.Counter()
        for row in self.rows:
            if listening or row.state != 'listen':
                sums[self.group_of(row)] += value(row)
        return sums
