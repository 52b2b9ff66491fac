"""Ceilometer's own publishers, each loaded as its pipeline loads them, against tsdb: the same samples of a small cloud through every door.

Each publisher has a fresh server. What it published is read back through Ceilometer's API and through Gnocchi's, every sample, and compared
with what the publisher was given, as far as the protocol says it.
"""

import argparse
import base64
import calendar
import collections
import datetime
import json
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

os.environ['TZ'] = 'UTC'  # the OTLP publisher tells times as the clock on the wall shows them
time.tzset()

from ceilometer import publisher, sample, service  # noqa: E402
from ceilometer.event import models  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

START = datetime.datetime(2026, 1, 2, 3, 0, 0, 250000, tzinfo=datetime.timezone.utc)
METERS = [('cpu', sample.TYPE_CUMULATIVE, 'ns'), ('memory.usage', sample.TYPE_GAUGE, 'MB'), ('disk.device.read.bytes', sample.TYPE_CUMULATIVE, 'B'),
          ('network.incoming.packets.error', sample.TYPE_DELTA, 'packet'), ('power.state', sample.TYPE_GAUGE, 'state')]
SECRET = 'what only the agents know'


class Errors(logging.Handler):
    """Publishers only log what fails; this keeps it."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


def cloud(instances, minutes):
    """The samples of instances, each minute. Disks and ports are resources of their own, whose names are no UUIDs."""
    out = []
    for minute in range(minutes):
        when = START + datetime.timedelta(minutes=minute)
        for i in range(instances):
            instance = '%08x-0000-4000-8000-%012x' % (i, i)
            metadata = {'display_name': 'vm %d' % i, 'host': 'compute%d' % (i % 3), 'vcpus': i % 4 + 1, 'status': 'active' if minute % 17 else 'paused',
                        'flavor': {'id': str(i), 'name': 'm%d' % i, 'ram': 512.0, 'extra': {'ssd': bool(i % 3)}}, 'image': None, 'networks': ['net1', 2],
                        'name': 'Zoë ☃', 'instance_id': instance, 'disk_name': 'vda', 'vnic_name': 'tap%d' % i}
            for m, (name, kind, unit) in enumerate(METERS):
                volume = [minute * 6_000_000_000 + i, 512.5 + i / 7, 1e15 + minute * 4096, minute % 3, i % 5][m]
                resource = {'disk': instance + '/vda', 'network': 'tap%d@compute' % i}.get(name.split('.')[0], instance)
                out.append(sample.Sample(name, kind, unit, volume, 'user%d' % (i % 2) if i else None, 'project%d' % (i % 4), resource, when.isoformat(), metadata))
    return out


def attributes(s):
    """What Ceilometer makes of metadata for Gnocchi's types of resources."""
    m, kind = s.resource_metadata, s.name.split('.')[0]
    if kind in ('disk', 'network'):
        return {'instance_id': m['instance_id'], 'name': m['disk_name' if kind == 'disk' else 'vnic_name']}
    return {'display_name': m['display_name'], 'host': m['host'], 'flavor_id': m['flavor']['id'], 'flavor_name': m['flavor']['name']}


def flat(metadata):
    """Metadata as Ceilometer's API shows it."""
    out = {}

    def walk(prefix, value):
        for k, v in value.items():
            if isinstance(v, dict):
                walk(prefix + [k], v)
            else:
                path = prefix + [k]
                out['.'.join([path[0], ':'.join(path[1:])]) if len(path) > 1 else path[0]] = str(v)
    walk([], metadata)
    return out


class Door:
    """How a publisher's address is spelled, and what its protocol says of a sample."""

    def __init__(self, url, keeps=('time', 'type', 'unit', 'metadata'), secret='', batch=500):
        self.url, self.keeps, self.secret, self.batch = url, keeps, secret, batch


DOORS = {
    'http': Door('http://admin:x@127.0.0.1:{ceilometer}/v2/publish?timeout=30&leftover=1'),
    'http-single': Door('http://127.0.0.1:{otlp}/any/path?batch=False'),
    'udp': Door('udp://127.0.0.1:{udp}', secret=SECRET, batch=250),
    'tcp': Door('tcp://127.0.0.1:{tcp}', secret=SECRET),
    'opentelemetry_http': Door('opentelemetryhttp://127.0.0.1:{otlp}/v1/metrics', keeps=('second', 'type of counters', 'unit')),
    'prometheus': Door('prometheus://127.0.0.1:{otlp}/metrics/job/ceilometer', keeps=('type', 'underscores')),
    'gnocchi': Door('gnocchi://?enable_filter_project=false&archive_policy=ceilometer', keeps=('type of gauges', 'unit', 'attributes')),
    'file': Door('file://{scratch}/samples.log'),
    'file-json': Door('file://{scratch}/samples.json?json'),
}


