#!/bin/sh
# Builds and tests under a tool that finds mistakes: sanitize.sh KIND [TEST...].
#   clang      clang, every warning is an error; all tests
#   address    clang's address, leak and undefined-behaviour sanitizers over everything, C++ too; all tests
#   thread     clang's thread sanitizer; the tests with threads
#   valgrind   memcheck; unit tests, and runs of the program
#   minimal    without any optional part; all tests
# The build is build-KIND. Exit status: 0 if nothing was found. Minutes to an hour each: nothing of this is part of the tests.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
cd "$(dirname "$0")/.."
kind=${1:-}
[ $# -gt 0 ] && shift
case $kind in
clang | address | thread) CC=${CC:-clang} CXX=${CXX:-clang++} ;;
valgrind | minimal) CC=${CC:-gcc} CXX=${CXX:-g++} ;;
*) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
esac
OPTDYN_SOURCE=$(pwd)
export CC CXX OPTDYN_SOURCE
build=$(pwd)/build-$kind
reports=$build/reports
common='-Dbench=disabled -Dmpi=disabled'
case $kind in
clang) set_up='-Dwerror=true' ;;
# vptr and function would need the C++ half of the run-time library, which a C program has not
address) set_up="--buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fno-sanitize=vptr,function $common" ;;
thread) set_up="--buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false $common" ;;
valgrind) set_up="-Dlibtorch=disabled $common" ;;
minimal) set_up="-Dwerror=true -Dhdf5=disabled -Darb=disabled -Dlibtorch=disabled $common" ;;
esac
# shellcheck disable=SC2086
[ -e "$build/build.ninja" ] || meson setup "$build" $set_up
ninja -C "$build"
rm -rf "$reports" "$build/plugins"
mkdir "$reports"

export OPTDYN_TEST_KILLS=4 # half as many as otherwise: runs are slow
# of ensembles that are killed: fewer take as long
case $kind in
address) export OPTDYN_TEST_PATHS=2000 ;;
thread) export OPTDYN_TEST_PATHS=500 ;;
esac
export OPENBLAS_NUM_THREADS=1 # they wait for each other by giving the processor away: on a busy machine without end

# Programs that tests start, and whose failure they expect, report here too.
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$reports/found"
export ASAN_OPTIONS="log_path=$reports/found"
# LibTorch and its OpenMP are not instrumented: what they lock and wait for is not seen, so neither is what they touch
export TSAN_OPTIONS="log_path=$reports/found:ignore_noninstrumented_modules=1"

unit_tests='statistics problems data synthetic check_problem run output methods maps exact chain relation projection tracked trajectory
variation blas rule fast_step certificate'

status=0
look() { # what is run, then the program and its arguments; memcheck's reports and what failed besides
    what=$1 found=0
    shift
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
        --log-file="$reports/found.%p" "$@" >"$build/output" 2>&1 </dev/null || found=$?
    case $found in
    0) echo "$what: nothing" ;;
    99) echo "$what: FOUND" && status=1 ;;
    *) echo "$what: exit status $found" && tail -3 "$build/output" && status=1 ;;
    esac
}

# exceptions of LibTorch must find their thrower, which a C program does not bring
[ "$kind" != address ] || preload=$($CXX -print-file-name=libstdc++.so.6)
run_tests() {
    env ${preload:+"LD_PRELOAD=$preload"} meson test -C "$build" --no-rebuild -t 20 --num-processes 1 "$@" || status=1
}
case $kind in
valgrind)
    if [ $# = 0 ]; then
        mkdir "$build/plugins"
        cp examples/plugins/problem.yaml "$build/plugins"
        $CC -std=c11 -g -shared -fPIC -Iinclude -o "$build/plugins/double_well.so" examples/plugins/problem.c -lm
        while read -r words; do
            # shellcheck disable=SC2086
            look "optdyn $words" "$build/src/cli/optdyn" $words --quiet
        done <<END
run examples/nesterov.yaml
run examples/heavy_ball.yaml
run examples/formula.yaml
run examples/step_sizes.yaml
run examples/ensemble.yaml --set paths=300
run $build/plugins/problem.yaml
conjugate examples/conjugate.yaml
action examples/action.yaml
moments examples/moments.yaml
curvature examples/curvature.yaml --set until=4 --set iterations=40
shadow examples/shadow.yaml --set shadow.certificate=true
shadow examples/saddle.yaml
claims shadow-contraction
END
    fi
    # the other tests take minutes each there
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || set -- $unit_tests
    for name in "$@"; do
        look "$name" "$build/tests/${name}_test"
    done
    ;;
thread)
    if [ $# -gt 0 ]; then run_tests "$@"; else
        run_tests run ending output batch ensemble share sde antithetic multilevel chain snapshot growth network cli resume \
            journal control conjugate analyses curvature shadow claims plugin
    fi
    ;;
*) run_tests "$@" ;;
esac
# memcheck leaves an empty file for each program
find "$reports" -type f -size +0 | while read -r file; do
    echo "$file:"
    head -5 "$file"
done
[ -z "$(find "$reports" -type f -size +0)" ] || status=1
[ $status = 0 ] && echo "sanitize.sh $kind: nothing found"
exit $status
