#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The strict reader of the suite itself: it must refuse what it is there to refuse."""
import unittest

import exposition

GAUGE = '# HELP a Some text.\n# TYPE a gauge\n'
COUNTER = '# HELP a_total Some text.\n# TYPE a_total counter\n'
HISTOGRAM = '# HELP h Some text.\n# TYPE h histogram\n'
BUCKETS = 'h_bucket{le="0.5"} 1\nh_bucket{le="1.0"} 2\nh_bucket{le="+Inf"} 3\n'

GOOD = (
    '', GAUGE, GAUGE + 'a 1\n', GAUGE + 'a{x="\\\\ \\" \\n"} -0.5\na{x="y"} NaN\n',
    COUNTER + 'a_total{x="1",y="2"} 1e+06\n', HISTOGRAM + BUCKETS + 'h_sum 2.5\nh_count 3\n',
)
BAD = {
    'no end of line': GAUGE + 'a 1',
    'an empty line': GAUGE + '\na 1\n',
    'no TYPE': '# HELP a Some text.\na 1\n',
    'no HELP': '# TYPE a gauge\na 1\n',
    'a family in two places': GAUGE + 'a 1\n' + COUNTER + 'a_total 1\n' + GAUGE + 'a{x="1"} 1\n',
    'a sample of another family': GAUGE + 'b 1\n',
    'a series twice': GAUGE + 'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n',
    'a label twice': GAUGE + 'a{x="1",x="2"} 1\n',
    'a comma at the end': GAUGE + 'a{x="1",} 1\n',
    'a space between labels': GAUGE + 'a{x="1", y="2"} 1\n',
    'an escape that is none': GAUGE + 'a{x="\\t"} 1\n',
    'a quote not escaped': GAUGE + 'a{x="""} 1\n',
    'a timestamp': GAUGE + 'a 1 1700000000000\n',
    'a value that is none': GAUGE + 'a one\n',
    'a value in another form': GAUGE + 'a 1.0\n',
    'a long value in another form': GAUGE + 'a 1000000\n',
    'a counter without _total': GAUGE.replace('gauge', 'counter') + 'a 1\n',
    'a gauge with _total': COUNTER.replace('counter', 'gauge') + 'a_total 1\n',
    'a counter below 0': COUNTER + 'a_total -1\n',
    'an untyped family': GAUGE.replace('gauge', 'untyped') + 'a 1\n',
    'no +Inf': HISTOGRAM + 'h_bucket{le="1.0"} 1\nh_sum 1\nh_count 1\n',
    '+Inf that is not the count': HISTOGRAM + BUCKETS + 'h_sum 2.5\nh_count 4\n',
    'buckets that fall': HISTOGRAM + BUCKETS.replace('} 2', '} 0') + 'h_sum 2.5\nh_count 3\n',
    'bounds that descend': HISTOGRAM + BUCKETS.replace('0.5', '2.0') + 'h_sum 2.5\nh_count 3\n',
    'a bound in another form': HISTOGRAM + BUCKETS.replace('1.0', '1') + 'h_sum 2.5\nh_count 3\n',
    'no sum': HISTOGRAM + BUCKETS + 'h_count 3\n',
    'a group in two places': HISTOGRAM + BUCKETS + 'h_sum{x="1"} 1\nh_count 3\n',
}
NUMBERS = {0.0: '0', 1.0: '1', 999999.0: '999999', 1e6: '1e+06', 1234567.0: '1.234567e+06',
           1e-4: '0.0001', 5e-5: '5e-05', 0.1: '0.1', -2.5: '-2.5', 1e21: '1e+21',
           float('inf'): '+Inf', 100.0: '100'}


class Reader(unittest.TestCase):
    """Tables of what it takes and what it does not."""

    def test_good_text_is_read(self):
        for text in GOOD:
            with self.subTest(text):
                exposition.parse(text)

    def test_bad_text_is_refused(self):
        for name, text in BAD.items():
            with self.subTest(name), self.assertRaises(exposition.FormatError):
                exposition.parse(text)

    def test_numbers_are_printed_as_go_prints_them(self):
        for value, text in NUMBERS.items():
            self.assertEqual(exposition.go_float(value), text)

    def test_escapes_are_undone(self):
        families = exposition.parse(GOOD[3])
        self.assertEqual(families['a'].samples[0][1], {'x': '\\ " \n'})


if __name__ == '__main__':
    unittest.main()
