#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose a listener is: the labels unit, container_id, cgroup and uid of sockstat_listener_info, beside
what `ss --cgroup` says, while listeners, processes and cgroups come, move and go."""
import collections
import errno
import json
import os
import re
import signal
import unittest

import cgroups
import command
import daemon
import exposition
import namespace
import test_fallback
import truth

ADDRESS, PORT = '127.0.0.1', 5000
ID, OTHER_ID = '0123456789abcdef' * 4, 'fedcba9876543210' * 4
UUID = '01234567-89ab-cdef-0123-456789abcdef'
NOBODY = 65534
# The limit of the label `cgroup`, and of a name of the kernel's.
PATH_BYTES, NAME_BYTES = 256, 255
UNPRIVILEGED = ('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups',
                '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs')

Labels = collections.namedtuple('Labels', 'unit container_id cgroup uid', defaults=('', '', '', ''))
INFO = 'sockstat_listener_info'
ACCEPTS = ('text/plain', 'application/openmetrics-text;version=1.0.0',
           'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;'
           'encoding=delimited')
NONE = Labels()
UID_ONLY = Labels(uid='0')

# The cgroup, the unit, and the container's id.
NAMES = (
    ('x.slice/web-7.service', 'web-7.service', ''),
    ('system.slice/ssh.socket', 'ssh.socket', ''),
    ('system.slice/postgresql@15-main.service', 'postgresql@15-main.service', ''),
    (r'system.slice/foo\x2dbar.service', r'foo\x2dbar.service', ''),
    ('user.slice/session-12.scope', 'session.scope', ''),
    ('user.slice/session-c3.scope', 'session.scope', ''),
    ('system.slice/run-u12.service', 'run.service', ''),
    ('system.slice/run-p4711-i815.service', 'run.service', ''),
    ('app.slice/app-gnome-firefox-4711.scope', 'app-gnome-firefox.scope', ''),
    (f'app.slice/vte-spawn-{UUID}.scope', 'vte-spawn.scope', ''),
    (f'app.slice/snap.firefox.firefox-{UUID}.scope', 'snap.firefox.firefox.scope', ''),
    ('user@1000.service/app.slice/foo.service', 'foo.service', ''),
    ('user@1001.service/init.scope', 'user@1001.service', ''),
    (f'system.slice/docker-{ID}.scope', 'docker.scope', ID),
    (f'nested.slice/docker-{ID}.scope/system.slice/nginx.service', 'nginx.service', ID),
    (f'booted.slice/docker-{ID}.scope/init.scope', 'docker.scope', ID),
    (f'machine.slice/libpod-{ID}.scope/container', 'libpod.scope', ID),
    (f'kubepods.slice/pod{UUID}/cri-containerd-{ID}.scope', 'cri-containerd.scope', ID),
    (f'inner.slice/docker-{OTHER_ID}.scope/docker/{ID}', 'docker.scope', ID),
    (f'docker/{ID}', '', ID),
    ('x.slice', '', ''),
    ('name.of/no.unit', '', ''),
)


def ss_says(port, address=ADDRESS):
    """(cgroup, uid) of the listener by `ss`; the cgroup is "" if nobody can reach it."""
    line = namespace.run('ss', '-HltnOe', '--cgroup', f'src {address} and sport = :{port}')
    cgroup, uid = re.search(r'\bcgroup:(\S+)', line), re.search(r'\buid:(\d+)', line)
    if not cgroup:
        raise unittest.SkipTest('ss shows no cgroup')
    return '' if cgroup[1].startswith('unreachable:') else cgroup[1], uid[1] if uid else '0'


class Units(truth.Case):
    """Each test has cgroups of its own."""

    def setUp(self):
        super().setUp()
        reason = cgroups.missing()
        if reason:
            self.skipTest(reason)
        self.tree = cgroups.Tree()
        self.addCleanup(self.tree.close)

    def listen(self, name, port=PORT, address=ADDRESS, uid=0):
        """A listener in the cgroup NAME, which is made unless it is there."""
        return self.keep(self.tree.listen(name, (address, port), uid))

    def expected(self, name, unit, container_id='', uid='0'):
        """The labels of a listener in the cgroup NAME."""
        return Labels(unit, container_id, self.tree.path(name), uid)

    def shown(self, scrape, port=PORT, address=ADDRESS):
        """The labels of the one series that a listener has; None: it has none."""
        self.assert_complete(scrape)
        found = [labels for labels in map(dict, scrape.series(INFO))
                 if (labels['address'], labels['port']) == (address, str(port))]
        return Labels(*(found[0][name] for name in Labels._fields)) if found else None

    def assert_shown(self, scrape, labels, port=PORT, address=ADDRESS):
        """These they are, and cgroup and uid are what `ss` says of the socket."""
        shown = self.shown(scrape, port, address)
        self.assertEqual(shown, labels)
        self.assertEqual((shown.cgroup, shown.uid), ss_says(port, address))

    def wait_shown(self, d, labels, port=PORT, address=ADDRESS):
        """Waits for these labels; their scrape."""
        last = None
        def check(scrape):
            nonlocal last
            last = self.shown(scrape, port, address)
            return last == labels
        try:
            return d.wait_metrics(check, f'the labels {labels}')
        except daemon.DaemonError as e:
            raise AssertionError(f'{last} was last: {e}') from None


class Names(Units):
    """What they are made of. The first scrape knows them all."""

    def test_of_paths(self):
        for n, (name, _, _) in enumerate(NAMES):
            self.listen(name, PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        for n, (name, unit, container_id) in enumerate(NAMES):
            with self.subTest(name):
                self.assert_shown(scrape, self.expected(name, unit, container_id), PORT + n)
        d.stop()

    def test_of_every_family(self):
        for family in namespace.FAMILIES:
            self.listen(f'{family.name}.service', family.base, family.listen_address)
        d = self.daemon()
        scrape = d.scrape()
        for family in namespace.FAMILIES:
            name = f'{family.name}.service'
            self.assertEqual(self.shown(scrape, family.base, family.label),
                             self.expected(name, name), family.name)
        d.stop()

    def test_of_another_user(self):
        self.listen('web.service', uid=NOBODY)
        d = self.daemon()
        self.assert_shown(d.scrape(), self.expected('web.service', 'web.service',
                                                    uid=str(NOBODY)))
        d.stop()

    def test_of_the_cgroup_of_this_very_process(self):
        self.keep(namespace.IPV4.listen(PORT))
        d = self.daemon()
        shown = self.shown(d.scrape())
        self.assertEqual((shown.cgroup, shown.uid), ss_says(PORT))
        d.stop()

    def test_without_a_privilege(self):
        self.listen('web.service', uid=NOBODY)
        self.listen(f'docker-{ID}.scope', PORT + 1)
        d = self.daemon(wrap=UNPRIVILEGED)
        scrape = d.scrape()
        self.assert_shown(scrape, self.expected('web.service', 'web.service', uid=str(NOBODY)))
        self.assert_shown(scrape, self.expected(f'docker-{ID}.scope', 'docker.scope', ID),
                          PORT + 1)
        d.stop()


class Members(Units):
    """Listeners that share a series."""

    def test_two_units(self):
        self.listen('a.service')
        other = self.listen('b.service')
        d = self.daemon()
        scrape = d.scrape()
        self.assertEqual(self.shown(scrape), Labels('multiple', '', 'multiple', '0'))
        self.assertEqual(scrape.value('sockstat_listener_sockets', address=ADDRESS,
                                      port=str(PORT)), 2)
        other.close()
        self.wait_shown(d, self.expected('a.service', 'a.service'))
        self.listen('b.service')
        self.wait_shown(d, Labels('multiple', '', 'multiple', '0'))
        d.stop()

    def test_two_of_one_unit(self):
        for _ in range(2):
            self.listen('a.service')
        d = self.daemon()
        self.assert_shown(d.scrape(), self.expected('a.service', 'a.service'))
        d.stop()

    def test_two_containers(self):
        for each in (ID, OTHER_ID):
            self.listen(f'docker-{each}.scope')
        d = self.daemon()
        self.assertEqual(self.shown(d.scrape()),
                         Labels('docker.scope', 'multiple', 'multiple', '0'))
        d.stop()

    def test_two_of_which_one_has_no_unit(self):
        self.listen('a.service')
        self.listen('none')
        d = self.daemon()
        self.assertEqual(self.shown(d.scrape()), Labels('multiple', '', 'multiple', '0'))
        d.stop()

    def test_two_users(self):
        """Only where ports share a label."""
        namespace.sysctl('ipv4.ip_local_port_range', '40000 40100')
        for port, uid in ((40000, 0), (40001, NOBODY)):
            self.listen('a.service', port, uid=uid)
        d = self.daemon()
        self.assertEqual(self.shown(d.scrape(), 'ephemeral'),
                         self.expected('a.service', 'a.service', uid='multiple'))
        d.stop()


class Life(Units):
    """What comes and goes while the daemon runs."""

    def test_a_listener_that_comes_later_in_a_cgroup_that_is_new(self):
        d = self.daemon()
        d.wait_polls('listeners')
        for n, name in enumerate(('a.slice/a.service', 'b.slice/b-b.slice/b.service', 'c.service')):
            self.listen(name, PORT + n)
            unit = name.rsplit('/', maxsplit=1)[-1]
            scrape = self.wait_shown(d, self.expected(name, unit), PORT + n)
            self.assert_shown(scrape, self.expected(name, unit), PORT + n)
        d.stop()

    def test_a_process_that_moves(self):
        """The socket stays where it was made."""
        process = self.listen('a.service')
        d = self.daemon()
        d.wait_polls('listeners')
        process.move(self.tree.directory('b.service'))
        self.assert_shown(d.wait_polls('listeners'), self.expected('a.service', 'a.service'))
        d.stop()
        d = self.daemon()
        self.assert_shown(d.scrape(), self.expected('a.service', 'a.service'))
        d.stop()

    def test_a_cgroup_that_goes_after_it_was_known(self):
        process = self.listen('a.service')
        d = self.daemon()
        d.wait_polls('listeners')
        process.move(self.tree.directory('b.service'))
        self.tree.remove('a.service')
        self.assertEqual(ss_says(PORT)[0], '')
        self.listen('c.service', PORT + 1)  # for which the daemon must look again
        scrape = self.wait_shown(d, self.expected('c.service', 'c.service'), PORT + 1)
        self.assertEqual(self.shown(scrape), self.expected('a.service', 'a.service'))
        d.stop()

    def test_a_cgroup_that_went_before(self):
        self.listen('a.service', uid=NOBODY).leave()
        self.tree.remove('a.service')
        d = self.daemon()
        self.assert_shown(d.scrape(), Labels(uid=str(NOBODY)))
        self.listen('b.service', PORT + 1)
        scrape = self.wait_shown(d, self.expected('b.service', 'b.service'), PORT + 1)
        self.assert_shown(scrape, Labels(uid=str(NOBODY)))
        d.stop()

    def test_a_cgroup_that_comes_back_by_its_name(self):
        """It is another to the kernel."""
        d = self.daemon()
        for _ in range(3):
            listener = self.listen('a.service')
            self.wait_shown(d, self.expected('a.service', 'a.service'))
            listener.close()
            self.tree.remove('a.service')
            d.wait_polls('listeners')
        d.stop()

    def test_a_listener_that_has_closed(self):
        listener = self.listen(f'docker-{ID}.scope', uid=NOBODY)
        d = self.daemon()
        d.wait_polls('listeners')
        listener.close()
        scrape = d.wait_polls('listeners')
        self.assertEqual(scrape.value('sockstat_listener_sockets', address=ADDRESS,
                                      port=str(PORT)), 0)
        self.assertEqual(self.shown(scrape), self.expected(f'docker-{ID}.scope', 'docker.scope', ID,
                                                           str(NOBODY)))
        self.listen('b.service')
        self.wait_shown(d, self.expected('b.service', 'b.service'))
        d.stop()

    def test_there_is_one_series_at_all_times(self):
        d = self.daemon()
        for n in range(12):
            first, second = (self.listen(f'{n}.service'), self.listen(f'other-{n}.service'))
            for listener, labels in ((second, Labels('multiple', '', 'multiple', '0')),
                                     (first, self.expected(f'{n}.service', f'{n}.service'))):
                d.wait_until(lambda labels=labels: self.shown(d.scrape()) == labels, str(labels))
                listener.close()
        d.stop()


class Bounds(Units):
    """Names that are long, strange or many. A newline is none: the kernel refuses it."""

    def test_any_character(self):
        self.listen('plain.service', PORT)
        names = ('a"b.service', r'a\b.service', 'a\\"\t{b} = 1.service', r'a\n.service',
                 'ä€😀.service')
        for n, name in enumerate(names, 1):
            self.listen(name, PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        for n, name in enumerate(names, 1):
            self.assertEqual(self.shown(scrape, PORT + n), self.expected(name, name))
        self.assert_shown(scrape, self.expected('plain.service', 'plain.service'))
        d.stop()

    def test_bytes_that_are_no_characters(self):
        self.listen('plain.service', PORT)
        for n, name in enumerate((b'a\xffb.service', b'a\xe2\x82.service', b'\xc0\xaf.slice'), 1):
            self.listen(name.decode('utf-8', 'surrogateescape'), PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        shown = [self.shown(scrape, PORT + n) for n in range(4)]
        self.assertEqual(shown[0], self.expected('plain.service', 'plain.service'))
        self.assertRegex(shown[1].unit, r'\Aa[^a-z]+b\.service\Z')
        self.assertRegex(shown[2].unit, r'\Aa[^a-z]+\.service\Z')
        self.assertEqual(shown[3].unit, '')
        for each in shown:
            self.assertTrue(each.cgroup.startswith(self.tree.path('')), each)
        d.stop()

    def test_they_are_the_same_in_every_format(self):
        names = (b'a"b\\c.service', b'a\xffb.service', b'\xc3\xa4' * 100 + b'.service')
        for n, name in enumerate(names):
            self.listen(name.decode('utf-8', 'surrogateescape'), PORT + n)
        d = self.daemon()
        text, openmetrics, protobuf = (
            daemon.fetch('/metrics', headers={'Accept': accept})[2] for accept in ACCEPTS)
        families = exposition.parse_openmetrics(openmetrics.decode())
        owners = [frozenset(labels.items()) for _, labels, _ in families[INFO].samples]
        scrape = daemon.Scrape(text.decode())
        self.assertEqual(set(owners), set(scrape.series(INFO)))
        for n in range(len(names)):
            shown = self.shown(scrape, PORT + n)
            self.assertTrue(shown.unit)
            for value in (shown.unit, shown.cgroup):
                self.assertIn(value.encode(), protobuf)
        d.stop()

    def test_a_long_path(self):
        """The label is cut between two characters, and the unit may lie behind the cut."""
        names = [filler * (NAME_BYTES // len(filler.encode())) + '/web.service'
                 for filler in ('x', 'é', '€', '😀')]
        for n, name in enumerate(names):
            self.listen(name, PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        for n, name in enumerate(names):
            shown = self.shown(scrape, PORT + n)
            self.assertTrue(self.tree.path(name).startswith(shown.cgroup), shown)
            self.assertIn(len(shown.cgroup.encode()), range(PATH_BYTES - 3, PATH_BYTES + 1))
            self.assertEqual(shown._replace(cgroup=''), Labels('web.service', uid='0'))
        d.stop()

    def test_a_path_as_long_as_it_may_be(self):
        top = len(self.tree.path(''))
        names = ['x' * (PATH_BYTES + more - top - len('/a.service')) + '/a.service'
                 for more in (-1, 0, 1)]
        for n, name in enumerate(names):
            self.listen(name, PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        for n, name in enumerate(names):
            self.assertEqual(self.shown(scrape, PORT + n),
                             Labels('a.service', '', self.tree.path(name)[:PATH_BYTES], '0'))
        d.stop()

    def test_among_many(self):
        for n in range(300):
            self.tree.directory(f'{n % 3}.slice/{n}.service')
        names = ('1.slice/150.service', '/'.join('abcdefgh') + '/deep.service')
        for n, name in enumerate(names):
            self.listen(name, PORT + n)
        d = self.daemon()
        scrape = d.scrape()
        self.assert_shown(scrape, self.expected(names[0], '150.service'))
        self.assert_shown(scrape, self.expected(names[1], 'deep.service'), PORT + 1)
        self.listen('2.slice/late.service', PORT + 2)
        self.wait_shown(d, self.expected('2.slice/late.service', 'late.service'), PORT + 2)
        d.stop()


class Settings(Units, command.Case):
    """Who wants no units, and who asks once."""

    def test_units_off_and_on_again(self):
        self.listen('web.service', uid=NOBODY)
        named = self.expected('web.service', 'web.service', uid=str(NOBODY))
        d = self.daemon(daemon.FAST + 'units: off\n')
        d.wait_polls('listeners')
        self.assertEqual(self.shown(d.scrape()), NONE)
        for _ in range(2):
            d.reload(daemon.FAST + 'units: listeners\n')
            self.wait_shown(d, named)
            self.listen('late.service', PORT + 1)
            d.reload(daemon.FAST + 'units: off\n')
            self.wait_shown(d, NONE)
            self.wait_shown(d, NONE, PORT + 1)
        d.reload(daemon.FAST)
        self.wait_shown(d, named)
        d.stop()

    def test_what_is_closed_when_they_are_switched_off(self):
        listener = self.listen('web.service')
        d = self.daemon()
        d.wait_polls('listeners')
        listener.close()
        d.wait_polls('listeners')
        d.reload(daemon.FAST + 'units: off\n')
        self.wait_shown(d, NONE)
        d.stop()

    def test_once(self):
        self.listen('web.service', uid=NOBODY)
        self.listen(f'docker-{ID}.scope', PORT + 1)
        run = self.sockstatd('--once', '--config.file=' + self.file('c.yaml', ''))
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        scrape = daemon.Scrape(run.stdout)
        self.assert_shown(scrape, self.expected('web.service', 'web.service', uid=str(NOBODY)))
        self.assert_shown(scrape, self.expected(f'docker-{ID}.scope', 'docker.scope', ID),
                          PORT + 1)

    def test_once_without(self):
        self.listen('web.service')
        run = self.sockstatd('--once', '--config.file=' + self.file('c.yaml', 'units: off\n'))
        self.assertEqual(self.shown(daemon.Scrape(run.stdout)), NONE)


class Sight(Units, command.Case):
    """What becomes of names that cannot be seen, and what is said of it."""

    INCOMPLETE = 'sockstatd_cgroup_searches_incomplete_total'
    WARNING = 'not all cgroups can be seen'
    WITHOUT = ('unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"',
               'sh')

    def doctor(self, *wrap):
        """The verdict on units, and why."""
        run = self.sockstatd('--doctor', wrap=wrap)
        return re.search(r'^(\w+) +units +(.*)', run.stdout, re.M).groups()

    def test_all(self):
        self.listen('web.service')
        d = self.daemon()
        self.wait_shown(d, self.expected('web.service', 'web.service'))
        self.assertEqual(d.scrape().value(self.INCOMPLETE), 0)
        self.assertNotIn(self.WARNING, d.log())
        self.assertEqual(self.doctor(), ('ok', 'all 2 cgroups of listeners have a name'))
        d.stop()

    def test_what_may_not_be_read(self):
        self.listen('closed.slice/web.service')
        os.chmod(self.tree.directory('closed.slice'), 0)
        d = self.daemon(wrap=UNPRIVILEGED)
        self.assertEqual(self.shown(d.scrape()), UID_ONLY)
        self.assertEqual(d.scrape().value(self.INCOMPLETE), 1)
        self.listen('open.service', PORT + 1)
        self.wait_shown(d, self.expected('open.service', 'open.service'), PORT + 1)
        self.assertEqual(d.log().count(self.WARNING), 1)
        verdict, why = self.doctor(*UNPRIVILEGED)
        self.assertEqual(verdict, 'note')
        self.assertRegex(why, '1 directories of the hierarchy cannot be read')

        os.chmod(self.tree.directory('closed.slice'), 0o755)
        d.process.send_signal(signal.SIGHUP)
        self.wait_shown(d, self.expected('closed.slice/web.service', 'web.service'))
        d.stop()

    def test_a_cgroup_that_was_removed(self):
        listener = self.listen('gone.service')
        listener.leave()
        self.tree.remove('gone.service')
        d = self.daemon()
        self.assertEqual(self.shown(d.scrape()), UID_ONLY)
        self.assertEqual(d.scrape().value(self.INCOMPLETE), 0, 'all there is was seen')
        self.assertRegex(self.doctor()[1], 'the rest was removed or is out of sight')
        d.stop()

    def test_no_hierarchy(self):
        self.listen('web.service')
        d = self.daemon(wrap=self.WITHOUT)
        self.assertEqual(self.shown(d.scrape()), UID_ONLY)
        self.assertEqual(d.scrape().value(self.INCOMPLETE), 0)
        self.assertRegex(self.doctor(*self.WITHOUT)[1], 'no cgroup v2 is mounted')
        d.stop()

    def test_evidence_of_an_overflow(self):
        self.keep(self.tree.listen('web.service', (ADDRESS, PORT), backlog=2))
        d = self.daemon(flags=('--log.format=json',))
        self.wait_shown(d, self.expected('web.service', 'web.service'))
        self.keep(*(namespace.IPV4.connect(PORT, wait=False) for _ in range(6)))
        entry = d.wait_until(lambda: next((line for line in d.log().splitlines()
                                           if 'accept queue overflows' in line), None),
                             'the evidence', patience=40)
        self.assertEqual(json.loads(entry)['unit'], 'web.service')
        d.stop()


class Fallback(Units, test_fallback.Refusable):
    """Where /proc is read, which knows users and no cgroups."""

    def test_from_the_start(self):
        self.listen('web.service')
        self.listen('db.service', PORT + 1, uid=NOBODY)
        d = self.daemon(daemon.FAST + 'source: procfs\n')
        scrape = d.scrape()
        self.assertEqual(self.shown(scrape), UID_ONLY)
        self.assertEqual(self.shown(scrape, PORT + 1), Labels(uid=str(NOBODY)))
        d.stop()

    def test_there_and_back(self):
        self.listen('web.service')
        known = self.expected('web.service', 'web.service')
        d = self.refusable(daemon.FAST)
        self.assert_shown(d.wait_polls('listeners'), known)
        self.refuse(errno.EPERM)
        d.reload(daemon.FAST)
        self.assert_shown(self.wait_source(d, 'procfs'), known)
        self.listen('db.service', PORT + 1, uid=NOBODY)
        self.wait_shown(d, Labels(uid=str(NOBODY)), PORT + 1)
        self.allow()
        d.reload(daemon.FAST)
        scrape = self.wait_source(d, 'netlink')
        self.assert_shown(scrape, known)
        self.wait_shown(d, self.expected('db.service', 'db.service', uid=str(NOBODY)), PORT + 1)
        d.stop()


if __name__ == '__main__':
    truth.main()
