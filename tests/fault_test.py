"""What happens when memory or the disk runs out, at each single place of small jobs: the n-th allocation fails, the n-th
write fails or is short, for all n. Then: a sentence and the right exit status, no piece of memory left, and a folder from
which the same command makes the whole results; or, where the program can do without, the very same results.

SPDX-License-Identifier: GPL-3.0-or-later"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import PROGRAM, check, end

EVERY = int(os.environ.get("OPTDYN_TEST_FAULTS", "7"))  # 1: all places; k: every k-th
SEEN = 3

RUN = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: nesterov, r: 3, noise: 0.1}
integrator: {name: euler-maruyama, step: 0.1}
start: {t: 0.1, x: [1, 1]}
until: 1.1
paths: 300
record: {every: 0.5, quantities: [loss, x], quantiles: [0.5]}
compare: [{label: a}, {label: b, method: {name: nesterov, r: 4, noise: 0.1}}]
"""
PATH = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: nesterov, r: 3}
integrator: {name: rk4, step: 0.1}
start: {t: 0, x: [1, 1]}
until: 4
interval: [0.5, 4]
"""
DATA = "a,y,b\n1,0.5,2\n2,0.25,7\n3,1,1\n4,-2,8\n5,2.385,2\n"
SETS = """
method: {name: gradient, step: 0.01}
start: {x: [1, 1]}
iterations: 5
compare:
  - {label: file, problem: {name: least-squares, data: d.csv, label: y, holdout: 0.4, part: test, scale: standard}}
  - {label: clusters, problem: {name: logistic-regression, data: clusters, samples: 30, features: 2, bias: false}}
  - {label: teacher, problem: {name: least-squares, data: teacher, samples: 30, features: 2}}
