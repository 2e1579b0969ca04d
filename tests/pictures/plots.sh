#!/bin/bash
# plots.sh - measures curves and draws them: BUILD_DIR [OUT]
#
# Into OUT (BUILD_DIR/plots): NAME.tsv with the data, NAME.svg, and NAME.txt,
# which is also printed. ROUNDS=n (5) runs of each point, the points of a picture
# one after another and not the runs of one, so that what else the machine does
# is spread over all of them. MOST=n (8) workers and threads; as many customers
# who wait as WAITING lists. Needs gnuplot and /usr/bin/time.
set -u
build=${1:?usage: plots.sh BUILD_DIR [OUT]} out=${2:-$1/plots}
rounds=${ROUNDS:-5} most=${MOST:-8} waiting=${WAITING:-100 1000 10000 100000}
case $rounds/$most in
*[!0-9/]* | 0* | */0* | /* | */ | */1)
    echo "ROUNDS=$rounds MOST=$most: not whole numbers from 1, and from 2" >&2
    exit 2
    ;;
esac
cpus=$(nproc)
work=$(mktemp -d)
sites=
trap '[ -z "$sites" ] || { kill "$sites" && wait "$sites"; } 2>/dev/null
    rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$out" || exit 1

progress() { [ ! -t 2 ] || printf '\r%-70s' "$*" >&2; }

# timed COMMAND... : seconds, "-" if it failed
timed() {
    local from=$EPOCHREALTIME to
    if "$@" >/dev/null 2>&1; then
        to=$EPOCHREALTIME
        echo $((${to/[.,]/} - ${from/[.,]/})) | awk '{ print $1 / 1e6 }'
    else
        echo -
    fi
}

# Of lines "KEY... VALUE": for each key its median, least and most value.
spread() {
    grep -v ' -$' | sort | awk '
    function flush_key() {
        if (n == 0) return
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
                t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
            }
        print key "\t" v[int((n + 1) / 2)] "\t" v[1] "\t" v[n]
        n = 0
    }
    { own = $0; sub(/ [^ ]*$/, "", own); gsub(/ /, "\t", own) }
    own != key { flush_key(); key = own }
    { v[++n] = $NF + 0 }
    END { flush_key() }'
}

# draw NAME COMMANDS: as SVG, and as text of 78 columns
draw() {
    {
        echo "set terminal svg size 1280,720 font 'sans-serif,20' \
            background 'white' dynamic"
        echo "set output '$out/$1.svg'"
        echo "$2"
    } | gnuplot || exit 1
    {
        echo "set terminal dumb 78 24"
        echo "set output '$out/$1.txt'"
        echo "$2"
    } | gnuplot || exit 1
    cat "$out/$1.txt"
}

# series FILE COLUMN : the names that stand there
series() { sed 1d "$1" | cut -f"$2" | sort -u; }

# ---- Speedup against workers ----

# arguments STORY : what makes a run of it short
arguments() {
    case $1 in
    messages) echo "-c 8 -m 4 -i 20" ;;
    download) echo "-n 8 $urls" ;;
    increment) echo "-t 40 -n 5000000" ;;
    cooking) echo "-p 8 -m 1" ;;
    esac
}

measure_speedup() {
    local round story program tool workers
    for round in $(seq "$rounds"); do
        for story in messages download increment cooking; do
            for program in "$build"/0[1-5]-*/"$story"; do
                tool=$(basename "$(dirname "$program")")
                for workers in $(seq $most); do
                    progress "round $round of $rounds, $story $tool $workers"
                    # shellcheck disable=SC2046 # a list of arguments
                    if [ "$tool" = 01-sequential ]; then
                        [ "$workers" -gt 1 ] || echo "$story $tool 1" \
                            "$(timed "$program" $(arguments "$story"))"
                    else
                        echo "$story $tool $workers $(timed "$program" \
                            -w "$workers" $(arguments "$story"))"
                    fi
                done
            done
        done
    done
}

plot_speedup() {
    local story names tool plot
    measure_speedup >"$work/speedup"
    progress
    {
        printf 'story\ttool\tworkers\tspeedup\tleast\tmost\n'
        spread <"$work/speedup" | awk -F'\t' -v OFS='\t' '
        { n++; for (i = 1; i <= 6; i++) row[n, i] = $i }
        $2 == "01-sequential" { base[$1] = $4 }
        END {
            for (k = 1; k <= n; k++)
                print row[k, 1], row[k, 2], row[k, 3],
                    base[row[k, 1]] / row[k, 4], base[row[k, 1]] / row[k, 6],
                    base[row[k, 1]] / row[k, 5]
        }'
    } >"$out/speedup.tsv"
    for story in messages download increment cooking; do
        # Tools whose number of workers can be chosen, as more than one shows.
        names=$(awk -F'\t' -v s="$story" '$1 == s && $3 > 1 { print $2 }' \
            "$out/speedup.tsv" | sort -u)
        [ -n "$names" ] || continue
        plot="plot x title 'ideal' lw 2 dt 2 lc rgb 'black'"
        [ "$story" != increment ] ||
            plot="$plot, $cpus title '$cpus CPUs' dt 3 lc rgb 'black'"
        for tool in $names; do
            awk -F'\t' -v s="$story" -v t="$tool" '$1 == s && $2 == t {
                print $3, $4, $5, $6 }' "$out/speedup.tsv" >"$work/$story-$tool"
            plot="$plot, '$work/$story-$tool' using 1:2:3:4 title '$tool' \
                with yerrorlines lw 2 ps 1.2"
        done
        draw "speedup-$story" "set title '$story: speedup against workers'
            set xlabel 'workers'; set xrange [0.5:$most.5]; set yrange [0:*]
            set xtics 1; set grid; set key left top; $plot"
    done
}

