"""What is said of models that users may name: kinks that are found, pieces that meet smoothly, files that are none, forwards
that cannot serve, and models that fail on the way, in every command. The models are PyTorch's (models.py). TAP.
SPDX-License-Identifier: GPL-3.0-or-later"""

import os
import subprocess
import sys
import tempfile

import tap
from tap import analyse, answer_of, check, skip

SOURCE = os.path.abspath(sys.argv[2])
PYTORCH = "/usr/bin/python3"  # Debian's python3-torch belongs to this one


def run(*args, **sets):
    return analyse(*args, **sets)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write(text)
    return path


def experiment(folder, problem, rest=""):
    return write(folder, "e.yaml", f"problem: {problem}\nmethod: gradient\nintegrator: {{name: rk4, step: 0.1}}\nuntil: 0.2\n{rest}")


def remarks_and_refusals(folder, csv):
    os.mkdir(os.path.join(folder, "folder.pt"))
    write(folder, "empty.pt", "")
    write(folder, "text.pt", "weights: 3\n")

    def said(model, what, failed, **sets):
        r = run("run", experiment(folder, f"{{name: torchscript, model: {model}, data: {csv}}}"), **sets)
        good = (r.returncode == 2) == failed and (r.returncode == 0) != failed and what in r.stderr.decode()
        check(good, f"{model}: {what}", f"exit {r.returncode}\n" + r.stderr.decode())

    said("single.pt", "are float32; optdyn computes in float64", False)
    said("relu.pt", "relu, whose slope jumps", False)
    said("cut.pt", "cuts the gradient", True)
    said("centred.pt", "depends on the others", False)
    said("centred.pt", "finite sum", True, method__batch=4, method__step=0.1, iterations=3)
    said("nan.pt", "outputs at its stored parameters are not finite", True)
    said("frozen.pt", "84 parameters", False)
    said("nothing.pt", "it has no parameters", True)
    said("piecewise.pt", "the model uses gt, which chooses between pieces, and the slope of its loss jumps by", False)
    said("root.pt", "the slope of its loss jumps by", False)
    said("stairs.pt", "the value of its loss jumps by", False)
    said("stabilised.pt", "uses max, which chooses between pieces; no kink was found on 5 lines", False)
    said("elu.pt", "elu, whose curvature jumps", False)
    r = run("curvature", experiment(folder, f"{{name: torchscript, model: root.pt, data: {csv}}}"))
    check(r.returncode == 2 and "the slope of its loss jumps" in r.stderr.decode(), "a kink that was found is no Hessian", r.stderr.decode())
    r = run("curvature", experiment(folder, f"{{name: torchscript, model: stabilised.pt, data: {csv}}}"), until=0.1,
            curvature="{top: 1, bottom: 0, probes: 0, along: false}")
    check(r.returncode == 0, "pieces that meet smoothly have one", r.stderr.decode())
    said("rounds.pt", "or rounds (float, half)", True)
    said("samplelosses.pt", "its forward takes 2 inputs, but it gets the samples alone; if it takes samples and targets", True)
    said("samplelosses.pt", "must return one number, but it returns a tensor of shape [40]; return the mean", True,
         problem__loss="model", problem__targets="classes")
    said("plain.pt", "its forward takes 1 input, but with loss: model it gets the samples and their targets", True, problem__loss="model")
    said("pair.pt", "returns a Tuple, not a tensor; return the outputs alone", True)
    said("indices.pt", "samples and parameters are float64 here", True)
    said("complex.pt", "not a real number", True)
    said("infiniteslope.pt", "the gradient at its stored parameters is not finite", True)
    said("nameless.pt", "it has no method forward", True)
    said("checkpoint.pt", "torch.save wrote it: write it with torch.jit.script(net).save", True)
    said("half.pt", "it is no whole TorchScript file", True)
    said("folder.pt", "cannot be read; name a file that torch.jit.save wrote", True)
    said("empty.pt", "write it with torch.jit.script(net).save", True)
    said("text.pt", "write it with torch.jit.script(net).save", True)
    tied = answer_of(run("run", "--json", experiment(folder, f"{{name: torchscript, model: tied.pt, data: {csv}}}")))
    check(len(tied["final"]["state"]["x"]) == 12 * 12 + 24, "a tied parameter is one parameter", len(tied["final"]["state"]["x"]))


def failures_on_the_way(folder, csv):
    r = run("run", experiment(folder, f"{{name: torchscript, model: fails.pt, data: {csv}}}", "start: {x: {normal: 30}}\n"))
    check(r.returncode == 1 and "the bias has left the cage" in r.stderr.decode(), "a model that fails on the way is quoted",
          f"exit {r.returncode}\n" + r.stderr.decode())
    far = "start: {x: {normal: 30}}\nmethod: {name: gradient, step: 0.1}\niterations: 2\n"
    failing = write(folder, "far.yaml", f"problem: {{name: torchscript, model: fails.pt, data: {csv}}}\n{far}")
    for command, sets in (("run", {}), ("curvature", {"curvature": "{along: false}"}), ("shadow", {"iterations": 20}),
                          ("run", {"integrator": "{name: cvode}", "until": 1}), ("run", {"integrator": "{name: cvode, family: bdf}", "until": 1}),
                          ("run", {"integrator": "{name: rk4-tracked}", "until": 1}), ("run", {"method__noise": 0.1, "paths": 3})):
        r = run(command, failing, **sets)
        text = r.stderr.decode() + r.stdout.decode()
        check("the bias has left the cage" in text and "RuntimeError" not in text, f"{command} {sets}: quotes the model", f"exit {r.returncode}\n" + text)
    once = write(folder, "once.yaml", f"problem: {{name: torchscript, model: once.pt, data: {csv}}}\nmethod: {{name: heavy-ball, alpha: 1, step: 0.1}}\n"
                 "integrator: {name: rk4, step: 0.1}\nuntil: 0.2\niterations: 2\n")
    r = run("run", once)
    check(r.returncode == 0, "a model without second derivatives runs", r.stderr.decode())
    for command, sets in (("curvature", {}), ("conjugate", {"conjugate__directions": 1}), ("shadow", {"iterations": 20}),
                          ("run", {"integrator": "{name: cvode, family: bdf}"})):
        r = run(command, once, **sets)
        text = r.stderr.decode() + r.stdout.decode()
        check(r.returncode != 0 and "_cdist_backward" in text, f"{command}: and where they are needed the model is quoted",
              f"exit {r.returncode}\n" + text)
    r = run("run", failing, problem="{name: mlp, widths: [1000000, 1000000], samples: 3}")
    check(r.returncode == 1 and "smaller layers" in r.stderr.decode(), "a network beyond this machine: smaller layers", r.stderr.decode())


def main():
    if "LibTorch (not built in)" in run("--version").stdout.decode():
        skip("users' models", "built without LibTorch (-Dlibtorch=enabled)")
    elif subprocess.run([PYTORCH, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("users' models", "python3-torch is not installed")
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([PYTORCH, os.path.join(SOURCE, "tests", "models.py"), folder], check=True)
            remarks_and_refusals(folder, os.path.join(folder, "samples.csv"))
            failures_on_the_way(folder, os.path.join(folder, "samples.csv"))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
