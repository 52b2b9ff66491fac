#!/usr/bin/env bash
# Random requests to a real Gnocchi and to tsdb, compared. Arguments go to differential.py: --seed, --requests, --report, -v.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv differential conformance/differential/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/differential/bin/python conformance/differential/differential.py --tsdb bin/tsdb "$@"
