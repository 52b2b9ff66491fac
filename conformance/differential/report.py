"""Counts what was asked and found, and writes it down."""

import collections

HEAD = '''# Differential run

The same random requests to Gnocchi 4.7.1 and to tsdb, answers compared value by value (`make differential`; README.md one
folder up tells how). This page is written by the run.

'''


class Results:
    """Filled by a run, request by request."""

    def __init__(self):
        self.total = self.episodes = self.parted = self.unknown = self.values = 0
        self.families = collections.Counter()
        self.same = collections.Counter()
        self.statuses = collections.Counter()
        self.reasons = collections.Counter()
        self.why = {}
        self.examples = {}
        self.open = []

    def add(self, request, theirs, found, reasons):
        self.total += 1
        self.families[request.family] += 1
        self.statuses[theirs.status] += 1
        self.values += values(theirs.body)
        if not found:
            self.same[request.family] += 1
        unknown = [line for line, e in zip(found, reasons) if e is None]
        if unknown:
            self.unknown += 1
            self.open.append((request, unknown))
        for e in {e.title: e for e in reasons if e}.values():
            self.reasons[e.title] += 1
            self.why[e.title] = e.why
            line = next(line for line, x in zip(found, reasons) if x is e)
            self.examples.setdefault(e.title, '%s %s: %s' % (request.method, request.path, line[:300]))

    def text(self, seed, seconds):
        out = [HEAD, 'Seed %d, %d requests in %d episodes, %d numbers in answers, %.0f s. ' % (
            seed, self.total, self.episodes, self.values, seconds)]
        out.append('%d answers were the same, %d differ for a reason below, %d for none. %d episodes ended early because the servers were '
                   'told apart by a request that only one of them took.\n\n' % (
            sum(self.same.values()), self.total - sum(self.same.values()) - self.unknown, self.unknown, self.parted))
        out.append('| requests | sent | same answers |\n|---|---|---|\n')
        out += ['| %s | %d | %d |\n' % (f, n, self.same[f]) for f, n in sorted(self.families.items())]
        out.append('\nStatus of the original\'s answers: %s.\n' % ', '.join(
            '%d %s' % (n, s) for s, n in sorted(self.statuses.items())))
        if self.reasons:
            out.append('\n## Explained differences\n\n')
        for title, n in self.reasons.most_common():
            out.append('* **%s** (%d): %s\n' % (title, n, self.why[title]))
        if self.open:
            out.append('\n## Differences without a reason\n\n')
        for request, lines in self.open[:40]:
            out.append('* %s %s (%s)\n%s' % (request.method, request.path, request.family, ''.join('  * %s\n' % x[:400] for x in lines[:3])))
        return ''.join(out)


def values(body):
    """How many numbers an answer holds."""
    if isinstance(body, dict):
        return sum(map(values, body.values()))
    if isinstance(body, list):
        return sum(map(values, body))
    return isinstance(body, (int, float)) and not isinstance(body, bool)
