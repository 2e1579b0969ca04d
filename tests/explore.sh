#!/bin/sh
# explore.sh - builds a program for exploring, and explores it
#
# Usage: PROGRAM=06-locks/increment_race ARGS="-w 2 -n 1" tests/explore.sh
# Also: BOUND=0 to 9 or all (2), REPLAY=schedule, REDUCE=0 (try every order),
# CC, EXPLORE_DIR (build/explore), GDB=1 (with REPLAY: in the debugger),
# BUILD_ONLY=1 (does not run it), EXPLORE_PARTS (a directory with its objects).
# The libraries and -D, -I flags are those of the program's Build: line. Its
# header may say "Outcomes: any order" (of the lines) or "Outcomes: any".
here=$(dirname "$0") dir=${EXPLORE_DIR:-build/explore} CC=${CC:-gcc}
source=${PROGRAM%.c}.c
say() { echo "explore: $*" >&2; exit 2; }
[ -n "$PROGRAM" ] || say "which program? PROGRAM=06-locks/increment_race"
[ -f "$source" ] || say "$source: no such file"
"$CC" --version >/dev/null 2>&1 || say "CC=$CC: no such compiler"
# -O0: with more, a loop keeps a variable in a register and hides accesses.
# Clang leaves out the read before a write of the same place, unless told.
see="-g -O0 -fsanitize=thread -fno-pie"
case $("$CC" --version) in
*clang*) see="$see -mllvm -tsan-instrument-read-before-write=1" ;;
esac
header=$(sed -n '1,/\*\//p' "$source")
flags=$(echo "$header" | sed -n 's/.*Build://p' | tr ' ' '\n' |
    grep -E '^-(l|D|I|L|pthread)' | tr '\n' ' ')
OUTCOMES=${OUTCOMES:-$(echo "$header" | sed -n 's/.*Outcomes: *//p')}
names=$(sed -n 's/^\(WRAP\|RWLOCK\|PRINTS\|CANNOT\)(\(.*\)/\2/p' \
    "$here/explore_hooks.c" |
    sed -E 's/^(int|void|void \*|unsigned|time_t|size_t|ssize_t), //
        s/[,)].*//')
exe=$dir/$(basename "$source" .c)
mkdir -p "$dir" || exit 2
parts=${EXPLORE_PARTS:-$dir} suffix=$CC.o
[ -z "$EXPLORE_PARTS" ] || suffix=o
for part in explore explore_run explore_hooks explore_report; do
    [ -z "$EXPLORE_PARTS" ] || break
    [ "$dir/$part.$CC.o" -nt "$here/$part.c" ] &&
        [ "$dir/$part.$CC.o" -nt "$here/explore.h" ] ||
        "$CC" -std=gnu17 -O2 -g -fno-pie -pthread -c "$here/$part.c" \
            -o "$dir/$part.$CC.o" || say "cannot build $part.c"
done
# shellcheck disable=SC2086
"$CC" -std=gnu17 $see $flags -c "$source" -o "$exe.o" ||
    say "$source does not compile"
# shellcheck disable=SC2046
ld -r $(printf -- '--wrap=%s ' $names) "$exe.o" -o "$exe.wrapped.o" || exit 2
# shellcheck disable=SC2086
"$CC" -no-pie -pthread -Wl,--wrap=main "$exe.wrapped.o" \
    "$parts"/explore*."$suffix" $flags -o "$exe" ||
    say "$source does not link"
[ -z "$BUILD_ONLY" ] || exit 0
export BOUND REPLAY REDUCE OUTCOMES
if [ -n "$GDB" ]; then
    [ -n "$REPLAY" ] || say "GDB needs a REPLAY"
    # shellcheck disable=SC2086
    EXPLORE_DEBUG=1 exec gdb -q --args "$exe" $ARGS
fi
# shellcheck disable=SC2086
exec "$exe" $ARGS
