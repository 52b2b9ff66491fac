"""Plain requests, and how the scripts that make them report."""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import harness


class Api:
    """The API as one user sees it. Bodies are JSON."""

    def __init__(self, endpoint, user='admin'):
        self.endpoint = endpoint
        self.headers = {'Authorization': 'Basic ' + base64.b64encode(user.encode() + b':').decode(), 'Accept': 'application/json'}

    def ask(self, method, path, body=None, query=(), headers=None):
        """Sends a request; returns status, headers and the decoded body, of refusals too."""
        url = self.endpoint + urllib.parse.quote(path, safe='/?&=@:') + ('?' + urllib.parse.urlencode(query) if query else '')
        request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers=dict(self.headers, **{'Content-Type': 'application/json'}, **(headers or {})))
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as err:
            answer = err
        with answer:
            text = answer.read()
            return answer.status, answer.headers, json.loads(text) if text else None

    def send(self, method, path, body=None, query=()):
        """Sends a request that must succeed and returns the answer's body."""
        status, _, got = self.ask(method, path, body, query)
        if status >= 300:
            raise harness.Difference('%s %s: status %d: %r' % (method, path, status, got))
        return got

    def get(self, path, query=()):
        return self.send('GET', path, None, query)


def judge(name, args, scratch, run, check, flags=()):
    """Runs against args.endpoint or a server of our own, says how it went, and returns the exit code."""
    server = None if args.endpoint else harness.Server(args.tsdb, scratch, flags)
    try:
        if server:
            server.start()
        run(args.endpoint or server.endpoint)
    except harness.Difference as err:
        print('%s: FAILED: %s%s' % (name, err, '\n' + server.log_tail() if server else ''), file=sys.stderr)
        return 1
    finally:
        if server:
            server.kill()
    print('%s: %d facts compared, no difference' % (name, check.facts))
    return 0
