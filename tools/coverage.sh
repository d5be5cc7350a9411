#!/bin/sh
# Measures how much of the code the tests reach, in branches and lines, by folder: coverage.sh [TEST...], all tests by default.
# Needs gcc and gcovr. The build is build-coverage; reports add up over several calls until it is removed. Programs that a test
# kills leave no counts.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
cd "$(dirname "$0")/.."
build=build-coverage
if [ ! -e $build/build.ninja ]; then
    CC=${CC:-gcc} meson setup $build --buildtype=debug -Db_coverage=true -Dbench=disabled
fi
ninja -C $build
# each of many processes adds its counts to the same files
failed=0
meson test -C $build --no-rebuild -t 10 "$@" || failed=1
gcovr --root . --exclude 'tests/' --exclude 'bench/' --exclude 'build' --gcov-ignore-parse-errors --json-summary-pretty \
    --json-summary $build/coverage.json $build > $build/coverage.log 2>&1 || { cat $build/coverage.log >&2; exit 1; }
python3 - $build/coverage.json <<'END'
import collections
import json
import sys

NAMES = ["branch_covered", "branch_total", "line_covered", "line_total"]
folders, core = collections.defaultdict(lambda: [0] * 4), [0] * 4
with open(sys.argv[1]) as summary:
    files = json.load(summary)["files"]
for file in files:
    folder, counts = file["filename"].rpartition("/")[0], [file[n] for n in NAMES]
    folders[folder] = [a + b for a, b in zip(folders[folder], counts)]
    if folder.split("/")[0] in ("src", "integrators", "analysis") and folder not in ("src/nn", "src/cli", "src/cli/completion"):
        core = [a + b for a, b in zip(core, counts)]


def line(name, c):
    print(f"{name:24} {c[0]:6}/{c[1]:6} {100 * c[0] / max(c[1], 1):6.1f} %   {c[2]:6}/{c[3]:6} {100 * c[2] / max(c[3], 1):6.1f} %")


print(f"{'folder':24} {'branches':>22}   {'lines':>22}")
for name in sorted(folders):
    line(name, folders[name])
line("core (*)", core)
print("(*) src without src/nn and src/cli, integrators, analysis")
print("least covered:")
for file in sorted((f for f in files if f["branch_total"] > 40), key=lambda f: f["branch_covered"] / f["branch_total"])[:12]:
    line("  " + file["filename"], [file[n] for n in NAMES])
END
[ $failed = 0 ] || { echo "coverage.sh: some tests failed (see $build/meson-logs); their counts are in" >&2; exit 1; }
