#!/bin/sh
# doctor.sh - is this machine ready for the lessons? A line a fact
#
# Usage: tests/workshop/doctor.sh [PORT]
# Needs nothing but a shell and, for most of it, a C compiler. Each "no" says
# what will not work and what to do. Exit status 0 when every lesson can be run.
set -u
cd "$(dirname "$0")/../.." || exit 2
CC=${CC:-cc} port=${1:-8000}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

fact() { # fact ok|no TEXT [WHAT TO DO]
    printf '%-4s %s\n' "$1" "$2"
    [ "$1" = ok ] || printf '     %s\n' "$3"
}
there() { command -v "$1" >/dev/null 2>&1; }
builds() { # builds TEXT FLAG... : does this program compile and link?
    text=$1
    shift
    printf '%s\n' "$text" |
        "$CC" -x c -o "$work/try" - "$@" >"$work/log" 2>&1
}
library() { # library HEADER FUNCTION -lNAME LESSONS
    builds "#include <$1>
int main(void) { return (void *)$2 == (void *)0; }" "$3" &&
        fact ok "library $3" && return
    fact no "library $3" "$4. Install it: make setup demo"
    return 1
}

# ---- The compiler; without one nothing else can be asked ----

if ! builds 'int main(void) { return 0; }'; then
    fact no "compiler $CC" "Nothing can be compiled. Install one: make setup all"
    echo "ready for: nothing yet"
    exit 1
fi
for compiler in gcc clang; do
    there $compiler && fact ok "compiler: $($compiler --version | head -n 1)"
done
fact ok "make: $(make --version 2>/dev/null | head -n 1)"
machine=$(uname -srm)
if grep -qi microsoft /proc/version 2>/dev/null; then
    machine="$machine, in WSL"
elif [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then
    machine="$machine, in a container"
fi
fact ok "machine: $machine"

# ---- The libraries, by lesson ----

curl='' hiredis='' redis=''
library curl/curl.h curl_easy_init -lcurl \
    "download in 01 to 05, both in 03" && curl=1
library hiredis/hiredis.h redisConnect -lhiredis \
    "client and worker in 05" && hiredis=1
library microhttpd.h MHD_start_daemon -lmicrohttpd \
    "make sites, make demo" || curl=
for server in redis-server redis-check-rdb valkey-server; do
    there $server && redis=1 && fact ok "Redis: $server" && break
done
[ -n "$redis" ] ||
    fact no "Redis" "client and worker in 05. Install it: make setup demo"

# ---- What is typed in the lessons, and what two targets need ----

needed() { # needed PROGRAM WHAT
    there "$1" && fact ok "program $1" ||
        fact no "program $1" "$2. Install it: make setup test"
}
needed /usr/bin/time "01: whether a program waits or computes"
needed ps "03: which child is to be killed"
needed taskset "02, 06: one CPU instead of all"
for target in timeline check; do
    if missing=$(tests/tools/setup.sh -n $target 2>&1); then
        fact ok "make $target has what it needs"
    else
        fact no "make $target" "$missing"
    fi
done

# ---- What a shell cannot ask ----

if "$CC" -O2 -pthread -o "$work/doctor" tests/workshop/doctor.c \
    >"$work/log" 2>&1; then
    "$work/doctor" "$port" | sed 's/^ok /ok   /; s/^no /no   /; s/^  /     /'
else
    fact no "doctor.c does not compile" "$(head -n 1 "$work/log")"
fi

# ---- The detectors ----

if builds 'int main(void) { return 0; }' -fsanitize=thread && "$work/try" \
    >"$work/log" 2>&1; then
    fact ok "ThreadSanitizer"
else
    fact no "ThreadSanitizer: $(head -n 1 "$work/log")" \
        "make tsan will not work; make explore finds the same races"
fi
EXPLORE_DIR=$work/explore PROGRAM=tests/explore/examples/increment \
    tests/explore/explore.sh >"$work/log" 2>&1
if [ $? -eq 1 ]; then # it finds the race that is there
    fact ok "explore"
else
    fact no "explore: $(tail -n 1 "$work/log")" \
        "06's orders cannot be explored. It needs gcc and binutils"
fi
if bwrap --ro-bind / / --unshare-all --die-with-parent true \
    >"$work/log" 2>&1; then
    fact ok "grading in a sandbox: bubblewrap"
elif [ "$(id -u)" -eq 0 ]; then
    fact ok "grading in a sandbox: as another user"
else
    fact no "grading in a sandbox" \
        "make check TRUST=1 grades your own work without one"
fi

# ---- The terminal ----

case $(locale charmap 2>/dev/null) in
UTF-8) fact ok "characters: UTF-8" ;;
*) fact ok "characters: $(locale charmap 2>/dev/null); the kit's are ASCII" ;;
esac
columns=$(stty size 2>/dev/null </dev/tty | cut -d' ' -f2)
if [ "${columns:-80}" -ge 80 ]; then
    fact ok "terminal: ${columns:-no terminal, so 80} columns"
else
    fact no "terminal: $columns columns" "Pictures get narrow: use 80 or more"
fi

# ---- The sum ----

if [ -n "$curl" ]; then
    ready="01 02 03 04"
    [ -n "$hiredis" ] && [ -n "$redis" ] && ready="$ready 05"
    rest=
    [ -n "$hiredis" ] && [ -n "$redis" ] || rest="; 05 without Redis"
    echo "ready for: $ready 06$rest"
    [ -z "$rest" ]
else
    echo "ready for: 06; 01 02 03 04 05 without download"
    exit 1
fi
