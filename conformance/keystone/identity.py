"""A Keystone of our own on SQLite, and the users, projects and tokens that the test needs."""

import os
import signal
import socket
import subprocess
import sys
import time

import requests

HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORD = 'secret'
LONG, SHORT = 3600, 8  # seconds that tokens live

CONFIG = """
[database]
connection = sqlite:///%(dir)s/keystone.db
[token]
expiration = %(life)d
[fernet_tokens]
key_repository = %(dir)s/fernet
[credential]
key_repository = %(dir)s/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = false
[DEFAULT]
log_file = %(dir)s/keystone.log
"""


class Keystone:
    """Set up once; stopped and started as often as needed."""

    def __init__(self, directory):
        self.directory = directory
        self.process = None
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.url = 'http://127.0.0.1:%d' % self.port
        self.env = dict(os.environ, OS_KEYSTONE_CONFIG_DIR=directory, PYTHONWARNINGS='ignore',
                        KEYSTONE_PORT=str(self.port))
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy of the machine's environment
        self.ids = {}

    def set_up(self):
        for name in 'fernet', 'credential':
            os.mkdir(os.path.join(self.directory, name), 0o700)
        self.configure(LONG)
        me = ['--keystone-user', str(os.getuid()), '--keystone-group', str(os.getgid())]
        self.manage('db_sync')
        self.manage('fernet_setup', *me)
        url = self.url + '/v3/'
        self.manage('bootstrap', '--bootstrap-password', PASSWORD, '--bootstrap-admin-url', url,
                    '--bootstrap-public-url', url, '--bootstrap-internal-url', url, '--bootstrap-region-id', 'RegionOne')

    def configure(self, life):
        with open(os.path.join(self.directory, 'keystone.conf'), 'w') as f:
            f.write(CONFIG % {'dir': self.directory, 'life': life})

    def shorten(self):
        """Makes tokens short-lived from the next start on."""
        self.configure(SHORT)

    def manage(self, *args):
        tool = os.path.join(os.path.dirname(sys.executable), 'keystone-manage')
        r = subprocess.run([tool, '--config-file', os.path.join(self.directory, 'keystone.conf'), *args], env=self.env,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if r.returncode != 0:
            raise RuntimeError('keystone-manage %s: %s' % (args[0], r.stderr[-2000:]))

    def start(self):
        log = open(os.path.join(self.directory, 'runner.log'), 'ab')
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, 'runner.py')], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None:
                raise RuntimeError('Keystone ended with code %d' % self.process.returncode)
            try:
                self.session.get(self.url + '/v3', timeout=5)
                return
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise RuntimeError('Keystone does not answer') from None
                time.sleep(0.1)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def admin(self, method, path, body=None):
        """Asks the Identity API as its administrator, who is given a token when there is none yet."""
        if 'admin token' not in self.ids:
            self.ids['admin token'] = self.token('admin', 'admin')
        r = self.session.request(method, self.url + '/v3' + path, json=body, headers={'X-Auth-Token': self.ids['admin token']}, timeout=90)
        r.raise_for_status()
        return r.json() if r.content else None

    def project(self, name):
        self.ids[name] = self.admin('POST', '/projects', {'project': {'name': name, 'domain_id': 'default'}})['project']['id']

    def role(self, name):
        """The id of a role; Keystone comes with admin, manager, member, reader and service."""
        roles = self.admin('GET', '/roles?name=' + name)['roles']
        if not roles:
            return self.admin('POST', '/roles', {'role': {'name': name}})['role']['id']
        return roles[0]['id']

    def user(self, name, project=None, *roles):
        user = self.admin('POST', '/users', {'user': {'name': name, 'password': PASSWORD, 'domain_id': 'default'}})['user']
        self.ids[name] = user['id']
        for role in roles:
            self.admin('PUT', '/projects/%s/users/%s/roles/%s' % (self.ids[project], user['id'], self.role(role)))

    def token(self, user, project=None):
        """A new token of a user, for a project or for none."""
        auth = {'identity': {'methods': ['password'],
                             'password': {'user': {'name': user, 'domain': {'id': 'default'}, 'password': PASSWORD}}},
                'scope': 'unscoped'}
        if project is not None:
            auth['scope'] = {'project': {'name': project, 'domain': {'id': 'default'}}}
        r = self.session.post(self.url + '/v3/auth/tokens', json={'auth': auth}, timeout=90)
        r.raise_for_status()
        return r.headers['X-Subject-Token']

    def revoke(self, token):
        r = self.session.delete(self.url + '/v3/auth/tokens', timeout=90,
                                headers={'X-Auth-Token': self.ids['admin token'], 'X-Subject-Token': token})
        r.raise_for_status()

    def log_tail(self):
        text = ''
        for name in 'runner.log', 'keystone.log':
            path = os.path.join(self.directory, name)
            if os.path.exists(path):
                with open(path, errors='replace') as f:
                    text += ''.join(f.readlines()[-20:])
        return text
