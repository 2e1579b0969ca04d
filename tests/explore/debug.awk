# debug.awk - names of places and values, from the debug information
#
# Goes before names.awk, whose variable exe is the program, and whose functions
# know the lines of the source. DWARF 4, as readelf prints it.

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
                (label[f] == "main" || thread ~ /^main$|^-$/ ? label[f] : thread)
    }
    return "stack of " thread
}

# A variable whose function has returned: the frame that was last there is its
# own, if it is of the function that had the code at pc.
function dead(at, size, code, frame, pc,    o, f, found) {
    for (o in low)
        if (tag[o] ~ /subprogram/ && pc >= low[o] && pc < low[o] + high[o])
            f = o
    if (f && code >= low[f] && code < low[f] + high[f])
        found = on_stack(at, size, code, frame, "-")
    if (found == "" || found ~ /^stack of/)
        return "a variable of a function"
    return found
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

# The letters in a number, up to the first that is 0; none: "".
function letters_of(hex, size,    i, byte, text) {
    while (length(hex) < 2 * size)
        hex = "0" hex
    for (i = 2 * size - 1; i > 0; i -= 2) {
        byte = number(substr(hex, i, 2))
        if (byte == 0)
            break
        if (byte < 32 || byte > 126)
            return ""
        text = text sprintf("%c", byte)
    }
    return text
}

function is_char(t) {
    return label[tag[t] ~ /array_type/ ? real_type(type[t]) : t] == "char"
}

function value(at, size, hex, signed, pointed, words,    found, t) {
    if (!(at in leaf_at)) {
        name(at, size, "")
        leaf_at[at] = leaf
    }
    leaf = leaf_at[at]
    if (encoding[leaf] ~ /float/ && (size == 4 || size == 8))
        return real_number(hex, size)
    if (encoding[leaf] ~ /unsigned|boolean/)
        return number(hex)
    if (is_char(leaf) && (found = letters_of(hex, size)) != "")
        return size == 1 ? "'" found "'" : "\"" found "\""
    if (signed > -1048576 && signed < 1048576)
        return signed
    if (pointed != "" && (!leaf || tag[leaf] ~ /pointer/))
        return pointed
    if (words != "" && (!leaf || is_char(real_type(type[leaf]))))
        return "\"" words "\""
    if (leaf && tag[leaf] !~ /pointer/)
        return tag[leaf] ~ /structure|union/ ? "0x" hex : signed
    found = name(number(hex), size_of(type[leaf]), "")
    for (t in low) # of a function
        if (low[t] == number(hex) && tag[t] ~ /subprogram/)
            return label[t]
    return found != "" ? "&" found : "0x" hex
}
