#!/bin/sh
# tidy.sh - the format and the house rules; prints what breaks them, exits 1
set -u
bad=0
complain() {
    echo "$1"
    bad=1
}
sources=$(find 0[1-6]-* tests -name '*.[ch]')
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
        $sources) && complain "no bound, or a shell: $found"
    for source in $sources; do
        [ "$(head -n 1 "$source")" = "/*" ] ||
            complain "no header comment: $source"
    done
    for script in $scripts; do
        bash -n "$script" || bad=1
    done
}
# What must be at the top, and nothing else that can be seen.
seen=$(ls | grep -vE '^(0[1-6]-[a-z]+|tests|Makefile|README.md|build)$') &&
    complain "does not belong at the top: $seen"
exit $bad
