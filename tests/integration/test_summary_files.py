#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The files behind the summary, the kernel's counters and the limits, made by the test: each number
is one of its own, so that none can stand for another; and what a file lacks is absent, never 0."""
import os
import re
import shutil
import socket
import tempfile

import daemon
import namespace
import othersocks
import truth
from test_summary import LIMITS, NETSTAT, PAGE

NET = '/proc/self/net/'
OVERVIEW = 'sockstat_tcp_overview_'
SOCKSTAT = ('sockets: used 1009\nTCP: inuse 101 orphan 7 tw 11 alloc 211 mem 19\n'
            'UDP: inuse 23 mem 29\nUDPLITE: inuse 31\nRAW: inuse 37\nFRAG: inuse 41 memory 4300\n')
SOCKSTAT6 = ('TCP6: inuse 47\nUDP6: inuse 53\nUDPLITE6: inuse 59\nRAW6: inuse 61\n'
             'FRAG6: inuse 67 memory 7100\n')
PROTOCOLS = {('tcp', 'ipv4'): 101, ('udp', 'ipv4'): 23, ('udplite', 'ipv4'): 31,
             ('raw', 'ipv4'): 37, ('frag', 'ipv4'): 41, ('tcp', 'ipv6'): 47, ('udp', 'ipv6'): 53,
             ('udplite', 'ipv6'): 59, ('raw', 'ipv6'): 61, ('frag', 'ipv6'): 67}
SYSCTLS = {'core/somaxconn': '4001\n', 'ipv4/tcp_max_syn_backlog': '4003\n',
           'ipv4/tcp_max_orphans': '4007\n', 'ipv4/tcp_max_tw_buckets': '4013\n',
           'ipv4/tcp_syncookies': '2\n', 'ipv4/tcp_abort_on_overflow': '1\n',
           'ipv4/ip_local_port_range': '20000\t20098\n', 'ipv4/tcp_mem': '71\t73\t79\n',
           'ipv4/udp_mem': '83\t89\t97\n'}
LEVELS = ('low', 'pressure', 'high')
HOST = ('sockstat_sockets_used', 'sockstat_protocol_', OVERVIEW, 'sockstat_netstat_',
        'sockstat_limit_')


def distinct(text, start):
    """The text of snmp or netstat with a number of its own, above 32 bits, at each place."""
    counter = iter(range(start, start + 100000))
    lines = text.splitlines()
    for n in range(1, len(lines), 2):
        prefix, *values = lines[n].split()
        lines[n] = ' '.join((prefix, *(str(next(counter)) for _ in values)))
    return '\n'.join(lines) + '\n'


def host_samples(scrape):
    """{(sample, labels): value} of all that comes from these files."""
    return {(sample, frozenset(labels.items())): value
            for name, family in scrape.families.items() if name.startswith(HOST)
            for sample, labels, value in family.samples}


def named(samples, start):
    """Those whose name begins so."""
    return {key for key in samples if key[0].startswith(start)}


class FilesCase(truth.Case):
    """A directory in place of /proc, and a daemon that reads it."""

    def setUp(self):
        super().setUp()
        self.root = tempfile.mkdtemp(prefix='sockstatd-tree-')
        self.addCleanup(shutil.rmtree, self.root)
        # What the kernel has here; the files below take the place of some.
        os.makedirs(self.root + '/self')
        shutil.copytree(NET, self.root + '/self/net', ignore=lambda _, names: [
            n for n in names if not os.path.isfile(NET + n) or not os.access(NET + n, os.R_OK)])
        os.symlink('self/net', self.root + '/net')  # where ss and nstat look
        self.put('self/net/sockstat', SOCKSTAT)
        self.put('self/net/sockstat6', SOCKSTAT6)
        for name, start in (('snmp', 5_000_000_000), ('netstat', 6_000_000_000)):
            with open(NET + name, encoding='ascii') as f:
                self.put('self/net/' + name, distinct(f.read(), start))
        for name, text in SYSCTLS.items():
            self.put('sys/net/' + name, text)

    def put(self, name, text):
        """Writes a file of the tree."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)

    def text(self, name):
        with open(os.path.join(self.root, name), encoding='ascii') as f:
            return f.read()

    def start(self):
        return self.daemon(flags=('--path.procfs=' + self.root,))

    def ran(self, *command):
        """What a command says of the tree."""
        return namespace.run(*command, env={**os.environ, 'PROC_ROOT': self.root})


