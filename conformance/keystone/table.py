"""The table: a row an operation, with the status that each caller gets."""

import itertools
import json

CALLERS = ('ada', 'amy', 'bob', 'cat', 'svc', 'root', 'dan')

# Who gets the status of success, by Gnocchi's default rules, for things that ada of alpha created for beta.
EVERYBODY = CALLERS
CREATOR = ('ada', 'amy', 'root')
OWNER = ('ada', 'amy', 'bob', 'root')
WRITER = ('ada', 'amy', 'svc', 'root')
READER = ('ada', 'amy', 'bob', 'svc', 'root')
SERVICE = ('svc', 'root')
ADMIN = ('root',)
UNOWNED = ('ada', 'amy', 'svc', 'root')  # readers of a metric without a resource
PROJECTS = ('ada', 'amy', 'bob', 'cat', 'svc', 'root')  # whose lists have a project to be of

DEFINITION = [{'granularity': '60s', 'points': 100}]
MEASURES = [{'timestamp': '2026-01-01T00:00:00', 'value': 1.5}]


def label(name, value):
    """A label of a series, of Prometheus' remote write protocol."""
    text = b'\n%c%s\x12%c%s' % (len(name), name.encode(), len(value), value.encode())
    return b'\n%c%s' % (len(text), text)


def snappy(data):
    """Short data as a block of snappy, not compressed."""
    return bytes([len(data), (len(data) - 1) << 2]) + data


SERIES = label('__name__', 'm') + label('job', 'j') + label('instance', 'i') + b'\x12\x02\x10\x01'
PROMETHEUS = snappy(b'\n%c%s' % (len(SERIES), SERIES))


class Row:
    """METHOD PATH with a body, the status of success and who gets it. Others get 403, or what otherwise says.

    PATH and body are templates for the names that Table.fresh gives."""

    def __init__(self, method, path, status, who, body=None, otherwise=403, content_type='application/json'):
        self.method, self.path, self.status, self.who = method, path, status, who
        self.body, self.otherwise, self.content_type = body, otherwise, content_type
        self.reads = method == 'GET' or '/search/' in path or '/aggregat' in path
        self.things = None  # what it was asked about last


