# names.awk - puts names, lines and source text into explore's report
#
# Usage: awk -v exe=PROGRAM [-v src=FILE] [-v tsv=FILE] -f names.awk REPORT
# Between two \001 stands what to look up: L and an address in the code, in
# hex: file.c:37; T likewise: the line and its text; N, an address, a size and
# the address in hex: the name of what is there; S, likewise for a stack: with
# the code and the begin of the frame, and the thread; H: of what is in a block
# of malloc: the code that made it, the address, where in the block, the size of
# it and of the block, its number and the thread that made it; V: the same if
# the value is such an address, then the place's address and size, and the value
# as hex and as a number. \002 begins a table's row: contended or not, place,
# thread, words, source. The names come from the debug information (DWARF 4), as
# readelf prints it. src: the text of all lines. tsv: the report for programs.

function number(hex,    i, n) {
    hex = tolower(hex)
    sub(/^0x/, "", hex)
    for (i = 1; i <= length(hex); i++)
        n = n * 16 + index("123456789abcdef", substr(hex, i, 1))
    return n + 0
}

# ---------- What readelf prints ----------

function read_debug(    tool, line, o, what, value, depth, parent, part) {
    tool = "readelf --debug-dump=info '" exe "' 2>/dev/null"
    while ((tool | getline line) > 0) {
        if (line ~ /^ *<[0-9a-f]+><[0-9a-f]+>: Abbrev Number: [1-9]/) {
            split(line, part, /[<>()]/)
            depth = number(part[2])
            o = number(part[4])
            tag[o] = part[6]
            at_depth[depth] = o
            parent = depth > 0 ? at_depth[depth - 1] : 0
            func_of[o] = tag[o] == "DW_TAG_subprogram" ? o : func_of[parent]
            if (tag[o] ~ /_member$|subrange_type$/)
                kid[parent, ++kids[parent]] = o
            if (tag[o] ~ /_variable$|formal_parameter$/)
                variable[++variables] = o
            continue
        }
        if (!match(line, /DW_AT_[a-z_]+/))
            continue
        what = substr(line, RSTART + 6, RLENGTH - 6)
        value = substr(line, RSTART + RLENGTH)
        sub(/^[ \t]*:[ \t]*/, "", value)
        sub(/[ \t]+$/, "", value)
        if (what == "name") {
            sub(/^\(.*\): /, "", value)
            label[o] = value
        } else if (what == "type")
            type[o] = number(substr(value, 4, length(value) - 4))
        else if (what == "byte_size")
            bytes[o] = value + 0
        else if (what == "encoding")
            encoding[o] = value
        else if (what == "upper_bound" || what == "count")
            count[o] = value + (what == "upper_bound")
        else if (what == "data_member_location")
            offset[o] = value + 0
        else if (what == "low_pc")
            low[o] = number(value)
        else if (what == "high_pc")
            high[o] = number(value)
        else if (what == "frame_base")
            base[o] = value ~ /call_frame_cfa/ ? 0 : -16
        else if (what == "location" && match(value, /DW_OP_addr: [0-9a-f]+/))
            address[o] = number(substr(value, RSTART + 12, RLENGTH - 12))
        else if (what == "location" && match(value, /DW_OP_fbreg: -?[0-9]+/))
            in_frame[o] = substr(value, RSTART + 13, RLENGTH - 13) + 0
    }
    close(tool)
}

function real_type(t) {
    while (tag[t] ~ /typedef|const_type|volatile_type|atomic_type/)
        t = type[t]
    return t
}

function size_of(t,    n, i) {
    t = real_type(t)
    if (t in bytes)
        return bytes[t]
    if (tag[t] ~ /array_type/) {
        n = size_of(type[t])
        for (i = 1; i <= kids[t]; i++)
            n *= count[kid[t, i]]
        return n
    }
    return tag[t] ~ /pointer/ ? 8 : 0
}

