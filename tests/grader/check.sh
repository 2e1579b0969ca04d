#!/bin/sh
# check.sh - grades one exercise and keeps the reports for progress.sh
#
# Usage: [SUBMISSION=DIR] [REPORTS=DIR] [QUICK=1] \
#            tests/grader/check.sh BUILD_DIR EXERCISE [GRADE_OPTION...]
# Without SUBMISSION that of this directory: another's points are no progress.
# Exit status: the grader's.
set -u
build=$1 exercise=$2 submission=${SUBMISSION:-.}
shift 2
case $submission in
. | ./) whose=check ;;
*) whose=check-of-others ;;
esac
reports=${REPORTS:-$build/$whose/$exercise}
mkdir -p "$reports" || exit 3
"$build/tests/grade" -e "$exercise" -o "$reports" "$@" "$submission"
status=$?
if [ "$status" -gt 1 ]; then
    exit "$status"
elif [ "${QUICK:-}" = 1 ]; then
    touch "$reports/quick"
else
    rm -f "$reports/quick"
fi
exit "$status"