class Table:
    def __init__(self, run):
        self.run = run
        self.names = itertools.count(1)

    def set_up(self):
        must = self.run.must
        must('root', 201, 'POST', '/v1/archive_policy',
             {'name': 'minutes', 'definition': DEFINITION})
        # the first who writes creates the resource type, which not everybody may
        must('ada', 403, 'POST', '/v1/prometheus/write', PROMETHEUS, content_type='application/x-protobuf')
        must('root', 202, 'POST', '/v1/prometheus/write', PROMETHEUS, content_type='application/x-protobuf')

    def fresh(self, row=''):
        """New things of ada's: a resource that belongs to beta, with a metric that has a value, and a metric of its own. A
        policy, a rule and a type, too, if the row is about one."""
        n = '%06d' % next(self.names)
        beta = self.run.keystone.ids['beta']
        must = self.run.must
        resource = '00000000-0000-4000-8000-000000' + n
        must('ada', 201, 'POST', '/v1/resource/generic',
             {'id': resource, 'project_id': beta, 'metrics': {'cpu': {'archive_policy_name': 'minutes'}}})
        path = '/v1/resource/generic/%s/metric/cpu' % resource
        metric = must('ada', 200, 'GET', path).json()['id']
        must('ada', 202, 'POST', path + '/measures', MEASURES)
        own = must('ada', 201, 'POST', '/v1/metric', {'archive_policy_name': 'minutes', 'name': 'own'}).json()['id']
        if '<policy>' in row:
            must('root', 201, 'POST', '/v1/archive_policy', {'name': 'policy' + n, 'definition': DEFINITION})
        if '<rule>' in row:
            must('root', 201, 'POST', '/v1/archive_policy_rule',
                 {'name': 'rule' + n, 'metric_pattern': 'rule' + n, 'archive_policy_name': 'minutes'})
        if '<type>' in row:
            must('root', 201, 'POST', '/v1/resource_type', {'name': 'type' + n})
        return {'n': n, 'resource': resource, 'metric': metric, 'own': own, 'beta': beta,
                'policy': 'policy' + n, 'rule': 'rule' + n, 'type': 'type' + n}

    def ask(self, row, who):
        if row.things is None or not row.reads:
            row.things = self.fresh(row.path)
        things, body = row.things, row.body
        if body is not None and not isinstance(body, bytes):
            body = json.loads(fill(json.dumps(body), things))
        elif isinstance(body, bytes) and b'<' in body:
            body = fill(body.decode(), things).encode()
        if who in ('forged', 'nobody') and row.path.startswith('/v1'):
            want = 401
        elif who in row.who or who in ('forged', 'nobody'):
            want = row.status
        else:
            want = row.otherwise
        self.run.must(who, want, row.method, fill(row.path, things), body, content_type=row.content_type)

    def rows(self):
        one = '/v1/resource/generic/<resource>'
        batch = {'<resource>': {'cpu': MEASURES}}
        search = {'=': {'id': '<resource>'}}
        return [
            Row('GET', '/', 200, EVERYBODY),
            Row('GET', '/healthcheck', 200, EVERYBODY),
            Row('GET', '/v1/', 200, EVERYBODY),
            Row('GET', '/v1/capabilities', 200, EVERYBODY),
            Row('GET', '/v1/status', 200, ADMIN),
            Row('GET', '/v1/nothing', 404, EVERYBODY),

            Row('GET', '/v1/archive_policy', 200, EVERYBODY),
            Row('POST', '/v1/archive_policy', 201, SERVICE, {'name': 'new<n>', 'definition': DEFINITION}),
            Row('GET', '/v1/archive_policy/<policy>', 200, EVERYBODY),
            Row('PATCH', '/v1/archive_policy/<policy>', 200, ADMIN, {'definition': DEFINITION}),
            Row('DELETE', '/v1/archive_policy/<policy>', 204, ADMIN),
            Row('GET', '/v1/archive_policy_rule', 200, EVERYBODY),
            Row('POST', '/v1/archive_policy_rule', 201, ADMIN,
                {'name': 'new<n>', 'metric_pattern': 'new<n>', 'archive_policy_name': 'minutes'}),
            Row('GET', '/v1/archive_policy_rule/<rule>', 200, EVERYBODY),
            Row('PATCH', '/v1/archive_policy_rule/<rule>', 200, ADMIN, {'name': 'renamed<n>'}),
            Row('DELETE', '/v1/archive_policy_rule/<rule>', 204, ADMIN),

            Row('GET', '/v1/resource_type', 200, EVERYBODY),
            Row('POST', '/v1/resource_type', 201, SERVICE, {'name': 'new<n>'}),
            Row('GET', '/v1/resource_type/<type>', 200, EVERYBODY),
            Row('PATCH', '/v1/resource_type/<type>', 200, SERVICE,
                [{'op': 'add', 'path': '/attributes/x', 'value': {'type': 'string', 'required': False}}],
                content_type='application/json-patch+json'),
            Row('DELETE', '/v1/resource_type/<type>', 204, ADMIN),

            Row('GET', '/v1/resource', 200, EVERYBODY),
            Row('GET', '/v1/resource/generic', 200, PROJECTS),
            Row('POST', '/v1/resource/generic', 201, EVERYBODY, {'id': 'new<n>'}),
            Row('GET', one, 200, OWNER),
            Row('PATCH', one, 200, WRITER, {'user_id': 'somebody'}),
            Row('DELETE', one, 204, CREATOR),
            Row('GET', one + '/history', 200, OWNER),
            Row('GET', one + '/metric', 200, OWNER),
            Row('POST', one + '/metric', 200, WRITER, {'new': {'archive_policy_name': 'minutes'}}),
            Row('GET', one + '/metric/cpu', 200, READER),
            Row('DELETE', one + '/metric/cpu', 204, CREATOR),
            Row('GET', one + '/metric/cpu/measures', 200, READER),
            Row('POST', one + '/metric/cpu/measures', 202, WRITER, MEASURES),

            Row('GET', '/v1/metric', 200, PROJECTS),
            Row('POST', '/v1/metric', 201, EVERYBODY, {'archive_policy_name': 'minutes'}),
            Row('POST', '/v1/metric', 201, WRITER, {'archive_policy_name': 'minutes', 'name': 'new', 'resource_id': '<resource>'}),
            Row('GET', '/v1/metric/<metric>', 200, READER),
            Row('GET', '/v1/metric/<own>', 200, UNOWNED),
            Row('DELETE', '/v1/metric/<metric>', 204, CREATOR),
            Row('GET', '/v1/metric/<metric>/measures', 200, READER),
            Row('GET', '/v1/metric/<own>/measures', 200, UNOWNED),
            Row('POST', '/v1/metric/<metric>/measures', 202, WRITER, MEASURES),

            Row('GET', '/v1/batch/metrics/measures?metric=<metric>', 200, READER),
            Row('GET', '/v1/batch/metrics/measures?metric=<metric>&metric=<own>', 200, UNOWNED),
            Row('POST', '/v1/batch/metrics/measures', 202, WRITER, {'<metric>': MEASURES, '<own>': MEASURES}),
            Row('POST', '/v1/batch/resources/metrics/measures', 202, WRITER, batch),
            Row('POST', '/v1/batch/resources/metrics/measures?create_metrics=true', 202, WRITER,
                {'<resource>': {'made': {'measures': MEASURES, 'archive_policy_name': 'minutes'}}}),

            Row('POST', '/v1/search/resource/generic', 200, PROJECTS, search),
            Row('POST', '/v1/search/metric?metric_id=<metric>', 200, OWNER, {'>': 0}),
            Row('GET', '/v1/aggregation/metric?metric=<metric>&aggregation=mean', 200, READER),
            Row('POST', '/v1/aggregation/metric?aggregation=mean', 200, READER, ['<metric>']),
            Row('POST', '/v1/aggregation/resource/generic/metric/cpu', 200, PROJECTS, search),
            Row('POST', '/v1/aggregates', 200, READER, {'operations': ['metric', '<metric>', 'mean']}),
            Row('POST', '/v1/aggregates', 200, UNOWNED, {'operations': ['metric', '<own>', 'mean']}),

            Row('GET', '/v1/influxdb/ping', 204, EVERYBODY),
            Row('POST', '/v1/influxdb/query?q=create%20database%20new<n>', 204, SERVICE),
            Row('POST', '/v1/influxdb/write?db=generic', 204, WRITER, b'minutes,host=<resource> value=1', content_type='text/plain'),
            Row('POST', '/v1/influxdb/write?db=generic', 204, EVERYBODY, b'minutes,host=new<n> value=1', content_type='text/plain'),
            Row('POST', '/v1/prometheus/write', 202, EVERYBODY, PROMETHEUS, content_type='application/x-protobuf'),

            Row('DELETE', '/v1/resource/generic?filter=id%3D%22<resource>%22', 200, PROJECTS),
        ]

    # -- what lists show ----------------------------------------------------

    def lists(self):
        """Lists show each caller what is theirs: created by their project, or owned by it."""
        things = self.fresh()
        beta = self.run.keystone.ids['beta']
        must, equal = self.run.must, self.run.check.equal
        strangers = '00000000-0000-4000-9000-000000000001'
        must('cat', 201, 'POST', '/v1/resource/generic', {'id': strangers, 'metrics': {'cpu': {'archive_policy_name': 'minutes'}}})
        path = '/v1/resource/generic/%s/metric/cpu' % strangers
        theirs = must('cat', 200, 'GET', path).json()['id']
        must('cat', 202, 'POST', path + '/measures', MEASURES)
        search = {'in': {'id': [things['resource'], strangers]}}
        sees = {'ada': 'ada', 'amy': 'ada', 'bob': 'ada', 'cat': 'cat', 'svc': '', 'root': 'ada cat'}
        for who, of in sees.items():
            resources = {'ada': things['resource'], 'cat': strangers}
            metrics = {'ada': things['metric'], 'cat': theirs}
            want = {resources[o] for o in of.split()}
            listed = self.every(who, '/v1/resource/generic', 'GET')
            # the service may search, and list nothing but its own
            if who == 'svc':
                equal('svc lists resources', listed & set(resources.values()), set())
                want = set(resources.values())
            else:
                equal(who + ' lists resources', listed & set(resources.values()), want)
            found = {r['id'] for r in must(who, 200, 'POST', '/v1/search/resource/generic', search).json()}
            equal(who + ' searches resources', found, want)
            listed = self.every(who, '/v1/metric', 'GET')
            equal(who + ' lists metrics', listed & set(metrics.values()), {metrics[o] for o in of.split()})
            own = things['own'] in listed
            equal(who + ' lists a metric without a resource', own, who in ('ada', 'amy', 'root'))
            r = self.run.ask(who, 'POST', '/v1/aggregates',
                             {'resource_type': 'generic', 'search': {'=': {'id': things['resource']}}, 'operations': ['metric', 'cpu', 'mean']})
            equal(who + ' aggregates by name (%s)' % r.text[:200], r.status_code, 404 if who == 'cat' else 200)
            r = must(who, 200, 'POST', '/v1/aggregation/resource/generic/metric/cpu?aggregation=mean', search)
            equal(who + ' aggregates the old way', len(r.json()), 1)
        # deleting by a filter takes what the rule lets it, and the owner did not create it
        body = {'=': {'project_id': beta}}
        equal('cat deletes', must('cat', 200, 'DELETE', '/v1/resource/generic', body).json(), {'deleted': 0})
        equal('bob deletes', must('bob', 200, 'DELETE', '/v1/resource/generic', body).json(), {'deleted': 0})
        before = len(must('ada', 200, 'POST', '/v1/search/resource/generic?limit=1000', body).json())
        equal('amy deletes', must('amy', 200, 'DELETE', '/v1/resource/generic', body).json(), {'deleted': before})

    def every(self, who, path, method):
        """The ids of all pages of a list."""
        ids, url = set(), path + '?limit=1000'
        while url:
            r = self.run.must(who, 200, method, url)
            ids |= {item['id'] for item in r.json()}
            url = r.links.get('next', {}).get('url', '').replace(self.run.server.endpoint, '')
        return ids


def fill(text, things):
    for name, value in things.items():
        text = text.replace('<%s>' % name, value)
    return text
