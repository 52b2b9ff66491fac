"""Where the original ends in an exception of its own: status 500. A failure at another place has no explanation."""

from explanation import EXPLANATIONS, Explanation

# place in the original, exception, what brings it there
FAILURES = [
    ('<genexpr> in rest/api.py', 'KeyError', 'A batch names a resource twice, by its id and by the text it was made from, say: measures are '
     'looked up in the last of the two only. tsdb takes both.'),
    ('enforce in rest/api.py', 'AttributeError', 'The resource that a new metric shall belong to does not exist: a rule is asked about None.'),
    ('ResourceUUID in utils.py', '', 'The id of a resource is no text.'),
    ('to_timestamps in utils.py', '', 'A date is null, or a list of measures has one without a timestamp.'),
    ('MeasuresListSchema in rest/api.py', 'KeyError', 'A measure has no timestamp.'),
    ('<listcomp> in rest/api.py', 'KeyError', 'A measure has no timestamp.'),
    ('post in rest/api.py', 'TypeError', 'A resource type has no name.'),
    ('post in rest/aggregates/api.py', 'KeyError', '`operations` or `search` is missing.'),
    ('_parse in rest/api.py', 'AttributeError', '`search` is an object that is no filter, or null: it is parsed as text then.'),
    ('__call__ in rest/app.py', 'RecursionError', 'A body of lists nested 5,000 deep.'),
    ('__call__ in rest/app.py', 'TypeError: SearchMetricController.post()', 'A search of values without `metric_id`.'),
    ('handle_unary_operator in rest/aggregates/operations.py', 'TypeError', 'The negative of a comparison: numpy has none of booleans.'),
    ('handle_resample in rest/aggregates/operations.py', 'AttributeError', 'Resampling where no series is left.'),
    ('handle_aggregate in rest/aggregates/operations.py', 'KeyError', '`reaggregation` is no method.'),
    ('derived in carbonara.py', 'TypeError', 'A rate resampled by a letter of the calendar.'),
    ('_get_resource_type in indexer/sqlalchemy.py', '', 'The name of a resource type is no text: it cannot be looked for.'),
    ('update_resource_type in indexer/sqlalchemy.py', 'DBError', 'The type `generic`, which has no table of its own, or an attribute whose '
     'rows do not fit the change.'),
    ('to_timespan in utils.py', '', '`lifespan` beside `like` or `in`, or a granularity that is no timespan, where nobody catches it.'),
    ('list_resources in indexer/sqlalchemy.py', '', 'A filter or sort key that PostgreSQL has no operator for: `like` on a number, a number beside a '
     'boolean, an id that is no UUID, sorting by metrics.'),
    ('delete_resources in indexer/sqlalchemy.py', '', 'The same, deleting.'),
    ('create_metric in indexer/sqlalchemy.py', 'DBError', 'A policy with an empty name, which does not exist: its absence is not recognised in what PostgreSQL says.'),
    ('list_metrics in indexer/sqlalchemy.py', '', 'The id of a metric is no UUID.'),
    ('_handle_binary_op in indexer/sqlalchemy.py', 'ArgumentError', 'Order is asked of a boolean or of null.'),
    ('_handle_multiple_op in indexer/sqlalchemy.py', '', '`and` or `or` of something that is no list.'),
    ('render in rest/app.py', 'ValueError', 'Counts across metrics are integers of numpy, which the encoder of JSON does not know.'),
    ('round_timestamp in carbonara.py', 'UFuncTypeError', 'Resampling by a letter of the calendar and a start: the letter is used as a width.'),
    ('handle_binary_operator in rest/aggregates/operations.py', 'ValueError', 'Operands have different numbers of series.'),
    ('join_sequential_groups in rest/aggregates/api.py', 'TypeError', 'Groups of past states without a start: None is compared with a date.'),
]


def failure(place, exception):
    """The function that tells whether the original failed there."""
    def applies(request, theirs, ours, line):
        told = theirs.headers.get('x-failure', '')
        return theirs.status == 500 and 200 <= ours.status < 500 and told.startswith('%s: %s' % (place, exception))

    return applies


for place, exception, why in FAILURES:
    EXPLANATIONS.append(Explanation(
        'it fails: %s' % (exception or 'an exception'), place, why + ' tsdb answers as its rules say.', failure(place, exception)))
