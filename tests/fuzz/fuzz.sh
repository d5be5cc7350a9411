#!/bin/sh
# Fuzzes a target with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer: fuzz.sh TARGET [SECONDS [BUILD]].
# BUILD (build-fuzz) is set up with clang if it is not there. New inputs of interest go to BUILD/found/TARGET; an input that
# fails is kept as BUILD/found/TARGET-crash-..., and belongs into tests/fuzz/TARGET, where every run of the tests repeats it.
# fuzz.sh TARGET keep adds to tests/fuzz/TARGET what the inputs found reach beyond those that are there.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
target=$1
seconds=${2:-300}
build=${3:-$source/build-fuzz}
inputs=$source/tests/fuzz/$target
[ -d "$inputs" ] || { echo "fuzz.sh: there is no folder $inputs; targets are the folders of tests/fuzz" >&2; exit 2; }
if [ ! -e "$build/build.ninja" ]; then
    CC=${CC:-clang} CXX=${CXX:-clang++} meson setup "$build" "$source" --buildtype=debugoptimized -Dfuzz=true -Db_lundef=false \
        -Db_sanitize=address,undefined -Dlibtorch=disabled -Dmpi=disabled -Dhdf5=disabled -Dbench=disabled
fi
ninja -C "$build" tests/fuzz/fuzz
mkdir -p "$build/found/$target"
# where there is no memory, allocations give NULL and a sentence follows
export OPTDYN_FUZZ="$target" ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export OPENBLAS_NUM_THREADS=1
dictionary=$source/tests/fuzz/$target.dict
[ -e "$dictionary" ] && set -- -dict="$dictionary" || set --
fuzz=$build/tests/fuzz/fuzz
cd "$build/found"
if [ "$seconds" = keep ]; then
    exec "$fuzz" -merge=1 -timeout=20 -rss_limit_mb=4096 "$inputs" "$target"
fi
exec "$fuzz" "$@" -max_total_time="$seconds" -max_len=2000 -timeout=20 -rss_limit_mb=4096 -artifact_prefix="$target-" \
    "$target" "$inputs"
