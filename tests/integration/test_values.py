#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queues, memory, timers and congestion control of chosen sockets, against `ss -tinmo`."""
import collections
import socket

import daemon
import namespace
import sstool
import states
import truth

EXTENDED = daemon.FAST + 'metrics: {profile: extended}\n'
MEMORY = {'receive': 'rmem_alloc', 'send': 'wmem_queued', 'forward': 'fwd_alloc',
          'option': 'optmem', 'backlog': 'backlog'}
# Gauges from tcp_info that ss prints.
GAUGES = {
    'unacked_segments': lambda row: row.number('unacked'),
    'lost_segments': lambda row: row.number('lost'),
    'retransmitting_segments': lambda row: row.part('retrans', 0),
    'unsent_bytes': lambda row: row.number('notsent'),
}


class Values:
    """What is summed, for one family."""

    family = None

    def busy_sockets(self):
        """A pair with unread bytes one way and a window that has closed the other way, one that
        retransmits, and one with keepalive."""
        base = self.family.base
        listener, client, accepted = self.keep(*self.family.pair(base))
        client.send(bytes(1000))
        accepted.setblocking(False)
        while _fill(accepted):
            pass
        self.keep(listener)
        _, client, _ = self.keep(*self.family.pair(base + 1))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'reno')
        _, client, _ = self.keep(*self.family.pair(base + 2))
        namespace.drop(f'tcp dport {base + 2}')
        client.send(bytes(100000))
        self.keep(*states.time_wait(self.family, base + 3))

    def test_queues_agree_with_ss(self):
        self.busy_sockets()
        d = self.daemon()
        rows, scrape = self.stable(d)
        model = sstool.Model(rows)
        for name, value in (('receive', lambda row: row.receive_queue),
                            ('send', lambda row: row.send_queue)):
            shown = self.groups(scrape, f'sockstat_tcp_{name}_queue_bytes')
            self.assertEqual(shown, model.total(value), name)
            self.assertGreater(sum(shown.values()), 1000, name)
        d.stop()

    def groups(self, scrape, name, **labels):
        """{(side, port): value} without the scrapes' own port."""
        shown = collections.Counter()
        for key, value in scrape.series(name).items():
            key = dict(key)
            if labels.items() <= key.items() and key['port'] != str(daemon.PORT):
                shown[key['side'], key['port']] = value
        return shown

    def test_memory_agrees_with_ss(self):
        self.busy_sockets()
        d = self.daemon(EXTENDED)
        rows, scrape = self.stable(d, also=lambda row: row.skmem)
        model = sstool.Model(rows)
        for buffer, word in MEMORY.items():
            self.assertEqual(self.groups(scrape, 'sockstat_tcp_memory_bytes', buffer=buffer),
                             model.total(lambda row: row.skmem.get(word, 0)), buffer)
        self.assertEqual(self.groups(scrape, 'sockstat_tcp_send_in_flight_memory_bytes'),
                         model.total(lambda row: row.skmem.get('wmem_alloc', 0)))
        for buffer, word in (('receive', 'rcvbuf'), ('send', 'sndbuf')):
            self.assertEqual(self.groups(scrape, 'sockstat_tcp_buffer_limit_bytes', buffer=buffer),
                             model.total(lambda row: row.skmem.get(word, 0)), buffer)
        d.stop()

    def test_timers_agree_with_ss(self):
        self.busy_sockets()
        d = self.daemon(EXTENDED)
        rows, scrape = self.stable(d, also=lambda row: row.timer)
        model = sstool.Model(rows)
        expected = model.count(lambda row: row.timer and (*model.group_of(row), row.timer))
        shown = scrape.by('sockstat_tcp_timer_sockets', 'side', 'port', 'timer')
        self.assertEqual({key: n for key, n in shown.items() if n and key[1] != str(d.port)},
                         dict(expected))
        self.assertLessEqual({'retransmit', 'keepalive', 'time_wait', 'zero_window_probe'},
                             {key[2] for key in expected})
        d.stop()

    def test_congestion_control_agrees_with_ss(self):
        self.busy_sockets()
        d = self.daemon(EXTENDED)
        self.wait_loss(d)
        rows, scrape = self.stable(d, also=lambda row: (row.algorithm,
                                                        [value(row) for value in GAUGES.values()]))
        model = sstool.Model([row for row in rows if row.state != 'listen'])
        model.listeners = sstool.Model(rows).listeners
        expected = model.count(lambda row: row.algorithm
                               and (*model.group_of(row), row.algorithm))
        shown = scrape.by('sockstat_tcp_congestion_algorithm_sockets', 'side', 'port', 'algorithm')
        self.assertEqual({key: n for key, n in shown.items() if n and key[1] != str(d.port)},
                         dict(expected))
        self.assertEqual(expected['client', str(self.family.base + 1), 'reno'], 1)
        for name, value in GAUGES.items():
            self.assertEqual(self.groups(scrape, 'sockstat_tcp_' + name), model.total(value), name)
        d.stop()

    def wait_loss(self, d):
        """Until the socket whose packets are dropped shows as such."""
        port = str(self.family.base + 2)
        d.wait_metrics(lambda m: m.value('sockstat_tcp_congestion_sockets', side='client',
                                         port=port, ca_state='loss') == 1, 'the state loss')
        states_shown = d.scrape().by('sockstat_tcp_congestion_sockets', 'side', 'port', 'ca_state')
        self.assertEqual(states_shown['server', port, 'open'], 1)
        self.assertEqual(states_shown['client', port, 'open'], 0)


def _fill(s):
    try:
        return s.send(bytes(65536))
    except BlockingIOError:
        return 0


class IPv4Values(Values, truth.Case):
    family = namespace.IPV4


class ProcfsValues(truth.Case):
    """What /proc can tell of a socket's values, without netlink."""

    wrap = namespace.WITHOUT_NETLINK
    family = namespace.IPV4
    busy_sockets = Values.busy_sockets
    groups = Values.groups
    test_queues_agree_with_ss = Values.test_queues_agree_with_ss
    test_timers_agree_with_ss = Values.test_timers_agree_with_ss


class IPv6Values(Values, truth.Case):
    family = namespace.IPV6


class MappedValues(Values, truth.Case):
    family = namespace.MAPPED


if __name__ == '__main__':
    truth.main()
