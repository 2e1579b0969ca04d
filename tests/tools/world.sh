#!/bin/bash
# world.sh - the rooms of the world: the kit under the conditions it will meet
#
# Usage: tests/tools/world.sh BUILD_DIR
# One CPU, few files or processes, no shared memory, a full TMPDIR, another
# language, a proxy, a clock that jumps ...: in each the lessons, a short demo
# and two suites must do just what they do elsewhere. Needs root for most; what
# cannot be had here is skipped, with the reason.
set -u
SUITES=${SUITES:-messages cooking}
wrong() { # wrong BUILD_DIR : what the suites run beside the lessons
    for suite in $SUITES; do
        for program in "tests/suites/wrong/${suite}_"*.c; do
            echo "$1/${program%.c}"
        done
    done
}
make_all() { # make_all BUILD_DIR : what is run in a room
    # shellcheck disable=SC2046 # a list of names
    make -s -j2 B="$1" all "$1"/tests/{demo,test_runner} \
        "$1"/tests/{clock,stdout}_shim.so $(wrong "$1")
}
if [ "$1" = inside ]; then # world.sh inside BUILD_DIR : what is run in a room
    build=$2
    set -e
    for pair in increment_mutex bounded_queue deadlock_order rwlock; do
        "$build/06-locks/$pair" >/dev/null
    done
    for tool in 01-sequential 02-threads 03-processes 04-async 05-queue; do
        [ "$("$build/$tool/messages" -i 10 | wc -l)" -eq 24 ]
        [ "$("$build/$tool/cooking" -m 1 | wc -l)" -eq 80 ]
        [ "$("$build/$tool/increment" -t 4 -n 1000 | wc -l)" -eq 8 ]
    done
    page=$(mktemp -d)
    trap 'rm -rf "$page"' EXIT
    "$build/tests/demo" -s -o "$page/demo.html" "$build"
    [ -s "$page/demo.html" ]
    rm "$page/demo.html"
    # shellcheck disable=SC2086 # a list of names
    "$build/tests/test_runner" "$build" $SUITES
    exit
fi
if [ "$1" = elsewhere ]; then # world.sh elsewhere BUILD_DIR : built there
    ! touch README.md 2>/dev/null && make_all "$2" && "$0" inside "$2" &&
        make -s B="$2" clean && [ ! -e "$2" ]
    exit
fi
build=$1
. "$(dirname "$0")/load.sh"
passed=0 failed=0 skipped=0
work=$(mktemp -d)
chmod 755 "$work"
finish_all() {
    finish
    umount "$work"/*/ 2>/dev/null
    rm -rf --one-file-system "$work"
}
trap finish_all EXIT
trap 'exit 130' INT TERM

# room WORD COMMAND... : the command leads there and runs what it is given
room() {
    local word=$1
    shift
    if "$@" "${me[@]}" >"$work/log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok   $word"
    else
        failed=$((failed + 1))
        echo "FAIL $word"
        grep -v '^ok' "$work/log" | tail -n 12 | sed 's/^/     /'
    fi
}
no_room() { # no_room WORD REASON
    skipped=$((skipped + 1))
    echo "skip $1: $2"
}
me=("$PWD/tests/tools/world.sh" inside "$build")

# mounted SCRIPT COMMAND... : the script changes what is mounted, here alone
mounted() {
    local script=$1
    shift
    # shellcheck disable=SC2016 # expanded inside
    unshare -m sh -ec 'mount --make-rprivate /; work=$1 script=$2; shift 2
        eval "$script"; exec "$@"' sh "$work" "$script" "$@"
}
few_files() { (ulimit -n 256 && "$@"); }
few_processes() {
    # shellcheck disable=SC2016
    setpriv --reuid=61234 --regid=61234 --clear-groups --no-new-privs env \
        TMPDIR=/tmp bash -c 'ulimit -u 100 && "$@"' bash "$@"
}
in_tree() { # in_tree DIRECTORY : a copy of the kit, built there
    mkdir -p "$1" && tar -cf - --exclude=./build --exclude=./.git . |
        tar -xf - -C "$1" && built_there "$1"
}
closed_to_others() { # in which a suite becomes another user
    (export SUITES="$SUITES processes" && in_tree "$1")
}
in_clone() { # in_clone DIRECTORY : likewise, as git checks it out
    git clone -q -c core.autocrlf=true . "$1" && built_there "$1"
}
built_there() (
    cd "$1" && make_all build && tests/tools/world.sh inside build
)
closed_output() { # nobody reads: an error that is told, and no success
    "$build/02-threads/messages" -i 1 >&- 2>"$work/told" && return 1
    [ -s "$work/told" ] || return 1
    "$build/02-threads/increment" -t 100000 -n 1 2>/dev/null | head -n 1
    [ "${PIPESTATUS[0]}" -ne 0 ] && "$@"
}
jumping_clock() {
    cc -O2 -fPIC -shared -o "$work/jumping_clock.so" \
        tests/tools/jumping_clock.c &&
        LD_PRELOAD=$work/jumping_clock.so "$@"
}

room "one CPU" taskset -c 0
room "256 open files" few_files
room "no HOME" env -u HOME
room "a proxy for everything" env http_proxy=http://127.0.0.1:1 \
    https_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
room "output closed, and into head" closed_output
for language in de_DE tr_TR; do
    word="the language $language: a comma in numbers, an i without its dot"
    mkdir -p "$work/locales"
    if localedef -i $language -f UTF-8 "$work/locales/$language.UTF-8" \
        >/dev/null 2>&1; then
        room "$word" env LOCPATH="$work/locales" LC_ALL=$language.UTF-8
    else
        no_room "$word" "localedef cannot make it (Debian: locales)"
    fi
done
if half_cpu; then
    room "half a CPU" within
    finish
else
    no_room "half a CPU" "no cgroup here can limit it"
fi
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
    room "no shared memory, no message queues" mounted '
        mkdir -p "$work/dev" && mount -t tmpfs none "$work/dev"
        for node in null zero full random urandom tty; do
            : >"$work/dev/$node"
            mount --bind "/dev/$node" "$work/dev/$node"
        done
        ln -s /proc/self/fd "$work/dev/fd"
        mount --rbind "$work/dev" /dev'
    room "shared memory read-only" mounted 'mount -t tmpfs -o ro none /dev/shm'
    room "a TMPDIR of 1 MB" mounted 'mkdir -p "$work/small"
        mount -t tmpfs -o size=1m none "$work/small"
        export TMPDIR=$work/small'
    me=("$PWD/tests/tools/world.sh" elsewhere "$work/elsewhere")
    room "a read-only source tree, built elsewhere" mounted \
        'mount --bind "$PWD" "$PWD"; mount -o remount,bind,ro "$PWD"
        cd "$PWD"' # not the folder below the mount
    me=("$PWD/tests/tools/world.sh" inside "$build")
    if setpriv --reuid=61234 --regid=61234 --clear-groups test -x "$build"; then
        room "100 processes, an ordinary user" few_processes
    else
        no_room "100 processes, an ordinary user" "it may not enter this folder"
    fi
else
    no_room "changed mounts, an ordinary user" "only root can make these rooms"
fi
room "a wall clock that jumps by days" jumping_clock
me=()
mkdir -m 700 "$work/closed"
room "a folder that only its owner may enter" \
    closed_to_others "$work/closed/kit"
room "a path with blanks and umlauts" in_tree "$work/für alle Übungen"
if git rev-parse --git-dir >/dev/null 2>&1; then
    room "git with core.autocrlf=true" in_clone "$work/clone"
else
    no_room "git with core.autocrlf=true" "this is no clone"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
