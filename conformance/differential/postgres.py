"""A PostgreSQL server of our own in a scratch directory: the original keeps its index there."""

import glob
import os
import shutil
import socket
import subprocess
import sys


def program(name):
    """The path of one of PostgreSQL's programs; Debian keeps them out of PATH."""
    found = max(glob.glob('/usr/lib/postgresql/*/bin/' + name), default=None) or shutil.which(name)
    if not found:
        sys.exit('differential: PostgreSQL is missing; on Debian: apt-get install postgresql')
    return found


class Postgres:
    """Started by the constructor, ended by stop. It refuses to run as root, so root runs it as the user postgres."""

    def __init__(self, directory):
        self.data = os.path.join(directory, 'postgres')
        os.mkdir(self.data)
        self.user = 'postgres' if os.getuid() == 0 else None
        if self.user:
            os.chmod(directory, 0o755)
            shutil.chown(self.data, self.user)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.log = open(os.path.join(directory, 'postgres.log'), 'wb')
        self._call('initdb', '--auth=trust', '--username=gnocchi', '--encoding=UTF8', '--locale=C', '--no-sync',
                   '--pgdata', self.data)
        # its data die with the run, so nothing is synced
        self._call('pg_ctl', 'start', '--wait', '--pgdata', self.data, '--log', os.path.join(self.data, 'log'), '--options',
                   '-p %d -k %s -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off' % (self.port, self.data))
        self.url = 'postgresql://gnocchi@127.0.0.1:%d/postgres' % self.port

    def _call(self, name, *args):
        subprocess.run([program(name), *args], user=self.user, cwd='/', check=True, stdin=subprocess.DEVNULL,
                       stdout=self.log, stderr=subprocess.STDOUT)

    def stop(self):
        self._call('pg_ctl', 'stop', '--mode=immediate', '--pgdata', self.data)
        self.log.close()
