#!/bin/sh
# explore.sh - builds a program for exploring, and explores it
#
# Usage: PROGRAM=06-locks/increment_race ARGS="-w 2 -n 1" tests/explore/explore.sh
# Also: BOUND=0 to 9 or all (2), REPLAY=schedule, REDUCE=0 (try every order),
# TIMEOUT=seconds, CC, EXPLORE_DIR (build/explore), GDB=1 (with REPLAY: in the
# debugger). Flags and libraries are those of the program's "Build:" line; its
# header may also say "Outcomes: any order" (of the lines) or "Outcomes:
# any"; OUTCOMES="any" says so from outside. For a grader: EXPLORE_PARTS (a
# directory with our objects) builds EXPLORE_DIR/NAME and does not run it.
here=$(dirname "$0") dir=${EXPLORE_DIR:-build/explore} CC=${CC:-gcc}
source=${PROGRAM%.c}.c
say() { echo "explore: $*" >&2; exit 2; }
[ -n "$PROGRAM" ] || say "which program? PROGRAM=06-locks/increment_race"
[ -f "$source" ] || say "$source: no such file"
compiler=$("$CC" --version 2>/dev/null) || say "CC=$CC: no such compiler"
case $BOUND in
'' | [0-9] | all) ;;
*) say "BOUND=$BOUND: must be 0 to 9, or all" ;;
esac
case $TIMEOUT in *[!0-9]*) say "TIMEOUT=$TIMEOUT: must be seconds" ;; esac
# -O0: with more, a loop keeps a variable in a register and hides accesses.
# Clang leaves out the read before a write of the same place, unless told.
see="-g -O0 -fsanitize=thread -fno-pie"
[ "${compiler##*clang*}" ] ||
    see="$see -mllvm -tsan-instrument-read-before-write=1"
header=$(tr -d '\r' <"$source" | awk '{ print } /\*\// { exit }')
build=$here/build.sh # beside us in a sandbox, else in its own room
[ -f "$build" ] || build=$here/../run/build.sh
flags=$("$build" -f "$source") || exit 2
OUTCOMES=${OUTCOMES:-$(echo "$header" | sed -n 's/.*Outcomes: *//p')}
exe=$dir/$(basename "$source" .c) parts=$EXPLORE_PARTS
[ -n "$parts" ] || {
    parts=$dir/$CC
    exe=$parts/$(dirname "$source" | tr -c '[:alnum:]\n' _)/${exe##*/}
    mkdir -p "$(dirname "$exe")" || exit 2
    [ -n "$(find "$here" -name '*.[ch]' ! -path '*/examples/*' \
        -newer "$parts/explore.o" 2>&1)" ] &&
        { "$CC" -std=gnu17 -O2 -fno-pie -I"$here/.." -r -nostdlib \
            "$here"/*.c -o "$parts/explore.o" || say "cannot build explore"; }
}
if [ -n "$(find "$(dirname "$source")" "$parts/explore.o" -name '*.[cho]' \
    -newer "$exe" 2>&1)" ]; then
    # Its calls are sent to ours: NAME is made __wrap_NAME where we have that.
    nm "$parts/explore.o" | sed -n 's/.* T __wrap_\(.*\)/\1 __wrap_\1/p' \
        >"$exe.names"
    # shellcheck disable=SC2086
    "$CC" -std=gnu17 $flags $see -c "$source" -o "$exe.o" ||
        say "$source does not compile"
    objcopy --redefine-syms="$exe.names" --redefine-sym main=program_main \
        "$exe.o" || exit 2
    # shellcheck disable=SC2086
    "$CC" -no-pie -pthread "$exe.o" "$parts/explore.o" $flags -o "$exe" ||
        say "$source does not link"
fi
[ -z "$EXPLORE_PARTS" ] || exit 0
PLACES=$exe.places
[ -n "$REPLAY" ] || rm -f "$PLACES"
EXPECT=${EXPECT:-$(echo "$header" | sed -n 's/.*Expect: *//p')}
export BOUND REPLAY REDUCE TIMEOUT OUTCOMES GDB PLACES EXPECT STATUS INPUT MAX_SCHEDULES
# shellcheck disable=SC2086
[ -z "$GDB" ] || exec gdb -q --args "$exe" $ARGS
trap : INT # explore ends by itself
# The same addresses each time, where that is allowed: a replay needs them.
steady=$(setarch -R true 2>/dev/null && echo setarch -R)
# shellcheck disable=SC2086
$steady "$exe" $ARGS >"$exe.report"
status=$?
awk -v exe="$exe" -f "$here/names.awk" "$exe.report" "$exe.report"
exit $status
