#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way once, everything at the same time: fit for a build that watches the threads."""
import signal
import threading

import daemon
import namespace
import truth

SCRAPERS = 4
SCRAPES = 25
CONFIGS = (daemon.FAST, daemon.FAST + 'metrics: {profile: extended}\n', 'no: such key\n',
           daemon.FAST + 'limits: {ports: 2, series: 1000}\n',
           daemon.FAST + 'web: {listen_addresses: [":17625", "127.0.0.1:18000"]}\n')


class Smoke(truth.Case):
    """Scrapes, connections, reloads and the end, all at once."""

    def scrape_often(self, failures):
        try:
            for n in range(SCRAPES):
                path = ('/metrics', '/-/ready', '/', '/metrics')[n % 4]
                status, _, body = daemon.get(path)
                if status != 200:
                    failures.append(f'{path}: {status}')
                if path == '/metrics':
                    daemon.Scrape(body)
        except Exception as e:  # whatever it is, the main thread must hear of it
            failures.append(repr(e))

    def test_everything_at_once(self):
        d = self.daemon()
        failures = []
        scrapers = [threading.Thread(target=self.scrape_often, args=(failures,))
                    for _ in range(SCRAPERS)]
        with namespace.Churn(namespace.IPV4, 5000), namespace.Churn(namespace.MAPPED, 5001):
            for thread in scrapers:
                thread.start()
            for config in CONFIGS * 2:
                d.write_config(config)
                d.process.send_signal(signal.SIGHUP)
                d.wait_polls('listeners')
            for thread in scrapers:
                thread.join()
        self.assertEqual(failures, [])
        d.reload(daemon.FAST)
        self.assert_states_agree(d)
        d.stop()


if __name__ == '__main__':
    truth.main()
