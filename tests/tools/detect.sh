#!/bin/sh
# detect.sh - runs a program under a detector of data races, tsan or helgrind
#
# Usage: PROGRAM=06-locks/increment_race ARGS="-w 2" tests/tools/detect.sh tsan
# The program is built by its own "Build:" line, or with -pthread if it has
# none. First the detector must find a race that is known to be there: one that
# finds nothing on this machine would say that all is well.
set -u
detector=$1
CC=${CC:-cc}
known=06-locks/increment_race
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

say() {
    echo "$detector: $*" >&2
    exit 2
}

# run PROGRAM ARGUMENT... : builds it and runs it under the detector
run() {
    source=${1%.c}.c
    [ -f "$source" ] || say "$source: no such file"
    shift
    flags="-g -O1 -pthread"
    [ "$detector" = tsan ] && flags="$flags -fsanitize=thread"
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$CC" $(tests/run/build.sh "$source" "$work/program") $flags ||
        say "$source does not compile"
    if [ "$detector" = tsan ]; then
        "$work/program" "$@"
    else
        valgrind --tool=helgrind --error-exitcode=66 "$work/program" "$@"
    fi
}

[ -n "${PROGRAM:-}" ] || say "which program? PROGRAM=$known"
[ "$detector" = tsan ] || command -v valgrind >/dev/null ||
    say "valgrind is not installed. See: make setup helgrind"
run "$known" -w 2 -n 1000 >"$work/known" 2>&1
grep -q 'WARNING: ThreadSanitizer: data race\|Possible data race' \
    "$work/known" || {
    tail -n 3 "$work/known" >&2
    say "does not work on this machine: it misses the race in $known"
}
echo "$detector works here: it finds the race in $known. Now $PROGRAM:"
# shellcheck disable=SC2086 # ARGS is a list
run "$PROGRAM" ${ARGS:-}
