#!/bin/bash
# bench_queue.sh - the queue in Redis beside Redis itself: BUILD_DIR
#
# A redis-server of its own, on a socket in a temporary directory; over TCP,
# the programs' own way, only the wait for one job is measured. What is
# compared takes turns, ROUNDS times, and the medians of the ratios are shown:
# whatever else the machine does hits both. It judges nothing: a target is
# named beside each figure.
set -eu
shopt -s inherit_errexit
build=$(cd "$1" && pwd)/05-queue
ROUNDS=${ROUNDS:-5} JOBS=${JOBS:-50000}
work=$(mktemp -d)
finish() {
    # shellcheck disable=SC2046 # process ids, a word each
    kill $(jobs -p) 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

tests/run/redis.sh "$work" >"$work/ready" &
until [ -s "$work/ready" ]; do
    kill -0 $!
    sleep 0.02
done
name=$(cut -d ' ' -f 2- "$work/ready")

redis() { redis-cli -s "$work/redis" "$@" >/dev/null; }
now() { date +%s.%N; }
# rate COUNT START : a second, until now
rate() {
    awk -v n="$1" -v from="$2" -v to="$(now)" \
        'BEGIN { printf "%.1f", n / (to - from) }'
}
# per_second CLIENTS OPTION... COMMAND... : what redis-benchmark gets
per_second() {
    redis-benchmark -s "$work/redis" -n "$JOBS" --csv -c "$@" | tail -n 1 |
        awk -F'","' '{ print $2 }'
}
client() { "$build/client" -r "$work/redis" "$@" >/dev/null; }
start_workers() { # COUNT [WHERE]
    local i
    workers=
    for ((i = 0; i < $1; i++)); do
        "$build/worker" -r "${2:-$work/redis}" >"$work/out" &
        workers="$workers $!"
    done
}
stop_workers() {
    # shellcheck disable=SC2086 # process ids
    kill $workers
    # shellcheck disable=SC2086
    wait $workers
}
# own_memory : what no other process shares, of the one worker, in KiB
own_memory() { awk '/^RssAnon/ { print $2 }' "/proc/${workers# }/status"; }
# batch WORKERS : jobs a second from the client's first to its last; it adds
# all of them at once
batch() {
    local start
    redis flushall
    start_workers "$1"
    start=$(now)
    seq "$JOBS" | client nothing -
    rate "$JOBS" "$start"
    stop_workers
}
# alone : jobs a second of one worker while nobody reads the results; all are
# there before, and the client waits for a last one behind them
alone() {
    local start
    redis flushall
    redis xgroup create jobs workers 0 mkstream
    seq "$JOBS" | client -t 1 nothing - 2>"$work/out" || true
    start=$(now)
    start_workers 1
    client nothing last
    rate "$JOBS" "$start"
    stop_workers
}
# between COMMAND... : what `alone` gives, and the mean of what redis-benchmark
# gets for the command before and after it
between_pings() {
    local before rate after
    before=$(per_second 1 PING)
    rate=$(alone)
    after=$(per_second 1 PING)
    awk -v rate="$rate" -v a="$before" -v b="$after" \
        'BEGIN { print rate, (a + b) / 2 }'
}
# xadd CLIENTS AT_ONCE : the client's command, so many in a pipeline
xadd() {
    redis flushall
    per_second "$1" -P "$2" XADD bench '*' \
        id 3f9c2a71 number 12 task nothing argument 12
}
# latency SOCKET_OR_PORT WHERE : of a job, and of a PING
latency() {
    redis flushall
    start_workers 1 "$2"
    "$build/../tests/bench_latency" "$1"
    stop_workers
}
# A port that is free, for the way the programs go by themselves.
port=
until [ -n "$port" ] &&
    redis-cli -s "$work/redis" config set port "$port" | grep -q OK; do
    port=$((10000 + RANDOM % 20000))
done

# A row of two columns of $work/NAME: their medians and that of the ratio.
middle() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { # NAME WHAT TARGET
    printf '%-50s %8.4g %8.4g %5.2f  %s\n' "$2" \
        "$(awk '{ print $1 }' "$work/$1" | middle)" \
        "$(awk '{ print $2 }' "$work/$1" | middle)" \
        "$(awk '{ print $1 / $2 }' "$work/$1" | middle)" "$3"
}

for ((round = 0; round < ROUNDS; round++)); do
    between_pings >>"$work/singly"
    one=$(batch 1) xadd=$(xadd 50 1)
    echo "$one $xadd" >>"$work/default"
    echo "$(per_second 1 PING) $xadd" >>"$work/bound"
    echo "$one $(xadd 1 1)" >>"$work/single"
    echo "$one $(xadd 1 256)" >>"$work/pipelined"
    echo "$(batch 2) $one" >>"$work/two"
    latency "$port" "127.0.0.1:$port" >>"$work/tcp"
    latency "$work/redis" "$work/redis" >>"$work/socket"
done
echo "Medians of $ROUNDS rounds on $(nproc) CPUs, load" \
    "$(cut -d ' ' -f 1 /proc/loadavg); rates a second; $name"
row singly "jobs one by one, all there before; PING" ">= 0.5"
row default "jobs added at once and taken; redis-benchmark XADD" ">= 0.15"
row bound "  its bound: PING by one client; redis-benchmark XADD" ""
row single "  the same; XADD by one client instead of 50" ""
row pipelined "  the same; XADD by one client, 256 in a pipeline" ""
row two "jobs with two workers; with one" ">= 0.9"
row tcp "us from adding to result; us of a PING; over TCP" "<= 5"
row socket "  the same over a socket" "<= 5"
redis flushall
start_workers 1
seq $((JOBS / 10)) | client nothing -
few=$(own_memory)
seq "$JOBS" | client nothing -
echo "$(own_memory) $few" >"$work/memory"
row memory "KiB of a worker's own after all jobs; after a tenth" "< 4096, flat"
stop_workers
