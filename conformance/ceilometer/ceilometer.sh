#!/usr/bin/env bash
# Lets the real Ceilometer make its resource types and policies in tsdb and publish to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv ceilometer conformance/ceilometer/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/ceilometer/bin/python conformance/ceilometer/publish.py --tsdb bin/tsdb
