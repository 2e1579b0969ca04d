#!/bin/sh
# progress.sh - the six exercises: the points of the last check, what is left
#
# Usage: tests/grader/progress.sh BUILD_DIR
set -u
build=$1
for source in 0[1-6]-*/exercise_*.c; do
    exercise=${source%.c} results=$build/check/${source%.c}/results.tsv
    if [ ! -f "$results" ]; then
        printf '%-31s not checked yet\n' "$exercise"
        continue
    fi
    changed='' quick=''
    [ ! -e "${results%/*}/quick" ] || quick=' (the quick checks alone)'
    [ -z "$(find "$source" -newer "$results")" ] || changed=', changed since'
    awk -F '\t' -v exercise="$exercise" -v changed="$quick$changed" '
        { points += $4; of += $5
          if ($3 != "passed" && $3 != "skipped") left = left " " $2 }
        END { printf "%-31s %5.4g of %g%s%s\n", exercise, points, of, changed,
            left == "" ? "" : "; left:" left }' "$results"
done
echo "make check EXERCISE=... checks one, make hint EXERCISE=... has a hint"
