#!/usr/bin/env bash
# Runs the real clients against fresh tsdb servers: every sub-command of gnocchi, the collectd plugin, what aodh, CloudKitty
# and Grafana ask, and Ceilometer. A machine that cannot install them fails here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. conformance/venv.sh
venv client conformance/requirements.txt
venv ceilometer conformance/ceilometer/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
client=.cache/client/bin
$client/python conformance/commands.py --tsdb bin/tsdb --gnocchi $client/gnocchi
$client/python conformance/collectd_plugin.py --tsdb bin/tsdb
$client/python conformance/consumers.py --tsdb bin/tsdb
PYTHONWARNINGS=ignore .cache/ceilometer/bin/python conformance/ceilometer/publish.py --tsdb bin/tsdb
PYTHONWARNINGS=ignore .cache/ceilometer/bin/python conformance/ceilometer/counters.py --tsdb bin/tsdb
PYTHONWARNINGS=ignore .cache/ceilometer/bin/python conformance/ceilometer/doors.py --tsdb bin/tsdb
