#!/bin/bash
# soak.sh - the same verdicts again and again: tests/soak.sh BUILD_DIR
#
# Runs the suites of the stories ROUNDS times idle, pinned to one CPU, and under
# load: each program dozens of times. A verdict that differs once is a
# failure of the harness. Before them come the suites that are too slow for a
# test, and all programs of 06-locks LOCKS_ROUNDS times: as it comes, on one CPU
# and under load, each in virtual and in real time.
set -u
build=$1
ROUNDS=${ROUNDS:-10}
LOCKS_ROUNDS=${LOCKS_ROUNDS:-200}
SOAKED="messages cooking download"
load=
finish() {
    # shellcheck disable=SC2086 # a list of process ids
    [ -z "$load" ] || kill $load 2>/dev/null
}
trap finish EXIT
trap 'exit 130' INT TERM

passed=0 failed=0
soak() { # soak WORD COMMAND... : runs the command ROUNDS times
    local word=$1 round output
    shift
    for ((round = 1; round <= ROUNDS; round++)); do
        if output=$("$@" 2>&1); then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            printf 'round %d, %s:\n%s\n' "$round" "$word" "$output"
        fi
    done
    echo "$word: $ROUNDS rounds of the suites $SOAKED"
}

# once WORD COMMAND... : runs the command, which counts its tests itself
once() {
    local word=$1 output sums
    shift
    output=$("$@" 2>&1) || failed=$((failed + 1))
    echo "$output"
    sums=$(echo "$output" | awk '/ passed, / { n = $1 } END { print n + 0 }')
    passed=$((passed + sums))
    echo "$word"
}

once "every schedule" "$build/tests/test_runner" "$build" explore
once "all of 06-locks: $LOCKS_ROUNDS rounds" \
    env KIT_ROUNDS="$LOCKS_ROUNDS" "$build/tests/test_runner" "$build" locks
# shellcheck disable=SC2086 # a list of suites
{
    soak idle "$build/tests/test_runner" "$build" $SOAKED
    soak "one CPU" taskset -c 0 "$build/tests/test_runner" "$build" $SOAKED
    for ((i = 0; i < 4; i++)); do
        (while :; do :; done) &
        load="$load $!"
    done
    soak "under load" "$build/tests/test_runner" "$build" $SOAKED
}
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
