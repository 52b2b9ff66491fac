"""The founding measurement in small, and what Gnocchi makes of it, computed from the specification's text alone."""

import calendar
import datetime
import random

POINTS = 9100
METHODS = ['count', 'max', 'min', 'mean', 'sum']

# Two and a half hours around the first of January 2017, a Sunday: year, half year, quarter, month and week all change.
START = calendar.timegm((2016, 12, 31, 22, 40, 0))


def series(seed):
    """Returns {name: [(nanoseconds, value)]}, in order of time, 9,100 s each."""
    r = random.Random(seed)
    second = 1_000_000_000
    start = START * second

    def each(fn):
        return [(start + i * second, fn(i)) for i in range(POINTS)]

    counter = [0]

    def count(_):
        counter[0] += r.randrange(0, 150_000)
        return float(counter[0])

    # polled three times in two seconds, so that seconds hold one or two samples
    polled = [(start + i * 2 * second // 3, r.uniform(-1, 1)) for i in range(POINTS * 3 // 2)]
    # up to three samples a second, at any microsecond; some seconds hold none
    jittered = []
    for i in range(POINTS):
        if i % 97 != 96:
            at = sorted(r.sample(range(1_000_000), r.randrange(1, 4)))
            jittered += [(start + i * second + us * 1000, r.expovariate(0.01)) for us in at]
    return {
        'cpu_util': each(lambda i: r.random() * 100),
        'memory.usage': each(lambda i: float(512 + i // 600)),
        'network.incoming.bytes': each(count),
        'disk.latency': polled,
        'power': jittered,
    }


def apply(method, values):
    """Specification 19.2, in plain left-to-right float64 arithmetic."""
    if method == 'count':
        return float(len(values))
    if method == 'max':
        return max(values)
    if method == 'min':
        return min(values)
    total = values[0]
    for v in values[1:]:
        total += v
    return total / len(values) if method == 'mean' else total


def group(samples, key, method):
    """Groups samples, which are in order of time, by key of their time, and applies the method to each group."""
    groups = {}
    for t, v in samples:
        groups.setdefault(key(t), []).append(v)
    return [(t, apply(method, values)) for t, values in groups.items()]


def every(width_ns):
    return lambda t: t - t % width_ns


def calendar_start(letter):
    """The key of a calendar group: its first moment (specification 17.2)."""
    def key(t):
        d = datetime.datetime.fromtimestamp(t // 1_000_000_000, datetime.timezone.utc)
        month = {'Y': 1, 'H': (d.month - 1) // 6 * 6 + 1, 'Q': (d.month - 1) // 3 * 3 + 1, 'M': d.month, 'W': d.month}[letter]
        day = datetime.date(d.year, month, 1)
        if letter == 'W':
            day = d.date() - datetime.timedelta(days=(d.weekday() + 1) % 7)
        return calendar.timegm(day.timetuple()) * 1_000_000_000
    return key


def shown(points, granularity):
    """As the client shows points: (timestamp, granularity, value)."""
    out = []
    for t, v in points:
        d = datetime.datetime.fromtimestamp(t // 1_000_000_000, datetime.timezone.utc)
        out.append((d.isoformat(), granularity, v))
    return out


def iso(t):
    """A time in nanoseconds as text, to the microsecond."""
    d = datetime.datetime.fromtimestamp(t // 1_000_000_000, datetime.timezone.utc)
    return d.replace(microsecond=t // 1000 % 1_000_000).isoformat()
