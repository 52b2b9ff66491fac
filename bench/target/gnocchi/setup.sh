#!/usr/bin/env bash
# Makes sure that what the Gnocchi adapter starts is there: Debian's Gnocchi, uwsgi, PostgreSQL and Redis. As root on Debian it installs
# what is missing, without letting the packages start their services; otherwise it says what to install.
set -euo pipefail

# The modules come without Debian's gnocchi-api and gnocchi-metricd, which are nothing but services around them.
packages=()
/usr/bin/python3 -c 'import gnocchi.cli.metricd' >/dev/null 2>&1 || packages+=(python3-gnocchi)
/usr/bin/python3 -c 'import psycopg2' 2>/dev/null || packages+=(python3-psycopg2)
/usr/bin/python3 -c 'import redis' 2>/dev/null || packages+=(python3-redis)
command -v uwsgi_python3 >/dev/null || packages+=(uwsgi-core uwsgi-plugin-python3)
command -v redis-server >/dev/null || packages+=(redis-server)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
[ ${#packages[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${packages[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing ${packages[*]}; on Debian: sudo $install" >&2
	exit 1
fi

# Debian's packages ask policy-rc.d before they start a service; 101 means no. One that is there already stays as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
echo "setup: $install" >&2
apt-get -o DPkg::Lock::Timeout=600 update -qq
apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${packages[@]}" >&2
# Nor at the next boot, where that would be for our sake.
for service in redis-server postgresql; do
	if [[ " ${packages[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
		systemctl disable --quiet "$service" >&2 || true
	fi
done
