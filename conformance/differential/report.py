"""Counts what was asked and found, and writes it down."""

import collections

import kinds

HEAD = '''# Differential run

The same random requests to Gnocchi 4.7.1 and to tsdb, answers compared value by value (`make differential`; README.md one
folder up tells how). This page is written by the run:

    conformance/differential/differential.sh --seeds %s --requests %d --report conformance/differential/REPORT.md

Gnocchi is not changed, with one exception: an empty list of measures stops it for good. `_map_compute_splits_operations` in storage/__init__.py
fails on it, at each attempt, and with it the processing of everything that came with it or comes later. So reference.py, which
serves the original, drops empty lists where they are about to be stored, and does the work of the daemons before each answer.

'''


class Results:
    """Filled by a run, request by request."""

    def __init__(self):
        self.total = self.episodes = self.parted = self.unknown = self.values = 0
        self.families = collections.Counter()
        self.same = collections.Counter()
        self.statuses = collections.Counter()
        self.reasons = collections.Counter()
        self.explained = collections.Counter()
        self.why = {}
        self.kinds = collections.defaultdict(collections.Counter)
        self.open = []

    def add(self, request, theirs, found, reasons):
        self.total += 1
        self.families[request.family] += 1
        self.statuses[theirs.status] += 1
        self.values += values(theirs.body)
        if request.family != 'state':
            for title, word in kinds.of(request, theirs):
                self.kinds[title][word] += 1
        if not found:
            self.same[request.family] += 1
        unknown = [line for line, e in zip(found, reasons) if e is None]
        if unknown:
            self.unknown += 1
            self.open.append(('%s %s (%s)' % (request.method, request.path, request.family), [str(line) for line in unknown[:3]]))
        elif found:
            self.explained[request.family] += 1
        for e in {e.where + e.title: e for e in reasons if e}.values():
            self.reasons[e.where + e.title] += 1
            self.why[e.where + e.title] = (e.title, e.where, e.why)

    def merge(self, other):
        """Takes in what another run found."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(value, int):
                setattr(self, name, mine + value)
            elif isinstance(value, collections.defaultdict):
                for title, words in value.items():
                    mine[title].update(words)
            elif isinstance(value, list):
                mine.extend(value)
            else:
                mine.update(value)

    def text(self, seeds, requests, seconds):
        out = [HEAD % (' '.join(map(str, seeds)), requests)]
        out.append('Seeds %s: %d requests in %d episodes, %d numbers in the original\'s answers, %.0f s.\n\n' % (
            ', '.join(map(str, seeds)), self.total, self.episodes, self.values, seconds))
        out.append('**%d answers were the same, %d differ for a reason below, %d for none.** %d episodes ended before their time, because a request left '
                   'the servers in different states.\n\n' % (
                       sum(self.same.values()), sum(self.explained.values()), self.unknown, self.parted))
        out.append('| requests | sent | same answers | explained | unexplained |\n|---|---|---|---|---|\n')
        out += ['| %s | %d | %d | %d | %d |\n' % (f, n, self.same[f], self.explained[f], n - self.same[f] - self.explained[f])
                for f, n in sorted(self.families.items())]
        out.append('\n"state" are the lists of all resources and of all metrics that are asked for and compared after each change; "pages" follow the '
                   '`Link` of a list; "bad content", "bad members", "negotiation" and "authorization" are other requests made wrong on purpose.\n')
        out.append('\nStatus of the original\'s answers: %s.\n' % ', '.join('%d %s' % (n, s) for s, n in sorted(self.statuses.items())))
        out.append('\n## What was asked\n\nWithout the requests for the state.\n\n')
        for title, words in self.kinds.items():
            out.append('* %s: %s.\n' % (title, ', '.join('%s %d' % (w, n) for w, n in sorted(words.items(), key=lambda x: (-x[1], x[0])))))
        if self.reasons:
            out.append('\n## Explained differences\n\nHow many answers differ for this reason, and which function of Gnocchi 4.7.1 it lies in.\n\n')
        for key, n in sorted(self.reasons.items(), key=lambda x: (-x[1], x[0])):
            title, where, why = self.why[key]
            out.append('* **%s** (%d; %s): %s\n' % (title, n, where, why))
        out.append('\n## Differences without a reason\n\n' + ('' if self.open else 'None.\n'))
        for request, lines in self.open[:40]:
            out.append('* %s\n%s' % (request, ''.join('  * %s\n' % x[:400] for x in lines)))
        return ''.join(out)


def values(body):
    """How many numbers an answer holds."""
    if isinstance(body, dict):
        return sum(map(values, body.values()))
    if isinstance(body, list):
        return sum(map(values, body))
    return isinstance(body, (int, float)) and not isinstance(body, bool)
