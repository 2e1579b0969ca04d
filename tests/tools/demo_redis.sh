#!/bin/sh
# demo_redis.sh - pages by way of Redis: BUILD_DIR DIRECTORY WORKERS URL...
#
# A redis-server of its own in DIRECTORY, so many workers, and a client with a
# job for each page. Prints "ready" before the client starts, "done" after it.
# Whoever calls it removes the directory.
set -eu
programs=$1/05-queue dir=$2 workers=$3
pids=
# shellcheck disable=SC2086 # a list of process ids
trap 'kill $pids; wait' EXIT
trap 'exit 130' INT TERM

tests/run/redis.sh "$dir" >"$dir/started" &
pids=$!
until [ -s "$dir/started" ]; do
    kill -0 $pids
    sleep 0.02
done
shift 3
while [ "$workers" -gt 0 ]; do
    workers=$((workers - 1))
    "$programs/worker" -r "$dir/redis" >"$dir/workers" 2>&1 &
    pids="$pids $!"
done
echo ready
"$programs/client" -r "$dir/redis" download "$@" >/dev/null
echo done
