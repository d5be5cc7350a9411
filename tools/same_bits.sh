#!/bin/sh
# Compares, bit for bit, what two builds give: same_bits.sh [BUILD BUILD]. By default it makes two, -O0 and -O3, and compares
# the tables and answers of the examples. Exit status: 0 if all are the same, 1 if some differ.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ $# != 2 ]; then
    for level in 0 3; do
        build=$source/build-O$level
        if [ ! -e "$build/build.ninja" ]; then
            meson setup "$build" "$source" --optimization=$level -Ddebug=false -Dlibtorch=disabled -Dmpi=disabled -Dbench=disabled -Dtests=disabled
        fi
        ninja -C "$build" src/cli/optdyn
    done
    set -- "$source/build-O0" "$source/build-O3"
fi

answer() { # build, command, example: what it answers, without the time it took, and the checksums of its tables
    out=$folder/out
    rm -rf "$out"
    words=
    case $2 in run) words="-o $out" ;; esac
    # names of folders and seconds are no results
    "$1/src/cli/optdyn" "$2" "$source/examples/$3.yaml" --json --quiet --threads 2 $words | sed -e 's/"seconds": [-0-9.e+]*//g' -e "s|$out||g"
    if [ -d "$out" ]; then
        (cd "$out" && find . -name '*.csv' | LC_ALL=C sort | xargs -r sha256sum)
    fi
}

status=0
for job in run/nesterov run/heavy_ball run/formula run/ensemble run/antithetic run/multilevel run/step_sizes action/action conjugate/conjugate \
    moments/moments curvature/curvature shadow/shadow shadow/saddle; do
    command=${job%/*} example=${job#*/}
    answer "$(cd "$1" && pwd)" "$command" "$example" >"$folder/one"
    answer "$(cd "$2" && pwd)" "$command" "$example" >"$folder/other"
    size=$(wc -c <"$folder/one")
    if [ "$size" -lt 50 ]; then
        echo "$job: no answer" && status=1
    elif cmp -s "$folder/one" "$folder/other"; then
        echo "$job: the same $size bytes"
    else
        echo "$job: they differ" && status=1
        diff "$folder/one" "$folder/other" | cut -c1-400 | head -6
    fi
done
exit $status
