#!/bin/bash
# bench.sh - measures explore: schedules a second, runs to the first failure
#
# A second is one of CPU time, on one core. The runs to the first failure are
# the same on any machine: a number here may only get smaller.
set -u
here=$(dirname "$0")
row() { printf '%-58s %10s   %s\n' "$1" "$2" "$3"; }

# explore PROGRAM ARGS : its report
explore() { PROGRAM=$1 ARGS=$2 "$here/explore.sh" 2>&1; }
number() { sed -n "s/.*$1.*/\\1/p" | tr -d , | head -n 1; }
rate() { explore "$1" "$2" | number ' \([0-9]*\) a second'; }

export MAX_SCHEDULES=3000
rate 06-locks/increment_race "-t 2 -w 2 -n 3 -q" >/dev/null # builds it
row "explore, increment_race: schedules a second, one core" \
    "$(BOUND=all REDUCE=0 rate 06-locks/increment_race "-t 2 -w 2 -n 3 -q")" \
    ">= 1500"
rate "$here/examples/long_loop" 1 >/dev/null
row "  1,000 steps a run: schedules a second" \
    "$(MAX_SCHEDULES=1000 rate "$here/examples/long_loop" 250)" ">= 1000"

echo "  runs to the first failure:"
while IFS='|' read -r program arguments most; do
    [ "${program#06}" != "$program" ] || program=$here/examples/$program
    first=$(explore "$program" "$arguments" | number 'run \([0-9]*\) was')
    row "  ${program##*/} $arguments" "${first:-none}" "<= $most"
done <<'PROGRAMS'
06-locks/increment_race|-t 2 -w 2 -n 1 -q|3
06-locks/atomic_store_race|-t 2 -w 2 -n 1 -q|3
06-locks/deadlock_opposite|-s|1
06-locks/bounded_queue_if|-s|1
06-locks/bounded_queue_lost_wake|-s|1
06-locks/cooking_semaphore_leak|-p 2|1
aba||34
accounts||3
box_on_stack||3
broken_promise||3
c11|none|6
double_checked||5
forgotten_join|first|3
forgotten_join|none|8
greet||3
header||3
heap|use|3
included||3
in_time||3
increment|3 2|3
load_then_store||3
loop_variable||6
lost_early||43
lost_wakeup||1
lost_wakeup_unlocked||3
misuse|destroy|3
partial_sums||3
peterson_swapped||26
philosophers|5|199
places||9
queue_if||6
record||3
row_index||6
slot_on_stack||3
strtok||4
ten_threads||75
two||3
PROGRAMS

private=$here/examples/private_work
for bound in 2 all; do
    for reduce in 0 1; do
        n[$reduce]=$(BOUND=$bound REDUCE=$reduce explore "$private" 2 |
            number 'all \([0-9]*\) schedules')
    done
    row "  three threads, private work, BOUND=$bound: ${n[0]} / ${n[1]} schedules" \
        "$(awk -v a="${n[0]}" -v b="${n[1]}" 'BEGIN { printf "%.0f", a / b }')" \
        ">= 5"
done
