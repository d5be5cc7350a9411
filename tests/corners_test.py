"""Analyses where something is special: methods with a metric, many dimensions, ends at a conjugate point, problems without
a Hessian or in another precision. Answers are known in closed form, by symmetry, or by a few lines here.

usage: corners_test.py PROGRAM PLUGIN

SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

import tap
from tap import PROGRAM, check

PLUGIN = os.path.abspath(sys.argv[2])


def run(analysis, text, *arguments):
    with open("x.yaml", "w", encoding="utf-8") as out:
        out.write(text)
    return subprocess.run([PROGRAM, analysis, "x.yaml", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=250)


def answer(analysis, text):
    r = run(analysis, text, "--json")
    return tap.answer_of(r)


def says(analysis, text, *words, arguments=()):
    r = run(analysis, text, *arguments)
    shown = " ".join(r.stdout.decode().split())
    missing = [w for w in words if w not in shown]
    check(r.returncode == 0 and not missing, f"{analysis}: {', '.join(words)}", (missing, shown, r.stderr.decode()))
    return shown


def refused(analysis, text, *words):
    r = run(analysis, text)
    check(r.returncode in (1, 2) and all(w in r.stderr.decode() for w in words), f"{analysis} refuses: {words[0]}", r)


def metrics():
    """Curvature divided by the metric sqrt(s^) + eps, with s from Adam's recursion and from the flow's own state."""
    values, h, beta = (4, 1), 0.05, 0.999
    adam = ("problem: {name: quadratic, eigenvalues: [4, 1]}\nmethod: {name: adam, step: 0.05}\nstart: {x: [1, 0.5]}\n"
            "iterations: 6\nrecord: {stride: 1}\n")
    x, m, s, want = [1, 0.5], [0, 0], [0, 0], []
    for k in range(1, 7):
        for i in range(2):
            g = values[i] * x[i]
            m[i] = 0.9 * m[i] + 0.1 * g
            s[i] = beta * s[i] + (1 - beta) * g * g
            x[i] -= h * m[i] / (1 - 0.9 ** k) / (math.sqrt(s[i] / (1 - beta ** k)) + 1e-8)
        # m^ = m/(1 - 0.9^k) is part of what a gradient is multiplied by
        want.append(max(v / (math.sqrt(a / (1 - beta ** k)) + 1e-8) for v, a in zip(values, s)) / (1 - 0.9 ** k))
    d = answer("curvature", adam)
    got = d["iteration"]["preconditioned"]
    check(got[0] is None and all(abs(a - b) < 1e-9 * b for a, b in zip(got[1:], want)) and len(got) == 7
          and d["flow"] is None and d["two_over_h"] is None and abs(d["bound"] - 2 * 1.9 / 0.1 / h) < 1e-9,
          "what Adam sees of the curvature", (got, want, d["bound"]))
    says("curvature", adam, "divided by the method's metric %.6g at t = 0.3" % want[-1], "bound of the latter = 760: above it at 0 of 7")
    flow = adam.replace("adam", "rmsprop").replace("iterations: 6", "integrator: {name: rk4, step: 0.05}\nuntil: 1")
    flow = flow.replace("stride: 1", "every: 0.5")
    state = tap.answer_of(run("run", flow, "--json"))["final"]["state"]
    got = answer("curvature", flow)["flow"]["preconditioned"][-1]
    want = max(v / (math.sqrt(a) + 1e-8) for v, a in zip(values, state["s"]))
    check(abs(got - want) < 1e-6 * want, "and what a flow does", (got, want))


def degenerate_ends():
    """h'' + a h' + lambda h = 0 vanishes at T = 2 pi/sqrt(4 lambda - a^2): ends so near to it that the two counts cannot tell
    them from it, or that one of them can."""
    kinds = set()
    for rate, damping, shifts in ((1.25, 1, (-1e-10, 5e-11)), (100, 0.1, (-5.7e-11, 1e-10)), (0.26, 1, (1e-9, -1e-9))):
        end = 2 * math.pi / math.sqrt(4 * rate - damping ** 2)
        for shift in (*shifts, 1e-6, -1e-6):
            text = (f"problem: {{name: quadratic, eigenvalues: [{rate}]}}\nmethod: {{name: heavy-ball, alpha: {damping}}}\n"
                    f"integrator: {{name: rk4, step: 0.1}}\nstart: {{x: [1]}}\nuntil: 40\ninterval: [0, {end * (1 + shift)!r}]\n"
                    "conjugate: {verify: true}\n")
            d = answer("conjugate", text)
            index, nullity, other = d["index"], d["nullity_at_end"], d["morse_check"]
            right = shift > 0
            good = index <= right <= index + nullity and other["index"] <= right <= other["index"] + max(other["nullity"], abs(shift) < 2e-9)
            check(good and (abs(shift) < 1e-6 or nullity == 0), f"a point {shift:g} before the end", d)
            shown = says("conjugate", text, "agrees")
            kinds.add((index, nullity, other["index"], other["nullity"], "is degenerate" in shown))
    check(len(kinds) >= 5, "the counts differ where they may", kinds)


FLAT = """
problem: {name: quadratic, eigenvalues: [1, 1]}
method: {name: heavy-ball, alpha: 0}
integrator: exact
start: {x: [3, 4], v: [1.5, 2]}
until: %s
conjugate: {%s}
"""


def few_directions():
    # h'' + h = 0: free at a right angle to the velocity, cos t vanishes, else sin t
    points = [p["t"] for p in answer("conjugate", FLAT % (6, "free: [4, -3]"))["points"]]
    check(len(points) == 3 and all(abs(p - w) < 1e-9 for p, w in zip(points, (math.pi / 2, math.pi, 1.5 * math.pi))),
          "one direction as a list", points)
    # on a circle around the minimiser, along which fields begin with h' = h/2: cos t + sin t/2 vanishes, and sin t across
    for x, v in (("5, 0", "2.5, 0"), ("0, 5", "0, 2.5"), ("3, 4", "1.5, 2")):
        points = [p["t"] for p in answer("conjugate", FLAT.replace("3, 4", x).replace("1.5, 2", v) % (6, "free: sphere"))["points"]]
        want = (math.pi - math.atan(2), math.pi, 2 * math.pi - math.atan(2))
        check(len(points) == 3 and all(abs(p - w) < 1e-9 for p, w in zip(points, want)), f"a circle through ({x})", points)
    says("conjugate", FLAT % (4, "directions: 2"), "saddle: at least 2 independent displacements lower the action")
    says("conjugate", FLAT % (3, "directions: 2"), "minimiser: no point in these directions")
    says("conjugate", FLAT % (math.pi, "directions: 2"), "degenerate: no point in these directions")
    says("conjugate", FLAT.replace("[1, 1]", "[1, 0.9]") % (math.pi / math.sqrt(0.9), "directions: 1, verify: true"), "saddle", "agrees")
    says("conjugate", FLAT.replace("[1, 1]", "[0.25, 1]") % (math.pi * 0.99, "directions: 1, verify: true"),
         "minimiser: no point in these directions", "agrees")
    # curvature 4 along y in the middle, where two fields are asked for one: x decides, and only the second count sees it
    says("conjugate", FLAT % (math.pi, "directions: 1, verify: true"), "is degenerate: agrees")


def shadows_by_symmetry():
    """Of equal coordinates each has the nearest orbit of one: the radius is sqrt(d) times as large, in the matrices of few
    dimensions as in the directions of many."""
    text = ("problem: {name: power, p: 4, dim: %d}\nmethod: {name: %s, step: %s}\nstart: {x: [%s]}\niterations: 5\n"
            "shadow: {%smodified: false, tolerance: 1.0e-11}\n")
    for method, step, settings in (("gradient", 0.03, ""), ("heavy-ball, alpha: 1", 0.1, ""),
                                   ("heavy-ball, alpha: 1", 0.1, "norm: position, "), ("gradient", 0.03, "direction: flow, "),
                                   ("heavy-ball, alpha: 1", 0.1, "direction: flow, ")):
        one = answer("shadow", text % (1, method, step, 0.8, settings))
        for dim in (66, 300):
            if settings and dim > 66:
                continue  # all is held as matrices of dim^2 there
            many = answer("shadow", text % (dim, method, step, ", ".join(["0.8"] * dim), settings))
            root = math.sqrt(dim)
            what = f"{method} {settings}in {dim} dimensions"
            # the radius of the orbit of least squares is no extremum: it feels where that search ends
            for rung, of, near in (("same_start", lambda a: a["same_start"], 1e-9), ("minimax", lambda a: a["minimax"]["upper"], 2e-5),
                                   ("least_squares", lambda a: a["least_squares"], 5e-3), ("expansion", lambda a: a["expansion"], 1e-5)):
                a, b = of(one), of(many)
                good = (a is None and b is None) or (a is not None and b is not None and abs(b - root * a) < near * root * a)
                check(good, f"{rung} of {what}", (a, b and b / root, many["missing"]))
    wide = text % (300, "gradient", 0.03, ", ".join(["0.8"] * 300), "")
    says("shadow", wide, "(the first", "of 300)", "0 unstable directions of 300", "minimax", "local bound")


def turning():
    """f'' of a double well changes its sign at 1/sqrt 3, which x' = x - x^3 from 0.01 passes at t = ln(9999/2)/2."""
    text = ('problem: {name: formula, f: "(x^2 - 1)^2/4 + y^2", variables: [x, y]}\nmethod: {name: gradient, step: 0.1}\n'
            "start: {x: [0.01, 0.5]}\niterations: 100\nshadow: {boxes: 20, certificate: true}\n")
    shown = says("shadow", text, "0 unstable directions of 2; one grows until k = ", "certificate")
    k = int(shown.partition("one grows until k = ")[2].split()[0])
    # k is looked for where directions are made orthonormal again, every few steps
    check(abs(k - math.log(9999 / 2) / 2 / 0.1) < 8, "the direction turns where the curvature does", k)


