"""What aodh, CloudKitty and Grafana ask, in the order and the form in which they ask it.

None of the three is run: their requests were taken from their sources. CloudKitty and aodh ask through the gnocchiclient
library, as here; Grafana's plugin runs in a browser.
"""

import argparse
import datetime
import sys
import tempfile

from gnocchiclient import auth, client, exceptions
from keystoneauth1 import session

import harness
import plain

VMS = {'11111111-0000-4000-8000-000000000001': ('p1', 'f1', [10, 20, 30, 40]),
       '11111111-0000-4000-8000-000000000002': ('p1', 'f2', [1, 2, 3, 4]),
       '11111111-0000-4000-8000-000000000003': ('p2', 'f1', [5, 5, 5, 5])}
FIRST, SECOND, THIRD = VMS
ORIGIN = 'http://grafana.example'

# CloudKitty's questions are about the states that resources had, and these begin when the resources are made: now.
BASE = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=2)
LATER = 240


def moment(minute):
    return BASE + datetime.timedelta(minutes=minute)


def at(minute):
    return moment(minute).isoformat()


def prepare(api):
    """Three instances with four polls each, of which the first one changes its flavour, and ends."""
    api.send('POST', '/v1/archive_policy', {'name': 'rated', 'aggregation_methods': ['mean', 'max', 'rate:mean'], 'definition': [
        {'granularity': 300, 'timespan': '30d'}, {'granularity': 3600, 'timespan': '365d'}]})
    api.send('POST', '/v1/resource_type', {'name': 'instance', 'attributes': {
        'flavor_id': {'type': 'string', 'required': True}, 'display_name': {'type': 'string', 'required': False}}})
    for number, (vm, (project, flavor, cpu)) in enumerate(VMS.items()):
        api.send('POST', '/v1/resource/instance', {
            'id': vm, 'project_id': project, 'flavor_id': flavor, 'display_name': 'vm%d' % number, 'started_at': '2024-05-01T00:00:00',
            'metrics': {'cpu': {'archive_policy_name': 'rated', 'unit': 'ns'}}})
        api.send('POST', '/v1/resource/instance/%s/metric/cpu/measures' % vm, [
            {'timestamp': at(5 * i), 'value': v} for i, v in enumerate(cpu)])
    api.send('PATCH', '/v1/resource/instance/' + FIRST, {'flavor_id': 'f9'})
    api.send('PATCH', '/v1/resource/instance/' + THIRD, {'ended_at': '2024-06-01T00:00:00'})


def triples(points):
    return [(str(t), g, v) for t, g, v in points]


def shown(points, granularity=300.0):
    return [(str(moment(m)), granularity, v) for m, v in points]


def library(endpoint):
    plugin = auth.GnocchiBasicPlugin('admin', endpoint)
    return client.Client('1', session.Session(auth=plugin), adapter_options={'endpoint_override': endpoint})


def refused(check, what, kind, words, ask):
    """Asks for what the client turns into this exception."""
    try:
        ask()
    except kind as err:
        check.equal(what, words in str(err), True)
    else:
        raise harness.Difference('%s: no error' % what)


def aodh(endpoint, check):
    """Rules are validated, then evaluated every minute."""
    g = library(endpoint)
    check.equal('methods of rules', {'mean', 'rate:mean', 'last', '95pct'} <= set(g.capabilities.list()['aggregation_methods']), True)
    # one metric of one resource
    points = g.metric.get_measures('cpu', resource_id=FIRST, granularity=300, start=at(5), stop=at(15), aggregation='rate:mean')
    check.equal('threshold of a resource', triples(points), shown([(5, 10.0), (10, 10.0)]))
    refused(check, 'no such method', exceptions.NotFound, 'Aggregation method does not exist for this metric',
            lambda: g.metric.get_measures('cpu', resource_id=FIRST, aggregation='median'))
    refused(check, 'no such metric', exceptions.MetricNotFound, 'Metric gpu does not exist',
            lambda: g.metric.get_measures('gpu', resource_id=FIRST))
    refused(check, 'no such resource', exceptions.ResourceNotFound, 'does not exist',
            lambda: g.metric.get_measures('cpu', resource_id='nope'))
    # all resources of a project
    search = {'and': [{'=': {'project_id': 'p1'}}, {'=': {'ended_at': None}}]}
    got = g.aggregates.fetch(operations=['aggregate', 'mean', ['metric', 'cpu', 'mean']], search=search, resource_type='instance',
                             granularity=300, start=at(0), stop=at(10), needed_overlap=0)
    check.equal('threshold of a project', triples(got['measures']['aggregated']), shown([(0, 5.5), (5, 11.0)]))
    check.equal('validation', len(g.aggregates.fetch(
        operations=['aggregate', 'mean', ['metric', 'cpu', 'mean']], search=search, resource_type='instance', needed_overlap=0,
        start='-1 day', stop='now')['measures']['aggregated']), 5)
    refused(check, 'validation of an unknown metric', exceptions.MetricNotFound, "Metric ['gpu'] does not exist", lambda: g.aggregates.fetch(
        operations=['aggregate', 'mean', ['metric', 'gpu', 'mean']], search=search, resource_type='instance', needed_overlap=0))
    # a metric by its id
    metric = g.resource.get('instance', FIRST)['metrics']['cpu']
    got = g.aggregates.fetch(operations=['aggregate', 'max', ['metric', metric, 'mean']], granularity=300, needed_overlap=0)
    check.equal('threshold of an id', triples(got['measures']['aggregated'])[-1:], shown([(15, 40.0)]))
    two = ['aggregate', 'max', ['metric', metric, 'mean'], ['metric', metric, 'max']]
    refused(check, 'two metrics as aodh asks for them', exceptions.BadRequest, "'aggregate' operation invalid",
            lambda: g.aggregates.fetch(operations=two, granularity=300, needed_overlap=0))


