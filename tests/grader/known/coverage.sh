#!/bin/bash
# coverage.sh - is every line that finds a fault reached by something wrong?
#
# Usage: tests/grader/known/coverage.sh BUILD_DIR COVERED_DIR [FILE...]
# COVERED_DIR has the grader and the runner of the suites, built with --coverage,
# and BUILD_DIR the programs that the suites judge. Runs the selftest (of these
# submissions, or all) and the suites that have wrong programs. Then lists each
# call that leaves a fault or gives one a kind, in grader/ and judge/, which
# nothing has reached: a check that nothing wrong loses proves nothing. That it
# was reached does not say that it was the first to find the fault.
#
# What no submission can reach is in unreached.txt. Exit status 1 if there is
# another one, or if one of these is reached after all.
set -u
build=$1 covered=$2 known=tests/grader/known
shift 2
find "$covered" -name '*.gcda' -delete
status=0
"$known/selftest.sh" "$covered" "$@" || status=1
runner=$covered/tests/test_runner
"$runner" "$build" messages download increment cooking async kitchen || status=1
"$runner" "$covered" grade attacks || status=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
# shellcheck disable=SC2013 # no file here has a space in its name
for source in $(grep -l 'verdict_fa[a-z]*(' \
    tests/grader/*.c tests/grader/checks/*.c tests/judge/*.c); do
    object=$covered/objects/${source#tests/}
    gcov -t -o "${object%.c}.o" "$source" | awk -v source="$source" '
        $0 ~ "0:Source:" { ours = $0 ~ "Source:" source "$" }
        ours { print source ":" $0 }'
done >"$work/lines"
# Source, count, number, text. "#####" was never run. The sentence may begin a
# line or more below the call.
awk -F : -v known="$known/unreached.txt" '
    BEGIN {
        while ((getline line <known) > 0)
            if (line !~ /^#/ && line != "") {
                split(line, part, " *# *")
                excused[part[1]] = 1
            }
    }
    $4 ~ /verdict_(fail|fault)\(/ && $4 !~ /^void/ && $2 !~ /-/ {
        place = $1 ":" $3 + 0
        lines++
        reached = $2 !~ /#####/
        open = 1
    }
    open && match($0, /"([^"\\]|\\.)*"/) {
        key = substr($1, 7) " " substr($0, RSTART, RLENGTH)
        if (reached && key in excused)
            wrong += print_("reached after all", place, key)
        else if (!reached && !(key in excused))
            wrong += print_("never reached", place, key)
        unreached += !reached
        found[key] = 1
        open = 0
    }
    function print_(what, place, key) {
        print what ": " place ": " key
        return 1
    }
    END {
        for (key in excused)
            if (!(key in found))
                wrong += print_("not there", known, key)
        printf "%d of %d lines that find a fault are reached\n",
            lines - unreached, lines
        exit wrong > 0 || lines == 0
    }' "$work/lines" || status=1
exit $status
