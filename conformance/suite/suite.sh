#!/usr/bin/env bash
# Runs Gnocchi's own API tests, as its newest release ships them, against tsdb. Arguments go to suite.py: names of files,
# -v for what was sent and answered.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv suite conformance/suite/requirements.txt --no-deps
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/suite/bin/python conformance/suite/suite.py --tsdb bin/tsdb "$@"
