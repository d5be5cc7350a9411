"""What an experiment file may not say, by the readers of its parts: the start, values of each kind, data files, formulas, folders.
Each mistake has its place, its entry and its sentence.

SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import struct
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end

os.environ.pop("OPTDYN_DATA", None)  # files are sought where the experiment is

GOOD = {
    "problem": "{name: quadratic, eigenvalues: [2, 1]}",
    "method": "{name: gradient, step: 0.1}",
    "start": "{x: [1, 1]}",
    "iterations": "2",
}

# what replaces or follows the good lines -> what the sentence says; it begins with file, line and entry
START = {
    "start: {x: {file: five.txt}}": "start.x: five.txt holds 5 numbers, expected 2, one per component",
    "start: {x: {file: word.txt}}": "start.x: word.txt:2: 'two' is not a finite number",
    "start: {x: {file: second.txt}}": "start.x: second.txt:1: 'two' is not a finite number",
    "start: {x: {file: infinite.txt}}": "start.x: infinite.txt:1: 'inf' is not a finite number",
    "start: {x: {file: none.txt}}": "start.x: none.txt cannot be opened: No such file or directory",
    "start: {x: {file: folder}}": "start.x: folder cannot be read: Is a directory; give a file of numbers",
    "start: {x: {file: [1]}}": "start.x: expected a file name",
    "start: {x: {normal: -1}}": "start.x: a standard deviation is not negative; got -1",
    "start: {x: {normal: a}}": "start.x: expected a number, got 'a'",
    "start: {x: {normal: 1, file: five.txt}}": "start.x: expected a list, {normal: 0.1} or {file: x.csv}",
    "start: {x: {uniform: 1}}": "start.x: expected a list, {normal: 0.1} or {file: x.csv}",
    "start: [1, 2]": "start.x: this entry is needed: a list of 2 numbers, {normal: 0.1} or {file: x.csv}",
    "start: {t: 3}": "start.x: this entry is needed: a list of 2 numbers, {normal: 0.1} or {file: x.csv}",
    "start: {x: [1, 1], y: 2}": "start.y: there is no such entry; valid are: t, x (this method has no velocity)",
    "start: {x: [1]}": "start.x: expected a list of 2 numbers, one per component, got 1",
    "start: {x: 3}": "start.x: expected a list of 2 numbers, one per component, got 1",
    "start: {x: initial}": "start.x: expected a list of 2 numbers, one per component, got 1",
    "start: {x: [1, .nan]}": "start.x: .nan is not a finite number; give one",
    "start: {x: [1, a]}": "start.x: expected a number, got 'a'",
    "start: {x: [1, '2']}": "start.x: expected a number, got '2' in quotes; remove them",
    "start: {x: [[1], 2]}": "start.x: expected a number, got a list or map",
    "start: {t: [1], x: [1, 1]}": "start.t: expected a number, got a list or map",
}
VALUES = {
    "paths: [1]": "paths: expected a whole number or auto (",
    "paths: 1.5": "), got '1.5'",
    "paths: '2'": 'got the text "2"; remove the quotes',
    "paths: 0": "paths: 0 is out of range: it must be at least 1 and at most 4294967295 (",
    "seed: 1.0e300": "seed: 1e+300 is out of range",
    "until: .inf": "until: .inf is not a finite number; give one (end of the flow; needs integrator)",
    "iterations: auto": "iterations: expected a whole number (",
    "record: {quantities: {a: 1}}": "record.quantities: expected a list of names (",
    "record: {quantities: [[1]]}": "), got a list of 1",
    "record: {quantities: [loss, loss]}": "record.quantities: 'loss' is given twice; keep one",
    "record: {quantities: [los]}": "there is no quantity 'los' (did you mean 'loss'?); there are loss, distance, gradient and",
    "record: {quantities: [zzzzzz]}": "there is no quantity 'zzzzzz'; there are loss, distance, gradient and the blocks of the",
    "record: {covariance: maybe}": "record.covariance: expected true or false (",
    "record: {covariance: [true]}": "), got a list of 1",
    "record: {quantiles: {a: 1}}": "record.quantiles: expected a list of numbers (",
    "record: {quantiles: [[0.5]]}": "record.quantiles: expected a list of numbers (",
    "record: {quantiles: []}": "record.quantiles: the list is empty; give at least one number (",
    "record: {quantiles: [.inf]}": "record.quantiles: .inf is not a finite number; give one (",
    "record: [1]": "record: expected a map such as record: {every: 0.1}",
    "record: ''": "record: expected a map such as record: {every: 0.1}",
    "record: every": "record: expected a map such as record: {every: 0.1}",
    "compare: [{method: {name: [1]}}]": "method: a name is needed, for example {name: ...}",
    "stop: {loss: a}": "stop.loss: expected a number (stop when the loss is at most this), got 'a'",
    "interval: [0, 1]": "interval: an interval is a question about the flow; give until and integrator, or remove it",
    "data: [1]": "data: expected a text (folder of the data sets; --data comes first), got a list of 1",
    "label: [1]": "label: expected a text",
    "compare: [1]": "compare: expected a map such as {method: {name: gradient}}",
    "compare: []": "compare: expected a list such as [{method: {name: gradient}}, ...]",
    "sweep: {method.step: []}": "sweep: expected a list of values of method.step, for example {method.step: [0.1, 0.2]}",
    "sweep: {a: [1]}": "a: there is no such entry; `optdyn describe experiment` lists them",
    "problem: {name: quadratic, matrix: [1, 2]}": "problem.matrix: expected a list of rows of numbers (",
    "problem: {name: quadratic, matrix: 3}": "), got '3'",
    "problem: {name: quadratic, matrix: [[1, 2], 3]}": "problem.matrix: row 2 does not have 2 numbers as the first row has",
    "problem: {name: quadratic, matrix: [[1, 2], [2]]}": "problem.matrix: row 2 does not have 2 numbers as the first row has",
    "problem: {name: quadratic, eigenvalues: {a: 1}}": "problem.eigenvalues: expected a list of numbers (",
    "problem: {name: [1]}": "problem: a name is needed, for example {name: ...}; `optdyn list` shows the names",
    "problem: {name: formula, f: [x], variables: [x]}": "problem.f: expected a text (",
    "problem: {name: torchscript, model: [a]}": "problem.model: expected a file name (",
    "problem: {name: torchscript, model: ''}": "problem.model: expected a file name (",
    "method: {name: gradient, step: 0.1, noise: [1, [2]]}": "method.noise: expected a number, a list, a matrix or a name (",
    "method: {name: gradient, step: 0.1, noise: foo}": "'foo' is not a noise; give a number, a matrix or gradient-covariance",
    "method: {name: gradient, step: 0.1, noise: '3'}": "'3' is not a noise; give a number, a matrix or gradient-covariance",
    "method: {name: gradient, step: 0.1, flow: 3}": "the method 'gradient' has no flow '3'; the first of its own is 'flow'",
    "method: {name: gradient, step: 0.1, map: descnt}": "the method 'gradient' has no map 'descnt'; the first of its own is 'descent'",
    "method: {name: gradient, step: 0.1, map: no}": "the method 'gradient' has no map 'no'; the first of its own is 'descent'",
    "method: {name: bregman, flow: flow}": "method.map: the method 'bregman' has no iteration; run its flow with until",
    "method: {name: bregman, map: flow}": "method.map: the method 'bregman' has no iteration; run its flow with until",
    f"method: {'m' * 70}": f"method.name: there is no method '{'m' * 70}'; there are: gradient, ",
    "method: gradiant": "method.name: there is no method 'gradiant' (did you mean 'gradient'?); there are: ",
}
DATA = {
    "least-squares, data: /dev/null": "problem.data: /dev/null: it is neither a file nor a folder; name one",
    "least-squares, data: huge.csv": "problem.data: huge.csv: the file is larger than 2 GiB; use a smaller one",
    "least-squares, data: one.npy": "one.npy: it holds a single number; the first axis counts samples",
    "least-squares, data: a.npy, label: one.npy": "one.npy: it has to hold a label, or a row of numbers, for each of the 3",
    "least-squares, data: a.npy, label: deep.npy": "deep.npy: it has to hold a label, or a row of numbers, for each of the 3",
    "least-squares, data: a.npy, label: two.npy": "two.npy: it has to hold a label, or a row of numbers, for each of the 3",
    "least-squares, data: a.npy, label: none.npy": "none.npy: there is no such file; give the data folder by --data DIR",
    "logistic-regression, data: three.csv": "the labels of three.csv are of more than two kinds (0, 1, 2 and perhaps more)",
    "logistic-regression, data: three.csv, classes: [0, 0]": "problem.classes: expected two different labels such as [3, 5]",
    "logistic-regression, data: three.csv, classes: [0, 7]": "no sample of three.csv has the label 7; choose another",
    "logistic-regression, data: three.csv, classes: [0, 1], samples: 99": "99 samples are asked for, but three.csv has only 3 of "
        "the two classes",
    "least-squares, data: three.csv, samples: 99": "99 samples are asked for, but three.csv has only 4",
    "least-squares, data: three.csv, holdout: 0.01": "of 4 samples it leaves 4 to train and 0 to test; both need one",
    "least-squares, data: three.csv, part: test": "problem.part: one file has no parts; remove it, or give holdout: 0.2",
    "least-squares, data: three.csv, label: zz": "three.csv has no column 'zz', because it has no header line",
    "least-squares, data: clusters, samples: 5, label: y": "drawn data have labels and a test part of their own; remove it",
    "least-squares, data: folder": "folder: the folder lacks train-images-idx3-ubyte, train-labels-idx1-ubyte (plain or with .gz)",
    f"least-squares, data: {'a' * 5000}": "problem.data: the path is longer than 4096 bytes",
    f"least-squares, data: a.npy, label: {'b' * 5000}": "problem.label: the path is longer than 4096 bytes",
    "least-squares, data: three.csv, scale: foo": "expected none, unit-range, unit-norm, standard or a number, got foo",
    "least-squares, data: three.csv, scale: [1, 2]": "problem.scale: expected none, unit-range, unit-norm, standard or a number",
    "least-squares, data: three.csv, scale: 0": "problem.scale: a factor of 0 removes the data; give another number",
    "least-squares, data: ''": "problem.data: the name is empty; name a folder or a file",
}
HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
# what replaces this header of a file of three numbers
HEADERS = ["", "{", "{'descr", "{'descr'", "{'descr': ", "{'descr': '<f8', 'fortran_order': False, 'shape': (3",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (,), }", "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,), }",
           HEADER.replace("'shape'", "'fortran_order': False, 'shape'"), HEADER.replace("'shape'", "'shape': (3,), 'shape'"),
           HEADER.replace("'fortran_order'", "'descr': '<f8', 'fortran_order'"), HEADER.replace("'descr': '<f8', ", ""),
           HEADER.replace("'fortran_order': False, ", ""), HEADER.replace("'shape': (3,), ", ""), HEADER + " 1", HEADER + "}"]
FORMULAS = {
    "2e": "column 2: expected an operation or the end, but there is 'e'; write * for a product",
    "2e+": "column 2: expected an operation or the end, but there is 'e'; write * for a product",
    "x ** 2": "column 3: '**' is no operation; write ^ for a power",
    "x*": "column 3: expected a number, a variable, a function or '(', but the formula ends",
    "x^^2": "column 3: expected a number, a variable, a function or '(', but there is '^'",
    "(x": "column 3: expected ')' after what stands in parentheses, but the formula ends",
    "max(x)": "column 6: expected ',' and argument 2 of 2 of 'max', but there is ')'",
    "min(x, y": "column 9: expected ')' after the arguments of 'min', but the formula ends",
    "sin x": "column 5: expected '(' after the function 'sin', but there is 'x'",
    "foo(x)": "column 1: there is no function 'foo'; functions are exp, log, ",
    "minn(x, y)": "column 1: there is no function 'minn' (did you mean 'min'?); functions are ",
    "xx": "column 1: there is no variable 'xx' (did you mean 'x'?); functions are ",
    "pj": "column 1: there is no variable 'pj' (did you mean 'pi'?); functions are ",
    "_a": "column 1: there is no variable '_a'; functions are ",
    "Zq": "column 1: there is no variable 'Zq'; functions are ",
    "x y": "column 3: expected an operation or the end, but there is 'y'; write * for a product",
    "x 2": "column 3: expected an operation or the end, but there is '2'; write * for a product",
    "x (2)": "column 3: expected an operation or the end, but there is '('; write * for a product",
    "x .5": "column 3: expected an operation or the end, but there is '.'; write * for a product",
    "x %": "column 3: expected an operation or the end, but there is '%'",
    ".": "column 1: a point alone is no number; write 0.5 or .5",
    "1/0": "column 1: a constant part of the formula is not a finite number",
    "9" * 400: "column 1: the number 9999999999999999999999999999999999999999 is beyond double precision, 2.3e-308 to 1.7e308",
    "(" * 400: "column 201: more than 200 levels of parentheses, functions and powers; flatten the formula",
    "x" * 64: "column 1: a name of 64 letters; names have at most 63",
    "é": "column 1: expected a number, a variable, a function or '(', but there is 'é'",
}
FLOW = {"method": "{name: gradient, noise: 0.1}", "integrator": "{name: euler-maruyama, step: 0.5}", "until": "1", "iterations": "null"}
AUTO = dict(FLOW, paths="auto", tolerance="0.1")
# several lines, the first of which the sentence is about
SEVERAL = [
    ({"paths": "auto", "tolerance": "0.1"}, "paths: auto refines the step of a flow, and an iteration has no finer steps"),
    ({"paths": "auto", **AUTO, "method": "{name: gradient, noise: 0.1, step: 0.1}", "iterations": "3"},
     "paths: auto refines the step of a flow, and an iteration has no finer steps"),
    ({"paths": "auto", **AUTO, "stop": "{gradient: 0.1}"}, "stop ends a single path; remove stop, or give paths: 1 instead of auto"),
    ({"paths": "2", "stop": "{gradient: 0.1}"}, "stop ends a single path; with 2 paths each would end at its own time"),
    ({"record": "{quantities: [distance]}", "problem": "{name: formula, f: x^2 + y^4, variables: [x, y]}"},
     "the distance |x - x*| is unknown, because the minimiser of 'formula' is; record the loss or the gradient"),
    ({"start": "{s: [1, -1], x: [1, 1]}", "method": "{name: adam, map: amsgrad, step: 0.1}"}, "start.s: component 2: "),
    ({"start": "{s: [-1, 1], x: [1, 1]}", "method": "{name: rmsprop, step: 0.1}", "integrator": "{name: rk4, step: 0.1}", "until": "1"},
     "start.s: component 1: "),
]
LONG = "/".join(["b" * 250] * 16)
FOLDERS = {
    "": "-o: '' is not a folder name",
    "five.txt": "-o: five.txt is not a folder; choose another with -o",
    "five.txt/sub": "-o: the folder five.txt/sub cannot be made: Not a directory; choose another with -o",
    "/proc": "-o: /proc/experiment.yaml cannot be written: No such file or directory; choose another folder with -o",
    LONG + "/" + "c" * 100: "' is not a folder name",
    LONG + "/" + "c" * 72: "-o: the folder name is too long",
}


def npy(name, shape, *numbers, header=None):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}" if header is None else header
    head = f"{header}\n".encode()
    with open(name, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(numbers)}d", *numbers))


def prepare():
    for name, text in (("five.txt", "# five numbers\n1 2,3\n4;5\n"), ("word.txt", "1\n two\n"), ("second.txt", "1 two 3\n"), ("infinite.txt", "1 inf\n"),
                       ("three.csv", "1,2,0\n3,4,1\n5,6,2\n7,8,1\n"), ("huge.csv", "")):
        with open(name, "w", encoding="utf-8") as out:
            out.write(text)
    os.truncate("huge.csv", 3 << 30)  # a hole
    os.mkdir("folder")
    npy("one.npy", "()", 1)
    npy("two.npy", "(2,)", 1, 2)
    npy("deep.npy", "(3, 1, 1)", 1, 2, 3)
    npy("a.npy", "(3, 2)", 1, 2, 3, 4, 5, 6)


def run(lines, *options):
    text = "".join(f"{key}: {value}\n" for key, value in dict(GOOD, **lines).items())
    with open("e.yaml", "w", encoding="utf-8") as out:
        out.write(text)
    return subprocess.run([PROGRAM, "run", "e.yaml", "--json", *options], capture_output=True, text=True, errors="replace", timeout=250)


def refused(what, words, lines, *options):
    r = run(lines, *options)
    try:
        sentence = json.loads(r.stdout)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        sentence = ""
    line = list(dict(GOOD, **lines)).index(next(iter(lines))) + 1 if lines else 0
    check(r.returncode == 2 and words in sentence and sentence.startswith(f"e.yaml:{line}: " if lines else "-o: "), f"refused: {what[:60]}",
          f"{words}\n{r.returncode}\n{r.stdout[:500]}\n{r.stderr[:500]}")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    prepare()
    check(run({}).returncode == 0, "the good lines run")
    for line, words in {**START, **VALUES}.items():
        key, _, value = line.partition(": ")
        refused(line, words, {key: value})
    for lines, words in SEVERAL:
        refused("; ".join(f"{k}: {v}" for k, v in lines.items()), words, lines)
    for problem, words in DATA.items():
        refused(problem, words, {"problem": f"{{name: {problem}}}", "start": "{x: {normal: 1}}"})
    for header in HEADERS:
        npy("bad.npy", "", 1, 0, 2, header=header)
        refused(f"an NPY header {header}", "problem.data: bad.npy: its header is not a dictionary of descr, fortran_order and shape",
                {"problem": "{name: least-squares, data: a.npy, label: bad.npy}", "start": "{x: {normal: 1}}"})
    finals = []
    for header in (HEADER, HEADER.replace("<", "="), HEADER.replace("False", "True"), HEADER.replace(" ", "\n\t "), HEADER[:-3] + "}"):
        npy("good.npy", "", 1, 0, 2, header=header)
        r = run({"problem": "{name: least-squares, data: a.npy, label: good.npy}", "start": "{x: {normal: 1}}"})
        finals.append(json.loads(r.stdout)["iteration"]["final"])
    check(all(f == finals[0] for f in finals), "the same numbers by other headers", finals)
    for size, words in ((1 << 20, None), ((256 << 20) + 2, "big.yaml: is larger than 256 MiB; put long lists into a CSV file")):
        with open("big.yaml", "w", encoding="utf-8") as out:
            out.write("".join(f"{key}: {value}\n" for key, value in GOOD.items()) + "#" * 1000 + "\n")
            out.write("" if words else "# more\n" * (size // 7))
        os.truncate("big.yaml", size if words else os.path.getsize("big.yaml"))
        r = subprocess.run([PROGRAM, "run", "big.yaml", "--json"], capture_output=True, text=True, timeout=250)
        check(words in r.stderr and r.returncode == 2 if words else r.returncode == 0, f"an experiment of {size} bytes", r.stderr[:500])
    for formula, words in FORMULAS.items():
        refused(formula, "problem.f: " + words, {"problem": f"{{name: formula, f: '{formula}', variables: [x, y]}}"})
    for output, words in FOLDERS.items():
        refused(f"-o {output}", words, {}, "-o", output)
    os.chdir("/")
sys.exit(end())
