#!/bin/sh
# redis.sh - a private redis-server, in a folder and on a socket of its own
#
# Usage: tests/run/redis.sh DIR [OPTION...]
#        DIR is the server's folder, its socket DIR/redis, its log DIR/log; the
#        options are the server's and come after ours. There is no TCP port
#        unless they ask for one.
# When the server answers, one line is printed, "PID Redis 7.0.15", and when the
# server ends this ends, with its status. SIGTERM ends both; if this is killed,
# the kernel kills the server. Which server: $REDIS_SERVER, or the first that
# there is of those below. (The check of a dump is the same program, which looks
# at its name: the package of tools has it even where no server is installed.)
set -eu
dir=$1
shift
server=
for name in "${REDIS_SERVER:-redis-server}" redis-check-rdb valkey-server \
    valkey-check-rdb; do
    [ -n "$server" ] || server=$(command -v "$name") || :
    [ -z "${REDIS_SERVER:-}" ] || break
done
if [ -z "$server" ]; then
    echo "no ${REDIS_SERVER:-redis-server and no valkey-server}: make setup" >&2
    exit 1
fi
server=$(realpath -s "$server")
ln -sf "$server" "$dir/server"

: >"$dir/log"
# A kill can cut off what Redis was writing. Of a transaction without an end it
# does nothing when it starts, but leaves the head in the file, before what it
# appends, and would do that at the next start. Its own tool takes it out.
check=redis-check-aof
case $server in *valkey*) check=valkey-check-aof ;; esac
ln -sf "$server" "$dir/$check"
for file in "$dir"/appendonlydir/*.manifest "$dir/appendonly.aof"; do
    [ ! -e "$file" ] || echo y | "$dir/$check" --fix "$file" >>"$dir/log" 2>&1 ||
        : # the server will say what is wrong
done

# Redis walks a node of a stream to hand an entry out: 8 entries are quicker
# than its 100.
setpriv --pdeathsig KILL "$dir/server" --port 0 --bind 127.0.0.1 \
    --unixsocket "$dir/redis" --dir "$dir" --save "" \
    --stream-node-max-entries 8 "$@" >>"$dir/log" 2>&1 &
pid=$!
trap 'kill "$pid"; wait "$pid"; exit' INT TERM
until grep -q 'eady to accept connections' "$dir/log"; do
    if ! kill -0 "$pid" 2>/dev/null; then
        tail -n 3 "$dir/log" >&2
        exit 1
    fi
    sleep 0.01
done
echo "$pid $(sed -n 's/.* \([A-Z][a-z]*\) version=\([^,]*\),.*/\1 \2/p' \
    "$dir/log" | head -n 1)"
exec >/dev/null 2>&1 # nobody reads on, and a shell tells what was killed
wait "$pid"
