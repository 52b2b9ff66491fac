"""The differences that are meant, each with its reason. What is not among them is a fault.

The rules stand in the modules explained_*.py; the first that covers a line of difference is taken. Each says which function of
Gnocchi 4.7.1 behaves as it does, and why tsdb does not.
"""

import explained_failures  # noqa: F401
import explained_states  # noqa: F401
import explained_values  # noqa: F401
import explained_words  # noqa: F401
from explanation import EXPLANATIONS


def explain(request, theirs, ours, line):
    """The first explanation that covers a line of difference, or None."""
    for e in EXPLANATIONS:
        if e.applies(request, theirs, ours, line):
            return e
    return None
