"""Curvature through the program: spectra that are known, sharpness along runs, refusals, the same bits.
SPDX-License-Identifier: GPL-3.0-or-later"""

import math
import os
import sys

import tap
from tap import analyse, answer_of, check

EXAMPLE = os.path.join(os.path.abspath(sys.argv[2]), "examples", "curvature.yaml")


def run(*args, **sets):
    return analyse("curvature", EXAMPLE, *args, **sets)


def answer(*args, **sets):
    return answer_of(run("--json", *args, **sets))


def near(got, want, tolerance):
    return len(got) == len(want) and all(abs(g - w) <= tolerance for g, w in zip(got, want))


def known_spectra():
    values = [4, 1, 1, 0.3, -0.2, 2, 2, 2]
    d = answer(problem="{name: quadratic, eigenvalues: %s, rotation: 3}" % values, start__x="[1, 1, 1, 1, 1, 1, 1, 1]",
               until=2, iterations=800, curvature__top=6, curvature__bottom=2)
    check([p["at"] for p in d["points"]] == ["start", "end of the flow", "end of the iteration"] and d["dimension"] == 8,
          "three points", d)
    for p in d["points"]:
        check(near(p["top"], [4, 2, 2, 2, 1, 1], 1e-13) and near(p["bottom"], [-0.2, 0.3], 1e-13) and p["top_complete"]
              and p["bottom_complete"] and max(p["top_error"] + p["bottom_error"]) < 1e-13, p["at"] + ": repeated ones and signs", p)
    # one seed of 16 probes against Student's t with 15 degrees of freedom: passed with probability 1e-6 each
    check(abs(p["trace"] - sum(values)) < 7.9 * p["trace_stderr"]
          and abs(p["square"] - sum(v * v for v in values)) < 7.9 * p["square_stderr"], "trace, and that of the square", p)
    density = p["density"]
    step = density["at"][1] - density["at"][0]
    check(abs(sum(density["value"]) * step - 1) < 1e-3 and min(density["value"]) >= 0, "a density", density)
    diagonal = answer(problem="{name: quadratic, eigenvalues: [1, 2, 4.5]}", start__x="[1, 1, 1]")["points"][0]
    check(abs(diagonal["trace"] - 7.5) < 1e-12 and diagonal["trace_stderr"] < 1e-12, "a diagonal Hessian's trace needs no luck", diagonal)


def hessian(x, y):
    """Eigenvalues of that of (1 - x)^2 + 100 (y - x^2)^2."""
    a, b, c = 1200 * x * x - 400 * y + 2, -400 * x, 200
    root = math.hypot((a - c) / 2, b)
    return (a + c) / 2 + root, (a + c) / 2 - root


def sharpness():
    d = answer(curvature__bottom=1)
    start, flow, iteration = d["points"]
    check(near(start["top"], hessian(0.5, 0.4), 1e-10) and near(start["bottom"], hessian(0.5, 0.4)[1:], 1e-10), "the start", start)
    check(near(flow["top"], hessian(1, 1), 1e-5), "the minimum, where the flow ends", flow)
    end = answer_of(analyse("run", EXAMPLE, "--json"))["iteration"]["final"]["state"]["x"]
    check(near(iteration["top"], hessian(*end), 1e-9), "where the iteration ends", (iteration, end))
    along = d["iteration"]
    check(d["two_over_h"] == 800 and along["t"][0] == 0 and along["t"][-1] == 100 and len(along["t"]) == 51
          and abs(along["sharpness"][-1] - iteration["top"][0]) <= 1e-5 * 800, "on the way", along)
    late = along["sharpness"][10:]
    check(700 < min(late) and max(late) < 900 and d["flow"]["sharpness"][-1] > 1001, "the iteration stays near 2/h, the flow does not", late)
    # x^4 in one dimension: 12 x^2 along the iteration
    one = {"problem": "{name: power, p: 4}", "start__x": "[0.3]", "iterations": 40, "until": 0.1,
           "record": "{stride: 1}", "curvature__top": 1}
    d = answer(**one)
    x, want = 0.3, []
    for _ in range(41):
        want.append(12 * x * x)
        x -= 0.0025 * 4 * x ** 3
    check(near(d["iteration"]["sharpness"], want, 1e-12) and len(d["points"]) == 3, "x^4 by the iteration", d)
    d = answer(**{**one, "start__x": "[30]"})
    check(d["diverged"] and d["iteration"]["sharpness"][0] == 12 * 900, "up to where it diverges", d)


def plumbing():
    r = run().stdout.decode()
    check("2/h = 800" in r and "largest           373.0915634" in r and "sharpness along the flow" in r, "text for people", r)
    one = run("--json", "--threads", "1").stdout
    check(one and run("--json", "--threads", "2").stdout == one, "the same bits")
    check(len({answer(seed=s, until=1, iterations=1)["points"][0]["trace"] for s in range(6, 12)}) > 1, "probes depend on the seed")
    d = answer(curvature="{top: 0, bottom: 0, probes: 0, along: false}")
    check(d["flow"] is None and d["points"][0]["trace"] is None and d["points"][0]["products"] == 0, "nothing asked, nothing done", d)
    d = answer(curvature="{top: 1, probes: 4, rule: 1, along: false}")
    check(d["points"][0]["density"] is None and d["points"][0]["square"] is None and d["points"][0]["trace"] is not None, "the trace alone", d)
    members = answer(sweep="{method.step: [0.001, 0.002]}", until=1, iterations=500)["members"]
    check([m["two_over_h"] for m in members] == [2000, 1000], "a sweep", members)
    r = run(problem="{name: power, p: 1.5, dim: 2}", start__x="[1, 1]")
    check(r.returncode == 2 and b"its curvature is infinite" in r.stderr, "refused: no Hessian", r.stderr)


for part in (known_spectra, sharpness, plumbing):
    try:
        part()
    except Exception as e:  # a check that could not be made is one that failed
        check(False, part.__name__ + " could not be finished", repr(e))
sys.exit(tap.end())
