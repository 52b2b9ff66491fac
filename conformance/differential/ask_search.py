"""Searches for resources, in both languages of filters."""

from ask_resources import paging, value_of
from wire import Request

SIX = [('=', '==', 'eq'), ('<', 'lt'), ('>', 'gt'), ('<=', '≤', 'le'), ('>=', '≥', 'ge'), ('!=', '≠', 'ne')]


def attribute(w, kind):
    names = ['id', 'type', 'creator', 'started_at', 'ended_at', 'project_id', 'user_id', 'original_resource_id', 'lifespan',
             'created_by_user_id', 'created_by_project_id'] + 3 * [n for n in w.types.get(kind, {}) if n.isidentifier()]
    return w.pick(names) if w.sound(0.98) else w.pick(['nope', 'metrics', 'revision'])


def operand(w, kind, name):
    """A value to compare the attribute with."""
    definition = w.types.get(kind, {}).get(name)
    if w.fault(0.06):
        return w.pick([None, 5, 'text', True, '', 1.5])
    if definition:
        return value_of(w, definition)
    if name == 'id':
        return w.resource()
    if name in ('started_at', 'ended_at'):
        return w.written(w.moment(spread=86400))
    if name == 'lifespan':
        return w.pick(['30 min', '1 day', 3600, '2 hours'])
    return w.pick({'type': ['generic', *w.types], 'creator': ['admin', 'foobar'], 'project_id': ['p1', 'p2'], 'user_id': ['u1', 'u2'],
                   'original_resource_id': [r['original'] for r in w.resources.values()] or ['x']}.get(name, ['admin', 'x']))


def is_text(w, kind, name):
    """Whether a pattern can be laid beside the attribute."""
    definition = w.types.get(kind, {}).get(name)
    return definition['type'] == 'string' if definition else name in ('type', 'creator', 'project_id', 'user_id', 'original_resource_id')


def condition(w, kind):
    name = attribute(w, kind)
    form = w.random.random()
    if form < 0.12:
        w.faults += not is_text(w, kind, name)
        return {'like': {name: w.pick(['%', 'p%', '%a%', '_1', 'instance%', 'a\\%b%', 'abc'])}}
    if form < 0.25:
        return {'in': {name: [operand(w, kind, name) for _ in range(w.random.randint(0 if w.chance(0.1) else 1, 3))]}}
    return {w.pick(w.pick(SIX)): {name: operand(w, kind, name)}}


def filter_json(w, kind, depth=2):
    if w.fault(0.03):
        return w.pick([{'=': {}}, {'=': {'id': 'x', 'type': 'y'}}, {'and': {}}, {'and': []}, {'not': []}, {'ne': {'project_id': []}},
                       {'foo': {'id': 'x'}}, {'in': {'id': []}}, {'in': {}}, {'=': 5}, {'=': {'started_at': 'foo'}}, [], 5,
                       {'like': {'id': 'x%'}}, {'and': [{}]}, {'not': {}}, {'=': {'id': 'a/b'}}, {'=': {'id': 5}}])
    if depth and w.chance(0.4):
        kind_of = w.pick(['and', 'or', '∧', '∨', 'not'])
        if kind_of == 'not':
            return {'not': filter_json(w, kind, depth - 1)}
        return {kind_of: [filter_json(w, kind, depth - 1) for _ in range(w.random.randint(1, 3))]}
    return condition(w, kind)


def word(w, value):
    """A value as filter strings write it."""
    if value is None:
        return w.pick(['null', 'None', 'none'])
    if isinstance(value, bool):
        return str(value) if w.chance(0.5) else str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return '[%s]' % ', '.join(word(w, v) for v in value)
    quote = w.pick('"\'')
    w.faults += quote in str(value)
    return value if str(value).isalnum() and str(value).isascii() and w.chance(0.3) else quote + str(value) + quote


def filter_text(w, kind, depth=2):
    if w.fault(0.04):
        return w.pick(['id == foobar', '=', 'id =', '(id = 1', '1 = host', 'nullable = 1', 'id in []', 'a and', 'not', "id = 'x", 'id = 1)'])
    if depth and w.chance(0.45):
        if w.chance(0.25):
            return 'not ' + (filter_text(w, kind, 0) if w.chance(0.3) else '(%s)' % filter_text(w, kind, depth - 1))
        glue = w.pick([' and ', ' or ', '∧', '∨'])
        parts = [filter_text(w, kind, depth - 1) for _ in range(w.random.randint(2, 3))]
        return glue.join(p if w.chance(0.5) else '(%s)' % p for p in parts)
    name = attribute(w, kind)
    op = w.pick(['=', '!=', '<', '>', '<=', '>=', 'eq', 'ne', 'lt', 'gt', 'le', 'ge', '≠', '≤', '≥', 'like', 'in'])
    value = operand(w, kind, name)
    if op == 'in':
        value = [value, operand(w, kind, name)]
    if op == 'like':
        w.faults += not is_text(w, kind, name)
        value = w.pick(['%', 'p%', '%a%', '_1'])
    blank = w.pick([' ', ' ', '']) if not op.isalpha() else ' '
    return '%s%s%s%s%s' % (name, blank, op, blank, word(w, value))


def search(w):
    kind = w.type()
    query = []
    history = w.chance(0.25)
    if history:
        query.append(('history', 'true'))
    if w.chance(0.2):
        query.append(('details', 'true'))
    if w.fault(0.1):
        query += [('attrs', a) for a in w.some(['id', 'type', 'host', 'project_id', 'nope'], 3)]
    paging(w, query, kind, history)
    body = None
    if w.chance(0.55):
        body = filter_json(w, kind)
        # the original repeats members of the body in the links of pages
    else:
        query.append(('filter', filter_text(w, kind)))
    return Request('search', 'POST', '/v1/search/resource/' + kind, query, body=body, user=w.user())


def bulk_delete(w):
    kind = w.type()
    if w.chance(0.5):
        return Request('resources', 'DELETE', '/v1/resource/' + kind, body=filter_json(w, kind), user=w.user())
    query = [('filter', filter_text(w, kind))] if w.chance(0.8) else []
    return Request('resources', 'DELETE', '/v1/resource/' + kind, query, user=w.user())


def deletes_by_type(request, theirs):
    """Whether resources of one type were deleted by a filter: the original leaves a part of each behind, and no more can be compared."""
    typed = request.method == 'DELETE' and request.path.startswith('/v1/resource/') and request.path.count('/') == 3
    return typed and not request.path.endswith('/generic') and theirs.status == 200 and theirs.body['deleted'] > 0
