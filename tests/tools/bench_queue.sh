#!/bin/bash
# bench_queue.sh - the queue in Redis beside Redis itself: BUILD_DIR
#
# A redis-server of its own, on a socket in a temporary directory. What is
# compared takes turns, ROUNDS times, and the medians of the ratios are shown:
# whatever else the machine does hits both. It judges nothing: a target is
# named beside each figure. A bound is what Redis itself leaves, whoever asks.
set -eu
shopt -s inherit_errexit
build=$(cd "$1" && pwd)/05-queue
ROUNDS=${ROUNDS:-5}
BATCH=${BATCH:-300000} SINGLE=${SINGLE:-20000}
work=$(mktemp -d)
server=
finish() {
    # shellcheck disable=SC2046 # process ids, a word each
    kill $(jobs -p) 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# As 05-queue/README.md says; SERVER_OPTIONS='' measures Redis as it comes.
SERVER_OPTIONS=${SERVER_OPTIONS-"--stream-node-max-entries 8"}
# shellcheck disable=SC2086 # a list of options
redis-server --port 0 --unixsocket "$work/redis" --save "" \
    --dir "$work" $SERVER_OPTIONS >"$work/log" &
server=$!
until redis-cli -s "$work/redis" ping 2>/dev/null | grep -q PONG; do
    kill -0 "$server"
done

redis() { redis-cli -s "$work/redis" "$@" >/dev/null; }
now() { date +%s.%N; }
rate() {
    awk -v n="$1" -v from="$2" -v to="$3" \
        'BEGIN { printf "%.1f", n / (to - from) }'
} # COUNT START END
# per_second COMMAND... : what redis-benchmark gets with one connection
per_second() {
    redis-benchmark -s "$work/redis" -c 1 --csv "$@" | tail -n 1 |
        awk -F'","' '{ print $2 }'
}
client() { "$build/client" -r "$work/redis" "$@" >/dev/null; }
workers=
start_workers() { # COUNT OPTION... : in the background
    local count=$1 i
    shift
    workers=
    for ((i = 0; i < count; i++)); do
        "$build/worker" -r "$work/redis" "$@" &
        workers="$workers $!"
    done
}
stop_workers() {
    # shellcheck disable=SC2086 # process ids
    kill $workers
    # shellcheck disable=SC2086
    wait $workers
}
# BLOCK commands in a pipeline of redis-benchmark; client.c adds as many jobs at
# once. BUNDLE jobs in an entry; a worker with IN_HAND entries works on one half
# while the other is stored and the next is handed out.
BLOCK=256 BUNDLE=16 IN_HAND=64
# cpu_us : what the server has used so far
cpu_us() {
    redis-cli -s "$work/redis" info cpu | tr -d '\r' |
        awk -F: '/^used_cpu_(user|sys):/ { us += $2 * 1e6 } END { print us }'
}
per_job() { # START_US COUNT
    awk -v n="$2" -v from="$1" -v to="$(cpu_us)" \
        'BEGIN { printf "%.3f", (to - from) / n }'
}
# batch WORKERS BUNDLE IN_HAND [JOBS] : jobs a second from the client's first to
# its last
batch() {
    local start used jobs=${4:-$BATCH}
    redis flushall
    start_workers "$1" -b "$3"
    used=$(cpu_us)
    start=$(now)
    seq "$jobs" | client -b "$2" nothing -
    rate "$jobs" "$start" "$(now)"
    per_job "$used" "$jobs" >"$work/used"
    stop_workers
}
# add_and_read : the least there is to do for a queue, which is to add entries
# and to hand them out. To hand one out costs Redis 7.0 as much as to add it: it
# makes an XCLAIM of each, for replicas and the append-only file, though there
# are none. So with an entry a job no queue gets half of XADD, and short
# jobs are bundled. Sets xadd (a second), add and both (us of the server).
add_and_read() {
    redis flushall
    redis xgroup create bench workers 0 mkstream
    used=$(cpu_us)
    xadd=$(per_second -n "$BATCH" -P "$BLOCK" XADD bench '*' \
        id 3f9c2a71.12 task nothing argument 12)
    add=$(per_job "$used" "$BATCH")
    per_second -n $((BATCH / BLOCK)) XREADGROUP GROUP workers me \
        COUNT "$BLOCK" STREAMS bench '>' >"$work/unused"
    both=$(per_job "$used" "$BATCH")
}
# between_pings COMMAND... : what it prints, a rate, and the mean of PING's rate
# before and after it
between_pings() {
    local before rate after
    before=$(per_second -n "$SINGLE" PING)
    rate=$("$@")
    after=$(per_second -n "$SINGLE" PING)
    awk -v rate="$rate" -v a="$before" -v b="$after" \
        'BEGIN { print rate, (a + b) / 2 }'
}
# alone : jobs a second of one worker with one in hand; all are there before
alone() {
    local start count
    count=$(redis-cli -s "$work/redis" xlen jobs)
    start=$(now)
    "$build/worker" -r "$work/redis" -n "$count"
    rate "$count" "$start" "$(now)"
}
take() {
    per_second -n "$SINGLE" XREADGROUP GROUP workers me COUNT 1 STREAMS jobs '>'
}
# fill : adds the jobs; nobody works, so the client gives up
fill() {
    redis flushall
    redis xgroup create jobs workers 0 mkstream
    client -t 1 nothing - <"$work/single" 2>/dev/null || true
}
# A row of two columns of $work/NAME: their medians and that of the ratio.
middle() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { # NAME WHAT TARGET
    printf '%-50s %8.4g %8.4g %5.2f  %s\n' "$2" \
        "$(awk '{ print $1 }' "$work/$1" | middle)" \
        "$(awk '{ print $2 }' "$work/$1" | middle)" \
        "$(awk '{ print $1 / $2 }' "$work/$1" | middle)" "$3"
}

seq "$SINGLE" >"$work/single"
for ((round = 0; round < ROUNDS; round++)); do
    add_and_read
    echo "$add $both" >>"$work/least"
    single=$(batch 1 1 64 $((BATCH / 4)))
    echo "$single $xadd" >>"$work/single_entries"
    one=$(batch 1 "$BUNDLE" "$IN_HAND")
    echo "$one $xadd" >>"$work/batched"
    used_one=$(cat "$work/used")
    echo "$add $used_one" >>"$work/whole"
    two=$(batch 2 "$BUNDLE" "$IN_HAND")
    echo "$two $one" >>"$work/two"
    echo "$(batch 2 1 1 "$SINGLE") $(batch 1 1 1 "$SINGLE")" \
        >>"$work/two_singly"
    fill
    between_pings alone >>"$work/singly"
    fill
    between_pings take >>"$work/take"
    redis flushall
    start_workers 1
    one=$("$build/../tests/bench_latency" "$work/redis")
    stop_workers
    echo "$one" >>"$work/latency"
done
load=$(cut -d ' ' -f 1 /proc/loadavg)
echo "Medians of $ROUNDS rounds on $(nproc) CPUs, load $load; rates a second."
echo "redis-server ${SERVER_OPTIONS:-as it comes}; PING, XADD on the same one"
row batched "jobs in a batch, $BUNDLE an entry; XADD, $BLOCK at once" ">= 0.5"
row whole "  us of redis-server: an XADD; one such job" "bound"
row single_entries "  the same with an entry a job; XADD" ""
row least "  us of redis-server: an XADD; the same, handed out" "bound"
row two "jobs in a batch with two workers; with one" ">= 1"
row two_singly "  the same, an entry a job, one in hand" ">= 1"
row singly "jobs one by one; PING" ">= 0.7"
row take "  taking one by one, no more (XREADGROUP); PING" "bound"
row latency "us from adding to result; us of a PING" "<= 5"
start_workers 1 -b "$IN_HAND"
seq "$BATCH" | client -b "$BUNDLE" nothing -
printf 'peak memory of a worker after %s jobs: %s KiB, target < 4096\n' \
    "$BATCH" "$(awk '/^VmHWM/ { print $2 }' "/proc/${workers# }/status")"
stop_workers
