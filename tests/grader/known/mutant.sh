#!/bin/bash
# mutant.sh - a wrong submission: its C text from its patch, or the other way
#
# Usage: tests/grader/known/mutant.sh show NAME|FILE
#            prints it as C
#        tests/grader/known/mutant.sh write DIR NAME
#            puts it there as NAME.c; without a name it lists all
#        tests/grader/known/mutant.sh add FILE.c...
#            keeps what is at "Exercise:" in its header as a patch
#        tests/grader/known/mutant.sh check
#            names each patch that does not apply
# A mutant is mutants/EXERCISE/NAME.patch, the change of the solution's text
# below its header comment, with a header of its own as text above the patch.
# A lesson, too, may be an exercise: its solution is the lesson itself. Where a
# patch would rewrite two fifths or more it is the whole program, NAME.c.
set -eu
known=tests/grader/known

# body FILE.c : what is below the header comment
body() {
    awk 'below { print } !below && /^ \*\/$/ { below = 1 }' "$1"
}

# solution EXERCISE : its file
solution() {
    if [ -f "$known/solutions/$1.c" ]; then
        echo "$known/solutions/$1.c"
    else
        echo "$1.c"
    fi
}

# find_mutant NAME|FILE : its file
find_mutant() {
    local file
    case $1 in
    */*) file=$1 ;;
    *) file=$(find "$known/mutants" -name "$1.patch" -o -name "$1.c") ;;
    esac
    [ -f "$file" ] || { echo "$1: no such mutant" >&2; return 1; }
    echo "$file"
}

# exercise_of FILE : mutants/EXERCISE/NAME.* is one of EXERCISE
exercise_of() {
    local dir
    dir=$(dirname "$1")
    echo "${dir#"$known/mutants/"}"
}

# show FILE : a patch as C
show() {
    local exercise work
    case $1 in *.c) cat "$1" && return ;; esac
    exercise=$(exercise_of "$1")
    work=$(mktemp -d)
    body "$(solution "$exercise")" >"$work/body"
    if ! patch -s -F0 -o "$work/out" "$work/body" <"$1" >"$work/said" 2>&1; then
        sed "s|^|$1 does not apply: |" "$work/said" >&2
        rm -rf "$work"
        return 1
    fi
    awk -v exercise="$exercise" '
        BEGIN { print "/*" }
        /^--- / { print " */"; exit }
        /^Loses:/ && !named++ { print " * Exercise: " exercise }
        NF > 0 { print " * " $0 }' "$1"
    cat "$work/out"
    rm -rf "$work"
}

# add FILE.c : keeps it as a patch, or whole
add() {
    local exercise name dir work changed all
    exercise=$(sed -n '1,/^ \*\//s/^ \* Exercise: *//p' "$1")
    name=$(basename "$1" .c)
    dir=$known/mutants/$exercise
    [ -f "$(solution "$exercise")" ] ||
        { echo "$1: its header names no exercise" >&2; return 1; }
    work=$(mktemp -d)
    mkdir -p "$dir"
    body "$(solution "$exercise")" >"$work/solution"
    body "$1" >"$work/mutant"
    {
        sed -n '2,/^ \*\//{
/^ \*\/$/d
/^ \* Exercise:/d
s/^ \* \{0,1\}//p
}' "$1"
        echo
        diff -u --label "$exercise.c" --label "$name.c" "$work/solution" \
            "$work/mutant" || true
    } >"$work/patch"
    changed=$(diff "$work/solution" "$work/mutant" | grep -c '^[<>]')
    all=$(wc -l <"$work/solution")
    if [ $((changed * 5)) -ge $((all * 2)) ]; then
        cmp -s "$1" "$dir/$name.c" || cp "$1" "$dir/$name.c"
    else
        mv "$work/patch" "$dir/$name.patch"
        show "$dir/$name.patch" >"$work/again"
        cmp "$1" "$work/again" # it is to be the same text
    fi
    rm -rf "$work"
}

case ${1:-} in
show)
    file=$(find_mutant "$2")
    show "$file"
    ;;
write)
    if [ -z "$3" ]; then
        echo "make mutant NAME=...: one of"
        find "$known/mutants" -name '*.patch' -o -name '*.c' |
            sed 's|.*/||; s|\.[a-z]*$||' | sort | pr -t -2 -l 74 -w 80
        exit 2
    fi >&2
    mkdir -p "$2"
    file=$(find_mutant "$3")
    show "$file" >"$2/$3.c"
    echo "$2/$3.c"
    ;;
add)
    shift
    for file in "$@"; do add "$file"; done
    ;;
check)
    status=0
    while read -r file; do
        show "$file" >/dev/null || status=1
    done < <(find "$known/mutants" -name '*.patch')
    exit "$status"
    ;;
*)
    sed -n '4,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
