"""Who may do what, with tokens of a real Keystone: every endpoint is asked by everybody."""

import argparse
import os
import re
import sys
import tempfile
import threading
import time

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import harness  # noqa: E402
import identity  # noqa: E402
import table  # noqa: E402

# Name, project and roles of those who ask. Resources of the test are created by ada, for the project beta.
PEOPLE = {
    'ada': ('alpha', 'member'),    # creates things
    'amy': ('alpha', 'member'),    # of the same project
    'bob': ('beta', 'member'),     # of the project that owns the things
    'cat': ('gamma', 'member'),    # has nothing to do with them
    'svc': ('service', 'service'),
    'root': ('alpha', 'admin'),
    'dan': (None,),                # a token for no project
}


class Run:
    def __init__(self, keystone, server, check, rows):
        self.keystone, self.server, self.check = keystone, server, check
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens = {}
        self.rows = rows

    def people(self):
        k = self.keystone
        for project in 'alpha', 'beta', 'gamma', 'service':
            k.project(project)
        k.user('gnocchi', 'service', 'service')
        for name, (project, *roles) in PEOPLE.items():
            k.user(name, project, *roles)
            self.tokens[name] = k.token(name, project)
        self.tokens['forged'] = 'gAAAAABforgedforgedforged'

    def ask(self, who, method, path, body=None, token=None, timeout=60, content_type='application/json'):
        headers = {'Accept': 'application/json'}
        token = token or self.tokens.get(who)
        if token:
            headers['X-Auth-Token'] = token
        kwargs = {}
        if isinstance(body, (bytes, str)):
            kwargs['data'] = body
        elif body is not None:
            kwargs['json'] = body
        if body is not None:
            headers['Content-Type'] = content_type
        return self.session.request(method, self.server.endpoint + path, headers=headers, timeout=timeout, **kwargs)

    def must(self, who, status, method, path, body=None, **kwargs):
        r = self.ask(who, method, path, body, **kwargs)
        self.check.equal('%s: %s %s (%s)' % (who, method, path, r.text[:300]), r.status_code, status)
        return r

    # -- who may do what --------------------------------------------------

    def everybody(self):
        """Asks each row of the table as everybody, about fresh things if that may change them."""
        t = table.Table(self)
        t.set_up()
        for row in t.rows():
            if not re.search(self.rows, '%s %s' % (row.method, row.path)):
                continue
            for who in [*PEOPLE, 'forged', 'nobody']:
                t.ask(row, who)
        if re.search(self.rows, 'lists'):
            t.lists()

    # -- tokens that come to an end ---------------------------------------

    def revoked(self):
        """A revoked token goes on for the time of the cache, and not longer."""
        token = self.keystone.token('ada', 'alpha')
        self.must('ada, new token', 200, 'GET', '/v1/capabilities', token=token)
        self.keystone.revoke(token)
        deadline = time.monotonic() + 30
        while self.ask('ada, revoked token', 'GET', '/v1/capabilities', token=token).status_code == 200:
            if time.monotonic() > deadline:
                raise harness.Difference('a revoked token goes on')
            time.sleep(0.2)
        self.must('ada', 200, 'GET', '/v1/capabilities')

    def expired(self):
        """A token ends when its time has come, although the cache would keep it. Keystone gives out short ones by now."""
        k = self.keystone
        for _ in range(3):  # in case it takes longer to ask than the token lives
            token = k.token('ada', 'alpha')
            ends = time.monotonic() + identity.SHORT + 1
            r = self.ask('ada, short token', 'GET', '/v1/capabilities', token=token)
            if r.status_code == 200:
                break
        self.check.equal('ada, short token', r.status_code, 200)
        while time.monotonic() < ends:
            time.sleep(0.1)
        self.must('ada, expired token', 401, 'GET', '/v1/capabilities', token=token)
        # the service's own token has ended too, and is renewed without anybody's noticing
        self.must('amy, long token', 200, 'GET', '/v1/capabilities', token=self.tokens['amy'])

    def down(self):
        """While Keystone is down, known tokens go on and others are asked to come again."""
        known, unknown = self.keystone.token('ada', 'alpha'), self.keystone.token('amy', 'alpha')
        self.must('ada', 200, 'GET', '/v1/capabilities', token=known)
        self.must('forged', 401, 'GET', '/v1/capabilities')
        self.keystone.stop()
        for _ in range(5):
            self.must('ada, Keystone is down', 200, 'GET', '/v1/capabilities', token=known)
            self.must('forged, Keystone is down', 401, 'GET', '/v1/capabilities')
            r = self.must('amy, Keystone is down', 503, 'GET', '/v1/capabilities', token=unknown)
            self.check.equal('Retry-After is told', int(r.headers['Retry-After']) > 0, True)
            self.must('nobody, Keystone is down', 200, 'GET', '/')
            self.must('nobody, Keystone is down', 200, 'GET', '/healthcheck')
        self.keystone.shorten()
        self.keystone.start()
        deadline = time.monotonic() + 60
        while self.ask('amy', 'GET', '/v1/capabilities', token=unknown).status_code != 200:
            if time.monotonic() > deadline:
                raise harness.Difference('Keystone is back, and tokens are not taken')
            time.sleep(0.2)

    def together(self):
        """Many requests with one new token at once."""
        token = self.keystone.token('ada', 'alpha')
        answers = []

        def one():
            with requests.Session() as s:
                s.trust_env = False
                r = s.get(self.server.endpoint + '/v1/capabilities', headers={'X-Auth-Token': token}, timeout=60)
                answers.append(r.status_code)

        threads = [threading.Thread(target=one) for _ in range(32)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.check.equal('32 at once with a new token', answers, [200] * 32)


def flags(keystone, *more):
    return ['--auth', 'keystone', '--keystone-url', keystone.url, '--keystone-username', 'gnocchi',
            '--keystone-password-file', os.path.join(keystone.directory, 'password'),
            '--keystone-timeout', '60s', *more]  # on a busy machine it may take its time


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True)
    p.add_argument('--rows', default='', help='only the rows whose METHOD PATH this regular expression fits; lists: what lists show')
    a = p.parse_args()
    begin = time.monotonic()
    check = harness.Checker()
    with tempfile.TemporaryDirectory(prefix='tsdb-keystone-') as scratch:
        directory = os.path.join(scratch, 'keystone')
        os.mkdir(directory)
        os.mkdir(os.path.join(scratch, 'tsdb'))
        keystone = identity.Keystone(directory)
        with open(os.path.join(directory, 'password'), 'w') as f:
            f.write(identity.PASSWORD + '\n')
        server = harness.Server(a.tsdb, os.path.join(scratch, 'tsdb'), flags(keystone))
        run = Run(keystone, server, check, a.rows)
        try:
            keystone.set_up()
            keystone.start()
            run.people()
            server.start()
            run.everybody()
            run.together()
            server.stop()
            server.flags = flags(keystone, '--keystone-cache', '1s', '--keystone-cache-negative', '1s')
            server.start()
            run.revoked()
            server.stop()
            server.flags = flags(keystone, '--keystone-cache-negative', '60s')
            server.start()
            run.down()
            server.stop()
            server.start()
            run.expired()
            check.equal('tsdb serve ends with', server.stop(), 0)
        except (harness.Difference, RuntimeError, requests.RequestException) as e:
            print('keystone: %s: %s\n%s\n%s' % (type(e).__name__, e, server.process and server.log_tail(), keystone.log_tail()), file=sys.stderr)
            return 1
        finally:
            server.kill()
            keystone.stop()
    print('keystone: %d facts in %.0f s: every endpoint asked as everybody' % (check.facts, time.monotonic() - begin))
    return 0


if __name__ == '__main__':
    sys.exit(main())
