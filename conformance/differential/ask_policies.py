"""Archive policies, their rules, and resource types."""

from wire import Request
from world import METHODS, WIDTHS


def definition(w, widths):
    items = []
    for width in widths:
        item = {'granularity': w.pick([width, w.span(width)])}
        kind = w.random.random()
        if kind < 0.5:
            item['points'] = w.pick([3, 10, 100, 5000])
        elif kind < 0.85:
            item['timespan'] = w.span(width * w.pick([3, 10, 100, 5000]))
        items.append(item)
    return items


def methods(w):
    kind = w.random.random()
    if kind < 0.5:
        return w.some(METHODS, 8)
    if kind < 0.6:
        return ['*']
    if kind < 0.74:
        plus = w.some(METHODS, 3)
        return ['+' + m for m in plus] + ['-' + m for m in w.some(METHODS, 2) if m not in plus]
    if kind < 0.75:
        return w.some(METHODS, 3) + ['-std', '*', 'nonsense'][:w.random.randint(1, 3)]
    return None


def create_policy(w):
    body = {'name': w.name('policy') if not (w.policies and w.chance(0.05)) else w.pick(w.policies),
            'definition': definition(w, w.pick(WIDTHS))}
    chosen = methods(w)
    if chosen is not None:
        body['aggregation_methods'] = chosen
    if w.chance(0.6):
        body['back_window'] = w.random.randint(0, 3)
    if w.fault(0.15):
        spoil_definition(w, body)
    return Request('policies', 'POST', '/v1/archive_policy', body=body, user='admin' if w.sound(0.95) else w.user())


def spoil_definition(w, body):
    """One of the ways in which a definition can be wrong or odd."""
    item = body['definition'][0]
    w.pick([
        lambda: item.update(points=7, timespan=61), lambda: item.update(points=0), lambda: item.update(points='5'),
        lambda: item.update(granularity=-1), lambda: item.update(granularity='x y'), lambda: item.update(points=None),
        lambda: item.clear(), lambda: body.update(definition=[]), lambda: body['definition'].append(dict(item)),
        lambda: body.update(back_window=-1), lambda: body.update(back_window='2'), lambda: item.update(timespan=1e-3),
        lambda: item.pop('granularity'), lambda: body.update(cowsay='moo'), lambda: body.pop('name', None),
        lambda: body.update(name=5), lambda: item.update(timespan='1 hour', granularity=7) or item.pop('points', None),
        lambda: body.update(definition={}), lambda: body.update(aggregation_methods='mean'), lambda: item.update(extra=1),
    ])()


def change_policy(w):
    name = w.policy()
    widths = w.policies.get(name, ([60], []))[0]
    if w.fault(0.15):
        widths = w.pick(WIDTHS)
    body = {'definition': definition(w, widths)}
    if w.chance(0.3):
        body['back_window'] = w.random.randint(0, 4)
    if w.fault(0.2):
        spoil_definition(w, body)
    return Request('policies', 'PATCH', '/v1/archive_policy/' + name, body=body, user='admin' if w.sound(0.9) else w.user())


def read_policies(w):
    path = '/v1/archive_policy' + w.pick(['', '/', '/' + w.policy()])
    return Request('policies', 'GET', path, user=w.user(), unordered=True)


def delete_policy(w):
    return Request('policies', 'DELETE', '/v1/archive_policy/' + w.policy(), user=w.user())


def rule_for_all(w):
    return Request('rules', 'POST', '/v1/archive_policy_rule', body={
        'name': w.name('rule'), 'archive_policy_name': w.policy(), 'metric_pattern': '*'})


