"""What exists afterwards, who may see it, and in what order it is listed."""

from explanation import answered, explanation

# Attributes that all resources have: they stand in a table of their own at the original.
COMMON = ['id', 'type', 'creator', 'started_at', 'ended_at', 'project_id', 'user_id', 'original_resource_id', 'lifespan', 'created_by_user_id',
          'created_by_project_id']


@explanation('deleting resources of a type by a filter', 'delete_resources in indexer/sqlalchemy.py',
             """The original deletes from the table of the type and names the table of all resources beside it without joining the two: a
             filter on an attribute that all resources have deletes every resource of the type as soon as any resource fits. And the row in the
             table of all resources stays. tsdb deletes what the filter finds. The episode ends there.""")
def typed_delete(request, theirs, ours, line):
    typed = request.method == 'DELETE' and request.path.count('/') == 3 and not request.path.endswith('/generic')
    # of what is left afterwards: request is then the one before
    return typed and request.path.startswith('/v1/resource/') and answered(theirs, ours) and (
        isinstance(theirs.body, list) or any(name in str(request.body) + str(request.query) for name in COMMON) and theirs.body['deleted'] > ours.body['deleted'])


@explanation('signs among plain methods', 'ArchivePolicy.aggregation_methods in archive_policy.py',
             """Of `["mean", "-std"]` the original keeps "-std" as if it were a method, and of "+x" and "-x" in one list it takes them in the
             order of a hash. tsdb leaves out what has a minus.""")
def signed_methods(request, theirs, ours, line):
    chosen = request.body.get('aggregation_methods') if isinstance(request.body, dict) else None
    return '.aggregation_methods' in line.where and bool(chosen) and any(m[:1] in '+-' for m in chosen)


@explanation('metrics of a refused batch', 'ResourcesMetricsMeasuresBatchController.post in rest/api.py',
             """The original keeps metrics that a batch created before it was refused; tsdb only where the reason are unknown resources, which
             clients rely on.""")
def left_behind(request, theirs, ours, line):
    # of what is left afterwards: request is the one before
    return request.path.startswith('/v1/batch/resources') and bool(request.query) and theirs.status == 200


@explanation('metrics on resources of others', 'ResourcesMetricsMeasuresBatchController.post in rest/api.py',
             'tsdb lets a batch create metrics only on resources that the caller may change; the original asks the rule of creating metrics alone.')
def foreign_resources(request, theirs, ours, line):
    return request.path.startswith('/v1/batch/resources') and theirs.status in (202, 400) and ours.status == 403


@explanation('resources of others', 'RemoteUserAuthHelper and BasicAuthHelper in rest/auth_helper.py',
             """Without Keystone the newest revision of the original lets any user see any resource, as tsdb does; release 4.7.1 still refuses
             with 403.""")
def visible(request, theirs, ours, line):
    return theirs.status == 403 and ours.status in (200, 304) and request.method == 'GET' and '/resource/' in request.path and request.user != 'admin'


@explanation('markers of others', 'list_resources in indexer/sqlalchemy.py',
             """The original takes any resource as a marker, which tells whoever asks how one that he may not see compares with his own. To tsdb it
             does not exist.""")
def foreign_marker(request, theirs, ours, line):
    foreign = request.user != 'admin' or 'Authorization' in request.headers
    return 'marker' in dict(request.query) and foreign and theirs.status == 200 and ours.status == 400 and 'Invalid marker' in ours.text


@explanation('ties among past states', 'list_resources in indexer/sqlalchemy.py',
             """Release 4.7.1 leaves states that the sort keys do not tell apart in any order; the newest revision and tsdb order them by id and
             revision.""")
def unstable(request, theirs, ours, line):
    past = 'history' in request.path or 'history' in dict(request.query)
    return past and 'sort' in dict(request.query) and answered(theirs, ours) and len(theirs.body) == len(ours.body)


@explanation('pages past a null', 'list_resources in indexer/sqlalchemy.py (oslo.db paginate_query)',
             'Where the marker has a null among the sort keys the next page of the original begins elsewhere.')
def past_nulls(request, theirs, ours, line):
    names = dict(request.query)
    return 'marker' in names and 'sort' in names and answered(theirs, ours)


@explanation('order of details', 'list_resources in indexer/sqlalchemy.py',
             'With `details` the original asks again for the attributes of each type, and the order of the list is lost.')
def details_order(request, theirs, ours, line):
    lists = theirs.body, ours.body
    return 'details' in dict(request.query) and all(isinstance(x, list) for x in lists) and len(lists[0]) == len(lists[1])


@explanation('what a 304 tells', 'ResourceController.get in rest/api.py',
             'The original leaves out ETag and Last-Modified of a 304; tsdb sends them, as HTTP demands of the first (RFC 9110, 15.4.5).')
def not_modified(request, theirs, ours, line):
    return theirs.status == ours.status == 304 and line.where in ('etag', 'last-modified') and line.theirs is None


@explanation('a header that names nobody', 'BasicAuthHelper.get_current_user in rest/auth_helper.py',
             'The original takes `Authorization: Basic` and an empty name for a user without a name; tsdb asks for one.')
def nobody(request, theirs, ours, line):
    return ours.status == 401 and theirs.status != 401 and request.family == 'authorization'


@explanation('the version', 'VersionsController in rest/api.py', 'tsdb says 4.7.0 of itself.')
def build(request, theirs, ours, line):
    return request.path == '/' and line.where == '.build'


@explanation('methods of counters', 'CapabilityController.get in rest/api.py',
             'tsdb has two methods that the original lacks, counter:increase and counter:rate, and lists them last.')
def counter_methods(request, theirs, ours, line):
    return request.path.startswith('/v1/capabilities') and line.where.startswith('.aggregation_methods') and \
        set(ours.body['aggregation_methods']) - set(theirs.body['aggregation_methods']) == {'counter:increase', 'counter:rate'}