CERTIFIED = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: heavy-ball, alpha: 1, step: 0.1}
start: {x: [1, 1]}
iterations: 6
shadow: {certificate: true, glitch: 0.1%s}
"""


def plain(line):
    """A line of a certificate with numbers as short as they are: 0x10000000000000p-51 is 0x1p+1."""
    words = [w if not w.startswith("0x") else "0x1p%+d" % math.log2(float.fromhex(w)) if float.fromhex(w) > 0 else w for w in line.split()]
    return " ".join(words)


def can_certify():
    """Whether the module for ball arithmetic is built."""
    return "optdyn-arb.so" not in str(answer("shadow", CERTIFIED % ", boxes: 20")["missing"])


def certificates():
    if not can_certify():
        tap.skip("certificates", "the module for ball arithmetic is not built")
        return
    text = says("shadow", CERTIFIED % "", "certificate there is an exact orbit", "the nearest orbit found", arguments=("-o", "out"))
    check("and so within 4.34650257" in text and "written to out/shadow.certificate" in text, "its radius and file are told", text)
    text = says("shadow", CERTIFIED % ", direction: flow", "the iteration from its start; of the map, not of the flow)",
                arguments=("-o", "flow"))
    check("and so within" not in text and os.path.exists("flow/shadow.certificate"), "of the flow there is no radius", text)
    with open("flow/shadow.certificate", encoding="ascii") as file:
        lines = file.read().splitlines()
    check(not any(line.startswith(("target", "radius", "weights")) for line in lines) and any(line.startswith("hessian") for line in lines),
          "nor targets in its file", lines[:12])
    # a kink among constants is none
    kink = CERTIFIED.replace("quadratic, eigenvalues: [2, 1]", 'formula, f: "max(1, -2)*x^2\\t+\\nmin(7, 1/2)*y^2 + abs(-3)^0 - 1", '
                             "variables: [x, y]")
    one, other = (answer("shadow", text % ", boxes: 50")["certificate"] for text in (CERTIFIED, kink))
    check(abs(one["radius"] - other["radius"]) < 1e-9, "constants with min and max", (one, other))
    for f in ("abs(x)^2.5 + y^2", "x^2 + y^4"):
        d = answer("shadow", CERTIFIED.replace("quadratic, eigenvalues: [2, 1]", f'formula, f: "{f}", variables: [x, y]') % ", boxes: 20")
        check((d["certificate"] is None) == ("abs" in f), f"whether {f} is certified", d["missing"])
    # what is written of other losses
    for name, problem, lines in (("rosenbrock", "rosenbrock, a: 2, b: 8", ("a 0x1p+1", "b 0x1p+3")),
                                 ("power", "power, p: 4, c: 0.5, dim: 2", ("p 0x1p+2", "c 0x1p-1")),
                                 ("formula", 'formula, f: "x^2\\t+\\n2*y^2\\r+ 1", variables: [x, y]', ("formula x^2 + 2*y^2 + 1",))):
        text = CERTIFIED.replace("quadratic, eigenvalues: [2, 1]", problem).replace("step: 0.1", "step: 0.01") % ", boxes: 20"
        says("shadow", text, "written to", arguments=("-o", name))
        with open(f"{name}/shadow.certificate", encoding="ascii") as file:
            written = [plain(line) for line in file.read().splitlines()]
        check(all(line in written for line in (f"problem {name}", "dimension 2", *lines)), f"the certificate of {name}", written[:16])
    power = CERTIFIED.replace("quadratic, eigenvalues: [2, 1]", "power, p: 2.7, dim: 2").replace("[1, 1]", "[1, 0]")
    d = answer("shadow", power % ", boxes: 20")["certificate"]
    check(d is not None and d["epsilon"] < 1e-12, "|x|^2.7 through 0", d)


RICH = """
problem: {name: plugin, file: ./rich.so}
method: {name: %s}
start: {x: [1, 0.5]}
iterations: 6
%s
"""
PATH = "until: 1\nintegrator: {name: rk4, step: 0.1}"


def without_hessian():
    """The plug-in's loss is |x|^2/2 and a constant: a quadratic of eigenvalues 1, of which only gradients are told."""
    shutil.copy(PLUGIN, "rich.so")
    ball = RICH % ("heavy-ball, alpha: 1, step: 0.1", "shadow: {tolerance: 1.0e-6, glitch: 0.1}")
    says("shadow", ball, "the iteration offers no derivative or no transpose of it", "growth of directions: - (the iteration has no derivative",
         "inverse steps need the derivative of the iteration, which it does not offer", "minimax - (", "the curvature of the loss is not known",
         "in numbers of the test precision")
    got = answer("shadow", ball)
    known = answer("shadow", ball.replace("plugin, file: ./rich.so", "quadratic, eigenvalues: [1, 1]"))
    check(got["precision"] == "numbers of the test" and got["minimax"] is None, "its precision is told, and what is unknown", got)
    check(abs(got["same_start"] - known["same_start"]) < 1e-9 and got["expansion"] is None, "what needs no derivative is the same",
          (got["same_start"], known["same_start"]))
    flow = [answer("shadow", text.replace("glitch: 0.1", "direction: flow")) for text in
            (ball, ball.replace("plugin, file: ./rich.so", "quadratic, eigenvalues: [1, 1]"))]
    check(abs(flow[0]["minimax"]["upper"] - flow[1]["minimax"]["upper"]) < 1e-6 * flow[1]["minimax"]["upper"],
          "the nearest orbit of its flow, by differences", [d["minimax"] for d in flow])
    says("shadow", ball.replace("glitch: 0.1", "certificate: true"), "certificate - (problem.name: the problem 'rich' cannot be evaluated")
    says("shadow", RICH % ("gradient, step: 0.1", "shadow: {tolerance: 1.0e-6}"), "the curvature of the loss is not known")
    check("the modified flow needs the Hessian of the loss" in
          answer("shadow", RICH % ("gradient, step: 0.1", "shadow: {tolerance: 1.0e-6}"))["missing"]["modified"], "no modified flow")
    refused("shadow", RICH % ("gradient, step: 0.1", ""), "in single precision the flow cannot be sampled to 1e-13; give at least 1e-06")
    refused("shadow", RICH % ("memory, step: 0.1", "shadow: {tolerance: 1.0e-6}"), "cannot start at t = 0: the drift at t = 0 needs Hessian")
    for analysis, method in (("curvature", "gradient, step: 0.1"), ("action", "heavy-ball, alpha: 1, step: 0.1"),
                             ("conjugate", "heavy-ball, alpha: 1, step: 0.1")):
        refused(analysis, RICH % (method, PATH), "the Hessian of 'rich', and the problem offers no products with it")
    noisy = RICH % ("gradient, noise: 0.3", "until: 1\nintegrator: {name: euler-maruyama, step: 0.25}\npaths: 64\nweak-order: {levels: 2}")
    noisy = noisy.replace("iterations: 6\n", "")
    says("weak-order", noisy, "in numbers of the test precision", "its own bias is unknown")
    check(answer("weak-order", noisy)["precision"] == "numbers of the test", "the precision of weak orders")


