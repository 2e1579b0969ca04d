#!/bin/bash
# printed.sh - on how many sheets of paper the slides and the cheat sheet print
#
# Usage: tests/pictures/printed.sh BUILD_DIR, after slides.sh made the pages
# A slide has a sheet of its own; the cheat sheet is one of A4, or of Letter.
set -u
build=$1
passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && break
done
user=
[ "$(id -u)" -ne 0 ] || user=--no-sandbox # chromium's wants another user

# sheets WORD PAGE N : the page must print on so many
sheets() {
    local got
    # shellcheck disable=SC2086 # nothing, or a word
    timeout 600 "$browser" --headless=new --disable-gpu $user --no-first-run \
        --disable-dev-shm-usage --user-data-dir="$work/profile" \
        --no-pdf-header-footer --print-to-pdf="$work/page.pdf" \
        "file://$2" >"$work/log" 2>&1
    got=$(grep -a -c '/Type /Page$' "$work/page.pdf")
    if [ "$got" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok   printed: $1, sheets: $got"
    else
        failed=$((failed + 1))
        echo "FAIL printed: $1, sheets: ${got:-none}; expected: $3"
        [ -n "$got" ] || tail -n 3 "$work/log"
    fi
    rm -f "$work/page.pdf"
}

slides=$(readlink -f "$build/slides.html")
sheet=$(readlink -f "$build/cheatsheet.html")
sed 's/size: A4/size: Letter/' "$sheet" >"$work/letter.html"
sheets "the slides" "$slides" "$(grep -c '<section' "$slides")"
sheets "the cheat sheet, A4" "$sheet" 1
sheets "the cheat sheet, Letter" "$work/letter.html" 1
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
