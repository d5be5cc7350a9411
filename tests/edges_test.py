"""What analyses say to people, where answers are known in closed form, and what they refuse: tables of small experiments.
SPDX-License-Identifier: GPL-3.0-or-later"""

import os
import re
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end, skip

SPRING = """
problem: {name: quadratic, eigenvalues: [1.25]}
method: {name: heavy-ball, alpha: 1}
integrator: {name: rk4, step: 0.1}
start: {x: [1]}
until: 7
interval: [0, 4]
"""
PLANE = SPRING.replace("[1.25]", "[1.25, 1.25]").replace("x: [1]", "x: [1, 1]")
ORBIT = """
problem: {name: quadratic, eigenvalues: [1, -0.5]}
method: {name: gradient, step: 0.1}
start: {x: [1, 0.5]}
iterations: 6
"""
NOISY = """
problem: {name: quadratic, eigenvalues: [2, 1]}
method: {name: heavy-ball, alpha: 1, noise: 0.3}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: [1, 1]}
until: 1
paths: 1000
"""
WILD = """
problem: styblinski-tang
method: {name: heavy-ball, alpha: 1, noise: 0.3}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: [8, 8]}
until: 5
paths: 64
"""
# files that experiments name
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "OPTDYN_DATA"}  # files are sought where the experiment is
FILES = {
    "line.csv": "".join(f"{t / 4},{1 - t / 16}\n" for t in range(17)),
    "short.csv": "0,1\n1,2\n",
    "back.csv": "0,1\n2,2\n1,3\n3,1\n4,1\n",
    "words.csv": "0,1\n1,a\n2,1\n3,1\n4,1\n",
    "wide.csv": "".join(f"{t},1,1\n" for t in range(6)),
    "empty.csv": "",
    "dressed.csv": "# a line\nt,x\n\n" + "".join(f" {t};{1 - t / 4}\r\n" for t in range(5)),
    "infinite.csv": "0,1\n1,inf\n2,1\n3,1\n4,1\n",
    "late.csv": "1,1\n2,1\n3,1\n4,1\n5,1\n",
    "d.csv": "a,y,b\n1,0.5,2\n2,0.25,7\n3,1,2\n4,-2,7\n5,2.385,2\n",
}

