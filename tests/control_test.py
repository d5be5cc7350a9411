"""The analysis `control` through the program: means against references, honest errors, refusals. TAP.
SPDX-License-Identifier: GPL-3.0-or-later"""

import math
import os
import sys
import tempfile

import tap
from tap import analyse as run, answer_of, check

EXAMPLE = os.path.join(os.path.abspath(sys.argv[2]), "examples", "control.yaml")


def answer(*args, **sets):
    return answer_of(run(*args, "--json", **sets))


def quantities(file, **sets):
    return {q["name"]: q for q in answer("control", file, **sets)["quantities"]}


def linear_problems_leave_no_variance(folder):
    """Reference em-chain: 10^4 steps of Euler-Maruyama for Nesterov's SDE, their recursion in 30 digits."""
    file = os.path.join(folder, "linear.yaml")
    with open(file, "w") as out:
        out.write("problem: {name: quadratic, eigenvalues: [0.04, 0.01]}\nmethod: {name: nesterov, noise: 0.1}\n"
                  "integrator: {name: euler-maruyama, step: 0.001}\nstart: {t: 0.001, x: [1, 1], v: [0, 0]}\nuntil: 10.001\npaths: 130\n")
    q = quantities(file)
    want = {"x_1": 0.5766743685984456, "v_1": -0.0705723825462791, "x_2": 0.8800885129230802, "v_2": -0.022982938276372974}
    good = all(abs(q[k]["controlled"] - w) <= 1e-11 * abs(w) for k, w in want.items())
    check(good, "with the problem itself as control the means are exact, from 130 paths", q)
    # the loss of the chain: sum of lambda (mean^2 + var)/2
    loss = (0.04 * (want["x_1"]**2 + 0.14196461306022762) + 0.01 * (want["x_2"]**2 + 0.17665259463074953)) / 2
    check(abs(q["loss"]["controlled"] - loss) <= 1e-11 * loss, "and the loss", q["loss"])
    check(all(v["controlled_stderr"] <= 1e-12 * v["plain_stderr"] and v["correlation"] > 1 - 1e-12 for v in q.values()),
          "with no variance but rounding", q)
    bad = quantities(file, control__matrix="[[1, 0.5], [0.5, 2]]", control__centre="[1, -1]", integrator__step=0.01,
                     start__t=0.01, until=10.01, paths=4000)
    # bias of the step 1e-3 at most; with four standard errors a right program fails one of four with probability 3e-4
    good = all(abs(bad[k]["controlled"] - w) <= 4 * bad[k]["controlled_stderr"] + 2e-3 for k, w in want.items())
    good = good and all(v["controlled_stderr"] < 1.01 * v["plain_stderr"] for v in bad.values())
    check(good, "a bad control does no harm", bad)


def near_a_minimum_errors_fall():
    """Plain means of 40000 paths of another seed; with four standard errors a right program fails one of the ten numbers
    with probability 6e-4."""
    for sets in ({}, {"problem": "rosenbrock", "start__x": "[1.002, 1.004]", "method__noise": 0.003, "integrator__step": 0.01}):
        q = quantities(EXAMPLE, paths=2000, **sets)
        final = answer("run", EXAMPLE, paths=40000, seed=1001, **sets)["final"]
        for name, v in q.items():
            block, i = (name[0], int(name[2:]) - 1) if name != "loss" else (None, 0)
            mean, error = (final["loss"], final["loss_stderr"]) if block is None else (final["mean"][block][i],
                                                                                       final["stderr"][block][i])
            check(abs(v["controlled"] - mean) <= 4 * math.hypot(error, v["controlled_stderr"]),
                  f"{sets.get('problem', 'styblinski-tang')}: {name} agrees with a plain ensemble", (v, mean, error))
            check(v["controlled_stderr"] < v["plain_stderr"] / 5,
                  f"and its error is {v['plain_stderr'] / v['controlled_stderr']:.1f} times smaller", v)
        same = answer("run", EXAMPLE, paths=2000, **sets)["final"]
        check(abs(q["x_1"]["plain"] - same["mean"]["x"][0]) < 1e-12 and abs(q["x_1"]["plain_stderr"] - same["stderr"]["x"][0]) < 1e-12
              and abs(q["loss"]["plain"] / same["loss"] - 1) < 1e-12, "the plain means are those of run", (q, same))


def errors_are_honest():
    """150 seeds of 200 paths, with a control that is half wrong, so that its coefficient is not 1: the variance of the means over the mean square of their errors has mean 1 and standard
    deviation 0.12; within 0.42 a right program fails one of the two numbers with probability 1e-3."""
    names, seeds = ("loss", "x_1"), 150
    means, squares = {k: [] for k in names}, {k: 0 for k in names}
    for seed in range(seeds):
        q = quantities(EXAMPLE, paths=200, seed=seed, integrator__step=0.05, control__matrix="[[14, 0], [0, 14]]")
        for k in names:
            means[k].append(q[k]["controlled"])
            squares[k] += q[k]["controlled_stderr"]**2 / seeds
    for k in names:
        m = sum(means[k]) / seeds
        ratio = sum((x - m)**2 for x in means[k]) / (seeds - 1) / squares[k]
        check(abs(ratio - 1) < 0.42, f"the standard error of {k} is honest: variance ratio {ratio:.2f}")


def bits_and_refusals():
    one = run("control", EXAMPLE, "--json", "--threads", "1", paths=300).stdout
    check(one and run("control", EXAMPLE, "--json", "--threads", "2", paths=300).stdout == one, "the same bits for any threads")
    check(b"correlation" in run("control", EXAMPLE, paths=300).stdout, "text")
    for words, sets in (("are too few", {"paths": 99}), ("expected 2 numbers", {"control__centre": "[1]"}),
                        ("expected 2 rows", {"control__matrix": "[[1]]"}), ("control.matrix", {"control__matrix": "[[1, 2], [0, 1]]"}),
                        ("none; give method.noise", {"method": "{name: heavy-ball, alpha: 1}"}),
                        ("the minimiser of", {"problem": "{name: constant-gradient, gradient: [1, 2]}"}),
                        ("give a smaller step", {"integrator__step": 0.5, "until": 100})):
        r = run("control", EXAMPLE, **{"paths": 200, **sets})
        check(r.returncode != 0 and words in r.stderr.decode() and not r.stdout, "refused: " + words, r.stderr.decode())


with tempfile.TemporaryDirectory() as folder:
    linear_problems_leave_no_variance(folder)
near_a_minimum_errors_fall()
errors_are_honest()
bits_and_refusals()
sys.exit(tap.end())
