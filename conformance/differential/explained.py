"""The differences that are meant, each with its reason. What is not here is a fault."""

import re
from dataclasses import dataclass
from typing import Callable

from wire import UUID


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


def counter_methods(request, theirs, ours, line):
    return request.path.startswith('/v1/capabilities') and line.startswith('.aggregation_methods') and 'counter:rate' in ours.text


def another_fault(request, theirs, ours, line):
    if not (400 <= theirs.status < 410 and 400 <= ours.status < 410):
        return False
    # these come before all others at the original, so that tsdb must see something else that is wrong
    first = ('No archive policy name specified', 'Named metric already exists', 'Cannot add or drop granularities')
    return request.faults > 1 or any(f in theirs.text for f in first)


def root_methods(request, theirs, ours, line):
    return request.path in ('/', '/v1', '/v1/', '/healthcheck') and request.method != 'GET'


def not_acceptable(request, theirs, ours, line):
    return theirs.status == ours.status in (406, 415) and line.startswith('body')


def negotiated_first(request, theirs, ours, line):
    return ours.status == 406 and theirs.status in (401, 404)


def visible(request, theirs, ours, line):
    return theirs.status == 403 and ours.status in (200, 304) and request.method == 'GET' and '/resource/' in request.path and request.user != 'admin'


def left_behind(request, theirs, ours, line):
    # of a state: request is the one before
    return request.path.startswith('/v1/batch/resources') and bool(request.query) and theirs.status == 200


def empty_object(request, theirs, ours, line):
    return ours.status == 400 and 'unexpected measures format' in ours.text and any(x in (request.encoded() or b'') for x in (b'{}', b'""'))


def decoder_words(request, theirs, ours, line):
    return line.startswith('.description.reason') and 'Unable to decode body' in theirs.text and 'Unable to decode body' in ours.text


def definition_members(request, theirs, ours, line):
    return request.path.startswith('/v1/resource_type') and "['type']" in theirs.text and theirs.status == ours.status == 400


def python_words(request, theirs, ours, line):
    return any(words in theirs.text for words in ('object has no attribute', "<class '", 'one of the hex, bytes, bytes_le'))


def whole_numbers(request, theirs, ours, line):
    number = re.search(r': (-?\d+), tsdb (-?\d+)\.0$', line)
    return theirs.status == ours.status in (200, 201) and bool(number) and number.group(1) == number.group(2)


def never_measured(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and 'Metric does not exist' in theirs.text and ours.status == 200


def last_bits(request, theirs, ours, line):
    numbers = re.search(r': (-?[\d.e+-]+), tsdb (-?[\d.e+-]+)$', line)
    if not numbers:
        return False
    asked = str(request) + theirs.text
    a, b = map(float, numbers.groups())
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b)) and any(word in asked for word in ('pct', 'cos', 'sin', 'tan', 'pow', '^', '**'))


def no_such_path(request, theirs, ours, line):
    return {theirs.status, ours.status} == {404, 405} or request.family == 'routes' and theirs.status == ours.status == 404


def newer_resample(request, theirs, ours, line):
    return 'operation invalid' in theirs.text and bool(re.search(r'resample"?,? "?(rate:)?(first|last|\d+pct)', str(request)))


def first_of_several(request, theirs, ours, line):
    same = [re.sub(r"granularity '[\d.]+'", '', UUID.sub('', str(x.error))) for x in (theirs, ours)]
    return theirs.status == ours.status == 404 and same[0] == same[1]


