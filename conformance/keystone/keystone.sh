#!/usr/bin/env bash
# Runs tsdb beside a real Keystone and asks every endpoint with everybody's tokens. Installs Keystone (requirements.txt) into
# .cache; a machine that cannot install it fails here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. conformance/venv.sh
venv keystone conformance/keystone/requirements.txt --no-deps
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/keystone/bin/python conformance/keystone/access.py --tsdb bin/tsdb "$@"
