# names.awk - puts names, lines and source text into explore's report
#
# Usage: awk -v exe=PROGRAM [-v src=FILE] [-v tsv=FILE] -f debug.awk \
#            -f names.awk REPORT
# Between two \001 stands what to look up: L and an address in the code, in
# hex: file.c:37; T likewise: the line and its text; W: file, line and text; N,
# an address, a size and the address in hex: the name of what is there; S,
# likewise for a stack: with the code and the begin of the frame, and the thread
# (-: the function is named); U, for a variable whose function has returned: the
# same with an address in its code; H: of what is in a block of malloc: the code that
# made it, the address, where in the block, the size of it and of the block, its
# number and the thread that made it; V: the same if the value is such an
# address, then the place's address and size, the value as hex and as a number,
# and behind \006 the text that it points to, if that is a constant. \002
# begins a table's row: alone, if there was no other thread, place, thread,
# words, source; \003 and \004 a player's line; \005 one for standard error.
# src: the text of all lines. tsv: the report for programs.

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
    return text[path, row_of[c]]
}

function where(c,    path) {
    path = from[c]
    sub(/.*\//, "", path)
    return path ":" row_of[c]
}

function looked_up(what,    word, pointed, words) {
    words = what
    if (!sub(/^[^\006]*\006/, "", words))
        words = ""
    sub(/\006.*/, "", what)
    split(substr(what, 2), word, " ")
    if (what ~ /^N/)
        return name(word[1], word[2], "0x" word[3])
    if (what ~ /^S/) {
        pointed = on_stack(word[1], word[2], number(word[3]), word[4], word[5])
        leaf_at[word[1]] = leaf
        return pointed
    }
    if (what ~ /^U/)
        return dead(word[1], word[2], number(word[3]), word[4], number(word[5]))
    if (what ~ /^[HV]/ && word[1] != "-")
        pointed = in_block(word[1], word[3], word[4], word[5], word[6], word[7])
    if (what ~ /^H/) {
        leaf_at[word[2]] = leaf
        return pointed
    }
    if (what ~ /^V/)
        return value(word[8], word[9], word[10], word[11], pointed, words)
    if (what ~ /^T/)
        return row_of[word[1]] ? row_of[word[1]] " " source_text(word[1]) : ""
    return where(word[1]) (what ~ /^W/ ? ": " source_text(word[1]) : "")
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

# Is the place named in a line that tells what goes wrong?
function is_named(place, failing,    begin) {
    begin = place
    sub(/^[*&]*/, "", begin)
    sub(/[^A-Za-z0-9_].*/, "", begin)
    return index(failing, " " place " ") > 0 || (begin ~ /^[A-Za-z_]/ && \
        failing ~ ("[^A-Za-z0-9_.>\"]" begin "([^][A-Za-z0-9_.>\"-]|$)"))
}

# Beyond 40 rows: those of places that several threads used, then without
# locks, then those beside a change of threads; and all whose place is named in
# what goes wrong.
function choose_rows(    how, i, k, shown, named) {
    for (i = 1; i <= rows; i++) {
        if (!(place[i] in named))
            named[place[i]] = is_named(place[i], race " " outcome)
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
            show[i] = how == 0 || named[place[i]] || (how < 3 &&
                place[i] in common &&
                (how < 2 || words[i] ~ /^(read|write|update|print)/)) ||
                (how == 3 && i in turning)
            shown += show[i]
        }
        if (shown > 0 && shown <= 40)
            return how
    }
    for (k = 0; k < 2; k++)
        for (i = 1; i <= rows && shown > 40; i++)
            if (show[i] && named[place[i]] <= k) {
                shown--
                show[i] = 0
            }
    return how
}

function print_table(    how, i, k, head, line, left, wide, left_out) {
    how = choose_rows()
    wide = 12
    for (i = 1; i <= rows; i++) {
        if (!show[i]) {
            left_out += times[i]
            continue
        }
        wide = widest(place[i], wide, 28)
        column[who[i]] = widest(words[i], \
            column[who[i]] > 14 ? column[who[i]] : 14, 24)
    }
    head = sprintf(" step  %-*s", wide, "place")
    for (k = 0; k <= last; k++)
        if (k in column)
            head = head sprintf(" %-*s", column[k], title[k])
    if (left_out)
        print "  (" left_out " of " steps " steps are left out" \
            (how < 3 ? ": those of places that " (how < 2 ? \
            "one thread alone used" : "one thread alone used, and of locks") \
            : ": those far from a change of threads") ")"
    print head " source"
    for (i = 1; i <= rows; i++) {
        if (!show[i])
            continue
        line = sprintf("%5d  %-*s", step[i], wide, cut(place[i], wide))
        for (k = 0; k <= last; k++)
            if (k in column)
                line = line sprintf(" %-*s", column[k],
                    who[i] == k ? cut(words[i], column[k]) : "")
        print line " " origin[i] (times[i] > 1 ? "  (" times[i] " times)" : "")
    }
    rows = steps = 0
}

# The same again and again is one row. What main finds when it is alone is of
# interest where the outcome names it, as a failed assertion does.
function keep_row(line,    part, at, does, from) {
    split(line, part, "\t")
    at = filled(part[2])
    if (part[1] == "alone" && !is_named(at, outcome))
        return
    does = filled(part[4])
    from = filled(part[5])
    sub(/^pthread_/, "", does)
    steps++
    if (tsv != "")
        print "step\t" steps "\t" at "\t" part[3] "\t" does "\t" from > tsv
    if (rows && place[rows] == at && title[who[rows]] == part[3] && \
        words[rows] == does && origin[rows] == from) {
        times[rows]++
        return
    }
    place[++rows] = at
    who[rows] = thread_number(part[3])
    words[rows] = does
    origin[rows] = from
    step[rows] = steps
    times[rows] = 1
    title[who[rows]] = part[3]
    last = who[rows] > last ? who[rows] : last
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
        if (part[i] ~ /^[HLTVW]/ && at != "-" && !(at in from)) {
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
            if (sub(/^\005/, "", line)) {
                print line >"/dev/stderr"
                continue
            }
            if (line ~ /^data race in /)
                race = line
            if (line ~ /^The first schedule /)
                outcome = line
            print line
            if (tsv != "")
                keep_line(line)
        }
    }
    if (rows > 0)
        print_table()
}
