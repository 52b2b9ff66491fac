"""The collectd plugin that writes to Gnocchi, fed as collectd would feed it: a host that is unknown, then one that is known.

The plugin is the real one; the module `collectd`, which the daemon gives to its plugins, is played here.
"""

import argparse
import sys
import tempfile
import types

import harness
import plain

NOW = 1714564800.0  # collectd writes times as fractions of seconds


class Daemon(types.ModuleType):
    """What a plugin sees of collectd: it registers callbacks and complains."""

    def __init__(self):
        super().__init__('collectd')
        self.complaints, self.callbacks = [], {}
        self.error = self.warning = self.complaints.append
        for kind in ('config', 'init', 'write', 'flush'):
            setattr(self, 'register_' + kind, lambda callback, kind=kind: self.callbacks.update({kind: callback}))


def setting(key, value):
    return types.SimpleNamespace(key=key, values=[value])


def values(host, plugin, kind, numbers, time, instance='', kind_instance=''):
    return types.SimpleNamespace(host=host, plugin=plugin, plugin_instance=instance, type=kind, type_instance=kind_instance,
                                 values=numbers, time=time)


def run(endpoint, check):
    api = plain.Api(endpoint)
    policies = [p['name'] for p in api.get('/v1/archive_policy')]
    if 'low' not in policies:  # an operator has a policy and a rule for all that collectd brings
        api.send('POST', '/v1/archive_policy', {'name': 'low', 'definition': [{'granularity': 300, 'timespan': '30d'}]})
        api.send('POST', '/v1/archive_policy_rule', {'name': 'default', 'archive_policy_name': 'low', 'metric_pattern': '*'})
    daemon = Daemon()
    sys.modules['collectd'] = daemon
    import collectd_gnocchi  # noqa: F401  registers itself with the daemon
    daemon.callbacks['config'](types.SimpleNamespace(children=[
        setting('endpoint', endpoint), setting('auth_mode', 'basic'), setting('user', 'admin'), setting('batchsize', 5)]))
    daemon.callbacks['init']()
    write = daemon.callbacks['write']
    for i in range(5):  # the fifth fills the batch
        write(values('node/1', 'load', 'load', [0.5 + i, 0.25, float('nan')], NOW + 60.5 * i))
    check.equal('complaints', daemon.complaints, [])
    check.equal('the type', api.get('/v1/resource_type/collectd')['attributes']['host']['required'], True)
    resource = api.get('/v1/resource/collectd/collectd:node_1')
    check.equal('the resource', (resource['host'], resource['original_resource_id'], sorted(resource['metrics'])),
                ('node/1', 'collectd:node_1', ['load@load-1min', 'load@load-5min']))
    path = '/v1/resource/collectd/collectd:node_1/metric/%s/measures?aggregation=%s'
    check.equal('its measures', api.get(path % ('load@load-1min', 'mean')), [['2024-05-01T12:00:00+00:00', 300.0, 2.5]])
    check.equal('their number', api.get(path % ('load@load-5min', 'count')), [['2024-05-01T12:00:00+00:00', 300.0, 5.0]])
    write(values('node/1', 'interface', 'if_octets', [10.0, 20.0], NOW, 'eth0'))
    write(values('node2', 'cpu', 'percent', [99.0], NOW, '0', 'idle'))
    daemon.callbacks['flush'](0, None)
    check.equal('complaints', daemon.complaints, [])
    check.equal('both hosts', sorted(r['host'] for r in api.get('/v1/resource/collectd')), ['node/1', 'node2'])
    check.equal('a known host', sorted(api.get('/v1/resource/collectd/collectd:node_1')['metrics']), [
        'interface-eth0@if_octets-rx', 'interface-eth0@if_octets-tx', 'load@load-1min', 'load@load-5min'])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', help='the server command')
    p.add_argument('--endpoint', help='instead of --tsdb: an empty server that runs already, such as a real Gnocchi')
    a = p.parse_args()
    check = harness.Checker()
    with tempfile.TemporaryDirectory(prefix='tsdb-conformance-') as scratch:
        return plain.judge('collectd', a, scratch, lambda endpoint: run(endpoint, check), check)


if __name__ == '__main__':
    sys.exit(main())
