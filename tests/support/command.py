# SPDX-License-Identifier: Apache-2.0
"""The case of tests that run sockstatd as a command and look at what it says and returns."""
import os
import shutil
import subprocess
import tempfile

import daemon
import truth


class Case(truth.Case):
    """Each test has a directory of its own as well."""

    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix='sockstatd-test-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        """A path in the directory."""
        return os.path.join(self.directory, name)

    def file(self, name, text):
        """Writes a file there; its path. Surrogates become the bytes that they stand for."""
        with open(self.path(name), 'w', encoding='utf-8', errors='surrogateescape') as f:
            f.write(text)
        return self.path(name)

    def sockstatd(self, *arguments, wrap=(), env=None):
        """Runs it to its end."""
        return subprocess.run((*wrap, daemon.executable(), *arguments), capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False,
                              timeout=daemon.PATIENCE_SECONDS, env={**os.environ, **(env or {})})
