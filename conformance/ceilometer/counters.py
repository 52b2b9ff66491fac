"""README.md's recipe for CPU utilisation, as it stands there, on what Ceilometer's publisher sends of two instances.

An agent is restarted, two agents poll one instance, samples come late and twice, an instance is started again: the percentages are those
of the CPU time that was used.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error

from ceilometer import sample

import publish
from publish import INSTANCE, SECOND

README = pathlib.Path(__file__).resolve().parents[2] / 'README.md'
HEADING = "## CPU utilisation from Ceilometer's counters\n"


def recipe():
    """The two commands and the request."""
    section = README.read_text().split(HEADING)[1].split('\n## ')[0]
    commands = [shlex.split(line[2:]) for line in section.splitlines() if line.startswith('$ gnocchi')]
    path, body = re.search(r'^POST (\S+)\n(\{.*?\})\n```', section, re.S | re.M).groups()
    return commands, path, json.loads(body)


class Run(publish.Run):

    def command(self, args):
        env = dict(os.environ, OS_AUTH_TYPE='gnocchi-basic', GNOCCHI_USER='admin', GNOCCHI_ENDPOINT=self.endpoint, PYTHONWARNINGS='ignore')
        tool = os.path.join(os.path.dirname(sys.executable), args[0])
        r = subprocess.run([tool, *args[1:], '-f', 'json'], env=env, capture_output=True, text=True, timeout=120)
        if r.returncode:
            raise publish.harness.Difference('%s: code %d\n%s' % (' '.join(args), r.returncode, r.stderr[-3000:]))
        return json.loads(r.stdout)

    def policy(self):
        (create, self.ask), self.path, self.body = recipe()
        made = self.command(create)
        self.equal('the policy', sorted(made['aggregation_methods']), ['counter:increase', 'counter:rate', 'mean', 'rate:mean'])

    def polled(self, instance, minute, used, cpus):
        """What an agent reads: CPU seconds used since the instance was started."""
        return [self.sample('cpu', instance, int(used * 1e9), minute, 'ns', sample.TYPE_CUMULATIVE, display_name=instance[-4:], flavor={'id': 'f', 'name': 'f'}),
                self.sample('vcpus', instance, cpus, minute, 'vcpu', display_name=instance[-4:], flavor={'id': 'f', 'name': 'f'})]

    def samples(self):
        send = self.publisher.publish_samples
        # Four CPUs: half of them, then nothing read for 15 minutes at a quarter, then all, then it is started again: a tenth
        send(self.polled(INSTANCE, 1, 5000, 4))
        send(self.polled(INSTANCE, 6, 5600, 4))
        send(self.polled(INSTANCE, 21, 6500, 4))
        send(self.polled(INSTANCE, 26, 7700, 4))
        send(self.polled(INSTANCE, 31, 120, 4))
        # One CPU at 80 %, read by two agents, of which one is late and says everything twice
        for minute in (1, 6, 11):
            send(self.polled(SECOND, minute, 240 + 48 * minute, 1))
        for minute in (8.5, 3.5, 3.5, 8.5):
            send(self.polled(SECOND, minute, 240 + 48 * minute, 1))
        self.quiet('publishing')
        self.equal('methods that Ceilometer found', sorted(self.get('/v1/archive_policy/ceilometer-low-rate')['aggregation_methods']), [
            'counter:increase', 'counter:rate', 'mean', 'rate:mean'])

    def utilisation(self):
        want = {INSTANCE: {5: 50.0, 20: 25.0, 25: 100.0, 30: 10.0}, SECOND: {0: 80.0, 5: 80.0, 10: 80.0}}
        got = self.get(self.path, 'POST', self.body)
        self.equal('instances', sorted(g['group']['original_resource_id'] for g in got), sorted(want))
        for g in got:
            instance = g['group']['original_resource_id']
            self.equal('utilisation of ' + instance, g['measures']['measures']['aggregated'], [
                ['2024-05-01T12:%02d:00+00:00' % minute, 300.0, percent] for minute, percent in want[instance].items()])
        rows = self.command(self.ask)
        self.equal('rows of the client', sorted((r['timestamp'], r['value']) for r in rows), sorted(
            ('2024-05-01T12:%02d:00+00:00' % minute, percent) for points in want.values() for minute, percent in points.items()))

    def capabilities(self):
        """What aodh checks an alarm's method against."""
        self.equal('capabilities', self.get('/v1/capabilities')['aggregation_methods'][-2:], ['counter:increase', 'counter:rate'])

    def rates(self):
        """What the mean of the differences says of the same, to show why: nothing of the 15 minutes, and less than nothing of the restart."""
        self.equal('rate:mean', [v for _, _, v in self.points('instance', INSTANCE, 'cpu', 'rate:mean')], [6e11, 1.2e12, -7.58e12])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the server command')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix='tsdb-counters-') as scratch:
        server = publish.harness.Server(a.tsdb, scratch)
        try:
            server.start()
            run = Run(server.endpoint, scratch)
            for step in (run.policy, run.upgrade, run.start, run.samples, run.utilisation, run.capabilities, run.rates):
                step()
        except (publish.harness.Difference, urllib.error.HTTPError) as err:
            print('counters: FAILED: %s%s' % (err, '\n' + server.log_tail()), file=sys.stderr)
            return 1
        finally:
            server.kill()
    print('counters: %d facts compared, no difference' % run.check.facts)
    return 0


if __name__ == '__main__':
    sys.exit(main())
