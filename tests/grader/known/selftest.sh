#!/bin/bash
# selftest.sh - the grader grades what is known: does it get every one right?
#
# Usage: SEED=n JOBS=n CHEAP=1 tests/grader/known/selftest.sh BUILD_DIR \
#            [FILE...]
# Without files: all that are known, with CHEAP=1 all but those in slow.txt.
# Solutions and variants must get full marks, the skeletons must not, and a
# mutant must lose the checks that its header names, one of them for the reason
# it gives, and no others but those that may be lost by luck (see mutant.sh):
#     Loses: concurrent
#     Perhaps: edges
#     Because: nothing overlapped
# and with words of the likely cause that this finding is given, if there are:
#     Cause: inside the loop
# A patch that does not apply to its solution fails.
# Prints a matrix: . passed, X lost as it should be, - depends on a lost one,
# s skipped (with the reason), ! any other outcome, with what was seen below;
# before the file's name, the seconds it took. Stopped, it leaves nothing;
# killed, only its folder in BUILD_DIR.
#
# It calls itself for each file, as "-1 BUILD_DIR SEED DIR FILE".
set -u
known=tests/grader/known tab=$(printf '\t')

value() { # value NAME FILE : what its header says after "NAME:"
    sed -n "1,/\*\//s/^ \* $1: *//p" "$2"
}