def small_things():
    says("action", FLAT.replace("x: [3, 4], v: [1.5, 2]", "x: [0, 0]").replace("[1, 1]", "[1.0e+14, 1]") % (2, ""),
         "action J = 0")
    r = run("action", FLAT.replace("x: [3, 4], v: [1.5, 2]", "x: [0, 0]").replace("[1, 1]", "[1.0e+14, 1]") % (2, ""))
    check("no Morse index and no witnesses: interval: the curvature along the path needs more than 4 million" in r.stderr.decode(),
          "a mesh that is too fine", r.stderr)
    # sin t and sin 2 t vanish at pi: the second once before
    d = answer("action", FLAT.replace("[1, 1]", "[1, 4]") % (math.pi, ""))["morse"]
    check(d["degenerate"] and d["index"] == 1 and d["nullity_at_end"] == 2, "two degenerate directions", d)
    d = answer("conjugate", FLAT.replace("[1, 1]", "[1, 4]") % (math.pi, "verify: true"))
    check(d["index"] == 1 and d["nullity_at_end"] == 2 and d["morse_check"]["nullity"] == 2, "and by the fields", d)
    line = CERTIFIED.replace("heavy-ball, alpha: 1", "gradient")
    for f in ("x^2", "3*x + y^2"):  # a loss that does not know y, or whose slope is constant
        d = answer("shadow", line.replace("quadratic, eigenvalues: [2, 1]", f'formula, f: "{f}", variables: [x, y]') % ", boxes: 20")
        check((d["certificate"] is not None) == can_certify(), f"whether {f} is certified", d["missing"])
    d = answer("shadow", line.replace("[2, 1]", "[2.0e+17, 1.0e+17]").replace("step: 0.1", "step: 1.0e-18") % ", boxes: 20")
    one = answer("shadow", line % ", boxes: 20")
    check((d["certificate"] is not None) == can_certify() and abs(d["minimax"]["upper"] - one["minimax"]["upper"]) < 1e-9,
          "numbers beyond 2^53", d["missing"])
    says("shadow", CERTIFIED.replace("heavy-ball, alpha: 1", "adam") % "", "certificate - (method.name: the iteration of 'adam' has no interval")
    refused("shadow", CERTIFIED.replace("heavy-ball, alpha: 1", "nesterov").replace("{x:", "{t: -1, x:") % "", "singular at t = 0; start at t >= 0")
    for change, known in (("", True), ("alpha: 0", False), ("v: [100, 0], ", False)):
        text = CERTIFIED.replace("certificate: true", "modified: false") % ""
        text = text.replace("alpha: 1", change) if "alpha" in change else text.replace("{x: [1", "{" + change + "x: [1")
        d = answer("shadow", text)
        check((d["delta"]["bound"] is not None) == known, f"whether the local error has a bound with {change or 'a start at rest'}", d["delta"])
    momentum = "problem: {name: quadratic, eigenvalues: [4, 1]}\nmethod: {name: nesterov, step: 0.01}\nstart: {x: [1, 0.5]}\niterations: 5\n"
    shown = says("curvature", momentum + "curvature: {top: 0}\n", "sharpness along the iteration: 4 at t = 0")
    check("2/h" not in shown, "a method without a bound", shown)
    d = answer("curvature", momentum + "curvature: {top: 0}\n")["points"][0]
    check(d["top"] == [] and d["bottom"] == [1] and d["miss"] is not None, "the smallest alone", d)
    level = ("problem: {name: constant-gradient, gradient: [1, 2]}\nmethod: {name: heavy-ball, alpha: 1, noise: 0.3}\nintegrator: "
             "{name: euler-maruyama, step: 0.25}\nstart: {x: [1, 1]}\nuntil: 1\npaths: 1000\n")
    says("moments", level, "agrees with its chain")
    shown = says("shadow", line % "" + "sweep: {method.step: [0.2, 0.1]}\n", "2 of 2 members")
    check("[" not in shown.partition("slope of same_start")[2].partition(",")[0], "two members have a slope and no interval", shown)
    data = ("problem: {name: least-squares, data: teacher, samples: 30, features: 2}\nmethod: {name: gradient, noise: "
            "gradient-covariance, step: 0.2}\nintegrator: {name: euler-maruyama, step: 0.125}\nstart: {x: [1, 1]}\nuntil: 2\npaths: 64\n")
    says("strong-order", data + "strong-order: {levels: 2}\n", "the reference's own error is about")
    for analysis in ("moments", "control"):
        refused(analysis, data, "needs additive noise", "noise that depends on the state")
    wide = ("problem: {name: quadratic, eigenvalues: [%s]}\nmethod: {name: gradient, noise: 0.1}\nintegrator: {name: euler-maruyama, "
            "step: 0.25}\nstart: {x: [%s]}\nuntil: 1\npaths: 64\n" % (", ".join(["1"] * 70), ", ".join(["1"] * 70)))
    says("weak-order", wide + "weak-order: {levels: 2}\n", "its own bias is unknown")
    refused("control", wide.replace("paths: 64", "paths: 200") + "control: {matrix: [[1, 0], [0, 1], [0, 0]]}\n", "expected 70 rows of 70 numbers, got 3 of 2")


