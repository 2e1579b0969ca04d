#!/bin/bash
# grade_all.sh - grades a folder of submissions, a folder a student
#
# Usage: SEED=n JOBS=n tests/grader/grade_all.sh BUILD_DIR SUBMISSIONS OUT \
#            [GRADE_OPTION...]
# Each student's reports (JSON, XML, HTML) go to OUT/STUDENT/, the points of all
# to OUT/grades.csv. Stopped or killed and started again, it goes on where it
# was: who has been graded with this seed, by this grader, since the submission
# last changed, is not graded again. Exit status: 0 all are graded, 1 some could
# not be, 2 wrong usage, 128 + n stopped by signal n.
#
# It calls itself for each student, as "-1 BUILD_DIR MARK DIR OUT OPTION...".
set -u

# one BUILD_DIR MARK DIR OUT OPTION... : grades one; ends when its parent does
one() {
    local build=$1 mark=$2 dir=$3 out=$4 status
    shift 4
    rm -f "$out/done"
    setpriv --pdeathsig TERM "$build/tests/${GRADER:-grade}" -o "$out" "$@" \
        "$dir" >"$out/table" 2>&1 </dev/null 9>&- &
    trap 'kill $!; wait; exit 130' INT TERM
    wait $!
    status=$?
    # Full marks or not: it was graded.
    [ "$status" -gt 1 ] || echo "$mark" >"$out/done"
}
if [ "$1" = -1 ]; then
    shift
    one "$@"
    exit
fi

build=$1 submissions=$2 out=$3
shift 3
[ -d "$submissions" ] || {
    echo "make grade-all SUBMISSIONS=DIR: a folder with a folder a student" >&2
    exit 2
}
[[ ${SEED:-0} =~ ^[0-9]{1,19}$ ]] || {
    echo "SEED=$SEED: expected a number" >&2
    exit 2
}
[[ ${JOBS:-1} =~ ^[1-9][0-9]{0,5}$ ]] || {
    echo "JOBS=$JOBS: not a number from 1" >&2
    exit 2
}
[ ! "$submissions" -ef "$out" ] || {
    echo "$out: has the submissions; the reports need a folder of their own" >&2
    exit 2
}
mkdir -p "$out" || exit
exec 9>"$out/lock"
# Those that a killed one had begun still end: they have the lock as well.
flock -w 60 9 || { echo "$out: another one is at work there" >&2; exit 2; }
seed=${SEED:-$(cat "$out/seed" 2>/dev/null || echo $((RANDOM * 32768 + RANDOM)))}
echo "$seed" >"$out/seed"
mark="$seed $(cksum <"$build/tests/${GRADER:-grade}") $*"

students=() todo=() left_out=()
for dir in "$submissions"/*; do
    student=$(basename "$dir")
    [ ! "$dir" -ef "$out" ] || continue
    if [ ! -d "$dir" ] || [ -L "$dir" ]; then
        [ ! -e "$dir" ] && [ ! -L "$dir" ] || left_out+=("$student")
        continue
    fi
    students+=("$student")
    [ "$(cat "$out/$student/done" 2>/dev/null)" = "$mark" ] &&
        [ -z "$(find "$dir" -newer "$out/$student/done" -print -quit)" ] ||
        todo+=("$student")
done
[ ${#left_out[@]} -eq 0 ] ||
    echo "left out, no folder:$(printf ' %q' "${left_out[@]}")" >&2
[ ${#students[@]} -gt 0 ] || { echo "$submissions: no folder in it" >&2; exit 2; }

# csv : the points of all who have been graded, whole beside itself first
csv() {
    local student
    echo student,exercise,points,of,seed
    for student in "${students[@]}"; do
        [ -f "$out/$student/done" ] || continue
        awk -F '\t' -v student="${student//\"/\"\"}" '
            !($1 in of) { order[++n] = $1 }
            { points[$1] += $4; of[$1] += $5; seed = $6 }
            END { for (i = 1; i <= n; i++)
                printf "\"%s\",%s,%g,%g,%s\n", student, order[i],
                    points[order[i]], of[order[i]], seed }' \
            "$out/$student/results.tsv"
    done
}

# row STUDENT : of the table
done_now=0
row() {
    local points='not graded' left
    done_now=$((done_now + 1)) left=$((${#todo[@]} - done_now))
    [ ! -f "$out/$1/done" ] ||
        points=$(awk -F '\t' '{ p += $4; of += $5 }
            END { printf "%g of %g", p, of }' "$out/$1/results.tsv")
    printf '%-30s %-14s %4d of %d, %d left' "$1" "$points" \
        $((${#students[@]} - left)) ${#students[@]} "$left"
    [ "$left" -eq 0 ] ||
        printf ', about %d min' $(((SECONDS * left / done_now + 59) / 60))
    echo
    [ -f "$out/$1/done" ] || tail -n 1 "$out/$1/table" | sed 's/^/    /'
    csv >"$out/grades.csv.new"
    mv "$out/grades.csv.new" "$out/grades.csv"
}

declare -A running=() # process: student
stop() { # stop STATUS
    # shellcheck disable=SC2046 # a list of process ids
    kill $(jobs -p) 2>/dev/null
    wait
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP
reap() { # reap : waits for one of them
    local ended=
    wait -n -p ended "${!running[@]}"
    [ -n "$ended" ] || return
    row "${running[$ended]}"
    unset "running[$ended]"
}

echo "seed $seed, $((${#students[@]} - ${#todo[@]})) of ${#students[@]} done"
for student in "${todo[@]}"; do
    while [ ${#running[@]} -ge "${JOBS:-1}" ]; do reap; done
    mkdir -p "$out/$student"
    setpriv --pdeathsig TERM "$0" -1 "$build" "$mark" "$submissions/$student" \
        "$out/$student" -s "$seed" "$@" &
    running[$!]=$student
done
while [ ${#running[@]} -gt 0 ]; do reap; done
csv >"$out/grades.csv"
failed=0
for student in "${students[@]}"; do
    [ -f "$out/$student/done" ] || failed=$((failed + 1))
done
echo "$out/grades.csv: ${#students[@]} students, $failed could not be graded"
[ "$failed" -eq 0 ]
