"""Small jobs of fault_test.py: between them they allocate and write at every place that a job can.

SPDX-License-Identifier: GPL-3.0-or-later"""

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
CURVE = "".join(f"{k / 4},{(k / 4) ** 2},{1 - k / 4}\n" for k in range(13))
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

NOISY = """
problem: {name: quadratic, matrix: [[2, 0.5], [0.5, 1]]}
method: {name: heavy-ball, alpha: 1, noise: 0.3}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: {normal: 1}, v: [0.5, 0]}
until: 1
paths: 1000
"""
LEVELS = "%s: {levels: 2, reference: 1}\n"
STIFF = """
problem: {name: formula, f: "(1 - x)^2 + 5*(y - x^2)^2", variables: [x, y]}
method: {name: nesterov, r: 3, step: 0.01}
start: {x: [0.5, 0.4]}
until: 1
iterations: 6
record: {every: 0.5}
"""
VALLEY = """
problem: {name: rosenbrock}
method: {name: heavy-ball, alpha: 1}
integrator: {name: rk4, step: 0.05}
start: {x: [-1.2, 1]}
until: 0.2
interval: [0, 0.2]
"""
NEAR = """
problem: {name: quadratic, eigenvalues: [1, -0.5]}
method: {name: %s, step: 0.1}
start: {x: [1, 0.5]}
iterations: 6
shadow: {%s}
"""

# the experiment, the command, and the kinds of faults if not all
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
    "an action off a quadratic": (
        VALLEY + "action: {sine: [1], hat: [[0.1, 0.05]], direction: [1, 2], displacement: h.csv}\n",
        ["action", "x.yaml", "--json"],
    ),
    "the action of a curve": (VALLEY + "action: {curve: h.csv}\n", ["action", "x.yaml", "--json"]),
    "conjugate points off a quadratic": (VALLEY, ["conjugate", "x.yaml", "--json", "--verify"]),
    "focal points": (
        PATH.replace("nesterov, r: 3", "heavy-ball, alpha: 0.5").replace("[0.5, 4]", "[0, 4]")
        + "conjugate: {free: [[1, 1]], split: false}\n",
        ["conjugate", "x.yaml", "--json", "--verify"],
    ),
    "conjugate points of few directions": (
        PATH.replace("[2, 1]}", "[5, 2, 1, 0.5]}").replace("x: [1, 1]", "x: [1, 1, 1, 1]") + "conjugate: {directions: 2}\n",
        ["conjugate", "x.yaml", "--json"],
    ),
    "shadows of a saddle": (NEAR % ("gradient", "glitch: 0.01"), ["shadow", "x.yaml", "--json"]),
    "shadows of an iteration": (
        NEAR.replace("iterations: 6", "iterations: 3") % ("gradient", "direction: flow, tolerance: 1.0e-3")
        + "compare: [{label: a, problem: styblinski-tang, method: {name: gradient, step: 0.02}}, {label: b}]\n",
        ["shadow", "x.yaml", "--json"],
    ),
    "shadows of positions": (
        (NEAR % ("nesterov-strongly-convex", "norm: position, weights: [2, 1]")).replace("-0.5", "0.5"),
        ["shadow", "x.yaml", "--json"],
    ),
    "shadows in many dimensions": (
        SHADOW.replace("heavy-ball, alpha: 1, step: 0.2", "gradient, step: 0.01").replace("dim: 3", "dim: 260")
        .replace("x: [1, 0.5, -0.3]", "x: {normal: 1}").replace("iterations: 5", "iterations: 2")
        .replace("glitch: 0.01", "modified: false, tolerance: 1.0e-8").replace("sweep: {method.step: [0.2, 0.1]}", ""),
        ["shadow", "x.yaml", "--json"],
    ),
    "a certificate on data": (
        "problem: {name: logistic-regression, data: d.csv, label: b, classes: [2, 7]}\nmethod: {name: gradient, step: 0.2}\n"
        "start: {x: [0.1, 0.2, 0.3]}\niterations: 3\nshadow: {certificate: true, boxes: 10}\n",
        ["shadow", "x.yaml", "--json"],
    ),
    "curvature": (
        STIFF + "integrator: {name: rk4, step: 0.1}\ncurvature: {top: 1, bottom: 1, probes: 2}\n",
        ["curvature", "x.yaml", "--json"],
    ),
    "moments": (NOISY, ["moments", "x.yaml", "--json"]),
    "control": (NOISY.replace("quadratic, matrix: [[2, 0.5], [0.5, 1]]", "styblinski-tang"), ["control", "x.yaml", "--json"]),
    "a strong order": (NOISY + LEVELS % "strong-order", ["strong-order", "x.yaml", "--json"]),
    "a weak order": (NOISY + LEVELS % "weak-order", ["weak-order", "x.yaml", "--json"]),
    "a stiff path": (STIFF + "integrator: {name: cvode, family: bdf}\n", ["run", "x.yaml", "--json"]),
    "a path without a stiff solver": (STIFF + "integrator: cvode\n", ["run", "x.yaml", "--json"]),
    "a path along the edge": (STIFF + "integrator: {name: rk4-tracked}\n", ["run", "x.yaml", "--json"]),
    "paths of other schemes": (
        NOISY + "compare: [{label: a, integrator: {name: sra1, step: 0.25}}, {label: b, integrator: {name: milstein, step: 0.25}}]\n",
        ["run", "x.yaml", "--json"],
    ),
    "claims": (PATH.replace("nesterov, r: 3", "nesterov, r: 3, step: 0.01") + "iterations: 8\n",
               ["claims", "--on", "x.yaml", "--json"]),
    "claims of noise": (CLAIMS, ["claims", "--on", "x.yaml", "--json"]),
    "a figure": (PATH, ["figure", "x.yaml", "-o", "out", "--json"]),
    "a known figure": (PATH, ["figure", "fig-10", "-o", "out", "--json"]),
    "a report": (PATH, ["report", "fig-07", "-o", "out", "--json"]),
    # its claims allocate ten thousand times, and have jobs of their own
    "the page of claims": (PATH, ["report", "claims", "-o", "out", "--json"], ["write", "short"]),
}
