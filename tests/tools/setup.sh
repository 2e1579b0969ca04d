#!/bin/sh
# setup.sh - installs what a target of make needs and this system lacks
#
# Usage: tests/tools/setup.sh TARGET...     installs (`make setup demo test`)
#        tests/tools/setup.sh -n TARGET     only says what is missing, exit 1
#        tests/tools/setup.sh -l TARGET     the libraries that are missing
#        tests/tools/setup.sh               what each target would install
# What is there is found by trying it, never by a name or a version. Quick and
# silent when nothing is missing. No service is installed or started: the kit
# starts a Redis of its own where it needs one, and never talks to another.
set -u
PATH=$PATH:/usr/sbin:/sbin
CC=${CC:-cc}

# What a target needs, in words that `lacks` knows; fails for any other target.
needs() {
    case $1 in
    all) echo cc curl hiredis ;;
    editor) echo "$(needs test) bear" ;;
    sites) echo cc microhttpd ;;
    demo | timeline) echo cc curl microhttpd hiredis jansson xml2 redis ;;
    explore | play) echo cc objcopy ;;
    tsan) echo cc ;;
    helgrind) echo cc valgrind ;;
    grade | grader | check | grade-all | selftest | gradescope)
        echo "$(needs demo) objcopy bwrap zip unzip patch"
        ;;
    watch) echo "$(needs check) entr" ;;
    test | soak | world) echo "$(needs grade) cunit xmllint ip time" ;;
    matrix) echo "$(needs test) clang clang-runtime" ;;
    bench) echo "$(needs demo) benchmark curl-tool hyperfine time" ;;
    plots) echo "$(needs demo) gnuplot time" ;;
    slides | teacher) echo "$(needs timeline) pandoc" ;;
    browser) echo "$(needs slides) chromium chromedriver" ;;
    arm64) echo "$(needs test) cross qemu" ;;
    musl) echo "$(needs all) musl-gcc" ;;
    mutant) echo patch ;;
    tidy) echo "$(needs test) clang-format" ;;
    doctor | handout | hint | progress | clean | help) ;;
    *) return 1 ;;
    esac
}

compiles() { # compiles COMPILER FLAG... : does it build an empty program?
    printf 'int main(void) { return 0; }\n' |
        "$@" -x c -o /dev/null - >/dev/null 2>&1
}
header() { # header NAME PACKAGE [FLAG]
    printf '#include <%s>\n' "$1" |
        "$CC" ${3:+"$3"} -E -x c - >/dev/null 2>&1 || echo "$2"
}
program() { # program PACKAGE NAME... : any of these names will do
    package=$1
    shift
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    echo "$package"
}
# lacks WORD : the packages, by Debian's names, that are missing for it
lacks() {
    case $1 in
    cc) compiles "$CC" || echo gcc libc6-dev ;;
    curl) header curl/curl.h libcurl4-openssl-dev ;;
    microhttpd) header microhttpd.h libmicrohttpd-dev ;;
    hiredis) header hiredis/hiredis.h libhiredis-dev ;;
    jansson) header jansson.h libjansson-dev ;;
    cunit) header CUnit/CUnit.h libcunit1-dev ;;
    xml2) header libxml/xmlwriter.h libxml2-dev -I/usr/include/libxml2 ;;
    # The tools hold the server, too, under another name: see run/redis.sh.
    redis) program redis-tools redis-server redis-check-rdb valkey-server ;;
    benchmark) program redis-tools redis-benchmark ;;
    bwrap) program bubblewrap bwrap ;;
    cross) program gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc ;;
    qemu) program qemu-user qemu-aarch64 ;;
    musl-gcc) program musl-tools musl-gcc ;;
    objcopy) program binutils objcopy ;;
    xmllint) program libxml2-utils xmllint ;;
    ip) program iproute2 ip ;;
    chromedriver) program chromium-driver chromedriver ;;
    curl-tool) program curl curl ;;
    gnuplot) program gnuplot-nox gnuplot ;;
    time) [ -x /usr/bin/time ] || echo time ;;
    clang-runtime) # its package has clang's version in its name
        ! compiles clang || compiles clang -fsanitize=address ||
            echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
        ;;
    *) program "$1" "$1" ;;
    esac
}
missing() { # missing TARGET... : all that these lack, once
    for target in "$@"; do
        # shellcheck disable=SC2046 # a list of words
        for word in $(needs "$target"); do
            lacks "$word"
        done
    done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

install() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "This system has no apt-get. Please install, by Debian's names: $*"
        exit 1
    fi
    become=
    if [ "$(id -u)" -ne 0 ]; then
        become="sudo env DEBIAN_FRONTEND=noninteractive"
        command -v sudo >/dev/null 2>&1 || {
            echo "You are not root and there is no sudo. Please ask whoever" \
                "has root to run: apt-get install -y" \
                "--no-install-recommends $*"
            echo "Until then plain \`make\` builds what it can, and says what" \
                "it leaves out."
            exit 1
        }
    fi
    echo "Installing with apt-get: $*"
    export DEBIAN_FRONTEND=noninteractive
    # The lists may be old or absent; without them nothing can be found.
    $become apt-get -q update && $become apt-get -q -y install \
        --no-install-recommends "$@"
}

if [ $# -eq 0 ]; then
    echo "make setup TARGET... installs what these targets need, just now:"
    for target in all demo sites timeline explore check watch test matrix bench \
        plots slides browser helgrind tidy; do
        names=$(missing "$target")
        printf '  %-9s %s\n' "$target" "${names:-nothing}"
    done
    exit 0
fi
ask=
case $1 in -*) ask=$1 && shift ;; esac
for target in "$@"; do
    needs "$target" >/dev/null || {
        echo "setup: $target is not a target that needs anything installed" >&2
        exit 2
    }
done
if [ "$ask" = -l ]; then # in the words that follow -l in a "Build:" line
    [ -z "$(lacks cc)" ] || exit 0 # it says itself that it is not there
    for word in $(needs "$1"); do
        [ "$word" = cc ] || [ -z "$(lacks "$word")" ] || echo "$word"
    done
    exit 0
fi
names=$(missing "$@")
if [ "$ask" = -n ]; then
    [ -z "$names" ] || {
        echo "make $* needs ${names% }: install with \`make setup $*\`" >&2
        exit 1
    }
    exit 0
fi
# Twice: what clang lacks can only be tried once clang is there.
for _ in 1 2; do
    [ -n "$names" ] || exit 0
    # shellcheck disable=SC2086 # a list of names
    install $names || exit 1
    names=$(missing "$@")
done
[ -z "$names" ] || { echo "Still missing: $names" >&2 && exit 1; }