# ---- What waiting costs ----

# children PID : the ids of its children, a line each
children() { cat "/proc/$1/task/$1/children" 2>/dev/null | tr ' ' '\n'; }

# own_memory PID N : KiB of the N processes that the program under `time` and
# `timeout` starts: what is their own, from a sample of 20, once all are there.
own_memory() {
    local all=
    until [ "$(echo "$all" | grep -c .)" -eq "$2" ]; do
        ! grep -qs '^State:.Z' "/proc/$1/status" || { echo - && return; }
        sleep 0.05
        all=$(children "$(children "$(children "$1")")")
    done
    echo "$all" | head -n 20 | while read -r child; do
        sed -n 's/^Pss: *\([0-9]*\).*/\1/p' "/proc/$child/smaps_rollup" \
            2>/dev/null
    done | awk -v n="$2" '{ sum += $1; seen++ }
        END { print seen ? sum / seen * n : "-" }'
}

# One run with N customers who wait together: KiB at most, CPU seconds.
cost() { # cost TOOL N
    local program=$build/$1/messages wait_ms=$((1000 + $2 / 2)) pid
    /usr/bin/time -o "$work/time" -f '%M %U %S' timeout 100 "$program" \
        -c "$2" -m 1 -i "$wait_ms" >/dev/null 2>&1 &
    pid=$!
    [ "$1" != 03-processes ] || own_memory "$pid" "$2" >"$work/kib"
    wait "$pid" || { echo "-" && return; }
    if [ "$1" = 03-processes ]; then
        awk -v kib="$(cat "$work/kib")" '{ print kib, $2 + $3 }' "$work/time"
    else
        awk '{ print $1, $2 + $3 }' "$work/time"
    fi
}

plot_cost() {
    local tool n got plot_memory="plot" plot_cpu="plot" comma=
    printf 'tool\twaiting\tKiB\tCPU s\n' >"$out/waiting.tsv"
    for n in $waiting; do
        for tool in 02-threads 03-processes 04-async; do
            [ -x "$build/$tool/messages" ] || continue
            progress "waiting: $n customers, $tool"
            got=$(cost "$tool" "$n")
            case $got in
            *-*) echo "$tool: no $n at once on this machine" >&2 ;;
            *) printf '%s\t%s\t%s\n' "$tool" "$n" "${got/ /$'\t'}" ;;
            esac
        done
    done >>"$out/waiting.tsv"
    progress
    for tool in $(series "$out/waiting.tsv" 1); do
        awk -F'\t' -v t="$tool" '
            $1 == t { print $2, $3 / 1024, ($4 > 0 ? $4 : 0.005) }
            ' "$out/waiting.tsv" >"$work/waiting-$tool"
        plot_memory="$plot_memory$comma '$work/waiting-$tool' using 1:2 \
            title '$tool' with linespoints lw 2 ps 1.2"
        plot_cpu="$plot_cpu$comma '$work/waiting-$tool' using 1:3 \
            title '$tool' with linespoints lw 2 ps 1.2"
        comma=,
    done
    draw waiting-memory "set title 'memory of N customers who wait, MiB'
        set xlabel 'N'; set logscale xy; set grid; set key left top
        set xrange [70:150000]; $plot_memory"
    # 0.005 stands for what is too little to be counted.
    draw waiting-cpu "set title 'CPU time of N customers who wait, s'
        set xlabel 'N'; set logscale xy; set grid; set key left top
        set xrange [70:150000]; $plot_cpu"
}

# ---- What a lock costs ----

plot_locks() {
    local round threads plot="plot" comma= number=0 way threads_most=$most
    [ "$cpus" -ge "$most" ] || threads_most=$cpus
    [ "$threads_most" -ge 2 ] || threads_most=2
    [ -x "$build/06-locks/contention" ] || return 0
    for round in $(seq "$rounds"); do
        for threads in $(seq 2 "$threads_most"); do
            progress "locks: round $round, $threads threads"
            "$build/06-locks/contention" -w "$threads" | sed 1d |
                awk -v threads="$threads" '{
                    way = substr($0, 1, 20); sub(/ *$/, "", way)
                    gsub(/ /, "_", way); split(substr($0, 21), n, " ")
                    if (threads == 2) print way, 1, n[1]
                    print way, threads, n[2] }'
        done
    done >"$work/locks"
    progress
    {
        printf 'way\tthreads\tns\tleast\tmost\n'
        spread <"$work/locks" | tr _ ' '
    } >"$out/locks.tsv"
    while read -r way; do
        number=$((number + 1))
        awk -F'\t' -v w="$way" '$1 == w { print $2, $3, $4, $5 }' \
            "$out/locks.tsv" >"$work/way-$number"
        plot="$plot$comma '$work/way-$number' using 1:2:3:4 title '$way' \
            with yerrorlines lw 2 ps 1.2"
        comma=,
    done <<EOF
$(series "$out/locks.tsv" 1)
EOF
    draw locks "set title 'one increment by all threads together, ns'
        set xlabel 'threads'; set logscale y; set grid; set xtics 1
        set xrange [0.8:*]; set key outside right; $plot"
}

"$build/tests/sites" -p 0 -l 20 >"$work/sites" &
sites=$!
until base=$(sed -n 's,.*\(http://[0-9.:]*\)/ .*,\1,p' "$work/sites") &&
    [ -n "$base" ]; do
    kill -0 "$sites" 2>/dev/null || { cat "$work/sites" >&2; exit 1; }
    sleep 0.05
done
urls="$base/small $base/medium $base/large"
plot_speedup
plot_cost
plot_locks
echo "Pictures and data: $out"
