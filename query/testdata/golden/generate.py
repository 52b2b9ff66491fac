#!/usr/bin/env python3
"""Writes aggregates.jsonl: random operations over random series, and what Gnocchi's own functions make of them.

Run it with an interpreter that has gnocchi 4.7 installed:

    python generate.py [CASES] > aggregates.jsonl

A line is a case: the series of one or two granularities (times in seconds), the operation, fill, needed overlap, bounds, and the answer,
or the reason why there is none. Numbers that JSON has no word for are text.
"""
import json
import math
import random
import sys
import warnings

import numpy
from gnocchi import carbonara
from gnocchi.rest.aggregates import exceptions, operations, processor

warnings.simplefilter('ignore')
rng = random.Random(20150306)


class Ref(object):
    resource = None

    def __init__(self, name, method):
        self.name, self.aggregation = name, method
        self.lookup_key = [name, method]


AGGS = ['mean', 'median', 'std', 'min', 'max', 'sum', 'var', 'count']
RESAMPLES = ['mean', 'median', 'std', 'min', 'max', 'sum', 'count', 'first', 'last', '5pct', '50pct', '95pct', 'rate:mean', 'rate:max',
             'rate:count', 'rate:std']
BINARY = ['=', '!=', '<', '>', '<=', '>=', '%', '+', '-', '*', '/', 'clip_min', 'clip_max', 'max', 'add', 'sub', 'mul', 'div', 'mod', 'eq']
UNARY = ['abs', 'neg', 'floor', 'ceil', 'rateofchange', 'rateofchangesec', 'absolute', 'negative']


def value():
    k = rng.random()
    if k < .02:
        return math.nan
    if k < .03:
        return rng.choice([math.inf, -math.inf])
    if k < .4:
        return float(rng.randint(-20, 20)) or 1.0
    if k < .7:
        return round(rng.uniform(-100, 100), 2) or 1.0
    return rng.gauss(0, 1) * 10 ** rng.randint(-5, 8)


def number():
    return rng.choice([0.0, 1.0, 2.0, -3.0, 0.5, 7.25, round(rng.uniform(-50, 50), 1)])


def tree(depth, refs):
    """An operation whose value is a grid of as many series as there are references, or of one."""
    if depth == 0:
        return ['metric'] + [list(r) for r in refs]
    k = rng.random()
    sub = tree(depth - 1, refs)
    if k < .3:
        agg = rng.choice(AGGS)
        return ['aggregate', rng.choice(['', '', 'rate:']) + agg, sub]
    if k < .45:
        agg = rng.choice(AGGS)
        return ['rolling', rng.choice(['', '', 'rate:']) + agg, rng.choice([1, 2, 3, 9, 12]), sub]
    if k < .6:
        return ['resample', rng.choice(RESAMPLES), rng.choice([120, 300, 7, 3600]), sub]
    if k < .75:
        return [rng.choice(UNARY), sub]
    if k < .8:
        return ['clip', sub, number(), number()]
    if k < .83:
        return ['clip', sub, number()]
    if k < .93:
        pair = [sub, number()]
        rng.shuffle(pair)
        return [rng.choice(BINARY)] + pair
    return [rng.choice(BINARY), sub, sub]


def series(width, points, regular):
    start = rng.randint(0, 5)
    at = [start + i for i in range(points)] if regular else sorted(rng.sample(range(points * 2 + 1), points))
    return [[1425600000 + width * t for t in at], [value() for _ in at]]


def spans(op):
    """Numbers of seconds as the grammar's own conversion makes them."""
    if not isinstance(op, list):
        return op
    op = [spans(o) for o in op]
    if op[0] == 'resample':
        op[2] = numpy.timedelta64(op[2] * 10 ** 9, 'ns')
    return op


def case():
    refs = [('m%d' % i, rng.choice(['mean', 'max'])) for i in range(rng.choice([1, 2, 3, 3, 5, 9, 12]))]
    widths = rng.choice([[60], [60], [300, 60]])
    regular = rng.random() < .4
    points = rng.choice([0, 1, 2, 5, 12, 30])
    data = [{'width': w, 'series': [series(w, points if regular else rng.randint(0, points), regular) for _ in refs]} for w in widths]
    op = tree(rng.choice([0, 1, 1, 2, 2, 3, 4]), refs)
    fill = rng.choice([None, None, 'null', 'dropna', 'dropna', 'ffill', 'bfill', 'full_ffill', 'full_bfill', 7.5, math.nan])
    overlap = rng.choice([100.0, 50.0, 0.0, 0.0, 33.3])
    lo = rng.choice([None, None, 1425600000 + 150])
    hi = rng.choice([None, None, 1425600000 + 900])
    return {'refs': refs, 'data': data, 'op': op, 'fill': fill, 'overlap': overlap, 'from': lo, 'to': hi}


def ns(t):
    return None if t is None else numpy.datetime64(t * 10 ** 9, 'ns')


def answer(c):
    tss = []
    for i, (name, method) in enumerate(c['refs']):
        ref = Ref(name, method)
        for d in c['data']:
            t, v = d['series'][i]
            agg = carbonara.Aggregation(method, numpy.timedelta64(d['width'] * 10 ** 9, 'ns'), None)
            tss.append((ref, carbonara.AggregatedTimeSerie.from_data(agg, numpy.array(t, dtype='datetime64[s]').astype('datetime64[ns]'), v)))
    try:
        out = processor.aggregated(tss, spans(c['op']), ns(c['from']), ns(c['to']), c['overlap'], c['fill'])
    except exceptions.UnAggregableTimeseries as e:
        return {'reason': e.reason}
    except (ValueError, IndexError, TypeError, RuntimeError, AttributeError):
        return None  # it fails where it should answer: nothing to learn from

    def points(ps):
        return [[int(t.astype('datetime64[ns]').astype(int)), int(g / numpy.timedelta64(1, 'ns')), float(v)] for t, g, v in ps]
    if 'aggregated' in out:
        return {'aggregated': points(out['aggregated'])}
    return {'columns': [points(out[name][method]) for name, method in c['refs']]}


def plain(x):
    if isinstance(x, float) and not math.isfinite(x):
        return repr(x)
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def main():
    left = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    while left:
        c = case()
        c['answer'] = answer(c)
        line = json.dumps(plain(c), separators=(',', ':'))
        if c['answer'] is None or len(line) > 3000:
            continue
        print(line)
        left -= 1
    print('generated with numpy', numpy.__version__, file=sys.stderr)


main()
