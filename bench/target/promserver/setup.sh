#!/bin/sh
# Unpacks the server out of Debian's package into .work, in the current directory.
exec go run "$(dirname "$0")/../../cmd/debian" promserver