"""
SHADOW = """
problem: {name: power, p: 4, dim: 3}
method: {name: heavy-ball, alpha: 1, step: 0.2}
start: {x: [1, 0.5, -0.3]}
iterations: 5
shadow: {glitch: 0.01}
sweep: {method.step: [0.2, 0.1]}
"""
CLAIMS = """
problem: {name: quadratic, eigenvalues: [1]}
method: {name: memory, noise: 0.1, step: 0.1}
integrator: {name: euler-maruyama, step: 0.1}
start: {t: 0.1, x: [1]}
until: 60.1
iterations: 40
paths: 3
"""

JOBS = {
    "an ensemble": (RUN, ["run", "x.yaml", "-o", "out", "--json", "--checkpoint", "1e-9"]),
    "a path in lock-step": (
        PATH.replace("nesterov, r: 3", "gradient, step: 0.1") + "iterations: 40\n",
        ["run", "x.yaml", "-o", "out", "--json"],
    ),
    "data": (SETS, ["run", "x.yaml", "--json"]),  # results would name the folder of the data, which is another each time
    "conjugate points": (PATH, ["conjugate", "x.yaml", "--json", "--verify"]),
    "an action": (PATH, ["action", "x.yaml", "--json"]),
    "shadows": (SHADOW, ["shadow", "x.yaml", "--json"]),
    "a certificate": (
        "{problem: hosaki, method: {name: heavy-ball, alpha: 1, step: 0.2}, start: {x: [2.05, 3.2]}, iterations: 4, "
        "shadow: {certificate: true, boxes: 10}}\n",
        ["shadow", "x.yaml", "-o", "out", "--json"],
    ),
    "claims": (PATH.replace("nesterov, r: 3", "nesterov, r: 3, step: 0.01") + "iterations: 8\n",
               ["claims", "--on", "x.yaml", "--json"]),
    "claims of noise": (CLAIMS, ["claims", "--on", "x.yaml", "--json"]),
    "a figure": (PATH, ["figure", "x.yaml", "-o", "out", "--json"]),
}


def prepare(folder, text):
    """The experiment and the data file that one of them reads."""
    for name, content in (("x.yaml", text), ("d.csv", DATA)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(content)


def start(folder, arguments, fault=None):
    """Runs the program in the folder; its exit status, outputs and what the faults report."""
    report = os.path.join(folder, "..", os.path.basename(folder) + ".report")
    environment = dict(os.environ, OPTDYN_FAULT_REPORT=report, OPENBLAS_NUM_THREADS="1")
    environment.pop("OPTDYN_DATA", None)  # the jobs have data of their own
    if fault:
        environment["OPTDYN_FAULT"] = fault
    if os.path.exists(report):
        os.unlink(report)
    r = subprocess.run([PROGRAM, *arguments, "--threads", "1"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=250)
    with open(report) as there:
        return r, json.load(there)


def untimed(answer):
    return re.sub(rb'"seconds": [0-9.e-]+', b"", answer)


def files_of(folder):
    """Every result by its checksum; of pictures, which bear a date, and of what was checked, with the time, the name."""
    found = {}
    for place, _, names in os.walk(os.path.join(folder, "out")):
        for name in names:
            with open(os.path.join(place, name), "rb") as f:
                dated = name.endswith((".png", ".svg", ".pdf", ".json"))
                found[os.path.relpath(os.path.join(place, name), folder)] = dated or hashlib.sha256(f.read()).hexdigest()
    return found


def trial(job, fault, want, happened):
    """What is wrong after this fault, or None; adds to the list whether it happened."""
    text, arguments = JOBS[job]
    with tempfile.TemporaryDirectory() as above:
        folder = os.path.join(above, "f")
        os.mkdir(folder)
        prepare(folder, text)
        try:
            r, seen = start(folder, arguments, fault)
        except FileNotFoundError:
            return f"{fault}: died without a report"
        happened.append(seen["happened"] > 0)
        if seen["live"] > want["live"]:
            return f"{fault}: {seen['live'] - want['live']} pieces of memory left"
        if r.returncode == 0:
            same = (untimed(r.stdout), files_of(folder)) == (want["out"], want["files"])
            return None if same else f"{fault}: exit 0, other results: {untimed(r.stdout)}"
        if r.returncode not in (1, 2):
            return f"{fault}: exit status {r.returncode}: {r.stderr.decode()[-300:]}"
        try:
            sentence = json.loads(r.stdout)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return f"{fault}: no JSON error, but {r.stdout.decode()[-200:]!r} and {r.stderr.decode()[-200:]!r}"
        told = "memory" in sentence if fault.startswith("allocation") else any(w in sentence for w in ("written", "made"))
        if not told:
            return f"{fault}: the sentence is {sentence!r}"
        if any(".part" in name for name in files_of(folder)):
            return f"{fault}: a temporary file is left"
        r, _ = start(folder, arguments)
        if r.returncode != 0 or files_of(folder) != want["files"]:
            return f"{fault}: afterwards exit {r.returncode}, {sorted(files_of(folder))}: {r.stderr.decode()[-300:]}"
    return None


def whole(job):
    text, arguments = JOBS[job]
    with tempfile.TemporaryDirectory() as above:
        folder = os.path.join(above, "f")
        os.mkdir(folder)
        prepare(folder, text)
        r, seen = start(folder, arguments)
        return r, dict(seen, out=untimed(r.stdout), files=files_of(folder))


with ThreadPoolExecutor(2) as pool:
    for job in JOBS:
        r, want = whole(job)
        check(r.returncode == 0, f"{job}: runs without faults", r.stderr.decode())
        kinds = {"allocation": want["allocations"], "write": want["writes"], "short": want["writes"]}
        for kind, places in kinds.items():
            if places == 0:
                continue
            faults = [f"{kind}:{n}" for n in range(1, places + 1, EVERY)]
            faults += [f"{kind}:{n}+" for n in range(1, places + 1, max(EVERY, places // 20))]
            happened = []
            wrong = [w for w in pool.map(lambda fault: trial(job, fault, want, happened), faults) if w]
            # how often the journal is written depends on the clock
            wrong += [f"only {sum(happened)} of {len(faults)} happened"] if sum(happened) < len(faults) / 2 else []
            check(not wrong, f"{job}: {len(faults)} faults of kind {kind}", "\n".join(wrong[:SEEN] + [f"{len(wrong)} in all"]))
sys.exit(end())