def rules(w):
    kind = w.random.random()
    name = w.pick(w.rules) if w.rules and w.chance(0.5) else w.name('rule')
    path, user = '/v1/archive_policy_rule', 'admin' if w.sound(0.9) else w.user()
    if kind < 0.5:
        body = {'name': name, 'archive_policy_name': w.policy(),
                'metric_pattern': w.pick(['cpu*', 'disk.*', '*', 'm?', '[a-c]*', 'disk.read', 'x[!y]z', 'ü*'])}
        if w.fault(0.15):
            body.update(w.pick([{'name': 3}, {'whaa': 1}, {'metric_pattern': None}]))
        return Request('rules', 'POST', path, body=body, user=user)
    if kind < 0.75:
        return Request('rules', 'GET', path + w.pick(['', '/' + name]), user=w.user())
    if kind < 0.9:
        return Request('rules', 'PATCH', path + '/' + name, body={'name': w.pick([w.name('rule'), name, 5])}, user=user)
    return Request('rules', 'DELETE', path + '/' + name, user=user)


def attribute(w):
    kind = w.pick(['string', 'string', 'uuid', 'number', 'bool', 'datetime'])
    out = {'type': kind}
    if w.chance(0.8):
        out['required'] = w.chance(0.25)
    if kind == 'string' and w.chance(0.5):
        out.update(min_length=w.random.randint(0, 3), max_length=w.random.randint(2, 300))
    if kind == 'number' and w.chance(0.5):
        out.update(min=w.pick([None, 0, -1.5]), max=w.pick([None, 100, 5.5, -2]))
    if w.fault(0.06):
        out.update(w.pick([{'type': 'wat'}, {'required': 3}, {'extra': 1}, {'min_length': 'x'}, {'max': '5'}]))
    return out


def create_type(w):
    names = w.some(['host', 'flavor', 'size', 'seen_at', 'on', 'tenant', 'with-dash', 'Upper', 'x'], 4)
    if w.fault(0.06):
        names.append(w.pick(['id', 'metrics', '_x', 'creator', 'a' * 64, '', '1x', 'ü', 'state']))
    body = {'name': w.name('type') if not w.fault(0.05) else w.pick(w.types), 'attributes': {n: attribute(w) for n in names}}
    if w.fault(0.1):
        body.pop('attributes')
    if w.fault(0.06):
        body.update(w.pick([{'name': 5}, {'attributes': []}, {'other': 1}, {'state': 'active'}]))
    return Request('types', 'POST', '/v1/resource_type', body=body, user='admin' if w.sound(0.9) else w.user())


def fill(w, kind):
    good = {'string': 'fill', 'uuid': w.uuid(), 'number': 3.5, 'bool': True, 'datetime': '2016-01-01T00:00:00'}
    return good.get(kind) if w.sound(0.9) else w.pick([5, 'no', None, [1]])


def change_type(w):
    name = w.type()
    known = w.types.get(name, {})
    ops = []
    for _ in range(w.random.randint(1, 2)):
        if known and w.chance(0.4):
            ops.append({'op': 'remove', 'path': '/attributes/' + (w.pick(known) if w.sound(0.9) else 'what')})
            continue
        update = known and w.chance(0.4)
        attr = w.pick(known) if update else w.name('attr')
        value = dict(known[attr], required=w.chance(0.5)) if update else attribute(w)
        if w.chance(0.6):
            value['options'] = {'fill': fill(w, value['type'])}
        ops.append({'op': 'add', 'path': '/attributes/' + attr, 'value': value})
    if w.fault(0.1):
        ops = w.pick([[{'op': 'replace', 'path': '/attributes/x', 'value': {}}], [{'op': 'add', 'path': '/name', 'value': 'x'}],
                      [{'op': 'remove'}], {}, [], [{'op': 'add', 'path': '/attributes/x'}], [{'op': 'remove', 'path': '/attributes'}]])
    headers = {'Content-Type': 'application/json-patch+json' if w.sound(0.95) else 'application/json'}
    return Request('types', 'PATCH', '/v1/resource_type/' + name, body=ops, headers=headers,
                   user='admin' if w.sound(0.9) else w.user())


def read_types(w):
    return Request('types', 'GET', w.pick(['/v1/resource_type', '/v1/resource_type/' + w.type(), '/v1/resource']), user=w.user())


def delete_type(w):
    return Request('types', 'DELETE', '/v1/resource_type/' + w.type(), user=w.user())
