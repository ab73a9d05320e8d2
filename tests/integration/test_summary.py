#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The summary of `ss -s`, the namespace's counters and limits, against ss, nstat and sysctl."""
import os
import re
import shutil
import tempfile

import daemon
import namespace
import sstool
import states
import truth

PAGE = os.sysconf('SC_PAGESIZE')
NETSTAT = {
    'listen_overflows': 'TcpExtListenOverflows', 'listen_drops': 'TcpExtListenDrops',
    'syn_queue_full_drops': 'TcpExtTCPReqQFullDrop',
    'syn_queue_full_cookies': 'TcpExtTCPReqQFullDoCookies',
    'syncookies_sent': 'TcpExtSyncookiesSent', 'syncookies_received': 'TcpExtSyncookiesRecv',
    'syncookies_failed': 'TcpExtSyncookiesFailed', 'tcp_backlog_drops': 'TcpExtTCPBacklogDrop',
    'tcp_receive_queue_drops': 'TcpExtTCPRcvQDrop',
    'tcp_zero_window_drops': 'TcpExtTCPZeroWindowDrop',
    'tcp_time_wait_overflows': 'TcpExtTCPTimeWaitOverflow',
    'tcp_aborts_on_memory': 'TcpExtTCPAbortOnMemory',
    'tcp_aborts_on_timeout': 'TcpExtTCPAbortOnTimeout', 'tcp_sent_segments': 'TcpOutSegs',
    'tcp_received_segments': 'TcpInSegs', 'tcp_retransmitted_segments': 'TcpRetransSegs',
    'tcp_syn_retransmits': 'TcpExtTCPSynRetrans', 'tcp_timeouts': 'TcpExtTCPTimeouts',
    'tcp_active_opens': 'TcpActiveOpens', 'tcp_passive_opens': 'TcpPassiveOpens',
    'tcp_attempt_fails': 'TcpAttemptFails', 'tcp_established_resets': 'TcpEstabResets',
    'tcp_resets_sent': 'TcpOutRsts', 'tcp_memory_pressures': 'TcpExtTCPMemoryPressures',
    'udp_receive_buffer_errors': 'UdpRcvbufErrors', 'udp_send_buffer_errors': 'UdpSndbufErrors',
    'udp_no_ports': 'UdpNoPorts',
}
LIMITS = {
    'somaxconn': 'net.core.somaxconn', 'tcp_max_syn_backlog': 'net.ipv4.tcp_max_syn_backlog',
    'tcp_max_orphans': 'net.ipv4.tcp_max_orphans',
    'tcp_max_tw_buckets': 'net.ipv4.tcp_max_tw_buckets',
    'tcp_syncookies': 'net.ipv4.tcp_syncookies',
    'tcp_abort_on_overflow': 'net.ipv4.tcp_abort_on_overflow',
}
FILES = {
    'net/sockstat': 'sockets: used 1234\nTCP: inuse 30 orphan 4 tw 17 alloc 90 mem 12\n'
                    'UDP: inuse 9 mem 3\nUDPLITE: inuse 1\nRAW: inuse 2\nFRAG: inuse 3 memory 77\n',
    'net/sockstat6': 'TCP6: inuse 11\nUDP6: inuse 5\nUDPLITE6: inuse 0\nRAW6: inuse 1\n'
                     'FRAG6: inuse 4 memory 5\n',
    'net/snmp': 'Tcp: RtoAlgorithm MaxConn CurrEstab\nTcp: 1 -1 23\n',
    'net/tcp': '  sl  local_address rem_address\n',
}


def words(text):
    """The numbers of a sysctl."""
    return [int(word) for word in text.split()]


def sysctl(name):
    """The numbers of a sysctl of this namespace, or None."""
    try:
        with open('/proc/sys/' + name.replace('.', '/'), encoding='ascii') as f:
            return words(f.read())
    except FileNotFoundError:
        return None


