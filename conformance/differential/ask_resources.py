"""Resources, their history, metrics, and the lists of both."""

from wire import Request
from world import NAMES, ORIGIN

DAY = 86400


def value_of(w, definition):
    """A value for an attribute of a resource type, right most of the time."""
    kind = definition.get('type')
    if w.fault(0.05):
        return w.pick([5, 'text', None, True, [1], {}, 'x' * 300, '', -1e9])
    if kind == 'string':
        text = w.pick(['alpha', 'beta', 'gamma', 'abc', 'ünï', 'a%b_c', "it's"])
        w.faults += not definition['min_length'] <= len(text) <= definition['max_length']
        return text
    if kind == 'number':
        number = w.pick([0, 1, 2.5, 3, 5, 50])
        w.faults += number < (definition['min'] or -1e99) or number > (1e99 if definition['max'] is None else definition['max'])
        return number
    if kind == 'bool':
        return w.chance(0.5)
    if kind == 'uuid':
        return w.pick(['7c5ff8a0-5e4c-4b4c-9e0e-0d3f6d5b8a11', '7C5FF8A05E4C4B4C9E0E0D3F6D5B8A12', w.uuid()])
    return w.pick(['2016-05-05T10:00:00', '2016-05-06', '2016-05-05T10:00:00.25+02:00', 1462442400, 1.5e9])


def attributes(w, kind, probability):
    body = {n: value_of(w, d) for n, d in w.types.get(kind, {}).items() if d.get('required') or w.chance(probability)}
    if w.chance(0.5):
        body['project_id'] = w.pick(['p1', 'p2', 'p3', None])
    if w.chance(0.4):
        body['user_id'] = w.pick(['u1', 'u2', None])
    return body


def metric_definition(w):
    out = {'archive_policy_name': w.policy()} if w.sound(0.92) else {}
    if w.chance(0.3):
        out['unit'] = w.pick(['MB', 'B/s', 'x' * 31])
    if w.fault(0.04):
        out.update(w.pick([{'unit': 'x' * 32}, {'unit': 5}, {'foo': 1}, {'name': 'other'}]))
    return out


def metrics(w):
    out = {}
    for name in w.some(NAMES, 3):
        loose = [m for m, v in w.metrics.items() if v['resource'] is None]
        out[name] = w.pick(loose) if loose and w.chance(0.05) else metric_definition(w)
    if w.fault(0.03):
        out.update(w.pick([{'a/b': metric_definition(w)}, {'cpu': 5}, {'cpu': 'no uuid'}, {'cpu': w.uuid()}]))
    return out


def new_id(w):
    kind = w.random.random()
    if kind < 0.45:
        return w.uuid()
    if kind < 0.5:
        return w.uuid().upper().replace('-', '')
    if kind < 0.9:
        return w.name('instance-')
    if kind < 0.94 and w.resources:
        return w.resources[w.pick(w.resources)]['original']
    return w.pick(['with/slash', 'x' * 290, 'y' * 289, 'ünï-' + w.name('r'), 'a b ' + w.name('c'), 7, None])


def create(w):
    kind = w.type()
    body = dict(attributes(w, kind, 0.7), id=new_id(w))
    if w.chance(0.6):
        body['started_at'] = w.iso(w.moment(spread=DAY))
        if w.chance(0.4):
            body['ended_at'] = w.iso(w.moment(ORIGIN + 2 * DAY, DAY))
            if w.fault(0.05):
                body['ended_at'] = w.iso(w.moment(ORIGIN - 2 * DAY, DAY))
    if w.chance(0.8):
        body['metrics'] = metrics(w)
    if w.fault(0.04):
        body.update(w.pick([{'type': 'x'}, {'foo': 1}, {'started_at': 'soon'}, {'metrics': []}, {'project_id': 5}, {'ended_at': 'x'}]))
    return Request('resources', 'POST', '/v1/resource/' + kind, body=body, user=w.user())


def path_of(w, generic=0.5):
    known = w.resource()
    kind = 'generic' if w.chance(generic) else w.resources.get(known.lower(), {}).get('type') or w.type()
    return '/v1/resource/%s/%s' % (kind, known)


def read(w):
    headers = {}
    if w.fault(0.15):
        headers = w.pick([{'If-Match': '*'}, {'If-None-Match': '*'}, {'If-Match': '"nope"'}, {'If-None-Match': '"nope"'},
                          {'If-Modified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT'},
                          {'If-Unmodified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT'}])
    return Request('resources', 'GET', path_of(w), headers=headers, user=w.user())


