#!/bin/sh
# demo_redis.sh - messages through a queue in Redis: BUILD_DIR DIRECTORY
#
# A redis-server of its own, on the socket DIRECTORY/redis, three workers, and a
# client with a job for each of three customers. Prints what the client prints.
# Whoever calls it removes the directory.
set -eu
programs=$1/05-queue socket=$2/redis
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
for _ in 1 2 3; do
    "$programs/worker" -r "$socket" >/dev/null &
    pids="$pids $!"
done
"$programs/client" -r "$socket" send_messages Alice Bob Carol
