"""Requests with something wrong about them, and the pages that need no state."""

import json

from wire import Request

METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']


def paths(w):
    metric, resource = w.metric(), w.resource()
    return ['/', '/v1', '/v1/', '/v1/nope', '/v1/capabilities', '/v1/status', '/healthcheck', '/v1/archive_policy', '/v1//archive_policy/',
            '/v1/archive_policy/' + w.policy(), '/v1/archive_policy/a/b', '/v1/archive_policy_rule', '/v1/resource_type/generic',
            '/v1/resource', '/v1/resource/' + w.type(), '/v1/resource/generic/' + resource, '/v1/resource/generic/%s/history' % resource,
            '/v1/resource/generic/%s/nope' % resource, '/v1/resource/generic/%s/metric' % resource, '/v1/resource/generic/%s/metric/cpu' % resource,
            '/v1/resource/generic/%s/metric/cpu/measures' % resource, '/v1/resource/generic/%s/metric/cpu/nope' % resource,
            '/v1/metric', '/v1/metric/' + metric, '/v1/metric/%s/measures' % metric, '/v1/metric/%s/nope' % metric, '/v1/metric/nope',
            '/v1/metric/nope/measures', '/v1/batch', '/v1/batch/metrics', '/v1/batch/metrics/measures', '/v1/batch/resources/metrics/measures',
            '/v1/batch/resources', '/v1/search', '/v1/search/nope', '/v1/search/resource', '/v1/search/resource/generic', '/v1/search/metric',
            '/v1/search/resource/nope', '/v1/aggregation', '/v1/aggregation/metric', '/v1/aggregation/re/x', '/v1/aggregation/resource/generic',
            '/v1/aggregation/resource/generic/metric', '/v1/aggregation/resource/generic/metric/cpu', '/v1/aggregation/resource/generic/nope/cpu',
            '/v1/aggregates', '/v1/influxdb', '/v1/influxdb/ping', '/v1/influxdb/query', '/v1/prometheus', '/v1/resource/notype/x']


def route(w):
    """Any method on any path, mostly without a body."""
    method, path = w.pick(METHODS), w.pick(paths(w))
    if method == 'DELETE' and w.chance(0.8):
        method = 'GET'
    if method != 'GET' and path.rstrip('/') in ('', '/v1', '/healthcheck'):
        method = 'GET'
    body = w.pick([None, None, {}, [], b'', b'{', b'nul', 'x', {'name': 'x'}])
    return Request('routes', method, path, body=body, user=w.user(), unordered=path.rstrip('/').endswith(('/metric', '/archive_policy')))


def content(w, sound):
    """A sound request with a body that cannot be read, or a wrong type of it."""
    if isinstance(sound.body, bytes):
        return sound
    text = json.dumps(sound.body).encode()
    sound.body = w.pick([b'', b'   ', text[:-1], text + b'}', b'\xff\xfe', b'[' * 5000, text.replace(b':', b';', 1), b'null', b'5', b'"x"'])
    if w.chance(0.4):
        sound.headers = dict(sound.headers, **{'Content-Type': w.pick([None, 'text/plain', 'application/xml', 'application/json; charset=utf-8'])})
    sound.family = 'bad content'
    return sound


def negotiation(w, sound):
    """A request with another Accept, or none: errors look otherwise then."""
    sound.headers = dict(sound.headers, Accept=w.pick([
        None, '*/*', 'text/plain', 'text/html', 'application/json, text/plain, */*', 'text/plain, application/json; q=0.8', 'application/*',
        'application/json;q=0.9, text/html;q=0.5', 'image/png', '']))
    sound.family = 'negotiation'
    return sound


def authorization(w, sound):
    sound.headers = dict(sound.headers, Authorization=w.pick([None, 'Basic', 'Basic x', 'Bearer abc', 'basic YWRtaW46', 'Basic Og==', '']))
    sound.family = 'authorization'
    return sound


def wrong_member(w, sound):
    """A member of the body gone, or of another type."""
    if not isinstance(sound.body, dict) or not sound.body:
        return sound
    sound.body = json.loads(json.dumps(sound.body))
    key = w.pick(sound.body)
    odd = [None, 5, 'x', [], {}, True, 1.5, -1, '', [[]], {'a': 1}]
    if w.chance(0.25):
        del sound.body[key]
    elif isinstance(sound.body[key], dict) and sound.body[key] and w.chance(0.6):
        sound.body[key][w.pick(sound.body[key])] = w.pick(odd)
    else:
        sound.body[key] = w.pick(odd)
    sound.family = 'bad members'
    return sound
