"""The differences that are meant, each with its reason. What is not here is a fault."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Explanation:
    title: str
    why: str
    applies: Callable  # (request, the original's answer, tsdb's answer, one line of difference) -> bool


def crashed(request, theirs, ours, line):
    return theirs.status == 500 and 200 <= ours.status < 500


def repeated_metrics(request, theirs, ours, line):
    def unique(answer):
        return sorted(set(str(answer.error).replace(',', '').split()))

    return 'batch/resources' in request.path and str(theirs.error).startswith('Unknown metrics: ') and unique(theirs) == unique(ours)


def signed_methods(request, theirs, ours, line):
    chosen = request.body.get('aggregation_methods') if isinstance(request.body, dict) else None
    return line.startswith('.aggregation_methods') and bool(chosen) and any(m[:1] in '+-' for m in chosen)


EXPLANATIONS = [
    Explanation('a metric named twice', 'Where a batch names a resource twice, by UUID and by text, the original lists unknown metrics twice.',
                repeated_metrics),
    Explanation('signs among plain methods', 'Of `["mean", "-std"]` the original keeps "-std" as if it were a method, and of "+x" and "-x" '
                'in one list it takes them in the order of a hash.', signed_methods),
    Explanation('the original fails with 500', 'It meets an input that it did not expect; tsdb answers as its rules say.', crashed),
]


def explain(request, theirs, ours, line):
    """The first explanation that covers a line of difference, or None."""
    for e in EXPLANATIONS:
        if e.applies(request, theirs, ours, line):
            return e
    return None