class Whole(FilesCase):
    """All files are there."""

    def test_each_number_of_the_summary(self):
        d = self.start()
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_sockets_used'), 1009)
        self.assertEqual(scrape.by('sockstat_protocol_sockets', 'protocol', 'family'), PROTOCOLS)
        self.assertEqual(scrape.by('sockstat_protocol_memory_bytes', 'protocol'),
                         {'tcp': 19 * PAGE, 'udp': 29 * PAGE, 'frag': 4300 + 7100})
        said = re.search(r'TCP: +\d+ \(estab -?\d+, closed (\d+), orphaned (\d+), timewait (\d+)\)',
                         self.ran('ss', '-s'))
        for name, value in zip(('closed', 'orphaned', 'time_wait'), said.groups()):
            self.assertEqual(scrape.value(OVERVIEW + name), int(value), name)
        self.assertEqual(scrape.value(OVERVIEW + 'established'), self.current_established())
        d.stop()

    def current_established(self):
        """CurrEstab of the tree, which is more than ss has room for."""
        names, values = [line.split() for line in self.text('self/net/snmp').splitlines()
                         if line.startswith('Tcp:')]
        return int(values[names.index('CurrEstab')])

    def test_each_counter_is_that_of_nstat(self):
        said = dict(re.findall(r'^(\w+) +(\d+) ', self.ran('nstat', '-asz'), re.M))
        expected = {name: int(said[mib]) for name, mib in NETSTAT.items()}
        self.assertEqual(len(set(expected.values())), len(NETSTAT))
        d = self.start()
        scrape = d.wait_polls()
        found = {name: scrape.value(f'sockstat_netstat_{name}_total') for name in NETSTAT}
        self.assertEqual(found, expected)
        self.assertEqual(len(named(host_samples(scrape), 'sockstat_netstat_')), len(NETSTAT))
        for name, mib in NETSTAT.items():
            self.assertIn(mib.removeprefix('TcpExt'),
                          scrape.families[f'sockstat_netstat_{name}_total'].help)
        d.stop()

    def test_each_limit(self):
        d = self.start()
        scrape = d.wait_polls()
        for name, key in LIMITS.items():
            text = self.text('sys/' + key.replace('.', '/'))
            self.assertEqual(scrape.value('sockstat_limit_' + name), int(text), name)
        self.assertEqual(scrape.value('sockstat_limit_ephemeral_ports'), 99)
        for name, pages in (('tcp', (71, 73, 79)), ('udp', (83, 89, 97))):
            self.assertEqual(scrape.by(f'sockstat_limit_{name}_memory_bytes', 'level'),
                             {level: n * PAGE for level, n in zip(LEVELS, pages)})
        d.stop()

    def test_what_changes_is_read_again(self):
        d = self.start()
        d.wait_polls()
        self.put('self/net/sockstat', SOCKSTAT.replace('1009', '2003'))
        self.put('sys/net/core/somaxconn', '11\n')
        scrape = d.wait_polls()
        self.assertEqual(scrape.value('sockstat_sockets_used'), 2003)
        self.assertEqual(scrape.value('sockstat_limit_somaxconn'), 11)
        d.stop()


