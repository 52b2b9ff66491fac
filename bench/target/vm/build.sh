#!/bin/sh
# build.sh OUTPUT [install]: builds the VictoriaMetrics adapter against Debian's packages of the library, whose module
# is not to be had everywhere. GOPATH mode, hence the tree of links below OUTPUT.gopath. "install" fetches the packages first
# (needs root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
package=golang-github-victoriametrics-victoriametrics-dev
if [ "${2:-}" = install ] && ! dpkg -L $package >/dev/null 2>&1; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "the package $package is missing; as root: $0 OUTPUT install" >&2
		exit 1
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $package golang-github-victoriametrics-metrics-dev \
		golang-github-victoriametrics-metricsql-dev golang-github-victoriametrics-fastcache-dev \
		golang-github-valyala-gozstd-dev libzstd-dev gcc libc6-dev
fi
storage=$(dpkg -L $package 2>/dev/null | grep '/VictoriaMetrics/lib/storage$') || {
	echo "$package is not installed: $0 OUTPUT install" >&2
	exit 1
}
gopath=$out.gopath
root=$gopath/src/github.com/telemetrydb/tsdb
mkdir -p "$root"
ln -sfn "$here/../.." "$root/bench"
cd "$root/bench/target/vm"
GO111MODULE=off GOFLAGS='' CGO_ENABLED=1 CGO_CFLAGS=-w GOPATH="$gopath:${storage%/src/github.com/*}" \
	go build -tags victoriametrics -o "$out" .
