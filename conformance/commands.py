"""Every sub-command of the gnocchi command line, each with what it must show; ends if one of them was not used."""

import argparse
import json
import os
import sys
import tempfile

from gnocchiclient.shell import GnocchiCommandManager

import harness

HOST1 = 'd3c2b1a0-0000-4000-8000-000000000001'
HOST2 = 'd3c2b1a0-0000-4000-8000-000000000002'


class Commands:
    """The steps are its methods, in the order of main."""

    def __init__(self, client, check, scratch):
        self.client, self.check, self.scratch = client, check, scratch
        self.used = set()
        self.metrics = {}

    # -- calling --------------------------------------------------------------

    def note(self, args):
        """Remembers the sub-command that the arguments begin with."""
        for words in (4, 3, 2, 1):
            name = ' '.join(args[:words])
            if name in GnocchiCommandManager.SHELL_COMMANDS:
                self.used.add(name)
                return
        raise harness.Difference('no sub-command: %s' % ' '.join(args))

    def json(self, *args):
        self.note(args)
        return self.client.json(*args)

    def do(self, *args):
        self.note(args)
        return self.client.do(*args)

    def equal(self, what, got, want):
        self.check.equal(what, got, want)

    def file(self, content):
        path = os.path.join(self.scratch, 'batch.json')
        with open(path, 'w') as f:
            json.dump(content, f)
        return path

    def points(self, *args):
        return [(m['timestamp'], m['granularity'], m['value']) for m in self.json(*args)]

    # -- steps ------------------------------------------------------------------

    def server(self):
        self.equal('server version', sorted(self.json('server', 'version')), ['version'])
        methods = self.json('capabilities', 'list')['aggregation_methods']
        self.equal('capabilities list', len([m for m in methods if not m.startswith('counter:')]), 216)
        status = self.json('status')
        self.equal('status', {k: status[k] for k in status if k.startswith('storage')}, {
            'storage/number of metric having measures to process': 0, 'storage/total number of measures to process': 0})

    def policies(self):
        p = self.json('archive-policy', 'create', '-d', 'granularity:60,points:100', '-m', 'mean', '-m', 'max', '-b', '1', 'minutes')
        want = {'name': 'minutes', 'back_window': 1, 'aggregation_methods': ['max', 'mean'],
                'definition': [{'granularity': '0:01:00', 'points': 100, 'timespan': '1:40:00'}]}

        def normal(policy):
            return dict(policy, aggregation_methods=sorted(policy['aggregation_methods']))

        self.equal('archive-policy create', normal(p), want)
        self.equal('archive-policy show', normal(self.json('archive-policy', 'show', 'minutes')), want)
        want['definition'][0].update(points=200, timespan='3:20:00')
        self.equal('archive-policy update', normal(self.json(
            'archive-policy', 'update', '-d', 'granularity:60,points:200', 'minutes')), want)
        self.equal('archive-policy list', [p['name'] for p in self.json('archive-policy', 'list') if p['name'] == 'minutes'], ['minutes'])
        self.json('archive-policy', 'create', '-d', 'granularity:1h,timespan:1d', 'spare')
        self.do('archive-policy', 'delete', 'spare')
        self.client.fails(404, 'Archive policy spare does not exist', 'archive-policy', 'show', 'spare')

        rule = {'name': 'disks', 'archive_policy_name': 'minutes', 'metric_pattern': 'disk.*'}
        self.equal('archive-policy-rule create', self.json('archive-policy-rule', 'create', '-a', 'minutes', '-m', 'disk.*', 'disks'), rule)
        self.equal('archive-policy-rule update', self.json('archive-policy-rule', 'update', '-n', 'all-disks', 'disks'),
                   dict(rule, name='all-disks'))
        self.equal('archive-policy-rule show', self.json('archive-policy-rule', 'show', 'all-disks'), dict(rule, name='all-disks'))
        self.equal('archive-policy-rule list', [r for r in self.json('archive-policy-rule', 'list') if r['name'] == 'all-disks'],
                   [dict(rule, name='all-disks')])

    def types(self):
        string = {'type': 'string', 'required': True, 'min_length': 0, 'max_length': 64}
        t = self.json('resource-type', 'create', '-a', 'rack:string:true:max_length=64', '-a', 'height:number:false', 'server')
        want = {'name': 'server', 'state': 'active', 'attributes/rack': text(string),
                'attributes/height': 'max=None, min=None, required=False, type=number'}
        self.equal('resource-type create', t, want)
        self.equal('resource-type show', self.json('resource-type', 'show', 'server'), want)
        changed = self.json('resource-type', 'update', '-a', 'owner:string:false', '-r', 'height', 'server')
        self.equal('resource-type update', sorted(k for k in changed if k.startswith('attributes/')), ['attributes/owner', 'attributes/rack'])
        self.equal('resource-type list', [r['name'] for r in self.json('resource-type', 'list')], ['generic', 'server'])
        self.json('resource-type', 'create', 'gone')
        self.do('resource-type', 'delete', 'gone')
        self.client.fails(404, 'Resource type gone does not exist', 'resource-type', 'show', 'gone')
        self.client.fails(400, 'Resource type generic is still in use', 'resource-type', 'delete', 'generic')

    def resources(self):
        for host, rack, name in [(HOST1, 'a1', 'cpu'), (HOST2, 'b2', 'cpu')]:
            r = self.json('resource', 'create', '-t', 'server', '-a', 'rack:' + rack, '-a', 'project_id:p1', '-n', name + ':minutes', host)
            self.equal('resource create', (r['id'], r['rack'], r['owner'], list(r['metrics'])), (host, rack, None, [name]))
            self.metrics[host] = r['metrics'][name]
        extra = self.json('metric', 'create', '-a', 'minutes', '-u', 'K', 'extra')['id']
        r = self.json('resource', 'update', '-t', 'server', '-a', 'owner:jane', '-n', 'fan:minutes', '-m', 'temperature:' + extra, HOST1)
        self.equal('resource update', (r['owner'], sorted(r['metrics']), r['metrics']['temperature']),
                   ('jane', ['cpu', 'fan', 'temperature'], extra))
        r = self.json('resource', 'update', '-t', 'server', '-d', 'fan', HOST1)
        self.equal('resource update without a metric', sorted(r['metrics']), ['cpu', 'temperature'])
        self.equal('resource show', self.json('resource', 'show', '-t', 'server', HOST1)['owner'], 'jane')
        history = self.json('resource', 'history', '-t', 'server', '--details', HOST1)
        self.equal('resource history', [(h['owner'], h['revision_end'] is None) for h in history], [(None, False), ('jane', True)])
        self.equal('resource history, a page', [h['owner'] for h in self.json(
            'resource', 'history', '-t', 'server', '--limit', '1', '--sort', 'revision_start:desc', HOST1)][:1], ['jane'])
        self.equal('resource list', [r['id'] for r in self.json('resource', 'list', '-t', 'server', '--sort', 'rack:desc')], [HOST2, HOST1])
        self.equal('resource list with details', {r['rack'] for r in self.json('resource', 'list', '--details')}, {'a1', 'b2'})
        self.equal('resource list with history', len(self.json('resource', 'list', '-t', 'server', '--history')), 3)

    def search(self):
        def found(*args):
            return [r['id'] for r in self.json('resource', 'search', *args)]

        self.equal('resource search', found('-t', 'server', 'rack=a1'), [HOST1])
        self.equal('like', found('-t', 'server', 'rack like "%2"'), [HOST2])
        self.equal('and, not', found('-t', 'server', 'project_id=p1 and not (owner=jane)'), [])
        self.equal('or, in', found('-t', 'server', '--sort', 'id', 'rack=a1 or rack in ["b2", "c3"]'), [HOST1, HOST2])
        self.equal('null', found('-t', 'server', 'owner != jane'), [HOST2])
        self.equal('history', found('-t', 'server', '--history', 'owner=null and rack=a1'), [HOST1])
        self.equal('a page', found('--sort', 'id:desc', '--limit', '1', '--marker', HOST2, 'project_id=p1'), [HOST1])

    def measures(self):
        one, two = self.metrics[HOST1], self.metrics[HOST2]
        self.do('measures', 'add', '-m', '2020-01-01T10:00:00@1', '-m', '2020-01-01T10:00:30@3', '-m', '2020-01-01T10:01:00@5', one)
        self.do('measures', 'batch-metrics', self.file({two: [{'timestamp': '2020-01-01T10:00:10', 'value': 10}]}))
        self.do('measures', 'batch-resources-metrics', '--create-metrics', self.file(
            {HOST2: {'cpu': [{'timestamp': '2020-01-01T10:01:10', 'value': 20}], 'disk.io': [{'timestamp': 1577872800, 'value': 7}]}}))
        self.equal('measures show', self.points('measures', 'show', '--utc', '--refresh', one), [
            ('2020-01-01T10:00:00+00:00', 60.0, 2.0), ('2020-01-01T10:01:00+00:00', 60.0, 5.0)])
        self.equal('measures show by name', self.points('measures', 'show', '--utc', '-r', HOST2, '--aggregation', 'max', 'disk.io'), [
            ('2020-01-01T10:00:00+00:00', 60.0, 7.0)])
        both = ['-m', one, two]
        sums = [('2020-01-01T10:00:00+00:00', 60.0, 12.0), ('2020-01-01T10:01:00+00:00', 60.0, 25.0)]
        self.equal('measures aggregation', self.points(
            'measures', 'aggregation', '--utc', '--refresh', *both, '--reaggregation', 'sum'), sums)
        self.equal('measures aggregation, resampled', self.points(
            'measures', 'aggregation', '--utc', *both, '--reaggregation', 'sum', '--granularity', '60', '--resample', '3600'),
            [('2020-01-01T10:00:00+00:00', 3600.0, 18.5)])
        self.equal('measures aggregation by search', self.points(
            'measures', 'aggregation', '--utc', '-m', 'cpu', '--query', 'project_id=p1', '--resource-type', 'server', '--reaggregation', 'max'),
            [('2020-01-01T10:00:00+00:00', 60.0, 10.0), ('2020-01-01T10:01:00+00:00', 60.0, 20.0)])
        grouped = self.json('measures', 'aggregation', '--utc', '-m', 'cpu', '--query', 'project_id=p1', '--resource-type', 'server',
                            '--groupby', 'rack')
        self.equal('measures aggregation, grouped', [(g['group'], g['value']) for g in grouped], [
            ('rack: a1', 2.0), ('rack: a1', 5.0), ('rack: b2', 10.0), ('rack: b2', 20.0)])

    def aggregates(self):
        one, two = self.metrics[HOST1], self.metrics[HOST2]
        operation = '(aggregate sum (metric (%s mean) (%s mean)))' % (one, two)
        self.equal('aggregates', self.points('aggregates', operation), [
            ('2020-01-01T10:00:00+00:00', 60.0, 12.0), ('2020-01-01T10:01:00+00:00', 60.0, 25.0)])
        self.equal('aggregates in a window', self.points('aggregates', '--start', '2020-01-01T10:01:00', '--stop', '2020-01-01T11:00:00',
                                                         '--granularity', '60', '--fill', '0', '(* 2 %s)' % operation), [
            ('2020-01-01T10:01:00+00:00', 60.0, 50.0)])
        rows = self.json('aggregates', '--resource-type', 'server', '(metric cpu mean)', 'rack=a1')
        self.equal('aggregates by name', [(r['name'], r['timestamp'], r['value']) for r in rows], [
            ('%s/cpu/mean' % HOST1, '2020-01-01T10:00:00+00:00', 2.0), ('%s/cpu/mean' % HOST1, '2020-01-01T10:01:00+00:00', 5.0)])
        rows = self.json('aggregates', '--resource-type', 'server', '--groupby', 'rack', '(aggregate max (metric cpu mean))', 'project_id=p1')
        self.equal('aggregates, grouped', [(r['group'], r['value']) for r in rows], [
            ('rack: a1', 2.0), ('rack: a1', 5.0), ('rack: b2', 10.0), ('rack: b2', 20.0)])
        self.client.fails(404, "Metric ['nothing'] does not exist", 'aggregates', '--resource-type', 'server',
                          '(aggregate mean (metric nothing mean))', 'project_id=p1')

    def metric_lists(self):
        listed = {m['id']: m['name'] for m in self.json('metric', 'list', '--sort', 'name:asc', '--limit', '100')}
        self.equal('metric list', {self.metrics[HOST1], self.metrics[HOST2]} <= set(listed), True)
        self.equal('metric show', self.json('metric', 'show', '-r', HOST1, 'cpu')['id'], self.metrics[HOST1])
        self.do('metric', 'delete', '-r', HOST2, 'disk.io')
        self.client.fails(404, 'Metric disk.io does not exist', 'metric', 'show', '-r', HOST2, 'disk.io')

    def benchmarks(self):
        """The client's benchmark commands end before they ask the server anything: they hand a session with a lock to worker processes."""
        one = self.metrics[HOST1]
        for args in [('benchmark', 'metric', 'create', '-n', '1', '-a', 'minutes'), ('benchmark', 'metric', 'show', '-n', '1', one),
                     ('benchmark', 'measures', 'add', '-n', '1', one), ('benchmark', 'measures', 'show', '-n', '1', one)]:
            self.note(args)
            r = self.client.run(*args)
            self.equal(' '.join(args[:3]), (r.returncode, "cannot pickle '_thread.lock' object" in r.stderr), (1, True))

    def deletion(self):
        self.equal('resource batch delete', self.json('resource', 'batch', 'delete', 'id=%s' % HOST2), {'deleted': 1})
        self.do('resource', 'delete', HOST1)
        self.equal('resources left', self.json('resource', 'list'), [])
        self.do('archive-policy-rule', 'delete', 'all-disks')
        self.do('resource-type', 'delete', 'server')

    def complete(self):
        """Whether every sub-command that the client has was used."""
        self.equal('sub-commands left out', sorted(set(GnocchiCommandManager.SHELL_COMMANDS) - self.used), [])


