#!/usr/bin/env python3
"""Plug-ins: the examples as docs/plugins.md builds them, against closed forms and built-in parts; and every mistake that
a plug-in can make, with its sentence. TAP.

usage: plugin_test.py PROGRAM SOURCE BUILD COMPILER SANITIZERS

SPDX-License-Identifier: GPL-3.0-or-later
"""
import glob
import hashlib
import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from tap import check, end, skip

program, source, build, compiler, sanitizers = sys.argv[1:6]
program = os.path.abspath(program)
environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(build, "meson-uninstalled"), CC=compiler)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, **options)


def compile_bad(folder, bad):
    file = os.path.join(folder, f"bad{bad}.so")
    made = run(*compiler.split(), "-std=c11", f"-DBAD={bad}", "-shared", "-fPIC", "-o", file,
               os.path.join(source, "tests", "bad_plugins.c"), "-I" + os.path.join(source, "include"))
    check(made.returncode == 0, f"bad plug-in {bad} compiles", made.stderr)
    return file


def compile_rich(folder):
    made = run(*compiler.split(), "-std=c11", "-shared", "-fPIC", "-o", os.path.join(folder, "rich.so"),
               os.path.join(source, "tests", "rich_plugin.c"), "-I" + os.path.join(source, "include"))
    check(made.returncode == 0, "a plug-in with everything compiles", made.stderr)


