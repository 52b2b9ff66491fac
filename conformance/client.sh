#!/usr/bin/env bash
# Runs the real gnocchi client against a fresh tsdb server and compares every number with an independent computation.
# Installs the client (requirements.txt) into .cache; a machine that cannot install it fails here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. conformance/venv.sh
venv client conformance/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/client/bin/python conformance/client.py --tsdb bin/tsdb --gnocchi .cache/client/bin/gnocchi
