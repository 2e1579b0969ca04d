#!/bin/sh
# choose.sh - what a target of make can be called with, if it was with nothing
#
# Usage: tests/tools/choose.sh TARGET exercise|submission|programs|threads [WORD...]
# Lists the choices and exits 2 when there is no word, or one that is no
# exercise or no program of the kit or of one's own. What threads (programs
# that have some) and submission are given, their readers judge themselves.
set -u
exec >&2
target=$1 kind=$2
shift 2
# there WORD... : is each of them there?
there() {
    [ -n "${1:-}" ] || return
    for word; do
        case $kind:$word in
        exercise:0[1-6]-*/exercise_* | programs:*) [ -f "$word.c" ] ;;
        exercise:*) false ;;
        esac || { echo "$word: is not there"; return 1; }
    done
}
there "$@" && exit
case $kind in
submission)
    echo "make $target SUBMISSION=DIR: a folder with any of"
    ls 0[1-6]-*/exercise_*.c
    ;;
exercise)
    echo "make $target EXERCISE=...: one of"
    ls 0[1-6]-*/exercise_*.c | sed 's/\.c$//'
    ;;
programs)
    echo "make $target PROGRAM=\"... ...\": your own, or any of"
    grep -l '^ \* Build: cc' 0[1-6]-*/*.c | sed 's/\.c$//' | fmt -w 74
    ;;
threads)
    echo "make $target PROGRAM=...: your own, or one of"
    grep -l pthread_create 0[1-6]-*/*.c | sed 's/\.c$//' | fmt -w 74
    ;;
esac | sed '2,$s/^/    /'
exit 2
