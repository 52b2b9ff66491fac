"""What the generator knows of the servers' state, and the random pieces that requests are made of."""

import datetime
import uuid

BASE = ['mean', 'min', 'max', 'sum', 'std', 'count', 'median', 'first', 'last', '1pct', '5pct', '50pct', '95pct', '99pct']
METHODS = BASE + ['rate:' + m for m in BASE]
ACROSS = ['mean', 'median', 'std', 'min', 'max', 'sum', 'var', 'count']
WIDTHS = [[1], [60], [300], [5, 60], [60, 3600], [300, 3600], [1, 60, 3600], [30, 300], [0.5, 10], [86400], [3600, 86400]]
USERS = ['admin', 'foobar', 'jd']
NAMES = ['cpu', 'cpu_util', 'memory.usage', 'disk.read', 'disk.write', 'ping', 'a b', 'ünï']
FILLS = ['null', 'dropna', 'ffill', 'bfill', 'full_ffill', 'full_bfill', '0', '-1.5', '12', 'nan', 'inf']
ORIGIN = datetime.datetime(2015, 3, 6, tzinfo=datetime.timezone.utc).timestamp()


class World:
    """The state that the requests so far have made, as the original's answers told it."""

    def __init__(self, random):
        self.random = random
        self.policies = {}   # name -> (widths in seconds, coarsest first; methods)
        self.spans = {}      # name -> {granularity: seconds kept, or infinity}
        self.grown = set()   # metrics whose policy was changed to keep more than it did when they were measured
        self.rules = {}  # names, in the order of their making
        self.types = {'generic': {}}  # name -> {attribute: definition}
        self.resources = {}  # id -> {'type', 'original', 'creator', 'metrics': {name: id}}
        self.metrics = {}    # id -> {'policy', 'creator', 'name', 'resource', 'points': [times]}
        self.serial = 0
        self.faults = 0      # put into the request at hand

    def touches_grown(self, request):
        """Whether the request may read a metric whose policy has grown."""
        text = str(request)
        by_name = '/metric/' in request.path and '/resource/' in request.path or 'resource_type' in text
        return bool(self.grown) and (by_name or any(m in text for m in self.grown))

    # -- choices ---------------------------------------------------------------

    def chance(self, probability):
        return self.random.random() < probability

    def fault(self, probability):
        """Like chance, where the answer yes puts something wrong into the request."""
        wrong = self.chance(probability)
        self.faults += wrong
        return wrong

    def sound(self, probability):
        """Like chance, where the answer no puts something wrong into the request."""
        return not self.fault(1 - probability)

    def pick(self, choices):
        return self.random.choice(list(choices))

    def some(self, choices, most):
        choices = list(choices)
        return self.random.sample(choices, min(len(choices), self.random.randint(1, most)))

    def name(self, prefix):
        self.serial += 1
        return '%s%d' % (prefix, self.serial)

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def user(self):
        return 'admin' if self.chance(0.8) else self.pick(USERS)

    # -- things that exist, mostly ---------------------------------------------

    def policy(self):
        return self.pick(self.policies) if self.policies and not self.fault(0.03) else 'nopolicy'

    def type(self):
        return self.pick(self.types) if not self.fault(0.03) else 'notype'

    def metric(self):
        return self.pick(self.metrics) if self.metrics and not self.fault(0.03) else self.uuid()

    def resource(self):
        """An id as a client may write it: a UUID in any form, or the text that it was made with."""
        return self.resource_known()[0]

    def resource_known(self):
        """The same, and what tells whether two of them are one resource."""
        if not self.resources or self.fault(0.03):
            return 2 * (self.pick([self.uuid(), 'no such', 'instance-0']),)
        known = self.pick(self.resources)
        if self.chance(0.4):
            return self.resources[known]['original'], known
        return known.upper() if self.chance(0.1) else known, known

    def widths_of(self, metric):
        return self.policies.get(self.metrics.get(metric, {}).get('policy'), ([60], ['mean']))[0]

    def methods_of(self, metric):
        return self.policies.get(self.metrics.get(metric, {}).get('policy'), ([60], ['mean']))[1]

    def method_of(self, metric):
        return self.pick(self.methods_of(metric) or ['mean']) if not self.fault(0.04) else self.pick(METHODS + ['wtf'])

    # -- times -------------------------------------------------------------------

    def moment(self, near=None, spread=7200):
        """Seconds since the epoch, to the millisecond."""
        near = ORIGIN if near is None else near
        t = near + self.random.uniform(-spread, spread)
        return round(t) if self.chance(0.6) else round(t, 3)

    def iso(self, t):
        d = datetime.datetime.fromtimestamp(t, datetime.timezone.utc).replace(tzinfo=None)
        d = d.replace(microsecond=round(t * 1000) % 1000 * 1000)
        text = d.isoformat(sep=self.pick('TTT '))
        return text + self.pick(['', '', 'Z', '+00:00'])

    def written(self, t):
        """A time as a query may have it."""
        return self.iso(t) if self.chance(0.7) else str(t)

    def window(self, query):
        """start and stop, sometimes."""
        if self.chance(0.35):
            query.append(('start', self.written(self.moment())))
        if self.chance(0.35):
            query.append(('stop', self.written(self.moment())))

    def span(self, seconds):
        """A timespan in one of its spellings."""
        spellings = [str(seconds), '%ss' % seconds, '%s seconds' % seconds]
        if seconds % 60 == 0:
            spellings += ['%d min' % (seconds // 60), '0:%02d:00' % (seconds // 60) if seconds < 3600 else '%dm' % (seconds // 60)]
        if seconds % 3600 == 0:
            spellings += ['%dh' % (seconds // 3600), '%d hours' % (seconds // 3600)]
        return self.pick(spellings)

    def value(self):
        r = self.random
        kind = r.random()
        if kind < 0.4:
            return r.randint(-20, 100)
        if kind < 0.8:
            return round(r.uniform(-1000, 1000), r.randint(0, 6))
        if kind < 0.9:
            return r.uniform(-1, 1)
        return self.pick([0, -0.0, 1e9, 1e-300, 123456789.125, 0.1, 1 / 3, '12.5', '1e3', True])

    def measures(self, near=None, most=60):
        """A list of measures: irregular, out of order, some times twice."""
        r = self.random
        near = self.moment(spread=5400) if near is None else near
        step = self.pick([1, 10, 30, 60, 300, 3600])
        times = []
        t = near
        for _ in range(r.randint(0 if self.chance(0.05) else 1, most)):
            t = t + self.pick([0, step, step, step, step * r.random(), step * 7])
            times.append(round(t, 3) if self.chance(0.3) else round(t))
        if self.chance(0.3):
            r.shuffle(times)
        # the first measure decides how times are written in all of them
        style = self.pick([self.iso, self.iso, lambda t: t, str])
        return [{'timestamp': style(t), 'value': self.value()} for t in times]

    # -- what answers tell ---------------------------------------------------------

    def learn_resource(self, body):
        """Takes in a resource as the original shows it, its metrics included."""
        if not isinstance(body, dict) or 'original_resource_id' not in body:
            return
        known = self.resources.setdefault(body['id'], {})
        known.update(type=body['type'], original=body['original_resource_id'], creator=body['creator'], metrics=body['metrics'])

    def learn_metric(self, m):
        """Takes in a metric in any of its forms."""
        if not isinstance(m, dict) or 'id' not in m or 'creator' not in m:
            return
        policy = m.get('archive_policy_name') or m['archive_policy']['name']
        self.metrics[m['id']] = {'policy': policy, 'creator': m['creator'], 'name': m['name'],
                                 'resource': m.get('resource_id') or (m.get('resource') or {}).get('id')}

    def learn_policy(self, p):
        if not isinstance(p, dict) or 'aggregation_methods' not in p:
            return
        widths = sorted((seconds(d['granularity']) for d in p['definition']), reverse=True)
        self.policies[p['name']] = (widths, sorted(p['aggregation_methods']))
        spans = {d['granularity']: seconds(d['timespan']) if d['timespan'] else float('inf') for d in p['definition']}
        if any(span > self.spans.get(p['name'], spans)[width] for width, span in spans.items()):
            self.grown |= {m for m, known in self.metrics.items() if known['policy'] == p['name']}
        self.spans[p['name']] = spans

    def forget_resource(self, identity):
        gone = self.resources.pop(identity, None)
        for metric in (gone or {}).get('metrics', {}).values():
            self.metrics.pop(metric, None)


def seconds(text):
    """Seconds of a timespan as policies show it."""
    days, _, clock = text.rpartition(', ')
    h, m, s = clock.split(':')
    whole = (int(days.split()[0]) if days else 0) * 86400 + int(h) * 3600 + int(m) * 60 + float(s)
    return int(whole) if whole == int(whole) else whole
