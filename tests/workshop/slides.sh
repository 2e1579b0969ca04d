#!/bin/bash
# slides.sh - the lessons' slides as one page that needs no network, the same with
# the notes to print, and the cheat sheet, which prints on one sheet of paper
#
# Usage: tests/workshop/slides.sh BUILD_DIR     makes slides.html, notes.html and
#                                               cheatsheet.html in BUILD_DIR
#        tests/workshop/slides.sh -x FILE.md    prints FILE.md with its quotes
# A slide quotes the kit and never repeats it, so that it cannot be out of date.
# A line that begins with "!" is replaced by what it names:
#     !code FILE NAME           the function NAME of FILE
#     !lines N FILE TEXT        N lines of FILE from the one that holds TEXT
#     !transcript FILE COMMAND  what COMMAND prints, from a transcript in FILE
#     !diff FILE FILE N         N lines of their difference, no comments
#     !table FILE HEAD          the table whose first line begins with HEAD
#     !timeline PROGRAM... -- ARGUMENT...   the picture of a run, as SVG
#     !quiz NN                  a question of quizzes.md, its answer in the notes
# A quote that is not found is an error.
set -u
cd "$(dirname "$0")/../.." || exit 2
here=tests/workshop
complain() {
    echo "slides: $*" >&2
    exit 1
}

fenced() { # fenced LANGUAGE : standard input as a block of code
    local text
    text=$(cat)
    [ -n "$text" ] || complain "nothing to quote: $line"
    printf '```%s\n%s\n```\n' "$1" "$text"
}
code() { # code FILE NAME
    awk -v name="$2" '/^[a-z].*\{$/ && index($0, name "(") { on = 1 }
        on { print } on && /^}/ { exit }' "$1" | fenced c
}
lines() { # lines N FILE TEXT
    grep -F -A $(($1 - 1)) -m 1 -- "$3" "$2" | fenced c
}
transcript() { # transcript FILE COMMAND
    awk -v command="$ $2" '$0 == command { on = 1; print; next }
        on && (/^\$ / || /^```/) { exit } on' "$1" | fenced console
}
difference() { # difference FILE FILE N
    diff "$1" "$2" | grep '^[<>]' | grep -v '^[<>] \( \*\|#include\)' |
        head -n "$3" | fenced diff
}
table() { # table FILE HEAD
    awk -v head="$2" 'index($0, head) == 1 { on = 1 } on && !/^\|/ { exit }
        on { print; n++ } END { exit n == 0 }' "$1" |
        sed 's/](\.\.[^)]*)/]/g' || complain "nothing to quote: $line"
}
timeline() { # timeline PROGRAM... -- ARGUMENT...
    local picture
    picture=$("$build/tests/timeline" -t virtual "$build" "$@" |
        sed -n 's/^SVG: *//p')
    [ -f "$picture" ] || complain "no picture: $line"
    sed '/^<?xml/d; /^<!DOCTYPE/d' "$picture"
}
quiz() { # quiz NN
    awk -v lesson="## $1: " '
        index($0, lesson) == 1 { print "# " substr($0, length(lesson) + 1); on = 1
            next }
        /^## / { on = 0 }
        on && (at = index($0, " -- *")) { print substr($0, 1, at - 1)
            reason = substr($0, at + 4)
            if (reason ~ /^\*Right/) right = substr($0, 1, 2) " " reason
            next }
        on { print }
        END { if (right == "") exit 1
            print "\n::: notes\n" right "\n:::" }' $here/quizzes.md ||
        complain "nothing to quote: $line"
}
expand() { # expand FILE
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # a list of words
        case $line in
        '!code '*) code ${line#* } ;;
        '!lines '*)
            read -r _ n file text <<<"$line"
            lines "$n" "$file" "$text"
            ;;
        '!transcript '*)
            read -r _ file text <<<"$line"
            transcript "$file" "$text"
            ;;
        '!table '*)
            read -r _ file text <<<"$line"
            table "$file" "$text"
            ;;
        '!diff '*) difference ${line#* } ;;
        '!quiz '*) quiz ${line#* } ;;
        '!timeline '*) timeline ${line#* } ;;
        '!'*) complain "no such quote: $line" ;;
        *) printf '%s\n' "$line" ;;
        esac || exit 1
    done <"$1"
}

build=${BUILD:-build}
if [ "$1" = -x ]; then
    expand "$2"
    exit
fi
build=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE
for file in $here/slides.md 0[1-6]-*/slides.md; do
    expand "$file" || exit 1
    echo
done >"$work/slides.md" || exit 1
pandoc -t dzslides --standalone --self-contained --no-highlight \
    -H $here/slides_header.html -o "$build/slides.html" "$work/slides.md" ||
    exit 1
pandoc --standalone --self-contained --no-highlight -o "$build/notes.html" \
    -V header-includes='<style>.notes { border-left: 3px solid; padding-left: 1em }
        h1 { break-after: avoid } svg, pre { break-inside: avoid }</style>' \
    "$work/slides.md" || exit 1
pandoc --standalone --self-contained --no-highlight --metadata title="Cheat sheet" \
    -H $here/cheatsheet_header.html -o "$build/cheatsheet.html" \
    $here/cheatsheet.md || exit 1
for page in "$build/slides.html" "$build/notes.html" "$build/cheatsheet.html"; do
    grep -q 'src="http\|url(http\|<link' "$page" &&
        complain "$page asks the network for something"
    echo "$page"
done
