"""The commands of the founding measurement, given to the real gnocchi client, and every number compared."""

import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import harness
import workload

POLICY = '1days_per_sec'
RESOURCE_NAMESPACE = uuid.UUID('0a7a15ff-aa13-4ac2-897c-9bdf30ce175b')


def resource_uuid(name, creator):
    """Specification section 12: ids that are no UUIDs are turned into one, per creator."""
    return str(uuid.uuid5(RESOURCE_NAMESPACE, name + '\x00' + creator))


VM = resource_uuid('vm-1', 'admin')
VM2 = resource_uuid('vm-2', 'admin')
ROUTER = 'c0ffee00-1234-4abc-8def-0123456789ab'


class Run:
    """One run: the steps are its methods, in the order of main."""

    def __init__(self, admin, other, check, scratch, seed):
        self.admin, self.other, self.check, self.scratch = admin, other, check, scratch
        self.series = workload.series(seed)
        self.metrics = {}  # (resource, name) -> id

    # -- archive policies -------------------------------------------------

    def archive_policies(self):
        a, equal = self.admin, self.check.equal
        want = {'name': POLICY, 'back_window': 0,
                'definition': [{'granularity': '0:00:01', 'points': 86400, 'timespan': '1 day, 0:00:00'}],
                'aggregation_methods': sorted(workload.METHODS)}

        def normal(p):
            return dict(p, aggregation_methods=sorted(p['aggregation_methods']))

        methods = [x for m in workload.METHODS for x in ('-m', m)]
        equal('archive-policy create', normal(a.json(
            'archive-policy', 'create', '-d', 'granularity:1s,points:86400', *methods, POLICY)), want)
        equal('archive-policy show', normal(a.json('archive-policy', 'show', POLICY)), want)
        equal('archive-policy list', [normal(p) for p in a.json('archive-policy', 'list') if p['name'] == POLICY], [want])

        # without -m the default methods, and a back window
        p = a.json('archive-policy', 'create', '-b', '2', '-d', 'granularity:5m,timespan:1h',
                   '-d', 'granularity:1h,points:24', 'two-steps')
        equal('default methods', sorted(p['aggregation_methods']), ['count', 'max', 'mean', 'min', 'std', 'sum'])
        equal('completed definition', (p['back_window'], p['definition']), (2, [
            {'granularity': '0:05:00', 'points': 12, 'timespan': '1:00:00'},
            {'granularity': '1:00:00', 'points': 24, 'timespan': '1 day, 0:00:00'}]))
        equal('archive-policy update', a.json(
            'archive-policy', 'update', '-d', 'granularity:5m,points:24', '-d', 'granularity:1h,points:24',
            'two-steps')['definition'][0], {'granularity': '0:05:00', 'points': 24, 'timespan': '2:00:00'})

        rule = {'name': 'network', 'archive_policy_name': POLICY, 'metric_pattern': 'network.*'}
        equal('archive-policy-rule create', a.json(
            'archive-policy-rule', 'create', '-a', POLICY, '-m', 'network.*', 'network'), rule)
        equal('archive-policy-rule show', a.json('archive-policy-rule', 'show', 'network'), rule)

        a.fails(409, 'Archive policy %s already exists' % POLICY,
                         'archive-policy', 'create', '-d', 'granularity:1s,points:86400', POLICY)
        a.fails(400, 'timespan ≠ granularity × points', 'archive-policy', 'create',
                         '-d', 'granularity:1s,points:86400,timespan:1h', 'wrong')
        a.fails(404, 'Archive policy nope does not exist', 'archive-policy', 'show', 'nope')
        a.fails(409, 'Archive policy rule network already exists',
                         'archive-policy-rule', 'create', '-a', POLICY, '-m', '*', 'network')
        a.fails(400, 'Archive policy %s is still in use' % POLICY, 'archive-policy', 'delete', POLICY)
        a.fails(400, 'Archive policy two-steps does not support change: Cannot add or drop granularities',
                         'archive-policy', 'update', '-d', 'granularity:5m,points:24', 'two-steps')

    # -- resources and metrics ---------------------------------------------

    def resources(self):
        a, equal = self.admin, self.check.equal
        r = a.json('resource', 'create', 'vm-1', '-a', 'project_id:telemetry', '-a', 'user_id:jane',
                   '-a', 'started_at:2016-12-31T22:00:00', '-n', 'cpu_util:' + POLICY)
        self.metrics[VM, 'cpu_util'] = r['metrics']['cpu_util']
        want = {'id': VM, 'original_resource_id': 'vm-1', 'type': 'generic', 'project_id': 'telemetry', 'user_id': 'jane',
                'started_at': '2016-12-31T22:00:00+00:00', 'ended_at': None, 'revision_end': None,
                'creator': 'admin', 'created_by_user_id': 'admin', 'created_by_project_id': '',
                'metrics': {'cpu_util': self.metrics[VM, 'cpu_util']}, 'revision_start': r['revision_start']}
        equal('resource create', r, want)
        equal('resource show', a.json('resource', 'show', 'vm-1'), want)
        equal('resource show by UUID', a.json('resource', 'show', VM), want)

        r = a.json('resource', 'create', ROUTER.upper())
        equal('resource create with a UUID', (r['id'], r['original_resource_id'], r['metrics'], r['project_id']),
              (ROUTER, ROUTER.upper(), {}, None))

        a.fails(409, 'Resource %s already exists' % VM, 'resource', 'create', 'vm-1')
        a.fails(404, 'Resource %s does not exist' % VM2, 'resource', 'show', 'vm-2')
        a.fails(400, 'Archive policy nope does not exist', 'resource', 'create', 'vm-2', '-n', 'cpu:nope')
        a.fails(404, 'Resource %s does not exist' % VM2, 'resource', 'show', 'vm-2')

    def create_metrics(self):
        a, equal = self.admin, self.check.equal
        m = a.json('metric', 'create', '--resource-id', 'vm-1', '-a', POLICY, '-u', 'MB', 'memory.usage')
        created = a.json('resource', 'show', 'vm-1')['metrics']['memory.usage']
        self.metrics[VM, 'memory.usage'] = created
        # with a resource the client shows the first metric of the answer, which lists all of the resource
        equal('metric create on a resource', m['id'] in (created, self.metrics[VM, 'cpu_util']), True)
        m = a.json('metric', 'show', '--resource-id', 'vm-1', 'memory.usage')
        equal('metric show', {k: m[k] for k in ('id', 'name', 'unit', 'creator', 'archive_policy/name', 'resource/id')},
              {'id': created, 'name': 'memory.usage', 'unit': 'MB', 'creator': 'admin', 'archive_policy/name': POLICY,
               'resource/id': VM})

        m = a.json('metric', 'create', '-a', POLICY, 'disk.latency')
        self.metrics[None, 'disk.latency'] = m['id']
        equal('metric create', {k: m[k] for k in ('name', 'unit', 'resource_id', 'archive_policy_name')},
              {'name': 'disk.latency', 'unit': None, 'resource_id': None, 'archive_policy_name': POLICY})
        # no policy named: the rule for network.* gives it
        m = a.json('metric', 'create', 'network.incoming.bytes')
        equal('policy by rule', m['archive_policy_name'], POLICY)
        self.metrics[None, 'network.incoming.bytes'] = m['id']

        gone = str(uuid.uuid4())
        a.fails(409, 'Named metric cpu_util already exists',
                'metric', 'create', '--resource-id', 'vm-1', '-a', POLICY, 'cpu_util')
        a.fails(400, 'Archive policy nope does not exist', 'metric', 'create', '-a', 'nope', 'x')
        a.fails(404, 'Metric %s does not exist' % gone, 'metric', 'show', gone)
        a.fails(404, 'Metric nope does not exist', 'metric', 'show', '--resource-id', 'vm-1', 'nope')
        a.fails(404, 'Resource %s does not exist' % VM2, 'metric', 'show', '--resource-id', 'vm-2', 'cpu_util')
        self.other.fails(403, 'Forbidden', 'metric', 'show', m['id'])

    # -- measures ------------------------------------------------------------

    def file(self, content):
        path = os.path.join(self.scratch, 'batch.json')
        with open(path, 'w') as f:
            json.dump(content, f)
        return path

    def slices(self, name, seconds):
        """The measures of a series, cut into stretches of time."""
        cut, edge = [], (workload.START + seconds) * 1_000_000_000
        for t, v in self.series[name]:
            while t >= edge:
                yield cut
                cut, edge = [], edge + seconds * 1_000_000_000
            cut.append({'timestamp': workload.iso(t), 'value': v})
        yield cut

    def write(self):
        a, m = self.admin, self.metrics
        # a first few one by one
        head = self.series['cpu_util'][:60]
        a.do('measures', 'add', m[VM, 'cpu_util'], *[x for t, v in head for x in ('-m', '%s@%r' % (workload.iso(t), v))])
        rest = [{'timestamp': workload.iso(t), 'value': v} for t, v in self.series['cpu_util'][60:]]
        a.do('measures', 'batch-metrics', self.file({m[VM, 'cpu_util']: rest}))

        # a metric by name of its resource, times as numbers
        seconds = [{'timestamp': t // 1_000_000_000, 'value': v} for t, v in self.series['memory.usage']]
        a.do('measures', 'batch-resources-metrics', self.file({'vm-1': {'memory.usage': seconds}}))

        # two metrics in one request, 26 minutes at a time
        for d, n in zip(self.slices('disk.latency', 1560), self.slices('network.incoming.bytes', 1560), strict=True):
            a.do('measures', 'batch-metrics', self.file(
                {m[None, 'disk.latency']: d, m[None, 'network.incoming.bytes']: n}))

        self.write_and_create()
        self.refused_measures()

    def write_and_create(self):
        """The batch as Ceilometer's publisher sends it: first refused, then with the resource made, stored."""
        a = self.admin
        whole = list(self.slices('power', 1_000_000))[0]
        batch = self.file({'vm-2': {'power': {'measures': whole, 'archive_policy_name': POLICY, 'unit': 'W'}}})
        a.fails(400, 'Unknown metrics: %s/power' % VM2, 'measures', 'batch-resources-metrics', batch)
        a.fails(400, {'cause': 'Unknown resources', 'detail': [{'resource_id': VM2, 'original_resource_id': 'vm-2'}]},
                'measures', 'batch-resources-metrics', '--create-metrics', batch)
        self.check.equal('resource of the batch', a.json('resource', 'create', 'vm-2')['id'], VM2)
        a.do('measures', 'batch-resources-metrics', '--create-metrics', batch)
        made = a.json('metric', 'show', '-r', 'vm-2', 'power')
        self.check.equal('created metric', (made['unit'], made['archive_policy/name'], made['creator']), ('W', POLICY, 'admin'))
        self.metrics[VM2, 'power'] = made['id']

    def refused_measures(self):
        a, cpu = self.admin, self.metrics[VM, 'cpu_util']
        gone = '00000000-0000-4000-8000-000000000000'
        one = [{'timestamp': '2017-01-01T02:00:00', 'value': 1}]
        a.fails(400, 'Unknown metrics: %s' % gone, 'measures', 'batch-metrics', self.file({cpu: one, gone: one}))
        bad = [{'timestamp': '2017-01-01T02:00:00', 'value': 'many'}]
        memory = self.metrics[VM, 'memory.usage']
        a.fails(400, {'cause': 'Invalid input', 'detail': [memory],
                     'reason': "unexpected measures value for dictionary value @ data['%s']" % memory},
                'measures', 'batch-metrics', self.file({cpu: one, memory: bad}))
        a.fails(404, "Aggregation method 'mean' at granularity '7.0' for metric %s does not exist" % cpu,
                'measures', 'show', '--granularity', '7', cpu)
        a.fails(404, {'cause': 'Aggregation method does not exist for this metric',
                     'detail': {'metric': cpu, 'aggregation_method': 'median'}},
                'measures', 'show', '--aggregation', 'median', cpu)
        a.fails(400, 'A granularity must be specified to resample', 'measures', 'show', '--resample', '60', cpu)
        a.fails(404, 'Metric nope does not exist', 'measures', 'add', '-r', 'vm-1', '-m', 'now@1', 'nope')
        self.other.fails(403, 'Forbidden', 'measures', 'add', '-m', '2017-01-01T02:00:00@1', cpu)
        # older than the back window: accepted and dropped
        a.do('measures', 'add', '-m', '2016-12-31T23:00:00@-1', cpu)

    def read_all(self, when):
        """Every metric by every method, each point compared."""
        second = workload.every(1_000_000_000)

        def one(job):
            (_, name), metric, method = job
            want = workload.shown(workload.group(self.series[name], second, method), 1.0)
            self.check.measures('%s of %s %s' % (method, name, when), self.admin.measures('--aggregation', method, metric), want)

        jobs = [(key, metric, method) for key, metric in self.metrics.items() for method in workload.METHODS]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, jobs))

    def read_parts(self):
        """The mean is the default, metrics go by name, start and stop cut, resampling aggregates again."""
        second, measures, equal = workload.every(1_000_000_000), self.admin.measures, self.check.measures
        cpu, name = self.metrics[VM, 'cpu_util'], 'power'
        mean = workload.group(self.series['cpu_util'], second, 'mean')
        equal('by name, default method', measures('--resource-id', 'vm-1', 'cpu_util'), workload.shown(mean, 1.0))
        equal('one hour', measures('--start', '2016-12-31T23:00:00', '--stop', '2017-01-01T00:00:00', '--granularity', '1s', cpu),
              workload.shown([p for p in mean if 1200 <= p[0] // 1_000_000_000 - workload.START < 4800], 1.0))
        equal('past the end', measures('--start', '2017-02-01', cpu), [])

        for method in workload.METHODS:
            stored = workload.group(self.series[name], second, method)
            for resample, shown, key in [('60', 60.0, workload.every(60_000_000_000)), ('7s', 7.0, workload.every(7_000_000_000))] + \
                    [(letter, letter, workload.calendar_start(letter)) for letter in 'YHQMW']:
                got = measures('--aggregation', method, '--granularity', '1', '--resample', resample, '-r', 'vm-2', name)
                equal('%s of %s resampled to %s' % (method, name, resample), got,
                      workload.shown(workload.group(stored, key, method), shown))

    # -- listings, deletion -----------------------------------------------------

    def listings(self):
        a, equal = self.admin, self.check.equal
        ids = {VM, VM2, ROUTER}
        equal('resource list', {r['id'] for r in a.json('resource', 'list')}, ids)
        equal('resource list, sorted', [r['id'] for r in a.json('resource', 'list', '--sort', 'id:desc')], sorted(ids, reverse=True))
        page = a.json('resource', 'list', '--sort', 'id', '--limit', '2')
        equal('first page', [r['id'] for r in page], sorted(ids)[:2])
        equal('second page', [r['id'] for r in a.json(
            'resource', 'list', '--sort', 'id', '--limit', '2', '--marker', page[-1]['id'])], sorted(ids)[2:])
        want = sorted((i, name, r, POLICY) for (r, name), i in self.metrics.items())
        equal('metric list', [(m['id'], m['name'], m['resource_id'], m['archive_policy/name']) for m in a.json('metric', 'list')], want)
        equal('measures to process', a.json('status')['storage/total number of measures to process'], 0)
        methods = a.json('capabilities', 'list')['aggregation_methods']
        equal('capabilities', len([m for m in methods if not m.startswith('counter:')]), 216)

    def deletion(self):
        a, equal = self.admin, self.check.equal
        a.do('resource', 'delete', 'vm-1')
        a.fails(404, 'Resource %s does not exist' % VM, 'resource', 'show', 'vm-1')
        a.fails(404, 'Resource %s does not exist' % VM, 'resource', 'delete', 'vm-1')
        for key in [k for k in self.metrics if k[0] == VM]:
            metric = self.metrics.pop(key)
            a.fails(404, 'Metric %s does not exist' % metric, 'metric', 'show', metric)
            a.fails(404, 'Metric %s does not exist' % metric, 'measures', 'show', metric)
        equal('resources left', {r['id'] for r in a.json('resource', 'list')}, {VM2, ROUTER})
        a.do('metric', 'delete', self.metrics.pop((None, 'disk.latency')))
        equal('metrics left', {m['id'] for m in a.json('metric', 'list')}, set(self.metrics.values()))
        a.do('archive-policy', 'delete', 'two-steps')
        a.fails(404, 'Archive policy two-steps does not exist', 'archive-policy', 'show', 'two-steps')


def steps(run, server):
    """What is done and compared, in order. Without a server of our own nothing is restarted."""
    def restart(sig, code):
        run.check.equal('exit code after %s' % sig.name, server.stop(sig), code)
        server.start()

    own = server is not None
    return [s for s in [
        own and ('start', server.start),
        ('archive policies and rules', run.archive_policies),
        ('resources', run.resources),
        ('metrics', run.create_metrics),
        ('writing measures', run.write),
        ('reading 9,100 points by every method', lambda: run.read_all('as written')),
        ('windows and resampling', run.read_parts),
        ('listings', run.listings),
        own and ('kill -9 and restart', lambda: restart(signal.SIGKILL, -signal.SIGKILL)),
        own and ('reading again', lambda: run.read_all('after a kill')),
        ('deletion', run.deletion),
        own and ('stop and restart', lambda: restart(signal.SIGTERM, 0)),
        ('reading what is left', lambda: run.read_all('in the end')),
        own and ('stop', lambda: run.check.equal('exit code', server.stop(), 0)),
    ] if s]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--gnocchi', required=True, help='the client command')
    p.add_argument('--tsdb', help='the server command')
    p.add_argument('--endpoint', help='instead of --tsdb: an empty server that runs already, such as a real Gnocchi')
    p.add_argument('--refresh', action='store_true', help='for a server that aggregates later')
    p.add_argument('--seed', type=int, default=time.time_ns() % 1_000_000)
    a = p.parse_args()
    print('conformance: seed %d' % a.seed, flush=True)
    check, began = harness.Checker(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix='tsdb-conformance-') as scratch:
        server = None if a.endpoint else harness.Server(a.tsdb, scratch)
        endpoint = a.endpoint or server.endpoint
        admin = harness.Client(a.gnocchi, endpoint, 'admin', check, a.refresh)
        other = harness.Client(a.gnocchi, endpoint, 'mallory', check, a.refresh)
        run = Run(admin, other, check, scratch, a.seed)
        try:
            for name, step in steps(run, server):
                step()
                print('conformance: %-40s ok, %6.1f s' % (name, time.monotonic() - began), flush=True)
        except (harness.Difference, subprocess.TimeoutExpired, KeyError, ValueError) as err:
            print('conformance: FAILED: %s: %s: %s' % (name, type(err).__name__, err), file=sys.stderr)
            if server is not None:
                print('--- end of the server\'s log\n%s' % server.log_tail(), file=sys.stderr)
            return 1
        finally:
            if server is not None:
                server.stop(signal.SIGKILL)
    print('conformance: %d commands of gnocchi, %d facts and %d numbers compared, no difference'
          % (check.commands, check.facts, check.numbers))
    return 0


if __name__ == '__main__':
    sys.exit(main())
