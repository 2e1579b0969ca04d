#!/bin/sh
# watch.sh - checks an exercise whenever its file is saved
#
# Usage: tests/grader/watch.sh EXERCISE COMMAND...
# Runs the command at once and after each save; one that still runs is ended
# first. Ctrl-C ends it.
set -u
source=$1.c
shift
# entr -d ends with 2 when an editor has put another file in its place.
trap 'kill $!; wait; exit 130' INT TERM HUP
while :; do
    echo "$source" | entr -n -r -d "$@" &
    wait $!
    [ $? -eq 2 ] || exit
done
