#!/bin/sh
# handout.sh - packs the kit: for students, or for Gradescope
#
# Usage: tests/grader/handout.sh kit FILE.tar.gz
#        tests/grader/handout.sh gradescope FILE.zip [HIDDEN.conf]
# Neither holds the solutions, nor the right and the wrong submissions.
set -eu
what=$1 out=$2 conf=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$(dirname "$out")" "$work/kit"
case $out in /*) ;; *) out=$PWD/$out ;; esac
rm -f "$out"

# What is there, not what a version control system knows.
tar -cf - --exclude=./build --exclude=./.git \
    --exclude=./tests/grader/known . |
    tar -xf - -C "$work/kit"
chmod -R u+rwX,go+rX "$work/kit"
# Every report names it.
[ -f .version ] ||
    git describe --always --dirty >"$work/kit/.version" 2>/dev/null ||
    rm "$work/kit/.version"

case $what in
kit)
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner \
        -czf "$out" kit
    ;;
gradescope)
    cp tests/grader/gradescope/setup.sh tests/grader/gradescope/run_autograder "$work"
    chmod +x "$work/setup.sh" "$work/run_autograder"
    [ -z "$conf" ] || cp "$conf" "$work/hidden.conf"
    (cd "$work" && zip -q -X -r "$out" .)
    ;;
*)
    echo "handout.sh: $what: expected kit or gradescope" >&2
    exit 2
    ;;
esac
echo "$out"
