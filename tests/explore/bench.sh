#!/bin/bash
# bench_explore.sh - measures explore: schedules a second, 06-locks, reduction
#
# Each program of 06-locks is explored with at most 2 preemptions, with few
# workers. contention and gil are left out: they measure.
set -eu
here=$(dirname "$0")
row() { printf '%-58s %10s   %s\n' "$1" "$2" "$3"; }

# explore PROGRAM ARGS : what tests/explore/explore.sh says on stderr, then its last line
explore() {
    PROGRAM=$1 ARGS=$2 "$here/explore.sh" 2>&1 |
        grep -E 'a second|in all|of all|wrong in|but there'
}
number() { sed -n "s/.*$1.*/\\1/p" | tr -d ,; }

explore 06-locks/increment_race "-t 2 -w 2 -n 3 -q" >/dev/null # builds it
rate=$(BOUND=all REDUCE=0 explore 06-locks/increment_race "-t 2 -w 2 -n 3 -q" |
    number ', \([0-9]*\) a second')
row "explore, increment_race, 924 schedules: a second, one core" "$rate" \
    ">= 1000"

start=$EPOCHREALTIME
while read -r program arguments; do
    explore "06-locks/$program" "$arguments" >/dev/null
done <<'PROGRAMS'
increment_race -t 2 -w 2 -n 1 -q
increment_mutex -t 2 -w 2 -n 1 -q
increment_semaphore -t 2 -w 2 -n 1 -q
increment_atomic -t 2 -w 2 -n 1 -q
increment_local -t 2 -w 2 -n 1 -q
check_then_act_race -c 2 -q
check_then_act_mutex -c 2 -q
atomic_store_race -t 2 -w 2 -n 1 -q
atomic_cas -t 2 -w 2 -n 1 -q
recursive_plain -s
recursive_errorcheck -s
recursive_mutex -s
recursive_split -s
deadlock_opposite -s
deadlock_order -s
deadlock_trylock -s
deadlock_one_lock -s
cooking_semaphore_leak -p 2
cooking_semaphore -p 2
bounded_queue_if -s
bounded_queue_lost_wake -s
bounded_queue -s
barrier -w 2
once -c 2
rwlock -w 2 -n 1
PROGRAMS
row "  26 programs of 06-locks, 2 preemptions, compiled too: s" \
    "$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')" \
    "< 60"

private=tests/explore/examples/private_work
for bound in 2 all; do
    for reduce in 0 1; do
        n[$reduce]=$(BOUND=$bound REDUCE=$reduce explore $private 2 |
            number 'all \([0-9]*\) schedules')
    done
    row "  three threads, private work, BOUND=$bound: ${n[0]} / ${n[1]} schedules" \
        "$(awk -v a="${n[0]}" -v b="${n[1]}" 'BEGIN { printf "%.0f", a / b }')" \
        ">= 5"
done
