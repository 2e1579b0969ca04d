# load.sh - less machine than there is, for the scripts that read this
#
# busy N computes beside what is tested, half_cpu makes a group of processes
# with half a CPU, in which `within COMMAND` runs; finish ends both.
load='' group=''
finish() {
    # shellcheck disable=SC2086 # a list of process ids
    [ -z "$load" ] || { kill $load && wait $load; } 2>/dev/null
    [ -z "$group" ] || rmdir "$group"
    load='' group=''
}
# busy N : so many loops, until finish
busy() {
    for ((i = 0; i < $1; i++)); do
        (while :; do :; done) &
        load="$load $!"
    done
}
# half_cpu : makes a group of processes that has it, for within
half_cpu() {
    local root
    for root in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
        group=$root/kit-soak-$$
        mkdir "$group" 2>/dev/null || continue
        if echo 50000 2>/dev/null >"$group/cpu.cfs_quota_us" ||
            echo 50000 100000 2>/dev/null >"$group/cpu.max"; then
            return 0
        fi
        rmdir "$group"
    done
    group=
    return 1
}
within() {
    (echo "$BASHPID" >"$group/cgroup.procs" && exec "$@")
}
