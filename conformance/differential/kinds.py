"""What a request is made of, to be counted: nothing that is not counted can be said to have been compared."""

import re

from ask_aggregates import BINARY, UNARY
from wire import UUID

OPERATIONS = {'metric', 'aggregate', 'resample', 'rolling', 'clip', *BINARY, *UNARY}
CHOSEN = {'aggregation', 'reaggregation', 'fill', 'needed_overlap', 'resample', 'groupby'}
OPERATORS = {'=', '==', 'eq', '<', 'lt', '>', 'gt', '<=', '≤', 'le', '>=', '≥', 'ge', '!=', '≠', 'ne', 'like', 'in', 'and', 'or', 'not', '∧', '∨'}
KEYS = {'resource', 'metric', 'measures', 'history', 'archive_policy', 'archive_policy_rule', 'resource_type', 'generic', 'v1', 'batch', 'metrics',
        'resources', 'search', 'aggregation', 'aggregates', 'capabilities', 'status', 'healthcheck', 'influxdb', 'ping', 'query', 'prometheus', 'nope',
        'notype', ''}


def of(request, theirs):
    """Pairs of a title and a word."""
    yield 'Routes', route(request)
    for name in sorted({name for name, _ in request.query}):
        yield 'Parameters', name
    for name, value in request.query:
        if name in CHOSEN and name != 'groupby' and theirs.status < 300:
            yield 'Values of `%s` that were taken' % name, '`%s`' % value
    body = request.body
    yield from filters(request)
    if isinstance(body, dict) and 'operations' in body and theirs.status < 300:
        tree = body['operations']
        text = isinstance(tree, str)
        yield 'Operation trees that were taken', 'as text' if text else 'as lists'
        names = re.findall(r'\(([^\s()]+)', tree) if text else heads(tree)
        for name in OPERATIONS & set(names):
            yield 'Operations in them', '`%s`' % name
    if request.path == '/v1/archive_policy' and theirs.status == 201:
        for method in theirs.body['aggregation_methods']:
            yield 'Methods of policies', method
        yield 'Back windows of policies', str(theirs.body['back_window'])
    if 'measures' in request.path and request.method == 'POST' and theirs.status == 202:
        yield 'Posts of measures that were taken', 'in order' if in_order(body) else 'out of order or with duplicates'
        if has_empty(body):
            yield 'Posts of measures that were taken', 'with an empty list'


def route(request):
    parts = UUID.sub('ID', request.path).split('/')
    for i, part in enumerate(parts):
        if part not in KEYS and part != 'ID':
            before = parts[i - 1]
            parts[i] = {'resource': 'TYPE', 'metric': 'NAME', 'archive_policy': 'NAME', 'resource_type': 'TYPE', 'archive_policy_rule': 'NAME'}.get(before, 'ID')
        if part == 'generic' and parts[i - 1] == 'resource':
            parts[i] = 'TYPE'
    return '%s %s' % (request.method, '/'.join(parts))


def heads(tree):
    """The first members of all lists in a tree, where they are text."""
    if isinstance(tree, list) and tree:
        if isinstance(tree[0], str) and tree[0] != 'metric':
            yield tree[0]
        if tree[0] == 'metric':
            yield 'metric'
            return
        for member in tree[1:]:
            yield from heads(member)


def filters(request):
    """The operators of a filter in the query or body."""
    body = request.body
    text = dict(request.query).get('filter')
    if isinstance(body, dict):
        search = body.get('search', body if '/search/' in request.path or request.path.startswith('/v1/aggregation/') or request.method == 'DELETE' else None)
        if isinstance(search, dict):
            for name in OPERATORS & set(names(search)):
                yield 'Operators of filters as objects', '`%s`' % name
        elif isinstance(search, str):
            text = search
    if text:
        bare = re.sub(r'"[^"]*"|\'[^\']*\'', ' ', text)
        for name in OPERATORS & set(re.findall(r'[a-z]+|[=!<>≤≥≠∧∨]+', bare)):
            yield 'Operators of filters as text', '`%s`' % name


def names(tree):
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield name
            yield from names(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from names(value)


def in_order(body):
    """Whether all lists of measures in a body ascend."""
    if isinstance(body, dict):
        return all(map(in_order, body.values()))
    if not isinstance(body, list):
        return True
    times = [str(m.get('timestamp')).replace(' ', 'T')[:19] if isinstance(m, dict) else '' for m in body]
    return all(a < b for a, b in zip(times, times[1:]))


def has_empty(body):
    if isinstance(body, dict) and body:
        return any(map(has_empty, body.values()))
    return body in ([], {}, '')
