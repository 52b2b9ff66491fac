"""Ceilometer's upgrade and its publisher against tsdb: types and policies, samples of new and known things, updates and ends.

What Ceilometer wrote is read back by plain requests and compared.
"""

import argparse
import base64
import datetime
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

from ceilometer import sample, service
from ceilometer.event import models
from ceilometer.publisher import gnocchi
from oslo_utils import netutils

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

INSTANCE, SECOND = 'aaaaaaaa-1111-4111-8111-111111111111', 'aaaaaaaa-2222-4222-8222-222222222222'
VOLUME, NETWORK = 'bbbbbbbb-1111-4111-8111-111111111111', 'cccccccc-1111-4111-8111-111111111111'
PORT, DISK = INSTANCE[:8] + '-tap0', INSTANCE + '-vda'
TYPES = ['ceph_account', 'dns_zone', 'generic', 'host', 'host_disk', 'host_network_interface', 'identity', 'image', 'instance',
         'instance_disk', 'instance_network_interface', 'ipmi', 'ipmi_sensor', 'loadbalancer', 'manila_share', 'network', 'nova_compute',
         'stack', 'swift_account', 'volume', 'volume_provider', 'volume_provider_pool', 'volume_service']
START = datetime.datetime(2024, 5, 1, 12, 0)


