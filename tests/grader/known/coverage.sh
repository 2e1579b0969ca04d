#!/bin/bash
# coverage.sh - is every line of the grader that finds a fault reached?
#
# Usage: tests/grader/known/coverage.sh BUILD_DIR [FILE...]
# BUILD_DIR has a grader that was built with --coverage. Runs the selftest with
# it (of these submissions, or all), then lists each call that leaves a fault or
# gives one a kind, in checks/ and in judge/events.c, which no submission has
# reached: a check that no mutant loses proves nothing. Exit status 1 if there
# is one. What else is in judge/ is proved by suites/wrong/.
set -u
build=$1
shift
find "$build" -name '*.gcda' -delete
tests/grader/known/selftest.sh "$build" "$@"
status=$?
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
for source in tests/grader/checks/*.c tests/judge/events.c; do
    object=$build/objects/${source#tests/}
    [ -f "${object%.c}.gcda" ] || continue
    gcov -t -o "${object%.c}.o" "$source" | awk -v source="$source" '
        $0 ~ "0:Source:" { ours = $0 ~ "Source:" source "$" }
        ours { print source ":" $0 }'
done >"$work/lines"
# Source, count, number, text. "#####" was never run.
awk -F : '
    $4 ~ /verdict_(fail|fault)\(/ && $2 !~ /-/ {
        lines++
        if ($2 ~ /#####/) {
            unreached++
            print "never reached: " $1 ":" $3 + 0
        }
    }
    END {
        printf "%d of %d lines that find a fault are reached\n",
            lines - unreached, lines
        exit unreached > 0 || lines == 0
    }' "$work/lines" || status=1
exit $status