def text(definition):
    """An attribute's definition as the client prints it."""
    return ', '.join('%s=%s' % (k, definition[k]) for k in sorted(definition))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--gnocchi', required=True, help='the client command')
    p.add_argument('--tsdb', help='the server command')
    p.add_argument('--endpoint', help='instead of --tsdb: an empty server that runs already, such as a real Gnocchi')
    a = p.parse_args()
    check = harness.Checker()
    with tempfile.TemporaryDirectory(prefix='tsdb-conformance-') as scratch:
        server = None if a.endpoint else harness.Server(a.tsdb, scratch)
        try:
            if server:
                server.start()
            client = harness.Client(a.gnocchi, a.endpoint or server.endpoint, 'admin', check)
            c = Commands(client, check, scratch)
            for step in (c.server, c.policies, c.types, c.resources, c.search, c.measures, c.aggregates, c.metric_lists, c.benchmarks,
                         c.deletion, c.complete):
                step()
                print('commands: %-14s ok' % step.__name__, flush=True)
        except harness.Difference as err:
            print('commands: FAILED: %s%s' % (err, '\n' + server.log_tail() if server else ''), file=sys.stderr)
            return 1
        finally:
            if server:
                server.kill()
    print('commands: all %d sub-commands of gnocchi, %d calls, %d facts, no difference' % (len(c.used), check.commands, check.facts))
    return 0


if __name__ == '__main__':
    sys.exit(main())
