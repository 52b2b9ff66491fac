"""A real Prometheus writes what it scrapes of itself to tsdb; what it has and what tsdb has are compared."""

import argparse
import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

CONFIG = '''
global: {scrape_interval: 1s}
scrape_configs:
- job_name: self
  static_configs: [{targets: ['127.0.0.1:%(prometheus)d']}]
remote_write:
- url: http://127.0.0.1:%(tsdb)d/v1/prometheus/write
  basic_auth: {username: admin, password: x}
  queue_config: {batch_send_deadline: 500ms}
%(message)s'''
METRICS = ['up', 'scrape_samples_scraped', 'process_open_fds', 'go_goroutines', 'process_start_time_seconds']  # that have no other labels


class Run:
    def __init__(self, tsdb, prometheus, scratch, check):
        self.server, self.port, self.check = harness.Server(tsdb, scratch, ['--ceilometer-listen', '']), harness.Server('', '').port, check
        self.prometheus, self.scratch, self.process = prometheus, scratch, None

    def fetch(self, port, path, user=None):
        headers = {'Authorization': 'Basic ' + base64.b64encode((user + ':').encode()).decode()} if user else {}
        with urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:%d%s' % (port, path), headers=headers), timeout=30) as answer:
            return answer.read().decode()

    def start(self, message):
        self.server.start()
        config = os.path.join(self.scratch, 'prometheus.yml')
        with open(config, 'w') as f:
            f.write(CONFIG % {'prometheus': self.port, 'tsdb': self.server.port, 'message': message})
        self.log = open(os.path.join(self.scratch, 'prometheus.log'), 'wb')
        self.process = subprocess.Popen([self.prometheus, '--config.file', config, '--storage.tsdb.path', os.path.join(self.scratch, 'prometheus'),
                                         '--web.listen-address', '127.0.0.1:%d' % self.port], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)  # it sends what it has before it ends
            self.process.wait(60)
            self.process = None

    def have(self):
        """The samples that Prometheus has, by metric."""
        out = {}
        for metric in METRICS:
            answer = json.loads(self.fetch(self.port, '/api/v1/query?query=' + urllib.parse.quote(metric + '{job="self"}[10m]')))
            result = answer['data']['result']
            out[metric] = [(t, float(v)) for t, v in result[0]['values']] if result else []
        return out

    def go(self):
        deadline = time.monotonic() + 60
        while True:
            time.sleep(0.5)
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise harness.Difference('Prometheus does not scrape')
            try:
                have = self.have()
            except OSError:
                continue
            if all(len(v) >= 6 for v in have.values()):
                break
        while float(re.search(r'^prometheus_remote_storage_samples_pending\{.*\} (\S+)$', self.fetch(self.port, '/metrics'), re.M).group(1)) > 0:
            time.sleep(0.1)
        self.stop()
        resource = json.loads(self.fetch(self.server.port, '/v1/resource/prometheus', 'admin'))
        self.check.equal('resources', [(r['job'], r['instance']) for r in resource], [('self', '127.0.0.1:%d' % self.port)])
        for metric, samples in have.items():
            points = self.points(resource[0], metric, 'count')
            if sum(points) < len(samples):
                raise harness.Difference('%s: Prometheus had %d samples, %d were stored' % (metric, len(samples), sum(points)))
            if metric in ('up', 'process_start_time_seconds'):  # the others go on changing
                for method in ('min', 'max'):  # a mean of equal numbers need not be that number
                    self.check.equal('%s of %s' % (method, metric), set(self.points(resource[0], metric, method)), {samples[0][1]})
            self.check.facts += 1

    def points(self, resource, metric, method):
        path = '/v1/metric/%s/measures?aggregation=%s&granularity=300' % (resource['metrics'][metric], method)
        return [v for _, _, v in json.loads(self.fetch(self.server.port, path, 'admin'))]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the command')
    p.add_argument('--prometheus', required=True, help='the command')
    a = p.parse_args()
    check = harness.Checker()
    help_ = subprocess.run([a.prometheus, '--version'], capture_output=True, text=True, check=True)
    version = tuple(map(int, re.search(r'version (\d+)\.(\d+)', help_.stdout + help_.stderr).groups()))
    messages = [''] + (['  protobuf_message: io.prometheus.write.v2.Request\n'] if version >= (3, 0) else [])
    for message in messages:
        with tempfile.TemporaryDirectory(prefix='tsdb-remote-write-') as scratch:
            run = Run(a.tsdb, a.prometheus, scratch, check)
            try:
                run.start(message)
                run.go()
            except Exception:
                print(run.server.log_tail(), file=sys.stderr)
                raise
            finally:
                if run.process:
                    run.process.kill()
                    run.process.wait()
                run.server.kill()
    print('remote write: Prometheus %d.%d, %d facts compared, no difference' % (*version, check.facts))


if __name__ == '__main__':
    try:
        main()
    except harness.Difference as e:
        sys.exit('remote write: %s' % e)
