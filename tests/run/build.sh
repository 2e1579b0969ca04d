#!/bin/sh
# build.sh - reads the "Build:" line of a program: how it is compiled
#
# Usage: tests/run/build.sh SOURCE OUTPUT
#        prints the words to follow the name of a compiler, as they are to be
#        where we are: -O2 -pthread -o OUTPUT 02-threads/messages.c -lcurl
#        tests/run/build.sh -f SOURCE
#        prints the flags alone, without the sources and -o
# The line is in the header comment and is meant for the folder of the source.
# A program without one is one file, with threads.
set -fu
flags=no
[ "$1" != -f ] || { flags=yes && shift; }
source=$1 output=${2:-} folder=$(dirname "$1")/
[ "$folder" != ./ ] || folder=
line=$(sed -n '1,/\*\//s/.*Build: *[^ ]* *//p' "$source") || exit 2
line=$(echo "$line" | head -n 1)
words='' before=''
for word in ${line:--pthread -o . "$(basename "$source")"}; do
    case $word in
    -o) kind=other ;;
    -[IL]/*) kind=flag ;;
    -[IL]?*)
        kind=flag rest=${word#-?}
        word=${word%"$rest"}$folder$rest
        ;;
    -*) kind=flag ;;
    *) kind=other word=$folder$word ;;
    esac
    [ "$before" != -o ] || word=$output
    [ $flags$kind = yesother ] || words="$words $word"
    before=$word
done
echo "${words# }"
