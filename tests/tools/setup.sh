#!/bin/sh
# setup.sh - installs what the kit needs and this system lacks. What is there
# is found by trying it, never by a name or a version. Quick and silent when
# nothing is missing.
set -u

compiles() { # compiles COMPILER FLAG... : does it build an empty program?
    printf 'int main(void) { return 0; }\n' |
        "$@" -x c -o /dev/null - >/dev/null 2>&1
}
includes() { # includes HEADER [FLAG]
    printf '#include <%s>\n' "$1" | cc ${2:+"$2"} -E -x c - >/dev/null 2>&1
}
there() { command -v "$1" >/dev/null 2>&1; }

# The Debian names of what is missing, one a line.
missing() {
    compiles cc || echo gcc libc6-dev
    includes curl/curl.h || echo libcurl4-openssl-dev
    includes CUnit/CUnit.h || echo libcunit1-dev
    includes microhttpd.h || echo libmicrohttpd-dev
    includes hiredis/hiredis.h || echo libhiredis-dev
    includes jansson.h || echo libjansson-dev
    includes libxml/xmlwriter.h -I/usr/include/libxml2 || echo libxml2-dev
    there bwrap || echo bubblewrap
    there xmllint || echo libxml2-utils
    there zip || echo zip
    there unzip || echo unzip
    there redis-server || echo redis-server
    there clang || echo clang
    there clang-format || echo clang-format
    there curl || echo curl
    there hyperfine || echo hyperfine
    there valgrind || echo valgrind
    PATH=$PATH:/usr/sbin:/sbin there ip || echo iproute2
    [ -x /usr/bin/time ] || echo time
    if there clang && ! compiles clang -fsanitize=address; then
        echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    fi
}

install() {
    echo "Installing with apt-get:" "$@"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo env DEBIAN_FRONTEND=noninteractive"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # The lists may be old or absent; without them nothing can be found.
    $as_root apt-get -q update && $as_root apt-get -q -y install \
        --no-install-recommends "$@"
}

# Twice: what clang lacks can only be tried once clang is there.
for _ in 1 2; do
    names=$(missing | tr '\n' ' ')
    [ -z "$names" ] && exit 0
    if ! there apt-get; then
        echo "Unknown system. Please install these (Debian's names): $names" >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # a list of names
    install $names || exit 1
done
names=$(missing | tr '\n' ' ')
if [ -n "$names" ]; then
    echo "Still missing: $names" >&2
    exit 1
fi
