"""Gnocchi's own API tests against tsdb: each of its files over HTTP against a server of its own on an empty directory.

Fails unless every test passes or stands in explained.txt; what stands there and passes is a failure as well, so that the
list cannot grow old. The tests themselves belong to the installed gnocchi package.
"""

import argparse
import importlib.util
import json
import pathlib
import sys
import tempfile
import time
import unittest
import warnings

import yaml
from gabbi import handlers, suitemaker

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import harness  # noqa: E402

# What the tests expect of the server they meet: no policies, pages of seven, one origin that browsers may come from.
FLAGS = ['--no-default-policies', '--max-limit', '7', '--cors-origin', 'http://foobar.com', '--proxy-headers']

# The one file that was written for a server below a prefix meets what a proxy says that has cut the prefix off.
PREFIXED = {'http-proxy-to-wsgi': {'X-Forwarded-Prefix': '/gnocchi'}}


class NotANumber:
    """The value of the tests' YAML tag !AssertNAN: equal to a NaN and to nothing else."""

    def __eq__(self, other):
        return isinstance(other, float) and other != other

    def __repr__(self):
        return 'NaN'


yaml.SafeLoader.add_constructor('!AssertNAN', lambda loader, node: NotANumber())


class Outcome(unittest.TestResult):
    """Remembers what became of each test: None if it passed, else why not."""

    def __init__(self):
        super().__init__()
        self.why = {}

    def addSuccess(self, test):
        self.why[test] = None

    def addFailure(self, test, err):
        # the first word counts: a test whose clean-up fails as well is reported twice
        self.why.setdefault(test, '%s: %s' % (err[0].__name__, err[1]))

    addError = addFailure

    def addSkip(self, test, reason):
        self.why[test] = 'skipped: ' + reason

    def addExpectedFailure(self, test, err):
        self.why[test] = None

    def addUnexpectedSuccess(self, test):
        # the original fails this test, which its authors know; doing better is no fault
        self.why[test] = None


def folder():
    """The folder of the tests in the installed package, which is not imported: that would take all it depends on."""
    package = importlib.util.find_spec('gnocchi').submodule_search_locations[0]
    return pathlib.Path(package, 'tests', 'functional', 'gabbits')


def explained():
    """Reads explained.txt: a line `file: test` for each failure that is not ours, its reason indented below."""
    names = {}
    for line in (HERE / 'explained.txt').read_text().splitlines():
        if line.startswith('#') or not line.strip():
            continue
        if line[0].isspace():
            names[last] = (names[last] + ' ' + line.strip()).strip()
        else:
            last = line.strip()
            names[last] = ''
    bare = [n for n, why in names.items() if not why]
    if bare:
        sys.exit('suite: explained.txt gives no reason for ' + '; '.join(bare))
    return names


def tests_of(path, port):
    """The tests of one file, to be run in order."""
    with open(path, encoding='utf-8') as f:
        content = yaml.safe_load(f)
    headers = content.setdefault('defaults', {}).setdefault('request_headers', {})
    headers.update(PREFIXED.get(path.stem, {}))
    for test in [content['defaults'], *content['tests']]:
        if 'poll' in test:
            # answers are there at once; what a poll still waits for would not come later either
            test['poll'] = {'count': 2, 'delay': 0.1}
    return suitemaker.test_suite_from_dict(
        unittest.TestLoader(), path.stem, content, str(path.parent), '127.0.0.1', port, None, None,
        handlers=[h() for h in handlers.RESPONSE_HANDLERS])


def run_file(path, tsdb):
    """Runs one file against a fresh server; yields (test, reason) with reason None for what passed."""
    with tempfile.TemporaryDirectory(prefix='tsdb-suite-') as scratch:
        server = harness.Server(tsdb, scratch, FLAGS)
        server.start()
        try:
            tests, outcome = tests_of(path, server.port), Outcome()
            cases = list(tests)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                tests.run(outcome)
            server.stop()
        except harness.Difference as err:
            sys.exit('suite: %s: %s\n%s' % (path.stem, err, server.log_tail()))
        finally:
            server.kill()
    for case in cases:
        yield case, outcome.why.get(case, 'did not run')


def show(case, reason):
    """Prints what was asked and what came."""
    data, answer = case.test_data, getattr(case, 'response', None) or {}
    print('      %s %s' % (data['method'], getattr(case, 'full_url', data['url'])))
    if data['data'] != '':
        print('      sent   %s' % json.dumps(data['data'], ensure_ascii=False, default=str)[:1000])
    print('      status %s, expected %s' % (answer.get('status'), data['status']))
    for name, value in sorted(answer.items()):
        if name not in ('status', 'reason', 'date'):
            print('      %s: %s' % (name, value))
    print('      body   %s' % str(getattr(case, 'output', ''))[:2000])
    print('      %s\n' % reason[:2000].replace('\n', '\n      '))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the server command')
    p.add_argument('-v', action='store_true', help='show what was sent and answered where a test fails')
    p.add_argument('files', nargs='*', help='names of test files, without .yaml (default: all)')
    a = p.parse_args()
    reasons, began = explained(), time.monotonic()
    passed, failed, excused, stale = 0, [], [], []
    for path in sorted(folder().glob('*.yaml')):
        if a.files and path.stem not in a.files:
            continue
        good = bad = 0
        for case, reason in run_file(path, a.tsdb):
            name = '%s: %s' % (path.stem, case.test_data['name'])
            if reason is None:
                good += 1
                stale += [name] * (name in reasons)
                continue
            bad += 1
            (excused if name in reasons else failed).append(name)
            if name not in reasons:
                print('suite: FAILED %s' % name)
                if a.v:
                    show(case, reason)
        passed += good
        print('suite: %-32s %3d passed %3d failed' % (path.stem, good, bad), flush=True)
    for name in excused:
        print('suite: explained: %s: %s' % (name, reasons[name]))
    for name in stale:
        print('suite: explained.txt lists what passes: %s' % name)
    print('suite: %d passed, %d failed, %d of them explained, in %.0f s'
          % (passed, len(failed) + len(excused), len(excused), time.monotonic() - began))
    if passed == 0:
        sys.exit('suite: no test was run')
    return 1 if failed or stale else 0


if __name__ == '__main__':
    sys.exit(main())
