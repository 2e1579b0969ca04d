#!/bin/sh
# matrix.sh - everything under gcc and clang, plain and with sanitizers
#
# Usage: tests/tools/matrix.sh BUILD_DIR [gcc-plain clang-thread...]
# Each of these has a build directory of its own. What does not depend on the
# sanitizers is tested once a compiler; Redis is killed twice there, and not ten
# times. Goes on after a failure, and exits 1 in the end.
set -u
build=$1
shift
strict='-std=gnu17 -Werror -Wpedantic -Wshadow -Wconversion -Wsign-conversion
-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef
-Wwrite-strings'
[ $# -gt 0 ] || set -- gcc-plain clang-plain gcc-address clang-address \
    gcc-thread clang-thread
sanitized="runner program sites messages download increment cooking processes
orphans channels sharing starting async await queue worker worker_killed jobs
client hosts locks kitchen usage"
bad=0
for one in "$@"; do
    echo "== $one"
    cc=${one%-*} flags='' suites=$sanitized kills=2
    case $one in
    *-plain) suites='' kills='' ;;
    *-address)
        flags='-g -fsanitize=address,undefined -fno-sanitize-recover=undefined'
        ;;
    *-thread) flags='-g -fsanitize=thread' ;;
    *)
        echo "matrix.sh: $one: expected gcc- or clang-plain, -address, -thread"
        exit 2
        ;;
    esac
    # gcc links its runtime into the program, as clang always does, so that it
    # comes before the preloaded shim.
    case $one in
    gcc-address) flags="$flags -static-libasan" ;;
    gcc-thread) flags="$flags -static-libtsan" ;;
    esac
    [ -z "$kills" ] || export KILLS=$kills
    make -s -j2 B="$build/$one" CC="$cc" EXTRA="$(echo $strict $flags)" \
        SUITE="$(echo $suites)" test || bad=1
done
exit $bad
