#!/usr/bin/env bash
# What others than OpenStack export: OpenTelemetry's SDK writes OTLP, a real Prometheus its remote write. Prometheus is the one on the
# PATH, or else Debian's package, unpacked below .cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv exporters conformance/exporters/requirements.txt
prometheus=$(command -v prometheus || echo .cache/prometheus/usr/bin/prometheus)
if [ ! -x "$prometheus" ]; then
	if ! command -v apt-get >/dev/null; then
		echo "conformance: this test needs Prometheus on the PATH, or Debian to take it from" >&2
		exit 1
	fi
	rm -rf .cache/prometheus
	mkdir -p .cache/prometheus
	(cd .cache/prometheus && (apt-get download -qq prometheus || (apt-get update -qq && apt-get download -qq prometheus)) 2>/dev/null && dpkg -x prometheus_*.deb . && rm prometheus_*.deb)
fi
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
.cache/exporters/bin/python conformance/exporters/otlp.py --tsdb bin/tsdb
python3 conformance/exporters/remote_write.py --tsdb bin/tsdb --prometheus "$prometheus"
