"""Refusals: which fault is named, with which status, and in what words."""

import re

from explanation import explanation, refused
from wire import UUID


@explanation('which member of an attribute', 'ResourceTypeSchemaManager.__init__ in resource_type.py',
             """Whatever is wrong with the definition of an attribute, the original blames its type, the last of the alternatives that it tries; tsdb
             names the member.""")
def definition_members(request, theirs, ours, line):
    return request.path.startswith('/v1/resource_type') and "['type']" in theirs.text and refused(theirs, ours)


@explanation("Python's own words", 'abort in rest/api.py', 'The original shows messages and names of classes of its language.')
def python_words(request, theirs, ours, line):
    return refused(theirs, ours) and any(words in theirs.text for words in ('object has no attribute', "<class '", 'one of the hex, bytes, bytes_le', 'np.timedelta64('))


@explanation('resampling by first, last and percentiles', 'OperationsSchemaBase in rest/aggregates/api.py',
             'Release 4.7.1 does not know it, the newest revision does, as tsdb.')
def newer_resample(request, theirs, ours, line):
    return theirs.status == 400 and 'operation invalid' in theirs.text and bool(
        re.search(r'resample"?,? "?(rate:)?(first|last|\d+pct)', str(request)))


@explanation('the first of several metrics', 'get_cross_metric_measures_from_objs in rest/api.py, get_aggregated_measures in storage/__init__.py',
             'Where several metrics lack a method or granularity, the one named is the first by ids, which each server chooses for itself.')
def first_of_several(request, theirs, ours, line):
    def told(answer):
        return re.sub(r"granularity '[\d.]+'", '', UUID.sub('', str(answer.error)))

    return theirs.status == ours.status == 404 and bool(theirs.error) and told(theirs) == told(ours)