# name, analysis, experiment, regular expressions that the text must have, and why they are right
SAYS = [
    # h'' + h' + 1.25 h = 0 vanishes like e^{-t/2} sin t: conjugate points of 0 are the multiples of pi
    ("one conjugate point", "conjugate", SPRING + "conjugate: {verify: true}\n",
     [r"conjugate points of t1 = 0 up to t2 = 4", r"t = 3\.141592653589\d* +multiplicity 1$",
      r"on \d+ nodes has 1 negative eigenvalue: agrees", r"saddle: 1 independent displacement lowers the action"]),
    ("two at once", "conjugate", PLANE + "conjugate: {verify: true, kernels: false}\n",
     [r"t = 3\.14159265358\d* +multiplicity 2$", r"has 2 negative eigenvalues: agrees",
      r"saddle: 2 independent displacements lower the action"]),
    ("none", "conjugate", SPRING.replace("4]", "3]") + "conjugate: {verify: true}\n",
     [r"has 0 negative eigenvalues: agrees", r"minimiser: no point up to t2"]),
    ("one at the end", "conjugate", SPRING.replace("4]", "3.141592653589793]"),
     [r"t2 itself, or nearer to it than 1e-10: multiplicity 1", r"degenerate: no point before t2, and t2 is one"]),
    ("at the end and before", "conjugate", SPRING.replace("4]", "6.283185307179586]") + "conjugate: {verify: true}\n",
     [r"t2 itself, or nearer", r"saddle: 1 independent displacement lowers"]),
    ("one direction of two", "conjugate", PLANE.replace("1.25]", "0.1]") + "conjugate: {directions: 1}\n",
     [r"in the 1 direction of largest curvature", r"t = 3\.14159265\d* +multiplicity 1 +\(1, ", r"saddle: at least 1 independent"]),
    ("two directions of three", "conjugate",
     PLANE.replace("1.25]", "1.25, 0.1]").replace("x: [1, 1]", "x: [1, 1, 1]") + "conjugate: {directions: 2}\n",
     [r"in the 2 directions of largest curvature", r"saddle: at least 2 independent displacements lower "]),
    ("undecided in few directions", "conjugate",
     PLANE.replace("1.25]", "0.1]").replace("4]", "2]") + "conjugate: {directions: 1}\n",
     [r"undecided: no point in these directions; conjugate.verify: true counts in all"]),
    ("decided by all", "conjugate",
     PLANE.replace("1.25]", "0.1]").replace("4]", "2]") + "conjugate: {directions: 1, verify: true}\n",
     [r"minimiser: no point in these directions$"]),
    # from rest with the end free: h' = 0 at 0, so e^{-t/2} (cos t + sin t/2) = 0, tan t = -2
    ("a focal point", "conjugate", SPRING + "conjugate: {free: all, verify: true}\n",
     [r"focal points of t1 = 0", r"t = 2\.03444393579\d* +multiplicity 1"]),
    ("a saddle of the action", "action", SPRING + "action: {sine: [1]}\n", [r"Morse index 1\b", r"a saddle of the action"]),
    ("a minimiser of the action", "action", SPRING.replace("4]", "3]"), [r"Morse index 0\b", r"a minimiser of the action"]),
    ("a degenerate path", "action", SPRING.replace("4]", "3.141592653589793]"), [r"DEGENERATE", r"undecided to second order"]),
    # J of x = 1 - t/4 on [0, 4] with weights e^t: int e^t (1/16 - 1.25 (1 - t/4)^2)/2, by parts
    ("the action of a line", "action", SPRING + "action: {curve: line.csv, hat: [[2, 1]]}\n", [r"the curve of .*line\.csv"]),
    ("a file with a comment, a header, an empty line and other separators", "action", SPRING + "action: {curve: dressed.csv}\n",
     [r"the curve of dressed\.csv", r"action J = "]),
    ("the largest curvature second", "action", SPRING.replace("[1.25]", "[0.5, 1.25]").replace("x: [1]", "x: [1, 1]"),
     [r"Morse index 1\b"]),
    # h'' + h' + 0.26 h = 0: conjugate points at the multiples of 10 pi
    ("weights beyond numbers", "action", SPRING.replace("1.25", "0.26").replace("4]", "520]").replace("until: 7", "until: 520"),
     [r"e\^520", r"Morse index 16\b"]),
    # a step of gradient descent is 1 - 0.1 lambda: growth ln 0.9 and ln 1.05
    ("shadows of a saddle", "shadow", ORBIT + "shadow: {glitch: 1.0e-9}\n",
     [r"ln growth per iteration: 0\.0487902 -0\.105361", r"1 unstable direction of 2; stable and unstable space 90 degrees",
      r"glitch +no orbit is within 1e-09 up to k = \d+$", r"curvature from -0\.5 to 1 everywhere"]),
    ("no glitch", "shadow", ORBIT + "shadow: {glitch: 10}\n", [r"glitch +none: an orbit within 10 is not excluded"]),
    ("a neutral direction", "shadow", ORBIT.replace("-0.5", "0"),
     [r"0 unstable directions of 2, 1 neutral: not hyperbolic", r"split +- +\(not hyperbolic"]),
    ("a singular step", "shadow", ORBIT.replace("[1, -0.5]", "[10, -0.5]"),
     [r"a Jacobian is singular: it takes 1 direction to 0"]),
    ("two singular directions", "shadow", ORBIT.replace("[1, -0.5]", "[10, 10]"),
     [r"a Jacobian is singular: it takes 2 directions to 0"]),
    ("many exponents", "shadow",
     ORBIT.replace("[1, -0.5]", "[1, 2, 3, 4, 5, 6, 7, 8]").replace("[1, 0.5]", "[1, 1, 1, 1, 1, 1, 1, 1]"),
     [r"ln growth per iteration: -0\.105361 -0\.223144 -0\.356675 -0\.510826 -0\.693147 \.\.\. -1\.60944",
      r"0 unstable directions of 8", r"theorem +\S+ +strongly convex: h l L/\(2 mu\)"]),
    ("a concave loss", "shadow", ORBIT.replace("[1, -0.5]", "[-1, -0.5]"),
     [r"theorem +\S+ +strongly concave: h l L/\(2 gamma\)", r"2 unstable directions of 2"]),
    ("a convex loss", "shadow", ORBIT.replace("-0.5", "0"), [r"theorem +\S+ +convex: K l L h\^2/2"]),
    ("too long a step", "shadow", ORBIT.replace("[1, -0.5]", "[21, 1]"), [r"theorem +- +\(h L is above 2"]),
    ("free times", "shadow", ORBIT.replace("-0.5", "0.5").replace("gradient", "heavy-ball, alpha: 1"),
     [r"free times +\S+ +same start; the nearest orbit, shifted, \S+", r"from one start the flow runs at times shifted by",
      r"for heavy ball the local error is bounded, not the radius"]),
    ("a certificate of a computed orbit", "shadow",
     ORBIT.replace("quadratic, eigenvalues: [1, -0.5]", "hosaki") + "shadow: {certificate: true, glitch: 1.0e-9}\n",
     [r"certificate +there is an exact orbit of the map within epsilon of this computed pseudo-orbit, epsilon = \d",
      r"of the map, not of the flow\)", r"curvature from \S+ to \S+ seen near the states", r"lower bound +\S+ +proven of all orbits",
      r"local bound +\S+ +of the linearisation", r"up to k = \d+, by the linearisation"]),
    ("a loss of more dimensions", "shadow",
     ORBIT.replace("quadratic, eigenvalues: [1, -0.5]", "power, p: 4, dim: 3").replace("[1, 0.5]", "[1, 0.5, 0.25]"),
     [r"local bound +\S+ +of the linearisation"]),
    ("of positions", "shadow", ORBIT.replace("-0.5", "0.5").replace("gradient", "nesterov, r: 3") + "shadow: {norm: position}\n",
     [r"position norm", r"theorem +- +\(no theorem is known for this iteration\)"]),
    ("of positions with weights", "shadow",
     ORBIT.replace("-0.5", "0.5").replace("gradient", "heavy-ball, alpha: 1") + "shadow: {weights: [1, 0.5], time: 0.35}\n",
     [r"3 iterations of time 0\.1, phase norm"]),
    ("weights of components", "shadow", ORBIT + "shadow: {weights: [1, 0.5], rescaled: false, modified: false}\n",
     [r"curvature from -0\.5 to 1 everywhere"]),
    ("no Hessian", "shadow", ORBIT.replace("quadratic, eigenvalues: [1, -0.5]", "power, p: 1.5, dim: 2"),
     [r"the curvature of the loss is not known"]),
    # eigenvalues of the Hessian
    ("a spectrum", "curvature", ORBIT.replace("[1, -0.5]", "[9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5, 0.25, 0.125, -1]").replace(
        "[1, 0.5]", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]") + "curvature: {top: 13, bottom: 1, probes: 1}\n",
     [r"in 13 dimensions$", r"largest +9 +residual", r"smallest +-1 +residual", r"and \d+ more", r"by one probe",
      r"2/h = 20: above it at 0 of 7 recorded times"]),
    ("not enough steps", "curvature", ORBIT.replace("[1, -0.5]", "[1000, 8, 7, 6, 5, 4, 3, 2, 1]").replace(
        "[1, 0.5]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]") + "curvature: {top: 3, steps: 6, probes: 0}\n",
     [r"not all were found: raise curvature\.steps"]),
    ("a run that diverges", "curvature",
     ORBIT.replace("step: 0.1", "step: 50").replace("iterations: 6", "iterations: 400"), [r"up to where the run diverged"]),
    ("no sharpness on the way", "curvature", ORBIT + "curvature: {along: false, top: 0, bottom: 0}\n", [r"in 2 dimensions$"]),
    ("a weak order in text", "weak-order", NOISY + "weak-order: {levels: 3}\n", [r"step +bias of loss +\+- +exact bias", r"exact order"]),
    ("a weak order off a quadratic", "weak-order",
     NOISY.replace("quadratic, eigenvalues: [2, 1]", "styblinski-tang") + "weak-order: {levels: 2}\n", [r"its own bias is unknown"]),
    ("a strong order in text", "strong-order", NOISY + "strong-order: {levels: 3}\n", [r"step"]),
    ("a weak order of few paths", "weak-order", NOISY.replace("1000", "64").replace("0.3", "30") + "weak-order: {levels: 2}\n",
     [r"not resolved$"]),
    # x'' = -x' - 2 x^3 + ... from x = 8 turns at a rate of about 20: steps of 0.25 and 0.5 run away, those of 1/256 do not
    ("a weak order of steps that are too long", "weak-order",
     WILD + "weak-order: {levels: 2, reference: 6}\n",
     [r"diverged$"]),
    ("a strong order of steps that are too long", "strong-order",
     WILD + "strong-order: {levels: 2, reference: 6}\n",
     [r"diverged, not used", r"fewer than two levels"]),
    # a constant drift and a constant noise: every step is exact
    ("a scheme without errors", "strong-order",
     NOISY.replace("quadratic, eigenvalues: [2, 1]", "constant-gradient, gradient: [1, 2]").replace("heavy-ball, alpha: 1", "gradient")
     + "strong-order: {levels: 2}\n", [r"exact to rounding, not used"]),
    ("moments that a strict level rejects", "moments", NOISY + "moments: {level: 0.999999}\n", [r"\bbelow\b"]),
    ("a control that is the loss itself", "control", NOISY, [r"loss"]),
    ("moments in text", "moments", NOISY, [r"agrees with its chain"]),
    ("control in text", "control", NOISY.replace("quadratic, eigenvalues: [2, 1]", "styblinski-tang"), [r"loss"]),
    ("of a flow", "shadow", ORBIT + "shadow: {direction: flow}\n",
     [r"an orbit of the flow shadows the iteration, 6 iterations of time 0\.1, phase norm",
      r"theorem +- +\(the theorems are about orbits of the iteration near the flow\)"]),
]

