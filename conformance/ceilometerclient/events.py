"""The event commands of the ceilometer command line. What they must show is computed from the events by this script."""

import datetime
import json
import operator
import urllib.request

BEGIN = datetime.datetime(2026, 3, 1, 22, 0, 0)
KINDS = {1: 'string', 2: 'integer', 3: 'float', 4: 'datetime'}
OPERATORS = {'=': operator.eq, '!=': operator.ne, '<': operator.lt, '<=': operator.le, '>': operator.gt, '>=': operator.ge}


class Events:
    """Events of some hours around midnight, published to a server as Ceilometer's http publisher does."""

    def __init__(self, random, client, checker, url):
        self.client, self.check, self.url = client, checker, url
        self.random = random
        self.events = [self.make(i) for i in range(150)]

    def make(self, i):
        r = self.random
        at = BEGIN + datetime.timedelta(seconds=r.randrange(20000), microseconds=r.choice([0, 250000]))
        traits = [['state', 1, r.choice(['active', 'building', 'deleted'])], ['memory_mb', 2, r.choice([512, 1024, 4096])]]
        if r.random() < .5:
            traits.append(['load', 3, r.choice([.5, 1.5, 3.0])])
        if r.random() < .5:
            traits.append(['launched_at', 4, (BEGIN - datetime.timedelta(hours=r.randrange(5))).isoformat()])
        return {'message_id': '%08x-0000-4000-8000-%012x' % (r.getrandbits(32), i), 'event_type': r.choice(['image.update', 'compute.instance.update', 'volume.create']),
                'generated': at.isoformat(), 'traits': traits, 'raw': {'payload': {'number': i}} if i % 2 else {}}

    def post(self):
        for part in (self.events[:100], self.events[50:]):  # some come again
            body = json.dumps(part).encode()
            with urllib.request.urlopen(urllib.request.Request(self.url + '/v2/publish', body, {'Content-Type': 'application/json'})) as r:
                r.read()

    def ordered(self, pick=lambda e: True):
        return [e['message_id'] for e in sorted((e for e in self.events if pick(e)), key=lambda e: (datetime.datetime.fromisoformat(e['generated']), e['message_id']))]

    def listed(self, *args):
        return [r['Message ID'] for r in self.client.rows('event-list', '--no-traits', *args)]

    def steps(self):
        self.lists()
        self.traits()
        self.single()

    def lists(self):
        equal = self.check.equal
        equal('event-list', self.listed(), self.ordered()[:100])
        equal('event-list -l', self.listed('-l', '1000'), self.ordered())
        equal('event-list of a type', self.listed('-l', '1000', '-q', 'event_type=image.update'), self.ordered(lambda e: e['event_type'] == 'image.update'))
        first, last = sorted(e['generated'] for e in self.random.sample(self.events, 2))
        equal('event-list of a time', self.listed('-l', '1000', '-q', 'start_timestamp>=%s;end_timestamp<=%s' % (first, last)),
              self.ordered(lambda e: datetime.datetime.fromisoformat(first) <= datetime.datetime.fromisoformat(e['generated']) <= datetime.datetime.fromisoformat(last)))
        for sign, compares in OPERATORS.items():
            for name, kind, value in (('state', 1, 'building'), ('memory_mb', 2, 1024), ('load', 3, 1.5), ('launched_at', 4, (BEGIN - datetime.timedelta(hours=2)).isoformat())):
                want = self.ordered(lambda e: any(n == name and compares(v, value) for n, _, v in e['traits']))
                got = self.listed('-l', '1000', '-q', '%s%s%s::%s' % (name, sign, KINDS[kind], value))
                equal('event-list %s %s' % (name, sign), got, want)
        equal('event-list of a trait of another type', self.listed('-q', 'memory_mb=string::512'), [])
        self.client.fails("operator is available for field event_type", 'event-list', '-q', 'event_type>x')
        self.client.fails('The data type boolean is not supported', 'event-list', '-q', 'state=boolean::true')
        self.client.fails('Unable to convert the value x to the expected data type integer.', 'event-list', '-q', 'memory_mb=integer::x')

    def traits(self):
        equal = self.check.equal
        types = sorted({e['event_type'] for e in self.events})
        equal('event-type-list', sorted(r['Event Type'] for r in self.client.rows('event-type-list')), types)
        for t in types:
            of = [e for e in self.events if e['event_type'] == t]
            equal('trait-description-list', sorted((r['Trait Name'], r['Data Type']) for r in self.client.rows('trait-description-list', '-e', t)),
                  sorted({(n, KINDS[k]) for e in of for n, k, _ in e['traits']}))
            for name in ('state', 'memory_mb', 'load', 'launched_at'):
                equal('trait-list', sorted((r['Value'], r['Data Type']) for r in self.client.rows('trait-list', '-e', t, '-t', name)),
                      sorted((str(v), KINDS[k]) for e in of for n, k, v in e['traits'] if n == name))
        equal('trait-list of nothing', self.client.rows('trait-list', '-e', 'unknown', '-t', 'state'), [])

    def single(self):
        for e in self.random.sample(self.events, 5):
            got = self.client.rows('event-show', e['message_id'])[0]
            self.check.equal('event-show', (got['event_type'], got['generated'], json.loads(got['raw'])), (e['event_type'], e['generated'], e['raw']))
        self.client.fails('Event not found: unknown', 'event-show', 'unknown')
