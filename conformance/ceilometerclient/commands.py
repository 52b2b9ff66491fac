"""Every command of the ceilometer command line that Ceilometer's API answers, each with what it must show.

The commands are the client's own main function, called here; some run as processes of their own, for their exit codes. What they must
show is computed from the samples by this script, from the words of the API's documentation.
"""

import argparse
import base64
import contextlib
import datetime
import io
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import urllib.request

from ceilometerclient import client as library
from ceilometerclient import shell

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import events  # noqa: E402
import harness  # noqa: E402

BEGIN = datetime.datetime(2026, 3, 1, 10, 0, 7)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def iso(t):
    return t.isoformat()


def rows(text):
    """The rows of the last table in a text, as dictionaries; of a table of properties, one."""
    lines = [x for x in text.splitlines() if x.startswith('|')]
    cells = [[c.strip() for c in x.strip('|').split(' | ')] for x in lines]
    if not cells:
        return []
    head = cells[0]
    if head == ['Property', 'Value']:
        out, last = {}, None
        for name, value in cells[1:]:
            last = name or last
            out[last] = out.get(last, '') + value
        return [out]
    return [dict(zip(head, c)) for c in cells[1:]]


class Ceilometer:
    """The ceilometer command line, as one user of one server."""

    def __init__(self, url, checker):
        self.options = ['--os-token', 'admin', '--os-endpoint', url]
        self.checker = checker
        self.used = set()

    def run(self, *args):
        """Calls the client; returns its exit code and what it printed."""
        self.checker.commands += 1
        self.used.add(args[0])
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                shell.main(self.options + list(args))
            except SystemExit as e:
                code = e.code
        return code, out.getvalue(), err.getvalue()

    def rows(self, *args):
        code, out, err = self.run(*args)
        if code:
            raise harness.Difference('ceilometer %s: exit %s\n%s%s' % (' '.join(args), code, out, err))
        return rows(out)

    def fails(self, text, *args):
        code, out, err = self.run(*args)
        self.checker.equal('exit code of ceilometer ' + ' '.join(args), code, 1)
        if text not in err:
            raise harness.Difference('ceilometer %s: %r is not in %r' % (' '.join(args), text, err))

    def process(self, *args):
        """Runs the client as a process."""
        self.checker.commands += 1
        binary = os.path.join(os.path.dirname(sys.executable), 'ceilometer')
        env = {k: v for k, v in os.environ.items() if not k.startswith('OS_') and not k.lower().endswith('_proxy')}
        return subprocess.run([binary] + self.options + list(args), env=env, text=True, capture_output=True, timeout=60)


