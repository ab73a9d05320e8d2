# SPDX-License-Identifier: Apache-2.0
"""What `ss` and /proc say of the sockets of this namespace that are not TCP, and the case of the
tests that hold /metrics against it."""
import collections
import re

import daemon
import namespace
import sstool
import truth

SOURCES = ('netlink', 'procfs')
EXTENDED = daemon.FAST + 'metrics: {profile: extended}\n'
UDP_STATES = {'close': 'unconnected', 'established': 'established'}
PROC_UDP_STATES = {'07': 'unconnected', '01': 'established'}
UNIX_TYPES = {'u_str': 'stream', 'u_dgr': 'dgram', 'u_seq': 'seqpacket'}
UNIX_STATES = {'ESTAB': 'established', 'UNCONN': 'unconnected', 'LISTEN': 'listen'}

# One UDP socket: its local port, its state, the bytes in its queues, its drops.
Udp = collections.namedtuple('Udp', 'port state receive_queue send_queue drops')


def udp():
    """The UDP sockets as `ss` shows them."""
    found = []
    for row in map(sstool.Row, namespace.run('ss', '-HuanmO').splitlines()):
        found.append(Udp(row.local.port, UDP_STATES[row.state], row.receive_queue, row.send_queue,
                         row.skmem['drops']))
    return sorted(found)


def proc_rows(name):
    """The lines of a table of /proc/self/net below its head, in words."""
    with open('/proc/self/net/' + name, encoding='ascii') as f:
        return [line.split() for line in f.readlines()[1:]]


def proc_udp():
    """The same as udp() from /proc."""
    found = []
    for words in proc_rows('udp') + proc_rows('udp6'):
        send, receive = words[4].split(':')
        found.append(Udp(int(words[1].rsplit(':', 1)[1], 16), PROC_UDP_STATES[words[3]],
                         int(receive, 16), int(send, 16), int(words[-1])))
    return sorted(found)


def unix():
    """{(type, state): sockets} as `ss` shows them: names may hold anything, but no line of ss."""
    rows = re.findall(r'^(u_\w+) +([A-Z]+) +\d+ +\d+ ', namespace.run('ss', '-Hxa'), re.M)
    return dict(collections.Counter((UNIX_TYPES[kind], UNIX_STATES[state])
                                    for kind, state in rows if kind in UNIX_TYPES))


def sources(scrape, family):
    """{source: 0 or 1} of a family; empty where it is switched off."""
    return {source: value for (name, source), value
            in scrape.by('sockstatd_source', 'family', 'source').items() if name == family}


class Case(truth.Case):
    """The tests of one source; SOURCE is set by those that are to run."""

    source = 'netlink'

    def start(self, config=daemon.FAST):
        """A daemon that takes its sockets from SOURCE."""
        return self.daemon(config, flags=('--source=' + self.source,))

    def held_still(self, d, look, lane='sockets'):
        """(what LOOK() says, scrape): the same before and after the poll that the scrape shows."""
        def attempt():
            before = look()
            scrape = d.wait_polls(lane)
            return (before, scrape) if look() == before else None
        return d.wait_until(attempt, 'the sockets to hold still for a poll')

    def assert_source(self, scrape, family):
        """The family comes from SOURCE and from nowhere else."""
        self.assertEqual(sources(scrape, family), {name: float(name == self.source)
                                                   for name in SOURCES}, family)
