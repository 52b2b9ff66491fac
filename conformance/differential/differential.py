"""Sends the same random requests to a real Gnocchi and to tsdb, and compares the answers value by value.

Runs in episodes of some hundred requests; after each both servers are emptied by requests. Ends with code 1 if a
difference is in none of explained.py's reasons.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

import ask_aggregates  # noqa: E402
import ask_measures  # noqa: E402
import ask_policies  # noqa: E402
import ask_resources  # noqa: E402
import ask_search  # noqa: E402
import ask_wrong  # noqa: E402
import compare  # noqa: E402
import explained  # noqa: E402
import postgres  # noqa: E402
import report  # noqa: E402
from wire import Peer, Request  # noqa: E402
from world import World  # noqa: E402

# How often each kind of request is made.
WEIGHTS = [
    (ask_policies.create_policy, 2), (ask_policies.change_policy, 1), (ask_policies.read_policies, 1), (ask_policies.delete_policy, 0.3),
    (ask_policies.rules, 1.5), (ask_policies.create_type, 1.2), (ask_policies.change_type, 2), (ask_policies.read_types, 0.7),
    (ask_policies.delete_type, 0.4), (ask_resources.create, 4), (ask_resources.read, 2), (ask_resources.change, 5),
    (ask_resources.delete, 0.6), (ask_resources.listing, 3), (ask_resources.history, 2), (ask_resources.create_metric, 2),
    (ask_resources.resource_metrics, 2), (ask_resources.one_metric, 0.6), (ask_resources.list_metrics, 1), (ask_measures.add, 5),
    (ask_measures.batch, 3), (ask_measures.batch_resources, 4), (ask_measures.read, 8), (ask_measures.read_named, 2),
    (ask_measures.search, 2), (ask_aggregates.legacy, 5), (ask_aggregates.legacy_resources, 3), (ask_aggregates.by_id, 12),
    (ask_aggregates.by_name, 8), (ask_aggregates.with_history, 2), (ask_search.search, 8), (ask_search.bulk_delete, 0.3), (ask_wrong.route, 3),
]
SPOILERS = [(ask_wrong.content, 0.02), (ask_wrong.negotiation, 0.02), (ask_wrong.authorization, 0.01), (ask_wrong.wrong_member, 0.04)]

# What each episode begins with.
OPENING = [ask_policies.create_policy] * 5 + [ask_policies.rule_for_all] + [ask_policies.create_type] * 2 + [ask_resources.create] * 6 + \
    [ask_resources.create_metric] * 6 + [ask_measures.batch] * 3 + [ask_measures.batch_resources] * 3


class Original:
    """The real Gnocchi: its process and its database."""

    def __init__(self, scratch):
        self.database = postgres.Postgres(scratch)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        data = os.path.join(scratch, 'gnocchi')
        os.mkdir(data)
        self.log = os.path.join(scratch, 'gnocchi.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                [sys.executable, str(pathlib.Path(__file__).with_name('reference.py')), '--index', self.database.url, '--data', data,
                 '--port', str(self.port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, PYTHONHASHSEED='0'))  # it walks sets: in one order in all runs

    def wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit('differential: Gnocchi does not start\n' + open(self.log).read()[-3000:])
            try:
                urllib.request.urlopen('http://127.0.0.1:%d/' % self.port, timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        sys.exit('differential: Gnocchi does not answer')

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.database.stop()


class Run:
    """Both servers, and everything found so far."""

    def __init__(self, original, ours, verbose, trace):
        self.original, self.ours, self.verbose, self.trace = original, ours, verbose, trace
        self.ids = compare.Ids()
        self.results = report.Results()
        self.last = None

    def exchange(self, request):
        """Sends one request to both; returns both answers and in what they differ."""
        theirs = self.original.send(request)
        ours = self.ours.send(request, self.ids.ours)
        found = compare.Comparison(request, theirs, ours, self.ids).found
        reasons = [explained.explain(self.last if request.family == 'state' else request, theirs, ours, line) for line in found]
        self.results.add(request, theirs, found, reasons)
        if self.trace:
            print('%s %s\n%s\n  %s\n  %s' % (request.family, request, request.encoded(), theirs, ours), file=self.trace)
            print(''.join('  [%s] %s\n' % (e and e.title, line) for line, e in zip(found, reasons)), file=self.trace)
        unknown = [line for line, e in zip(found, reasons) if e is None]
        if unknown and self.verbose:
            print('DIFFERENT [%s] %s' % (request.family, request))
            if request.family == 'state' and self.last:
                print('     after %s' % self.last)
            for line in unknown[:4]:
                print('     ' + line)
            print(flush=True)
        return theirs, ours, found

    def empty(self):
        """Removes everything from both servers."""
        for peer in (self.original, self.ours):
            def ask(method, path, body=None):
                return peer.send(Request('', method, path, body=body))

            for path, key in [('/v1/resource/generic', 'id'), ('/v1/metric', 'id'), ('/v1/archive_policy_rule', 'name'), ('/v1/archive_policy', 'name'),
                              ('/v1/resource_type', 'name')]:
                for item in ask('GET', path).body or []:
                    if item[key] != 'generic':
                        ask('DELETE', '%s/%s' % (path, item[key]))
            left = [ask('GET', path).body for path in ('/v1/resource/generic', '/v1/metric', '/v1/archive_policy')]
            if left != [[], [], []]:
                sys.exit('differential: %s is not empty after an episode: %.500r' % (peer.name, left))
        self.ids = compare.Ids()


def episode(run, seed, length, skip):
    """One episode; ends early when the servers' states have parted."""
    w = World(random.Random(seed))
    opening = [make for make in OPENING if make.__name__ not in skip]
    makers, weights = zip(*[(make, n) for make, n in WEIGHTS if make.__name__ not in skip])
    for i in range(length):
        make = opening[i] if i < len(opening) else w.random.choices(makers, weights)[0]
        w.faults = 0
        request = make(w)
        if i >= len(opening):
            for spoil, probability in SPOILERS:
                if not (spoil is ask_wrong.authorization and request.changes()) and w.fault(probability):
                    request = spoil(w, request)
        request.faults, request.grown = w.faults, w.touches_grown(request)
        if request.changes():
            run.last = request
        theirs, ours, found = run.exchange(request)
        if request.changes():
            parted = (theirs.status < 300) != (ours.status < 300) or theirs.status < 300 and found and '/archive_policy' in request.path
            if not learn(run, w, request, theirs) or parted or ask_search.deletes_by_type(request, theirs):
                run.results.parted += 1
                if run.verbose:
                    print('PARTED by %s: %d, tsdb %d' % (str(request)[:300], theirs.status, ours.status))
                return
        if 'link' in theirs.headers and theirs.status == 200 and w.chance(0.5):
            follow(run, request, theirs)


