#!/bin/sh
# explore.sh - builds a program for exploring, and explores it
#
# Usage: PROGRAM=06-locks/increment_race ARGS="-w 2 -n 1" tests/explore/explore.sh
# PROGRAM may also be a folder, whose .c files are one program; or SOURCES="a.c
# b.c". README.md explains: BOUND, REPLAY, TIMEOUT, MAX_SCHEDULES, OUTCOMES,
# EXPECT, REJECT, STATUS, INPUT, REDUCE, GDB, PLAY, REPORT; SVG (any word: a
# picture, drawn by EXPLORED, a program of pictures/); CC, EXPLORE_DIR
# (build/explore), EMULATOR (what runs a program of another machine). Flags and
# libraries are those of the "Build:" line. For a grader: EXPLORE_PARTS (a
# directory with our objects) builds EXPLORE_DIR/NAME and does not run it.
here=$(dirname "$0") dir=${EXPLORE_DIR:-build/explore} CC=${CC:-gcc}
say() { echo "explore: $*" >&2; exit 2; }
digits() {
    case $2 in *[!0-9]*) say "$1=$2: must be $3" ;; esac
}

# ---- Which files? ----

[ -n "$PROGRAM$SOURCES" ] ||
    say "which program? PROGRAM=path/to/mine, a folder, or SOURCES=\"a.c b.c\""
# What is made is moved to its place whole: others may explore the same program.
temp=$dir/$$ list=$dir/$$/list
mkdir -p "$temp" || exit 2
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
if [ -n "$SOURCES" ]; then
    # shellcheck disable=SC2086
    printf '%s\n' $SOURCES >"$list"
elif [ -d "$PROGRAM" ]; then
    find "$PROGRAM" -name '*.[cC]' | sort >"$list"
elif [ -f "$PROGRAM" ] && [ ! -f "$PROGRAM.c" ]; then
    echo "$PROGRAM" >"$list"
else # PROGRAM itself may lie there, too, compiled
    echo "${PROGRAM%.c}.c" >"$list"
fi
[ -s "$list" ] || say "$PROGRAM: no .c file in it"
while read -r source; do
    [ -f "$source" ] || say "$source: no such file"
    case $source in
    *.c | *.C) ;;
    *.cpp | *.cc | *.cxx | *.c++) say "$source: is C++; explore knows C" ;;
    *) say "$source: is no .c file" ;;
    esac
done <"$list"
# The one with main() in it has the header.
main=$(while read -r source; do
    grep -l '\bmain *(' "$source"
done <"$list" | head -n 1)
main=${main:-$(head -n 1 "$list")}
header=$(tr -d '\r' <"$main" | awk '{ print } /\*\// { exit }')
value() { # value NAME : what the header says after "NAME:"
    echo "$header" | sed -n "s/.*$1: *//p" | sed 's/ *\*\/.*//; s/ *$//' |
        head -n 1
}

# ---- What is asked? ----

compiler=$("$CC" --version 2>/dev/null) || say "CC=$CC: no such compiler"
case $BOUND in
'' | [0-9] | all) ;;
*) say "BOUND=$BOUND: must be 0 to 9, or all" ;;
esac
digits TIMEOUT "$TIMEOUT" "seconds of CPU time"
digits MAX_SCHEDULES "$MAX_SCHEDULES" "a number"
digits STATUS "$STATUS" "an exit status"
OUTCOMES=${OUTCOMES-$(value Outcomes)} EXPECT=${EXPECT:-$(value Expect)}
case $OUTCOMES in
'' | any | 'any order') ;;
*) say "Outcomes: $OUTCOMES: must be \"any order\" (of the lines) or \"any\"" ;;
esac

# ---- Building ----

# -O0: with more, a loop keeps a variable in a register and hides accesses. A
# memcpy that is built in is one step, a strcpy of a constant none. Clang leaves
# out the read before a write of the same place, unless told.
see="-gdwarf-4 -O0 -fsanitize=thread -fno-pie -U_FORTIFY_SOURCE"
for call in memcpy memmove memset strcpy strncpy strcat stpcpy; do
    see="$see -fno-builtin-$call"
done
[ "${compiler##*clang*}" ] ||
    see="$see -mllvm -tsan-instrument-read-before-write=1"
