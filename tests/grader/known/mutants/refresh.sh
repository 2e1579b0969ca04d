#!/bin/bash
# refresh.sh - carries the mutants over an edit of a solution
#
# Usage: tests/grader/known/mutants/refresh.sh EXERCISE [REVISION|FILE.c]
# for example: ... refresh.sh 02-threads/exercise_tables
# The edited solution is in the working tree; the one the patches still belong
# to is that of the revision (HEAD) or in the file. Each mutant is merged with
# the edit (git merge-file) and its patch written anew. One that cannot be
# merged is named and left as it is.
set -u
known=tests/grader/known
exercise=${1:?exercise} old=${2:-HEAD} left=0
solution=$known/solutions/$exercise.c
[ -f "$solution" ] || solution=$exercise.c # a lesson
[ -f "$solution" ] || { echo "$exercise: no solution" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

body() { # body FILE.c : what is below the header comment
    awk 'below { print } !below && /^ \*\/$/ { below = 1 }' "$1"
}

if [ -f "$old" ]; then
    cp "$old" "$work/old.c"
else
    git show "$old:./$solution" >"$work/old.c" || exit 2
fi
body "$work/old.c" >"$work/old"
body "$solution" >"$work/new"
for patch in "$known/mutants/$exercise"/*.patch; do
    name=$(basename "$patch" .patch)
    if patch -s -F0 -o "$work/mutant" "$work/old" <"$patch" >/dev/null &&
        git merge-file -q "$work/mutant" "$work/old" "$work/new"; then
        sed '/^--- /,$d' "$patch" >"$work/patch"
        diff -u --label "$exercise.c" --label "$name.c" "$work/new" \
            "$work/mutant" >>"$work/patch"
        mv "$work/patch" "$patch"
    else
        echo "$patch: left as it is: it cannot be merged with the edit"
        left=$((left + 1))
    fi
done
[ "$left" -eq 0 ]
