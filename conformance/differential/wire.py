"""Requests as they are generated, sending them, and answers as they came."""

import base64
import http.client
import json
import re
import urllib.parse
from dataclasses import dataclass, field

UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', re.I)


@dataclass
class Request:
    """One request, in the words of the original: ids of metrics in it are those that the original gave out."""

    family: str
    method: str
    path: str
    query: list = field(default_factory=list)
    body: object = None  # bytes are sent as they are, anything else as JSON
    user: str = 'admin'
    headers: dict = field(default_factory=dict)  # None removes what is sent by default
    faults: int = 0  # how many things about it were made wrong on purpose
    grown: bool = False  # it may read a metric whose policy was made to keep more
    unordered: bool = False  # the answer is a list whose order depends on ids that servers choose

    def changes(self):
        """Whether the state of a server may be another one afterwards."""
        return self.method in ('PUT', 'PATCH', 'DELETE') or self.method == 'POST' and not re.match(
            r'/v1/(search|aggregat)', self.path)

    def encoded(self):
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    def __str__(self):
        shown = self.encoded()
        if shown is not None:
            shown = shown.decode('utf-8', 'replace')
            shown = shown if len(shown) < 1500 else shown[:1500] + '…'
        return '%s %s%s as %s%s%s' % (
            self.method, self.path, '?' + urllib.parse.urlencode(self.query) if self.query else '', self.user,
            ' with %s' % self.headers if self.headers else '', '\n         ' + shown if shown else '')


@dataclass
class Answer:
    status: int
    headers: dict
    text: str
    body: object  # decoded JSON, or None

    @property
    def error(self):
        """The description of an error in JSON."""
        return self.body.get('description') if isinstance(self.body, dict) else None


class Peer:
    """One of the two servers."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=300)

    def send(self, request, ids=None):
        """Sends the request with the ids in it replaced by this server's own."""
        def own(text):
            return re.sub('@[0-9]+$', lambda m: ids.get(m.group(), m.group()), UUID.sub(mine, text)) if ids else text

        def mine(match):
            # an id that is the same on both sides stays as it is written
            found = ids.get(match.group().lower(), match.group())
            return match.group() if found == match.group().lower() else found

        target = urllib.parse.quote(own(request.path), safe="/%:@!$&'()*+,;=~")
        if request.query:
            target += '?' + urllib.parse.urlencode([(k, own(str(v))) for k, v in request.query])
        body = request.encoded()
        if body is not None and ids:
            body = own(body.decode('latin-1')).encode('latin-1')
        headers = {'Accept': 'application/json', 'Connection': 'close',
                   'Authorization': 'Basic ' + base64.b64encode(request.user.encode() + b':').decode()}
        if body is not None:
            headers['Content-Type'] = 'application/json'
        headers.update(request.headers)
        headers = {k: own(v) for k, v in headers.items() if v is not None}
        try:
            self.connection.request(request.method, target, body, headers)
            response = self.connection.getresponse()
            text = response.read().decode('utf-8', 'replace')
        finally:
            self.connection.close()
        got = {k.lower(): v for k, v in response.getheaders()}
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = None
        return Answer(response.status, got, text, decoded)