def free_ports(n):
    """Ports that are free for TCP and UDP."""
    out = []
    while len(out) < n:
        with socket.socket() as t, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            t.bind(('127.0.0.1', 0))
            try:
                u.bind(t.getsockname())
            except OSError:
                continue
            if t.getsockname()[1] not in out:
                out.append(t.getsockname()[1])
    return out


class Run:
    """One publisher and one server."""

    def __init__(self, tsdb, scratch, which, check):
        self.tsdb, self.scratch, self.which, self.door, self.check = tsdb, scratch, which, DOORS[which], check
        self.ports = dict(zip(('ceilometer', 'udp', 'tcp', 'otlp'), free_ports(4)), scratch=scratch)
        flags = ['--sync', 'interval', '--ceilometer-listen', '127.0.0.1:%d' % self.ports['ceilometer']]
        for flag, port in (('--publish-udp-listen', 'udp'), ('--publish-tcp-listen', 'tcp'), ('--otlp-listen', 'otlp')):
            flags += [flag, '127.0.0.1:%d' % self.ports[port]]
        if self.door.secret:
            flags += ['--telemetry-secret', self.door.secret]
        self.server = harness.Server(tsdb, scratch, flags)
        self.errors = Errors()
        self.before = 0  # samples that others have sent

    def publisher(self, namespace='ceilometer.sample.publisher'):
        config = os.path.join(self.scratch, 'ceilometer.conf')
        with open(config, 'w') as f:
            f.write('[publisher]\ntelemetry_secret = %s\n' % self.door.secret)
            f.write('[service_credentials]\nauth_type = gnocchi-basic\nuser = admin\nendpoint = %s\n' % self.server.endpoint)
        if self.which == 'gnocchi':
            self.prepare(config)
        conf = service.prepare_service(['ceilometer'], [config])
        logging.getLogger('ceilometer').addHandler(self.errors)
        logging.getLogger('stevedore').setLevel(logging.CRITICAL)
        return publisher.get_publisher(conf, self.door.url.format(**self.ports), namespace)

    def prepare(self, config):
        """Gnocchi's publisher needs its types of resources, and here a policy that keeps all samples, which the first sample makes."""
        command = os.path.join(os.path.dirname(sys.executable), 'ceilometer-upgrade')
        subprocess.run([command, '--config-file', config, '--retry', '1'], capture_output=True, timeout=120, check=True)
        first = {'name': 'first', 'type': 'gauge', 'volume': 1, 'resource_id': 'x'}
        urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:%d/' % self.ports['otlp'], data=json.dumps(first).encode()), timeout=30).close()
        self.before = 1

    def get(self, port, path):
        request = urllib.request.Request('http://127.0.0.1:%d%s' % (port, path), headers={
            'Authorization': 'Basic ' + base64.b64encode(b'admin:').decode()})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise harness.Difference('%s: %d %s' % (path, e.code, e.read()[:500])) from None

    def go(self, samples):
        files = self.which.startswith('file')
        if not files:
            self.server.start()
        p = self.publisher()
        for at in range(0, len(samples), self.door.batch):
            p.publish_samples(samples[at:at + self.door.batch])
            if self.which == 'udp':
                time.sleep(0.01)  # Python sends faster than some systems take
        self.events()
        if files:
            self.bring_in(len(samples))
            self.server.start()
        self.wait(len(samples))
        self.check.equal('%s: what was logged' % self.which, self.errors.found, [])
        self.compare(samples)

    def events(self):
        """The publishers that take events get one."""
        self.with_events = self.which.startswith(('http', 'file'))
        if not self.with_events:
            return
        self.publisher('ceilometer.event.publisher').publish_events([models.Event(
            'e-1', 'compute.instance.create.end', START.replace(tzinfo=None),
            [models.Trait('host', models.Trait.TEXT_TYPE, 'compute1'), models.Trait('memory', models.Trait.INT_TYPE, 512),
             models.Trait('launched', models.Trait.DATETIME_TYPE, START.replace(tzinfo=None)), models.Trait('load', models.Trait.FLOAT_TYPE, 0.5)], {'a': [1]})])

    def bring_in(self, n):
        path = urllib.parse.urlsplit(self.door.url.format(**self.ports)).path
        out = subprocess.run([self.tsdb, 'import', 'samples', '--data', os.path.join(self.scratch, 'data'), path], capture_output=True, text=True, timeout=120)
        self.check.equal('%s: the import' % self.which, (out.returncode, re.sub(r', in .*', '', out.stdout)),
                         (0, '%s: %d of %d lines stored\n' % (path, n + 1, n + 1)))

    def stored(self):
        with urllib.request.urlopen(self.server.endpoint + '/metrics', timeout=30) as answer:
            text = answer.read().decode()
        refused = re.findall(r'^(tsdb_refused_samples_total.*)$', text, re.M)
        self.check.equal('%s: refused' % self.which, refused, [])
        return int(float(re.search(r'^tsdb_samples_total (\S+)$', text, re.M).group(1)))

    def wait(self, n):
        """What is not answered takes its time."""
        deadline = time.monotonic() + 60
        while not self.which.startswith('file') and self.stored() < n + self.before:
            if time.monotonic() > deadline:
                raise harness.Difference('%s: %d of %d samples were stored' % (self.which, self.stored(), n))
            time.sleep(0.05)

    # -- what was stored -----------------------------------------------------------

    def wanted(self, s):
        """A sample as the API has to show it."""
        keeps = self.door.keeps
        when = datetime.datetime.fromisoformat(s.timestamp).replace(tzinfo=None)
        if 'second' in keeps:
            when = when.replace(microsecond=0)
        kind = s.type
        if 'type of counters' in keeps and kind == sample.TYPE_DELTA:
            kind = sample.TYPE_GAUGE
        if 'type of gauges' in keeps:
            kind = sample.TYPE_GAUGE
        resource = s.resource_id.replace('/', '_') if 'attributes' in keeps else s.resource_id
        metadata = attributes(s) if 'attributes' in keeps else flat(s.resource_metadata) if 'metadata' in keeps else {'job': 'ceilometer'} if 'underscores' in keeps else {}
        return (resource, when.isoformat() if 'underscores' not in keeps else 'at arrival', float(s.volume), kind,
                s.unit if 'unit' in keeps else '', s.user_id, s.project_id, 'openstack', tuple(sorted(metadata.items())))

    def shown(self, s):
        when = s['timestamp'] if 'underscores' not in self.door.keeps else 'at arrival'
        return (s['resource_id'], when, float(s['counter_volume']), s['counter_type'], s['counter_unit'], s['user_id'],
                s['project_id'], s['source'], tuple(sorted(s['resource_metadata'].items())))

    def meter(self, name):
        return name.replace('.', '_') if 'underscores' in self.door.keeps else name

    def compare(self, samples):
        by_meter, series = collections.defaultdict(list), collections.defaultdict(list)
        for s in samples:
            by_meter[s.name].append(s)
            series[s.name, s.resource_id].append(s)
        for name, want in by_meter.items():
            got = self.get(self.ports['ceilometer'], '/v2/meters/%s?limit=%d' % (self.meter(name), 2 * len(samples)))
            got, want = sorted(map(self.shown, got), key=repr), sorted(map(self.wanted, want), key=repr)
            for g, w in zip(got, want):
                self.check.equal('%s: a sample of %s' % (self.which, name), g, w)
            self.check.equal('%s: samples of %s' % (self.which, name), len(got), len(want))
        if 'underscores' not in self.door.keeps:  # all came at one time
            self.measures(series)
        if self.with_events:
            self.event()

    def measures(self, series):
        """Gnocchi's API has a point for each minute, of the one sample in it."""
        for (name, resource), list_ in series.items():
            path = '/v1/resource/generic/%s/metric/%s/measures?aggregation=mean&granularity=60' % (urllib.parse.quote(resource.replace('/', '_')), name)
            got = [(calendar.timegm(datetime.datetime.fromisoformat(t).timetuple()), g, v) for t, g, v in self.get(self.server.port, path)]
            want = sorted((calendar.timegm(datetime.datetime.fromisoformat(s.timestamp).timetuple()) // 60 * 60, 60.0, float(s.volume)) for s in list_)
            self.check.measures('%s: measures of %s of %s' % (self.which, name, resource), got, want)

    def event(self):
        got = self.get(self.ports['ceilometer'], '/v2/events?q.field=all_tenants&q.op=eq&q.type=&q.value=true')
        self.check.equal('%s: events' % self.which, [(e['message_id'], e['event_type'], e['generated'], sorted((t['name'], t['type'], t['value']) for t in e['traits'])) for e in got], [
            ('e-1', 'compute.instance.create.end', '2026-01-02T03:00:00.250000', [
                ('host', 'string', 'compute1'), ('launched', 'datetime', '2026-01-02T03:00:00.250000'), ('load', 'float', '0.5'), ('memory', 'integer', '512')])])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the command')
    p.add_argument('--instances', type=int, default=40)
    p.add_argument('--minutes', type=int, default=50)
    p.add_argument('doors', nargs='*', help='of ' + ', '.join(DOORS))
    a = p.parse_args()
    samples, check = cloud(a.instances, a.minutes), harness.Checker()
    for which in a.doors or DOORS:
        with tempfile.TemporaryDirectory(prefix='tsdb-doors-') as scratch:
            run, begin = Run(os.path.abspath(a.tsdb), scratch, which, check), time.monotonic()
            try:
                run.go(samples)
            except Exception:
                print(run.server.log_tail() if run.server.process else '', file=sys.stderr)
                raise
            finally:
                run.server.kill()
        print('doors: %s: %d samples published, and read back equal, in %.1f s' % (which, len(samples), time.monotonic() - begin))
    print('doors: %d facts and %d points compared, all equal' % (check.facts, check.numbers))


if __name__ == '__main__':
    try:
        main()
    except harness.Difference as e:
        sys.exit('doors: %s' % e)
