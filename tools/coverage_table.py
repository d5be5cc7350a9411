"""The table that coverage.sh prints, from the counts that gcovr collects, and a list of the branches that were not taken.

SPDX-License-Identifier: GPL-3.0-or-later"""

import collections
import json
import sys


def is_core(name):
    """Everything that computes and reads: without the backend of networks, the program's commands, and the parts that are tables."""
    return name.startswith(("src/", "integrators/", "analysis/")) and not name.startswith(("src/nn/", "src/cli/"))


def missed(name, lines):
    with open(name) as f:
        text = f.read().splitlines()
    for line in lines:
        taken = [b["count"] > 0 for b in line["branches"]]
        if not all(taken) or line["count"] == 0:
            what = f"{taken.count(False)} of {len(taken)}" if taken else "line"
            yield f"{name}:{line['line_number']}: {what}: {text[line['line_number'] - 1].strip()}\n"


files = {}
with open(sys.argv[1]) as f, open(sys.argv[2], "w") as out:
    for file in json.load(f)["files"]:
        lines = [n for n in file["lines"] if not n.get("gcovr/noncode")]
        branches = [b["count"] > 0 for n in lines for b in n["branches"]]
        files[file["file"]] = [sum(branches), len(branches), sum(n["count"] > 0 for n in lines), len(lines)]
        if is_core(file["file"]):
            out.writelines(missed(file["file"], lines))


def row(name, c):
    print(f"{name:32} {c[0]:6}/{c[1]:6} {100 * c[0] / max(c[1], 1):6.1f} %   {c[2]:6}/{c[3]:6} {100 * c[2] / max(c[3], 1):6.1f} %")


folders = collections.defaultdict(lambda: [0] * 4)
for name, counts in files.items():
    for folder in [name.rpartition("/")[0]] + ["core (*)"] * is_core(name):
        folders[folder] = [a + b for a, b in zip(folders[folder], counts)]
print(f"{'folder':32} {'branches':>22}   {'lines':>22}")
for name in sorted(folders, key=lambda name: (name == "core (*)", name)):
    row(name, folders[name])
print("(*) src without src/nn and src/cli, integrators, analysis\nmost branches missed:")
for name in sorted(filter(is_core, files), key=lambda name: files[name][0] - files[name][1])[:12]:
    row("  " + name, files[name])