def beyond_few_dimensions():
    half = ", ".join(["0.5"] * 210)
    text = ("problem: {name: power, p: 4, dim: 210}\nmethod: {name: heavy-ball, alpha: 1}\nintegrator: {name: rk4, step: 0.05}\n"
            f"start: {{x: [{half}]}}\nuntil: 0.02\naction: {{sine: [1]}}\n")
    d = answer("action", text)
    check(d["morse"]["index"] == 0 and d["witness"] is None, "no witnesses of so many modes", d["morse"])
    says("action", text, "Morse index 0", "a minimiser of the action")
    # along x^4 from rest: J is that of one coordinate, 210 times
    one = answer("action", text.replace("dim: 210", "dim: 1").replace(half, "0.5"))
    check(abs(d["action"] - 210 * one["action"]) < 1e-9 * abs(d["action"]), "210 times the action of one", (d["action"], one["action"]))


for part in (metrics, degenerate_ends, few_directions, shadows_by_symmetry, turning, certificates, without_hessian,
             small_things, beyond_few_dimensions):
    with tempfile.TemporaryDirectory() as place:
        home = os.getcwd()
        os.chdir(place)
        try:
            part()
        except Exception as e:  # a document that is not what was expected
            check(False, part.__name__ + " could not be finished", repr(e))
        os.chdir(home)
sys.exit(tap.end())
