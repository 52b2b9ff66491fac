"""Serves Keystone's API on the loopback port KEYSTONE_PORT, with OS_KEYSTONE_CONFIG_DIR set."""

import os
import socketserver
import warnings
import wsgiref.simple_server

warnings.filterwarnings('ignore')

from keystone.server import wsgi  # noqa: E402


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def address_string(self):
        return self.client_address[0]

    def log_message(self, *args):
        pass


application = wsgi.initialize_public_application()
wsgiref.simple_server.make_server('127.0.0.1', int(os.environ['KEYSTONE_PORT']), application, Server, Handler).serve_forever()
