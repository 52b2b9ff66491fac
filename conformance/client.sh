#!/usr/bin/env bash
# Runs the real gnocchi client against a fresh tsdb server and compares every number with an independent computation.
# Installs the client (requirements.txt) into .cache/venv; a machine that cannot install it fails here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.cache/venv
wanted=conformance/requirements.txt

if ! cmp -s "$wanted" "$venv/installed.txt"; then
	rm -rf "$venv"
	python3 -m venv "$venv"
	if ! "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"; then
		echo "conformance: cannot install gnocchiclient; this test needs a Python package index" >&2
		exit 1
	fi
	cp "$wanted" "$venv/installed.txt"
fi

"${GO:-go}" build -o bin/tsdb ./cmd/tsdb
exec "$venv/bin/python" conformance/client.py --tsdb bin/tsdb --gnocchi "$venv/bin/gnocchi"
