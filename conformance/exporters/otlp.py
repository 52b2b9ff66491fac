"""OpenTelemetry's own SDK and exporter against tsdb: every kind of instrument, both temporalities, read back through Ceilometer's API."""

import argparse
import base64
import json
import logging
import pathlib
import sys
import tempfile
import urllib.request

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics import export, view
from opentelemetry.sdk.resources import Resource

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402


class Errors(logging.Handler):
    """The exporter only logs what fails; this keeps it."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


def free_port():
    return harness.Server('', '').port


class Run:
    def __init__(self, tsdb, scratch, check):
        self.ceilometer, self.otlp, self.check, self.errors = free_port(), free_port(), check, Errors()
        self.server = harness.Server(tsdb, scratch, ['--ceilometer-listen', '127.0.0.1:%d' % self.ceilometer, '--otlp-listen', '127.0.0.1:%d' % self.otlp])
        logging.getLogger('opentelemetry').addHandler(self.errors)

    def samples(self, meter):
        """What is stored of a meter, the oldest first: value, type, unit, resource, metadata."""
        request = urllib.request.Request('http://127.0.0.1:%d/v2/meters/%s?limit=1000' % (self.ceilometer, meter), headers={
            'Authorization': 'Basic ' + base64.b64encode(b'admin:').decode()})
        with urllib.request.urlopen(request, timeout=30) as answer:
            got = json.load(answer)
        got.sort(key=lambda s: (s['timestamp'], s['counter_volume']))
        return [(s['counter_volume'], s['counter_type'], s['counter_unit'], s['resource_id'], s['resource_metadata'].get('route')) for s in got]

    def export(self, host, temporality, compression):
        exporter = OTLPMetricExporter('http://127.0.0.1:%d/v1/metrics' % self.otlp, compression=compression, preferred_temporality={
            kind: temporality for kind in (sdk.Counter, sdk.Histogram)})
        reader = export.PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        provider = sdk.MeterProvider([reader], Resource({'host.name': host, 'service.name': 'shop', 'service.version': '1.2'}), views=[
            view.View(instrument_name='size', aggregation=view.ExponentialBucketHistogramAggregation())])
        meter = provider.get_meter('conformance')
        requests, open_, latency = meter.create_counter('requests', '1'), meter.create_up_down_counter('open', '{conn}'), meter.create_histogram('latency', 's')
        load, size = meter.create_gauge('load', '1'), meter.create_histogram('size', 'By')
        for step in (1, 2):
            requests.add(3 * step, {'route': '/a'})
            requests.add(1, {'route': '/b'})
            open_.add(5 - 2 * step)
            load.set(0.25 * step, {'route': '/a'})
            for v in (0.5, 1.5, step):
                latency.record(v)
                size.record(1000 * v)
            self.check.equal('an export', provider.force_flush(), True)
        provider.shutdown()

    def go(self):
        self.server.start()
        cumulative, delta = export.AggregationTemporality.CUMULATIVE, export.AggregationTemporality.DELTA
        self.export('sum-host', cumulative, Compression.NoCompression)
        self.check.equal('what was logged', self.errors.found, [])
        # at its end the provider exports once more; what it says then is what it said last
        end = [(9.0, '/a'), (2.0, '/b')]
        self.check.equal('a counter', sorted({(v, r) for v, *_, r in self.samples('requests')}), sorted([(3.0, '/a'), (1.0, '/b')] + end))
        self.check.equal('its kind', {s[1:4] for s in self.samples('requests')}, {('cumulative', '1', 'sum-host')})
        self.check.equal('an up-down counter', {s[:4] for s in self.samples('open')}, {(3.0, 'gauge', '{conn}', 'sum-host'), (4.0, 'gauge', '{conn}', 'sum-host')})
        self.check.equal('a gauge', {s for s in self.samples('load')}, {(0.25, 'gauge', '1', 'sum-host', '/a'), (0.5, 'gauge', '1', 'sum-host', '/a')})
        for meter, unit, sums in (('latency', 's', (3.0, 7.0)), ('size', 'By', (3000.0, 7000.0))):
            self.check.equal('counts of ' + meter, {s[:3] for s in self.samples(meter + '_count')}, {(3.0, 'cumulative', '1'), (6.0, 'cumulative', '1')})
            self.check.equal('sums of ' + meter, {s[:3] for s in self.samples(meter + '_sum')}, {(v, 'cumulative', unit) for v in sums})
        self.export('delta-host', delta, Compression.Gzip)
        self.check.equal('what was logged', self.errors.found, [])
        got = [s for s in self.samples('requests') if s[3] == 'delta-host']
        self.check.equal('a counter of differences', sorted((s[0], s[1], s[4]) for s in got),
                         [(1.0, 'delta', '/b'), (1.0, 'delta', '/b'), (3.0, 'delta', '/a'), (6.0, 'delta', '/a')])
        self.check.equal('counts', [s[:2] for s in self.samples('latency_count') if s[3] == 'delta-host'], [(3.0, 'delta')] * 2)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--tsdb', required=True, help='the command')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix='tsdb-otlp-') as scratch:
        run = Run(a.tsdb, scratch, harness.Checker())
        try:
            run.go()
        except Exception:
            print(run.server.log_tail(), file=sys.stderr)
            raise
        finally:
            run.server.kill()
    print('otlp: %d facts compared, no difference' % run.check.facts)


if __name__ == '__main__':
    try:
        main()
    except harness.Difference as e:
        sys.exit('otlp: %s' % e)
