#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a full accept queue to whoever is paged, and back: Prometheus with the rules that are shipped,
but for their durations, and Alertmanager."""
import os
import shutil
import subprocess
import unittest

import daemon
import namespace
import prometheus
import truth

DASHBOARDS = os.environ.get('DASHBOARDS', '')
CONFIG = '''
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml, rules.yaml]
alerting:
  alertmanagers: [{static_configs: [{targets: ["127.0.0.1:%d"]}]}]
scrape_configs:
  - job_name: sockstatd
    static_configs: [{targets: ["127.0.0.1:%d"]}]
''' % (prometheus.ALERTMANAGER_PORT, daemon.PORT)
# Five minutes are long for a test.
HURRY = '{_config+:: {overflowWindow: "15s", overflowFor: "2s"}}'
ALERT = 'SockstatdAcceptQueueOverflow'
# Prometheus looks for its targets every five seconds, and an alert takes its window.
PATIENCE_SECONDS = 60


@unittest.skipUnless(os.environ.get('PROMETHEUS') and os.environ.get('ALERTMANAGER') and
                     shutil.which('jsonnet'), 'Prometheus, Alertmanager or jsonnet is missing')
class Alerting(truth.Case):
    """One listener that overflows, and drains."""

    family = namespace.IPV4

    def render(self, directory):
        """Writes the rules of the mixin, for who is in a hurry."""
        for field, name in (('prometheusAlerts', 'alerts.yaml'), ('prometheusRules', 'rules.yaml')):
            expression = f"std.manifestYamlDoc(((import 'mixin.libsonnet') + {HURRY}).{field})"
            text = subprocess.run(('jsonnet', '-S', '-J', DASHBOARDS, '-e', expression), check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as f:
                f.write(text)

    def test_an_overflow_pages_until_it_is_over(self):
        port = self.family.base
        labels = f'address="{self.family.label}",port="{port}"'
        d = self.daemon()
        listener = self.keep(self.family.listen(port, backlog=2))
        self.render(d.directory)
        with prometheus.Alertmanager(d.directory) as alertmanager, \
                prometheus.Prometheus(d.directory, CONFIG) as p:
            # A counter must have been seen at 0 to have grown.
            p.wait_query(f'count_over_time(sockstat_listener_drops_total{{{labels}}}[1m]) > 2',
                         PATIENCE_SECONDS)
            self.assertEqual(alertmanager.told, [])
            self.keep(*(self.family.connect(port, wait=False) for _ in range(6)))
            alert = alertmanager.wait_told('firing', PATIENCE_SECONDS)
            self.assertEqual(alert['labels']['alertname'], ALERT)
            self.assertEqual(alert['labels']['severity'], 'critical')
            self.assertEqual((alert['labels']['address'], alert['labels']['port']),
                             (self.family.label, str(port)))
            unit = p.query(f'sockstat_listener_info{{{labels}}}')[0]['metric'].get('unit')
            self.assertEqual(alert['labels'].get('unit'), unit)
            self.assertIn(f'{self.family.label}:{port} of 127.0.0.1:{daemon.PORT}, dropped',
                          alert['annotations']['description'])
            # Whoever was refused comes again, and is let in.
            self.keep(*(listener.accept()[0] for _ in range(6)))
            alertmanager.wait_told('resolved', PATIENCE_SECONDS)
            names = {told['labels']['alertname'] for told in alertmanager.told}
            self.assertEqual(names, {ALERT}, 'and nothing else')
        d.stop()


if __name__ == '__main__':
    truth.main()
