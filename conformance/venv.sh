# Sourced by the scripts of this folder. Keeps one Python environment for each list of requirements.

# venv NAME REQUIREMENTS [PIP OPTIONS...]: makes .cache/NAME hold what the file lists, and fails where it cannot be installed.
venv() {
	local dir=.cache/$1 wanted=$2
	shift 2
	cmp -s "$wanted" "$dir/installed.txt" && return
	rm -rf "$dir"
	python3 -m venv "$dir"
	if ! "$dir/bin/pip" install --quiet --disable-pip-version-check "$@" -r "$wanted"; then
		echo "conformance: cannot install what $wanted lists; this test needs a Python package index" >&2
		exit 1
	fi
	cp "$wanted" "$dir/installed.txt"
}
