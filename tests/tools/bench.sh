#!/bin/bash
# bench.sh - measures the programs side by side: tests/tools/bench.sh BUILD_DIR
#
# hyperfine does the timing. The commands of a comparison take turns, so that
# whatever else the machine does hits all of them, and medians are compared, as
# ratios. It judges nothing: a target is named beside each figure.
set -eu
build=$1
# For all tools alike: a transfer of an easy handle takes three descriptors.
ulimit -n 40000 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"
ROUNDS=${ROUNDS:-9}
work=$(mktemp -d)
sites=
finish() {
    # shellcheck disable=SC2046 # a list of process ids
    kill $(jobs -p) 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# rounds NAME=COMMAND... : runs them in turn; a file NAME.csv a command, with a
# line a run: wall s, user s, system s.
rounds() {
    local round pair name
    for pair in "$@"; do : >"$work/${pair%%=*}.csv"; done
    for ((round = 0; round < ROUNDS; round++)); do
        for pair in "$@"; do
            name=${pair%%=*}
            hyperfine -N --runs 1 --style none --export-csv "$work/one" \
                "${pair#*=}" >/dev/null 2>"$work/error" ||
                { cat "$work/error" >&2; exit 1; }
            # ... mean, stddev, median, user, system, min, max
            tail -n 1 "$work/one" | awk -F, \
                '{ print $(NF - 4), $(NF - 3), $(NF - 2) }' >>"$work/$name.csv"
        done
    done
}
# median NAME EXPRESSION : of the columns $1 wall, $2 user, $3 system
median() {
    awk "{ print $2 }" "$work/$1.csv" | sort -g |
        awk '{ v[NR] = $1 }
            END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
row() { printf '%-58s %10s   %s\n' "$1" "$2" "$3"; }
peak_kib() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1; }

start_sites() { # start_sites LATENCY_MS : sets base
    "$build/tests/sites" -p 0 -l "$1" >"$work/sites.log" &
    sites=$!
    until base=$(grep -o -m 1 'http://127.0.0.1:[0-9]*' "$work/sites.log"); do
        kill -0 "$sites"
    done
}

echo "Medians of $ROUNDS interleaved runs on $(nproc) CPUs."
row "what" "measured" "target"

for tool in 02-threads 03-processes 04-async 05-queue; do
    [ -x "$build/$tool/messages" ] || continue
    rounds "messages=$build/$tool/messages -i 100"
    row "messages at 100 ms, $tool: wall / ideal 0.4 s" \
        "$(ratio "$(median messages '$1')" 0.4)" "<= 1.01"
done

start_sites 50
urls=
for ((i = 0; i < 30; i++)); do
    urls="$urls -o /dev/null $base/small -o /dev/null $base/medium"
    urls="$urls -o /dev/null $base/large"
done
set -- "curl=curl -sZ --parallel-immediate --parallel-max 5 $urls"
for tool in 02-threads 03-processes 04-async 05-queue; do
    [ -x "$build/$tool/download" ] || continue
    set -- "$@" "$tool=$build/$tool/download -w 5 -s $base"
done
rounds "$@"
shift
for pair in "$@"; do
    tool=${pair%%=*}
    row "download, 90 pages at 50 ms, $tool: wall / ideal 0.9 s" \
        "$(ratio "$(median "$tool" '$1')" 0.9)" "<= 1.03"
    row "  wall / curl -Z --parallel-immediate's" \
        "$(ratio "$(median "$tool" '$1')" "$(median curl '$1')")" "<= 1"
    case $tool in 02-*) most=1.15 ;; 04-*) most=1 ;; *) most=1.3 ;; esac
    row "  CPU / curl's" "$(ratio "$(median "$tool" '$2 + $3')" \
        "$(median curl '$2 + $3')")" "<= $most"
    row "  peak memory, KiB" "$(peak_kib ${pair#*=})" "< 16384"
done

if [ -x "$build/04-async/download" ]; then
    rounds "curl=curl -sZ --parallel-immediate --parallel-max 90 $urls" \
        "all=$build/04-async/download -w 90 -s $base"
    row "download, all 90 in flight, 04-async: wall / curl's" \
        "$(ratio "$(median all '$1')" "$(median curl '$1')")" "<= 1"
    row "  CPU / curl's" \
        "$(ratio "$(median all '$2 + $3')" "$(median curl '$2 + $3')")" "<= 1"
fi

# So many increments that the sequential program takes more than a second.
n=1000000
until [ "$({ "$build/01-sequential/increment" -n "$n" >/dev/null; } 2>&1 |
    awk '{ print ($4 > 1) }')" = 1 ]; do
    n=$((n * 2))
done
set --
for tool in 01-sequential 02-threads 03-processes 05-queue; do
    [ -x "$build/$tool/increment" ] || continue
    set -- "$@" "$tool=$build/$tool/increment -n $n"
done
rounds "$@"
shift
for pair in "$@"; do
    tool=${pair%%=*}
    row "increment, 100 x $n, $tool: speedup" \
        "$(ratio "$(median 01-sequential '$1')" "$(median "$tool" '$1')")" \
        ">= 1.9 on 2 CPUs"
done

for tool in 01-sequential 02-threads 03-processes 04-async 05-queue; do
    [ -x "$build/$tool/messages" ] || continue
    row "messages, $tool: peak memory, KiB" \
        "$(peak_kib "$build/$tool/messages" -i 10)" "< 4096"
