"""Texts of the user never run: whatever experiment files, data files, file names and folders hold, nothing is executed.
Every text tries to make a file whose name begins with `canary`, in one of the ways in which gnuplot or a shell runs a
command. Needs gnuplot for the figures.

SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end, skip

KINDS = ["loss", "distance", "plane", "gap", "gradient", "state"]
TEXTS = [
    "`touch canary1`",
    "it's `touch canary2` $(touch canary2)",
    "'; system('touch canary3'); #",
    '" . system("touch canary4") . "',
    "a''; system(\"touch canary5\"); #",
    "x\n!touch canary6\n",
    "x\rsystem 'touch canary7'\r",
    "|touch canary8",
    "<touch canary9",
    "< touch canary10",
    '"; load "canary.gp"; #',
    "'; load 'canary.gp'; #",
    "@MACRO {/Symbol `touch canary11`} @`touch canary11`",
    "\\'; !touch canary12 #",
    "back\\",
    "\u2019; system('touch canary13') #",
    "%s %n %d ${IFS} $((1)) ; touch canary14 & && touch canary14",
    "-e system('touch canary15')",
    "--help=`touch canary16`",
]
EXPERIMENT = """
problem: {name: quadratic, eigenvalues: [1.3, 0.17]}
method: {name: gradient, step: 0.1}
integrator: {name: rk4, step: 0.1}
start: {x: [1.1, -0.7]}
until: 1
iterations: 10
"""
GNUPLOT = shutil.which("gnuplot") is not None


def in_folder(name):
    """Names of files have neither a slash nor a zero."""
    return name.replace("/", "_")


class Place:
    """A folder to work in, with what could be loaded or run by mistake, and a home of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in (".gnuplot", ".gnuplot_history", "gnuplotrc", "canary.gp"):
            (self.folder / name).write_text("system('touch canary-init')\n")

    def run(self, *words, **environment):
        known = {k: v for k, v in os.environ.items() if k not in ("OPTDYN_DATA", "OPTDYN_GNUPLOT", "GNUPLOT_LIB")}
        known.update(HOME=str(self.folder), XDG_CONFIG_HOME=str(self.folder), MACRO="system('touch canary17')")
        return subprocess.run([PROGRAM, *words], cwd=self.folder, env={**known, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=250)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def canaries(self):
        return [str(p) for p in self.folder.rglob("canary*") if p.name != "canary.gp"]


def no_canary(place, results, what, fail_with=None):
    """Nothing was run; each command ended as it should: well, or with a sentence."""
    wrong = [(r.args[1:], r.returncode, r.stderr.decode()[-300:]) for r in results
             if r.returncode not in ((0,) if fail_with is None else fail_with)]
    check(not place.canaries() and not wrong and results, f"{what}: {len(results)} commands, nothing is executed",
          (place.canaries(), wrong[:3]))


def quoted(text):
    """As a double-quoted scalar: JSON's escapes are YAML's."""
    return json.dumps(text)


def labels(place):
    compare = "compare:\n" + "".join(f"  - {{label: {quoted(text)}}}\n" for text in TEXTS)
    file = place.write("labels.yaml", EXPERIMENT + compare)
    results = [place.run("run", file, "-o", "out"), place.run("run", file, "--json"), place.run("run", file, "-o", "out")]
    if GNUPLOT:
        results += [place.run("figure", file, "--kind", kind, "-o", "figures") for kind in KINDS]
        results += [place.run("figure", file, "-o", "previews", "--preview")]
        # few enough for a legend
        for i in range(0, len(TEXTS), 4):
            few = "compare: [" + ", ".join(f"{{label: {quoted(text)}}}" for text in TEXTS[i : i + 4]) + "]\n"
            results.append(place.run("figure", place.write(f"few{i}.yaml", EXPERIMENT + few), "-o", "few", "--preview"))
    no_canary(place, results, "labels")


def sets(place):
    file = place.write("plain.yaml", EXPERIMENT)
    results = [place.run("run", file, "--set", f"label={quoted(text)}", "-o", in_folder(text)) for text in TEXTS]
    good = [r for r in results if r.returncode == 0]
    no_canary(place, results, "labels by --set, and folders of results", (0, 2))
    check(len(good) > len(TEXTS) / 2, "most of these folders are made", [r.stderr for r in results])
    results = [place.run("run", file, "--set", f"{text}={text}") for text in TEXTS]
    results += [place.run("run", file, "--set", f"problem={quoted(text)}", "--json") for text in TEXTS]
    results += [place.run(text) for text in TEXTS] + [place.run("figure", file, "--kind", text) for text in TEXTS]
    no_canary(place, results, "names of entries, problems, commands and kinds", (2,))


def file_names(place):
    results = []
    for i, text in enumerate(TEXTS):
        name = place.write(in_folder(text) + ".yaml", EXPERIMENT)
        results.append(place.run("run", "--", name) if name.startswith("-") else place.run("run", name))
        if GNUPLOT:
            results.append(place.run("figure", "--kind", KINDS[i % len(KINDS)], "-o", in_folder(text) + "x", "--", name))
    no_canary(place, results, "names of experiment files and folders of figures", (0, 2))
    check(sum(r.returncode == 0 for r in results) > 0.8 * len(results), "nearly all of these files are run",
          [(r.args, r.stderr) for r in results if r.returncode != 0])


def data_files(place):
    results = []
    for i, text in enumerate(TEXTS):
        name = in_folder(f"{text}{i}.csv")
        column = '"' + text.replace('"', '""').replace("\n", " ").replace("\r", " ") + '"'
        place.write(name, f"a,{column},b\n1,2,3\n2,1,5\n4,5,5\n")
        bad = place.write(in_folder(f"bad{text}.csv"), f"a,b\n1,{column}\n")
        for data, label in ((name, text.replace("\n", " ").replace("\r", " ")), (name, "b"), (bad, "b")):
            file = place.write("data.yaml", f"""
problem: {{name: least-squares, data: {quoted(data)}, format: csv, label: {quoted(label)}}}
method: {{name: gradient, step: 0.01}}
start: {{x: {{normal: 0.1}}}}
iterations: 5
""")
            results.append(place.run("run", file, "-o", "data"))
            shutil.rmtree(place.folder / "data", ignore_errors=True)
    if GNUPLOT:
        results.append(place.run("figure", "data.yaml", "--set", "problem.label=b", "--set", f"problem.data={quoted(name)}"))
    no_canary(place, results, "names of data files and of their columns", (0, 1, 2))
    good = sum(r.returncode == 0 for r in results)
    check(good > len(TEXTS), f"{good} of these sets are read", [r.stderr for r in results])


def names_of_parts(place):
    """Plug-ins, models, curves and starts are named by files; a name that is none is refused with a sentence."""
    results = []
    for text in TEXTS:
        for section in (f"problem: {{name: plugin, file: {quoted('./' + text)}}}",
                        f"problem: {{name: torchscript, model: {quoted(text)}, data: clusters}}",
                        f"start: {{x: {{file: {quoted(text)}}}}}",
                        f"problem: {{name: formula, variables: [x, y], f: {quoted('x + ' + text)}}}",
                        f"method: {{name: {quoted(text)}}}"):
            key = section.partition(":")[0]
            kept = "\n".join(line for line in EXPERIMENT.split("\n") if not line.startswith(key + ":"))
            results.append(place.run("run", place.write("part.yaml", kept + "\n" + section + "\n")))
    results += [place.run("action", place.write("curve.yaml", EXPERIMENT.replace("gradient, step: 0.1", "heavy-ball, alpha: 1")
                                                .replace("iterations: 10\n", "") +
                                                f"action: {{curve: {quoted(text)}}}\n")) for text in TEXTS]
    no_canary(place, results, "names of plug-ins, models, starts, curves, methods and formulas", (1, 2))


def reports(place):
    if not GNUPLOT:
        skip("reports", "gnuplot is not installed")
        return
    results = [place.run("report", "fig-06", "-o", in_folder(text), "--quiet") for text in TEXTS[:4]]
    results += [place.run("figure", "fig-06", "-o", in_folder(text), "--quiet") for text in TEXTS[4:6]]
    results += [place.run("figure", "fig-06", "-o", "named", "--quiet", OPTDYN_GNUPLOT=text) for text in TEXTS]
    no_canary(place, results, "folders of reports, names of gnuplot", (0, 1, 2))
    made = sum((place.folder / in_folder(text) / "index.html").exists() for text in TEXTS[:4])
    check(made == 4, f"{made} of these reports are made", [r.stderr for r in results])


def certificates(place):
    """Labels name their files, and formulas stand in them; another program reads them."""
    compare = "compare:\n" + "".join(f"  - {{label: {quoted(text)}}}\n" for text in TEXTS[:5])
    file = place.write("shadow.yaml", "problem: {name: formula, variables: [x, y], f: 'x^2 + x*y/3 + y^2 + exp(x)/9'}\n"
                       "method: {name: gradient, step: 0.1}\nstart: {x: [1.1, -0.7]}\niterations: 3\n"
                       "shadow: {certificate: true, boxes: 10, modified: false, rescaled: false}\n" + compare)
    results = [place.run("shadow", file, "-o", "proofs"), place.run("shadow", file, "-o", "proofs", "--json")]
    if b"needs the module optdyn-arb.so" in results[0].stdout:
        skip("certificates", "the module for ball arithmetic is not built")
        return
    made = list((place.folder / "proofs").glob("*"))
    check(len(made) == 5, "each label has its certificate", (made, results[0].stderr))
    checker = str(pathlib.Path(sys.argv[2]) / "tools" / "check_certificate.py")
    results += [subprocess.run([sys.executable, checker, *map(str, made)], cwd=place.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=250)]
    no_canary(place, results, "certificates")


def journals(place):
    """What is resumed comes from a folder: the resolved experiment with its labels."""
    file = place.write("again.yaml", EXPERIMENT + f"label: {quoted(TEXTS[1] + TEXTS[3])}\n")
    results = [place.run("run", file, "-o", in_folder(t)) for t in TEXTS[:4]]
    results += [place.run("resume", in_folder(t)) for t in TEXTS[:4]]
    no_canary(place, results, "folders that are resumed")


def main():
    for part in (labels, sets, file_names, data_files, names_of_parts, reports, certificates, journals):
        with tempfile.TemporaryDirectory() as folder:
            part(Place(folder))
    # the canary sings where something is run: else the tests above would see nothing
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        if GNUPLOT:
            script = place.write("bad.gp", f"set title \"{TEXTS[0]}\"\nset terminal dumb\nplot x\n")
            subprocess.run(["gnuplot", "-d", script], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            check(place.canaries(), "gnuplot does run such a text where it is not quoted")
        else:
            skip("the canary", "gnuplot is not installed")
    return end()


if __name__ == "__main__":
    sys.exit(main())
