"""What an explanation of a difference is, and how the modules explained_*.py register theirs."""

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


def refused(theirs, ours):
    """Both say no, with one status."""
    return theirs.status == ours.status and 400 <= theirs.status < 500


def answered(theirs, ours):
    return theirs.status == ours.status == 200
