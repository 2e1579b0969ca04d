#!/bin/sh
# rooms_test.sh - does rooms.sh see what breaks the rules? Exits 1 if not
#
# A harness of two rooms in a folder of its own is right; then each fault is
# put in once.
set -u
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
bad=0

# file ROOM/NAME.c TEXT : writes it, with a header, and compiles a .c
file() {
    mkdir -p "$work/tests/${1%/*}" "$work/objects/${1%/*}"
    printf '/*\n * %s - a file\n */\n%s\n' "${1##*/}" "$2" >"$work/tests/$1"
    case $1 in
    *.c) "${CC:-cc}" -I"$work/tests" -c -o "$work/objects/${1%.c}.o" \
        "$work/tests/$1" || bad=1 ;;
    esac
}

right() {
    rm -rf "$work/tests" "$work/objects"
    file low/a.h 'int a(void);'
    file low/a.c '#include "low/a.h"
int a(void) { return 1; }'
    file high/b.c '#include "low/a.h"
int b(void); int b(void) { return a(); }'
    printf '| `low/` | lies below | - |\n| `high/` | lies above | low |\n' \
        >"$work/tests/README.md"
}

# judge WORDS : rooms.sh must say them, or nothing where there are none
judge() {
    said=$("$here/rooms.sh" "$work/tests" "$work/objects" 2>&1)
    case $?:$said in
    "0:$1") ;;
    1:*"${1:-nothing}"*) ;;
    *)
        echo "rooms.sh says \"$said\"; expected: \"$1\""
        bad=1
        ;;
    esac
    right
}

right
judge ''
file high/b.h 'int b(void);'
file low/c.c '#include "high/b.h"
int c;'
judge 'low/ uses high/, which the map does not allow:  low/c.c->high/b.h'
file low/c.c 'int b(void); int c(void); int c(void) { return b(); }'
judge 'low/ uses high/, which the map does not allow:  low/c->high/b'
file high/c.c 'int b(void); int c(void); int c(void) { return b(); }'
file high/b.c 'int b(void); int c(void); int b(void) { return c(); }'
judge 'in a circle'
file high/b.h '#include "high/c.h"'
file high/c.h '#include "high/b.h"'
judge 'in a circle'
file cellar/d.c 'int d;'
judge 'cellar/ is not in the map'
sed -i '2d' "$work/tests/low/a.h"
judge 'low/a.h: its first line is not'
exit $bad