class Cloud:
    """Samples of some machines, and what the API has to say of them."""

    def __init__(self, rng):
        self.rng = rng
        self.samples = []
        for i in range(3):
            for step in range(240):
                t = BEGIN + datetime.timedelta(seconds=10 * step, milliseconds=137 * i)
                self.add('cpu_util', 'gauge', '%', rng.uniform(0, 100), 'vm-%d' % i, 'u%d' % (i % 2), 'p%d' % (i // 2), t,
                         {'host': 'h%d' % (step // 100), 'flavor.name': 'm1.tiny', 'instance_type': str(i)})
        for step in range(100):
            t = BEGIN + datetime.timedelta(seconds=60 * step)
            self.add('memory', 'gauge', 'MB' if step < 50 else 'MiB', rng.randrange(4096), 'vm-0', 'u0', 'p0', t, {'host': 'h9'})
        self.add('storage', 'cumulative', 'object', 3, 'AUTH_p0/glance', None, None, BEGIN - datetime.timedelta(minutes=1), {})

    def add(self, meter, typ, unit, volume, resource, user, project, t, metadata):
        self.samples.append({'counter_name': meter, 'counter_type': typ, 'counter_unit': unit, 'counter_volume': volume,
                             'resource_id': resource, 'user_id': user, 'project_id': project, 'time': t,
                             'resource_metadata': metadata})

    def post(self, url):
        """Posts all samples in random batches, and remembers their ids."""
        meters = {}
        for s in self.samples:
            meters.setdefault(s['counter_name'], []).append(s)
        for meter, samples in meters.items():
            samples = samples[:]
            self.rng.shuffle(samples)
            for i in range(0, len(samples), 97):
                batch = samples[i:i + 97]
                body = [{k: v for k, v in s.items() if k != 'time'} | {'timestamp': iso(s['time'])} for s in batch]
                request = urllib.request.Request(url + '/v2/meters/' + meter, json.dumps(body).encode(), {'Content-Type': 'application/json'})
                with urllib.request.urlopen(request) as r:
                    for s, a in zip(batch, json.load(r)):
                        s['id'] = a['message_id']

    def select(self, **want):
        """The samples that have the members wanted, newest first."""
        low, high = want.pop('low', None), want.pop('high', None)
        out = [s for s in self.samples if all(s[k] == v for k, v in want.items())
               and (low is None or s['time'] >= low) and (high is None or s['time'] < high)]
        return sorted(out, key=lambda s: s['time'], reverse=True)

    def statistics(self, samples, period, group, origin):
        """Statistics by their definition: a dictionary by period's start, unit and group."""
        groups = {}
        for s in samples:
            start = origin
            if period:
                start += datetime.timedelta(seconds=period) * ((s['time'] - origin) // datetime.timedelta(seconds=period))
            groups.setdefault((start, s['counter_unit'], group and s[group]), []).append(s)
        out = {}
        for key, members in groups.items():
            values = [s['counter_volume'] for s in members]
            times = [s['time'] for s in members]
            mean = math.fsum(values) / len(values)
            out[key] = {'Max': max(values), 'Min': min(values), 'Sum': math.fsum(values), 'Avg': mean, 'Count': len(values),
                        'stddev': math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values)),
                        'cardinality/resource_id': len({s['resource_id'] for s in members}),
                        'Duration': (max(times) - min(times)).total_seconds(), 'Duration Start': iso(min(times)), 'Duration End': iso(max(times)),
                        'Period Start': iso(key[0]),
                        'Period End': iso(key[0] + datetime.timedelta(seconds=period) if period else max(times)), 'Period': period}
        return out


class Steps:
    """The steps are its methods, in the order of main."""

    def __init__(self, client, cloud, check, url):
        self.client, self.cloud, self.check, self.url = client, cloud, check, url

    def near(self, what, got, want):
        """Compares a number that was computed in another order."""
        if not math.isclose(float(got), want, rel_tol=1e-12, abs_tol=1e-9):
            raise harness.Difference('%s: got %s, want %r' % (what, got, want))
        self.check.numbers += 1

    def listed(self, what, got, want, name='Name'):
        """Compares a list of samples."""
        self.check.equal(what + ', length', len(got), len(want))
        for g, w in zip(got, want):
            self.check.equal(what, (g['Resource ID'], g[name], g['Type'], g['Unit'], g['Timestamp']),
                             (w['resource_id'], w['counter_name'], w['counter_type'], w['counter_unit'], iso(w['time'])))
            self.check.equal(what, float(g['Volume']), float(w['counter_volume']))
            if 'ID' in g:
                self.check.equal(what, g['ID'], w['id'])
            self.check.numbers += 1

    def samples(self):
        vm0 = self.cloud.select(counter_name='cpu_util', resource_id='vm-0')
        self.listed('sample-list', self.client.rows('sample-list', '-m', 'cpu_util', '-q', 'resource_id=vm-0', '-l', '1000'), vm0)
        self.listed('sample-list, limited', self.client.rows('sample-list', '-m', 'cpu_util', '-q', 'resource_id=vm-0'), vm0[:100])
        self.listed('sample-list, all meters', self.client.rows('sample-list', '-l', '150', '-q', 'project_id=p1'), self.cloud.select(project_id='p1')[:150])
        low, high = BEGIN + datetime.timedelta(minutes=5), BEGIN + datetime.timedelta(minutes=20)
        self.listed('sample-list, times', self.client.rows('sample-list', '-m', 'cpu_util', '-q', 'timestamp>=%s;timestamp<%s;user_id=u1' % (iso(low), iso(high))),
                    self.cloud.select(counter_name='cpu_util', user_id='u1', low=low, high=high))
        host = [s for s in vm0 if s['resource_metadata']['host'] == 'h1']
        self.listed('sample-list, metadata', self.client.rows('sample-list', '-m', 'cpu_util', '-q', 'resource_id=vm-0;metadata.host=string::h1', '-l', '500'), host)
        self.listed('sample-list, nested', self.client.rows('sample-list', '-m', 'cpu_util', '-l', '1', '-q', 'metadata.flavor.name=m1.tiny;resource=vm-0'), vm0[:1])
        self.check.equal('sample-list, number', self.client.rows('sample-list', '-m', 'cpu_util', '-q', 'metadata.instance_type=1'), [])
        one = vm0[17]
        shown = self.client.rows('sample-show', one['id'])[0]
        self.check.equal('sample-show', (shown['id'], shown['meter'], float(shown['volume']), shown['timestamp'], shown['user_id'], shown['project_id'],
                                         shown['resource_id'], shown['source'], json.loads(shown['metadata'])),
                         (one['id'], 'cpu_util', one['counter_volume'], iso(one['time']), 'u0', 'p0', 'vm-0', 'p0:openstack',
                          {'host': one['resource_metadata']['host'], 'flavor.name': 'm1.tiny', 'instance_type': '0'}))
        self.client.fails('Sample not found', 'sample-show', 'no-such-sample')

    def meters(self):
        got = self.client.rows('meter-list')
        want = {(s['counter_name'], s['counter_type'], s['counter_unit'], s['resource_id'], str(s['user_id']), str(s['project_id'])) for s in self.cloud.samples}
        self.check.equal('meter-list', sorted((m['Name'], m['Type'], m['Unit'], m['Resource ID'], m['User ID'], m['Project ID']) for m in got), sorted(want))
        unique = self.client.rows('meter-list', '--unique', 'True')
        self.check.equal('meter-list --unique', sorted(m['Name'] for m in unique), ['cpu_util', 'memory', 'storage'])
        self.check.equal('meter-list of a resource', [m['Name'] for m in self.client.rows('meter-list', '-q', 'resource=vm-1')], ['cpu_util'])
        with urllib.request.urlopen(self.url + '/v2/meters?limit=1') as r:
            m = json.load(r)[0]
        self.check.equal('meter_id', base64.b64decode(m['meter_id']).decode(), m['resource_id'] + '+' + m['name'])

    def compare(self, what, got, want, group=None):
        """Compares rows of statistics."""
        self.check.equal(what + ', groups', len(got), len(want))
        starts = [g['Period Start'] for g in got]
        self.check.equal(what + ', order', starts, sorted(starts))
        by = {}
        for key, w in want.items():
            by.setdefault((w['Period Start'], json.dumps({group: key[2]}).replace('"', "'") if group else None), []).append(w)
        for g in got:
            w = [w for w in by[g['Period Start'], g.get('Group By')] if w['Duration Start'] == g['Duration Start']][0]
            for name in g:
                if name in ('Period Start', 'Period End', 'Duration Start', 'Duration End'):
                    self.check.equal('%s, %s' % (what, name), g[name], w[name])
                elif name != 'Group By':
                    self.near('%s, %s' % (what, name), g[name], w[{'Standard deviation': 'stddev'}.get(name, name)])

    def statistics(self):
        oldest = min(s['time'] for s in self.cloud.samples)
        cpu = self.cloud.select(counter_name='cpu_util')
        stat = lambda *args: self.client.rows('statistics', '-m', *args)
        self.compare('statistics', stat('cpu_util'), self.cloud.statistics(cpu, 0, None, oldest))
        self.compare('statistics -p', stat('cpu_util', '-p', '77'), self.cloud.statistics(cpu, 77, None, oldest))
        # with two groups in one period the command line, on today's Python, compares dictionaries and gives up; the library does not
        one = self.cloud.select(counter_name='cpu_util', resource_id='vm-1')
        self.compare('statistics -g', stat('cpu_util', '-p', '600', '-g', 'resource_id', '-q', 'resource_id=vm-1'),
                     self.cloud.statistics(one, 600, 'resource_id', oldest), 'resource_id')
        listed = library.get_client('2', os_auth_token='admin', ceilometer_url=self.url).statistics.list('cpu_util', period=600, groupby=['resource_id'])
        names = ('Period Start', 'Period End', 'Duration Start', 'Duration End', 'Max', 'Min', 'Avg', 'Sum', 'Count', 'Duration')
        got = [{n: getattr(x, n.lower().replace(' ', '_')) for n in names} | {'Group By': str(x.groupby)} for x in listed]
        self.compare('statistics by resource', got, self.cloud.statistics(cpu, 600, 'resource_id', oldest), 'resource_id')
        self.compare('statistics -a', stat('cpu_util', '-p', '300', '-a', 'max', '-a', 'stddev', '-a', 'cardinality<-resource_id'),
                     self.cloud.statistics(cpu, 300, None, oldest))
        self.compare('statistics of two units', stat('memory'), self.cloud.statistics(self.cloud.select(counter_name='memory'), 0, None, oldest))
        low, high = BEGIN + datetime.timedelta(seconds=95), BEGIN + datetime.timedelta(minutes=31)
        self.compare('statistics -q', stat('cpu_util', '-p', '120', '-q', 'timestamp>=%s;timestamp<%s;resource_id=vm-2' % (iso(low), iso(high))),
                     self.cloud.statistics(self.cloud.select(counter_name='cpu_util', resource_id='vm-2', low=low, high=high), 120, None, low))
        self.check.equal('statistics of nothing', stat('nothing'), [])
        self.client.fails('Invalid aggregation function: median (HTTP 400)', 'statistics', '-m', 'cpu_util', '-a', 'median')
        self.client.fails('Period must be positive. (HTTP 400)', 'statistics', '-m', 'cpu_util', '-p', '-1')

    def resources(self):
        got = {r['Resource ID']: r for r in self.client.rows('resource-list')}
        self.check.equal('resource-list', sorted(got), ['AUTH_p0/glance', 'vm-0', 'vm-1', 'vm-2'])
        for name, r in got.items():
            s = self.cloud.select(resource_id=name)[0]
            self.check.equal('resource-list', (r['User ID'], r['Project ID'], r['Source']),
                             (str(s['user_id']), str(s['project_id']), '%s:openstack' % s['project_id']))
        self.check.equal('resource-list -q', [r['Resource ID'] for r in self.client.rows('resource-list', '-q', 'project_id=p1')], ['vm-2'])
        late = BEGIN + datetime.timedelta(minutes=80)
        self.check.equal('resource-list of a time', [r['Resource ID'] for r in self.client.rows('resource-list', '-q', 'timestamp>' + iso(late))], ['vm-0'])
        shown = self.client.rows('resource-show', 'vm-1')[0]
        self.check.equal('resource-show', (shown['resource_id'], shown['user_id'], shown['project_id'], json.loads(shown['metadata'])['host']),
                         ('vm-1', 'u1', 'p0', 'h2'))
        self.check.equal('resource-show with a slash', self.client.rows('resource-show', 'AUTH_p0/glance')[0]['resource_id'], 'AUTH_p0/glance')
        self.client.fails('Resource not found: vm-7', 'resource-show', 'vm-7')

    def query(self):
        vm = self.cloud.select(counter_name='cpu_util', resource_id='vm-1')
        want = sorted((s for s in vm if s['counter_volume'] > 50), key=lambda s: s['counter_volume'])
        filter = {'and': [{'=': {'resource': 'vm-1'}}, {'>': {'volume': 50}}]}
        got = self.client.rows('query-samples', '-f', json.dumps(filter), '-o', json.dumps([{'volume': 'asc'}]), '-l', '20')
        self.listed('query-samples', got, want[:20], 'Meter')
        filter = {'or': [{'=~': {'meter': '^stor'}}, {'and': [{'not': {'<': {'volume': 4000}}}, {'in': {'unit': ['MB', 'MiB']}}]}]}
        want = [s for s in self.cloud.select() if s['counter_name'] == 'storage' or s['counter_name'] == 'memory' and s['counter_volume'] >= 4000]
        self.listed('query-samples with or', self.client.rows('query-samples', '-f', json.dumps(filter)), want, 'Meter')
        self.client.fails('Filter expression not valid', 'query-samples', '-f', '{"like": {"meter": "x"}}')

    def create(self):
        got = self.client.rows('sample-create', '-r', 'new', '-m', 'made', '--meter-type', 'delta', '--meter-unit', 'x', '--sample-volume', '2.25',
                               '--timestamp', '2026-03-02T00:00:00+02:00', '--resource-metadata', '{"a": "b"}', '--user-id', 'u', '--project-id', 'p')[0]
        self.check.equal('sample-create', (got['name'], got['type'], got['unit'], float(got['volume']), got['timestamp'], got['source'], got['user_id']),
                         ('made', 'delta', 'x', 2.25, '2026-03-02T00:00:00+02:00', 'p:openstack', 'u'))
        shown = self.client.rows('sample-show', got['message_id'])[0]
        self.check.equal('what sample-create made', (shown['timestamp'], shown['volume'], shown['metadata']), ('2026-03-01T22:00:00', '2.25', '{"a": "b"}'))
        make = [{'counter_name': m, 'counter_type': 'gauge', 'counter_unit': '', 'counter_volume': v, 'resource_id': 'new'} for m, v in (('m1', 1), ('m2', 2), ('m1', 3))]
        got = self.client.rows('sample-create-list', json.dumps(make))
        self.check.equal('sample-create-list', [(r['Name'], r['Volume']) for r in got], [('m1', '1.0'), ('m1', '3.0'), ('m2', '2.0')])
        self.check.equal('what sample-create-list made', sorted(r['Volume'] for r in self.client.rows('sample-list', '-q', 'resource=new')), ['1.0', '2.0', '2.25', '3.0'])
        self.client.fails('The counter type must be: gauge, delta, cumulative', 'sample-create', '-r', 'new', '-m', 'made', '--meter-type', 'wrong',
                          '--meter-unit', 'x', '--sample-volume', '1')

    def publish(self):
        """A sample with metadata of all types, as Ceilometer's http publisher sends it."""
        typed = {'name': 'typed', 'type': 'gauge', 'unit': 'x', 'volume': 7, 'resource_id': 'typed', 'timestamp': iso(BEGIN) + '+00:00', 'source': 'here', 'id': 'x',
                 'user_id': None, 'project_id': None,
                 'resource_metadata': {'vcpus': 2, 'up': True, 'none': None, 'deep': {'x': {'y': [1, 'a', 2.5]}}, 'c:d': 'e', 'text': '2'}}
        request = urllib.request.Request(self.url + '/v2/publish', json.dumps([typed]).encode(), {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request) as r:
            self.check.equal('what was published', json.load(r), {'stored': 1, 'refused': {}})
        shown = self.client.rows('sample-list', '-q', 'resource=typed')[0]
        self.check.equal('flattened metadata', json.loads(self.client.rows('sample-show', shown['ID'])[0]['metadata']),
                         {'vcpus': '2', 'up': 'True', 'none': 'None', 'deep.x:y': "[1, 'a', 2.5]", 'c.d': 'e', 'text': '2'})
        for query, n in (('vcpus=2', 1), ('vcpus=2.0', 1), ('vcpus=float::2', 1), ('vcpus=string::2', 0), ('text=2', 0), ('text=string::2', 1), ('up=True', 1),
                         ('up=true', 0), ('up=boolean::yes', 1), ('deep.x.y=a', 1), ('deep.x.y=2.5', 1), ('deep.x.y=3', 0), ('none=None', 1), ('missing=None', 1), ('deep.x:y=a', 0)):
            self.check.equal('metadata.' + query, len(self.client.rows('sample-list', '-q', 'resource=typed;metadata.' + query)), n)

    def others(self):
        _, out, _ = self.client.run('capabilities')
        for name in ('"statistics:aggregation:selectable:stddev": true', '"samples:query:complex": true', '"storage:production_ready": true'):
            if name not in out:
                raise harness.Difference('capabilities: %s is not in %s' % (name, out))
        self.client.fails('alarms URLs is unavailable when Aodh is disabled or unavailable. (HTTP 410)', 'alarm-list')
        self.client.fails('(HTTP 410)', 'query-alarms')
        r = self.client.process('sample-list', '-m', 'storage')
        self.check.equal('a process', (r.returncode, rows(r.stdout)[0]['Volume']), (0, '3.0'))
        r = self.client.process('sample-list', '-l', '0')
        self.check.equal('a process that fails', (r.returncode, 'Limit must be positive (HTTP 400)' in r.stderr), (1, True))


NEEDED = {'sample-list', 'sample-show', 'sample-create', 'sample-create-list', 'meter-list', 'statistics', 'resource-list', 'resource-show', 'query-samples',
          'capabilities', 'event-list', 'event-show', 'event-type-list', 'trait-description-list', 'trait-list', 'alarm-list', 'query-alarms'}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tsdb', required=True)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    a = parser.parse_args()
    print('seed %d' % a.seed)
    for name in [k for k in os.environ if k.startswith('OS_') or k.lower().endswith('_proxy')]:
        del os.environ[name]
    check = harness.Checker()
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        url = 'http://127.0.0.1:%d' % port
        server = harness.Server(a.tsdb, directory, ['--ceilometer-listen', '127.0.0.1:%d' % port, '--auth', 'none'])
        try:
            server.start()
            cloud = Cloud(random.Random(a.seed))
            cloud.post(url)
            steps = Steps(Ceilometer(url, check), cloud, check, url)
            for step in (steps.samples, steps.meters, steps.statistics, steps.resources, steps.query):
                step()
            told = events.Events(random.Random(a.seed + 1), steps.client, check, url)
            told.post()
            told.steps()
            server.kill()
            server.start()
            told.steps()
            for step in (steps.samples, steps.statistics, steps.create, steps.publish, steps.others):
                step()
            check.equal('commands used', sorted(NEEDED - steps.client.used), [])
            check.equal('exit code', server.stop(), 0)
        except harness.Difference as e:
            print('FAIL: %s\nserver:\n%s' % (e, server.log_tail()), file=sys.stderr)
            return 1
        finally:
            server.kill()
    print('ceilometer: %d commands, %d facts and %d numbers as they must be' % (check.commands, check.facts, check.numbers))
    return 0


if __name__ == '__main__':
    sys.exit(main())