class Summary(truth.Case):
    """What ss -s prints can be read off /metrics."""

    def tree(self, initial=True):
        """A directory in place of /proc, which ss reads as net/…, and the daemon as self/net/…"""
        root = tempfile.mkdtemp(prefix='sockstatd-tree-')
        self.addCleanup(shutil.rmtree, root)
        files = dict(FILES)
        if initial:
            files['sys/net/ipv4/tcp_max_orphans'] = '8192\n'
        for name, text in files.items():
            for path in (name, 'self/' + name) if name.startswith('net') else (name,):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='ascii') as f:
                    f.write(text)
        return root

    def assert_summary(self, text, scrape, overview=('established', 'closed', 'orphaned',
                                                     'time_wait')):
        """TEXT is what ss -s printed."""
        total = int(re.search(r'^Total: (\d+)', text, re.M)[1])
        self.assertEqual(scrape.value('sockstat_sockets_used'), total)
        line = re.search(r'\(estab (\d+), closed (\d+), orphaned (\d+), timewait (\d+)\)', text)
        for name, value in zip(('established', 'closed', 'orphaned', 'time_wait'), line.groups()):
            shown = scrape.value('sockstat_tcp_overview_' + name)
            self.assertEqual(shown, int(value) if name in overview else None, name)
        shown = scrape.by('sockstat_protocol_sockets', 'protocol', 'family')
        for protocol in ('raw', 'udp', 'tcp', 'frag'):
            both, v4, v6 = words(re.search(rf'^{protocol.upper()}\s+(.*)$', text, re.M)[1])
            self.assertEqual((shown[protocol, 'ipv4'], shown[protocol, 'ipv6']), (v4, v6))
            self.assertEqual(both, v4 + v6)
        inet = words(re.search(r'^INET\s+(.*)$', text, re.M)[1])[0]
        self.assertEqual(inet, sum(n for (protocol, _), n in shown.items()
                                   if protocol in ('raw', 'udp', 'tcp')))

    def test_both_read_the_same_files(self):
        root = self.tree()
        text = namespace.run('ss', '-s', env={**os.environ, 'PROC_ROOT': root})
        d = self.daemon(flags=('--path.procfs=' + root,))
        scrape = d.wait_polls()
        self.assert_summary(text, scrape)
        self.assertEqual(scrape.by('sockstat_protocol_memory_bytes', 'protocol'),
                         {'tcp': 12 * PAGE, 'udp': 3 * PAGE, 'frag': 82})
        self.assertEqual(scrape.value('sockstat_tcp_overview_closed'), 90 - 30 - 11 + 17)
        d.stop()

    def test_outside_the_initial_namespace_what_is_host_wide_is_absent(self):
        root = self.tree(initial=False)
        text = namespace.run('ss', '-s', env={**os.environ, 'PROC_ROOT': root})
        d = self.daemon(flags=('--path.procfs=' + root,))
        self.assert_summary(text, d.wait_polls(), ('established', 'time_wait'))
        d.stop()

    def test_live(self):
        self.keep(*states.make_all(namespace.IPV4)[1], *states.make_all(namespace.IPV6)[1])
        d = self.daemon()
        def attempt():
            before = namespace.run('ss', '-s')
            scrape = d.wait_polls()
            return (before, scrape) if namespace.run('ss', '-s') == before else None
        text, scrape = d.wait_until(attempt, 'the sockets to hold still')
        self.assert_summary(text, scrape, ('established', 'time_wait'))
        d.stop()


class Counters(truth.Case):
    """The kernel's own counters, and what it allows."""

    def test_counters_are_those_of_nstat(self):
        self.keep(*states.make_all(namespace.IPV4)[1])
        d = self.daemon(daemon.FAST)
        def attempt():
            # The daemon's own scrapes move segments, so their counters are held between two looks.
            before = {name: sstool.netstat(mib) for name, mib in NETSTAT.items()}
            scrape = d.wait_polls()
            after = {name: sstool.netstat(mib) for name, mib in NETSTAT.items()}
            return before, scrape, after
        before, scrape, after = attempt()
        for name in NETSTAT:
            shown = scrape.value(f'sockstat_netstat_{name}_total')
            self.assertLessEqual(before[name], shown, name)
            self.assertLessEqual(shown, after[name], name)
        self.assertGreater(before['listen_drops'], 0)
        d.stop()

    def test_limits_are_those_of_sysctl(self):
        namespace.sysctl('ipv4.ip_local_port_range', '20000 20099')
        d = self.daemon(flags=('--web.listen-address=:17625',))
        scrape = d.wait_polls()
        for name, key in LIMITS.items():
            value = sysctl(key)
            self.assertEqual(scrape.value('sockstat_limit_' + name), value and value[0], name)
        self.assertEqual(scrape.value('sockstat_limit_ephemeral_ports'), 100)
        for protocol in ('tcp', 'udp'):
            value = sysctl(f'net.ipv4.{protocol}_mem')
            shown = scrape.by(f'sockstat_limit_{protocol}_memory_bytes', 'level')
            expected = {} if value is None else dict(
                zip(('low', 'pressure', 'high'), (n * PAGE for n in value)))
            self.assertEqual(shown, expected)
        d.stop()

    def test_once_has_the_kernels_counters(self):
        out = namespace.run(daemon.executable(), '--once', '--config.file=/dev/null')
        self.assertRegex(out, r'(?m)^sockstat_netstat_tcp_active_opens_total \d+$')
        self.assertRegex(out, r'(?m)^sockstat_limit_somaxconn \d+$')


if __name__ == '__main__':
    truth.main()
