#!/usr/bin/env python3
"""Can the claims fail? Makes the one-line mistakes of tools/broken/lines.txt, one after the other, in a copy of the committed
sources, and asks whether each of the claims named beside it has another verdict than expected. Says too which claims no
mistake has touched. Some minutes; not part of the tests.
    tools/broken_lines.py [-k PLACE] [WORD...]      only mistakes whose file or claims contain a WORD; PLACE: keep the copy there
SPDX-License-Identifier: GPL-3.0-or-later"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def mistakes():
    with open(os.path.join(SOURCE, "tools/broken/lines.txt"), encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    for file, old, new, claims in zip(*[iter(lines)] * 4):
        assert old.startswith("- ") and new.startswith("+ "), (file, old, new)
        yield file, old[2:], new[2:], claims.split()


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def build(copy):
    r = run("ninja", "-C", os.path.join(copy, "build"), "src/cli/optdyn")
    return r.returncode == 0 or sys.exit(r.stdout[-2000:])


def surprising(copy):
    """Claims with another verdict than expected, with all claims of a set whose standard experiment fails."""
    r = run(os.path.join(copy, "build/src/cli/optdyn"), "claims", "--json", "--quiet")
    found = set()
    for page in json.loads(r.stdout)["pages"] if r.returncode in (0, 1) else []:
        found |= {c["id"] for c in page["claims"] if c["verdict"] != c["expected"]}
        lost = (page["skipped"] or "").split("no standard experiment asks ")
        found |= set(lost[1].split(", ")) if len(lost) == 2 else {"all of " + page["set"]} if page["skipped"] else set()
    return found if r.returncode in (0, 1) else {f"exit status {r.returncode}"}


def declared(copy):
    r = run(os.path.join(copy, "build/src/cli/optdyn"), "claims", "--json", "--quiet")
    return {c["id"]: page["set"] for page in json.loads(r.stdout)["pages"] for c in page["claims"]}


def prepare(copy):
    if not os.path.exists(os.path.join(copy, "build")):
        os.makedirs(copy, exist_ok=True)
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=SOURCE, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", copy], stdin=archive.stdout, check=True)
        r = run("meson", "setup", os.path.join(copy, "build"), copy, "--buildtype=release")
        r.returncode == 0 or sys.exit(r.stdout[-2000:])
    build(copy)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-k", dest="place")
    arguments.add_argument("word", nargs="*")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        copy = asked.place or os.path.join(temporary, "copy")
        prepare(copy)
        sets, noticed, bad = declared(copy), set(), 0
        for file, old, new, claims in mistakes():
            if asked.word and not any(w in file or w in claims for w in asked.word):
                continue
            path = os.path.join(copy, file)
            with open(path, encoding="utf-8") as f:
                right = f.read()
            if right.count(old) != 1:
                sys.exit(f"{file}: {right.count(old)} times '{old}'")
            with open(path, "w", encoding="utf-8") as f:
                f.write(right.replace(old, new))
            build(copy)
            found = surprising(copy)
            with open(path, "w", encoding="utf-8") as f:
                f.write(right)
            missed = [c for c in claims if c not in found and "all of " + sets.get(c, "") not in found]
            noticed |= found
            bad += bool(missed)
            print(f"{file}: {new.strip()}\n  noticed by {len(found)}: {' '.join(sorted(found))}", flush=True)
            if missed:
                print(f"  NOT NOTICED BY {' '.join(missed)}", flush=True)
        build(copy)
        rest = sorted(i for i in sets if i not in noticed and not i.endswith("-printed"))
        print(f"claims that no mistake has touched, {len(rest)} of {len(sets)}: {' '.join(rest)}")
    return bad > 0


sys.exit(main())
