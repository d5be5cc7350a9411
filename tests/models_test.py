"""Problems on LibTorch through the program: agreement with native problems and with PyTorch, starts,
precision, threads, and what is said of models that cannot serve. TAP. SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

import tap
from tap import analyse, check, skip

SOURCE = os.path.abspath(sys.argv[2])
MODELS = os.path.join(SOURCE, "examples", "torchscript")
PYTORCH = "/usr/bin/python3"  # Debian's python3-torch belongs to this one


def run(*args, **sets):
    return analyse(*args, **sets)


def answer(*args, **sets):
    return tap.answer_of(run(*args, "--json", **sets))


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write(text)
    return path


def experiment(folder, problem, rest=""):
    """Twenty steps of RK4 on the gradient flow of a problem."""
    return write(folder, "e.yaml", f"problem: {problem}\nmethod: gradient\nintegrator: {{name: rk4, step: 0.1}}\nuntil: 2\n{rest}")


def distance(a, b):
    return math.dist(a, b) / math.hypot(*a)


def native_problems_agree(folder):
    """The same model three times: own kernels, mlp without hidden layers, TorchScript; 1000 steps of the gradient flow.
    All add the same numbers in other orders: about 1e-14 a gradient, and the flow is contracting."""
    data = os.environ.get("OPTDYN_DATA")
    mnist = data is not None and os.path.isdir(os.path.join(data, "mnist"))
    source = "data: mnist, classes: [3, 5], samples: 300" if mnist else "data: clusters, features: 784, samples: 300"
    linear = os.path.join(MODELS, "linear.pt")
    rest = ("method: gradient\nintegrator: {name: rk4, step: 0.1}\nstart: {x: {normal: 0.01}}\nuntil: 100\n"
            "record: {every: 10, quantities: [loss]}\n")
    states = []
    for problem in ("name: sigmoid-regression", "name: mlp, loss: sigmoid", f"name: torchscript, loss: sigmoid, model: {linear}"):
        file = write(folder, "same.yaml", f"problem: {{{problem}, {source}, lambda: 0.005}}\n{rest}")
        states.append(answer("run", file)["final"]["state"]["x"])
    what = "on MNIST 3 against 5" if mnist else "on drawn clusters (OPTDYN_DATA names no MNIST)"
    check(len(states[0]) == 785 and math.hypot(*states[0]) > 0.1, "the flow went somewhere", states[0][:5])
    for i, other in ((1, "mlp"), (2, "TorchScript")):
        check(distance(states[0], states[i]) <= 1e-10, f"1000 steps of sigmoid-regression and {other} agree {what}",
              distance(states[0], states[i]))
    pair = [answer("run", experiment(folder, f"{{{p}, data: clusters, samples: 50}}"), start__x="{normal: 0.1}")
            for p in ("name: least-squares, bias: true", "name: mlp, loss: mse")]
    x, y = (p["final"]["state"]["x"] for p in pair)
    check(distance(x, y) <= 1e-12, "least-squares and a linear mlp agree", (x, y))


def pytorch_agrees(folder):
    """Losses and gradients of torch.nn's own layers, and models that only PyTorch can write."""
    if subprocess.run([PYTORCH, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("PyTorch agrees", "python3-torch is not installed")
        return
    subprocess.run([PYTORCH, os.path.join(SOURCE, "tests", "models.py"), folder], check=True)
    with open(os.path.join(folder, "answers.json")) as f:
        answers = json.load(f)
    csv = os.path.join(folder, "samples.csv")
    cases = {"plain": "name: mlp, widths: [7]",
             "residual": "name: mlp, widths: [7, 7], activation: gelu, layer_norm: true, residual: true, depth_scaling: true",
             "convnet": "name: convnet, channels: [2], activation: softplus, shape: [1, 3, 4]"}
    for name, problem in cases.items():
        want = answers[name]
        start = ", ".join(repr(math.sin(i + 1) / 3) for i in range(want["parameters"]))
        out = os.path.join(folder, name)
        r = run("run", experiment(folder, f"{{{problem}, data: {csv}}}", f"start: {{x: [{start}]}}\nrecord: {{quantities: [loss, gradient]}}\n"),
                "-o", out)
        with open(os.path.join(out, "flow.csv")) if r.returncode == 0 else open(os.devnull) as f:
            rows = [line for line in f if line[0] != "#"]
        loss, gradient = map(float, rows[1].split(",")[1:]) if rows else (math.nan, math.nan)
        check(abs(loss - want["loss"]) <= 1e-13 and abs(gradient - want["gradient"]) <= 1e-13, f"{name} is the network of torch.nn",
              (loss, gradient, want, r.stderr.decode()))

    made = os.path.join(folder, "made")
    os.mkdir(made)
    subprocess.run([PYTORCH, os.path.join(MODELS, "export.py"), made], check=True)
    file = os.path.join(MODELS, "experiment.yaml")
    one, other = (answer("run", file, problem__model=os.path.join(where, "net.pt"))["final"]["state"]["x"] for where in (MODELS, made))
    check(one == other, "export.py makes the models that are kept beside it", distance(one, other))


def the_example_runs(folder):
    file = os.path.join(MODELS, "experiment.yaml")
    out = os.path.join(folder, "example")
    first = answer("run", file, "-o", out)
    check(first["final"]["loss"] < 0.1 and first["gap"]["max"] < 0.1, "the example of TorchScript runs", first["final"]["loss"])
    again = answer("run", os.path.join(out, "experiment.yaml"))
    check(again["final"]["state"] == first["final"]["state"], "and again from what it resolved to, in another folder", "")
    with open(os.path.join(out, "flow.csv")) as f:
        check("# input: net.pt " in f.read(), "the checksum of the model is written", "")
    with open(os.path.join(out, "experiment.yaml")) as f:
        check(os.path.join(MODELS, "net.pt") in f.read(), "and where it is", "")
    if shutil.which("gnuplot") is None:
        skip("its figure is drawn", "gnuplot is not installed")
    else:
        r = run("figure", file, "--kind", "loss", "-o", os.path.join(folder, "figure"))
        drawn = [f for _, _, files in os.walk(os.path.join(folder, "figure")) for f in files if f.endswith(".png")]
        check(r.returncode == 0 and len(drawn) == 1, "its figure is drawn", r.stderr.decode())
    own = answer("run", file, problem__loss="model", problem__targets="classes", problem__model="own.pt")
    gap = distance(first["final"]["state"]["x"], own["final"]["state"]["x"])
    check(gap <= 1e-12, "a model that returns its loss gives the same", gap)


def models_are_refused_in_a_sentence():
    file = os.path.join(MODELS, "experiment.yaml")
    garbage = os.path.join(MODELS, "export.py")
    for what, sets in (("cannot be read", {"problem__model": "nope.pt"}), ("PytorchStreamReader", {"problem__model": garbage}),
                       ("on samples of 7 numbers", {"problem__features": 7}), ("the loss needs [300, 4]", {"problem__clusters": 4}),
                       ("its forward takes 1 input, but with loss: model", {"problem__loss": "model"}),
                       ("needs classes", {"problem__targets": "numbers"})):
        r = run("run", file, **sets)
        check(r.returncode == 2 and what in r.stderr.decode(), f"refused: {what}", f"exit {r.returncode}\n" + r.stderr.decode())
    for what, sets in (("whole numbers from 1", {"problem__widths": "[2.5]"}),
                       ("residual: true", {"problem__depth_scaling": "true"}),
                       ("there is no such entry", {"problem__model": "x.pt"})):
        r = run("check", "problem", "mlp", **sets)
        check(r.returncode == 2 and what in r.stderr.decode(), f"refused: {what}", f"exit {r.returncode}\n" + r.stderr.decode())


def starts_have_the_law_asked_for(folder):
    """Variance of 200 x 100 weights; its relative standard error is sqrt(2/20000) = 0.01 for normals and less for uniforms:
    six of them are passed by chance with probability 2e-9."""
    for init, law, variance in (("lecun", "normal", 1 / 100), ("xavier", "uniform", 2 / 300), ("he", "normal", 2 / 100),
                                ("own", "uniform", 0.3**2)):
        problem = f"{{name: mlp, widths: [200], features: 100, samples: 5, init: {init}, init_law: {law}, init_scale: {0.3 if init == 'own' else 1}}}"
        x = answer("run", experiment(folder, problem), until=1e-9, integrator__step=1e-9)["final"]["state"]["x"]
        weights = x[:20000]
        found = sum(w * w for w in weights) / 20000
        bounded = max(map(abs, weights)) <= math.sqrt(3 * variance) * (1 + 1e-6)
        check(abs(found / variance - 1) < 0.06 and bounded == (law == "uniform"), f"{init}, {law}: variance {variance:.3g}",
              (found, variance, max(weights)))
        check(max(map(abs, x[20000:20200])) < 1e-6, "and biases of zero", x[20000:20005])
    file = experiment(folder, "{name: mlp, widths: [3], samples: 20}")
    a, b, c = (answer("run", file, **sets)["final"]["state"]["x"] for sets in ({}, {"start__x": "initial"}, {"seed": 2}))
    check(a == b and distance(a, c) > 0.1, "a start left out is the problem's own, a function of the seed", (a[:3], b[:3], c[:3]))
    r = run("run", file, problem="{name: rosenbrock}")
    check(r.returncode == 2 and "start.x" in r.stderr.decode(), "a problem without one needs start.x", r.stderr.decode())


def known_answers(folder):
    """Chain of depth 10 from equal weights 1/2: x = y = 1, w reaches 0.9 at t = 32.0190815366122, from the exact integral by
    2F1. Two factors of rank 2 of diag(3, 2, 1) cannot do better than 1/2 (Eckart and Young). With more measurements than
    unknowns sensing has no loss at its end."""
    t = 32.0190815366122
    file = experiment(folder, "{name: neural-chain, depth: 10}", "start: {x: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}\n")
    x = answer("run", file, until=t, integrator__step=0.01)["final"]["state"]["x"]
    # RK4 leaves about 1e-9 where w grows like 1/(t* - t)
    check(all(abs(w - 0.9) < 1e-7 for w in x), "a chain of equal weights takes the time of the closed form", x)
    file = experiment(folder, "{name: matrix-factorisation, matrix: [[3, 0, 0], [0, 2, 0], [0, 0, 1]], rank: 2}")
    loss = answer("run", file, until=40)["final"]["loss"]
    check(abs(loss - 0.5) < 1e-9, "two factors of rank 2 leave the smallest singular value", loss)
    file = experiment(folder, "{name: matrix-sensing, dim: 4, rank: 4, true_rank: 2, measurements: 60}")
    loss = answer("run", file, until=400)["final"]["loss"]
    check(0 <= loss < 1e-5, "many measurements find the matrix", loss)


def matrices(folder):
    """Sensing: loss, gradient and trace of the Hessian from a sheet computed apart with numpy and checked by differences
    (d = 3, r = 2, n = 4; entries sin(1 + s + 0.7 i + 1.3 j (i + 1)); A_i symmetrised, s = 20 + i; U: s = 31; y: s = 32).
    Symmetric factorisation, rank one: U' = 2 (M - U U') U has the solution e^{2Mt} u / sqrt(1 + u'(e^{4Mt} - 1) M^{-1} u)."""

    def sine(rows, cols, seed):
        return [[math.sin(1 + seed + 0.7 * i + 1.3 * j * (i + 1)) for j in range(cols)] for i in range(rows)]

    given = []
    for k in range(4):
        a = sine(3, 3, 20 + k)
        given.append([(a[i][j] + a[j][i]) / 2 for i in range(3) for j in range(3)])
    u = [v for row in sine(3, 2, 31) for v in row]
    values = [row[0] for row in sine(4, 1, 32)]
    gradient = [-0.3048501210233185, 0.22318580171836574, 0.06058882662100867, -0.2178564763441653, -0.02472644676451368,
                -0.25712452104202105]
    file = write(folder, "sensing.yaml", f"problem: {{name: matrix-sensing, dim: 3, rank: 2, matrices: {given}, values: {values}}}\n"
                 f"method: {{name: gradient, step: 1}}\nstart: {{x: {u}}}\niterations: 1\nrecord: {{stride: 1, quantities: [loss]}}\n"
                 "curvature: {top: 6, bottom: 0, probes: 0, along: false}\n")
    out = os.path.join(folder, "sensing")
    x = answer("run", file, "-o", out)["iteration"]["final"]["state"]["x"]
    check(max(abs(a - b - g) for a, b, g in zip(u, x, gradient)) < 1e-14, "matrix-sensing: the gradient", x)
    with open(os.path.join(out, "iteration.csv")) as f:
        loss = float([line for line in f if line[0] not in "#k"][0].split(",")[-1])
    check(abs(loss - 0.035708087479231765) < 1e-15, "the loss", loss)
    top = answer("curvature", file)["points"][0]["top"]
    check(len(top) == 6 and abs(sum(top) - 6.539369607151176) < 1e-12, "and the trace of its Hessian", top)
    for what, sets in (("dim^2 = 4", {"problem__dim": 2}), ("go together", {"problem__values": "~"}), ("3 values for 4", {"problem__values": "[1, 2, 3]"}),
                       ("shapes what is drawn", {"problem__measurements": 7})):
        r = run("run", file, **sets)
        check(r.returncode == 2 and what in r.stderr.decode(), f"refused: {what}", r.stderr.decode())

    m, u, t = (3, 1, -0.5), (0.3, 0.5, -0.7), 0.6
    size = math.sqrt(1 + sum(a * a * math.expm1(4 * v * t) / v for v, a in zip(m, u)))
    want = [a * math.exp(2 * v * t) / size for v, a in zip(m, u)]
    problem = "{name: matrix-factorisation, symmetric: true, rank: 1, matrix: [[3, 0, 0], [0, 1, 0], [0, 0, -0.5]]}"
    file = experiment(folder, problem, f"start: {{x: {list(u)}}}\n")
    x = answer("run", file, until=t, integrator__step=0.001)["final"]["state"]["x"]
    check(distance(want, x) < 1e-9, "a symmetric factorisation follows its closed form", (x, want))
    for rank, least in ((1, 0.625), (2, 0.125), (3, 0.125)):  # negative eigenvalues are left out (Eckart and Young)
        loss = answer("run", experiment(folder, problem), until=60, integrator__step=0.02, problem__rank=rank)["final"]["loss"]
        check(abs(loss - least) < 1e-9, f"and rank {rank} leaves {least}", loss)
    for what, sets in (("depth: U U' has two factors", {"problem__depth": 3}), ("M(1, 2) = 4", {"problem__matrix": "[[1, 4], [3, 1]]"}),
                       ("M is 1 x 2", {"problem__matrix": "[[1, 4]]"}), ("shapes what is drawn", {"problem__rows": 3})):
        r = run("run", file, **sets)
        check(r.returncode == 2 and what in r.stderr.decode(), f"refused: {what}", r.stderr.decode())


def noise_and_batches(folder):
    """Every path draws its own; the bits must not depend on who computes which."""
    head = "problem: {name: mlp, widths: [4], samples: 60}\npaths: 6\n"
    flow = write(folder, "n.yaml", head + "method: {name: gradient, noise: gradient-covariance, step: 0.1, batch: 6}\n"
                 "integrator: {name: euler-maruyama, step: 0.1}\nuntil: 1\n")
    runs = [answer("run", flow, "--threads", n)["final"] for n in ("1", "1", "2")]
    check(runs[0] == runs[1] == runs[2], "gradient-covariance noise: the same bits for any threads", runs[0]["loss"])
    check(min(runs[0]["stderr"]["x"]) > 0, "and it moves the paths", runs[0]["stderr"]["x"][:3])
    chain = write(folder, "b.yaml", head + "method: {name: gradient, step: 0.1, batch: 6}\niterations: 10\n")
    batch = [answer("run", chain, "--threads", n)["iteration"]["final"] for n in ("1", "2")]
    check(batch[0] == batch[1], "mini-batches: the same bits for any threads", batch[0]["loss"])


def projections(folder):
    """Directions are a function of seed and dimension alone: a network's last row must be the first row of another problem of
    as many dimensions that starts in its last state. Squares of eight estimate the squared norm within a factor of 10
    either way, but for a chance below 1e-3 (chi-squared with 8 degrees); the seed is fixed."""
    def table(out, name):
        with open(os.path.join(folder, out, name)) as f:
            lines = [line.strip().split(",") for line in f if line[0] != "#"]
        return [dict(zip(lines[0], map(float, row))) for row in lines[1:]]

    names = [f"projection_{j}" for j in range(1, 9)]
    record = "record: {every: 0.5, quantities: [loss], projections: 8, projection_seed: 5}\n"
    file = experiment(folder, "{name: mlp, widths: [6, 5], samples: 40}", record)
    x = answer("run", file, "-o", os.path.join(folder, "thrown"))["final"]["state"]["x"]
    rows = table("thrown", "flow.csv")
    check(len(rows) == 5 and all(set(names) <= set(row) for row in rows), "a network's run records projections", rows[:1])
    state = write(folder, "state.csv", "\n".join(map(repr, x)) + "\n")
    other = write(folder, "other.yaml", f"problem: {{name: power, p: 2, dim: {len(x)}}}\nmethod: gradient\nuntil: 1\n"
                  f"integrator: {{name: rk4, step: 0.5}}\nstart: {{x: {{file: {state}}}}}\n{record}")
    answer("run", other, "-o", os.path.join(folder, "shared"))
    first = table("shared", "flow.csv")[0]
    gap = max(abs(rows[-1][name] - first[name]) for name in names)
    check(gap < 1e-13, "on the directions that a problem of as many dimensions has", gap)
    moved = sum((rows[-1][name] - rows[0][name])**2 for name in names) * len(x) / 8
    start = answer("run", file, until=1e-9, integrator__step=1e-9, record="{}")["final"]["state"]["x"]
    check(0.1 < moved / math.dist(start, x)**2 < 10, "whose squares estimate how far the parameters moved", (moved, math.dist(start, x)**2))


def widths():
    """Features and outputs are no hidden layers, and who names them is told."""
    for given, said in (("[5, 7, 3]", True), ("[7]", False), ("[5, 7]", False)):
        r = run("check", "problem", "mlp", problem__widths=given, problem__features=5, problem__samples=9, problem__clusters=3)
        check(r.returncode == 0 and (b"these begin and end with the 5 features and 3 outputs" in r.stderr) == said,
              f"widths {given}: " + ("a remark" if said else "none"), r.stderr.decode())


def precision_and_threads(folder):
    file = experiment(folder, "{name: mlp, widths: [20, 20], samples: 1700, clusters: 3}")
    double = answer("run", file)
    check("precision" not in double, "double precision is not worth a word", double.keys())
    out = os.path.join(folder, "single")
    single = answer("run", file, "-o", out, problem__precision="single")
    gap = distance(double["final"]["state"]["x"], single["final"]["state"]["x"])
    check(single["precision"] == "single" and 1e-9 < gap < 1e-4, "single precision is labelled and near", gap)
    with open(os.path.join(out, "flow.csv")) as f:
        check("# precision: single\n" in f.read(), "in the tables too", "")
    short = {"problem__precision": "single", "until": 0.1, "curvature": "{top: 1, bottom: 0, probes: 0, along: false}"}
    labelled = answer("curvature", file, **short)
    check(labelled["precision"] == "single" and labelled["analysis"] == "curvature", "and in the answers of analyses", labelled.keys())
    check("in single precision" in run("curvature", file, **short).stdout.decode(), "for people too", "")
    r = run("shadow", file, problem__precision="single", method="{name: gradient, step: 0.1}", iterations=5)
    check(r.returncode == 2 and b"shadow.tolerance: in single precision the flow cannot be sampled to 1e-13" in r.stderr,
          "a shadow to thirteen digits is refused", r.stderr)
    if shutil.which("gnuplot") is None:
        skip("pictures say single", "gnuplot is not installed")
    else:
        for precision in ("single", "double"):
            r = run("figure", file, "--kind", "loss", "-o", os.path.join(folder, precision), problem__precision=precision, until=0.5)
            with open(os.path.join(folder, precision, "e", "e-loss.gp")) as f:
                check(r.returncode == 0 and ("gradient, single precision'" in f.read()) == (precision == "single"),
                      f"a picture in {precision} precision", r.stderr.decode())
    two = answer("run", file, problem__threads=2)
    check(two["final"]["state"] == double["final"]["state"], "threads within an evaluation do not change a bit", "")


def without_libtorch():
    r = run("check", "problem", "mlp")
    check(r.returncode == 2 and "install libtorch-dev" in r.stderr.decode(), "without LibTorch a sentence says how to get it",
          f"exit {r.returncode}\n" + r.stderr.decode())
    skip("networks", "built without LibTorch")


def main():
    with tempfile.TemporaryDirectory() as folder:
        if "LibTorch (not built in)" in run("--version").stdout.decode():
            without_libtorch()
        else:
            native_problems_agree(folder)
            the_example_runs(folder)
            models_are_refused_in_a_sentence()
            starts_have_the_law_asked_for(folder)
            known_answers(folder)
            matrices(folder)
            noise_and_batches(folder)
            projections(folder)
            widths()
            precision_and_threads(folder)
            pytorch_agrees(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