def first_metric(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and 'does not exist' in theirs.text and 'does not exist' in ours.text


def empty_date(request, theirs, ours, line):
    return ours.status == 400 and ("Invalid value: `' for field" in ours.text or dict(request.query).get('start') == '' or dict(request.query).get('stop') == '')


def empty_search(request, theirs, ours, line):
    return isinstance(request.body, dict) and request.body.get('search') == '' and theirs.status == ours.status == 400


def patch_members(request, theirs, ours, line):
    return request.method == 'PATCH' and '/resource_type/' in request.path and theirs.status == ours.status == 400


def weighed_accept(request, theirs, ours, line):
    return theirs.status == ours.status >= 400 and ';q=' in (request.headers.get('Accept') or '').replace(' ', '')


def history_filter(request, theirs, ours, line):
    parameters = dict(request.query)
    words = str(request.body) + parameters.get('filter', '')
    return 'history' in str(parameters.keys()) and any(x in words for x in ('not', 'or', '∨'))


def widths_of_sides(request, theirs, ours, line):
    return "Can't compute timeseries with different granularity" in theirs.text and theirs.status == ours.status == 400


def filter_words(request, theirs, ours, line):
    return all(str(x.error).startswith('Invalid filter: Expected') for x in (theirs, ours))


def operation_words(request, theirs, ours, line):
    both = theirs.text, ours.text
    return request.path == '/v1/aggregates' and any(all(w in t for t in both) for w in ("data['operations']", 'Fail to parse the operations'))


def undecodable(request, theirs, ours, line):
    return request.family == 'bad content' and theirs.status == ours.status == 400


def rights_first(request, theirs, ours, line):
    return request.path.startswith('/v1/aggregation') and (theirs.status, ours.status) == (404, 403)


def never_computed(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and 'Aggregation does not exist' in theirs.text and ours.status == 200


def generic_history(request, theirs, ours, line):
    typed = 'generic' not in request.path and ('history' in request.path or 'history' in dict(request.query))
    return typed and theirs.status == ours.status == 200 and isinstance(theirs.body, list) and len(theirs.body) < len(ours.body)


def ping(request, theirs, ours, line):
    return request.path == '/v1/influxdb/ping'


def sparse_methods(request, theirs, ours, line):
    asked = str(request)
    if not (theirs.status == ours.status == 200 and ('std' in asked or 'rate:' in asked)):
        return False
    lists = re.search(r'(\d+) items: .*, tsdb "?\'?(\d+) items: ', line)
    return bool(lists) and int(lists.group(1)) < int(lists.group(2))


def foreign_resources(request, theirs, ours, line):
    return request.path.startswith('/v1/batch/resources') and theirs.status in (202, 400) and ours.status == 403


def redirect(request, theirs, ours, line):
    return request.path == '/v1' and theirs.status == ours.status == 302


def build(request, theirs, ours, line):
    return line.startswith('.build')


def repeated(request, theirs, ours, line):
    names = [name for name, _ in request.query]
    return theirs.status == 400 and any(names.count(n) > 1 for n in ('start', 'stop', 'granularity', 'fill'))


def nothing_there(request, theirs, ours, line):
    return request.path.startswith('/v1/aggregation/') and theirs.status == 200 and theirs.body == [] and ours.status == 400


def predicate_words(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and theirs.status == ours.status == 400 and 'Invalid input' in theirs.text


def unstable(request, theirs, ours, line):
    past = 'history' in request.path or 'history' in dict(request.query)
    return past and 'sort' in dict(request.query) and theirs.status == ours.status == 200 and len(theirs.body) == len(ours.body)


def past_nulls(request, theirs, ours, line):
    parameters = dict(request.query)
    return 'marker' in parameters and 'sort' in parameters and theirs.status == ours.status == 200


def details_order(request, theirs, ours, line):
    lists = theirs.body, ours.body
    return 'details' in dict(request.query) and all(isinstance(x, list) for x in lists) and len(lists[0]) == len(lists[1])


def empty_description(request, theirs, ours, line):
    return theirs.status == ours.status == 404 and line.startswith('.description') and not theirs.error and not ours.error


def allowed(request, theirs, ours, line):
    return line.startswith('allow: ')


def nobody(request, theirs, ours, line):
    return ours.status == 401 and request.family == 'authorization'


EXPLANATIONS = [
    Explanation('which member of an attribute', 'Whatever is wrong with the definition of an attribute, the original blames its type; tsdb '
                'names the member.', definition_members),
    Explanation("Python's own words", 'The original shows messages and names of classes of its language.', python_words),
    Explanation('whole numbers as they came', 'Right after creation the original shows a number attribute as it was sent, later as a float; '
                'tsdb shows the float.', whole_numbers),
    Explanation('search in a metric without measures', 'The original refuses it, tsdb finds nothing.', never_measured),
    Explanation('last bits of percentiles, powers and angles', 'The original counts the position of a percentile from the beginning of all that '
                'it recomputes, and its library computes powers and angles in its own way: the last bits move.', last_bits),
    Explanation('an empty description', 'Of a path that leads nowhere the original says sometimes nothing, sometimes null.', empty_description),
    Explanation('resampling by first, last and percentiles', 'Release 4.7.1 does not know it, the newest revision does, as tsdb.', newer_resample),
    Explanation('the first of several metrics', 'Where several metrics lack a method or granularity, the one named is the first by ids, which '
                'each server chooses for itself.', first_of_several),
    Explanation('the first of several searched', 'The same in a search of values, of granularities too.', first_metric),
    Explanation('an empty text as a date', 'The original takes it for a date that compares with nothing.', empty_date),
    Explanation('an empty search', 'Both refuse it; the original tries to parse it.', empty_search),
    Explanation('patches that are none', 'Both refuse a JSON patch that is not one, tsdb by naming the place.', patch_members),
    Explanation('errors by weight', 'Given weights in Accept, the original may answer an error in a JSON of another form than all its others.',
                weighed_accept),
    Explanation('filters of past states', 'Where past states are searched, the original first searches them by what is left of the filter without the '
                'parts that its table of states lacks, which loses states below `not` and `or`.', history_filter),
    Explanation('words for sides of different width', 'The original prints its operands, tsdb says which widths they have.', widths_of_sides),
    Explanation('words for filters', 'Only `Invalid filter: Expected` is firm: what follows is the grammar as a library prints it.', filter_words),
    Explanation('words for operations', 'Where the outermost operator is a metric the words of the original mean nothing.', operation_words),
    Explanation('words for bodies that are no text', 'The original says nothing of bytes that are no UTF-8.', undecodable),
    Explanation('rights first', 'Of metrics that one may not read the original first says what they lack.', rights_first),
    Explanation('search by a method that gave no point', 'The original refuses what the policy has but no sample has come to; tsdb finds nothing.',
                never_computed),
    Explanation('changes by way of generic', 'A resource that is changed below `/v1/resource/generic` has no revision of it in the history '
                'below its own type at the original.', generic_history),
    Explanation('ping', 'A client that accepts JSON alone is no concern of an answer without a body.', ping),
    Explanation('retention of sparse methods', 'std and rates have no point in groups of one sample. The original cuts all methods of a granularity by the '
                'newest point of the one it happened to handle last, so that they may lose points that the policy keeps.', sparse_methods),
    Explanation('metrics on resources of others', 'tsdb lets a batch create metrics only on resources that the caller may change.', foreign_resources),
    Explanation('the redirect', 'tsdb sends no body with it.', redirect),
    Explanation('the version', 'tsdb says 4.7.0 of itself.', build),
    Explanation('a parameter given twice', 'The original cannot read two of what is one, tsdb takes the last.', repeated),
    Explanation('nothing to aggregate', 'Where no resource has the metric, the original does not look at the arguments.', nothing_there),
    Explanation('words for predicates', 'Both refuse the same predicates of values, not always with the same words.', predicate_words),
    Explanation('ties among past states', 'Release 4.7.1 leaves states that the sort keys do not tell apart in any order; the newest revision and tsdb '
                'order them by id and revision.', unstable),
    Explanation('pages past a null', 'Where the marker has a null among the sort keys the next page of the original begins elsewhere.', past_nulls),
    Explanation('order of details', 'With `details` the original asks again for the attributes of each type, and the order of the list is lost.',
                details_order),
    Explanation('404 or 405', 'Of a method on a path that leads nowhere; of objects that do not exist the original says 404 first.',
                no_such_path),
    Explanation('Allow', 'The original lists the methods of the object above.', allowed),
    Explanation('a header that names nobody', 'The original takes `Authorization: Basic` and an empty name for a user without a name; tsdb '
                'asks for one.', nobody),
    Explanation('a metric named twice', 'Where a batch names a resource twice, by UUID and by text, the original lists unknown metrics twice.',
                repeated_metrics),
    Explanation('signs among plain methods', 'Of `["mean", "-std"]` the original keeps "-std" as if it were a method, and of "+x" and "-x" '
                'in one list it takes them in the order of a hash.', signed_methods),
    Explanation('methods of counters', 'tsdb has two methods that the original lacks, counter:increase and counter:rate, and lists them last.', counter_methods),
    Explanation('the original fails with 500', 'It meets an input that it did not expect; tsdb answers as its rules say.', crashed),
    Explanation('another of several faults', 'More than one thing is wrong with the request, and the two name different ones.', another_fault),
    Explanation('any method on the roots', 'The original answers any method on its roots, tsdb says 405.', root_methods),
    Explanation('sentences of plain text', 'Nobody reads the sentence below `406 Not Acceptable` or 415; tsdb has its own.', not_acceptable),
    Explanation('406 before 404', 'The original looks things up before it looks at Accept where the thing is a segment of the path.', negotiated_first),
    Explanation('resources of others', 'Without Keystone the newest revision of the original lets any user see any resource, as tsdb does; '
                'release 4.7.1 still refuses with 403.', visible),
    Explanation('metrics of a refused batch', 'The original keeps metrics that a batch created before it was refused; tsdb only where the '
                'reason are unknown resources, which clients rely on.', left_behind),
    Explanation('an object for a list', 'The original takes `{}` for an empty list of measures.', empty_object),
    Explanation('words of the JSON decoder', 'Why a body is not JSON is said in the words of the decoder; `cause` and status are the same.', decoder_words),
]


def explain(request, theirs, ours, line):
    """The first explanation that covers a line of difference, or None."""
    for e in EXPLANATIONS:
        if e.applies(request, theirs, ours, line):
            return e
    return None
