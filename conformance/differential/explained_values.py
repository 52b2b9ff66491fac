"""Answers of 200 that hold other values, or fewer."""

import re
import urllib.parse

from explanation import answered, explanation


# The last bit of the largest of the measures, 1e9, with room for some terms: what differences of numbers of that size may be off by.
LARGE = 1e-6


def close(a, b, off=0.0):
    """Whether two numbers differ in their last bits only."""
    return isinstance(a, float) and isinstance(b, float) and abs(a - b) <= max(1e-12 * max(abs(a), abs(b)), off)


def differences(request):
    """How far numbers may be off that are differences of large ones."""
    asked = urllib.parse.unquote(str(request))
    return LARGE if any(word in asked for word in ('rate', 'sub', '"-"', '(-', 'std', 'var')) else 0.0


def fewer(line):
    """Whether the original's list of points is what remains of tsdb's when some are taken out."""
    def same(x, y):
        return x == y or len(x) == len(y) == 3 and x[:2] == y[:2] and close(x[2], y[2])

    a, b = line.theirs, line.ours
    if not (isinstance(a, list) and isinstance(b, list) and len(a) < len(b)):
        return False
    rest = iter(b)
    return all(any(same(x, y) for y in rest) for x in a)


@explanation('whole numbers as they came', 'ResourcesController.post in rest/api.py',
             """Right after creation or change the original shows a number attribute as it was sent, later, from its database, as a float;
             tsdb shows the float.""")
def whole_numbers(request, theirs, ours, line):
    return theirs.status == ours.status in (200, 201) and request.method in ('POST', 'PATCH') and type(line.theirs) is int and \
        type(line.ours) is float and line.theirs == line.ours


@explanation('last bits of percentiles, powers and angles', 'quantile in carbonara.py, numpy.cos and others in rest/aggregates/operations.py',
             """The original counts the position of a percentile from the beginning of all that it recomputes, and its library computes
             powers and angles in its own way: the last bits move.""")
def last_bits(request, theirs, ours, line):
    asked = urllib.parse.unquote(str(request))
    off = differences(request)
    return answered(theirs, ours) and close(line.theirs, line.ours, off) and any(word in asked for word in ('pct', 'cos', 'sin', 'tan', 'pow', '^', '**'))


@explanation('the order of terms', 'get_cross_metric_measures_from_objs in rest/api.py, _get_measures_by_name in rest/aggregates/api.py',
             """Sums across metrics that were found, not listed, are added up in the order in which the original's database gives them, by ids, which
             each server chooses for itself: the last bits of three or more terms depend on it.""")
def order_of_terms(request, theirs, ours, line):
    across = request.path.startswith('/v1/aggregation/') or isinstance(request.body, dict) and 'resource_type' in request.body
    return answered(theirs, ours) and across and close(line.theirs, line.ours, differences(request))


def sparse(request):
    asked = urllib.parse.unquote(str(request))
    return 'std' in asked or 'rate:' in asked


@explanation('retention of sparse methods', '_compute_split_operations in storage/__init__.py',
             """std and rates have no point in groups of one sample. The original keeps in `oldest_values` one oldest point for a granularity, that
             of the method handled last, and cuts the blocks of all methods by it. Methods are handled in the order of a set: of "max" and "std" with 10 points
             of 1 s, two samples at 4000 s and one at 8000 s, "std" at 4000 s is there or not by PYTHONHASHSEED. tsdb keeps it.""")
def sparse_methods(request, theirs, ours, line):
    return answered(theirs, ours) and sparse(request) and fewer(line)


@explanation('retention that has grown', '_compute_split_operations in storage/__init__.py, ArchivePolicyController.patch in rest/api.py',
             """The original forgets what a policy does not keep when measures are processed; where the policy is changed to keep more, the points are gone.
             tsdb forgets later, by whole blocks, and shows what is still there. Asked are metrics that were measured before.""")
def grown(request, theirs, ours, line):
    if not request.grown or not {theirs.status, ours.status} <= {200, 400}:
        return False
    if theirs.status != ours.status:
        return 'overlap' in theirs.text + ours.text
    across = request.path.startswith('/v1/aggregat')
    return answered(theirs, ours) and (fewer(line) or across and isinstance(line.theirs, (int, float, list, str)))