# What is so far behind the begin of something of that type: ".full", "[1][0]".
function part_of(t, off, size,    each, i, k, m, text) {
    if (label[t] ~ /^(pthread_|sem_t|mtx_t|cnd_t|once_flag)/)
        return off > 0 ? "+" off : ""
    t = real_type(t)
    leaf = t
    if (tag[t] ~ /array_type/) {
        each = size_of(t)
        for (i = 1; i <= kids[t] && count[kid[t, i]] > 0; i++) {
            each /= count[kid[t, i]]
            if (size > each)
                return text
            k = int(off / each + 4096) - 4096 # of what is before it, too
            text = text "[" k "]"
            off -= k * each
        }
        return text part_of(type[t], off, size)
    }
    if (tag[t] ~ /structure_type|union_type/)
        for (i = 1; i <= kids[t]; i++) {
            m = kid[t, i]
            each = size_of(type[m])
            if (off >= offset[m] && off < offset[m] + each && size <= each)
                return (m in label ? "." label[m] : "") \
                    part_of(type[m], off - offset[m], size)
        }
    return off > 0 ? "+" off : ""
}

# What is at most 64 bytes beside an array is called as if it were in it.
function name(at, size, hex,    i, o, beside) {
    leaf = 0
    for (beside = 0; beside <= (hex == "" ? 0 : 64); beside += 64)
        for (i = 1; i <= variables; i++) {
            o = variable[i]
            if (o in address && at >= address[o] - beside &&
                at < address[o] + size_of(type[o]) + beside &&
                (!beside || tag[real_type(type[o])] ~ /array_type/))
                return label[o] part_of(type[o], at - address[o], size)
        }
    return hex
}

function on_stack(at, size, code, frame, thread,    i, o, f, begin) {
    leaf = 0
    for (i = 1; i <= variables; i++) {
        o = variable[i]
        f = func_of[o]
        if (!(o in in_frame) || code < low[f] || code >= low[f] + high[f])
            continue
        begin = frame + base[f] + in_frame[o]
        if (at >= begin && at < begin + size_of(type[o]))
            return label[o] part_of(type[o], at - begin, size) " of " \
                (label[f] == "main" || thread == "main" ? label[f] : thread)
    }
    return "stack of " thread
}

# What has that name and points to something: best in the function of the code.
function pointed_by(named, code,    o, t, found, f) {
    for (o in label) {
        t = real_type(type[o])
        if (tag[t] ~ /array_type/)
            t = real_type(type[t])
        if (label[o] != named || tag[t] !~ /pointer/)
            continue
        found = type[t]
        f = func_of[o]
        if (code >= low[f] && code < low[f] + high[f])
            return found
    }
    return found
}

