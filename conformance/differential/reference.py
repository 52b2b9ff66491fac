"""Serves a real Gnocchi on the loopback interface, one request at a time.

Measures are processed and deleted metrics purged before the request that brought them is answered, so that what one
request did is there for the next one, and each batch is processed by itself.
"""

import argparse
import logging
import os
import sys
import traceback
import uuid
import wsgiref.simple_server


def configured(a):
    """The configuration of a small Gnocchi: files for measures, PostgreSQL for the index."""
    # the indexer's option takes its default from here when it is imported
    os.environ['GNOCCHI_INDEXER_URL'] = a.index
    from gnocchi import opts, service
    from oslo_config import cfg
    from oslo_policy import opts as policy_opts

    conf = cfg.ConfigOpts()
    opts.set_defaults()
    policy_opts.set_defaults(conf)
    service.prepare_service([], conf=conf, default_config_files=[], logging_level=logging.CRITICAL, skip_log_opts=True)
    policy = os.path.join(a.data, 'policy.yaml')
    with open(policy, 'w') as f:
        f.write('{}\n')
    paste = os.path.join(a.data, 'paste.ini')
    import gnocchi.rest.app as app
    with open(os.path.join(os.path.dirname(app.__file__), 'api-paste.ini')) as source, open(paste, 'w') as f:
        # without the token middleware the caller is who X-User-Id, X-Project-Id and X-Roles say
        f.write(source.read().replace('keystone_authtoken gnocchiv1', 'gnocchiv1'))
    for group, name, value in [
            ('api', 'auth_mode', a.auth), ('api', 'paste_config', paste), ('api', 'max_limit', a.max_limit),
            ('oslo_policy', 'policy_file', policy), ('indexer', 'url', a.index),
            ('storage', 'driver', 'file'), ('storage', 'file_basepath', a.data)]:
        conf.set_override(name, value, group)
    return conf


class Prompt:
    """The WSGI application, with the work of Gnocchi's daemons done before it answers."""

    def __init__(self, app, chef, incoming):
        self.app, self.chef, self.incoming = app, chef, incoming

    def __call__(self, environ, start_response):
        # this server tells requests without a length nothing about their end
        environ['CONTENT_LENGTH'] = environ.get('CONTENT_LENGTH') or '0'
        path, method = environ['PATH_INFO'], environ['REQUEST_METHOD']
        head = []
        try:
            answer = b''.join(self.app(environ, lambda *args: head.append(args)))
            status, headers = head[-1][:2]
        except Exception as err:
            status, headers, answer = '500 Internal Server Error', [('X-Failure', failure(err))], b''
        try:
            self.work(path, method)
        except Exception as err:
            traceback.print_exc()
            headers = headers + [('X-Failure', failure(err))]
        start_response(status, headers)
        return [answer]

    def work(self, path, method):
        """What the daemons have to do after a request."""
        if method == 'POST' and ('measures' in path or path.endswith('/write')):
            for sack in self.incoming.iter_sacks():
                self.chef.process_new_measures_for_sack(sack, blocking=True, sync=True)
        if method in ('DELETE', 'PATCH'):
            self.chef.expunge_metrics(10000, sync=True)


def failure(err):
    """Where the original failed: the exception and the innermost of its own functions."""
    frames = [f for f in traceback.extract_tb(err.__traceback__) if '/gnocchi/' in f.filename]
    place = '%s in %s' % (frames[-1].name, frames[-1].filename.split('/gnocchi/')[-1]) if frames else 'elsewhere'
    return '%s: %s: %.200s' % (place, type(err).__name__, ' '.join(str(err).split()).encode('ascii', 'replace').decode())


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    """Keeps connections open and says nothing of requests."""

    def log_message(self, *args):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--index', required=True, help='URL of an empty PostgreSQL database')
    p.add_argument('--data', required=True, help='an empty directory')
    p.add_argument('--port', type=int, required=True)
    p.add_argument('--max-limit', type=int, default=1000)
    p.add_argument('--auth', default='basic', choices=['basic', 'keystone', 'remoteuser'])
    a = p.parse_args()
    conf = configured(a)

    from gnocchi import chef, incoming, indexer, storage
    from gnocchi.cli import metricd
    import gnocchi.rest.app as app
    coordinator = metricd.get_coordinator_and_start(str(uuid.uuid4()), conf.coordination_url)
    parts = {module: module.get_driver(conf) for module in (indexer, storage, incoming)}
    index, store, inbox = parts.values()
    index.upgrade()
    store.upgrade()
    inbox.upgrade(1)
    # An empty list of measures stops the original for good: processing it ends in an IndexError, and with it the processing of all
    # that came with it or comes later. So it is dropped here.
    keep = inbox._store_new_measures
    inbox._store_new_measures = lambda metric, data: keep(metric, data) if data else None
    # the application asks for drivers of its own; it gets these
    for module, driver in parts.items():
        module.get_driver = lambda conf, driver=driver: driver
    metricd.get_coordinator_and_start = lambda *args: coordinator

    prompt = Prompt(app.load_app(conf), chef.Chef(coordinator, inbox, index, store), inbox)
    server = wsgiref.simple_server.make_server('127.0.0.1', a.port, prompt, handler_class=Handler)
    print('serving on %d' % a.port, file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main()