def rich(folder):
    """A problem whose file, start, precision and failures have words of their own."""
    compile_rich(folder)
    text = RICH % ""
    final = json.loads(answer("rich.yaml", text).stdout)
    # x' = -x from (seed, 0.5)
    check(all(abs(a - b * math.exp(-1)) < 1e-9 for a, b in zip(final["final"]["state"]["x"], (7, 0.5))),
          "a problem's own start, by the seed", final)
    check(final["precision"] == "single", "its precision is told", final)
    ran = answer("rich.yaml", text.replace("seed: 7", "seed: 7\nstart: {x: initial}"))
    check(json.loads(ran.stdout)["final"] == final["final"], "the same by its name", ran.stderr)
    ran = answer("rich.yaml", text.replace("seed: 7", "seed: 7\npaths: 3\nstart: {t: 0}"))
    mean = json.loads(ran.stdout)["final"]["mean"]["x"]
    check(abs(mean[0] - 9 * math.exp(-1)) < 1e-9, "another start for each path", ran.stdout + ran.stderr)
    ran = answer("rich.yaml", text.replace("seed: 7", "start: {x: {normal: 0}}"))
    check(json.loads(ran.stdout)["final"]["state"]["x"] == [0, 0], "a start in its place", ran.stdout + ran.stderr)
    refused(text.replace("seed: 7", "start: {x: other}"), "start.x: expected a list of 2 numbers")
    refused(text.replace("seed: 7", "start: [1, 2]"), "start.x: this entry is needed")

    # the file is one beside the experiment, wherever the program is called and however it is named
    open(os.path.join(folder, "centre.txt"), "w").write("2.385\n")
    for name in ("centre.txt", "./centre.txt", os.path.join(folder, "centre.txt")):
        ran = answer("rich.yaml", RICH % f", table: {name}", "-o", os.path.join(folder, "rich"))
        x = json.loads(ran.stdout)["final"]["state"]["x"]
        check(abs(x[0] - 2.385 - (7 - 2.385) * math.exp(-1)) < 1e-9, f"a file named {name[-12:]} is read", ran.stderr)
    written = open(os.path.join(folder, "rich", "experiment.yaml")).read()
    check(f"# input: {os.path.realpath(os.path.join(folder, 'centre.txt'))} 0123456789abcdef" in written and "x: initial" in written
          and "# precision: numbers of the test" in written, "the provenance has file, start and precision", written)
    again = run(program, "run", os.path.join(folder, "rich", "experiment.yaml"), "--json")
    check(json.loads(again.stdout)["final"]["state"]["x"] == x, "the resolved experiment runs", again.stderr)
    two = RICH % ", table: centre.txt" + "compare: [{label: a}, {label: b, problem: {name: rosenbrock}, start: {x: [1, 1]}}]\n"
    check(answer("rich.yaml", two, "-o", os.path.join(folder, "two")).returncode == 0, "beside a problem without files")
    check(open(os.path.join(folder, "two", "experiment.yaml")).read().count("centre.txt 0123") == 1, "the file is named once")
    refused(RICH % ", table: nowhere.txt", f"{folder}/nowhere.txt holds no number", "problem.table")
    for entry, words in {"table: [a]": "expected a file name (a file with the centre), got a list of 1", "table: ''":
                         "expected a file name", "words: [a]": "expected a text (any words), got a list of 1",
                         "choice: three": "expected one of the names one|two (one of two), got 'three'",
                         "choice: ''": "expected one of the names", "choice: [one]": "expected one of the names",
                         "flag: 1": "expected true or false (yes or no), got '1'", "names: {a: b}": "expected a list of names",
                         "vector: ''": "expected a list of numbers", "vector: [[1]]": "expected a list of numbers",
                         "matrix: [[]]": "the list is empty", "variant: {a: 1}": "expected a number, a list, a matrix or a name",
                         "variant: [a]": "expected a number, a list, a matrix or a name (anything), got 'a'"}.items():
        refused(RICH % f", {entry}", words, "problem." + entry.partition(":")[0])
    plan = answer("rich.yaml", RICH % ", names: [a, b], words: 'w', variant: name, matrix: [[1, 2, 3], [4, 5, 6]]", "--dry-run")
    entries = {e["entry"]: e["value"] for e in json.loads(plan.stdout)["members"][0]["entries"]}
    check([entries["problem." + n] for n in ("names", "words", "variant", "matrix", "flag", "vector")] ==
          [["a", "b"], "w", "name", [1, 2, 3, 4, 5, 6], False, [1, 2]], "a plan shows values of each kind", plan.stdout + plan.stderr)

    batches = RICH.replace("integrator: {name: rk4, step: 0.01}\nuntil: 1", "iterations: 5").replace(
        "{name: gradient}", "{name: plugin, file: ./bad65.so, step: 0.1}")
    ran = answer("rich.yaml", batches % "")
    check(abs(json.loads(ran.stdout)["iteration"]["final"]["state"]["x"][0] - 7 * 0.9**5) < 1e-14,
          "an iteration that takes mini-batches of a sum", ran.stdout + ran.stderr)

    # half of the way to the centre at t = ln 2, where the edge is
    ran = answer("rich.yaml", RICH % ", edge: 3.5")
    check(ran.returncode == 1 and "failed near t = 0.69" in ran.stderr and "there is nothing behind the edge" in ran.stderr,
          "a failure has the problem's own words", ran.stdout + ran.stderr)
    noisy = RICH.replace("name: gradient", "name: gradient, noise: 0.1").replace("rk4, step: 0.01", "euler-maruyama, step: 0.25")
    with open(os.path.join(folder, "order.yaml"), "w") as out:
        out.write(noisy % ", edge: 3.5" + "paths: 64\nstrong-order: {levels: 2}\n")
    ran = run(program, "strong-order", os.path.join(folder, "order.yaml"), "--json")
    check(ran.returncode == 1 and "a step failed near t = " in ran.stderr and "; there is nothing behind the edge" in ran.stderr,
          "so has an analysis", ran.stdout + ran.stderr)
    ran = run(program, "check", "problem", os.path.join(folder, "rich.yaml"), "--json")
    check(ran.returncode == 1 and "could not be evaluated at a random point (there is nothing behind the edge)" in ran.stderr,
          "so has a check of it", ran.stdout + ran.stderr)


def answer(name, text, *options):
    file = os.path.join(folder, name)
    open(file, "w").write(text)
    return run(program, "run", file, "--json", *options)


def refused(text, *parts, status=2):
    ran = answer("refused.yaml", text)
    try:
        message = json.loads(ran.stdout)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = ""
    check(ran.returncode == status and all(p in message for p in parts), f"refused: {parts[0]}",
          f"{ran.returncode} {ran.stdout} {ran.stderr}")


PROBLEM = """problem: {name: plugin, file: %s%s}
method: {name: gradient}
integrator: {name: rk4, step: 0.01}
start: {x: [0.25, 1]}
until: 2
"""
METHOD = """problem: {name: quadratic, eigenvalues: [1, 1]}
method: {name: plugin, file: %s%s}
integrator: {name: rk4, step: 0.01}
start: {x: [0.25, 1]}
until: 2
"""

RICH = """problem: {name: plugin, file: ./rich.so%s}
method: {name: gradient}
integrator: {name: rk4, step: 0.01}
until: 1
seed: 7
"""

