"""Aggregates across metrics: the old endpoints, and operation trees in both of their forms."""

from ask_search import filter_json, filter_text
from wire import Request
from world import ACROSS, FILLS, METHODS, NAMES

RESAMPLES = [m for m in ACROSS if m != 'var'] + ['first', 'last', '95pct', '5pct']
BINARY = ['=', '==', 'eq', '!=', '≠', 'ne', '<', 'lt', '>', 'gt', '<=', '≤', 'le', '>=', '≥', 'ge', '%', 'mod', '+', 'add',
          '-', 'sub', '*', '×', 'mul', '/', '÷', 'div', '**', '^', 'pow', 'clip_min', 'clip_max', 'max']
UNARY = ['abs', 'absolute', 'neg', 'negative', 'cos', 'sin', 'tan', 'floor', 'ceil', 'rateofchange', 'rateofchangesec']
OVERLAPS = ['0', '50', '100', '33.3', '100.0']


def related(w, most=5):
    """Some metrics that have a granularity and a method in common, mostly."""
    if not w.metrics:
        return [w.uuid()]
    first = w.metric()
    width = set(w.widths_of(first))
    alike = [m for m in w.metrics if width & set(w.widths_of(m))] if w.sound(0.93) else list(w.metrics)
    return list(dict.fromkeys([first] + w.some(alike or [first], most)))


def common_method(w, metrics):
    shared = set(METHODS).intersection(*(w.methods_of(m) for m in metrics))
    return w.pick(sorted(shared)) if shared and not w.fault(0.04) else w.pick(METHODS + ['wtf'])


def options(w, query, widths, overlap=0.3):
    w.window(query)
    if w.chance(0.5):
        query.append(('granularity', w.span(w.pick(widths)) if w.sound(0.95) else w.pick(['7', 'x', '0'])))
    kind = w.random.random()
    if kind < 0.45:
        query.append(('fill', w.pick(FILLS) if w.sound(0.95) else w.pick(['asd', '', 'Null'])))
    if kind < 0.05 or 0.45 <= kind < 0.45 + overlap:
        query.append(('needed_overlap', w.pick(OVERLAPS) if w.sound(0.95) else 'much'))
    if w.fault(0.02):
        query.append((w.pick(['start', 'stop']), 'notadate'))


def legacy(w):
    """/v1/aggregation/metric"""
    metrics = related(w)
    method = common_method(w, metrics)
    query = [('aggregation', method)] if w.sound(0.9) else []
    if method not in ACROSS or w.chance(0.4):
        query.append(('reaggregation', w.pick(ACROSS + ['rate:mean', 'rate:sum']) if w.sound(0.96) else w.pick(['last', 'x'])))
    options(w, query, w.widths_of(metrics[0]))
    if w.chance(0.15):
        query.append(('resample', w.pick(['3600', '2h', '600', 'x'])))
    if w.chance(0.6):
        query = [('metric', m) for m in metrics] + query
        return Request('legacy aggregation', 'GET', '/v1/aggregation/metric', query, user=w.user())
    return Request('legacy aggregation', 'POST', '/v1/aggregation/metric', query, body=metrics, user=w.user())


def legacy_resources(w):
    """/v1/aggregation/resource/T/metric/N"""
    kind = w.type()
    query = [('aggregation', w.pick(['mean', 'max', 'sum', 'count', 'min']))]
    if w.chance(0.3):
        query.append(('reaggregation', w.pick(ACROSS)))
    options(w, query, [60, 300, 3600])
    if w.chance(0.1):
        query.append(('resample', w.pick(['3600', '7200', '1 day'])))
    if w.chance(0.4):
        query += [('groupby', g) for g in groups(w, kind)]
    return Request('legacy aggregation', 'POST', '/v1/aggregation/resource/%s/metric/%s' % (kind, w.pick(NAMES)), query,
                   body=filter_json(w, kind) if w.chance(0.7) else {}, user=w.user())


def groups(w, kind):
    names = ['project_id', 'user_id', 'original_resource_id', 'id', 'type', 'creator'] + list(w.types.get(kind, {}))
    if w.fault(0.04):
        names = ['nope']
    return w.some(names, 2)


