"""The differences that are meant, each with its reason. What is not among them is a fault.

The rules stand in the modules explained_*.py; the first that covers a line of difference is taken. Each says which function of
Gnocchi 4.7.1 behaves as it does, and why tsdb does not.
"""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Explanation:
    title: str
    where: str  # the function of the original, and its file
    why: str
    applies: Callable  # (request, the original's answer, tsdb's answer, one compare.Difference) -> bool


EXPLANATIONS = []


def explanation(title, where, why):
    """Registers the function below it."""
    def register(applies):
        EXPLANATIONS.append(Explanation(title, where, ' '.join(why.split()), applies))
        return applies

    return register


def explain(request, theirs, ours, line):
    """The first explanation that covers a line of difference, or None."""
    for e in EXPLANATIONS:
        if e.applies(request, theirs, ours, line):
            return e
    return None


def refused(theirs, ours):
    """Both say no, with one status."""
    return theirs.status == ours.status and 400 <= theirs.status < 500


def answered(theirs, ours):
    return theirs.status == ours.status == 200


import explained_failures  # noqa: E402, F401
import explained_states  # noqa: E402, F401
import explained_values  # noqa: E402, F401
import explained_words  # noqa: E402, F401