def cloudkitty(endpoint, check):
    """Each period: what is to be rated, by attributes that may have changed meanwhile."""
    g = library(endpoint)
    scope = {'and': [{'=': {'type': 'instance'}}, {'=': {'project_id': 'p1'}}]}
    g.metric.add_measures('cpu', [{'timestamp': at(LATER + 5 * i), 'value': 100 + i} for i in range(2)], FIRST)

    def rated(operations, *attributes):
        got = g.aggregates.fetch(operations, resource_type='instance', search=scope, use_history=True, groupby=['id', *attributes],
                                 start=at(0), stop=at(LATER + 60), granularity=300)
        return got, [(x['group']['id'], x['group']['flavor_id'], [v for _, _, v in x['measures']['measures']['aggregated']]) for x in got]

    got, found = rated(['aggregate', 'max', ['metric', 'cpu', 'max']], 'flavor_id', 'project_id', 'revision_start')
    check.equal('a period', sorted(found), [
        (FIRST, 'f1', [10.0, 20.0, 30.0, 40.0]), (FIRST, 'f9', [100.0, 101.0]), (SECOND, 'f2', [1.0, 2.0, 3.0, 4.0])])
    _, found = rated('(aggregate max (rateofchange (metric cpu max)))', 'flavor_id')
    check.equal('an operation of its own', sorted(found), [
        (FIRST, 'f1', [10.0, 10.0, 10.0]), (FIRST, 'f9', [1.0]), (SECOND, 'f2', [1.0, 1.0, 1.0])])
    got.sort(key=lambda x: (x['group']['id'], x['group']['flavor_id']))
    first = got[0]['measures']['measures']['aggregated'][0]
    check.equal('the quantity', (str(first[0]), first[1], first[2]), shown([(0, 10.0)])[0])
    refused(check, 'nothing to rate', exceptions.NotFound, "Metric ['nothing'] does not exist", lambda: g.aggregates.fetch(
        ['aggregate', 'max', ['metric', 'nothing', 'max']], resource_type='instance', search=scope, use_history=True, groupby=['id'],
        start=at(0), stop=at(20)))
    # projects are fetched page by page until a page is empty
    query = {'and': [{'=': {'type': 'instance'}}, {'or': [{'=': {'ended_at': None}}, {'>=': {'ended_at': '2024-05-15T00:00:00'}}]},
                     {'<=': {'started_at': '2024-05-10T00:00:00'}}]}
    marker, projects = None, []
    while True:
        page = g.resource.search(resource_type='generic', query=query, sorts=['id:asc'], marker=marker, limit=2)
        if not page:
            break
        projects += [r['project_id'] for r in page]
        marker = page[-1]['id']
    check.equal('projects', projects, ['p1', 'p1', 'p2'])


