#!/bin/sh
# Measures how much of the code the tests reach, in branches and lines, by folder: coverage.sh [TEST...], by default all but
# those that take long and reach nothing that the others do not. Needs gcc and gcovr. The build is build-coverage; counts add
# up over several calls until it is removed, and calls may overlap. What is not reached: build-coverage/missed.txt.
# docs/testing.md says what counts as a branch.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
cd "$(dirname "$0")/.."
build=build-coverage
# in copies of a function for constant arguments half of the branches are dead: always_inline is switched off
# symbols and readme look at a library without counters; claims, figures and pages run what smaller tests ask one by one
left_out="chains batch resume symbols readme docs claims figure report"
if [ ! -e $build/build.ninja ]; then
    CC=${CC:-gcc} meson setup $build --buildtype=debug -Db_coverage=true -Dc_args="-fprofile-update=atomic -Dalways_inline=unused" \
        -Dbench=disabled -Dlibtorch=disabled
fi
ninja -C $build
if [ $# = 0 ]; then
    for test in $(meson test -C $build --no-rebuild --list | sed 's/.* \/ //' | tr ' ' '?'); do
        case " $left_out " in *" $test "*) ;; *) set -- "$@" "$test" ;; esac
    done
fi
# each of many processes adds its counts to the same files; one that may write no more says so nowhere
failed=0
GCOV_ERROR_FILE=/dev/null meson test -C $build --no-rebuild -t 10 "$@" || failed=1
# of the code that is compiled for each instruction set, the version for the widest that this machine has
for version in portable avx2 avx512; do
    case $version in avx2) flag=avx2 ;; avx512) flag=avx512f ;; *) flag=. ;; esac
    ! grep -q "$flag" /proc/cpuinfo || counted=$version
done
others=$(ls -d $build/libdispatched_*.p | grep -v "_$counted" | sed 's/.*/--exclude-directories .*&/')
# shellcheck disable=SC2086
gcovr --root . --filter '(src|integrators|analysis|methods|problems|claims|plots)/' $others --gcov-ignore-parse-errors \
    --json $build/coverage.json $build > $build/coverage.log 2>&1 || { cat $build/coverage.log >&2; exit 1; }
python3 tools/coverage_table.py $build/coverage.json $build/missed.txt
[ $failed = 0 ] || { echo "coverage.sh: some tests failed (see $build/meson-logs); their counts are in" >&2; exit 1; }