done

# ---- The cost of waiting: N at once, for a second each ----

# The memory of a process and its children, shared pages counted once, in MiB.
memory_of() {
    local pid=$1 child
    {
        cat "/proc/$pid/smaps_rollup"
        for child in $(cat /proc/"$pid"/task/*/children); do
            cat "/proc/$child/smaps_rollup"
        done
    } 2>/dev/null | awk '/^Pss:/ { kib += $2 } END { printf "%.1f", kib / 1024 }'
}

row_without() { printf '%-24s %7d   %s\n' "$@"; } # NAME N WHY

# cost NAME N WALL_COMMAND -- MEMORY_COMMAND : a row of the table. The second
# command waits long enough for all of it to be seen waiting at once: every one
# of the N has printed a line that ends in " ...".
cost() {
    local name=$1 n=$2 pid memory=- line
    shift 2
    local first=()
    while [ "$1" != -- ]; do first+=("$1"); shift; done
    shift
    # The shell's own: it counts milliseconds of CPU, time(1) hundredths.
    local TIMEFORMAT='%3R %3U %3S'
    if ! { time "${first[@]}" >"$work/out" 2>"$work/error"; } \
        2>"$work/time"; then
        line=$(sed -n 's/.* -w .* from 1 to \(.*\)/n\/a: at most \1 workers/p
            / pages in \| messages to /!p' "$work/error" | head -n 1)
        [ -n "$line" ] || line="n/a: $(grep -c ': failed, ' "$work/out") \
failed, with at most $(ulimit -n) open files: \
$(sed -n 's/.*: failed, //p;T;q' "$work/out")"
        row_without "$name" "$n" "$line"
        return
    fi
    "$@" >"$work/out" 2>"$work/error" &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        if [ "$(grep -c ' \.\.\.$' "$work/out")" -ge "$n" ]; then
            memory=$(memory_of $pid)
            kill $pid 2>/dev/null || true # it may have ended
            break
        fi
    done
    wait $pid 2>/dev/null || true
    awk -v memory="$memory" '{ print $1, $2 + $3, memory }' "$work/time" \
        >"$work/${name#*, }.${name%%,*}.$n"
    awk -v name="$name" -v n="$n" -v memory="$memory" \
        '{ printf "%-24s %7d %8.2f %8.2f %10s\n", name, n, $1, $2 + $3, memory }' \
        "$work/time"
}

stop_sites() {
    kill "$sites"
    wait "$sites" || true
    sites=
}

printf '\n%-24s %7s %8s %8s %10s\n' "waiting, 1 s each" N "wall, s" "CPU, s" \
    "memory, MiB"
stop_sites
start_sites 1000
quick=$base quick_sites=$sites
start_sites 20000
slow=$base
for n in 100 1000 10000; do
    for tool in 02-threads 03-processes 04-async; do
        [ -x "$build/$tool/download" ] || continue
        cost "download, $tool" "$n" \
            "$build/$tool/download" -n "$n" -w "$n" "$quick/small" -- \
            "$build/$tool/download" -n "$n" -w "$n" "$slow/small"
    done
done
stop_sites
sites=$quick_sites
# How many threads and processes there may be: of these at most half, or nobody
# else on the machine, this script among them, could start anything.
room=$({ ulimit -u; cat /proc/sys/kernel/{pid_max,threads-max} \
    /sys/fs/cgroup/{,pids/}pids.max 2>/dev/null || true; } |
    grep '^[0-9]' | sort -n | head -n 1)
for n in 100 1000 10000 100000; do
    for tool in 02-threads 03-processes 04-async; do
        [ -x "$build/$tool/messages" ] || continue
        if [ $tool != 04-async ] && [ "$n" -gt $((room / 2)) ]; then
            row_without "messages, $tool" "$n" \
                "n/a: at most $room threads and processes in all"
            continue
        fi
        cost "messages, $tool" "$n" "$build/$tool/messages" -c "$n" -m 1 -- \
            "$build/$tool/messages" -c "$n" -m 1 -i 60000
    done
done

# each WHAT FIELD FEW MANY : of 04-async, a unit at MANY over a unit at FEW
each() {
    local few="$work/04-async.$1.$3" many="$work/04-async.$1.$4"
    [ -f "$few" ] && [ -f "$many" ] || { echo -; return; }
    awk -v f="$2" -v few="$3" -v many="$4" 'NR == FNR { a = $f / few; next }
        { printf "%.2f", ($f / many) / a }' "$few" "$many"
}
echo
row "04-async, download: wall of 10,000 at 1 s, in s" \
    "$(cut -d' ' -f1 "$work/04-async.download.10000" || echo -)" "<= 2.2"
row "  CPU a transfer, 10,000 over 1,000" "$(each download 2 1000 10000)" \
    "<= 1.2"
row "  memory a transfer, likewise" "$(each download 3 1000 10000)" "<= 1.2"
row "04-async, messages: CPU a customer, 100,000 over 1,000" \
    "$(each messages 2 1000 100000)" "<= 1.5"

"$(dirname "$0")/bench_queue.sh" "$build"
"$(dirname "$0")/bench_locks.sh" "$build"

echo
EXPLORE_DIR=$build/explore "$(dirname "$0")/../explore/bench.sh"