def grafana(endpoint, check, cors):
    """The plugin's requests, those before them that a browser makes included."""
    api = plain.Api(endpoint)
    origin = {'Origin': ORIGIN}
    if cors:
        status, headers, _ = api.ask('OPTIONS', '/v1/resource', headers=dict(origin, **{
            'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'Authorization, X-Project-Id'}))
        check.equal('may a page ask', (status, headers['Access-Control-Allow-Origin'], headers['Access-Control-Allow-Methods']),
                    (200, ORIGIN, 'GET'))
        check.equal('with which headers', headers['Access-Control-Allow-Headers'].replace(' ', '').lower(), 'authorization,x-project-id')

    def ask(method, path, body=None, query=()):
        status, headers, got = api.ask(method, path, body, query, origin)
        if status != 200 or cors and headers['Access-Control-Allow-Origin'] != ORIGIN:
            raise harness.Difference('%s %s: status %d, %r, %r' % (method, path, status, dict(headers), got))
        return got

    version = [int(x) for x in ask('GET', '/')['build'].split('.')[:2]]
    check.equal('version', version >= [4, 2], True)
    check.equal('connection', sorted(ask('GET', '/v1/resource')), ['generic', 'instance'])
    check.equal('types', [t['name'] for t in ask('GET', '/v1/resource_type')], ['generic', 'instance'])
    window = [('start', at(0)), ('stop', at(20)), ('end', at(20))]
    # variables of a dashboard
    found = ask('POST', '/v1/search/resource/instance', None, [
        ('filter', "display_name like 'vm%' and project_id in ['p1', 'p3']"), ('attrs', 'display_name'), ('attrs', 'id')])
    check.equal('variables by text', sorted(found, key=lambda r: r['id']), [{'id': FIRST, 'display_name': 'vm0'}, {'id': SECOND, 'display_name': 'vm1'}])
    found = ask('POST', '/v1/search/resource/instance', {'=': {'project_id': 'p2'}})
    check.equal('variables by JSON', [r['display_name'] for r in found], ['vm2'])
    check.equal('metrics of a resource', list(ask('GET', '/v1/resource/instance/' + FIRST)['metrics']), ['cpu'])
    metric = found[0]['metrics']['cpu']
    check.equal('name of a metric', ask('GET', '/v1/metric/' + metric)['name'], 'cpu')
    # panels: one metric, by id and by name; coarse points come first and are replaced by fine ones
    points = ask('GET', '/v1/metric/%s/measures' % metric, None, window + [('aggregation', 'max')])
    check.equal('a panel by id', points, [[at(0), 3600.0, 5.0]] + [[at(m), 300.0, 5.0] for m in (0, 5, 10, 15)])
    points = ask('GET', '/v1/resource/instance/%s/metric/cpu/measures' % SECOND, None, window + [('aggregation', 'mean'), ('granularity', 300)])
    check.equal('a panel by name', points, [[at(5 * i), 300.0, v] for i, v in enumerate([1.0, 2.0, 3.0, 4.0])])
    # several metrics
    points = ask('GET', '/v1/aggregation/metric', None, window + [
        ('aggregation', 'mean'), ('reaggregation', 'sum'), ('granularity', 300), ('needed_overlap', 0),
        ('metric', metric), ('metric', ask('GET', '/v1/resource/instance/' + FIRST)['metrics']['cpu'])])
    check.equal('an old aggregate', points, [[at(5 * i), 300.0, v] for i, v in enumerate([15.0, 25.0, 35.0, 45.0])])
    points = ask('POST', '/v1/aggregation/resource/instance/metric/cpu', {'=': {'project_id': 'p1'}}, window + [
        ('aggregation', 'mean'), ('reaggregation', 'max'), ('granularity', 300), ('groupby', 'flavor_id')])
    check.equal('an old aggregate, grouped', [(x['group'], len(x['measures'])) for x in points], [
        ({'flavor_id': 'f2'}, 4), ({'flavor_id': 'f9'}, 4)])
    got = ask('POST', '/v1/aggregates', {'operations': '(aggregate mean (metric cpu mean))', 'resource_type': 'instance',
                                         'search': "project_id = 'p1'"}, window + [('granularity', 300), ('fill', 'null'), ('details', 'true')])
    check.equal('an aggregate', got['measures']['aggregated'], [[at(5 * i), 300.0, v] for i, v in enumerate([5.5, 11.0, 16.5, 22.0])])
    check.equal('its references', sorted(r['display_name'] for r in got['references']), ['vm0', 'vm1'])
    got = ask('POST', '/v1/aggregates', {'operations': ['metric', ['cpu', 'mean'], ['cpu', 'max']], 'resource_type': 'instance',
                                         'search': {'=': {'id': SECOND}}}, window + [('granularity', 300), ('groupby', 'project_id')])
    check.equal('series, grouped', [(x['group'], sorted(x['measures']['measures'][SECOND]['cpu'])) for x in got], [
        ({'project_id': 'p1'}, ['max', 'mean'])])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', help='the server command')
    p.add_argument('--endpoint', help='instead of --tsdb: an empty server that runs already, such as a real Gnocchi')
    a = p.parse_args()
    check = harness.Checker()

    def run(endpoint):
        prepare(plain.Api(endpoint))
        aodh(endpoint, check)
        cloudkitty(endpoint, check)
        grafana(endpoint, check, cors=not a.endpoint)

    with tempfile.TemporaryDirectory(prefix='tsdb-conformance-') as scratch:
        return plain.judge('consumers', a, scratch, run, check, ['--cors-origin', ORIGIN])


if __name__ == '__main__':
    sys.exit(main())