class Tree:
    """Makes operation trees over one set of references."""

    def __init__(self, w, references):
        self.w, self.references = w, references

    def metric(self):
        w = self.w
        chosen = w.some(self.references, 4)
        if len(chosen) == 1 and w.chance(0.5):
            return ['metric', *chosen[0]]
        return ['metric', *[list(r) for r in chosen]]

    def across(self):
        return self.w.pick(ACROSS) if self.w.chance(0.85) else 'rate:' + self.w.pick(ACROSS)

    def node(self, depth):
        return self.w.pick([2, 0, -1.5, 100, '3']) if self.w.chance(0.3) else self.operation(depth)

    def operation(self, depth):
        w = self.w
        if depth == 0:
            return self.metric()
        kind = w.random.random()
        if kind < 0.15:
            return self.metric()
        if kind < 0.4:
            return ['aggregate', self.across(), self.operation(depth - 1)]
        if kind < 0.55:
            method = w.pick(RESAMPLES) if w.chance(0.85) else 'rate:' + w.pick(RESAMPLES)
            return ['resample', method, w.pick([120, 600, 7200, 60, 90, '3600', '300']), self.operation(depth - 1)]
        if kind < 0.65:
            return ['rolling', self.across(), w.pick([1, 2, 3, 5]), self.operation(depth - 1)]
        if kind < 0.7:
            return ['clip', self.operation(depth - 1), -5] + [50] * w.chance(0.5)
        if kind < 0.85:
            return [w.pick(UNARY), self.operation(depth - 1)]
        sides = [self.operation(depth - 1), self.node(depth - 1)]
        if w.chance(0.3):
            sides.reverse()
        return [w.pick(BINARY), *sides]

    def wrong(self):
        """A tree that no server takes."""
        m = self.metric()
        return self.w.pick([
            [], {}, ['metric'], ['aggregate', 'mean'], ['aggregate', 'wtf', m], ['wtf', m], ['+', m], ['+', m, m, m], ['+', 1, 2],
            ['rolling', 'mean', 0, m], ['rolling', 'mean', 'x', m], ['resample', 'mean', 'x', m], ['resample', 'mean', 0, m],
            ['aggregate', '95pct', m], ['aggregate', 'mean', m, m], ['abs', m, m], 5, 'x', None, ['metric', 'x'], [['metric']],
            ['aggregate', 'mean', ['nope']], ['clip', m], ['metric', ['a']], ['metric', 5, 'mean'], [m], ['resample', 'mean', 'Y', m],
            ['aggregate', 'mean', 5], ['rolling', 'mean', 1000, m], ['metric', ['x', 'mean'], m]])


def lisp(tree):
    """A tree written as text."""
    if isinstance(tree, list):
        return '(%s)' % ' '.join(lisp(t) for t in tree)
    return str(tree)


def quotable(references):
    """Whether the references can be written as words of the text form."""
    return all(not set(' ()"') & set(str(r)) for r, _ in references)


def operations(w, references):
    tree = Tree(w, references)
    made = tree.operation(w.random.randint(0, 4)) if w.sound(0.92) else tree.wrong()
    if isinstance(made, list) and made and quotable(references) and w.chance(0.35):
        text = lisp(made)
        return text if w.sound(0.95) else w.pick([text + ')', text[:-1], '', '(', text + ' (x', ')' + text])
    return made


def by_id(w):
    metrics = related(w, 6)
    method = common_method(w, metrics)
    references = [(m, method if w.chance(0.7) else w.method_of(m)) for m in metrics]
    query = []
    options(w, query, w.widths_of(metrics[0]), overlap=0.25)
    if w.chance(0.15):
        query.append(('details', w.pick(['true', 'True', 'false'])))
    if w.fault(0.05):
        query.append(('groupby', 'id'))
    return Request('aggregates by id', 'POST', '/v1/aggregates', query, body={'operations': operations(w, references)}, user=w.user())


def by_name(w):
    kind = w.type()
    names = w.some(NAMES[:4] + ['cpu*', '*', 'disk.*', 'm[!x]*', 'nope'], 2)
    references = [(n, w.pick(['mean', 'max', 'sum', 'min', 'count', 'rate:mean'])) for n in names]
    query = []
    options(w, query, [60, 300, 3600], overlap=0.25)
    body = {'operations': operations(w, references), 'resource_type': kind}
    body['search'] = filter_json(w, kind) if w.chance(0.6) else w.pick([{}, filter_text(w, kind)])
    if w.chance(0.15):
        query.append(('details', 'true'))
    if w.chance(0.4):
        query += [('groupby', g) for g in groups(w, kind)]
    if w.fault(0.04):
        w.pick([lambda: body.pop('search'), lambda: body.pop('resource_type'), lambda: body.update(more=1),
                lambda: body.pop('operations'), lambda: body.update(search=''), lambda: body.update(search=None)])()
    return Request('aggregates by name', 'POST', '/v1/aggregates', query, body=body, user=w.user())


def with_history(w):
    kind = w.type()
    tree = ['aggregate', w.pick(ACROSS), ['metric', w.pick(NAMES[:4]), w.pick(['mean', 'max', 'sum'])]]
    query = [('use_history', 'True')] + [('groupby', g) for g in ['id', *groups(w, kind)]]
    options(w, query, [60, 300, 3600])
    return Request('aggregates with history', 'POST', '/v1/aggregates', query,
                   body={'operations': tree, 'resource_type': kind, 'search': filter_json(w, kind)}, user=w.user())
