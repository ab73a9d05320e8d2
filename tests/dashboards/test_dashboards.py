#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboards of dashboards/: the rules of Grafana's linter hold, each of which can fail; they ask
for what the daemon exports or our rules record; they fit together.

    test_dashboards.py ROOT SOCKSTATD PROMTOOL
"""
import copy
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import dashboard_lint as lint
import grafana

ROOT, SOCKSTATD, PROMTOOL = sys.argv[1:4]
BOARDS = grafana.boards(os.path.join(ROOT, 'dashboards', 'dashboards_out'))
WIDTH = 24
OF_PROMETHEUS = {'up', 'ALERTS'}
OF_GRAFANA = {'__all', '__data', '__field', '__range', '__rate_interval', '__url_time_range',
              '__value'}
HISTOGRAM_SUFFIXES = re.compile('_(bucket|sum|count)$')


@functools.lru_cache(maxsize=None)
def complain(expressions):
    """What promtool says of them, taken for rules."""
    groups = {'groups': [{'name': 'x', 'rules': [{'record': f'x:{number}:x', 'expr': text}
                                                 for number, text in enumerate(expressions)]}]}
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as f:
        json.dump(groups, f)  # which YAML is
        f.flush()
        result = subprocess.run((PROMTOOL, 'check', 'rules', '--lint=none', f.name), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return (result.stdout,) if result.returncode != 0 else ()


def faults(rule, board):
    """What a rule finds."""
    judge = lint.RULES[rule]
    if judge is lint.target_promql:
        return list(judge(board, lambda texts: complain(tuple(texts))))
    return list(judge(board))


def first(board, kind):
    """The first panel of a type."""
    return next(panel for panel in grafana.panels(board) if panel['type'] == kind)


def query_of(board, text, kind='timeseries'):
    """Puts a query in the place of the first of a panel."""
    first(board, kind)['targets'][0]['expr'] = text


def thresholds(part):
    """The steps of each, wherever they are."""
    if isinstance(part, list):
        for each in part:
            yield from thresholds(each)
    elif isinstance(part, dict):
        for key, each in part.items():
            if key == 'steps' and isinstance(each, list):
                yield each
            else:
                yield from thresholds(each)


def loki(text):
    """Breaks a dashboard by a query of Loki."""
    def spoil(board):
        target = first(board, 'timeseries')['targets'][0]
        target['datasource'] = {'type': 'loki', 'uid': '$datasource'}
        target['expr'] = text
    return spoil


def variable(which, **changes):
    """Changes a variable."""
    return lambda board: grafana.variables(board)[which].update(changes)


def panel(which='timeseries', **changes):
    """Changes a panel."""
    return lambda board: first(board, which).update(changes)


def query(text, kind='timeseries'):
    """Changes a query."""
    return lambda board: query_of(board, text, kind)


MATCHED = 'job=~"$job", instance=~"$instance"'
# A change, and the rule that it breaks.
BROKEN = (
    ('template-datasource-rule', variable('datasource', name='source')),
    ('template-datasource-rule', variable('datasource', label='Source')),
    ('template-datasource-rule', variable('datasource', type='custom')),
    ('template-job-rule', variable('job', multi=False)),
    ('template-job-rule', variable('job', name='jobs')),
    ('template-job-rule', variable('job', datasource={'uid': 'mine'})),
    ('template-instance-rule', variable('instance', allValue='.*')),
    ('template-instance-rule', variable('instance', label='Host')),
    ('template-label-promql-rule', variable('port', query={'query': 'values(up, port)'})),
    ('template-on-time-change-reload-rule', variable('port', refresh=1)),
    ('panel-datasource-rule', panel(datasource={'type': 'prometheus', 'uid': 'mine'})),
    ('panel-title-description-rule', panel(title='')),
    ('panel-title-description-rule', panel(description='')),
    ('panel-title-description-rule', panel('stat', description='')),
    ('panel-units-rule', panel(fieldConfig={'defaults': {}, 'overrides': []})),
    ('panel-units-rule', panel(fieldConfig={'defaults': {'unit': 'parsecs'}, 'overrides': []})),
    ('panel-units-rule', panel('stat', fieldConfig={
        'defaults': {'unit': 's'}, 'overrides': [{'properties': [{'id': 'unit', 'value': 'x'}]}]})),
    ('panel-no-targets-rule', panel(targets=[])),
    ('target-logql-rule', loki('count_over_time(({app="x"}[$__auto])')),
    ('target-logql-rule', loki('error')),
    ('target-logql-auto-rule', loki('count_over_time({app="x"}[5m])')),
    ('target-promql-rule', query('sum(up{%s}' % MATCHED)),
    ('target-promql-rule', query('sum by (le) (up{%s}) or or up{%s}' % (MATCHED, MATCHED))),
    ('target-rate-interval-rule', query('rate(process_cpu_seconds_total{%s}[5m])' % MATCHED)),
    ('target-rate-interval-rule', query('rate(process_cpu_seconds_total{%s}[$__range])' % MATCHED)),
    ('target-job-rule', query('up{instance=~"$instance"}')),
    ('target-job-rule', query('up{job="$job", instance=~"$instance"}')),
    ('target-job-rule', query('up{%s} + up{instance=~"$instance"}' % MATCHED)),
    ('target-instance-rule', query('up{job=~"$job"}')),
    ('target-instance-rule', query('up{%s} and on () sum(up)' % MATCHED)),
    ('target-instance-rule', query('vector(1)')),
    ('target-counter-agg-rule', query('sum(process_cpu_seconds_total{%s})' % MATCHED)),
    ('target-counter-agg-rule',
     query('deriv(process_cpu_seconds_total{%s}[$__rate_interval])' % MATCHED)),
    ('uneditable-dashboard', lambda board: board.update(editable=True)),
)


class Lint(unittest.TestCase):
    """The seventeen rules."""

    def test_they_hold(self):
        self.assertEqual(len(lint.RULES), 17)
        self.assertEqual(len(BOARDS), 4)
        for name, board in BOARDS.items():
            for rule in lint.RULES:
                self.assertEqual(faults(rule, board), [], f'{name}: {rule}')

    def test_each_can_fail(self):
        self.assertEqual({rule for rule, _ in BROKEN}, set(lint.RULES))
        for number, (rule, spoil) in enumerate(BROKEN):
            board = copy.deepcopy(BOARDS['sockstatd-overview.json'])
            spoil(board)
            self.assertNotEqual(faults(rule, board), [], f'{rule}, {number}')


class Boards(unittest.TestCase):
    """What else can be said of them without a Grafana."""

    maxDiff = None

    def test_they_ask_for_what_there_is(self):
        catalogue = subprocess.run((SOCKSTATD, '--list-metrics'), check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
        rows = [line.split('\t') for line in catalogue.splitlines()[1:]]
        types = {row[0]: row[1] for row in rows}
        with open(os.path.join(ROOT, 'dashboards', 'rules.yaml'), encoding='utf-8') as f:
            recorded = set(re.findall(r'record: "(.*)"', f.read()))
        for board in BOARDS.values():
            texts = [(place, query['expr']) for place, _, query in grafana.queries(board)]
            texts += [(name, each['definition']) for name, each in grafana.variables(board).items()
                      if each['type'] == 'query']
            for place, text in texts:
                for name, *_ in lint.calls(text):
                    base = HISTOGRAM_SUFFIXES.sub('', name)
                    self.assertTrue(name in types or name in recorded | OF_PROMETHEUS or
                                    types.get(base) == 'histogram', f'{place}: {name}')

    def test_a_histogram_is_asked_for_in_either_form(self):
        for board in BOARDS.values():
            for place, panel_, query_ in grafana.queries(board):
                names = [name for name, *_ in lint.calls(query_['expr'])]
                buckets = [name for name in names if name.endswith('_bucket')]
                for name in buckets:
                    self.assertIn(name.removesuffix('_bucket'), names, place)
                    either = 'or on ()' if panel_['type'] == 'heatmap' else 'or\n'
                    self.assertIn(either, query_['expr'], place)

    def test_panels_lie_side_by_side(self):
        for name, board in BOARDS.items():
            taken, ids = set(), set()
            for each in board['panels']:
                place = each['gridPos']
                cells = {(x, y) for x in range(place['x'], place['x'] + place['w'])
                         for y in range(place['y'], place['y'] + place['h'])}
                self.assertFalse(cells & taken, f'{name}: {each["title"]}')
                self.assertTrue(all(0 <= x < WIDTH for x, _ in cells), f'{name}: {each["title"]}')
                taken |= cells
                ids.add(each['id'])
            self.assertEqual(len(ids), len(board['panels']))

    def test_colors_and_steps_are_what_grafana_takes(self):
        for name, board in BOARDS.items():
            found = list(thresholds(board))
            self.assertGreater(len(found), 0)
            for steps in found:
                self.assertIsNone(steps[0]['value'], name)
                values = [step['value'] for step in steps[1:]]
                self.assertEqual(sorted(values), values, name)
                self.assertEqual({type(step['color']) for step in steps}, {str}, name)

    def test_variables_and_links_lead_somewhere(self):
        self.assertEqual(len({board['uid'] for board in BOARDS.values()}), len(BOARDS))
        for name, board in BOARDS.items():
            self.assertLessEqual({'datasource', 'job', 'instance', 'port'},
                                 set(grafana.variables(board)), name)
            text = json.dumps(board)
            uids = set(re.findall(r'/d/([\w-]+)\?', text))
            self.assertLessEqual(uids, {other['uid'] for other in BOARDS.values()}, name)
            known = OF_GRAFANA | set(grafana.variables(board))
            self.assertLessEqual(set(grafana.VARIABLE.findall(text)), known, name)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
