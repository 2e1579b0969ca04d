#!/bin/bash
# bench_locks.sh - what a lock costs, beside what 06-locks/README.md says of it
#
# Usage: tests/tools/bench_locks.sh BUILD_DIR. contention takes turns itself and
# prints the medians of its rounds; it runs ROUNDS times, and the medians of
# these are shown. It judges nothing: a target is named beside the figure, and
# the README's order beside the order measured.
set -eu
contention=$1/06-locks/contention
readme=$(dirname "$0")/../../06-locks/README.md
ROUNDS=${ROUNDS:-15}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for ((round = 0; round < ROUNDS; round++)); do
    # A line a way: name, ns with one thread, ns with all, speedup, % lost
    "$contention" | sed -E '1d; s/  +/|/g; s/ % lost//' >>"$work/runs"
done
cut -d '|' -f 1 "$work/runs" | head -n 8 >"$work/names"

# numbers NAME COLUMN : of all runs, a line each
numbers() { awk -F '|' -v n="$1" -v c="$2" '$1 == n { print $c }' "$work/runs"; }
median() {
    numbers "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.2f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

echo
echo "Medians of $ROUNDS runs of contention on $(nproc) CPUs," \
    "load $(cut -d ' ' -f 1 /proc/loadavg)."
printf '%-28s %9s %9s %8s\n' "ns per increment, threads:" 1 "$(nproc)" speedup
while read -r name; do
    printf '%-28s %9s %9s %8s' "$name" "$(median "$name" 2)" \
        "$(median "$name" 3)" "$(median "$name" 4)"
    case $name in
    "no lock") printf '   %.0f %% lost' "$(median "$name" 5)" ;;
    "own, apart") printf '   target: >= 1.9 on 2 CPUs: %s' "$(
        median "$name" 4 | awk '{ print ($1 >= 1.9 ? "met" : "missed") }')" ;;
    esac
    echo
done <"$work/names"

# The order the README states: < is cheaper, = about equal. Every pair is
# compared, those about equal by how many runs have the first one cheaper.
# shellcheck disable=SC2016 # the README's own backquotes
order=$(grep -o '`[^`]* < [^`]*`' "$readme" | tr -d '`')
echo "06-locks/README.md: $order"
while read -r name; do
    echo "$name|$(median "$name" 3)|$(numbers "$name" 3 | tr '\n' ' ')"
done <"$work/names" | awk -F '|' -v order="$order" '
    { median[$1] = $2; runs[$1] = $3 }
    function first_is_less(a, b,    x, y, n, i, less) {
        n = split(runs[a], x, " ")
        split(runs[b], y, " ")
        for (i = 1; i <= n; i++)
            less += x[i] + 0 < y[i] + 0
        return less + 0 " of " n
    }
    END {
        groups = split(order, group, / < /)
        for (g = 1; g <= groups; g++) {
            n = split(group[g], name, / = /)
            for (i = 1; i <= n; i++) {
                if (!(name[i] in median)) {
                    print "  contention measures no \"" name[i] "\""
                    bad++
                }
                for (e = 1; e <= before; e++)
                    if (median[earlier[e]] + 0 >= median[name[i]] + 0) {
                        print "  measured otherwise: " earlier[e] ", " \
                            median[earlier[e]] " ns; " name[i] ", " \
                            median[name[i]] " ns"
                        bad++
                    }
                for (j = i + 1; j <= n; j++)
                    print "  about equal: " name[i] " is cheaper than " \
                        name[j] " in " first_is_less(name[i], name[j]) " runs"
            }
            for (i = 1; i <= n; i++)
                earlier[++before] = name[i]
        }
        print before < 2 ? "  states no order" : bad ? \
            "  " bad " disagreements" : "  is the order measured"
    }'