name=$(basename "$main") name=${name%.[cC]} parts=$EXPLORE_PARTS
exe=$dir/$name
[ -n "$parts" ] || {
    parts=$dir/${CC##*/}
    exe=$parts/$(dirname "$main" | tr -c '[:alnum:]\n' _)/$name
    mkdir -p "$(dirname "$exe")" || exit 2
    [ -n "$(find "$here" -name '*.[ch]' ! -path '*/examples/*' \
        -newer "$parts/explore.o" 2>&1)" ] &&
        { "$CC" -std=gnu17 -O2 -fno-pie -I"$here/.." -r -nostdlib \
            "$here"/*.c -o "$temp/explore.o" || say "cannot build explore"
        mv "$temp/explore.o" "$parts/explore.o"; }
}
# By a link, as flags are told apart at blanks.
folder=$(dirname "$main")
case $folder in *[[:blank:]]*)
    link=$(dirname "$exe")/folder
    ln -sfn "$(realpath "$folder")" "$link" && folder=$link ;;
esac
build=$here/build.sh # beside us in a sandbox, else in its own room
[ -f "$build" ] || build=$here/../run/build.sh
flags=$("$build" -f "$folder/$(basename "$main")") || exit 2
for sub in . include includes inc; do
    [ ! -d "$PROGRAM/$sub" ] || flags="$flags -I$folder/$sub -I$folder/../$sub"
done
newer=$(while read -r source; do
    find "$(dirname "$source")" "$parts/explore.o" -name '*.[cChHo]' \
        -newer "$exe" 2>&1
done <"$list" | head -n 1)
if [ -n "$newer" ] || ! cmp -s "$list" "$exe.list"; then
    # Its calls are sent to ours: NAME is made __wrap_NAME where we have that.
    nm "$parts/explore.o" | sed -n 's/.* T __wrap_\(.*\)/\1 __wrap_\1/p' \
        >"$temp/names"
    number=0
    while read -r source; do
        number=$((number + 1))
        # shellcheck disable=SC2086
        "$CC" -std=gnu17 $flags $see -x c -c "$source" \
            -o "$temp/$number.o" || say "$source does not compile"
        objcopy --redefine-syms="$temp/names" \
            --redefine-sym main=program_main "$temp/$number.o" || exit 2
    done <"$list"
    # Of our names the program sees the calls' alone: it may have a "ready" too.
    objcopy --wildcard --keep-global-symbol='__*' --keep-global-symbol=main \
        "$parts/explore.o" "$temp/explore.o" || exit 2
    # What it writes beside its own variables must not hit ours.
    echo 'char __gap[65536], __filled_gap[65536] = {1};' |
        "$CC" -x c -c - -o "$temp/gap.o" || exit 2
    # shellcheck disable=SC2086
    "$CC" -no-pie -pthread "$temp"/[0-9]*.o "$temp/gap.o" \
        "$temp/explore.o" $flags -o "$temp/program" ||
        say "$main does not link"
    mv "$temp/program" "$exe" && cp "$list" "$exe.list"
fi
[ -z "$EXPLORE_PARTS" ] || exit 0

# ---- Running ----

PLACES=$exe.places NAMES=$here
export BOUND REPLAY REDUCE TIMEOUT MAX_SCHEDULES OUTCOMES EXPECT STATUS INPUT
export REJECT GDB PLACES NAMES PLAY
# Words as a shell makes them: 'a b' is one. Nothing in them is run.
printf '%s\n' "$ARGS" | xargs -r printf '%s\n' >"$temp/words" 2>"$temp/why" ||
    say "ARGS=$ARGS: $(head -n 1 "$temp/why")"
set --
while IFS= read -r word; do
    set -- "$@" "$word"
done <"$temp/words"
[ -z "$GDB" ] || { rm -rf "$temp" && exec gdb -q --args "$exe" "$@"; }
# The same addresses each time, where that is allowed: a replay needs them.
steady=$(setarch -R true 2>/dev/null && echo setarch -R)
# shellcheck disable=SC2086
[ -z "$PLAY" ] || { rm -rf "$temp" && exec $steady "$exe" "$@"; }
trap : INT # explore ends by itself
# shellcheck disable=SC2086
$steady $EMULATOR "$exe" "$@" >"$temp/report"
status=$?
[ -z "$SVG" ] || REPORT=${REPORT:-$temp/steps}
awk -v exe="$exe" -v tsv="$REPORT" -f "$here/debug.awk" -f "$here/names.awk" \
    "$temp/report"
[ -z "$SVG" ] || "${EXPLORED:?the program that draws}" "$REPORT" \
    "$dir/$(echo "${PROGRAM:-sources}" | sed 's/\.c$//' | tr / -).svg"
exit $status
