"""Files and folders of a run: starts that are read from long files, folders that are taken, what was left over, odd names.

SPDX-License-Identifier: GPL-3.0-or-later"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end

os.environ.pop("OPTDYN_DATA", None)  # files are sought where the experiment is

GOOD = """problem: {name: quadratic, eigenvalues: [1.3, 0.4]}
method: {name: gradient, step: 0.1}
start: {x: [1.7, -0.6]}
iterations: 3
"""
LONG = 100001  # numbers; up to 100000 are written into the resolved experiment
POWER = f"""problem: {{name: power, p: 2, c: 0.5, dim: {LONG}}}
method: {{name: gradient, step: 0.25}}
start: {{x: {{file: %s}}}}
iterations: 2
record: {{quantities: [loss]}}
"""


def optdyn(*args, **more):
    return subprocess.run([PROGRAM, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=250, **more)


def write(name, text):
    with open(name, "w", encoding="utf-8") as out:
        out.write(text)
    return name


def resolved(*args):
    r = optdyn("run", *args, "--dry-run", "--json")
    return json.loads(r.stdout)["resolved"] if r.returncode == 0 else r.stderr.decode()


def columns(name):
    with open(name, encoding="utf-8") as table:
        return next(line for line in table if not line.startswith("#")).strip().split(",")


def long_starts():
    """A long start is named, by a path that holds wherever the resolved experiment lies."""
    here = os.getcwd()
    os.makedirs("sub")
    write("sub/long.csv", "1\n" * LONG)
    os.symlink("sub/long.csv", "long.csv")
    real = f'{{file: "{here}/sub/long.csv"}}'
    real = real if any(c not in "/._-" and not c.isalnum() for c in here) else real.replace('"', "")
    for what, name, file in (("beside the experiment", "a.yaml", "long.csv"), ("in its folder", "sub/a.yaml", "long.csv"),
                             ("by its whole name", "a.yaml", f"{here}/sub/long.csv")):
        text = resolved(write(name, POWER % file))
        check(f"start: {{t: 0, x: {real}}}" in text, f"a long file {what} is named", text[:500])
    r = optdyn("run", "sub/a.yaml", "-o", "out", "--json")
    final = json.loads(r.stdout)["iteration"]["final"]
    # each component is 0.75^2, each loss half its square; a sum of 10^5 equal terms is right to 10^5 units
    check(abs(final["loss"] / (LONG * 0.75 ** 4 / 2) - 1) < 1e-10, "and read", final["loss"])
    again = optdyn("run", "out/experiment.yaml", "--json")
    check(json.loads(again.stdout)["iteration"]["final"]["loss"] == final["loss"], "and read again from the folder", again.stderr)
    odd = b"latin \xe9"
    os.makedirs(odd)
    os.symlink(os.path.join(here, "sub/a.yaml"), os.path.join(odd, b"a.yaml"))
    write(odd + b"/long.csv", "1\n" * LONG)
    r = optdyn("run", os.path.join(odd, b"a.yaml"), "--dry-run")
    check(f'x: {{file: "{here}/latin \\ufffd/long.csv"}}'.encode() in r.stdout, "what is no text is shown as such", r.stdout[:600])
    write("short.csv", "# three\n1, 2;3\n")
    text = resolved(write("a.yaml", POWER.replace(str(LONG), "3") % "short.csv"))
    check("x: [1, 2, 3]" in text, "the numbers of a short file are written", text)


def names():
    """Texts that YAML would take for something else stay texts."""
    for word in ("true", "false", "null", "1e3", "-x", ""):
        text = resolved(write("a.yaml", GOOD), "--set", f"label='{word}'")
        check(text.startswith(f'label: "{word}"\n' if word else "label: gradient\n"), f"a label '{word}' is quoted", text[:80])
    text = resolved("a.yaml", "--set", "label=plain-1.x_y")
    check(text.startswith("label: plain-1.x_y\n"), "and a plain one is not", text[:80])
    longer = "a" * 300
    r = optdyn("run", "a.yaml", "--set", f"{longer}=1")
    check(r.returncode == 2 and f"--set {'a' * 255}: {longer}: there is no such entry".encode() in r.stderr,
          "a long path is cut off", r.stderr)
    r = optdyn("run", "a.yaml", "--set", "sweep={seed: [1, 2]}", "--set", f"label={longer}", "-o", "long names", "--json")
    labels = [m["label"] for m in json.loads(r.stdout)["members"]]
    check(len(set(labels)) == 2 and all(label.startswith("a" * 50) for label in labels)
          and all(os.path.exists(f) for m in json.loads(r.stdout)["members"] for f in m["files"]), "a long label too", labels)
    r = optdyn("run", "a.yaml", "--json", "--set", "sweep={problem.name: ['quadratic']}", "--set", "problem={eigenvalues: [1.3, 0.4]}")
    check(json.loads(r.stdout)["label"] == "problem.name=quadratic", "a sweep over a name in quotes", r.stdout)
    r = optdyn("run", "a.yaml", "--data", "")
    check(r.returncode == 0, "an empty data folder is none", r.stderr)
    one = "problem: {name: quadratic, eigenvalues: 3}\nmethod: {name: gradient, step: 0.1}\nstart: {x: 3}\niterations: 2\n"
    r = optdyn("run", write("one.yaml", one + "record: {quantities: distance}\n"), "-o", "one", "--json")
    x = json.loads(r.stdout)["iteration"]["final"]["state"]["x"]
    check(len(x) == 1 and abs(x[0] - 3 * 0.7 ** 2) < 1e-14, "a number is a list of one", r.stdout)
    check(columns("one/iteration.csv")[-1] == "distance", "and a name too", columns("one/iteration.csv"))
    r = optdyn("run", "one.yaml", "-o", "single", "--set", "record.quantiles=[0.5]")
    check(columns("single/iteration.csv") == columns("one/iteration.csv"), "a single path has no quantiles", r.stderr)


def data():
    """Data beside an experiment are found from wherever it is run, and from where its resolved text lies."""
    os.makedirs("deep", exist_ok=True)
    write("deep/points.csv", "".join(f"{a},{a * a - 1},{2 * a + 1}\n" for a in range(-3, 4)))
    write("deep/d.yaml", "problem: {name: least-squares, data: points.csv}\nmethod: {name: gradient, step: 0.1}\n"
          "start: {x: [0, 0]}\niterations: 3\n")
    r = optdyn("run", "deep/d.yaml", "-o", "kept", "--json")
    with open("kept/experiment.yaml", encoding="utf-8") as text:
        named = [line.strip() for line in text if line.startswith("data: ")]
    check(len(named) == 1 and named[0].strip('data: "') == os.path.realpath("deep").strip('data: "'), "a folder of data is named", named)
    again = optdyn("run", "kept/experiment.yaml", "--json")
    check(json.loads(again.stdout)["iteration"] == json.loads(r.stdout)["iteration"], "and found again", again.stderr)


def taken():
    """One run at a time; what a killed one left is removed, and nothing else."""
    write("a.yaml", GOOD)
    os.makedirs("busy")
    holder = os.open("busy", os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    r = optdyn("run", "a.yaml", "-o", "busy")
    check(r.returncode == 2 and b"another run is at work in busy; wait for its end or choose another folder" in r.stderr
          and os.listdir("busy") == [], "a folder that another run has", r.stderr)
    fcntl.flock(holder, fcntl.LOCK_SH)
    noisy = GOOD.replace("step: 0.1", "step: 0.1, noise: 0.1") + "paths: 1000\n"
    r = optdyn("run", write("noisy.yaml", noisy), "--shard", "1/2", "-o", "busy")
    check(r.returncode == 0 and os.listdir("busy").count("shard-1-of-2.journal") == 1, "shards may share one", r.stderr)
    r = optdyn("run", "noisy.yaml", "-o", "busy")
    check(r.returncode == 2 and b"another run is at work" in r.stderr, "but with no whole run", r.stderr)
    os.close(holder)
    os.makedirs("used")
    gone = ["iteration.csv.1.part", "run.journal.999999.part", "x.0.part"]
    kept = ["mine.part", ".part", ".5.part", "xy5.part", "x.5a.part", "x..part", "x5.part", "x.5.parts", "5.part", "notes"]
    for name in gone + kept:
        write("used/" + name, "")
    r = optdyn("run", "a.yaml", "-o", "used")
    left = set(os.listdir("used"))
    check(r.returncode == 0 and not left & set(gone) and left >= set(kept), "what a killed run left is removed", sorted(left))
    with open("used/experiment.yaml", "rb+") as file:
        file.truncate(os.path.getsize("used/experiment.yaml") - 10)
    r = optdyn("run", "a.yaml", "-o", "used")
    check(r.returncode == 2 and b"used holds the results of another experiment" in r.stderr, "half an experiment is another", r.stderr)
    write("file", "")
    for folder, words in (("file", b"file is not a folder"), ("loop", b"loop is not a folder")):
        if folder == "loop":
            os.symlink("loop", "loop")
        r = optdyn("run", "a.yaml", "-o", folder)
        check(r.returncode == 2 and words in r.stderr, f"{folder} as a folder", r.stderr)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(os.path.realpath(folder))
    for part in (long_starts, names, data, taken):
        part()
    os.chdir("/")
sys.exit(end())
