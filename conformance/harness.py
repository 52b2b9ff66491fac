"""A tsdb server of our own, the gnocchi command line, and the counting of comparisons."""

import ast
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request


class Difference(Exception):
    """What the client showed is not what it must show."""


class Server:
    """tsdb serve on one directory and one loopback port; start and stop as often as needed."""

    def __init__(self, tsdb, directory, flags=()):
        self.tsdb = tsdb
        self.flags = flags
        self.directory = directory
        self.process = None
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.endpoint = 'http://127.0.0.1:%d' % self.port

    def start(self):
        self.log = open(os.path.join(self.directory, 'serve.log'), 'ab')
        self.process = subprocess.Popen(
            [self.tsdb, 'serve', '--data', os.path.join(self.directory, 'data'),
             '--listen', '127.0.0.1:%d' % self.port, *self.flags],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while True:
            if self.process.poll() is not None:
                raise Difference('tsdb serve ended with code %d' % self.process.returncode)
            try:
                with urllib.request.urlopen(self.endpoint + '/healthz', timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    raise Difference('tsdb serve does not answer') from None
                time.sleep(0.05)

    def stop(self, sig=signal.SIGTERM):
        """Ends the process with the signal and returns its exit code."""
        if self.process is None:
            return None
        self.process.send_signal(sig)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Difference('tsdb serve does not stop') from None
        finally:
            self.process = None
            self.log.close()
        return code

    def kill(self):
        """Ends the process at once, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.log.close()

    def log_tail(self):
        with open(os.path.join(self.directory, 'serve.log'), errors='replace') as f:
            return ''.join(f.readlines()[-20:])


class Checker:
    """Compares, counts, and stops at the first difference."""

    def __init__(self):
        self.lock = threading.Lock()
        self.commands = 0
        self.facts = 0
        self.numbers = 0

    def equal(self, what, got, want):
        if got != want:
            raise Difference('%s:\n  got  %r\n  want %r' % (what, got, want))
        with self.lock:
            self.facts += 1

    def measures(self, what, got, want):
        """Compares lists of (timestamp, granularity, value), every value bit for bit."""
        for i, (g, w) in enumerate(zip(got, want)):
            # repr tells -0.0 from 0.0 and is exact
            if repr(g) != repr(w):
                raise Difference('%s, point %d of %d:\n  got  %r\n  want %r' % (what, i, len(want), g, w))
        if len(got) != len(want):
            raise Difference('%s: got %d points, want %d' % (what, len(got), len(want)))
        with self.lock:
            self.numbers += len(want)


class Client:
    """The gnocchi command line, as one user of one server."""

    def __init__(self, gnocchi, endpoint, user, checker, refresh=False):
        self.gnocchi = gnocchi
        self.checker = checker
        self.show = ['measures', 'show', '--utc'] + ['--refresh'] * refresh
        self.options = ['--os-auth-type', 'gnocchi-basic', '--user', user, '--endpoint', endpoint]
        # no configuration of the machine may leak in, and times are shown in UTC
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(('OS_', 'GNOCCHI_')) and not k.lower().endswith('_proxy')}
        self.env.update(TZ='UTC', PYTHONWARNINGS='ignore', PYTHONUTF8='1')

    def run(self, *args):
        with self.checker.lock:
            self.checker.commands += 1
        return subprocess.run([self.gnocchi, *self.options, *args], env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)

    def do(self, *args):
        """Runs a command that prints nothing and must succeed."""
        r = self.run(*args)
        if r.returncode != 0:
            raise Difference('gnocchi %s: exit %d\n%s%s' % (' '.join(args), r.returncode, r.stdout, r.stderr))
        return r.stdout

    def json(self, *args):
        """Runs a command that must succeed and returns what it shows."""
        return json.loads(self.do(*args, '-f', 'json'))

    def measures(self, *args):
        """measures show, as a list of (timestamp, granularity, value)."""
        return [(m['timestamp'], m['granularity'], m['value']) for m in self.json(*self.show, *args)]

    def fails(self, status, message, *args):
        """Runs a command that must fail with this HTTP status and message: a text, or a dictionary in any order."""
        r = self.run(*args)
        said = (r.stderr.strip().splitlines() or [''])[-1]
        text, _, http = said.rpartition(' (')
        if isinstance(message, dict):
            try:
                text = ast.literal_eval(text)
            except (SyntaxError, ValueError):
                pass  # it is no dictionary, and that is what the comparison shows
        self.checker.equal('gnocchi %s' % ' '.join(args), (text, http, r.returncode != 0),
                           (message, 'HTTP %d)' % status, True))