def change(w):
    # what changes by way of `generic` is not told by the typed history of the original
    path = path_of(w, 0.05)
    kind = path.split('/')[3]
    body = attributes(w, kind, 0.4)
    if w.chance(0.2):
        body['ended_at'] = w.iso(w.moment(ORIGIN + DAY, 2 * DAY))
    if w.chance(0.1):
        body['started_at'] = w.iso(w.moment(spread=DAY))
    if w.chance(0.12):
        body['metrics'] = metrics(w)
    if w.fault(0.1):
        body = w.pick([{}, {'id': w.uuid()}, [], {'foo': 1}, {'ended_at': '1999-01-01'}, {'metrics': {}}])
    headers = {}
    if w.fault(0.08):
        headers = w.pick([{'If-Match': '"nope"'}, {'If-None-Match': '*'}, {'If-Match': '*'}])
    return Request('resources', 'PATCH', path, body=body, headers=headers, user=w.user())


def delete(w):
    return Request('resources', 'DELETE', path_of(w), user=w.user())


def sorts(w, kind, history):
    keys = ['id', 'started_at', 'project_id', 'user_id', 'original_resource_id', 'creator', 'type', 'ended_at']
    keys += [n for n in w.types.get(kind, {}) if n.isidentifier()]
    if history:
        keys += ['revision_start', 'revision_end', 'revision']
    for key in w.some(keys, 2):
        yield key + w.pick(['', ':asc', ':desc', ':asc-nullsfirst', ':asc-nullslast', ':desc-nullsfirst', ':desc-nullslast'])


def paging(w, query, kind='generic', history=False):
    """limit, sort and marker of a list of resources."""
    if w.chance(0.5):
        query.append(('limit', w.pick([1, 2, 3, 5, 1000]) if w.sound(0.93) else w.pick([0, -1, 'x', '1.5', ''])))
    if w.chance(0.5):
        query += [('sort', s) for s in sorts(w, kind, history)]
    if w.fault(0.04):
        query.append(('sort', w.pick(['nokey', 'id:up', ':', 'metrics', 'id:'])))
    if w.chance(0.15) and w.resources:
        query.append(('marker', w.pick(w.resources) if w.sound(0.9) else w.pick([w.uuid(), 'x', 'a@b'])))


def listing(w):
    kind = w.type()
    query = []
    history = w.chance(0.25)
    if history:
        query.append(('history', w.pick(['true', 'True', '1', 'yes'])))
    if w.chance(0.25):
        query.append(('details', w.pick(['true', 'false', 'True']) if w.sound(0.95) else 'maybe'))
    if w.chance(0.15):
        query += [('attrs', a) for a in w.some(['id', 'type', 'host', 'project_id', 'nope', 'metrics'], 3)]
    paging(w, query, kind, history)
    return Request('lists', 'GET', '/v1/resource/' + kind, query, user=w.user())


def history(w):
    query = []
    if w.chance(0.3):
        query.append(('details', 'true'))
    paging(w, query, history=True)
    return Request('history', 'GET', path_of(w) + '/history', query, user=w.user())


def create_metric(w):
    body = metric_definition(w)
    if w.chance(0.85):
        body['name'] = w.name('metric')
    if w.chance(0.3):
        body['resource_id'] = w.resource()
        body['name'] = w.pick(NAMES)
        if not w.resources or w.fault(0.04):
            body.pop('name')
    if w.fault(0.04):
        body.update(w.pick([{'name': 5}, {'name': 'a/b'}, {'foo': 1}, {'resource_id': 'x/y'}, {'archive_policy_name': 5}]))
    return Request('metrics', 'POST', '/v1/metric', body=body, user=w.user())


def resource_metrics(w):
    """The metrics of a resource: listed, added, shown, deleted."""
    path = path_of(w) + '/metric'
    kind = w.random.random()
    if kind < 0.25:
        return Request('metrics', 'GET', path, user=w.user(), unordered=True)
    if kind < 0.6:
        return Request('metrics', 'POST', path, body=metrics(w), user=w.user(), unordered=True)
    path += '/' + (w.pick(NAMES) if w.sound(0.9) else 'nope')
    return Request('metrics', 'GET' if kind < 0.9 else 'DELETE', path, user=w.user())


def one_metric(w):
    metric = w.metric() if w.sound(0.95) else 'not-a-uuid'
    return Request('metrics', 'GET' if w.chance(0.8) else 'DELETE', '/v1/metric/' + metric, user=w.user())


def list_metrics(w):
    query = []
    if w.chance(0.7):
        query.append(w.pick([
            ('name', w.pick(NAMES)), ('archive_policy_name', w.policy()), ('creator', w.pick(['admin', 'foobar'])), ('unit', 'MB'),
            ('status', w.pick(['active', 'delete', 'gone'])), ('id', w.metric()), ('user_id', 'admin'), ('resource_id', w.resource())]))
    if w.chance(0.2):
        query.append(('sort', w.pick(['nokey', 'name:up'])))
    if w.fault(0.1):
        query.append(w.pick([('limit', 'x'), ('limit', 0), ('marker', w.uuid())]))
    return Request('lists', 'GET', '/v1/metric', query, user=w.user(), unordered=True)
