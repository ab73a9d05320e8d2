# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the text format 0.0.4.

Stricter than Prometheus: what it lets pass is in the one form that this project promises, so that
each scrape of each test is a test of the format too.
"""
import decimal
import math
import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
SAMPLE = re.compile(rf'({NAME})(?:\{{(.+)\}})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
META = re.compile(rf'# (HELP|TYPE) ({NAME}) (.+)')
ESCAPE = re.compile(r'\\(["\\n])')
TYPES = ('counter', 'gauge', 'histogram')
HISTOGRAM_SUFFIXES = ('_bucket', '_sum', '_count')


class FormatError(Exception):
    """What the text does that the format, or our promise, forbids."""


def go_float(value):
    """The value as Go's strconv prints it with format 'g' and precision −1."""
    if math.isnan(value):
        return 'NaN'
    if math.isinf(value):
        return '+Inf' if value > 0 else '-Inf'
    if value == 0:
        return '0'
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text = ''.join(map(str, digits))
    power = len(text) + exponent - 1
    minus = '-' if sign else ''
    if -4 <= power < 6:
        return minus + format(abs(decimal.Decimal(repr(value)).normalize()), 'f')
    fraction = '.' + text[1:] if len(text) > 1 else ''
    return f'{minus}{text[0]}{fraction}e{"-" if power < 0 else "+"}{abs(power):02d}'


def go_bound(value):
    """The value of an `le` label: a float that looks like one."""
    text = go_float(value)
    return text if math.isinf(value) or '.' in text or 'e' in text else text + '.0'


class Family:
    """One metric: what its HELP and TYPE say, and its samples in their order."""

    def __init__(self, name):
        self.name = name
        self.help = None
        self.type = None
        self.samples = []  # (sample's name, {label: value}, value)
        self.created = []  # ({label: value}, seconds) of OpenMetrics

    def owns(self, sample):
        """Whether a sample of this name belongs to this family."""
        if self.type == 'histogram':
            return any(sample == self.name + suffix for suffix in HISTOGRAM_SUFFIXES)
        return sample == self.name


def parse(text):
    """The families of an exposition by name. FormatError names the line at fault."""
    if text and not text.endswith('\n'):
        raise FormatError('the last line does not end')
    families = {}
    current = None
    for number, line in enumerate(text.split('\n')[:-1], 1):
        try:
            current = _parse_line(line, families, current)
        except FormatError as e:
            raise FormatError(f'line {number}: {e}: {line!r}') from None
    for family in families.values():
        _check_family(family)
    return families


UNIT = re.compile(rf'# UNIT ({NAME}) (\S+)')


def _plain_family(lines, number):
    """The head of an OpenMetrics family at lines[number], as HELP and TYPE of the format 0.0.4; and
    how many lines it has."""
    meta = re.fullmatch(rf'# TYPE ({NAME}) (\S+)', lines[number])
    if not meta:
        raise FormatError(f'a family that does not begin with TYPE: {lines[number]!r}')
    name, kind = meta.groups()
    used = 1
    unit = UNIT.fullmatch(lines[number + used])
    if unit:
        used += 1
        if unit[1] != name or not name.endswith('_' + unit[2]):
            raise FormatError(f'{name}: a UNIT that its name does not end with: {unit[2]}')
    explanation = re.fullmatch(rf'# HELP {name} ((?:[^"\\]|\\["\\n])+)', lines[number + used])
    if not explanation:
        raise FormatError(f'{name}: no HELP, or one that is not escaped')
    if kind == 'counter':
        if name.endswith('_total'):
            raise FormatError(f'{name}: a family that ends in _total')
        name += '_total'
    explanation = explanation[1].replace('\\"', '"')
    return [f'# HELP {name} {explanation}', f'# TYPE {name} {kind}'], used + 1


def parse_openmetrics(text):
    """The same of OpenMetrics 1.0.0, of which we use what the format 0.0.4 has as well."""
    if not text.endswith('\n# EOF\n') or text.count('# EOF') != 1:
        raise FormatError('it does not end with # EOF')
    lines = text.split('\n')[:-2]
    plain, created = [], []
    number = 0
    while number < len(lines):
        used = 1
        if lines[number].startswith('#'):
            head, used = _plain_family(lines, number)
            plain += head
            name, kind = head[1].split()[2:]
        elif re.match(name.removesuffix('_total') + '_created[{ ]', lines[number]) \
                and kind in ('counter', 'histogram'):
            created.append((name, lines[number], lines[number - 1]))
        else:
            plain.append(lines[number])
        number += used
    families = parse('\n'.join(plain) + '\n')
    for name, line, before in created:
        families[name].created.append(_parse_created(line, before))
    return families


