#!/bin/sh
# handout.sh - packs the kit: for students, for a teacher, or for Gradescope
#
# Usage: tests/grader/handout.sh students FILE.tar.gz
#        tests/grader/handout.sh teacher FILE.tar.gz SLIDES.html
#        tests/grader/handout.sh gradescope FILE.zip [HIDDEN.conf [EXERCISES]]
# The students' pack has neither solutions nor submissions, right or wrong, nor
# what only maintainers run; it has the files with which their repository grades
# itself. The teacher's pack has all of it, and the slides.
set -eu
what=$1 out=$2 more=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
mkdir -p "$(dirname "$out")" "$work/kit"
case $out in /*) ;; *) out=$PWD/$out ;; esac
rm -f "$out"

# pack TAR_OPTION... : what is there, not what a version control system knows
pack() {
    tar -cf - --exclude=./build --exclude=./.git "$@" . |
        tar -xf - -C "$work/kit"
    # What was compiled beside its source has no extension.
    find "$work"/kit/0* -type f ! -name '*.*' -exec rm -f {} +
    chmod -R u+rwX,go+rX "$work/kit"
    # Every report names it.
    [ -f .version ] ||
        git describe --always --dirty >"$work/kit/.version" 2>/dev/null ||
        rm "$work/kit/.version"
}
archive() {
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner \
        -czf "$out" kit
}

case $what in
students)
    pack --exclude=./tests/grader/known --exclude=./tests/grader/probe \
        --exclude=./tests/grader/gradescope --exclude=./tests/suites \
        --exclude='./tests/tools/bench*' --exclude=./tests/explore/bench.sh \
        --exclude=./tests/tools/soak.sh --exclude=./.ci \
        --exclude='./0*/slides.md'
    mkdir -p "$work/kit/.github/workflows"
    cp tests/workshop/ci/check.yml "$work/kit/.github/workflows/check.yml"
    cp tests/workshop/ci/gitlab-ci.yml "$work/kit/.gitlab-ci.yml"
    archive
    ;;
teacher)
    pack
    cp "$more" "$work/kit/slides.html"
    archive
    ;;
gradescope)
    pack --exclude=./tests/grader/known
    cp tests/grader/gradescope/setup.sh \
        tests/grader/gradescope/run_autograder "$work"
    chmod +x "$work/setup.sh" "$work/run_autograder"
    [ -z "$more" ] || cp "$more" "$work/hidden.conf"
    echo "${4:-}" >"$work/exercises"
    (cd "$work" && zip -q -X -r "$out" .)
    ;;
*)
    echo "handout.sh: $what: expected students, teacher or gradescope" >&2
    exit 2
    ;;
esac
echo "$out"
