"""The curvature of networks against PyTorch, which builds whole Hessians by double backward (models.py): eigenvalues at both
ends, trace, Hessian-vector products, and products with the covariance of per-sample gradients. TAP.
SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import math
import os
import subprocess
import sys
import tempfile

import tap
from tap import analyse, answer_of, check, skip

SOURCE, PRODUCTS = (os.path.abspath(a) for a in sys.argv[2:4])
PYTORCH = "/usr/bin/python3"  # Debian's python3-torch belongs to this one
PROBES = 400


def largest_gap(a, b):
    return max((abs(p - q) for p, q in zip(a, b)), default=math.nan) if len(a) == len(b) else math.nan


def compare(name, problem, want, penalty):
    """`penalty`: lambda, which PyTorch's loss has not, so that it moves all eigenvalues by itself."""
    d = want["parameters"]
    start = ", ".join(repr(math.sin(i + 1) / 3) for i in range(d))
    e = {"problem": problem, "start__x": f"[{start}]",
         "curvature": f"{{top: 5, bottom: 3, tolerance: 1.0e-10, probes: {PROBES}, rule: 2, along: false}}"}
    p = answer_of(analyse("curvature", EXPERIMENT, "--json", **e))["points"][0]
    values = [v + penalty for v in want["eigenvalues"]]
    size = max(map(abs, values))
    # a residual of 1e-10 bounds the error of an eigenvalue; rounding of two programs adds 1e-14
    for end, known in (("top", values[::-1][:5]), ("bottom", values[:3])):
        gap = largest_gap(p[end], known)
        check(gap <= 1e-9 * size and p[end + "_complete"], f"{name}: {end} eigenvalues", (p[end], known))
    # Signs as probes: the variance of each is 2 (|H|^2 - sum H_ii^2), known here. Six standard deviations of the mean of 400,
    # which is nearly normal, are passed with probability 2e-9; the standard error itself has one of 4 %.
    trace = want["trace"] + penalty * d
    deviation = math.sqrt(2 * (want["square"] - want["diagonal_square"]) / PROBES)
    check(abs(p["trace"] - trace) < 6 * deviation, f"{name}: trace", (p["trace"], trace, deviation))
    check(abs(p["trace_stderr"] / deviation - 1) < 0.3, f"{name}: its standard error", (p["trace_stderr"], deviation))
    square = want["square"] + 2 * penalty * want["trace"] + penalty**2 * d
    check(abs(p["square"] - square) < 6 * p["square_stderr"], f"{name}: trace of the square", (p["square"], square, p["square_stderr"]))


def compare_products(name, products, want, penalty):
    hvp = [h + penalty * math.cos(2.385 * i) for i, h in enumerate(want["hvp"])]
    for what, known in (("hvp", hvp), ("covariance", want["covariance"])):
        gap = largest_gap(products[what], known)
        check(gap <= 1e-13 * max(map(abs, known)), f"{name}: product, {what}", gap)


def main():
    if "LibTorch (not built in)" in analyse("--version").stdout.decode():
        skip("curvature of networks", "built without LibTorch (-Dlibtorch=enabled)")
        return tap.end()
    if subprocess.run([PYTORCH, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("curvature of networks", "python3-torch is not installed")
        return tap.end()
    global EXPERIMENT
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([PYTORCH, os.path.join(SOURCE, "tests", "models.py"), folder], check=True)
        with open(os.path.join(folder, "answers.json")) as f:
            answers = json.load(f)
        EXPERIMENT = os.path.join(folder, "e.yaml")
        with open(EXPERIMENT, "w") as out:
            out.write("problem: {name: mlp}\nmethod: {name: gradient, step: 1.0e-9}\niterations: 1\n")
        data = "data: " + os.path.join(folder, "samples.csv")
        cases = (
            ("plain", "name: mlp, widths: [7]", 0),
            ("plain", "name: mlp, widths: [7], lambda: 0.0385", 0.0385),
            ("plain", f"name: torchscript, model: {os.path.join(folder, 'plain.pt')}", 0),
            ("residual", "name: mlp, widths: [7, 7], activation: gelu, layer_norm: true, residual: true, depth_scaling: true", 0),
            ("convnet", "name: convnet, channels: [2], activation: softplus, shape: [1, 3, 4]", 0))
        problems = [f"{{{problem}, {data}}}" for _, problem, _ in cases]
        products = answer_of(subprocess.run([PRODUCTS, *problems], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for (name, problem, penalty), full, product in zip(cases, problems, products):
            title = problem.split(",")[0].split()[1] + " " + name
            compare(title, full, answers[name], penalty)
            compare_products(title, product, answers[name], penalty)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
