#!/bin/sh
# tidy.sh - the format and the house rules; prints what breaks them, exits 1
#
# Usage: tests/tools/tidy.sh BUILD_DIR
set -u
bad=0
complain() {
    echo "$1"
    bad=1
}
sources=$(find 0[1-6]-* tests -name '*.[ch]')
# Submissions and programs that are wrong are as long as their faults need, and
# one_buffer and shown_text are about strcpy.
written=$(find 0[1-6]-* tests \( -path tests/grader/known -o \
    -path tests/suites/wrong -o -name one_buffer.c -o -name shown_text.c \) \
    -prune -o -name '*.[ch]' -print)
scripts=$(find tests -name '*.sh' -o -path '*/gradescope/*' -type f
    echo .ci/run)

# shellcheck disable=SC2086 # lists of names
{
    clang-format --dry-run -Werror $sources || bad=1
    found=$(grep -nE "[[:blank:]]+\$|$(printf '\t')" $sources $scripts) &&
        complain "blanks at the end of a line, or tabs: $found"
    found=$(grep -nE '\bassert *\(' $sources) &&
        complain "assert is gone with NDEBUG; use err() or expect(): $found"
    found=$(grep -nE '\b(sprintf|strcpy|strcat|gets|system|popen)\(' \
        $written) && complain "no bound, or a shell: $found"
    for source in $sources; do
        [ "$(head -n 1 "$source")" = "/*" ] ||
            complain "no header comment: $source"
    done
    for script in $scripts; do
        bash -n "$script" || bad=1
    done
}

# How long a program may be: a story 45 lines more than its sequential twin.
most_lines() {
    twin=01-sequential/${1##*/}
    case $1 in
    tests/run/clock_shim.c) echo 800 ;; # one job: a stand-in for each call
    tests/* | .ci/*) echo 450 ;;
    */messages.c | */increment.c | */cooking.c | */download.c)
        most=160
        [ "${1##*/}" = download.c ] && most=175
        lines=$(($(wc -l <"$twin") + 45))
        echo $((lines < most ? lines : most))
        ;;
    05-queue/worker.c) echo 240 ;;
    05-queue/client.c) echo 170 ;;
    04-async/await.c | 03-processes/both.c) echo 160 ;;
    06-locks/contention.c) echo 150 ;;
    03-processes/pipe.c | 03-processes/message_queue.c | \
        03-processes/shared_memory.c | 03-processes/manager.c) echo 140 ;;
    06-locks/bounded_queue* | 06-locks/cooking_*) echo 125 ;;
    06-locks/*) echo 90 ;;
    *) echo 130 ;;
    esac
}

for source in $written $scripts; do
    lines=$(wc -l <"$source") most=$(most_lines "$source")
    [ "$lines" -le "$most" ] ||
        complain "$source: $lines lines; at most $most"
done
redis=$(cat 05-queue/client.c 05-queue/worker.c 05-queue/tasks.[ch] | wc -l)
[ "$redis" -le 530 ] ||
    complain "05-queue: $redis lines for Redis in all; at most 530"

# Columns, the lines of a header (in a lesson) and of a function.
# shellcheck disable=SC2086 # a list of names
found=$(awk '
    FNR == 1 { header = 1; brace = 0 }
    length > 80 { print FILENAME ":" FNR ": " length " columns; at most 80" }
    header && /\*\// {
        header = 0
        if (FILENAME !~ /^tests/ && FNR - 1 > 12)
            print FILENAME ": a header of " FNR - 1 " lines; at most 12"
    }
    !brace && /\{( \/\*.*)?$/ { brace = FNR }
    /^}/ {
        if ($0 == "}" && FNR - brace > 40)
            print FILENAME ":" brace ": a function of " FNR - brace \
                " lines; at most 40"
        brace = 0
    }' $written)
[ -z "$found" ] || complain "$found"

# What must be at the top, and nothing else that can be seen.
seen=$(ls | grep -vE '^(0[1-6]-[a-z]+|tests|Makefile|README.md|build)$') &&
    complain "does not belong at the top: $seen"
# The rooms of the harness, and whether that is seen at all.
tests/tools/rooms_test.sh && tests/tools/rooms.sh tests "$1/objects" || bad=1
exit $bad
