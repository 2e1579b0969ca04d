#!/bin/sh
# demo_redis.sh - pages by way of Redis: BUILD_DIR DIRECTORY WORKERS URL...
#
# A redis-server of its own, on the socket DIRECTORY/redis, so many workers, and
# a client with a job for each page. Prints "ready" before the client starts,
# "done" after it. Whoever calls it removes the directory.
set -eu
programs=$1/05-queue socket=$2/redis workers=$3
pids=
# shellcheck disable=SC2086 # a list of process ids
trap 'kill $pids; wait' EXIT
trap 'exit 130' INT TERM

redis-server --port 0 --unixsocket "$socket" --save "" --dir "$2" \
    --stream-node-max-entries 8 >/dev/null &
pids=$!
until redis-cli -s "$socket" ping >/dev/null 2>&1; do
    kill -0 $pids
done
shift 3
while [ "$workers" -gt 0 ]; do
    workers=$((workers - 1))
    "$programs/worker" -r "$socket" >/dev/null &
    pids="$pids $!"
done
echo ready
"$programs/client" -r "$socket" download "$@" >/dev/null
echo done