def _parse_created(line, before):
    """What a _created LINE says, which follows the last of the samples that it is about."""
    match, sample = SAMPLE.fullmatch(line), SAMPLE.fullmatch(before)
    if not match or not sample or match[2] != sample[2]:
        raise FormatError(f'{line!r} after {before!r}')
    return _parse_labels(match[2] or ''), _parse_value(match[3])


def _parse_line(line, families, current):
    if line.startswith('#'):
        return _parse_meta(line, families, current)
    match = SAMPLE.fullmatch(line)
    if not match:
        raise FormatError('neither sample nor HELP nor TYPE')
    name, labels, value = match.groups()
    if current is None or current.type is None or not current.owns(name):
        raise FormatError('a sample away from its HELP and TYPE')
    current.samples.append((name, _parse_labels(labels or ''), _parse_value(value)))
    return current


def _parse_meta(line, families, current):
    match = META.fullmatch(line)
    if not match:
        raise FormatError('a comment that is neither HELP nor TYPE')
    kind, name, rest = match.groups()
    if kind == 'HELP':
        if name in families:
            raise FormatError('a family twice, or apart')
        families[name] = Family(name)
        families[name].help = rest
        return families[name]
    if current is None or current.name != name or current.type is not None:
        raise FormatError('TYPE that does not follow its HELP')
    if rest not in TYPES:
        raise FormatError('an unknown type')
    current.type = rest
    return current


def _parse_labels(text):
    labels = {}
    place = 0
    while place < len(text):
        match = LABEL.match(text, place)
        if not match or (match[3] == ',' and match.end() == len(text)):
            raise FormatError('labels that do not parse')
        if match[1] in labels:
            raise FormatError('a label twice')
        labels[match[1]] = ESCAPE.sub(lambda m: '\n' if m[1] == 'n' else m[1], match[2])
        place = match.end()
    return labels


def _parse_value(text):
    try:
        value = float(text)
    except ValueError:
        raise FormatError('a value that is no number') from None
    if text != go_float(value):
        raise FormatError(f'a value that Go would print {go_float(value)}')
    return value


def _key(name, labels):
    return name, frozenset(labels.items())


def _check_family(family):
    name = family.name
    if family.type is None:
        raise FormatError(f'{name}: no TYPE')
    if (family.type == 'counter') != name.endswith('_total'):
        raise FormatError(f'{name}: a counter, and only a counter, ends in _total')
    seen = set()
    for sample, labels, value in family.samples:
        if _key(sample, labels) in seen:
            raise FormatError(f'{name}: a series twice: {sample}{labels}')
        seen.add(_key(sample, labels))
        if family.type == 'counter' and not value >= 0:
            raise FormatError(f'{name}: a counter of {value}')
    if family.type == 'histogram':
        _check_histogram(family)


def _check_histogram(family):
    """Each group: its buckets ascending and cumulative, +Inf equal to _count, then _sum."""
    samples = list(family.samples)
    while samples:
        base = {k: v for k, v in samples[0][1].items() if k != 'le'}
        buckets = []
        while samples and samples[0][0] == family.name + '_bucket':
            _, labels, value = samples.pop(0)
            if {k: v for k, v in labels.items() if k != 'le'} != base or 'le' not in labels:
                raise FormatError(f'{family.name}: a bucket apart from its group: {labels}')
            buckets.append((labels['le'], value))
        rest = dict((name, value) for name, labels, value in samples[:2] if labels == base)
        del samples[:2]
        if set(rest) != {family.name + '_sum', family.name + '_count'}:
            raise FormatError(f'{family.name}: {base} has not its _sum and _count together')
        _check_buckets(family.name, buckets, rest[family.name + '_count'])


def _check_buckets(name, buckets, count):
    bounds = [float(le) for le, _ in buckets]
    if bounds != sorted(set(bounds)) or not bounds or not math.isinf(bounds[-1]):
        raise FormatError(f'{name}: bounds that do not ascend to +Inf: {bounds}')
    if [le for le, _ in buckets] != [go_bound(bound) for bound in bounds]:
        raise FormatError(f'{name}: bounds that Go would print otherwise: {buckets}')
    counts = [value for _, value in buckets]
    if counts != sorted(counts) or counts[-1] != count:
        raise FormatError(f'{name}: buckets that are not cumulative to {count}: {buckets}')