@explanation('filters of past states', 'extracts_filters_for_table and list_resources in indexer/sqlalchemy.py',
             """Where past states are searched, the original first searches them by what is left of the filter without the parts that its
             table of states lacks, which loses states below `not` and `or`.""")
def history_filter(request, theirs, ours, line):
    names = dict(request.query)
    if not answered(theirs, ours) or not ('history' in names or 'use_history' in names):
        return False
    words = re.sub(r'"[^"]*"|\'[^\']*\'', '', names.get('filter', ''))
    keys = set(re.findall(r'\b(?:not|or)\b|∨', words)) | members(request.body)
    return bool(keys & {'not', 'or', '∨'}) and (len(theirs.text) < len(ours.text) or 'limit' in names)


def members(body):
    """All names of members in a body."""
    if isinstance(body, dict):
        return set(body).union(*map(members, body.values()))
    if isinstance(body, list):
        return set().union(*map(members, body))
    return set(re.findall(r'\b(?:not|or)\b|∨', re.sub(r'"[^"]*"|\'[^\']*\'', '', body))) if isinstance(body, str) else set()


@explanation('changes by way of generic', 'update_resource in indexer/sqlalchemy.py',
             """A resource that is changed below `/v1/resource/generic` gets a past state in the table of all resources but none in that of its type,
             so the history below its own type lacks it at the original.""")
def generic_history(request, theirs, ours, line):
    typed = '/generic' not in request.path and request.path.startswith(('/v1/resource/', '/v1/search/resource/')) and \
        ('history' in request.path or 'history' in dict(request.query))
    return typed and answered(theirs, ours) and isinstance(theirs.body, list) and len(theirs.body) < len(ours.body)


@explanation('search in a metric without measures', 'SearchMetricController.post in rest/api.py', 'The original refuses it, tsdb finds nothing.')
def never_measured(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and theirs.status in (400, 404) and 'Metric does not exist' in theirs.text and ours.status == 200


@explanation('granularities of the first that is searched', 'SearchMetricController.post in rest/api.py',
             """Where several metrics are searched and no granularity is asked for, the original searches all of them by the granularities of
             the first by ids, tsdb each by its own.""")
def first_granularities(request, theirs, ours, line):
    names = [name for name, _ in request.query]
    return request.path == '/v1/search/metric' and names.count('metric_id') > 1 and 'granularity' not in names and answered(theirs, ours) and fewer(line)


@explanation('search by a method that gave no point', 'SearchMetricController.post in rest/api.py',
             'The original refuses what the policy has but no sample has come to; tsdb finds nothing.')
def never_computed(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and 'Aggregation does not exist' in theirs.text and ours.status == 200


@explanation('an empty text as a date', 'to_timestamps in utils.py',
             'The original takes it for `NaT`, a date that compares with nothing.')
def empty_date(request, theirs, ours, line):
    names = dict(request.query)
    return theirs.status in (200, 400, 404) and ours.status == 400 and bool(
        "Invalid value: `' for field" in ours.text or re.search("Invalid value: `[^`]*''", ours.text) or '' in (names.get('start'), names.get('stop')) and 'Must be a datetime' in ours.text)


@explanation('nothing to aggregate', 'get_cross_metric_measures_from_objs in rest/api.py',
             'Where no resource has the metric, the original answers before it has looked at all arguments.')
def nothing_there(request, theirs, ours, line):
    empty = theirs.body == [] or isinstance(theirs.body, list) and all(isinstance(g, dict) and g.get('measures') == [] for g in theirs.body)
    return request.path.startswith('/v1/aggregation/') and theirs.status == 200 and empty and ours.status == 400


@explanation('rates by the calendar', 'derived in carbonara.py',
             'tsdb refuses to resample rates by a letter of the calendar; the original fails where there are points, and where there are none answers so.')
def calendar_rates(request, theirs, ours, line):
    return theirs.status == 200 and theirs.body == [] and 'cannot be resampled by the calendar' in ours.text
