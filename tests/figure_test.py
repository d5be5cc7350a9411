#!/usr/bin/env python3
# Tests `optdyn figure`: figure_test.py PROGRAM. Needs gnuplot for the pictures; without it those tests are skipped.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import xml.dom.minidom

PROGRAM = os.path.abspath(sys.argv[1])
TESTS = []
DATA_FIGURES = ["fig-17", "fig-17-mlp", "fig-18", "fig-18-mlp", "fig-edge-of-stability", "fig-network-shadow"]
QUADRATIC = """
problem: {name: quadratic, eigenvalues: [1.3, 0.17]}
integrator: {name: rk4, step: 0.1}
start: {x: [1.1, -0.7]}
until: 2.3
"""


def test(function):
    TESTS.append(function)
    return function


def run(folder, *arguments, **environment):
    known = {key: value for key, value in os.environ.items() if key not in ("OPTDYN_DATA", "OPTDYN_GNUPLOT")}
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env={**known, **environment}, capture_output=True, text=True)


def check(condition, *seen):
    if not condition:
        raise AssertionError(" | ".join(map(str, seen)) or "no")


def figure_json(result):
    check(result.returncode == 0, result.returncode, result.stdout, result.stderr)
    return json.loads(result.stdout)


def check_pictures(folder, name):
    check((folder / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n", "not a PNG")
    check((folder / f"{name}.pdf").read_bytes()[:5] == b"%PDF-", "not a PDF")
    check(xml.dom.minidom.parse(str(folder / f"{name}.svg")).documentElement.tagName == "svg")


@test
def known_figure_leaves_pictures_data_script_and_checked_numbers(folder):
    report = figure_json(run(folder, "figure", "fig-06", "--json"))
    made = folder / "out" / "fig-06"
    check_pictures(made, "fig-06")
    check(json.loads((made / "fig-06.json").read_text()) == report, "file and standard output differ")
    check(report["ok"] is True and len(report["numbers"]) >= 10 and all(n["ok"] for n in report["numbers"]), report)
    # from elsewhere: exp(-0.0008 * 300)
    slow = [n for n in report["numbers"] if n["name"] == "gradient x2 at 300"][0]
    check(abs(slow["got"] - 0.7866278610665534) < 1e-8, slow)
    for file in report["files"]:
        check((folder / file).stat().st_size > 0, file)
    script = (made / "fig-06.gp").read_text()
    check(not re.search(r"^\s*set (terminal|term|output)", script, re.M), "the script sets its terminal")
    check("/" not in str(made.name) and str(folder) not in script, "the script names an absolute path")


@test
def shadows_are_those_of_other_algorithms(folder):
    for name in ("fig-10", "fig-11", "fig-12", "fig-14", "fig-16"):
        report = figure_json(run(folder, "figure", name, "--json"))
        check_pictures(folder / "out" / name, name)
        check(report["ok"] is True and report["numbers"], report)
    rows = table(folder / "out" / "fig-14" / "orbit-descent.csv")
    check([row["k"] for row in rows] == list(range(8)), rows)
    for row in rows:
        # x_1 grows by 1.2, x_2 shrinks by 0.8, the flow by e^{0.2} and e^{-0.2}
        k = row["k"]
        want = math.hypot(0.1 * (1.2**k - math.exp(0.2 * k)), 0.8**k - math.exp(-0.2 * k))
        check(abs(row["distance_same"] - want) < 1e-14, row)
    check(max(row["distance_best"] for row in rows) < 0.04, rows)


@test
def deep_chains_wait_as_one_weight_alone(folder):
    report = figure_json(run(folder, "figure", "fig-21", "--json"))
    made = folder / "out" / "fig-21"
    check_pictures(made, "fig-21")
    check(report["ok"] is True and len(report["numbers"]) == 12, report)
    w = 0.5
    for row in table(made / "descent" / "L=10-iteration.csv"):
        check(abs(row["x_1"] - w) < 1e-12 and abs(row["x_10"] - w) < 1e-12, row)
        w -= 0.1 * (w**10 - 1) * w**9
    # w' = w^9 is never behind the flow; by more than the integration's error after a tenth of the time
    explodes = 0.5**-8 / 8
    for row in table(made / "flow" / "L=10-flow.csv")[1:]:
        ahead = (8 * (explodes - row["t"])) ** (-1 / 8) if row["t"] < explodes else math.inf
        check(ahead > row["x_1"] or (row["t"] < 3 and ahead > row["x_1"] - 1e-9), row)


@test
def conjugate_points_are_those_of_closed_forms(folder):
    for name in ("fig-03", "fig-04", "fig-conjugate-locus", "fig-power-conjugate"):
        report = figure_json(run(folder, "figure", name, "--json"))
        check_pictures(folder / "out" / name, name)
        check(report["ok"] is True and len(report["numbers"]) > 10, report)
    rows = table(folder / "out" / "fig-conjugate-locus" / "conjugate-heavy-ball-1.csv")
    check(len(rows) >= 10)
    for row in rows:
        want = 2 * math.pi / math.sqrt(4 * row["curvature"] - 1)
        check(abs(row["length"] - want) < 1e-9 * (1 + want) and row["index"] == math.floor(39.5 / want), row, want)


@test
def script_draws_again_by_itself(folder):
    figure_json(run(folder, "figure", "fig-07", "--json"))
    again = subprocess.run(["gnuplot", "-e", "set terminal svg; set output 'again.svg'", "fig-07.gp"],
                           cwd=folder / "out" / "fig-07", capture_output=True, text=True)
    check(again.returncode == 0 and again.stderr == "", again.stderr)
    check((folder / "out" / "fig-07" / "again.svg").stat().st_size > 1000)


@test
def figure_can_be_made_twice(folder):
    one = figure_json(run(folder, "figure", "fig-07", "--json", "-o", "pictures"))
    two = figure_json(run(folder, "figure", "fig-07", "--json", "-o", "pictures"))
    check(one["files"] == two["files"] and one["numbers"] == two["numbers"])


@test
def changed_experiment_is_not_judged(folder):
    report = figure_json(run(folder, "figure", "fig-06", "--json", "--set", "start.x=[2,1]"))
    check(report["ok"] is None and "--set" in report["unjudged"], report)
    check(all(n["ok"] is None for n in report["numbers"]))


@test
def full_mode_changes_what_the_figure_says_in_a_folder_of_its_own(folder):
    # short, so that the test is
    short = ["--json", "--set", "until=2.01", "--set", "record.every=1"]
    reports = [figure_json(run(folder, "figure", "fig-noise-window", *words, *short)) for words in ([], ["--full"])]
    for report, mode, place, paths in zip(reports, ("quick", "full"), ("", "-full"), (10000, 100000)):
        made = folder / "out" / f"fig-noise-window{place}"
        check_pictures(made, "fig-noise-window")
        check(report["mode"] == mode and report["full_mode_changes"] == "experiments.ensemble.paths: 100000", report)
        check(all((folder / file).is_file() and file.startswith(f"out/{made.name}/") for file in report["files"]), report["files"])
        rows = table(made / "ensemble" / "nesterov-0.1-flow.csv")
        check(rows and all(row["paths"] == paths for row in rows), rows)
        check(json.loads((made / "fig-noise-window.json").read_text()) == report)
    # a figure without random numbers has one mode
    report = figure_json(run(folder, "figure", "fig-07", "--full", "--json"))
    check("mode" not in report and (folder / "out" / "fig-07" / "fig-07.png").exists(), report)
    (folder / "own.yaml").write_text(QUADRATIC + "method: gradient\n")
    result = run(folder, "figure", "own.yaml", "--full")
    check(result.returncode == 2 and "known figures" in result.stderr, result.stderr)


@test
def results_of_another_version_are_moved_aside(folder):
    made = folder / "out" / "fig-06"
    first = figure_json(run(folder, "figure", "fig-06", "--json"))
    old = (made / "flows" / "experiment.yaml").read_text()
    (made / "flows" / "experiment.yaml").write_text(old.replace("until: 300", "until: 200"))
    check(old != (made / "flows" / "experiment.yaml").read_text(), "the test changes nothing")
    (made / "mine.gp").write_text("plot x\n")
    changed = run(folder, "figure", "fig-06", "--set", "start.x=[2,1]")
    check(changed.returncode == 2 and "another experiment" in changed.stderr, changed.stderr)
    result = run(folder, "figure", "fig-06", "--json")
    check(figure_json(result)["numbers"] == first["numbers"] and "fig-06.old-1" in result.stderr, result.stderr)
    check((folder / "out" / "fig-06.old-1" / "mine.gp").exists() and not (made / "mine.gp").exists())
    check((made / "flows" / "experiment.yaml").read_text() == old)
    # and so is a journal of another version, which could not be gone on from
    (made / "flows" / "run.journal").write_bytes(b"OJLN" + bytes(100))
    result = run(folder, "figure", "fig-06")
    check(result.returncode == 0 and "fig-06.old-2" in result.stderr, result.stderr)
    check((folder / "out" / "fig-06.old-2" / "flows" / "run.journal").exists())
    result = run(folder, "figure", "fig-06")
    check(result.returncode == 0 and result.stderr == "" and not (folder / "out" / "fig-06.old-3").exists(), result.stderr)


@test
def unknown_name_suggests_the_nearest(folder):
    result = run(folder, "figure", "fig-6")
    check(result.returncode == 2 and "'fig-06'" in result.stderr, result.stderr)
    result = run(folder, "figure", "fig-6", "--json")
    check(result.returncode == 2 and "fig-06" in json.loads(result.stdout)["error"]["message"], result.stdout)


@test
def missing_gnuplot_is_one_sentence_and_data_stay(folder):
    result = run(folder, "figure", "fig-06", OPTDYN_GNUPLOT="/nowhere/gnuplot")
    check(result.returncode == 1, result.returncode)
    check(len(result.stderr.strip().splitlines()) == 1 and "/nowhere/gnuplot" in result.stderr, result.stderr)
    made = folder / "out" / "fig-06"
    check((made / "fig-06.gp").exists() and (made / "fig-06.json").exists())
    check((made / "flows" / "nesterov-flow.csv").stat().st_size > 1000)


@test
def failing_gnuplot_is_reported_and_leaves_no_half_picture(folder):
    fake = folder / "fake"
    fake.write_text("#!/bin/sh\necho 'half' > fig-07.png\necho 'line 3: all wrong' >&2\nexit 3\n")
    fake.chmod(0o755)
    result = run(folder, "figure", "fig-07", OPTDYN_GNUPLOT="./fake")
    check(result.returncode == 1 and "exit status 3" in result.stderr and "all wrong" in result.stderr, result.stderr)
    check(not (folder / "out" / "fig-07" / "fig-07.png").exists())


@test
def every_kind_is_drawn(folder):
    (folder / "own.yaml").write_text(QUADRATIC + "iterations: 23\ncompare:\n"
                                     "  - {method: {name: gradient, step: 0.1}}\n"
                                     "  - {label: fast, method: {name: nesterov, step: 0.01}}\n")
    for kind in ("loss", "distance", "plane", "gap", "gradient", "state"):
        result = run(folder, "figure", "own.yaml", "--kind", kind)
        check(result.returncode == 0 and result.stderr == "", kind, result.stderr)
        check_pictures(folder / "out" / "own", f"own-{kind}")


@test
def ensemble_is_drawn_with_its_band(folder):
    (folder / "noisy.yaml").write_text(
        QUADRATIC.replace("rk4", "euler-maruyama").replace("{x:", "{t: 0.1, x:").replace("2.3", "2.4") +
        "method: {name: nesterov, noise: 0.1}\npaths: 20\n")
    result = run(folder, "figure", "noisy.yaml", "--quiet")
    check(result.returncode == 0 and result.stderr == "", result.stderr)
    check("filledcurves" in (folder / "out" / "noisy" / "noisy-loss.gp").read_text())


@test
def mistakes_are_found_before_anything_runs(folder):
    (folder / "line.yaml").write_text(QUADRATIC.replace("[1.3, 0.17]", "[1.3]").replace("[1.1, -0.7]", "[1.1]") +
                                      "method: gradient\n")
    for kind, words in (("plane", "one dimension"), ("gap", "iterations"), ("los", "did you mean 'loss'")):
        result = run(folder, "figure", "line.yaml", "--kind", kind)
        check(result.returncode == 2 and words in result.stderr, kind, result.stderr)
    for arguments in ([], ["fig-06", "fig-07"], ["fig-06", "--kind", "loss"], ["--all", "fig-06"], ["missing.yaml"]):
        check(run(folder, "figure", *arguments).returncode == 2, arguments)


@test
def full_disk_leaves_no_half_picture(folder):
    # gnuplot says nothing of it; its pictures of fig-10 have 20 to 110 kB, the other files less than 2
    for room in (15000, 40000, 90000):
        result = subprocess.run([PROGRAM, "figure", "fig-10", "--json"], cwd=folder, capture_output=True, text=True,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
        check(result.returncode == 1, result.returncode, result.stderr)
        error = json.loads(result.stdout)["error"]
        check("could not write all of out/fig-10/fig-10." in error["message"] and error["entry"] == "-o", error)
        check(not any((folder / "out" / "fig-10" / f"fig-10.{end}").exists() for end in ("png", "svg", "pdf")), room)
    figure_json(run(folder, "figure", "fig-10", "--json"))
    check_pictures(folder / "out" / "fig-10", "fig-10")


@test
def experiment_cannot_run_a_command(folder):
    # every way in which gnuplot runs one: backquotes, system(), !, a file name that begins with < or |
    labels = ["it's `touch canary` $(touch canary)", "'; system('touch canary'); #", "x\\n!touch canary\\n",
              "\\\" . system(\\\"touch canary\\\") . \\\"", "<touch canary", "|touch canary", "@touch {/Symbol `touch canary`}",
              "a''; system(\\\"touch canary\\\"); #", "''''; system(\\\"touch canary\\\"); #",
              "\\\\'; !touch canary #", "back\\\\"]
    entries = "".join(f'  - {{label: "{label}", method: gradient}}\n' for label in labels)
    for name in ("plain.yaml", "|touch canary.yaml", "<touch canary.yaml", "`touch canary`.yaml", "-e system('touch canary').yaml",
                 "'; system('touch canary'); '.yaml"):
        (folder / name).write_text(QUADRATIC + "compare:\n" + entries)
        for kind in ("loss", "plane", "state"):
            result = run(folder, "figure", "--kind", kind, "--", name)
            check(result.returncode == 0, name, result.stderr)
    check(len(list(folder.glob("out/*/*.png"))) == 15, "two of the six names become the same folder")
    check(not [path for path in folder.rglob("*") if path.name.startswith("canary")], "a command was run")


@test
def diverged_run_is_drawn_and_fails(folder):
    (folder / "wild.yaml").write_text("problem: {name: quadratic, eigenvalues: [1, 2]}\nstart: {x: [1, 1]}\n"
                                      "method: {name: gradient, step: 40}\niterations: 400\n")
    result = run(folder, "figure", "wild.yaml")
    check(result.returncode == 1 and "diverged" in result.stderr, result.stderr)
    check_pictures(folder / "out" / "wild", "wild-loss")


@test
def preview_fits_the_terminal(folder):
    (folder / "own.yaml").write_text(QUADRATIC + "method: gradient\n")
    for arguments in (["own.yaml"], ["fig-06"]):
        result = run(folder, "figure", *arguments, "--preview", COLUMNS="66", LINES="31")
        lines = result.stdout.splitlines()
        check(result.returncode == 0 and "time t" in result.stdout, result.stdout, result.stderr)
        check(max(len(line.rstrip()) for line in lines if "known" not in line) <= 66, result.stdout)


@test
def data_figure_without_data_says_how_to_give_them(folder):
    names = [entry["name"] for entry in json.loads(run(folder, "list", "figures", "--json").stdout)]
    for name in DATA_FIGURES:
        if name in names:
            result = run(folder, "figure", name)
            check(result.returncode == 2 and "--data" in result.stderr and "OPTDYN_DATA" in result.stderr, result.stderr)


def write_digits(folder, count):
    """IDX files of random pictures, 3 and 5 in turn, one pixel in ten not 0."""
    folder.mkdir()
    draw = random.Random(2385)
    images = bytearray(count * 784)
    for i in draw.sample(range(len(images)), len(images) // 10):
        images[i] = draw.randrange(1, 256)
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, count, 28, 28) + images)
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, count) + bytes([3, 5]) * (count // 2))


def table(path):
    lines = [line.split(",") for line in path.read_text().splitlines() if not line.startswith("#")]
    return [dict(zip(lines[0], map(float, line))) for line in lines[1:]]


@test
def plans_say_what_a_figure_takes_and_make_nothing(folder):
    write_digits(folder / "mnist", 10000)
    # 20 seeds of four runs: 1500 steps of four gradients and 150 iterations each; fig-08: two SDEs of 10^5 paths
    for name, arguments, evaluations in (("fig-17", ["--full"], [20 * 4 * (4 * 1500 + 150)]), ("fig-17", [], [5 * 4 * (4 * 1500 + 150)]),
                                         ("fig-08", ["--full"], [199998, 1999800000]), ("fig-06", [], None)):
        result = run(folder, "figure", name, "--dry-run", "--json", "--data", ".", *arguments)
        plan = figure_json(result)
        check(plan["figure"] == name and plan["mode"] == (None if name == "fig-06" else "full" if arguments else "quick"), plan)
        check(plan["folder"] == f"out/{name}" + ("-full" if arguments else ""), plan)
        found = [part["gradient_evaluations"] for part in plan["plan"] if part["section"] == "experiments"]
        check(evaluations is None or found == evaluations, found)
    result = run(folder, "figure", "fig-17", "--full", "--dry-run", "--data", ".")
    check("fig-17 in full mode, in out/fig-17-full" in result.stdout and "gradient evaluations 492000" in result.stdout, result.stdout)
    result = run(folder, "report", "fig-06", "fig-17", "--dry-run", "--json")
    check([f["figure"] for f in figure_json(result)["figures"]] == ["fig-06"] and "fig-17 is left out" in result.stderr, result.stdout, result.stderr)
    (folder / "own.yaml").write_text(QUADRATIC + "method: gradient\n")
    result = run(folder, "figure", "own.yaml", "--kind", "loss", "--dry-run")
    check(result.returncode == 0 and "steps 23" in result.stdout, result.stdout, result.stderr)
    check(sorted(path.name for path in folder.iterdir()) == ["mnist", "own.yaml"], list(folder.iterdir()))
    result = run(folder, "figure", "fig-10", "--full")
    check(result.returncode == 0 and "fig-10 has one mode only; --full changes nothing" in result.stderr, result.stderr)


@test
def five_seeds_are_taken_together(folder):
    write_digits(folder / "mnist", 10000)
    # much shorter than the figure, so that the test is
    result = run(folder, "figure", "fig-17", "--data", ".", "--set", "until=1", "--set", "iterations=2", "--json",
                 "--set", "integrator.step=0.5")
    report = figure_json(result)
    made = folder / "out" / "fig-17"
    check_pictures(made, "fig-17")
    for label in ("gradient-0.005", "heavy-ball-0.02"):
        alone = [table(made / "runs" / f"{label}_seed={seed}-iteration.csv") for seed in range(1, 6)]
        together = table(made / f"runs-{label}.csv")
        check(str(pathlib.Path("out/fig-17") / f"runs-{label}.csv") in report["files"], report["files"])
        check(len(together) == len(alone[0]) == 3, together)
        for row, rows in zip(together, zip(*alone)):
            loss = [r["loss"] for r in rows]
            check(len(set(loss)) == 5 and row["k"] == rows[0]["k"] and row["t"] == rows[0]["t"], row)
            check(abs(row["loss_mean"] - statistics.mean(loss)) < 1e-15, row, loss)
            check(abs(row["loss_stderr"] - statistics.stdev(loss) / 5 ** 0.5) < 1e-12, row, loss)
            check(row["loss_min"] == min(loss) and row["loss_max"] == max(loss), row, loss)
    check(len(table(made / "curvature.csv")) == 4, "one row for all seeds of a run")


@test
def all_figures_are_made_but_those_without_data(folder):
    # another seed, so that numbers are not judged: that would fail once in a while
    result = run(folder, "figure", "--all", "--json", "--set", "seed=3")
    figures = figure_json(result)["figures"]
    made = [entry["figure"] for entry in figures if "files" in entry]
    known = [figure["name"] for figure in json.loads(run(folder, "list", "figures", "--json").stdout)]
    check(len(known) > 20 and made == [name for name in known if name not in DATA_FIGURES], made)
    check([entry["figure"] for entry in figures if "skipped" in entry] == DATA_FIGURES, figures)
    check("fig-17 is skipped" in result.stderr and "OPTDYN_DATA" in result.stderr, result.stderr)
    for name in made:
        check_pictures(folder / "out" / name, name)


def main():
    drawn = shutil.which("gnuplot") is not None
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        if not drawn:
            print(f"ok {number} {name} # SKIP no gnuplot")
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(pathlib.Path(folder))
                print(f"ok {number} {name}", flush=True)
            except Exception as error:  # a test that breaks is a test that fails
                failed += 1
                print("# " + repr(error).replace("\\n", "\n# ")[:4000])
                print(f"not ok {number} {name}", flush=True)
    return failed > 0


sys.exit(main())
