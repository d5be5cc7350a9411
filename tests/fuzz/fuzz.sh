#!/bin/sh
# Fuzzes a target with libFuzzer and AddressSanitizer: fuzz.sh BUILD [SECONDS]; BUILD is a folder that meson has set up.
# New inputs of interest go to BUILD/fuzz; an input that fails is kept there as crash-..., and belongs into the folder of
# tests/fuzz, where every run of the tests repeats it.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
seconds=${2:-300}
mkdir -p "$build/fuzz/formula"
flags="-std=c11 -O1 -g -D_POSIX_C_SOURCE=200809L -fno-omit-frame-pointer -ffp-contract=off -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-sanitize=float-divide-by-zero,float-cast-overflow -I$source -I$source/include -I$build"
objects=""
compile() { # name, file, more flags
    clang $flags $3 -c "$source/$2" -o "$build/fuzz/$1.o"
    objects="$objects $build/fuzz/$1.o"
}
for name in context memory text tape tape_rules tape_derivative program program_run polynomial formula; do
    compile $name src/$name.c ""
done
compile portable src/steps.c "-DOD_WIDTH=1 -DOD_STEPS=od_steps_portable"
if [ "$(uname -m)" = x86_64 ]; then
    compile avx2 src/steps.c "-DOD_WIDTH=4 -mavx2 -mfma -DOD_STEPS=od_steps_avx2"
    compile avx512 src/steps.c "-DOD_WIDTH=8 -mavx512f -DOD_STEPS=od_steps_avx512"
fi
compile target tests/fuzz/formula.c ""
clang -fsanitize=fuzzer,address,undefined $objects -lsleef -lm -lpthread -o "$build/fuzz/formula_fuzz"
cd "$build/fuzz"
exec ./formula_fuzz -max_total_time="$seconds" -max_len=600 -timeout=10 -dict="$source/tests/fuzz/formula.dict" formula "$source/tests/fuzz/formula"
