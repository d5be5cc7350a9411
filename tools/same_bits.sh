#!/bin/sh
# Compares, bit for bit, what builds give: same_bits.sh [BUILD BUILD...]. By default it makes four, -O0 and -O3 by gcc and by
# clang, and compares the tables and answers of the examples. Exit status: 0 if all are the same, 1 if some differ.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ $# = 0 ]; then
    for compiler in gcc clang; do
        for level in 0 3; do
            build=$source/build-$compiler-O$level
            if [ ! -e "$build/build.ninja" ]; then
                CC="${CCACHE:+$CCACHE }$compiler" meson setup "$build" "$source" --optimization=$level -Ddebug=false -Dlibtorch=disabled -Dmpi=disabled \
                    -Dbench=disabled -Dtests=disabled
            fi
            ninja -C "$build" src/cli/optdyn
            set -- "$@" "$build"
        done
    done
fi

answer() { # build, command, example: what it answers, without the time it took, and the checksums of its tables' numbers
    out=$folder/out
    rm -rf "$out"
    words=
    case $2 in run) words="-o $out" ;; esac
    # names of folders and seconds are no results
    # shellcheck disable=SC2086
    "$1/src/cli/optdyn" "$2" "$source/examples/$3.yaml" --json --quiet --threads 2 $words | sed -e 's/"seconds": [-0-9.e+]*//g' -e "s|$out||g"
    if [ -d "$out" ]; then
        # the comments above say which libraries the build has
        (cd "$out" && find . -name '*.csv' | LC_ALL=C sort | while read -r table; do
            echo "$table: $(grep -c -v '^#' "$table") rows, $(grep -v '^#' "$table" | sha256sum)"
        done)
    fi
}

status=0
first=$(cd "$1" && pwd)
shift
for job in run/nesterov run/heavy_ball run/memory run/formula run/minibatch run/ensemble run/antithetic run/multilevel run/step_sizes \
    control/control action/action conjugate/conjugate conjugate/conjugate_sweep moments/moments curvature/curvature shadow/shadow \
    shadow/saddle; do
    command=${job%/*} example=${job#*/}
    answer "$first" "$command" "$example" >"$folder/first"
    size=$(wc -c <"$folder/first")
    result="the same $size bytes"
    [ "$size" -ge 50 ] || result="no answer"
    for build in "$@"; do
        answer "$(cd "$build" && pwd)" "$command" "$example" >"$folder/other"
        cmp -s "$folder/first" "$folder/other" || result="$build differs, see
$(diff "$folder/first" "$folder/other" | cut -c1-400 | head -6)"
    done
    echo "$job: $result"
    case $result in the*) ;; *) status=1 ;; esac
done
exit $status
