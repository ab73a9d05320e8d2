# SPDX-License-Identifier: Apache-2.0
"""The dashboards that are committed: their panels, and their queries as Grafana would ask them."""
import json
import os
import re

VARIABLE = re.compile(r'\$\{?(\w+)(?::\w+)?\}?')
LABEL_VALUES = re.compile(r'label_values\((.+), (\w+)\)')
LEGEND = re.compile(r'\{\{\s*(\w+)\s*\}\}')


def boards(directory):
    """{file name: dashboard}"""
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), encoding='utf-8') as f:
            found[name] = json.load(f)
    return found


def panels(board):
    """Those that show something, also below a row."""
    for panel in board['panels']:
        for each in (panel, *panel.get('panels', ())):
            if each['type'] != 'row':
                yield each


def variables(board):
    """{name: variable}"""
    return {each['name']: each for each in board['templating']['list']}


def queries(board):
    """(place, panel or None for an annotation, query) of each."""
    for panel in panels(board):
        for target in panel['targets']:
            place = f'{board["title"]} / {panel["title"]} / {target["refId"]}'
            yield place, panel, target
    for annotation in board['annotations']['list']:
        yield f'{board["title"]} / {annotation["name"]}', None, annotation


def expand(text, values):
    """The text with the variables replaced; KeyError names one that there is not."""
    return VARIABLE.sub(lambda match: values[match[1]], text)


def legend(text, labels):
    """The name of a series."""
    return LEGEND.sub(lambda match: labels.get(match[1], ''), text)