# name, analysis, experiment, exit status, what the sentence says, more arguments
REFUSES = [
    ("a sphere in one dimension", "conjugate", SPRING + "conjugate: {free: sphere}\n", 2,
     "conjugate.free: a sphere around the minimiser has no directions in one dimension; remove it"),
    ("a sphere around nothing known", "conjugate",
     PLANE.replace("quadratic, eigenvalues: [1.25, 1.25]", 'formula, f: "x^2 + y^4 + y^2", variables: [x, y]')
     .replace("integrator: exact", "integrator: {name: rk4, step: 0.1}") + "conjugate: {free: sphere}\n", 2, "the minimiser of this problem is not known"),
    ("a sphere from the minimiser", "conjugate", PLANE.replace("x: [1, 1]", "x: [0, 0]") + "conjugate: {free: sphere}\n", 2,
     "the path starts at the minimiser, so its sphere is a point"),
    ("directions of another size", "conjugate", PLANE + "conjugate: {free: [[1, 0, 0]]}\n", 2,
     "expected sphere, all, or at most 2 directions of 2 numbers each"),
    ("too many directions", "conjugate", PLANE + "conjugate: {free: [[1, 0], [0, 1], [1, 1]]}\n", 2, "got 3 of 2"),
    ("the same direction twice", "conjugate", PLANE + "conjugate: {free: [[1, 2], [2, 4]]}\n", 2,
     "direction 2 is zero or lies in the span of those before; remove it"),
    ("no direction", "conjugate", PLANE + "conjugate: {free: [[0, 0]]}\n", 2, "direction 1 is zero"),
    ("a word", "conjugate", PLANE + "conjugate: {free: some}\n", 2, "conjugate.free"),
    ("a hat without a width", "action", SPRING + "action: {hat: [[2]]}\n", 2, "action.hat"),
    ("a hat of no width", "action", SPRING + "action: {hat: [[2, 0]]}\n", 2, "action.hat"),
    ("a hat that sticks out on the left", "action", SPRING + "action: {hat: [[0.5, 1]]}\n", 2, "action.hat"),
    ("a hat that sticks out on the right", "action", SPRING + "action: {hat: [[3.5, 1]]}\n", 2, "action.hat"),
    ("a direction of another size", "action", SPRING + "action: {sine: [1], direction: [1, 2]}\n", 2, "action.direction"),
    ("a sine of no number", "action", SPRING + "action: {sine: [1.5]}\n", 2, "action.sine"),
    ("a curve of too few rows", "action", SPRING + "action: {curve: short.csv}\n", 2, "short.csv"),
    ("a curve back in time", "action", SPRING + "action: {curve: back.csv}\n", 2, "back.csv"),
    ("a curve of words", "action", SPRING + "action: {curve: words.csv}\n", 2, "words.csv"),
    ("a curve of another dimension", "action", SPRING + "action: {curve: wide.csv}\n", 2, "wide.csv"),
    ("an empty curve", "action", SPRING + "action: {curve: empty.csv}\n", 2, "empty.csv"),
    ("a curve that is not there", "action", SPRING + "action: {curve: none.csv}\n", 2, "none.csv cannot be opened"),
    ("a displacement of another dimension", "action", SPRING + "action: {displacement: wide.csv}\n", 2, "wide.csv"),
    ("a displacement that ends too early", "action", SPRING.replace("4]", "6]") + "action: {displacement: line.csv}\n", 2, "line.csv"),
    ("a curve with what is not finite", "action", SPRING + "action: {curve: infinite.csv}\n", 2,
     "infinite.csv:2: expected 2 finite numbers, t and one per component"),
    ("a curve that begins late", "action", SPRING + "action: {curve: late.csv}\n", 2,
     "late.csv do not cover the interval [0, 4]"),
    ("weights of too wide a range", "action", SPRING.replace("4]", "650]").replace("until: 7", "until: 650"), 2,
     "the weights of the action grow by e^639.8 on [0, 650]"),
    ("a path that blows up", "conjugate",
     PLANE.replace("quadratic, eigenvalues: [1.25, 1.25]", 'formula, f: "-x^4 - y^4", variables: [x, y]'), 1,
     "end the interval before"),
    ("a question about a flow that is not run", "conjugate", ORBIT.replace("gradient", "heavy-ball, alpha: 1"), 2,
     "this is a question about the flow, and only the iteration is run; give until and integrator"),
    ("a flow that is not run", "weak-order", ORBIT, 2, "weak-order looks at a flow; give until and integrator"),
    ("as many paths as it takes", "moments", NOISY.replace("1000", "auto") + "tolerance: 0.1\n", 2,
     "moments needs a number of paths; give one in place of auto"),
    ("paths in pairs", "moments", NOISY + "antithetic: true\n", 2, "moments takes its paths as independent"),
    ("a batch", "shadow",
     ORBIT.replace("quadratic, eigenvalues: [1, -0.5]", "least-squares, data: d.csv, label: y").replace(
         "step: 0.1", "step: 0.01, batch: 2"), 2,
     "method.batch: an orbit of the iteration is one that a start decides; remove method.batch"),
    ("a certificate nowhere asked for", "shadow", ORBIT, 2,
     "the one file that shadow writes is a certificate, which is not asked for", "-o", "out"),
    ("an iteration alone", "moments", ORBIT, 2, "until"),
    ("too wide an ensemble for its law", "moments",
     NOISY.replace("[2, 1]", str([1] * 70)).replace("x: [1, 1]", "x: " + str([1] * 70)), 2, "moments"),
    ("an action of noise", "action", NOISY, 2, "method.noise: the action belongs to the flow without noise"),
    ("an action without a Lagrangian", "action", SPRING.replace("heavy-ball, alpha: 1", "gradient"), 2, "method"),
    ("weights of another number", "shadow", ORBIT + "shadow: {weights: [1, 2, 3, 4]}\n", 2, "shadow.weights"),
    ("weights that are all zero", "shadow", ORBIT + "shadow: {weights: [0, 0]}\n", 2, "shadow.weights"),
    ("a time before the first step", "shadow", ORBIT + "shadow: {time: 0.01}\n", 2, "shadow.time"),
    ("a shadow of noise", "shadow", ORBIT.replace("step: 0.1", "step: 0.1, noise: 0.1"), 2,
     "method.noise: an orbit of the iteration is one that a start decides; remove method.noise"),
    ("a shadow without iterations", "shadow", ORBIT.replace("iterations: 6", ""), 2, "iterations"),
    ("moments without noise", "moments", NOISY.replace(", noise: 0.3", ""), 2, "noise"),
    ("moments of another loss", "moments", NOISY.replace("quadratic, eigenvalues: [2, 1]", "rosenbrock"), 2, "problem"),
    ("a weak order of few paths", "weak-order", NOISY.replace("1000", "10"), 2,
     "paths: weak-order takes its interval from 32 groups of paths, and 10 are too few; give 64 or more"),
    ("a strong order of few paths", "strong-order", NOISY.replace("1000", "10"), 2,
     "paths: strong-order takes its interval from 32 groups of paths, and 10 are too few; give 64 or more"),
    ("a strong order without noise", "strong-order", NOISY.replace(", noise: 0.3", ""), 2, "noise"),
    ("steps that do not fit", "strong-order", NOISY.replace("step: 0.25", "step: 0.3"), 2, "with noise the run must be a whole number of steps; it is 3.33333333"),
    ("an order of cvode", "weak-order", NOISY.replace("euler-maruyama, step: 0.25", "cvode"), 2, "cvode"),
    ("a control of few paths", "control", NOISY.replace("1000", "10"), 2,
     "paths: control takes its coefficients from the paths, and 10 are too few; give 100 or more"),
    ("a centre of another size", "control", NOISY + "control: {centre: [1]}\n", 2, "control.centre"),
    ("a matrix of another size", "control", NOISY + "control: {matrix: [[1, 0]]}\n", 2, "control.matrix"),
    ("a matrix that is not symmetric", "control", NOISY + "control: {matrix: [[1, 2], [0, 1]]}\n", 2, "control.matrix"),
    ("no centre known", "control",
     NOISY.replace("quadratic, eigenvalues: [2, 1]", 'formula, f: "x^4 + y^2", variables: [x, y]'), 2, "control.centre"),
    ("a curvature without a Hessian", "curvature", ORBIT.replace("quadratic, eigenvalues: [1, -0.5]", "power, p: 1.5, dim: 2"), 2,
     "curvature"),
]


def run(folder, analysis, text, *more):
    with open(os.path.join(folder, "x.yaml"), "w") as f:
        f.write(text)
    return subprocess.run([PROGRAM, analysis, "x.yaml", *more], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


with tempfile.TemporaryDirectory() as folder:
    for name, content in FILES.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(content)
    for name, analysis, text, wanted in SAYS:
        r = run(folder, analysis, text)
        if "needs the module optdyn-arb.so" in r.stdout:
            skip(f"{analysis}: {name}", "the module for ball arithmetic is not built")
            continue
        missing = [w for w in wanted if not re.search(w, r.stdout, re.M)]
        check(r.returncode == 0 and not missing, f"{analysis}: {name}", f"{missing}\n{r.stdout}\n{r.stderr}")
    for name, analysis, text, status, sentence, *more in REFUSES:
        r = run(folder, analysis, text, *more)
        check(r.returncode == status and not r.stdout and sentence in r.stderr and r.stderr.count("\n") == 1,
              f"{analysis} refuses {name}", f"{r.returncode}: {r.stderr}\n{r.stdout[:300]}")
sys.exit(end())