def learn(run, w, request, theirs):
    """Brings the world up to date with what the original has now; returns whether tsdb has the same."""
    if theirs.status >= 300 and not request.path.startswith('/v1/batch/'):
        return True
    body = theirs.body
    if request.path.startswith('/v1/archive_policy_rule'):
        if isinstance(body, dict) and 'name' in body:
            w.rules[body['name']] = True
        return True
    if request.path.startswith('/v1/archive_policy'):
        w.learn_policy(body)
        if request.method == 'DELETE':
            w.policies.pop(request.path.split('/')[-1], None)
        return True
    if request.path.startswith('/v1/resource_type'):
        if isinstance(body, dict) and 'attributes' in body:
            w.types[body['name']] = body['attributes']
        if request.method == 'DELETE':
            w.types.pop(request.path.split('/')[-1], None)
    resources, _, parted = run.exchange(Request('state', 'GET', '/v1/resource/generic', [('details', 'true')], unordered=True))
    w.resources.clear()
    for r in resources.body:
        w.learn_resource(r)
    metrics, _, also = run.exchange(Request('state', 'GET', '/v1/metric', unordered=True))
    w.metrics.clear()
    # in an order that ids, which are chosen anew in each run, have no part in
    for m in sorted(metrics.body, key=lambda m: (m['resource_id'] or '', m['name'] or '')):
        w.learn_metric(m)
    return not parted and not also


def follow(run, request, theirs):
    """Asks for the next page, by the link of the original."""
    url = compare.known(theirs.headers['link']).split('>')[0].lstrip('<')
    parts = urllib.parse.urlsplit(url)
    run.exchange(Request('pages', request.method, urllib.parse.unquote(parts.path), urllib.parse.parse_qsl(parts.query), request.body,
                         request.user, request.headers, request.unordered))


def run_seed(a, seed):
    """Runs one seed between two servers of its own; returns what was found."""
    signal.signal(signal.SIGTERM, lambda *args: sys.exit('differential: ended'))  # and the servers with it
    with tempfile.TemporaryDirectory(prefix='tsdb-differential-') as scratch:
        original = Original(scratch)
        server = harness.Server(a.tsdb, scratch, ['--no-default-policies', '--sync', 'interval'])
        try:
            original.wait()
            server.start()
            run = Run(Peer('Gnocchi', original.port), Peer('tsdb', server.port), a.v, a.trace and open('%s.%d' % (a.trace, seed), 'w'))
            while run.results.total < a.requests:
                episode(run, '%d.%d' % (seed, run.results.episodes), a.length, a.skip)
                run.empty()
                run.results.episodes += 1
            server.stop()
        except harness.Difference as err:
            sys.exit('differential: %s\n%s' % (err, server.log_tail()))
        finally:
            server.kill()
            original.stop()
    return run.results


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the server command')
    p.add_argument('--seeds', type=int, nargs='+', default=[time.time_ns() % 1_000_000 + i for i in range(3)])
    p.add_argument('--requests', type=int, default=2000, help='at least so many with each seed')
    p.add_argument('--jobs', type=int, default=2, help='so many seeds at a time')
    p.add_argument('--length', type=int, default=250, help='requests of an episode')
    p.add_argument('--skip', nargs='*', default=[], help='functions of the ask_ modules that are not to be used')
    p.add_argument('--report', help='file to write the report to')
    p.add_argument('--trace', help='files to write every request and both answers to, one for each seed')
    p.add_argument('-v', action='store_true', help='show each difference that is not explained')
    a = p.parse_args()
    print('differential: seeds %s' % ' '.join(map(str, a.seeds)), flush=True)
    began = time.monotonic()
    results = report.Results()
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as jobs:
        for found in jobs.map(run_seed, [a] * len(a.seeds), a.seeds):
            results.merge(found)
    text = results.text(a.seeds, a.requests, time.monotonic() - began)
    print(text)
    if a.report:
        pathlib.Path(a.report).write_text(text)
    return 1 if results.unknown else 0


if __name__ == '__main__':
    sys.exit(main())
