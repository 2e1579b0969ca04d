#!/bin/bash
# setup.sh - Gradescope runs it once, when the image is made
set -eu
root=${AUTOGRADER:-/autograder}
cd "$root/source/kit"
tests/tools/setup.sh grader
make -s grader