# a C program that links the library: a problem of a plug-in, its value and gradient at x = 2
LIBRARY = """
#include <optdyn.h>
int main(int argc, char **argv)
{
    od_context *ctx = od_context_create();
    od_problem *f = od_problem_create(ctx, argv[argc - 1]);
    double x = 2, value = 0, gradient = 0;
    if (f == NULL || f->eval(f, OD_VALUE | OD_GRADIENT, 1, &x, &value, &gradient, NULL) != OD_OK) {
        printf("%s\\n", od_message(ctx));
        return 1;
    }
    printf("%g %g\\n", value, gradient);
    od_problem_free(f);
    od_context_free(ctx);
    return 0;
}
"""


with tempfile.TemporaryDirectory() as folder:
    # the examples, by the lines of the documentation
    shutil.copytree(os.path.join(source, "examples", "plugins"), folder, dirs_exist_ok=True)
    lines = re.findall(r"^cc .*$", open(os.path.join(source, "docs", "plugins.md")).read(), re.M)
    check(len(lines) == 2, "docs/plugins.md shows two lines that build", lines)
    for line in lines:
        made = run("sh", "-c", line.replace("cc ", "$CC -Wall -Wextra -Werror ", 1), cwd=folder)
        check(made.returncode == 0 and made.stderr == "", line, made.stderr)

    # x' = x - x^3 has the solution x = 1/sqrt(1 + (1/x0^2 - 1) e^(-2 t))
    ran = answer("well.yaml", PROBLEM % ("./double_well.so", ", dim: 2"), "-o", os.path.join(folder, "well"))
    state = json.loads(ran.stdout)["final"]["state"]["x"]
    exact = [1 / math.sqrt(1 + (1 / x**2 - 1) * math.exp(-4)) for x in (0.25, 1)]
    check(all(abs(a - b) < 1e-9 for a, b in zip(state, exact)), "the double well's gradient flow is its closed form",
          f"{state} {exact} {ran.stderr}")
    text = open(os.path.join(folder, "well", "experiment.yaml")).read()
    library = os.path.realpath(os.path.join(folder, "double_well.so"))
    checksum = hashlib.sha256(open(library, "rb").read()).hexdigest()
    check(f"# input: {library} {checksum}\n" in text, "the provenance has the plug-in's checksum", text)
    again = run(program, "run", os.path.join(folder, "well", "experiment.yaml"), "--json")
    check(json.loads(again.stdout)["final"] == json.loads(ran.stdout)["final"], "the resolved experiment runs elsewhere",
          again.stderr)
    for example in ("problem.yaml", "method.yaml"):
        ran = run(program, "run", os.path.join(folder, example), "--json", "-o", os.path.join(folder, example[:-5]))
        check(ran.returncode == 0, f"examples/plugins/{example} runs", ran.stderr)
    for name, expected in (("relativistic", 1), ("heavy_ball", 0)):
        text = open(os.path.join(folder, "method", name + "-flow.csv")).read()
        check(len(re.findall(r"# input: /\S+/relativistic.so [0-9a-f]{64}\n", text)) == expected,
              f"the table of {name} names the plug-ins it comes from", text[:600])
    gaps = [m["gap"]["max"] for m in json.loads(ran.stdout)["members"] if m["label"] == "relativistic"]
    check(len(gaps) == 1 and 0 < gaps[0] < 0.06, "flow and iteration of the plug-in are near each other", gaps)
    ran = run(program, "check", "problem", os.path.join(folder, "problem.yaml"), "--json")
    check(json.loads(ran.stdout)["passed"] is True, "`check problem` passes the double well", ran.stdout + ran.stderr)

    if sanitizers == "none":
        file, binary = os.path.join(folder, "library.c"), os.path.join(folder, "library")
        open(file, "w").write(LIBRARY)
        made = run(*compiler.split(), file, "-o", binary, "-I" + os.path.join(source, "include"), "-L" + build,
                   "-loptdyn", "-Wl,-rpath," + build)
        ran = run(binary, "{name: plugin, file: ./double_well.so, depth: 3, tilt: 0.5}", cwd=folder)
        check(ran.stdout == "7.75 18.5\n", "a program that links the library loads plug-ins", made.stderr + ran.stdout)
    else:
        skip("a program that links the library loads plug-ins", "the library is built with sanitizers")

    # without a limit of speed the method is the heavy ball
    same = METHOD.replace("method: ", "compare:\n  - {label: own, method: ", 1).replace(
        "\nintegrator", "}\n  - {label: ball, method: {name: heavy-ball, alpha: 0.7}}\nintegrator", 1)
    ran = answer("same.yaml", same % ("./relativistic.so", ", gamma: 0.7, delta: 0"))
    own, ball = [m["final"]["state"] for m in json.loads(ran.stdout)["members"]]
    check(all(abs(a - b) < 1e-14 for block in ("x", "v") for a, b in zip(own[block], ball[block])),
          "for delta = 0 it is the heavy ball", f"{own} {ball}")

    # an ensemble of a plug-in, with threads, has the bits of one thread
    text = (PROBLEM % ("./double_well.so", ", dim: 2")).replace("gradient}", "gradient, noise: 0.2}").replace(
        "rk4", "euler-maruyama") + "paths: 700\n"
    one, four = answer("e.yaml", text, "--threads", "1"), answer("e.yaml", text, "--threads", "4")
    check(one.stdout == four.stdout and json.loads(one.stdout)["paths"] == 700, "threads do not change a bit", one.stderr)

    # entries are checked as those of built-in parts are
    well = "./double_well.so"
    refused(PROBLEM % (well, ", deepth: 2"), "did you mean 'depth'?")
    refused(PROBLEM % (well, ", depth: -1"), "-1", "problem.depth")
    refused(PROBLEM % (well, ", dim: 1.5"), "a whole number")
    refused(PROBLEM % (well, ", dim: 3"), "start.x")
    refused(METHOD % ("./relativistic.so", ", delta: .nan"), "method.delta")
    refused(METHOD % ("./relativistic.so", ", noise: 0.1"), "makes no noise of it", "method.noise")
    refused(METHOD.replace("until: 2", "iterations: 5").replace("integrator: {name: rk4, step: 0.01}\n", "")
            % ("./relativistic.so", ""), "method.step")
    refused(METHOD.replace("until: 2", "iterations: 5").replace("integrator: {name: rk4, step: 0.01}\n", "")
            % ("./relativistic.so", ", step: 0.1, batch: 3"), "takes no mini-batches")
    refused(METHOD % ("./relativistic.so", ", flow: modified"), "has no flow 'modified'")

    # files
    open(os.path.join(folder, "text.so"), "w").write("no shared object\n" * 20)
    data = open(library, "rb").read()
    heads, size, count = (struct.unpack_from(kind, data, at)[0] for kind, at in (("<Q", 32), ("<H", 54), ("<H", 56)))
    segments = [struct.unpack_from("<IIQQQQ", data, heads + i * size) for i in range(count)]
    loaded = max(s[2] + s[5] for s in segments if s[0] == 1)  # of what is loaded, in the file
    for length in (10, 100, len(data) // 5, len(data) * 3 // 5, loaded - 1):
        open(os.path.join(folder, "cut.so"), "wb").write(data[:length])
        refused(PROBLEM % ("./cut.so", ""), "only the beginning of one", "cut.so")
    for at, value in ((54, 99), (32, 1 << 40)):  # the size of a segment's header, and where the first one stands
        wrong = bytearray(data)
        struct.pack_into("<H" if at == 54 else "<Q", wrong, at, value)
        open(os.path.join(folder, "cut.so"), "wb").write(wrong)
        refused(PROBLEM % ("./cut.so", ""), "only the beginning of one", "cut.so")
    open(os.path.join(folder, "huge.so"), "w").close()
    os.truncate(os.path.join(folder, "huge.so"), (1 << 28) + 1)  # a hole
    refused(PROBLEM % ("./huge.so", ""), "no file of at most 256 MiB")
    refused(PROBLEM % ("./text.so/inner.so", ""), "it cannot be opened (Not a directory)", "problem.file")
    refused(PROBLEM % ("./" + "a" * 5000, ""), "the path is longer than 4096 bytes", "problem.file")
    for entry in ("name: plugin, file: [a]", "name: plugin, file: ''"):
        refused(PROBLEM.replace("name: plugin, file: %s%s", entry), "problem.file: this entry is needed: the shared object")
    refused(PROBLEM.replace("{name: plugin, file: %s%s}", "plugin"), "problem.file: this entry is needed: the shared object")
    ran = run(program, "describe", "./nowhere.so")
    check(ran.returncode == 2 and "./nowhere.so: there is no such file" in ran.stderr, "`describe` of no file", ran.stderr)
    refused(PROBLEM.replace("file: %s%s", "depth: 1"), "problem.file", "this entry is needed")
    refused(PROBLEM % ("./nowhere.so", ""), "there is no such file", "refused.yaml:1", "problem.file")
    refused(PROBLEM % ("libm.so.6", ""), "there is no such file")
    refused(PROBLEM % (".", ""), "no file of at most 256 MiB")
    refused(PROBLEM % ("./text.so", ""), "it is no shared object")
    refused(PROBLEM % ("./relativistic.so", ""), "is a plug-in for a method")
    refused(METHOD % (well, ""), "is a plug-in for a problem")

    # every mistake of a plug-in
    sentences = {
        1: "of ABI 2, and this is ABI 1", 2: "structs have other sizes", 3: "write `OD_PLUGIN;`", 4: "has no descriptor",
        5: "there_is_no_such_function", 6: "the function create of 'plugin' failed (callback failed)",
        7: "the moon is in the wrong quarter", 8: "set no dimension", 9: "set no function eval",
        10: "beyond the scratch memory of 0 + 1 n doubles", 11: "x[i*n + p]", 12: "unwritten",
        13: "more than the 2 numbers", 16: "parameter 'file' is there twice", 17: "parameter 'other' needs a meaning",
        18: "needs a name", 30: "parameter 'name' is there twice", 32: "parameter 'other' needs a meaning, a kind of od_kind",
        33: "and, if that is a choice, choices", 34: "parameter 'number' is there twice", 35: "has no end within 48 rows",
        36: "a sum of 5 samples without eval_samples", 37: "needs a name", 38: "needs a name, a summary", 39: "and a source",
        40: "has no parameter table", 41: "has no function create"}
    for bad, sentence in sentences.items():
        refused(PROBLEM % (compile_bad(folder, bad), ""), sentence, "problem.file")
    for bad, sentence in {20: "has to be the position x", 21: "of length 3", 22: "add up to its dim, which is 3",
                          23: "needs a drift", 24: "each with the other",
                          25: "system(\"touch canary\") . \"' is no name for a block of its flow",
                          26: "is no name for a block",
                          31: "parameter 'step' is there twice", 44: "if it has noise, the noise's shape, dim, block and apply",
                          45: "the noise's shape, dim, block and apply", 46: "the noise's shape, dim, block and apply",
                          47: "the noise's shape, dim, block and apply", 48: "needs 1 to", 49: "blocks with names",
                          50: "blocks with names", 51: "needs 1 to", 52: "whose lengths add up to its dim, which is 2",
                          53: "needs a name", 54: "each with the other", 55: "needs a function flow and a list flows",
                          56: "each with the other"}.items():
        refused(METHOD % (compile_bad(folder, bad), ""), sentence, "method.file")
    check(not glob.glob(os.path.join(folder, "**", "canary*"), recursive=True), "names of blocks run nothing")
    iteration = METHOD.replace("until: 2", "iterations: 5").replace("integrator: {name: rk4, step: 0.01}\n", "")
    for bad, sentence in {60: "needs a function step and a time tau > 0", 61: "a time tau > 0 that it stands for",
                          62: "a time tau > 0", 63: "a time tau > 0", 66: "a time tau > 0", 64: "need a sampling and a problem that is a sum",
                          65: "need a sampling and a problem that is a sum"}.items():
        refused(iteration % (compile_bad(folder, bad), ", step: 0.1"), sentence, "method.file")
    ran = answer("map.yaml", iteration % (compile_bad(folder, 69), ", step: 0.1"))
    state = json.loads(ran.stdout)["iteration"]["final"]["state"]["x"]
    check(max(abs(a - b) for a, b in zip(state, (0.25 * 0.9**5, 0.9**5))) < 1e-15, "an iteration without a flow runs",
          ran.stderr)
    # the name of a method is a label, and stands in scripts and tables
    with open(os.path.join(folder, "named.yaml"), "w") as out:
        out.write(METHOD % (compile_bad(folder, 59), ""))
    commands = [["run", "-o", "named"], ["run", "-o", "named"], *(["figure", "--kind", kind] for kind in ("loss", "plane", "state"))]
    drawn = [run(os.path.abspath(program), command[0], "named.yaml", *command[1:], cwd=folder) for command in commands]
    check(all(r.returncode == 0 or "gnuplot" in r.stderr for r in drawn), "a method may have any name", [r.stderr for r in drawn])
    check(not glob.glob(os.path.join(folder, "**", "canary*"), recursive=True), "which runs nothing")
    check(answer("map.yaml", iteration % ("./bad69.so", ", step: 0.1, noise: 0")).stdout == ran.stdout, "noise of 0 is none")
    refused(METHOD % ("./bad69.so", ""), "has no flow; run its iteration with iterations and method.step", "method.flow")
    refused(METHOD % ("./bad69.so", ", map: map"), "has no flow; run its iteration", "method.flow")
    refused(iteration % ("./bad69.so", ", step: 0.1, noise: 0.2"), "the plug-in's iteration makes no noise of it; remove it")
    refused(iteration % ("./bad69.so", ", step: 0.1, noise: gradient-covariance"), "the plug-in's iteration makes no noise of it")
    refused(iteration % ("./bad69.so", ", step: 0.1, batch: 2"), "the plug-in's iteration takes no mini-batches; remove it")
    noisy = METHOD.replace("rk4", "euler-maruyama") % (compile_bad(folder, 57), ", noise: 0.2")
    state = json.loads(answer("noisy.yaml", noisy).stdout)["final"]["state"]["x"]
    check(max(abs(a - b * 0.99**200) for a, b in zip(state, (0.25, 1))) < 1e-13, "a flow whose noise is zero is Euler's", state)
    # a failure and a NaN of the run
    refused(PROBLEM % (compile_bad(folder, 14), ""), "the evaluation failed near t = 0", status=1)
    ran = answer("nan.yaml", PROBLEM % (compile_bad(folder, 15), ""))
    check(ran.returncode == 1 and "diverged at t = 0.92" in ran.stderr and json.loads(ran.stdout)["stopped"] == 1,
          "a NaN on the way is a divergence", ran.stdout + ran.stderr)  # 0.25 e^-t = 0.1 at t = 0.916

    # a signal while the program ends, when its answer is written and its memory is freed: it is no longer caught
    whole = answer("late.yaml", PROBLEM % (compile_bad(folder, 0), ""))
    ran = answer("late.yaml", PROBLEM % (compile_bad(folder, 19), ""))
    check(whole.returncode == 0 and ran.returncode == -signal.SIGTERM and ran.stdout == whole.stdout and ran.stderr == whole.stderr,
          "a signal after the end touches no memory", (ran.returncode, ran.stdout, ran.stderr))

    # a problem without Hessian products: what needs them says so, everything else runs
    plain = compile_bad(folder, 0)
    for method in ("gradient", "heavy-ball, alpha: 1", "nesterov", "memory, forgetting: polynomial, p: 3",
                   "amplified-gradient", "gradient, flow: modified", "bregman"):
        text = (PROBLEM % (plain, "")).replace("name: gradient", f"name: {method}, step: 0.01") + "iterations: 20\n"
        text = text if "bregman" not in method else text.replace("iterations: 20\n", "").replace(", step: 0.01}", "}", 1)
        ran = answer("plain.yaml", text)
        check(ran.returncode in (0, 2) and ran.stdout.startswith("{"), f"{method} on a problem without Hessian products",
              f"{ran.returncode} {ran.stdout} {ran.stderr}")
    described = json.loads(run(program, "describe", library, "--json").stdout)
    check(described["name"] == "double-well" and [p["name"] for p in described["parameters"]] == ["depth", "tilt", "dim"],
          "`describe` knows the plug-in's parameters", described)
    described = json.loads(run(program, "describe", "method", os.path.join(folder, "relativistic.so"), "--json").stdout)
    check(described["kind"] == "method", "and those of a method", described)
    ran = run(program, "describe", compile_bad(folder, 24))
    check(ran.returncode == 2 and "each with the other" in ran.stderr, "`describe` of a bad one is refused", ran.stderr)
    kinds = [json.loads(run(program, "describe", *kind, "plugin", "--json").stdout)["kind"]
             for kind in ([], ["problem"], ["method"])]
    check(kinds == ["problem", "problem", "method"], "`describe method plugin` is about the method", kinds)
    ran = run(program, "describe", "method", library)
    check(ran.returncode == 2 and "has no method" in ran.stderr, "`describe method` of a problem is refused", ran.stderr)

    rich(folder)

sys.exit(end())
