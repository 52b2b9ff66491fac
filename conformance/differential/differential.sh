#!/usr/bin/env bash
# Random requests to a real Gnocchi and to tsdb, compared. Arguments go to differential.py: --seeds, --requests, --report, -v.
# Gnocchi and what it needs are installed below .cache; PostgreSQL, as root on Debian, from its archive.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts/setup
if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	install="apt-get install -y --no-install-recommends postgresql"
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "differential: PostgreSQL is missing; on Debian: sudo $install" >&2
		exit 1
	fi
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $install
fi
. conformance/venv.sh
venv differential conformance/differential/requirements.txt
"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec .cache/differential/bin/python conformance/differential/differential.py --tsdb bin/tsdb "$@"
