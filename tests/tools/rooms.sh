#!/bin/sh
# rooms.sh - the rooms of the harness: who uses whom, circles, first lines
#
# Usage: tests/tools/rooms.sh [-e] [TESTS OBJECTS]
# Prints what breaks the rules and exits 1; -e prints the edges between rooms.
# What a room may use is the last column of the table in TESTS/README.md.
# Edges come from the includes in TESTS and from the symbols of the objects in
# OBJECTS: a function that is declared by hand needs no include.
set -u
[ "${1:-}" = -e ] && edges=yes && shift || edges=no
tests=${1:-tests} objects=${2:-build/objects}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
bad=0
complain() {
    echo "$1"
    bad=1
}
# Submissions, wrong programs and examples are no part of the harness.
sources=$(cd "$tests" && find . \( -path ./grader/known -o -path ./suites/wrong \
    -o -path ./explore/examples \) -prune -o -type f -name '*.*' -print |
    sed 's,^\./,,' | grep '/.*\.\([ch]\|sh\|awk\)$' | sort)

# FROM TO, files: by includes, ...
for source in $sources; do
    sed -n "s|^#include \"\(.*\)\".*|$source \1|p" "$tests/$source"
done >"$work/files"
# ... and, without a suffix, by symbols. A symbol of two objects, as main, does
# not count; nor does the object of a file that is gone.
find "$objects" -name '*.o' | sort | while read -r object; do
    source=${object#"$objects/"}
    [ ! -f "$tests/${source%.o}.c" ] || nm -A -P "$object"
done |
    awk -v objects="$objects/" '
    { file = substr($1, length(objects) + 1); sub(/\.o:$/, "", file) }
    $3 ~ /^[TDBRVWC]$/ { owners[$2]++; owner[$2] = file }
    $3 == "U" { wanted[++n] = file; symbol[n] = $2 }
    END {
        for (i = 1; i <= n; i++)
            if (owners[symbol[i]] == 1)
                print wanted[i], owner[symbol[i]]
    }' >>"$work/files"
sort -u "$work/files" | awk '$1 != $2' >"$work/edges"

# Rooms, as the map has them: NAME, then what it may use.
sed -n 's/^| `\([a-z]*\)\/` |.*| \([^|]*\) |$/\1 \2/p' "$tests/README.md" |
    sed 's/;.*//; s/,//g; s/ -$//' >"$work/map"
[ -s "$work/map" ] || complain "$tests/README.md: no table of rooms"
awk '{ sub(/\/.*/, "", $1); sub(/\/.*/, "", $2) } $1 != $2' "$work/edges" |
    sort | uniq -c | awk '{ print $2, $3, $1 }' >"$work/rooms"
[ $edges = no ] || awk '{ printf "%-9s uses %-9s in %d places\n", $1, $2, $3 }' \
    "$work/rooms"
while read -r from to _; do
    grep -q "^$from\( .*\)\? $to\( \|\$\)" "$work/map" ||
        complain "$from/ uses $to/, which the map does not allow: $(awk \
            -v from="$from/" -v to="$to/" 'index($1, from) == 1 &&
            index($2, to) == 1 { printf " %s->%s", $1, $2 }' "$work/edges")"
done <"$work/rooms"
for room in $(echo "$sources" | sed 's|/.*||' | sort -u); do
    grep -q "^$room\b" "$work/map" || complain "$room/ is not in the map"
done
tsort "$work/edges" >/dev/null 2>"$work/circle" ||
    complain "files use each other in a circle:
$(cat "$work/circle")"

for source in $sources; do
    name=${source##*/}
    head -n 3 "$tests/$source" | grep -q "^\( \*\|#\) \($name\|${name%.*}\) - " ||
        complain "$tests/$source: its first line is not \"$name - its job\""
done
exit $bad
