#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alerts and rules of dashboards/: they are what their sources render, they do what their unit
tests say, each has a section in the runbook, and they ask for what the daemon exports.

    test_rules.py ROOT SOCKSTATD PROMTOOL
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT, SOCKSTATD, PROMTOOL = sys.argv[1:4]
RENDERED = ('alerts.yaml', 'rules.yaml')
BOARDS = 'dashboards_out'
SERIES = re.compile(r'\b(?:sockstat_|sockstatd_)\w+|\b\w+:\w+:\w+')
SUFFIXES = re.compile('_(bucket|sum|count)$')


def read(*path):
    """The text of a file below the root."""
    with open(os.path.join(ROOT, *path), encoding='utf-8') as f:
        return f.read()


def alerts_of(text):
    """{alert: its lines}"""
    parts = re.split(r'(?m)^ +- alert: "(.*)"$', text)
    return dict(zip(parts[1::2], parts[2::2]))


class Rules(unittest.TestCase):
    """What can be said of them without a daemon that runs."""

    maxDiff = None

    def test_they_are_what_the_sources_render(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run((os.path.join(ROOT, 'scripts', 'update-dashboards'), directory),
                           check=True)
            boards = sorted(os.listdir(os.path.join(directory, BOARDS)))
            self.assertGreater(len(boards), 0)
            self.assertEqual(sorted(os.listdir(os.path.join(ROOT, 'dashboards', BOARDS))), boards)
            for name in (*RENDERED, *(os.path.join(BOARDS, board) for board in boards)):
                with open(os.path.join(directory, name), encoding='utf-8') as f:
                    self.assertEqual(f.read(), read('dashboards', name),
                                     'scripts/update-dashboards puts it right')

    def test_promtool_has_nothing_to_say(self):
        paths = [os.path.join(ROOT, 'dashboards', name) for name in RENDERED]
        for command in (('check', 'rules', '--lint=all', '--lint-fatal', *paths),
                        ('test', 'rules',
                         os.path.join(ROOT, 'tests', 'dashboards', 'alerts_test.yaml'))):
            result = subprocess.run((PROMTOOL, *command), stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout)

    def test_each_alert_is_complete(self):
        alerts = alerts_of(read('dashboards', 'alerts.yaml'))
        self.assertGreater(len(alerts), 10)
        sections = re.findall(r'(?m)^## (\w+)$', read('dashboards', 'runbook.md'))
        self.assertEqual(sections, list(alerts), 'the runbook has each, in their order')
        tests = read('tests', 'dashboards', 'alerts_test.yaml')
        for name, text in alerts.items():
            self.assertRegex(text, r'severity: "(critical|warning|info)"', name)
            self.assertRegex(text, r'summary: "(?:[A-Z]|sockstatd )[^{}]*\."', name)
            self.assertRegex(text, r'description: ".*\$labels.*\."', name)
            self.assertIn(f'runbook_url: "runbook.md#{name.lower()}"', text, name)
            self.assertIn(name, tests, 'it has a unit test')

    def test_they_ask_for_what_there_is(self):
        catalogue = subprocess.run((SOCKSTATD, '--list-metrics'), check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
        there = {line.split('\t')[0] for line in catalogue.splitlines()[1:]}
        there |= set(re.findall(r'record: "(.*)"', read('dashboards', 'rules.yaml')))
        for name in RENDERED:
            expressions = re.findall(r'(?ms)^ +(?:- )?expr: (?:\|\n(.*?)(?=^ {8}\w)|(.*?)$)',
                                     read('dashboards', name))
            asked = {word for pair in expressions for text in pair for word in SERIES.findall(text)}
            self.assertGreater(len(asked), 4, name)
            self.assertEqual({word for word in asked
                              if word not in there and SUFFIXES.sub('', word) not in there}, set())


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
