#!/bin/bash
# elsewhere.sh - the lessons on arm64 and on musl, beside this machine's own
#
# Usage: tests/tools/elsewhere.sh arm64|musl BUILD_DIR
# arm64: all of it is cross-compiled, warnings are errors, and what needs no
# network runs under qemu-user. musl: each lesson that needs only libc. A
# program must end as the one that was built for this machine, and print the
# same lines in any order; in 06-locks these are counts that luck decides, in
# start_cost times, and how it ends is enough. explore runs its examples in the
# same schedules on arm64, and in virtual time the programs that call each of
# the shim's functions, and the cooks of every lesson, need exactly their time.
# What cannot run here is skipped, with the reason.
set -u
where=$1 build=$2 out=$2/$1
here=$(dirname "$0")
passed=0 failed=0 skipped=0
mkdir -p "$out" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

count() { # count ok|FAIL|skip TEXT
    case $1 in ok) ((passed++)) ;; FAIL) ((failed++)) ;; *) ((skipped++)) ;; esac
    printf '%-4s %s: %s\n' "$1" "$where" "$2"
}

# For gcc, whose outlined atomics need libgcc, as the shim does, too.
cross_compile() {
    "$here/arm64_root.sh" "$out" >"$work/log" 2>&1 || {
        tail -n 3 "$work/log"
        return 1
    }
    root=$(cd "$out/root" && pwd)
    printf '#!/bin/sh\nexec aarch64-linux-gnu-gcc --sysroot=%s "$@"\n' \
        "$root" >"$out/cc"
    chmod +x "$out/cc"
    make -j2 CC="$PWD/$out/cc" B="$out" XML=-I=/usr/include/libxml2 \
        EXTRA=-Werror all everything >"$work/log" 2>&1 || {
        grep -A 5 -m 5 'error\|warning' "$work/log"
        return 1
    }
}

# arguments NAME : those that make a program quick
arguments() {
    case $1 in
    0[1-5]*/messages) echo -i 1 ;;
    0[1-5]*/increment) echo -t 4 -n 1000 ;;
    0[1-5]*/cooking) echo -m 1 ;;
    06*/contention) echo -n 1000 ;;
    esac
}

# said NAME COMMAND... : its exit status and its lines in NAME, sorted
said() {
    local name=$1
    shift
    timeout 120 "$@" >"$work/lines" 2>"$work/errors" </dev/null
    echo "exit status $?" >"$work/$name"
    sort "$work/lines" >>"$work/$name"
}

# starts_programs FILE : does it call a function that executes a file?
starts_programs() {
    nm -D --undefined-only "$1" | grep -qE ' (posix_spawnp?|exec[lv])'
}

# compare NAME COMMAND... : the command is NAME, built for elsewhere
compare() {
    local name=$1
    shift
    # shellcheck disable=SC2046 # a list of arguments
    {
        said here "$build/$name" $(arguments "$name")
        said there "$@" $(arguments "$name")
    }
    [[ $name != 06-* && $name != */start_cost ]] || sed -i '2,$d' "$work/here" "$work/there"
    if cmp -s "$work/here" "$work/there"; then
        count ok "$name"
    elif [ "$where" = arm64 ] && ! ls /proc/sys/fs/binfmt_misc/*aarch64 \
        >/dev/null 2>&1 && starts_programs "$build/$name"; then
        count skip "$name: it starts itself, and binfmt knows no arm64 here"
    else
        count FAIL "$name"
        diff "$work/here" "$work/there" | head -n 5
        tail -n 3 "$work/errors"
    fi
}

# explored NAME DIRECTORY : explores an example; its outcomes and counts
explored() {
    local arguments=
    case $1 in
    c11) arguments=lock ;;
    clocks) arguments=timedjoin ;;
    forgotten_join) arguments=none ;;
    heap) arguments=use ;;
    long_loop) arguments=100 ;;
    misuse) arguments=destroy ;;
    philosophers | greet) arguments=3 ;;
    primitives) arguments=try ;;
    waits) arguments=stack_flag ;;
    esac
    rm -f "$work/report"
    PROGRAM=tests/explore/examples/$1 ARGS=$arguments EXPLORE_DIR=$2 BOUND=1 \
        MAX_SCHEDULES=30 REPORT=$work/report timeout 120 \
        tests/explore/explore.sh >/dev/null 2>"$work/errors"
    echo "exit status $?"
    grep -E '^outcome|schedules?, | runs in ' "$work/report" |
        sed 's/ in [0-9.]* s.*//; s|/qemu: uncaught.*||'
}