class Broken(FilesCase):
    """A file is missing, or ends too early, or holds something else."""

    def whole(self):
        """The samples of the whole tree."""
        d = self.start()
        samples = host_samples(d.wait_polls())
        d.stop()
        return samples

    def assert_only_missing(self, whole, keys, what):
        """Just these are absent; the others are what they were."""
        self.assertTrue(keys, what)
        d = self.start()
        samples = host_samples(d.wait_polls())
        self.assertEqual(samples, {k: v for k, v in whole.items() if k not in keys}, what)
        d.stop()

    def test_a_file_that_is_missing(self):
        whole = self.whole()
        of_family = {name: {key for key in named(whole, 'sockstat_protocol_sockets')
                            if ('family', name) in key[1]} for name in ('ipv4', 'ipv6')}
        of_tcp_ext = {key for key in named(whole, 'sockstat_netstat_')
                      if NETSTAT[key[0][len('sockstat_netstat_'):-len('_total')]].startswith(
                          'TcpExt')}
        frag_memory = {key for key in named(whole, 'sockstat_protocol_memory')
                       if ('protocol', 'frag') in key[1]}
        gone = {
            'self/net/sockstat': of_family['ipv4'] | named(whole, 'sockstat_protocol_memory')
            | named(whole, 'sockstat_sockets_used') | named(whole, OVERVIEW + 'closed')
            | named(whole, OVERVIEW + 'orphaned') | named(whole, OVERVIEW + 'time_wait'),
            'self/net/snmp': named(whole, OVERVIEW + 'established')
            | named(whole, 'sockstat_netstat_') - of_tcp_ext,
            'self/net/netstat': of_tcp_ext,
            'sys/net/core/somaxconn': named(whole, 'sockstat_limit_somaxconn'),
            'sys/net/ipv4/tcp_mem': named(whole, 'sockstat_limit_tcp_memory'),
            'sys/net/ipv4/udp_mem': named(whole, 'sockstat_limit_udp_memory'),
            'sys/net/ipv4/ip_local_port_range': named(whole, 'sockstat_limit_ephemeral'),
            # It also says that this is the initial namespace.
            'sys/net/ipv4/tcp_max_orphans': named(whole, 'sockstat_limit_tcp_max_orphans')
            | named(whole, OVERVIEW + 'closed') | named(whole, OVERVIEW + 'orphaned'),
        }
        for name, keys in gone.items():
            text = self.text(name)
            os.unlink(os.path.join(self.root, name))
            self.assert_only_missing(whole, keys, name)
            self.put(name, text)
        # A kernel without IPv6 has no sockstat6: ss then counts IPv4 alone.
        os.unlink(self.root + '/self/net/sockstat6')
        d = self.start()
        samples = host_samples(d.wait_polls())
        self.assertEqual(set(samples) | frag_memory, set(whole) - of_family['ipv6'] | frag_memory)
        d.stop()

    def test_a_file_that_is_cut_anywhere(self):
        """What the rest of it says is right; what is cut off is absent, or what a whole line said
        before; nothing becomes 0 or the first digits of a number."""
        for name in ('sockstat', 'sockstat6', 'snmp', 'netstat'):
            path = f'{self.root}/self/net/{name}'
            text = self.text('self/net/' + name)
            d = self.start()
            whole = host_samples(d.wait_polls())
            step = 7 if len(text) < 1000 else len(text) // 25
            seen = set()
            for length in range(len(text) - 2, -1, -step):
                os.truncate(path, length)
                samples = host_samples(d.wait_polls())
                for key, value in samples.items():
                    if key[0].startswith((OVERVIEW + 'closed', 'sockstat_protocol_memory')) \
                            and name == 'sockstat6':
                        continue  # sums over both families, of which one has gone
                    self.assertEqual(value, whole.get(key), (name, length, key))
                seen.add(len(samples))
            # All names of TcpExt are in one line, and all values in the next.
            self.assertGreaterEqual(len(seen), 2 if name == 'netstat' else 3, name)
            self.assertLess(min(seen), len(whole), name)
            self.put('self/net/' + name, text)
            d.stop()

    def test_what_is_no_number_is_absent(self):
        whole = self.whole()
        for name, text, start in (
                ('sys/net/core/somaxconn', 'many\n', 'sockstat_limit_somaxconn'),
                ('sys/net/core/somaxconn', '', 'sockstat_limit_somaxconn'),
                ('self/net/sockstat', SOCKSTAT.replace('1009', 'x'), 'sockstat_sockets_used')):
            good = self.text(name)
            self.put(name, text)
            self.assert_only_missing(whole, named(whole, start), (name, text))
            self.put(name, good)

    def test_levels_that_are_missing_are_absent(self):
        whole = self.whole()
        for text, absent in (('71\t73\n', {'high'}), ('71\tx\t79\n', {'pressure'}),
                             ('x\n', set(LEVELS)), ('\n', set(LEVELS))):
            self.put('sys/net/ipv4/tcp_mem', text)
            d = self.start()
            samples = host_samples(d.wait_polls())
            lost = set(whole) - set(samples)
            self.assertLessEqual(lost, named(whole, 'sockstat_limit_tcp_memory'), text)
            self.assertLessEqual(absent, {dict(labels)['level'] for _, labels in lost}, text)
            self.assertEqual(samples, {k: v for k, v in whole.items() if k not in lost}, text)
            d.stop()


class Live(othersocks.Case):
    """The namespace's own, where the daemon reads the real /proc."""

    def sockstat(self):
        """{protocol with the digit of IPv6: sockets in use}"""
        text = ''
        for name in ('sockstat', 'sockstat6'):
            with open(NET + name, encoding='ascii') as f:
                text += f.read()
        return {k: int(n) for k, n in re.findall(r'^(\w+): (?:inuse|used) (\d+)', text, re.M)}

    def test_the_sockets_that_the_test_has_made(self):
        d = self.daemon(daemon.FAST)
        before = d.wait_polls()
        for family, address, udp, raw in ((socket.AF_INET, '127.0.0.1', 3, 2),
                                          (socket.AF_INET6, '::1', 7, 6)):
            for n in range(udp):
                self.keep(socket.socket(family, socket.SOCK_DGRAM)).bind((address, 5000 + n))
            for _ in range(raw):
                self.keep(socket.socket(family, socket.SOCK_RAW, 255))
        self.keep(*namespace.IPV4.pair(5000), *namespace.IPV6.pair(5001))
        expected, scrape = self.held_still(d, self.sockstat)
        self.assertEqual(scrape.value('sockstat_sockets_used'), expected.pop('sockets'))
        shown, was = ({(p.upper() + '6' * (f == 'ipv6')): n for (p, f), n in
                       m.by('sockstat_protocol_sockets', 'protocol', 'family').items()}
                      for m in (scrape, before))
        self.assertEqual(shown, expected)
        self.assertEqual({k: n - was[k] for k, n in shown.items() if n != was[k]},
                         {'UDP': 3, 'UDP6': 7, 'RAW': 2, 'RAW6': 6, 'TCP': 3, 'TCP6': 3})
        d.stop()


if __name__ == '__main__':
    truth.main()
