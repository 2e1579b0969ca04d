#!/bin/bash
# soak.sh - the same verdicts again and again: tests/tools/soak.sh BUILD_DIR
#
# Runs the suites of the stories ROUNDS times idle, pinned to one CPU, and under
# load: each program dozens of times. A verdict that differs once is a
# failure of the harness. Before them come the suites that are too slow for a
# test: all programs of 06-locks LOCKS_ROUNDS times, as it comes, on one CPU and
# under load, each in virtual and in real time; a Redis killed KILLS times and
# ten times as many workers; a worker's memory over JOBS jobs; the grader's
# selftest idle, on one CPU, with half a CPU and under load: the same matrix is
# expected each time. SELFTEST=n takes a sample of n submissions, chosen by
# SEED, beside the solutions and the skeletons; SELFTEST=all all of them.
set -u
build=$1
SELFTEST=${SELFTEST:-all} SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
export SEED
ROUNDS=${ROUNDS:-10} LOCKS_ROUNDS=${LOCKS_ROUNDS:-200}
KILLS=${KILLS:-100} JOBS=${JOBS:-1000000}
SOAKED="messages cooking download"
. "$(dirname "$0")/load.sh"
trap finish EXIT
trap 'exit 130' INT TERM

passed=0 failed=0 skipped=0
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
    sums=$(echo "$output" |
        awk '/ passed, / { n = $1; s = $5 } END { print n + 0, s + 0 }')
    passed=$((passed + ${sums% *})) skipped=$((skipped + ${sums#* }))
    echo "$word"
}

# memory : of a worker (its own: what it shares with others does not count),
# after a tenth of the jobs and after all of them.
memory() {
    local most=4096 dir server worker part first='' last=''
    dir=$(mktemp -d)
    tests/run/redis.sh "$dir" >"$dir/ready" &
    server=$!
    until [ -s "$dir/ready" ]; do
        kill -0 "$server" || return 1
        sleep 0.02
    done
    "$build/05-queue/worker" -r "$dir/redis" &
    worker=$!
    for ((part = 1; part <= 10; part++)); do
        seq $((JOBS / 10)) | "$build/05-queue/client" -r "$dir/redis" \
            -i "soak$part" nothing - >"$dir/out" || break
        last=$(awk '/^RssAnon/ { print $2 }' "/proc/$worker/status")
        first=${first:-$last}
        redis-cli -s "$dir/redis" del "results:soak$part" "asked:soak$part" \
            >"$dir/out"
    done
    kill "$worker"
    wait "$worker"
    kill "$server"
    wait "$server"
    rm -rf "$dir"
    echo "a worker's own memory: ${first:-?} KiB after $((JOBS / 10)) jobs," \
        "${last:-?} KiB after $JOBS; expected: less than $most, and flat"
    # Flat: a byte a job would be 879 KiB more. The heap may settle a little.
    [ "$part" -gt 10 ] && [ "$last" -lt "$most" ] &&
        [ $((last - first)) -le 128 ]
}

# counted WORD COMMAND... : one test, which the command is
counted() {
    local word=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok   $word"
    else
        failed=$((failed + 1))
        echo "FAIL $word"
    fi
}

# sample [WORD] : the submissions to grade beside the known ones. With a word, a
# part of them does not compute: that would take a share of the CPU for minutes.
sample() {
    local files
    files=$(ls tests/grader/known/{variants/*.c,mutants/*/*/*.{c,patch}})
    if [ "$SELFTEST" = all ]; then
        echo "$files"
        return
    fi
    [ $# -eq 0 ] || files=$(echo "$files" | grep -v /squares_)
    echo "$files" | shuf -n "$SELFTEST" --random-source=<(yes "$SEED $*")
}

[ "$LOCKS_ROUNDS" -eq 200 ] || echo "cut: 06-locks $LOCKS_ROUNDS times, not 200"
[ "$KILLS" -eq 100 ] || echo "cut: Redis is killed $KILLS times, not 100"
[ "$SELFTEST" = all ] ||
    echo "cut: the grader is tested by $SELFTEST submissions of all, SEED=$SEED"
[ "$JOBS" -eq 1000000 ] || echo "cut: a worker gets $JOBS jobs, not 1000000"

once "every schedule" "$build/tests/test_runner" "$build" explore
once "the grader" "$build/tests/test_runner" "$build" grade
known=$(ls tests/grader/known/solutions/*/*.c 0[1-6]-*/exercise_*.c)
always=$known
[ "$SELFTEST" = all ] || always=
# shellcheck disable=SC2046,SC2086 # lists of names
{
    once "selftest, idle" tests/grader/known/selftest.sh "$build" $known $(sample)
    once "selftest, one CPU" taskset -c 0 \
        tests/grader/known/selftest.sh "$build" $always $(sample)
    if half_cpu; then
        once "selftest, half a CPU" within \
            tests/grader/known/selftest.sh "$build" $always $(sample waits)
        finish
    else
        skipped=$((skipped + 1))
        echo "skip selftest, half a CPU: no cgroup here can limit it"
    fi
    busy 16
    once "selftest, 16 busy loops" \
        tests/grader/known/selftest.sh "$build" $always $(sample waits)
    finish
}
once "all of 06-locks: $LOCKS_ROUNDS rounds" \
    env KIT_ROUNDS="$LOCKS_ROUNDS" "$build/tests/test_runner" "$build" locks
once "Redis killed $KILLS times" env KILLS="$KILLS" \
    "$build/tests/test_runner" "$build" worker_killed
once "time-outs of client and worker" \
    "$build/tests/test_runner" "$build" patience
counted "a worker's memory stays small and flat over $JOBS jobs" memory
# shellcheck disable=SC2086 # a list of suites
{
    soak idle "$build/tests/test_runner" "$build" $SOAKED
    soak "one CPU" taskset -c 0 "$build/tests/test_runner" "$build" $SOAKED
    busy 4
    soak "under load" "$build/tests/test_runner" "$build" $SOAKED
}
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
