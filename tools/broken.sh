#!/bin/sh
# Are mistakes noticed? Builds a copy of the sources with each patch of tools/broken in it, and asks whether at least one
# claim has another verdict than expected and the test named below fails. Some minutes; not part of the tests.
#   tools/broken.sh [NAME...]
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
bad=0
test_of() {
    case $1 in
    drift_sign) echo exact ;;
    milstein_correction) echo sde ;;
    phase_counter) echo jacobi ;;
    esac
}
for name in ${*:-drift_sign milstein_correction phase_counter}; do
    copy=$place/$name
    mkdir "$copy"
    (cd "$source" && git archive HEAD) | tar -x -C "$copy"
    patch -s -d "$copy" -p1 < "$source/tools/broken/$name.patch"
    meson setup "$copy/build" "$copy" --buildtype=release > "$copy/setup.log"
    ninja -C "$copy/build" src/cli/optdyn "tests/$(test_of "$name")_test" > "$copy/build.log"
    status=0
    "$copy/build/src/cli/optdyn" claims --quiet > "$copy/claims.txt" || status=$?
    found=$(grep '^! ' "$copy/claims.txt" | cut -c3-31 | sort -u | tr -s ' \n' ' ' || true)
    echo "$name: claims exit with $status${found:+; not as expected: $found}"
    if [ "$status" -ne 1 ] || [ -z "$found" ]; then
        echo "$name: NO CLAIM NOTICED IT"
        bad=1
    fi
    if (cd "$copy/build" && OPTDYN_SOURCE=$copy CMOCKA_MESSAGE_OUTPUT=TAP "tests/$(test_of "$name")_test") > "$copy/test.txt" 2>&1; then
        echo "$name: THE TEST $(test_of "$name") DID NOT NOTICE IT"
        bad=1
    else
        echo "$name: the test $(test_of "$name") fails: $(grep -c '^not ok' "$copy/test.txt" || true) of its checks"
    fi
    rm -rf "$copy"
done
exit $bad