# The same schedules there: explore must not know which machine it is on.
compare_explored() {
    local name cross=$work/cross
    mkdir "$cross"
    for name in nm objcopy readelf addr2line; do
        ln -s "$(command -v "aarch64-linux-gnu-$name")" "$cross/$name"
    done
    for name in tests/explore/examples/*; do
        name=$(basename "$name" .c)
        case $name in guarded.h | broken | unfit) continue ;; esac
        explored "$name" "$build/explore" >"$work/here"
        PATH=$cross:$PATH CC=$PWD/$out/cc EMULATOR="qemu-aarch64 -L $root" \
            explored "$name" "$out/explore" >"$work/there"
        if grep -q '^outcome' "$work/here" && cmp -s "$work/here" "$work/there"
        then
            count ok "explore $name: the same schedules"
        else
            count FAIL "explore $name: the same schedules"
            diff "$work/here" "$work/there" | head -n 5
            tail -n 3 "$work/errors"
        fi
    done
}

# in_virtual_time : arm64's shim and programs, moved on by this machine's harness
in_virtual_time() {
    local word="the clock's shim: each call, in virtual time" there=$out/emulated
    if ! readelf -lW "$(command -v qemu-aarch64)" | grep -q INTERP; then
        count skip "$word: qemu-aarch64 is static, its own thread is in the way"
        return
    fi
    rm -rf "$there"
    mkdir -p "$there/tests"
    ln -s "$PWD/$out"/0*/ "$there"
    ln -s "$PWD/$out"/tests/{run,suites,clock_shim.so} "$there/tests"
    cp "$build/tests/test_runner" "$there/tests" # it takes the shim beside it
    gcc -std=gnu17 -O2 -Wall -Wextra -Werror -fPIC -shared \
        -o "$there/by_qemu.so" "$here/by_qemu.c" &&
        ROOT=$root LD_PRELOAD=$PWD/$there/by_qemu.so \
            "$there/tests/test_runner" "$there" program cooking >"$work/log" 2>&1
    if [ $? -eq 0 ]; then
        count ok "$word"
    else
        count FAIL "$word"
        grep -A 5 -v '^ok' "$work/log" | head -n 20
    fi
    while read -r line; do
        count skip "$line"
    done < <(sed -n 's/^skip program: //p' "$work/log")
}

only_libc() { # only_libc FILE : needs its Build line no other library?
    grep -q '^ \* Build: cc' "$1" && ! grep -q '^ \* Build:.* -l[^mr]' "$1"
}

if [ "$where" = arm64 ]; then
    if cross_compile; then
        count ok "everything compiles without a warning"
    else
        count FAIL "everything compiles without a warning"
        exit 1
    fi
fi
for source in 0[1-6]-*/*.c; do
    name=${source%.c}
    case $name in */exercise_*) continue ;; esac
    only_libc "$source" || continue
    if [ "$where" = arm64 ]; then
        compare "$name" qemu-aarch64 -L "$root" "$out/$name"
    elif mkdir -p "$out/${name%/*}" && musl-gcc -std=gnu17 -O2 -Wall -Wextra \
        -Werror -pthread -static -o "$out/$name" "$source" 2>"$work/log"; then
        compare "$name" "$out/$name"
    elif sed '/\*\//q' "$source" | grep -q glibc; then
        count skip "$name: $(sed '/\*\//q' "$source" | grep -m 1 glibc)"
    else
        count FAIL "$name does not compile"
        head -n 5 "$work/log"
    fi
done
if [ "$where" = arm64 ]; then
    compare_explored
    in_virtual_time
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
