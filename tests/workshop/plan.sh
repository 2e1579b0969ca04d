#!/bin/sh
# plan.sh - is the plan of the workshop sound? Prints what is not, exits 1
#
# Usage: tests/workshop/plan.sh minutes             adds the minutes up
#        tests/workshop/plan.sh commands BUILD_DIR  runs each command
set -u
cd "$(dirname "$0")/../.." || exit 2
here=tests/workshop plan=tests/workshop/plan.md

case $1 in
minutes) # the table's two columns: the whole day, and the short form
    # A slide is named by its title.
    sed -n '/^## The blocks/,$p' $plan | tr '\n' ' ' |
        grep -o '\*[A-Z0-9][^*]*\*' | tr -d '*' | while IFS= read -r title; do
        cat $here/slides.md 0[1-6]-*/slides.md | grep -qxF "# $title" ||
            echo "there is no slide \"$title\""
    done
    awk -F'|' '/^\|/ && $3 ~ /[0-9]/ { whole += $3; short += $4
            if ($2 ~ /[0-9]/) listed[$2] = 1 }
        /^### [0-9]/ { described[substr($0, 4) " "] = 1 }
        function complain(text) { print text; wrong = 1 }
        END { for (block in listed) if (!(block in described))
                complain("block" block "is not described")
            for (block in described) if (!(block in listed))
                complain("block" block "has no minutes")
            if (whole != 180) complain("the blocks take " whole ", not 180")
            if (short != 90) complain("the short form takes " short ", not 90")
            exit wrong }' $plan
    ;;
commands)
    build=$2 status=0
    log=$(mktemp) && trap 'rm -f "$log"' EXIT
    trap 'exit 130' INT TERM
    # MAKEFLAGS: what called this is a make itself, and has other options.
    unset MAKEFLAGS
    commands=$(sed -n '/^```console/,/^```$/s/^\$ //p' $plan |
        sed "s,build/,$build/,g; s,make ,make -s B=$build ,g")
    [ -n "$commands" ] || { echo "$plan has no command" && exit 1; }
    while IFS= read -r command; do
        timeout 200 sh -c "$command" >"$log" 2>&1 </dev/null
        result=$?
        case $command in # what is shown to fail must fail
        *'# fails, and is meant to' | *'# exit 1: they differ')
            [ $result -ne 0 ] && [ $result -lt 124 ] && continue
            ;;
        *) [ $result -eq 0 ] && continue ;;
        esac
        status=1
        printf "%s: %s\n" "$plan" "$command"
        tail -n 3 "$log"
    done <<END
$commands
END
    exit $status
    ;;
esac
