"""More jobs of fault_test.py: what reads, plans, checks and goes on. SPDX-License-Identifier: GPL-3.0-or-later"""

import gzip
import struct

ENSEMBLE = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: nesterov, r: 3, noise: 0.1, step: 0.01}
integrator: {name: euler-maruyama, step: 0.1}
start: {t: 0.1, x: {normal: 1}, v: [0, 0]}
until: 0.6
iterations: 5
paths: 300
record: {every: 0.5, quantities: [loss, x], quantiles: [0.5], covariance: true}
"""
KINDS = """
method: {name: gradient, step: 0.01}
start: {x: {normal: 1}}
iterations: 1
compare:
  - {label: numpy, problem: {name: least-squares, data: a.npy, label: b.npy, samples: 3}}
  - {label: svm, problem: {name: least-squares, data: s.svm, bias: true}}
  - {label: images, problem: {name: logistic-regression, data: idx, classes: [3, 5], scale: unit-norm}}
  - {label: colours, problem: {name: logistic-regression, data: cifar, classes: [0, 1], part: test, scale: standard}}
"""
FORMULAS = """
method: {name: gradient, step: 0.01}
start: {x: {file: s.txt}}
iterations: 2
compare:
  - {label: a, problem: {name: formula, f: "exp(x/3)*sin(y) + x^2*y^4/10 + max(x, y) + tanh(x - y)", variables: [x, y]}}
  - {label: b, problem: {name: formula, f: "(x - 1)^4 + 2*(y + 0.5)^2", variables: [x, y], minimiser: [1, -0.5]}}
"""
LEVELS = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: heavy-ball, alpha: 1, noise: 0.5}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: [1, 0.5]}
until: 0.5
paths: auto
tolerance: 0.3
record: {quantities: [loss]}
"""
PLAN = """
problem: {name: quadratic, matrix: [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]}
method: {name: nesterov, r: 3, step: 0.1}
start: {x: [1, 1, 1]}
until: 1
iterations: 10
record: {quantities: [loss, x]}
compare: [{integrator: {name: rk4, step: 0.1}}, {integrator: {name: cvode, family: bdf}}]
"""
ITERATION = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: nesterov, r: 3, step: 0.01}
start: {x: [1, 1]}
iterations: 40
compare: [{label: a}, {label: b, method: {name: heavy-ball, alpha: 1, step: 0.1}}]
"""
PLUGIN = """
problem: {name: plugin, file: ./tried_problem.so, dim: 2}
method: {name: plugin, file: ./tried_method.so, step: 0.05}
integrator: {name: rk4, step: 0.05}
start: {x: [1, 0.5]}
until: 0.2
iterations: 3
"""
CHECK = "problem: {name: %s, data: d.csv, label: b, classes: [2, 7]}\n"

JOBS = {
    "kinds of data": (KINDS, ["run", "x.yaml", "--json"]),
    "formulas": (FORMULAS, ["run", "x.yaml", "--json"]),
    "a plan": (PLAN, ["run", "x.yaml", "--dry-run", "--json"]),
    "a plan of levels": (LEVELS, ["run", "x.yaml", "--dry-run", "--json"]),
    "levels": (LEVELS, ["run", "x.yaml", "-o", "out", "--json"]),
    "a check of derivatives": (CHECK % "logistic-regression", ["check", "problem", "x.yaml", "--json"]),
    "plug-ins": (PLUGIN, ["run", "x.yaml", "--json"]),
    "a shard": (ENSEMBLE, ["run", "x.yaml", "--shard", "2/2", "-o", "out", "--json"]),
    "a merge": (ENSEMBLE, ["merge", "one", "two", "-o", "out", "--json"]),
    "going on": (ENSEMBLE, ["resume", "out", "--json"]),
    # what is not a number ends an iteration, and such a run is complete
    "going on with an iteration": (ITERATION, ["resume", "out", "--json"], ["allocation", "write", "evaluation", "look", "arena"]),
}
# what is done before, without faults or with one
BEFORE = {
    "a merge": [(None, ["run", "x.yaml", "--shard", "1/2", "-o", "one"]), (None, ["run", "x.yaml", "--shard", "2/2", "-o", "two"])],
    "going on": [("look:10", ["run", "x.yaml", "-o", "out"])],
    "going on with an iteration": [("look:10", ["run", "x.yaml", "-o", "out"])],
}
PLUGINS = ("tried_problem.so", "tried_method.so")


def npy(shape, *numbers):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(numbers)}d", *numbers)


def batch(shift):
    """Two colour images of the classes 0 and 1."""
    return b"".join(bytes([label]) + bytes((k * 7 + shift) % 256 for k in range(3072)) for label in (0, 1))


FILES = {
    "a.npy": npy((3, 2), 1, 2.5, -3, 4, 0.5, 7),
    "b.npy": npy((3,), 1, 0, 2.385),
    "s.svm": b"1 1:0.5 3:2\n-1 2:1.5\n1 1:1\n",
    "s.txt": b"# where it starts\n0.7 -0.2\n",
    "idx/train-images-idx3-ubyte.gz": gzip.compress(
        struct.pack(">4I", 2051, 4, 2, 2) + bytes([0, 9, 200, 3, 1, 255, 0, 8, 7, 7, 90, 1, 0, 1, 2, 3]), mtime=0),
    "idx/train-labels-idx1-ubyte": struct.pack(">2I", 2049, 4) + bytes([3, 5, 3, 5]),
    **{f"cifar/{name}.bin": batch(i) for i, name in enumerate(
        [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"])},
}
