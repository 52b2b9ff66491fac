#!/usr/bin/env bash
# Runs the real ceilometer client against a fresh tsdb server and compares every number with an independent computation.
# Installs the client (requirements.txt) into .cache; a machine that cannot install it fails here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv ceilometerclient conformance/ceilometerclient/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
PYTHONWARNINGS=ignore exec .cache/ceilometerclient/bin/python conformance/ceilometerclient/commands.py --tsdb bin/tsdb
