#!/bin/sh
# arm64_root.sh - fetches the libraries for arm64 into a folder of their own
#
# Usage: tests/tools/arm64_root.sh DIRECTORY
# Nothing is installed: apt resolves and fetches as for a machine of that kind
# which has no package yet, and the packages are unpacked into DIRECTORY/root.
set -eu
mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/root"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/whole" ] || exit 0
: >"$dir/status"
apt() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o APT::Sandbox::User=root \
        -o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" \
        -o Dir::Cache="$dir/cache" "$@"
}
apt update
apt install -y --download-only --no-install-recommends \
    libc6-dev libgcc-12-dev linux-libc-dev libcurl4-openssl-dev \
    libmicrohttpd-dev libhiredis-dev libcunit1-dev libjansson-dev libxml2-dev
for package in "$dir"/cache/archives/*.deb; do
    dpkg -x "$package" "$dir/root"
done
: >"$dir/whole"