# A block is named by what its address was first assigned to.
function in_block(code, off, size, all, block, thread,    made, t, each, i, \
    part) {
    leaf = 0
    made = source_text(code)
    if (match(made, /[A-Za-z_][]A-Za-z0-9_.>[-]* *= *(\([^()]*\) *)?/) && \
        substr(made, RSTART + RLENGTH) ~ /^[a-z_]*(alloc|dup)/) {
        made = substr(made, RSTART, RLENGTH)
        sub(/ *=.*/, "", made)
        part = made
        sub(/\[.*/, "", part)
        sub(/.*[.>]/, "", part)
        t = pointed_by(part, number(code))
        each = size_of(t)
    } else
        made = "block of line " row_of[code]
    i = each ? int(off / each) : 0
    part = part_of(t, each ? off % each : off, size)
    if (size == 0 && off == 0)
        part = "" # the pointer itself
    else if (all < 2 * each && part == "" && size > 0)
        made = "*" made
    else if (all < 2 * each && substr(part, 1, 1) == ".")
        part = "->" substr(part, 2)
    else if (each && (size > 0 || off > 0))
        part = "[" i "]" part
    return (size == 0 && off > 0 ? "&" : "") made part \
        (block > 1 ? " #" block : "") (thread != "main" ? " of " thread : "")
}

# ---------- Values ----------

function real_number(hex, size,    top, rest, bias, sign) {
    while (length(hex) < 2 * size)
        hex = "0" hex
    bias = size == 4 ? 127 : 1023
    top = size == 4 ? int(number(hex) / 2 ^ 23) : number(substr(hex, 1, 3))
    rest = size == 4 ? number(hex) % 2 ^ 23 / 2 ^ 23 : \
        number(substr(hex, 4)) / 2 ^ 52
    sign = top > 2 * bias + 1 ? -1 : 1
    top %= 2 * bias + 2
    if (top == 0)
        return sign * rest * 2 ^ (1 - bias)
    return sprintf("%.6g", sign * (1 + rest) * 2 ^ (top - bias))
}

function value(at, size, hex, signed, pointed,    found) {
    if (!(at in leaf_at)) {
        name(at, size, "")
        leaf_at[at] = leaf
    }
    leaf = leaf_at[at]
    if (encoding[leaf] ~ /float/ && (size == 4 || size == 8))
        return real_number(hex, size)
    if (encoding[leaf] ~ /unsigned|boolean/)
        return number(hex)
    if (signed > -1048576 && signed < 1048576)
        return signed
    if (pointed != "" && (!leaf || tag[leaf] ~ /pointer/))
        return pointed
    if (leaf && tag[leaf] !~ /pointer/)
        return tag[leaf] ~ /structure|union/ ? "0x" hex : signed
    found = name(number(hex), size_of(type[leaf]), "")
    return found != "" ? "&" found : "0x" hex
}

# ---------- Lines of the source ----------

function look_up_lines(    tool, n, path) {
    tool = "addr2line -e '" exe "' </dev/null" codes
    while ((tool | getline path) > 0) {
        sub(/ \(discriminator.*/, "", path)
        match(path, /:[0-9?]+$/)
        row_of[code[++n]] = substr(path, RSTART + 1) + 0
        from[code[n]] = substr(path, 1, RSTART - 1)
    }
    close(tool)
}

function source_text(c,    path, n, line) {
    path = src != "" ? src : from[c]
    if (!(path in lines_of)) {
        while ((getline line < path) > 0) {
            sub(/\r$/, "", line)
            sub(/^[ \t]*/, "", line)
            text[path, ++n] = line
        }
        close(path)
        lines_of[path] = n + 0
    }
    return row_of[c] ? row_of[c] " " text[path, row_of[c]] : ""
}

function where(c,    path) {
    path = from[c]
    sub(/.*\//, "", path)
    return path ":" row_of[c]
}

function looked_up(what,    word, pointed) {
    split(substr(what, 2), word, " ")
    if (what ~ /^N/)
        return name(word[1], word[2], "0x" word[3])
    if (what ~ /^S/) {
        pointed = on_stack(word[1], word[2], number(word[3]), word[4], word[5])
        leaf_at[word[1]] = leaf
        return pointed
    }
    if (what ~ /^[HV]/ && word[1] != "-")
        pointed = in_block(word[1], word[3], word[4], word[5], word[6], word[7])
    if (what ~ /^H/) {
        leaf_at[word[2]] = leaf
        return pointed
    }
    if (what ~ /^V/)
        return value(word[8], word[9], word[10], word[11], pointed)
    return what ~ /^L/ ? where(word[1]) : source_text(word[1])
}

function filled(line,    n, i, part, out) {
    n = split(line, part, "\001")
    out = part[1]
    for (i = 2; i <= n; i++)
        out = out (i % 2 ? part[i] : looked_up(part[i]))
    return out
}

# ---------- The table ----------

function cut(words, width) {
    return length(words) > width ? substr(words, 1, width - 2) ".." : words
}

function widest(words, width, most) {
    width = length(words) > width ? length(words) : width
    return width < most ? width : most
}

# Beyond 40 rows: those of places that several threads used, then without
# locks, then those beside a change of threads.
function choose_rows(    how, i, k, shown) {
    for (i = 1; i <= rows; i++) {
        if (i == rows || who[i] != who[i + 1])
            for (k = i - 2; k <= i + 3; k++)
                turning[k] = 1
        if (place[i] in user && user[place[i]] != who[i])
            common[place[i]] = 1
        user[place[i]] = who[i]
    }
    for (how = 0; how < 4; how++) {
        shown = 0
        for (i = 1; i <= rows; i++) {
            show[i] = how == 0 || (how < 3 && place[i] in common &&
                (how < 2 || words[i] ~ /^(read|write|update|print)/)) ||
                (how == 3 && i in turning)
            shown += show[i]
        }
        if (shown > 0 && shown <= 40)
            return how
    }
    for (i = 1; i <= rows && shown > 40; i++) {
        shown -= show[i]
        show[i] = 0
    }
    return how
}

function print_table(    how, i, k, head, line, left, wide, left_out) {
    how = choose_rows()
    wide = 12
    for (i = 1; i <= rows; i++) {
        left_out += !show[i]
        if (!show[i])
            continue
        wide = widest(place[i], wide, 28)
        column[who[i]] = widest(words[i], \
            column[who[i]] > 14 ? column[who[i]] : 14, 24)
    }
    head = sprintf(" step  %-*s", wide, "place")
    for (k = 0; k <= last; k++)
        if (k in column)
            head = head sprintf(" %-*s", column[k], title[k])
    if (left_out)
        print "  (" left_out " of " rows " steps are left out" \
            (how < 3 ? ": those of places that " (how < 2 ? \
            "one thread alone used" : "one thread alone used, and of locks") \
            : ": those far from a change of threads") ")"
    print head " source"
    for (i = 1; i <= rows; i++) {
        if (!show[i])
            continue
        line = sprintf("%5d  %-*s", i, wide, cut(place[i], wide))
        for (k = 0; k <= last; k++)
            if (k in column)
                line = line sprintf(" %-*s", column[k],
                    who[i] == k ? cut(words[i], column[k]) : "")
        print line " " origin[i]
    }
    rows = 0
}

function keep_row(line,    part) {
    split(line, part, "\t")
    place[++rows] = filled(part[2])
    who[rows] = thread_number(part[3])
    words[rows] = filled(part[4])
    sub(/^pthread_/, "", words[rows])
    origin[rows] = filled(part[5])
    title[who[rows]] = part[3]
    last = who[rows] > last ? who[rows] : last
    if (tsv != "")
        print "step\t" rows "\t" place[rows] "\t" part[3] "\t" words[rows] \
            "\t" origin[rows] > tsv
}

function thread_number(letters,    i, n) {
    for (i = 1; letters != "main" && i <= length(letters); i++)
        n = n * 26 + index("ABCDEFGHIJKLMNOPQRSTUVWXYZ", substr(letters, i, 1))
    return n + 0
}

# What is no row, for programs.
function keep_line(line,    part, words) {
    if (match(line, /^ +[0-9]+  [a-z]+ +/)) {
        split(line, part, " ")
        print "outcome\t" part[1] "\t" part[2] "\t" \
            substr(line, RSTART + RLENGTH) > tsv
    } else if (line ~ /^REPLAY=/) {
        words = line
        sub(/^REPLAY=/, "", words)
        sub(/: /, "\t", words)
        print "replay\t" words > tsv
    } else if (line != "")
        print "line\t" line > tsv
}

# For the player: a thread and what it does next, or a place and its value.
function print_situation(line,    part) {
    split(substr(line, 2), part, "\t")
    gsub(/pthread_/, "", part[2])
    if (substr(line, 1, 1) == "\003")
        print cut(sprintf(" %-6s %-30s %s", part[1], cut(filled(part[2]), 30), \
            filled(part[3])), 79)
    else
        print cut("        " filled(part[1]) ": " filled(part[2]), 79)
}

NR == FNR {
    report[NR] = $0
    n = split($0, part, "\001")
    for (i = 2; i <= n; i += 2) {
        sub(/ .*/, "", part[i])
        at = substr(part[i], 2)
        if (part[i] ~ /^[HLTV]/ && at != "-" && !(at in from)) {
            from[at] = ""
            code[++ncodes] = at
            codes = codes " 0x" at
        }
    }
    total = NR
}

END {
    read_debug()
    look_up_lines()
    for (r = 1; r <= total; r++) {
        kind = substr(report[r], 1, 1)
        if (rows > 0 && kind != "\002")
            print_table()
        if (kind == "\002")
            keep_row(substr(report[r], 2))
        else if (kind ~ /[\003\004]/)
            print_situation(report[r])
        else {
            line = filled(report[r])
            print line
            if (tsv != "")
                keep_line(line)
        }
    }
    if (rows > 0)
        print_table()
}
