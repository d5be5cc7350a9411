#!/usr/bin/env python3
"""What the README and the examples show is what happens: extracts, runs and compares. TAP.

usage: readme_test.py SOURCE BUILD PROGRAM COMPILER

SPDX-License-Identifier: GPL-3.0-or-later
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

source, build, program, compiler = sys.argv[1:5]
readme = open(os.path.join(source, "README.md")).read()
results = []


def check(name, ok, detail=""):
    results.append(ok)
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}")
    if not ok:
        print("# " + str(detail).replace("\n", "\n# "))


def block(language):
    return re.search(rf"```{language}\n(.*?)```", readme, re.S).group(1)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


with tempfile.TemporaryDirectory() as folder:
    # the experiment in the README is the example, and prints what the README says
    file = os.path.join(folder, "readme.yaml")
    open(file, "w").write(block("yaml"))
    shown = block("text").split("\n", 1)[1].strip()
    done = run(program, "run", file)
    check("the README's experiment prints the README's result", done.stdout.strip() == shown, done.stdout + done.stderr)
    example = run(program, "run", os.path.join(source, "examples", "nesterov.yaml"))
    check("examples/nesterov.yaml is the README's experiment", example.stdout == done.stdout, example.stdout)

    # the C program compiles against the public header and the library alone, and agrees
    for name, text in [("readme", block("c")), ("example", open(os.path.join(source, "examples", "library.c")).read())]:
        file = os.path.join(folder, name + ".c")
        open(file, "w").write(text)
        binary = os.path.join(folder, name)
        made = run(*compiler.split(), "-std=c11", "-Wall", "-Wextra", "-Werror", file, "-o", binary,
                   "-I" + os.path.join(source, "include"), "-L" + build, "-loptdyn", "-Wl,-rpath," + build)
        check(f"the {name} program compiles", made.returncode == 0, made.stderr)
        if made.returncode == 0:
            ran = run(binary)
            check(f"the {name} program gives the README's gap", ran.returncode == 0 and "0.074651 at t = 1.9" in ran.stdout,
                  ran.stdout + ran.stderr)

    # every example runs, and again from its own resolved experiment, to the bit
    for path in sorted(glob.glob(os.path.join(source, "examples", "*.yaml"))):
        name = os.path.basename(path)
        first, second = os.path.join(folder, name + ".1"), os.path.join(folder, name + ".2")
        done = run(program, "run", path, "--json", "-o", first)
        check(f"examples/{name} runs", done.returncode == 0, done.stderr)
        if done.returncode != 0:
            continue
        again = run(program, "run", os.path.join(first, "experiment.yaml"), "--json", "-o", second)
        one, two = json.loads(done.stdout), json.loads(again.stdout or "{}")
        for document in (one, two):
            for member in document.get("members", [document]):
                member.pop("files", None)
        check(f"examples/{name} is remade to the bit", one == two, again.stderr)

    # every path that the README and the docs link to exists
    for document in ["README.md"] + sorted(glob.glob(os.path.join(source, "docs", "*.md"))):
        path = os.path.join(source, document)
        for link in re.findall(r"\]\(([^)#:]+)\)", open(path).read()):
            check(f"{os.path.basename(document)} links to {link}", os.path.exists(os.path.join(os.path.dirname(path), link)))

print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
