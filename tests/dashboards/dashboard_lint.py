# SPDX-License-Identifier: Apache-2.0
"""The rules of Grafana's dashboard linter, by their names there, for dashboards of Prometheus.

Each is a function of a dashboard that yields what is wrong. Stricter than theirs where that costs
nothing: every panel is judged, whatever its type. Of PromQL they know selectors, and what encloses
them; whether a query parses, promtool says for all of them at once.
"""
import re

import grafana

DATASOURCES = ('$datasource', '${datasource}')
# Those of Grafana's units that ours need.
UNITS = ('short', 'none', 's', 'bytes', 'decbytes', 'Bps', 'percentunit', 'cps', 'pps', 'reqps',
         'dateTimeFromNow', 'bool_yes_no', 'string')
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r'([a-zA-Z_:][\w:]*)?\{([^{}]*)\}')
# A name that neither braces nor a parenthesis follow, outside of any braces.
BARE = re.compile(r'\b(?:sockstat_|sockstatd_|process_|up\b|ALERTS\b|\w+:\w+:)[\w:]*(?![\w:]*[({])')
RANGE = re.compile(r'\[([^\]]*)\]')
NAMED_VALUES = re.compile(r'(label_names|label_values|metrics|query_result)\((.+)\)')
LOKI = 'loki'


def places(board):
    """(place, panel, query) of each query of a panel that is not hidden."""
    for place, panel, query in grafana.queries(board):
        if panel is not None and not query.get('hide'):
            yield place, panel, query


def promql(board):
    """(place, expression) of each query of Prometheus."""
    for place, _, query in places(board):
        if query.get('datasource', {}).get('type') != LOKI:
            yield place, query['expr']


def logql(board):
    """The same of Loki, of which we have none."""
    for place, _, query in places(board):
        if query.get('datasource', {}).get('type') == LOKI:
            yield place, query['expr']


def calls(expression):
    """[(selector's name, its matchers, its range or None, the functions around it)], outermost
    first. Strings are left where they are; what is in them does not nest."""
    blank = STRING.sub(lambda match: '"' + '_' * (len(match[0]) - 2) + '"', expression)
    found = []
    for match in SELECTOR.finditer(blank):
        matchers = expression[match.start(2):match.end(2)]
        after = RANGE.match(blank, match.end())
        found.append((match[1], matchers, after and after[1], _functions(blank[:match.start()])))
    for match in BARE.finditer(SELECTOR.sub(lambda m: ' ' * len(m[0]), blank)):
        found.append((match[0], '', None, _functions(blank[:match.start()])))
    return found


def _functions(before):
    """The words before the parentheses that are still open."""
    stack = []
    for match in re.finditer(r'(\w*)(\s*(?:by|without)?\s*)\(|\)', before):
        if match[0] == ')':
            stack.pop()
        else:
            stack.append(match[1])
    return stack


def template_datasource(board):
    """There is a data source to choose, called as others call it."""
    chosen = [each for each in board['templating']['list'] if each['type'] == 'datasource']
    if not chosen:
        yield 'no data source can be chosen'
    for each in chosen:
        if each['name'] not in ('datasource', each['query'] + '_datasource'):
            yield f'a data source called {each["name"]}'
        if each['label'] not in ('Data source', each['query'].title() + ' data source'):
            yield f'a data source labelled {each["label"]}'


def _template(board, name):
    variable = grafana.variables(board).get(name)
    if variable is None:
        yield f'no variable {name}'
        return
    for key, wanted in (('type', 'query'), ('label', name.title()), ('multi', True),
                        ('allValue', '.+')):
        if variable.get(key) != wanted:
            yield f'{name}: {key} is {variable.get(key)}'
    if variable.get('datasource', {}).get('uid') not in DATASOURCES:
        yield f'{name}: not of the data source that is chosen'


def template_job(board):
    """Jobs can be chosen."""
    yield from _template(board, 'job')


def template_instance(board):
    """Instances can be chosen."""
    yield from _template(board, 'instance')


def template_label_promql(board):
    """A variable asks for its values in a form that Grafana knows."""
    for name, variable in grafana.variables(board).items():
        if variable['type'] == 'query':
            text = variable['query']['query']
            if not NAMED_VALUES.fullmatch(text) or text != variable['definition']:
                yield f'{name}: {text}'


