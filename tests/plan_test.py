"""The plan of a run as text: what runs, where its entries come from, and what it will cost, counted here by hand.

SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import math
import os
import re
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end

LEVELS = """
problem: {name: quadratic, matrix: [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]}
method: {name: heavy-ball, alpha: 1, noise: 0.5}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: [1, 0.5, 1]}
until: 0.5
paths: auto
tolerance: 0.3
record: {quantities: [loss, v]}
"""
ALONE = """
problem: {name: rosenbrock}
method: {name: gradient, step: 0.1}
start: {x: [1, 0.5]}
iterations: 10
"""
GRADED = """
problem: {name: power, p: 3, dim: 2}
method: {name: nesterov, r: 0.5}
integrator: {name: rk4, step: 0.3}
start: {x: [1, 0.5]}
until: 2
paths: 7
"""
SPRING = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: heavy-ball, alpha: 1}
integrator: %s
start: {x: [1, 1]}
until: 2
conjugate: {verify: true}
record: {every: 0.5}
interval: [0.5, 2]
"""
# Nesterov's flow with r < 1 has steps cut into ceil(sqrt(1/t)) parts that end at t < 1; RK4 evaluates four times in each
EVALUATIONS = 7 * 4 * sum(math.ceil(math.sqrt(1 / t)) if t < 1 else 1 for t in (0.3 * k for k in range(1, 8)))

# what the text of a plan has, as regular expressions, and what it has not
SAYS = [
    ("of levels", LEVELS,
     [r"^heavy-ball: problem quadratic, method heavy-ball, integrator euler-maruyama$",
      r"^  problem\.matrix +3 x 3 numbers, the first 2   \(x\.yaml:2\)$", r"^  record\.quantities +\[loss, v\]   \(x\.yaml:9\)$",
      r"^  paths +auto   \(x\.yaml:7\)$", r"^  dimension 3, paths for a tolerance of 0\.3$",
      r"^  steps and gradient evaluations: chosen while running$", r"^  antithetic +false   \(default\)$",
      # the largest eigenvalue of [[2, 0.5], [0.5, 1]] is (3 + sqrt 2)/2
      rf"^  L +{(3 + math.sqrt(2)) / 2:.10g}\d*   \(", rf"^  h L = {0.25 * (3 + math.sqrt(2)) / 2:.4g} \("],
     [r"record\.every", r"noise_step"]),
    ("of an iteration alone", ALONE,
     [r"^gradient: problem rosenbrock, method gradient$", r"^  steps 0, iterations 10, gradient evaluations 10$",
      r"^  dimension 2, paths 1, rows 11$", r"^  L +unknown   \(", r"^  record\.stride +1   \(derived\)$"],
     [r"integrator", r"interval", r"h L =", r"\bevery\b"]),
    ("of a graded start", GRADED,
     [rf"^  steps 7, iterations 0, gradient evaluations {EVALUATIONS}$", r"^  dimension 2, paths 7, rows 8$",
      r"^  interval +\[0, 2\]   \(derived\)$", r"^  record\.every +0\.3   \(derived\)$"], [r"stride", r"h L ="]),
    ("of an exact flow", SPRING % "exact",
     [r"^  steps 0, iterations 0, gradient evaluations 0$", r"^  conjugate\.verify +true   \(x\.yaml:7\)$",
      r"^  interval +\[0\.5, 2\]   \(x\.yaml:9\)$", r"^  record\.every +0\.5   \(x\.yaml:8\)$"], [r"\(derived\)", r"h L ="]),
    ("of a flow whose scheme chooses", SPRING % "cvode", [r"^  steps and gradient evaluations: chosen while running$"], []),
    ("of an exact flow that is not taken", SPRING % "{name: cvode, family: bdf}", [r"^  integrator\.family +bdf   \(x\.yaml:4\)$"], []),
    ("of two runs", ALONE + "compare: [{label: a}, {label: b, method: {name: gradient, step: 0.2}}]\n",
     [r"^a: problem", r"^b: problem", r"^  method\.step +0\.2   \(x\.yaml:6\)$"], []),
    ("of few numbers", SPRING.replace("%s", "{name: rk4, step: 0.5}"),
     [r"^  problem\.eigenvalues +\[2, 1\]   \(x\.yaml:2\)$", r"^  steps 4, iterations 0, gradient evaluations 16$",
      r"^  h L = 1 \(step times"], []),
    ("of a flow without a closed form", SPRING.replace("quadratic, eigenvalues: [2, 1]", "rosenbrock") % "cvode",
     [r"^  steps and gradient evaluations: chosen while running$"], []),
    ("of what is given", GRADED.replace("r: 0.5", "r: 3, noise: 0.1, step: 0.09").replace("rk4", "euler-maruyama").replace(
        "x:", "t: 0.2, x:") + "iterations: 3\nrecord: {stride: 2, every: 0.6}\nnoise_step: 0.1\n",
     [r"^  noise_step +0\.1   \(x\.yaml:10\)$", r"^  record\.stride +2   \(x\.yaml:9\)$", r"^  steps 6, iterations 3, "],
     [r"stride.*derived", r"every.*derived", r"noise_step.*derived"]),
    ("with noise", GRADED.replace("r: 0.5", "r: 3, noise: 0.1").replace("rk4", "euler-maruyama").replace("x:", "t: 0.2, x:"),
     [r"^  noise_step +0\.3   \(derived\)$"], []),
]


def plan(text, *options):
    with open("x.yaml", "w", encoding="utf-8") as out:
        out.write(text)
    return subprocess.run([PROGRAM, "run", "x.yaml", "--dry-run", *options], capture_output=True, text=True, timeout=250)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for name, text, wanted, unwanted in SAYS:
        r = plan(text)
        missing = [w for w in wanted if not re.search(w, r.stdout, re.M)]
        there = [w for w in unwanted if re.search(w, r.stdout.partition("# where each")[2])]
        check(r.returncode == 0 and not missing and not there, f"the plan {name}", f"{missing} {there}\n{r.stdout}\n{r.stderr}")
        j = plan(text, "--json")
        document = json.loads(j.stdout)
        numbers = re.findall(r"^  (?:steps (\d+)|steps and)", r.stdout, re.M)
        told = [m["steps"] for m in document["members"]]
        check([t or 0 for t in told] == [int(n or 0) for n in numbers] and document["resolved"] in r.stdout,
              "and its document say the same", (told, numbers))
    os.chdir("/")
sys.exit(end())