class Errors(logging.Handler):
    """The publisher only logs what fails; this keeps it."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


class Run:
    """The steps are its methods, in the order of main."""

    def __init__(self, endpoint, scratch):
        self.endpoint, self.check = endpoint, harness.Checker()
        self.config = os.path.join(scratch, 'ceilometer.conf')
        with open(self.config, 'w') as f:
            f.write('[service_credentials]\nauth_type = gnocchi-basic\nuser = admin\nendpoint = %s\n' % endpoint)
        self.errors = Errors()

    def get(self, path, method='GET', body=None):
        request = urllib.request.Request(self.endpoint + path, method=method, data=body and json.dumps(body).encode(), headers={
            'Authorization': 'Basic ' + base64.b64encode(b'admin:').decode(), 'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def resource(self, kind, identity):
        return self.get('/v1/resource/%s/%s' % (kind, urllib.parse.quote(identity)))

    def points(self, kind, identity, metric, aggregation='mean'):
        return self.get('/v1/resource/%s/%s/metric/%s/measures?aggregation=%s' % (kind, identity, metric, aggregation))

    def equal(self, what, got, want):
        self.check.equal(what, got, want)

    def quiet(self, what):
        """Nothing was logged that would not be logged against Gnocchi."""
        self.equal('what %s logged' % what, self.errors.found, [])

    # -- steps ------------------------------------------------------------------

    def upgrade(self):
        command = os.path.join(os.path.dirname(sys.executable), 'ceilometer-upgrade')
        for _ in range(2):  # the second time there is nothing to do
            r = subprocess.run([command, '--config-file', self.config, '--retry', '1'], capture_output=True, text=True, timeout=120)
            if r.returncode:
                raise harness.Difference('ceilometer-upgrade: code %d\n%s' % (r.returncode, r.stderr[-3000:]))
        self.equal('resource types', [t['name'] for t in self.get('/v1/resource_type')], TYPES)
        attributes = self.get('/v1/resource_type/instance')['attributes']
        self.equal('attributes of instances', sorted(attributes), [
            'availability_zone', 'created_at', 'deleted_at', 'display_name', 'flavor_id', 'flavor_name', 'host', 'image_ref',
            'launched_at', 'server_group'])
        string = {'type': 'string', 'min_length': 0, 'max_length': 255}
        self.equal('an attribute that was changed', attributes['host'], dict(string, required=False))
        self.equal('an attribute that was added with a fill', attributes['flavor_name'], dict(string, required=True))
        self.equal('a date', attributes['launched_at'], {'type': 'datetime', 'required': False})

    def start(self):
        conf = service.prepare_service(['ceilometer'], [self.config])
        logging.getLogger('ceilometer').addHandler(self.errors)
        logging.getLogger('stevedore').setLevel(logging.CRITICAL)  # it names each optional plugin that is not there
        self.publisher = gnocchi.GnocchiPublisher(conf, netutils.urlsplit('gnocchi://?enable_filter_project=false'))

    def sample(self, name, resource, volume, minute, unit='B', kind=sample.TYPE_GAUGE, project='p1', **metadata):
        return sample.Sample(name, kind, unit, volume, 'u1', project, resource,
                             (START + datetime.timedelta(minutes=minute)).isoformat(), metadata)

    def poll(self, instance, minute, name='vm'):
        """What an agent sends of an instance each five minutes."""
        server = dict(display_name=name, host='compute1', flavor={'id': 'f1', 'name': 'small'}, image_ref='img')
        return [
            self.sample('cpu', instance, minute * 6e9, minute, 'ns', sample.TYPE_CUMULATIVE, **server),
            self.sample('memory.usage', instance, 512 + minute, minute, 'MB', **server),
            self.sample('network.incoming.bytes', instance[:8] + '-tap0', minute * 100, minute, 'B', sample.TYPE_CUMULATIVE,
                        vnic_name='tap0', instance_id=instance),
            self.sample('disk.device.usage', instance + '-vda', 1e9, minute, 'B', disk_name='vda', instance_id=instance)]

    def new(self):
        """Everything is unknown: policies, resources and metrics."""
        self.publisher.publish_samples(
            self.poll(INSTANCE, 0) + self.poll(INSTANCE, 5) + self.poll(INSTANCE, 10) +
            [self.sample('volume.size', VOLUME, 20, 0, 'GB', display_name='data', volume_type='ssd'),
             self.sample('ip.floating', NETWORK, 1, 0, 'ip')])
        self.quiet('a first batch')
        policies = {p['name']: sorted(p['aggregation_methods']) for p in self.get('/v1/archive_policy')}
        self.equal('policies', {n: m for n, m in policies.items() if n.startswith('ceilometer-')}, {
            'ceilometer-low': ['mean'], 'ceilometer-low-rate': ['mean', 'rate:mean'],
            'ceilometer-high': ['mean'], 'ceilometer-high-rate': ['mean', 'rate:mean']})
        r = self.resource('instance', INSTANCE)
        self.equal('an instance', {k: r[k] for k in ('display_name', 'host', 'flavor_id', 'flavor_name', 'image_ref', 'project_id',
                                                     'user_id', 'ended_at', 'original_resource_id')}, {
            'display_name': 'vm', 'host': 'compute1', 'flavor_id': 'f1', 'flavor_name': 'small', 'image_ref': 'img', 'project_id': 'p1',
            'user_id': 'u1', 'ended_at': None, 'original_resource_id': INSTANCE})
        self.equal('its metrics', sorted(r['metrics']), ['cpu', 'memory.usage'])
        metric = self.get('/v1/metric/' + r['metrics']['cpu'])
        self.equal('a metric', (metric['unit'], metric['archive_policy']['name']), ('ns', 'ceilometer-low-rate'))
        self.equal('a port', self.resource('instance_network_interface', PORT)['instance_id'], INSTANCE)
        self.equal('a disk', self.resource('instance_disk', DISK)['name'], 'vda')
        self.equal('a volume', self.resource('volume', VOLUME)['volume_type'], 'ssd')
        self.equal('a network', list(self.resource('network', NETWORK)['metrics']), ['ip.floating'])
        self.equal('cpu', self.points('instance', INSTANCE, 'cpu'), [
            ['2024-05-01T12:00:00+00:00', 300.0, 0.0], ['2024-05-01T12:05:00+00:00', 300.0, 3e10], ['2024-05-01T12:10:00+00:00', 300.0, 6e10]])
        self.equal('rate of cpu', self.points('instance', INSTANCE, 'cpu', 'rate:mean'), [
            ['2024-05-01T12:05:00+00:00', 300.0, 3e10], ['2024-05-01T12:10:00+00:00', 300.0, 3e10]])

    def known(self):
        """One instance is known, another is not, in one batch."""
        self.publisher.publish_samples(self.poll(INSTANCE, 15) + self.poll(SECOND, 15, 'vm2'))
        self.quiet('a second batch')
        self.equal('memory', self.points('instance', INSTANCE, 'memory.usage'), [
            ['2024-05-01T12:%02d:00+00:00' % m, 300.0, 512.0 + m] for m in (0, 5, 10, 15)])
        self.equal('memory of the new one', self.points('instance', SECOND, 'memory.usage'), [['2024-05-01T12:15:00+00:00', 300.0, 527.0]])
        self.equal('instances', sorted(r['display_name'] for r in self.get('/v1/resource/instance')), ['vm', 'vm2'])
        self.equal('nothing has changed', len(self.get('/v1/resource/instance/%s/history' % INSTANCE)), 1)

    def changed(self):
        """Attributes of a sample differ from what is stored."""
        self.publisher.publish_samples(self.poll(INSTANCE, 20, 'renamed'))
        self.quiet('an update')
        names = [r['display_name'] for r in self.get('/v1/resource/instance/%s/history?details=true' % INSTANCE)]
        self.equal('revisions', names, ['vm', 'renamed'])

    def event(self, kind, **traits):
        self.publisher.publish_events([models.Event(
            'message', kind, START, [models.Trait(n, models.Trait.TEXT_TYPE, v) for n, v in traits.items()], {})])

    def events(self):
        new = 'aaaaaaaa-3333-4333-8333-333333333333'
        self.event('compute.instance.create.end', instance_id=new, display_name='made', host='compute2', availability_zone='nova',
                   instance_flavor_id='f2', instance_type='big', user_id='u2', project_id='p2')
        self.quiet('an instance made')
        r = self.resource('instance', new)
        self.equal('an instance made', (r['display_name'], r['availability_zone'], r['flavor_name'], r['project_id']),
                   ('made', 'nova', 'big', 'p2'))
        self.event('volume.transfer.accept.end', resource_id=VOLUME, project_id='p2')
        self.quiet('a volume handed over')
        self.equal('a volume handed over', [v['project_id'] for v in self.get('/v1/resource/volume/%s/history' % VOLUME)], ['p1', 'p2'])
        self.event('compute.instance.delete.start', instance_id=INSTANCE)
        self.event('volume.delete.end', resource_id=VOLUME, project_id='p2')
        self.quiet('ends')
        for kind, identity in [('instance', INSTANCE), ('volume', VOLUME), ('instance_disk', DISK), ('instance_network_interface', PORT)]:
            self.equal('the end of the ' + kind, self.resource(kind, identity)['ended_at'] is None, False)
        self.equal('the other instance goes on', self.resource('instance', SECOND)['ended_at'], None)
        alive = self.get('/v1/search/resource/instance', 'POST', {'=': {'ended_at': None}})
        self.equal('instances alive', sorted(r['display_name'] for r in alive), ['made', 'vm2'])

    def missing(self):
        """The end of something that was never seen is only told, not an error."""
        self.event('compute.instance.delete.start', instance_id='aaaaaaaa-9999-4999-8999-999999999999')
        self.quiet('an end of what is unknown')


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', help='the server command')
    p.add_argument('--endpoint', help='instead of --tsdb: an empty server that runs already, such as a real Gnocchi')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix='tsdb-ceilometer-') as scratch:
        server = None if a.endpoint else harness.Server(a.tsdb, scratch)
        try:
            if server:
                server.start()
            run = Run(a.endpoint or server.endpoint, scratch)
            for step in (run.upgrade, run.start, run.new, run.known, run.changed, run.events, run.missing):
                step()
                print('ceilometer: %-8s ok' % step.__name__, flush=True)
        except (harness.Difference, urllib.error.HTTPError) as err:
            print('ceilometer: FAILED: %s%s' % (err, '\n' + server.log_tail() if server else ''), file=sys.stderr)
            return 1
        finally:
            if server:
                server.kill()
    print('ceilometer: %d facts compared, no difference' % run.check.facts)
    return 0


if __name__ == '__main__':
    sys.exit(main())
