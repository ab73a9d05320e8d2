# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus, and a real Alertmanager with somebody to tell, in the namespace of a test."""
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.parse

import daemon

PORT = 9090
ALERTMANAGER_PORT = 9093
WEBHOOK_PORT = 9099


class Server:
    """A program that answers HTTP, until the `with` block ends."""

    def __init__(self, port, directory, *command):
        self.port = port
        self._log = open(os.path.join(directory, os.path.basename(command[0]) + '.log'), 'w+b')
        self._process = subprocess.Popen(('setpriv', '--pdeathsig', 'KILL', *command),
                                         stdin=subprocess.DEVNULL, stdout=self._log,
                                         stderr=self._log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def log(self):
        """What it has written."""
        with open(self._log.name, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait(self, probe, what, patience=daemon.PATIENCE_SECONDS):
        """daemon.eventually(), as long as it runs."""
        def alive_probe():
            if self._process.poll() is not None:
                raise daemon.DaemonError(f'it ended:\n{self.log()}')
            return probe()
        return daemon.eventually(alive_probe, what, patience)


class Prometheus(Server):
    """CONFIG is its file; what it refers to lies in DIRECTORY. OPTIONS: of its command line."""

    def __init__(self, directory, config, *options):
        path = os.path.join(directory, 'prometheus.yml')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(config)
        super().__init__(PORT, directory, os.environ['PROMETHEUS'], '--config.file=' + path,
                         '--storage.tsdb.path=' + os.path.join(directory, 'tsdb'),
                         f'--web.listen-address=127.0.0.1:{PORT}', *options)

    def query(self, expression):
        """What it answers now; empty as long as it does not."""
        try:
            path = '/api/v1/query?query=' + urllib.parse.quote(expression)
            _, _, body = daemon.get(path, PORT)
            return json.loads(body)['data']['result']
        except (OSError, ValueError, KeyError):
            return []

    def ask(self, path, **parameters):
        """The data that the API answers; DaemonError says what is wrong with a query."""
        path = f'/api/v1/{path}?' + urllib.parse.urlencode(parameters, doseq=True)
        answer = json.loads(daemon.get(path, PORT)[2])
        if answer['status'] != 'success':
            raise daemon.DaemonError(f'{answer["error"]}: {parameters}')
        return answer['data']

    def query_range(self, expression, seconds):
        """Its series over the last seconds, second by second."""
        now = time.time()
        return self.ask('query_range', query=expression, start=now - seconds, end=now,
                        step=1)['result']

    def wait_query(self, expression, patience=daemon.PATIENCE_SECONDS):
        """Waits until the answer is not empty."""
        return self.wait(lambda: self.query(expression), f'Prometheus to know {expression}',
                         patience)


class Alertmanager(Server):
    """Tells a webhook at once, which keeps what it is told."""

    CONFIG = f'''
route: {{receiver: test, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: test
    webhook_configs: [{{url: "http://127.0.0.1:{WEBHOOK_PORT}/", send_resolved: true}}]
'''

    def __init__(self, directory):
        path = os.path.join(directory, 'alertmanager.yml')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(self.CONFIG)
        self.told = told = []

        class Webhook(http.server.BaseHTTPRequestHandler):
            """Appends the alerts of each notification."""

            def do_POST(self):  # pylint: disable=invalid-name
                """A notification."""
                body = self.rfile.read(int(self.headers['Content-Length']))
                told.extend(json.loads(body)['alerts'])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Says nothing."""

        self._webhook = http.server.HTTPServer(('127.0.0.1', WEBHOOK_PORT), Webhook)
        threading.Thread(target=self._webhook.serve_forever, daemon=True).start()
        super().__init__(ALERTMANAGER_PORT, directory, os.environ['ALERTMANAGER'],
                         '--config.file=' + path, '--storage.path=' + directory + '/am',
                         f'--web.listen-address=127.0.0.1:{ALERTMANAGER_PORT}',
                         '--cluster.listen-address=')

    def __exit__(self, *_):
        super().__exit__()
        self._webhook.shutdown()
        self._webhook.server_close()

    def wait_told(self, status, patience=daemon.PATIENCE_SECONDS):
        """Waits for the first alert of this status, "firing" or "resolved"."""
        def probe():
            return next((alert for alert in self.told if alert['status'] == status), None)
        return self.wait(probe, f'an alert that is {status}', patience)
