# explore.awk - puts names, lines and source text into explore's report
#
# Usage: awk -v exe=PROGRAM -f explore.awk REPORT REPORT
# (read twice: after the first time it is known what is an array)
# Between two \001 stands what to look up: L and an address in the code, in
# hex: file.c:37; T likewise: the line and its text; N, an address, a size and
# the address in hex: the name of what is there. \002 begins a table's row.

function source(address,    tool, path, line, n) {
    tool = "addr2line -e " exe " 0x" address
    tool | getline path
    close(tool)
    match(path, /:[0-9?]+/)
    line = substr(path, RSTART + 1, RLENGTH - 1)
    path = substr(path, 1, RSTART - 1)
    where[address] = path ":" line
    sub(/.*\//, "", where[address])
    path = src != "" ? src : path
    for (n = 0; n < line + 0 && (getline text[address] < path) > 0; n++)
        continue
    close(path)
    sub(/^[ \t]*/, line " ", text[address])
}

function name(address, size, hex,    i, offset) {
    for (i in symbol) {
        offset = address - at[i]
        if (offset < 0 || offset >= bytes[i])
            continue
        if (!(i in cell))
            cell[i] = size
        if (cell[i] != size)
            cell[i] = 0 # a structure, no array
        if (cell[i] > 0 && cell[i] < bytes[i] && offset % cell[i] == 0)
            return symbol[i] "[" offset / cell[i] "]"
        return symbol[i] (offset > 0 ? "+" offset : "")
    }
    return hex
}

function looked_up(what,    word) {
    split(substr(what, 2), word, " ")
    if (what ~ /^V/)
        return word[4]
    if (what ~ /^S/)
        return "stack of " word[5]
    if (what ~ /^N/)
        return name(word[1], word[2], word[3])
    if (!(word[1] in where))
        source(word[1])
    return what ~ /^L/ ? where[word[1]] : text[word[1]]
}

BEGIN {
    threads = split("main A B C D E F G H I J K L N O P", thread, " ")
    tool = "nm -S -t d " exe
    while (tool | getline > 0)
        if (NF == 4 && $3 !~ /[tTwW]/) {
            symbol[++n] = $4
            at[n] = $1
            bytes[n] = $2
        }
    NR = 0 # of the report's lines
}

{
    n = split($0, part, "\001")
    line = part[1]
    for (i = 2; i <= n; i++)
        line = line (i % 2 ? part[i] : looked_up(part[i]))
    row = sub(/^\002[C-]\t/, "", line)
    rows += row && NR == FNR
    split(line, column, "\t") # place, thread, words, source
    if (row)
        acts[column[2]] = 1
}

NR > FNR && !row { print line }

NR > FNR && row {
    head = " step  place       "
    line = sprintf("%5s  %-12s", ++number, column[1])
    sub(/^pthread_/, "", column[3])
    for (i = 1; i <= threads; i++)
        if (thread[i] in acts) {
            here = thread[i] == column[2]
            head = head sprintf(" %-14s", thread[i])
            line = line sprintf(" %-14s", here ? column[3] : "")
        }
    if (number == 1)
        print head " source"
    if (number == 1 && rows > 60)
        print "  (the " rows - 60 " steps before are left out)"
    if (number > rows - 60)
        print line " " column[4]
}
