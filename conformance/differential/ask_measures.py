"""Measures: posting them in every form, and reading those of one metric."""

from wire import Request
from world import METHODS, NAMES


def spoil(w, measures):
    """A list of measures with something wrong in it."""
    if not measures:
        return {}
    bad = dict(measures[-1])
    w.pick([
        lambda: bad.update(value='many'), lambda: bad.update(value=None), lambda: bad.pop('value'), lambda: bad.update(value=[1]),
        lambda: bad.update(timestamp='yesterday-ish'), lambda: bad.update(timestamp=None), lambda: bad.update(timestamp=-5),
        lambda: bad.update(timestamp='1969-12-31'), lambda: bad.update(timestamp='20150306T143357'), lambda: bad.update(timestamp=''),
        lambda: bad.update(more=1), lambda: bad.update(value='nan'), lambda: bad.update(timestamp='2015-13-01'),
    ])()
    return w.pick([measures[:-1] + [bad], [bad], 'x', 5, None, {}, [1], [[1, 2]], measures[0]])


def listed(w, probability=0.05):
    measures = w.measures()
    return spoil(w, measures) if w.fault(probability) else measures


def add(w):
    if w.chance(0.6):
        path = '/v1/metric/' + w.metric()
    else:
        path = '/v1/resource/generic/%s/metric/%s' % (w.resource(), w.pick(NAMES))
    return Request('measures', 'POST', path + '/measures', body=listed(w), user=w.user())


def batch(w):
    body = {m: listed(w, 0.02) for m in dict.fromkeys(w.metric() for _ in range(w.random.randint(1, 5)))}
    if w.fault(0.05):
        body = w.pick([{}, [], {'foo': []}, {w.uuid(): w.measures()}, None])
    return Request('measures', 'POST', '/v1/batch/metrics/measures', body=body, user=w.user())


def batch_resources(w):
    query = [('create_metrics', w.pick(['True', 'true', 'false', 'yes']) if w.sound(0.97) else 'wat')] if w.chance(0.7) else []
    body = {}
    seen = set()
    for _ in range(w.random.randint(1, 4)):
        named, known = w.resource_known()
        # the original fails where a resource has two names
        if known in seen and not w.fault(0.03):
            continue
        seen.add(known)
        body[named] = {n: form(w) for n in w.some(NAMES, 3)}
    if w.fault(0.05):
        body = w.pick([{}, [], {'x': {}}, {'x': []}, {'a/b': {'cpu': w.measures()}}, {w.resource(): {'a/b': w.measures()}}])
    # others than admin may not create metrics everywhere, and then the servers part
    return Request('measures', 'POST', '/v1/batch/resources/metrics/measures', query, body=body,
                   user='admin' if query or w.chance(0.7) else w.user())


def form(w):
    """The measures of one metric in a batch, in the old or the new form."""
    measures = listed(w, 0.02)
    if w.chance(0.5):
        return measures
    out = {'measures': measures}
    if w.chance(0.8):
        out['archive_policy_name'] = w.policy()
    if w.chance(0.4):
        out['unit'] = w.pick(['MB', 'B'])
    if w.fault(0.03):
        out.update(w.pick([{'foo': 1}, {'unit': 5}, {'archive_policy_name': None}]))
    return out


def granularity(w, query, metric):
    if w.chance(0.5):
        width = w.pick(w.widths_of(metric))
        query.append(('granularity', w.span(width) if w.sound(0.92) else w.pick(['7', 'x', '0', '-1', ''])))


def read(w):
    metric = w.metric()
    query = []
    if w.chance(0.8):
        query.append(('aggregation', w.method_of(metric)))
    elif 'mean' not in w.methods_of(metric):
        w.faults += 1
    w.window(query)
    granularity(w, query, metric)
    if w.chance(0.2):
        query.append(('resample', w.pick(['7200', '2h', '1 day', 'Y', 'H', 'Q', 'M', 'W', '60', '300']) if w.sound(0.93)
                      else w.pick(['X', '0', '-5', ''])))
    if w.chance(0.1):
        query.append(('refresh', w.pick(['true', 'false']) if w.sound(0.9) else 'nah'))
    if w.fault(0.04):
        query.append((w.pick(['start', 'stop']), w.pick(['notadate', '', '-1', '2015', 'now', 'today', '-1 day'])))
    return Request('reads', 'GET', '/v1/metric/%s/measures' % metric, query, user=w.user())


def read_named(w):
    query = [('aggregation', w.pick(METHODS))] if w.chance(0.6) else []
    w.window(query)
    path = '/v1/resource/generic/%s/metric/%s/measures' % (w.resource(), w.pick(NAMES) if w.sound(0.95) else 'nope')
    return Request('reads', 'GET', path, query, user=w.user())


def predicate(w, depth=2):
    """A predicate on values, as the search for metrics takes it."""
    compare = w.pick(['=', '==', 'eq', '<', 'lt', '>', 'gt', '<=', '≤', 'le', '>=', '≥', 'ge', '!=', '≠', 'ne'])
    if depth and w.chance(0.4):
        return {w.pick(['and', 'or', '∧', '∨']): [predicate(w, depth - 1) for _ in range(w.random.randint(1, 3))]}
    number = w.pick([0, 5, -3, 12.5, 1, 100])
    if w.chance(0.4):
        arithmetic = w.pick(['%', 'mod', '+', 'add', '-', 'sub', '*', '×', 'mul', '/', '÷', 'div', '**', '^', 'pow'])
        return {compare: [{arithmetic: w.pick([2, 3, 0.5])}, number]}
    if w.fault(0.05):
        return w.pick([{}, {'nope': 1}, {'>': 'x'}, {'and': {}}, {'>': [1, 2, 3]}, {'not': {'>': 1}}, []])
    return {compare: number}


def search(w):
    metrics = [w.metric() for _ in range(w.random.randint(1, 3))]
    query = [('metric_id', m) for m in metrics]
    if w.chance(0.7):
        query.append(('aggregation', w.method_of(metrics[0])))
    w.window(query)
    if w.chance(0.3):
        query.append(('granularity', w.pick(w.widths_of(metrics[0]))))
    if w.fault(0.03):
        query.append(w.pick([('start', 'x'), ('stop', 'x'), ('granularity', 'x'), ('metric_id', 'x')]))
    return Request('metric search', 'POST', '/v1/search/metric', query, body=predicate(w), user=w.user())