@explanation('the first of several searched', 'SearchMetricController.post in rest/api.py', 'The same in a search of values, of granularities too.')
def first_metric(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and theirs.status in (400, 404) and ours.status in (400, 404) and 'does not exist' in theirs.text and 'does not exist' in ours.text


@explanation('an empty search', 'QueryStringSearchAttrFilter.parse in rest/api.py', 'Both refuse it; the original tries to parse it.')
def empty_search(request, theirs, ours, line):
    return isinstance(request.body, dict) and request.body.get('search') == '' and refused(theirs, ours)


@explanation('patches that are none', 'ResourceTypeController.patch in rest/api.py', 'Both refuse a JSON patch that is not one, tsdb by naming the place.')
def patch_members(request, theirs, ours, line):
    return request.method == 'PATCH' and '/resource_type/' in request.path and theirs.status == ours.status == 400


@explanation('errors by weight', 'abort in rest/api.py (WebOb)',
             'Given weights in Accept, the original may answer an error in a JSON of another form than all its others.')
def weighed_accept(request, theirs, ours, line):
    return refused(theirs, ours) and ';q=' in (request.headers.get('Accept') or '').replace(' ', '')


@explanation('words for sides of different width', 'handle_binary_operator in rest/aggregates/operations.py',
             'The original prints its operands, tsdb says which widths they have.')
def widths_of_sides(request, theirs, ours, line):
    return "Can't compute timeseries with different granularity" in theirs.text and theirs.status == ours.status == 400


@explanation('words for filters', 'QueryStringSearchAttrFilter.parse in rest/api.py (pyparsing)',
             'Only `Invalid filter: Expected` is firm: what follows is the grammar as a library prints it.')
def filter_words(request, theirs, ours, line):
    return refused(theirs, ours) and all(str(x.error).startswith('Invalid filter: ') for x in (theirs, ours))


@explanation('numbers as names in filters', 'ResourceSearchSchema in rest/api.py',
             'Where the text of a filter has a number for the name of an attribute, the original shows it in the path of the error as a number.')
def numeric_names(request, theirs, ours, line):
    return refused(theirs, ours) and isinstance(line.theirs, str) and isinstance(line.ours, str) and \
        'expected str @ data' in line.theirs and line.theirs.replace("'", '') == line.ours.replace("'", '')


@explanation('values of filters, and pages', '_search in rest/api.py, list_resources in indexer/sqlalchemy.py',
             """Where both are wrong: tsdb looks at the values of a filter where it reads it, the original when it asks its database, after the limit
             and the marker and before the keys to sort by.""")
def filter_values(request, theirs, ours, line):
    def of_page(answer):
        return 'Invalid pagination' in answer.text or 'Argument value error' in answer.text

    return refused(theirs, ours) and (str(ours.error).startswith('Invalid value: ') and of_page(theirs) or
                                      str(theirs.error).startswith('Invalid value: ') and of_page(ours))


@explanation('the first of several groups', 'AggregatesController.post in rest/aggregates/api.py',
             """The original works on one group after another and stops at the first that is wrong; tsdb looks first whether all metrics of all groups have the
             method, and names in each what it finds first.""")
def first_group(request, theirs, ours, line):
    words = 'Metrics cannot be aggregated', 'Metrics with unknown aggregation'
    return 'groupby' in dict(request.query) and theirs.status in (400, 404) and ours.status in (400, 404) and \
        any(w in theirs.text for w in words) and any(w in ours.text for w in words)


@explanation('the first fault of a page', 'list_resources in indexer/sqlalchemy.py', 'Of a marker and a sort key that are both wrong the original names the marker.')
def first_of_page(request, theirs, ours, line):
    return refused(theirs, ours) and 'Invalid marker' in theirs.text and 'Invalid pagination' in ours.text and 'sort' in dict(request.query)


@explanation('attributes in filters of past states', 'extracts_filters_for_table in indexer/sqlalchemy.py',
             """Of the filter by which the original first searches past states it leaves out attributes of types in simple comparisons, but not in
             `in`, which it then refuses. tsdb takes it.""")
def past_attributes(request, theirs, ours, line):
    names = dict(request.query)
    return ('history' in names or 'use_history' in names) and theirs.status == 400 and "sqlalchemy_base.ResourceHistory'> has no" in theirs.text and \
        ours.status != 500

@explanation('the first of several values', 'QueryTransformer in indexer/sqlalchemy.py',
             """Where a filter has several values that do not fit their attributes, the original names the first that it or PostgreSQL meets, tsdb the first that
             is of another kind than its attribute.""")
def several_values(request, theirs, ours, line):
    return refused(theirs, ours) and all(str(x.error).startswith('Invalid value: ') for x in (theirs, ours))


@explanation('arguments before rights', 'ResourceHistoryController.get in rest/api.py',
             'Of the history of a resource that one may not see, or that there is not, the original first says what is wrong with the page that is asked for.')
def page_first(request, theirs, ours, line):
    return request.path.endswith('/history') and theirs.status == 400 and ours.status in (403, 404) and 'Argument value error' in theirs.text


@explanation('more members than a request for aggregates has', 'AggregatesController.FetchSchema in rest/aggregates/api.py',
             'There are two forms of it; whatever is too much, the original names what the shorter form has not, tsdb what neither has.')
def extra_members(request, theirs, ours, line):
    return request.path == '/v1/aggregates' and refused(theirs, ours) and 'extra keys not allowed' in theirs.text and 'extra keys not allowed' in ours.text


@explanation('a resource type that is no text', 'ResourceTypeSchema in rest/aggregates/api.py', 'The original looks for it nevertheless.')
def type_no_text(request, theirs, ours, line):
    return request.path == '/v1/aggregates' and refused(theirs, ours) and "expected str for dictionary value @ data['resource_type']" in ours.text


@explanation('an empty name', 'ResourceTypesController.post in rest/api.py', 'The original takes a resource type without a name, which no path leads to; tsdb refuses it.')
def empty_name(request, theirs, ours, line):
    return request.path == '/v1/resource_type' and request.body.get('name') == '' and (theirs.status, ours.status) == (201, 400)


@explanation('blanks within a sentence', 'ResourcesController.delete in rest/api.py', 'The original has the blanks of its source in the middle of a sentence.')
def blanks(request, theirs, ours, line):
    return refused(theirs, ours) and 'caution: ' in theirs.text and isinstance(line.theirs, str) and ' '.join(line.theirs.split()) == line.ours


@explanation('words for operations', 'OperationsSchema in rest/aggregates/api.py',
             'Where the outermost operator is a metric, or the text cannot be parsed, the words of the original mean nothing.')
def operation_words(request, theirs, ours, line):
    both = theirs.text, ours.text
    return request.path == '/v1/aggregates' and refused(theirs, ours) and any(
        all(w in t for t in both) for w in ("data['operations']", 'Fail to parse the operations'))


@explanation('words for bodies that are no text', 'UnableToDecodeBody in rest/exceptions.py', 'The original says nothing of bytes that are no UTF-8.')
def undecodable(request, theirs, ours, line):
    return isinstance(request.body, bytes) and b'\xff' in request.body and theirs.status == 400 <= ours.status < 410


@explanation('words of the JSON decoder', 'deserialize in rest/api.py',
             'Why a body is not JSON is said in the words of the decoder; `cause` and status are the same.')
def decoder_words(request, theirs, ours, line):
    return refused(theirs, ours) and line.where.startswith('.description') and 'Unable to decode body' in theirs.text and 'Unable to decode body' in ours.text


@explanation('rights first', 'get_cross_metric_measures_from_objs in rest/api.py', 'Of metrics that one may not read the original first says what they lack.')
def rights_first(request, theirs, ours, line):
    return request.path.startswith('/v1/aggregation') and (theirs.status, ours.status) == (404, 403)


@explanation('ping', 'the answer of pecan to /v1/influxdb/ping', 'A client that accepts JSON alone is no concern of an answer without a body.')
def ping(request, theirs, ours, line):
    return request.path == '/v1/influxdb/ping'


@explanation('a parameter given twice', 'validate_qs in rest/api.py', 'The original cannot read two of what is one, tsdb takes the last.')
def repeated(request, theirs, ours, line):
    names = [name for name, _ in request.query]
    return theirs.status == 400 and any(names.count(n) > 1 for n in ('start', 'stop', 'granularity', 'fill'))


@explanation('words for predicates', 'MeasureQuery in rest/api.py', 'Both refuse the same predicates of values, not always with the same words.')
def predicate_words(request, theirs, ours, line):
    return request.path == '/v1/search/metric' and theirs.status == ours.status == 400 and 'Invalid input' in theirs.text


@explanation('404 or 405', 'pecan, and _lookup of each controller in rest/api.py',
             'Of a method on a path that leads nowhere; of objects that do not exist the original says 404 first.')
def no_such_path(request, theirs, ours, line):
    return {theirs.status, ours.status} == {404, 405} or request.path.startswith('/v1/aggregation/resource') and (
        theirs.status, ours.status) == (400, 405)


@explanation('an empty description', 'pecan.abort', 'Of a path that leads nowhere the original says nothing, null or the sentence of the status, as it comes.')
def empty_description(request, theirs, ours, line):
    return theirs.status == ours.status == 404 and request.family in ('routes', 'negotiation', 'authorization', 'bad content') and not ours.error


@explanation('Allow', 'pecan', 'The original lists the methods of the object above.')
def allowed(request, theirs, ours, line):
    return line.where == 'allow'


@explanation('a resource named twice in a batch', 'ResourcesMetricsMeasuresBatchController.post in rest/api.py',
             'Where a batch names a resource twice, by UUID and by text, the original lists unknown metrics twice.')
def repeated_metrics(request, theirs, ours, line):
    def unique(answer):
        return sorted(set(str(answer.error).replace(',', '').split()))

    return 'batch/resources' in request.path and str(theirs.error).startswith('Unknown metrics: ') and unique(theirs) == unique(ours)


@explanation('an unknown reaggregation', 'get_measures in rest/aggregates/processor.py',
             'The original looks for what series have in common before it looks for the method that shall put them together.')
def reaggregation_late(request, theirs, ours, line):
    return request.path.startswith('/v1/aggregation/') and refused(theirs, ours) and 'cannot put series together' in ours.text and (
        'No overlap' in theirs.text or 'No granularity match' in theirs.text)


@explanation('any method on the roots', 'V1Controller and VersionsController in rest/api.py', 'The original answers any method on its roots, tsdb says 405.')
def root_methods(request, theirs, ours, line):
    return request.path in ('/', '/v1', '/v1/', '/healthcheck') and request.method != 'GET' and ours.status == 405


@explanation('the redirect', 'pecan', 'tsdb sends no body with it.')
def redirect(request, theirs, ours, line):
    return request.path == '/v1' and theirs.status == ours.status == 302 and line.where in ('body', 'Content-Type')


@explanation('sentences of plain text', 'abort in rest/api.py (WebOb)',
             """Errors as text or HTML have a sentence about the status between its name and the description; tsdb has sentences of its own.""")
def sentences(request, theirs, ours, line):
    def firm(answer):
        lines = [x for x in re.sub('<[^>]*>', '\n', answer.text).split('\n') if x.strip()]
        return lines[0].strip(), len(lines) > 2 and lines[-1].strip()

    return refused(theirs, ours) and line.where == 'body' and firm(theirs) == firm(ours)


@explanation('406 before 404', '_lookup of each controller in rest/api.py',
             'The original looks things up before it looks at Accept where the thing is a segment of the path.')
def negotiated_first(request, theirs, ours, line):
    return ours.status == 406 and theirs.status in (401, 404)


@explanation('another of several faults', 'one after another in rest/api.py',
             'More than one thing was made wrong with the request, and the two servers name different ones.')
def another_fault(request, theirs, ours, line):
    if not (400 <= theirs.status < 410 and 400 <= ours.status < 410):
        return False
    # these come before all others at the original, so that tsdb must see something else that is wrong
    first = ('No archive policy name specified', 'Named metric already exists', 'Cannot add or drop granularities')
    return request.faults > 1 or any(f in theirs.text for f in first)


@explanation('batches that are read', 'MetricsMeasuresBatchController in rest/api.py', 'tsdb answers GET there with the measures of several metrics; the original has no such thing.')
def batch_read(request, theirs, ours, line):
    return request.path == '/v1/batch/metrics/measures' and request.method == 'GET' and theirs.status == 405


@explanation('the first of several missing members', 'validate in rest/api.py (voluptuous)', 'Which of the members that are missing is named is the order of a set.')
def missing_members(request, theirs, ours, line):
    return refused(theirs, ours) and all('required key not provided @ data[' in x.text for x in (theirs, ours)) and isinstance(line.theirs, str)


@explanation('a batch without names', 'ResourcesMetricsMeasuresBatchController.post in rest/api.py',
             'Where a batch names no metric the original is done before it has read `create_metrics`.')
def nameless_batch(request, theirs, ours, line):
    return request.path.startswith('/v1/batch/resources') and (theirs.status, ours.status) == (202, 400) and 'create_metrics' in ours.text


@explanation('dates that are none', 'to_timestamps in utils.py',
             'Among numbers a timestamp that is null becomes `NaT`, among dates one that is empty, and the original takes it. tsdb refuses the list.')
def null_dates(request, theirs, ours, line):
    return theirs.status == 202 and ours.status == 400 and 'measures' in request.path and \
        any(x in (request.encoded() or b'') for x in (b'"timestamp": null', b'"timestamp": ""'))
