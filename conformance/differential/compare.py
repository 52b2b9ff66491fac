"""Says in what two answers differ, ids that the servers chose and moments at which they worked set aside."""

import datetime
import re

from wire import UUID

MOMENT = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00')
PARAMETERS = ['limit', 'marker', 'sort', 'history', 'details', 'attrs', 'filter', 'name', 'archive_policy_name', 'creator', 'unit', 'status', 'id']
STARTED = datetime.datetime.now(datetime.timezone.utc)


def recent(text):
    """Whether the text is a moment that a server took from its clock during this run."""
    if not MOMENT.fullmatch(text):
        return False
    return abs(datetime.datetime.fromisoformat(text) - STARTED) < datetime.timedelta(hours=12)


class Ids:
    """Pairs of ids: what the original calls so, tsdb calls so. Pairs are learned from answers."""

    def __init__(self):
        self.ours, self.theirs = {}, {}

    def pair(self, theirs, ours):
        """Whether the two may name one thing; learns it if both are new."""
        theirs, ours = theirs.lower(), ours.lower()
        if theirs == ours:
            # ids that clients choose mean the same on both sides for good
            self.theirs.pop(self.ours.get(theirs), None)
            self.ours[theirs] = self.theirs[ours] = theirs
            return True
        if self.ours.get(theirs, theirs) == ours:
            return True
        if theirs in self.ours or ours in self.theirs:
            return False
        self.ours[theirs], self.theirs[ours] = ours, theirs
        return True

    def translate(self, text):
        """A text of tsdb's with the ids of the original."""
        def original(match):
            own = self.theirs.get(match.group().lower(), match.group())
            return match.group() if own == match.group().lower() else own

        return UUID.sub(original, text)


class Difference(str):
    """A line about one difference, and what it is about: the place and both values."""

    def __new__(cls, where, theirs, ours):
        line = super().__new__(cls, '%s: %.600r, tsdb %.600r' % (where, theirs, ours))
        line.where, line.theirs, line.ours = where, theirs, ours
        return line


class Comparison:
    """One pair of answers. found has a line for each difference."""

    def __init__(self, request, theirs, ours, ids):
        self.request, self.theirs, self.ours, self.ids = request, theirs, ours, ids
        self.found = []
        self.moments = {}
        self.head()
        if theirs.status < 300 and 'x-failure' in theirs.headers:
            self.differ('processing', theirs.headers['x-failure'], '')
        if theirs.status != ours.status:
            return
        if theirs.body is None or ours.body is None:
            # how texts are broken into lines means nothing to anybody, nor do the sentences of pages
            self.text('body', *(re.sub('</h1>.*', '', ' '.join(x.text.split())) for x in (theirs, ours)))
        else:
            self.value('', theirs.body, ours.body)

    def differ(self, where, theirs, ours):
        self.found.append(Difference(where, theirs, ours))

    def head(self):
        a, b = self.theirs, self.ours
        if a.status != b.status:
            self.differ('status', '%d %s' % (a.status, a.text[:500]), '%d %s' % (b.status, b.text[:500]))
            return
        kinds = [x.headers.get('content-type', '').split(';')[0] if x.text else '' for x in (a, b)]
        if kinds[0] != kinds[1]:
            self.differ('Content-Type', *kinds)
        for name in ('etag', 'last-modified'):
            if (name in a.headers) != (name in b.headers):
                self.differ(name, a.headers.get(name), b.headers.get(name))
        # a marker of a past state has a number that servers choose
        found = [re.search('%40([0-9]+)', x.headers.get('link', '')) for x in (a, b)]
        if all(found):
            self.ids.ours['@' + found[0].group(1)] = '@' + found[1].group(1)
        for name in ('location', 'link', 'allow'):
            self.text(name, *(re.sub('%40[0-9]+', '%40N', known(x.headers.get(name, ''))) for x in (a, b)))

    def text(self, where, theirs, ours):
        """Texts that may have ids and addresses in them."""
        theirs, ours = (re.sub(r'http://127\.0\.0\.1:\d+', '', t) for t in (theirs, ours))
        found = UUID.findall(theirs), UUID.findall(ours)
        if len(found[0]) == len(found[1]) == 1 and UUID.sub('', theirs) == UUID.sub('', ours):
            self.ids.pair(found[0][0], found[1][0])
        ours = self.ids.translate(ours)
        if theirs.startswith('Unknown metrics: '):
            # they are listed in the order of ids
            theirs, ours = (', '.join(sorted(t.replace('Unknown metrics: ', '').split(', '))) for t in (theirs, ours))
        if theirs != ours:
            self.differ(where, theirs, ours)

    def value(self, where, a, b):
        if isinstance(a, dict) and isinstance(b, dict):
            self.members(where, a, b)
        elif isinstance(a, list) and isinstance(b, list):
            self.items(where, a, b)
        elif isinstance(a, str) and isinstance(b, str):
            self.word(where, a, b)
        elif repr(a) != repr(b):
            self.differ(where, a, b)

    def word(self, where, a, b):
        if UUID.fullmatch(a) and UUID.fullmatch(b):
            if not self.ids.pair(a, b):
                self.differ(where, a, b)
        elif recent(a) and recent(b):
            # the same moment at the original is the same moment here
            if self.moments.setdefault(a, b) != b:
                self.differ(where + ' (moments)', a, b)
        else:
            self.text(where, a, b)

    def members(self, where, a, b):
        named = {self.ids.translate(k): k for k in b}
        for k, v in a.items():
            if k not in named:
                self.differ(where, 'has %s: %r' % (k, v), 'has not, but ' + ', '.join(sorted(set(named) - set(a))))
            else:
                self.value('%s.%s' % (where, k), v, b[named[k]])
        for k in named.keys() - a.keys():
            self.differ(where, 'has no ' + k, b[named[k]])

    def items(self, where, a, b):
        if len(a) != len(b):
            self.differ(where + ' (%d items, tsdb %d)' % (len(a), len(b)), a, b)
            return
        # methods are a set; what a detail or references name is in the order of ids
        if self.request.unordered or where.endswith(('aggregation_methods', '.description.detail', '.references')):
            a, b = sorted(a, key=order), sorted(b, key=lambda x: self.ids.translate(order(x)))
        for i, (x, y) in enumerate(zip(a, b)):
            self.value('%s[%d]' % (where, i), x, y)


def known(header):
    """A link without the members of the body that the original repeats in it as if they were parameters."""
    def parameters(match):
        kept = [p for p in match.group(1).split('&') if p.split('=')[0] in PARAMETERS]
        return '?%s>' % '&'.join(kept)

    return re.sub(r'\?([^>]*)>', parameters, header)


def order(item):
    """A key that puts items of lists without an order side by side."""
    if isinstance(item, dict):
        return ' '.join(str(item.get(k, '')) for k in ('original_resource_id', 'resource_id', 'name', 'id', 'revision_start'))
    return str(item)
