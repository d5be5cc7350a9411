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
