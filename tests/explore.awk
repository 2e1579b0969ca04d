# explore.awk - puts names, lines and source text into explore's report
#
# Usage: awk -v exe=PROGRAM -f explore.awk REPORT REPORT
# (read twice: after the first time it is known what is an array)
# Between two \001 stands what to look up: L and an address in the code, in
# hex: file.c:37; T likewise: the line and its text; N, an address, a size and
# the address in hex: the name of what is there. \002 begins a table's row.

function source(address,    tool, line, path, text_of, number, n) {
    if (address in where)
        return
    tool = "addr2line -e " exe " 0x" address
    tool | getline line
    close(tool)
    sub(/ \(discriminator.*/, "", line)
    path = number = line
    sub(/:[^:]*$/, "", path)
    sub(/.*:/, "", number)
    text_of = src != "" ? src : path
    for (n = 0; n < number + 0 && (getline line < text_of) > 0; n++)
        continue
    close(text_of)
    sub(/^[ \t]*/, "", line)
    sub(/.*\//, "", path)
    where[address] = path ":" number
    text[address] = number " " line
}

function name(address, size, hex,    i, offset) {
    for (i = 1; i <= symbols; i++) {
        offset = address - at[i]
        if (offset < 0 || offset >= bytes[i])
            continue
        if (!(i in cell_size))
            cell_size[i] = size
        if (size > 0 && cell_size[i] != size)
            mixed[i] = 1 # a structure, no array
        if (size > 0 && size < bytes[i] && offset % size == 0 && !mixed[i])
            return symbol[i] "[" offset / size "]"
        return symbol[i] (offset > 0 ? "+" offset : "")
    }
    return hex
}

function looked_up(what,    word) {
    split(substr(what, 2), word, " ")
    if (what ~ /^N/)
        return name(word[1], word[2], word[3])
    source(word[1])
    return what ~ /^L/ ? where[word[1]] : text[word[1]]
}

BEGIN {
    threads = split("main A B C D E F G H I J K L N O P", thread, " ")
    tool = "nm -S -t d " exe
    while (tool | getline > 0)
        if (NF == 4 && $3 !~ /[tTwW]/) {
            at[++symbols] = $1 + 0
            bytes[symbols] = $2 + 0
            symbol[symbols] = $4
        }
    close(tool)
}

{
    n = split($0, part, "\001")
    line = part[1]
    for (i = 2; i <= n; i++)
        line = line (i % 2 ? part[i] : looked_up(part[i]))
    row = line ~ /^\002/
    split(substr(line, 2), cell, "\t") # place, thread, words, source
}

NR == FNR { # which columns there are
    rows += row
    if (row)
        acts[cell[2]] = 1
    next
}

!row {
    print line
    next
}

++number == 1 {
    line = " step  place       "
    for (i = 1; i <= threads; i++)
        if (thread[i] in acts)
            line = line sprintf(" %-14s", thread[i])
    print line " source"
    if (rows > 60)
        print "  (the " rows - 60 " steps before are left out)"
}

number > rows - 60 {
    line = sprintf("%5s  %-12s", number, cell[1])
    sub(/^pthread_/, "", cell[3])
    for (i = 1; i <= threads; i++)
        if (thread[i] in acts)
            line = line sprintf(" %-14s", thread[i] == cell[2] ? cell[3] : "")
    print line " " cell[4]
}