def template_on_time_change_reload(board):
    """Its values are those of the time that is shown."""
    for name, variable in grafana.variables(board).items():
        if variable['type'] == 'query' and variable.get('refresh') != 2:
            yield f'{name}: refresh is {variable.get("refresh")}'


def panel_datasource(board):
    """Panels, and their queries, ask what is chosen."""
    for panel in grafana.panels(board):
        for asked in (panel, *panel.get('targets', ())):
            if asked.get('datasource', {}).get('uid') not in DATASOURCES:
                yield panel['title']


def panel_title_description(board):
    """A panel says what it is, and what to make of it."""
    for panel in grafana.panels(board):
        if not panel.get('title') or not panel.get('description', '').endswith('.'):
            yield str(panel.get('title'))


def panel_units(board):
    """A number has a unit, in every column of a table."""
    for panel in grafana.panels(board):
        units = [panel['fieldConfig']['defaults'].get('unit')]
        units += [each['value'] for override in panel['fieldConfig']['overrides']
                  for each in override['properties'] if each['id'] == 'unit']
        units += [panel['options']['yAxis'].get('unit')] if panel['type'] == 'heatmap' else []
        for unit in units:
            if unit not in UNITS:
                yield f'{panel["title"]}: {unit}'


def panel_no_targets(board):
    """A panel asks something."""
    for panel in grafana.panels(board):
        if not panel.get('targets'):
            yield panel['title']


def target_logql(board):
    """A query of Loki is one: it begins with a selector, and its parentheses match."""
    for place, expression in logql(board):
        blank = STRING.sub('""', expression)
        if not re.search(r'\{[^{}]+\}', blank) or blank.count('(') != blank.count(')'):
            yield place


def target_logql_auto(board):
    """A range of Loki is $__auto."""
    for place, expression in logql(board):
        if any(text != '$__auto' for text in RANGE.findall(STRING.sub('""', expression))):
            yield place


def target_promql(board, complaints):
    """A query of Prometheus is one. COMPLAINTS(expressions): what a parser says of them."""
    asked = list(promql(board))
    yield from complaints([grafana.expand(text, PARSEABLE) for _, text in asked])


# What a parser takes for the variables.
PARSEABLE = {'__rate_interval': '5m', '__range': '1h', 'job': 'a', 'instance': 'a', 'side': 'a',
             'port': 'a', 'top': '5'}


def target_rate_interval(board):
    """What changes in time is taken over $__rate_interval; how much it was, over what is shown."""
    for place, expression in promql(board):
        for name, _, interval, around in calls(expression):
            allowed = {'increase': ('$__rate_interval', '$__range')}.get(
                around[-1] if around else '', ('$__rate_interval',))
            if interval is not None and interval not in allowed:
                yield f'{place}: {name}[{interval}]'


def _matcher(board, label):
    for place, expression in promql(board):
        found = calls(expression)
        if not found:
            yield f'{place}: it asks for nothing'
        for name, matchers, _, _ in found:
            if f'{label}=~"${label}"' not in re.split(r',\s*', matchers):
                yield f'{place}: {name}'


def target_job(board):
    """A query asks for the jobs that are chosen."""
    yield from _matcher(board, 'job')


def target_instance(board):
    """And for the instances."""
    yield from _matcher(board, 'instance')


def target_counter_agg(board):
    """Of a counter only its growth means anything."""
    for place, expression in promql(board):
        for name, _, interval, around in calls(expression):
            if name and name.endswith('_total') and (
                    interval is None or around[-1:] not in (['rate'], ['irate'], ['increase'])):
                yield f'{place}: {name}'


def uneditable(board):
    """Changed where it is made, and not where it is shown."""
    if board.get('editable') is not False:
        yield 'it can be edited'


RULES = {
    'template-datasource-rule': template_datasource,
    'template-job-rule': template_job,
    'template-instance-rule': template_instance,
    'template-label-promql-rule': template_label_promql,
    'template-on-time-change-reload-rule': template_on_time_change_reload,
    'panel-datasource-rule': panel_datasource,
    'panel-title-description-rule': panel_title_description,
    'panel-units-rule': panel_units,
    'panel-no-targets-rule': panel_no_targets,
    'target-logql-rule': target_logql,
    'target-logql-auto-rule': target_logql_auto,
    'target-promql-rule': target_promql,
    'target-rate-interval-rule': target_rate_interval,
    'target-job-rule': target_job,
    'target-instance-rule': target_instance,
    'target-counter-agg-rule': target_counter_agg,
    'uneditable-dashboard': uneditable,
}
