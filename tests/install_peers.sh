#!/bin/sh
# Install the Debian programs the tests talk to. Missing and not installable: say how, fail.
set -eu
missing=""
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
line="apt-get update && apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need Debian packages that are not installed. As root: $line" >&2
  exit 1
fi
echo "Installing test peers:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A machine that forbids starting services while installing is fine: the tests start their own.
apt-get install -y -qq --no-install-recommends $missing >/dev/null