# exercise FILE : the exercise it is a submission of
exercise() {
    case $1 in
    "$known"/solutions/*) path=${1#"$known/solutions/"} && echo "${path%.c}" ;;
    "$known"/mutants/*) path=${1#"$known/mutants/"} && echo "${path%/*}" ;;
    0[1-6]-*) echo "${1%.c}" ;;
    *) value Exercise "$1" ;;
    esac
}

# text FILE : of the submission
text() {
    case $1 in *.patch) "$known/mutant.sh" show "$1" ;; *) cat "$1" ;; esac
}

# one BUILD_DIR SEED DIR FILE : grades the file in DIR; leaves its row of the
# matrix there, or a complaint. Ends when whoever started it does.
one() {
    local build=$1 seed=$2 dir=$3 file=$4 kind=right exercise source
    exercise=$(exercise "$file") source=$dir/$exercise.c
    case $file in
    "$known"/mutants/*) kind=mutant ;;
    0[1-6]-*) kind=skeleton ;;
    esac
    mkdir -p "${source%/*}" && : >"$dir/lines" || return
    if text "$file" >"$source" 2>"$dir/errors"; then
        setpriv --pdeathsig TERM "$build/tests/grade" -l -s "$seed" \
            -e "$exercise" "$dir" >"$dir/lines" 2>>"$dir/errors" </dev/null &
        trap 'kill $!; wait; exit 130' INT TERM
        wait $!
    fi
    awk -F "$tab" -v kind="$kind" -v file="$(printf '%4d' $SECONDS)  $file" \
        -v exercise="$exercise" \
        -v loses="$(value Loses "$source" | tr '\n' ' ')" \
        -v perhaps="$(value Perhaps "$source" | tr '\n' ' ')" \
        -v cause="$(value Cause "$source" | tr '\n' ' ')" \
        -v because="$(value Because "$source" | tr '\n' ' ')" "$judge" \
        "$dir/lines" >"$dir/row"
    sed 's/^/      /' "$dir/errors" >>"$dir/row"
}

# Lines: check, outcome, finding, likely cause. A row: exercise, file, verdict, cells.
judge='
BEGIN { n = split(loses, words, " "); sub(/ +$/, "", because)
    sub(/ +$/, "", cause)
    for (i = 1; i <= n; i++) want[words[i]] = 1
    m = split(perhaps, words, " ")
    for (i = 1; i <= m; i++) may[words[i]] = 1 }
{
    cell = "."; rows++; seen[$1] = 1
    if ($2 == "skipped") { cell = "s"
        skips = skips "\n      skipped " $1 ": " $3 }
    else if ($2 == "depends") cell = "-"
    else if ($2 != "passed") cell = "X"
    if (cell == "X" || cell == "-") lost++
    wrong = 0
    if (kind == "right" || $2 == "error") wrong = cell == "X" || cell == "-"
    if (kind == "mutant" && cell != "s" && !($1 in may))
        wrong = (cell != ".") != ($1 in want)
    if ($2 == "error") wrong = 1
    if (cell == "X" && because != "" && index($3, because) > 0) {
        reasoned = 1
        if (index($4, cause) > 0) explained = 1; else other = $4 }
    if (cell == "X") seen_faults = seen_faults "\n      " $1 ": " $3
    if (wrong) { cell = "!"; bad = 1
        said = said "\n      " $1 " " $2 ": " $3 }
    names = names " " $1; cells = cells cell
    if (cell == "s" && ($1 in want)) unjudged = 1
}
END {
    if (kind == "mutant" && !reasoned && lost) { bad = 1
        said = said "\n      expected because: " because seen_faults }
    if (cause != "" && reasoned && !explained) { bad = 1
        said = said "\n      expected cause: " cause ", not: " other }
    for (word in want) if (!(word in seen)) { bad = 1
        said = said "\n      there is no check " word }
    for (word in may) if (!(word in seen)) { bad = 1
        said = said "\n      there is no check " word }
    if (kind == "mutant" && n == 0) { bad = 1
        said = said "\n      its header names no lost check" }
    if (rows == 0) { bad = 1; said = said "\n      it was not graded" }
    if (kind == "skeleton" && !lost) { bad = 1
        said = said "\n      an untouched skeleton got full marks" }
    verdict = bad ? "FAIL" : unjudged ? "skip" : "ok  "
    printf "%s\t%s\t%s\t%s\t%s\n", verdict, exercise, names, cells, file
    if (bad || unjudged) printf "%s%s\n", substr(said, 2), skips
}'

if [ "$1" = -1 ]; then
    shift
    one "$@"
    exit
fi

build=$1 seed=${SEED:-$((RANDOM * 32768 + RANDOM))} jobs=${JOBS:-2}
shift
for stale in "$build"/selftest.*; do # of one that was killed
    kill -0 "${stale##*.}" 2>/dev/null || rm -rf "$stale"
done
work=$build/selftest.$$
mkdir -p "$work" || exit
stop() { # stop STATUS
    # shellcheck disable=SC2046 # a list of process ids
    kill $(jobs -p) 2>/dev/null
    wait
    exit "$1"
}
trap 'rm -rf "$work"' EXIT
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP
begin() { # begin NUMBER FILE : in the background
    setpriv --pdeathsig TERM "$0" -1 "$build" "$seed" "$work/$1" "$2" &
}

files=("$@")
if [ $# -eq 0 ]; then
    for file in "$known"/{solutions/*/*.c,variants/*.c,mutants/*/*/*.{c,patch}} \
        0[1-6]-*/exercise_*.c; do
        name=${file##*/}
        [ "${CHEAP:-}" = 1 ] && grep -qx "${name%.*}" "$known/slow.txt" &&
            continue
        [ -f "$file" ] && files+=("$file")
    done
    [ "${CHEAP:-}" != 1 ] ||
        echo "cut: the $(grep -vc '^#' "$known/slow.txt") slowest are left out"
fi
[ "${#files[@]}" -gt 0 ] || { echo "selftest: no files" >&2; exit 1; }

echo "seed $seed"
# A program that computes is graded alone: how many cores it uses is measured.
number=0 alone=()
for file in "${files[@]}"; do
    number=$((number + 1))
    if [[ $(exercise "$file") == *squares* ]]; then
        alone+=("$number" "$file")
        continue
    fi
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    begin "$number" "$file"
done
wait
for ((i = 0; i < ${#alone[@]}; i += 2)); do
    begin "${alone[i]}" "${alone[i + 1]}"
    wait
done

# The matrix: a heading for each exercise, then its files.
for ((i = 1; i <= number; i++)); do
    cat "$work/$i/row"
done >"$work/all"
awk -F "$tab" '
NF == 5 { key = $2; if (!(key in heading)) { order[++n] = key }
    if (length($3) > length(heading[key])) heading[key] = $3
    rows[key] = rows[key] sprintf("%s  %-16s %s\n", $1, $4, $5)
    if ($1 == "FAIL") failed++; else if ($1 == "skip") skipped++; else passed++
    next }
NF > 0 { rows[key] = rows[key] $0 "\n" }
END { for (i = 1; i <= n; i++)
        printf "\n%s:%s\n%s", order[i], heading[order[i]], rows[order[i]]
    printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0 || passed == 0 }' "$work/all"
