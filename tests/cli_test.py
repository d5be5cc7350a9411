"""The program's contract: exit statuses, JSON, messages, interruption, full disks. SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap
from tap import PROGRAM, check, skip, wait_until_caught


GOOD = """problem: {name: quadratic, eigenvalues: [1.3, 0.4]}
method: {name: nesterov, step: 0.01}
integrator: {name: rk4, step: 0.1}
start: {x: [1.7, -0.6]}
until: 5.05
iterations: 30
"""
LONG = """problem: {name: quadratic, eigenvalues: [1.3, 0.4]}
method: nesterov
integrator: {name: rk4, step: 1.0e-4}
start: {x: [1.7, -0.6]}
until: 1.0e+5
record: {every: 1}
"""


def run(*args, **more):
    more.setdefault("timeout", 100)
    return subprocess.run([PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=more.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, **more)


def check_run(what, status, *args, out=None, err=None, **more):
    """Runs, asserts the exit status and parts of the outputs."""
    r = run(*args, **more)
    stdout, stderr = (r.stdout or b"").decode(errors="replace"), r.stderr.decode(errors="replace")
    good = r.returncode == status and all(w in stdout for w in out or []) and all(w in stderr for w in err or [])
    check(good, what, f"{args}: exit {r.returncode}, want {status}\n{stdout}\n{stderr}")
    return r


def one_document(r):
    """The standard output as JSON, or None unless it is exactly one document without NaN."""
    def refuse(word):
        raise ValueError(word)
    try:
        return json.loads(r.stdout.decode("utf-8"), parse_constant=refuse)
    except ValueError:
        return None


def write(name, text):
    with open(name, "w", encoding="utf-8") as out:
        out.write(text)
    return name


def rows(name):
    """Header and rows of a CSV file."""
    with open(name, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(",") for line in file if not line.startswith("#")]
    return lines[0], [[float(x) for x in line] for line in lines[1:]]


def leftovers(folder):
    return [name for _, _, names in os.walk(folder) for name in names if name.endswith(".part")]


def outputs():
    good = write("good.yaml", GOOD)
    r = check_run("a run ends with 0", 0, "run", good, out=["nesterov", "flow at t = 5.05", "gap = "])
    r = check_run("--json ends with 0", 0, "run", good, "--json", "-o", "results")
    d = one_document(r)
    check(d is not None, "--json prints one document", r.stdout)
    check(d["final"]["t"] == 5.05 and len(d["final"]["state"]["x"]) == 2 and len(d["final"]["state"]["v"]) == 2
          and d["iteration"]["iterations"] == 30 and d["paths"] == 1 and d["stopped"] == 0 and d["first_stop"] is None
          and d["gap"]["max"] > 0 and d["files"] == ["results/flow.csv", "results/iteration.csv"],
          "the document has the promised entries", d)
    head, table = rows("results/flow.csv")
    check([table[-1][head.index(c)] for c in ("x_1", "x_2", "v_1", "v_2", "t")]
          == d["final"]["state"]["x"] + d["final"]["state"]["v"] + [5.05], "JSON and CSV agree to the bit", table[-1])
    check(head == ["t", "loss", "distance", "x_1", "x_2", "v_1", "v_2"] and len(table) == 52, "columns and rows", head)
    check(sorted(os.listdir("results"))[:3] == ["experiment.yaml", "flow.csv", "iteration.csv"], "files of a run",
          os.listdir("results"))
    built = "HDF5 (not built in)" not in run("--version").stdout.decode()
    check(os.path.exists("results/results.h5") == built, "results.h5 is there if HDF5 is built in", os.listdir("results"))
    if not built or not shutil.which("h5dump"):
        skip("h5dump reads the numbers of the CSV", "HDF5 is not built in" if not built else "there is no h5dump")
    else:
        r = subprocess.run(["h5dump", "-m", "%.17g", "-y", "-w", "0", "-d", "/flow/x_1", "results/results.h5"],
                           stdout=subprocess.PIPE)
        data = r.stdout.decode().split("DATA {")[1].split("}")[0]
        check([float(x) for x in data.split(",")] == [row[3] for row in table], "h5dump reads the numbers of the CSV", data)
    again = run("run", "results/experiment.yaml", "--json", "-o", "again")
    d["files"] = ["again/flow.csv", "again/iteration.csv"]
    check(one_document(again) == d and rows("again/flow.csv") == (head, table), "experiment.yaml remakes the results",
          again.stdout)
    r = check_run("several runs are members", 0, "run", good, "--json", "--set", "sweep={method.r: [3, 4]}")
    check([m["label"] for m in one_document(r)["members"]] == ["method.r=3", "method.r=4"], "and labelled", r.stdout)
    d = one_document(check_run("a sweep over seeds outdoes --seed", 0, "run", good, "--json", "--set", "sweep={seed: [3, 4]}",
                               "--seed", "5", err=["--seed has no effect"]))
    check([m["label"] for m in d["members"]] == ["seed=3", "seed=4"], "and labels its members", d)
    r = check_run("an ensemble", 0, "run", good, "--json", "--set", "start.x={normal: 1}", "--set", "paths=10",
                  "--seed", "5", "--threads", "2", "--block", "3", "--set", "stop={}")
    d = one_document(r)
    check(d is not None and set(d["final"]) >= {"mean", "var", "stderr", "covariance"} and d["paths"] == 10,
          "has means, variances, errors and the covariance", r.stdout)
    check_run("two experiments do not share a folder", 2, "run", good, "--seed", "9", "-o", "results",
              err=["holds the results of another experiment"])
    r = check_run("members may cause the same remark", 0, "run", good, "--set", "method={name: nesterov, noise: 0.1}", "--set",
                  "integrator={name: milstein, step: 0.1}", "--set", "start.t=0.1", "--set", "until=5.1", "--set",
                  "sweep={seed: [1, 2]}", "--set", "iterations=null")
    check(r.stderr.count(b"milstein is euler-maruyama") == 1, "which is shown once", r.stderr)


LEVELS = """problem: {name: quadratic, eigenvalues: [1, 0]}
method: {name: gradient, noise: [[0, 0], [0, 0.5]]}
integrator: {name: euler-maruyama, step: 0.25}
start: {x: [1, 0.5]}
until: 1
paths: auto
tolerance: 0.1
record: {quantities: [loss, x]}
"""
RUNAWAY = """problem: {name: formula, f: x^3, variables: [x]}
method: gradient
integrator: cvode
start: {x: {normal: 0.5}}
until: 5
paths: 20
record: {every: 5, quantities: [x], paths: 20}
"""


def ensembles():
    d = one_document(check_run("levels", 0, "run", write("levels.yaml", LEVELS), "--json"))
    told = [(q["name"], q["bounded"]) for q in d["multilevel"]["quantities"]]
    check(told == [("loss", True), ("x_1", False), ("x_2", False)], "say which error they bound", told)
    # x' = -3 x^2 from x_0 is x_0/(1 + 3 x_0 t), which ends before t = 5 where x_0 < -1/15
    r = check_run("an ensemble of which some blow up", 0, "run", write("runaway.yaml", RUNAWAY), "--json", "-o", "runaway",
                  err=["of 20 paths diverged or could not be continued, the first at t = ", "; means are over the others"])
    d = one_document(r)
    paths = next(f for f in d["files"] if f.endswith("-paths.csv"))
    head, table = rows(paths)
    starts = [row[head.index("x_1")] for row in table if row[head.index("t")] == 0]
    check(len(starts) == 20 and d["stopped"] == sum(x < -1 / 15 for x in starts), "counts them", (d["stopped"], starts))
    mean = sum(x / (1 + 15 * x) for x in starts if x >= -1 / 15) / sum(x >= -1 / 15 for x in starts)
    check(abs(d["final"]["mean"]["x"][0] - mean) < 1e-5, "and takes the mean over the others", (d, mean))


def mistakes():
    good = "good.yaml"
    cases = [
        (["rnu", good], "did you mean 'run'?"), ([good], "optdyn run good.yaml"), (["run"], "run takes one experiment file"),
        (["run", good, good], "run takes one experiment file"), (["run", "missing.yaml"], "missing.yaml: cannot be opened"),
        (["run", "."], "cannot be read"), (["run", good, "--seeed", "1"], "did you mean --seed?"),
        (["run", good, "--thread=2"], "did you mean --threads?"), (["run", good, "--threads", "0"], "from 1 to 256"),
        (["run", good, "--threads", "2x"], "from 1 to 256"), (["run", good, "--block", "129"], "from 1 to 128"),
        (["run", good, "--quiet=1"], "takes no value"), (["run", good, "--set"], "needs a value: PATH=VALUE"),
        (["run", good, "--set", "until"], "expected path=value"), (["run", good, "--set", "until=soon"], "--set until"),
        (["run", good, "--set", "methd.r=3"], "did you mean 'method'?"), (["run", good, "--seed", "x"], "--seed: seed"),
        (["run", good, "-o", ""], "is not a folder name"), (["run", good, "-o", "good.yaml"], "is not a folder"),
        (["describe", "nestrov"], "did you mean 'nesterov'?"), (["describe"], "describe takes one name"),
        (["list", "methuds"], "there is no kind 'methuds'"), (["completion", "zsh"], "completion bash"), ([], "usage"),
        (["shadow", good, "--shard", "1/2"], "shadow takes no --shard, which is an option of: run resume merge"),
        (["run", good, "--full"], "run takes no --full, which is an option of: figure report"),
        (["figure", good, "--verify"], "figure takes no --verify"), (["claims", "--dry-run"], "claims takes no --dry-run"),
        (["run", good, "until=3"], "'until=3' is no file; an entry is overridden by --set until=3"),
        (["list", "--kind", "loss"], "list takes no --kind"), (["resume", "out", "--data", "."], "resume takes no --data"),
    ]
    for args, words in cases:
        check_run("refuses " + " ".join(args), 2, *args, err=[words])
        r = run("--json", *args)
        d = one_document(r)
        check(r.returncode == 2 and d is not None and set(d) == {"error"} and set(d["error"]) == {"kind", "entry", "message"}
              and (words in d["error"]["message"] or not args), "and says so in JSON", r.stdout)
    check(one_document(run("run", good, "--json", "--set", "start.x=[1]"))["error"]["entry"] == "start.x",
          "the error names the entry")
    write("bad.yaml", "problem: {name: quadratic, eigenvalues: [1]}\nmethod: nesterov\nstart: {x: [1, 2]}\nuntil: 1\n"
          "integrator: {name: rk4, step: 0.1}\n")
    check_run("a mistake in the file has its line", 2, "run", "bad.yaml", err=["bad.yaml:3: start.x: expected a list of 1"])
    r = check_run("a diverging run exits 1", 1, "run", write("diverging.yaml", GOOD.replace("iterations: 30\n", "")), "--json",
                  "-o", "diverged", "--set", "until=1000", "--set", "integrator={name: euler, step: 0.1}", "--set",
                  "problem.eigenvalues=[1000, 1]", "--set", "method=gradient", "--set", "record.every=0.5",
                  err=["diverged at t = 15.4"])
    d = one_document(r)
    check(d is not None and d["stopped"] == 1 and d["final"]["loss"] is None, "its document has null for what is not finite",
          r.stdout)
    check(len(rows("diverged/flow.csv")[1]) == 31, "and its rows are kept", "")


def sentences():
    """Mistakes whose first sentences led nowhere."""
    good = "good.yaml"
    whole = [("until.x=3", "--set until.x: until is the number 5.05, which has no entries; set until itself"),
             ("start.x.normal=1", "--set start.x.normal: start.x is a list, which has no entries; set start.x itself"),
             ("until=soon", "--set until: expected a number"), ("untill=3", "(did you mean 'until'?); `optdyn describe"),
             ("start.x={file: .}", "start.x: . cannot be read: Is a directory; give a file of numbers")]
    for words, sentence in whole:
        r = check_run(f"--set {words}", 2, "run", good, "--set", words, err=[sentence])
        check(r.stderr.count(b"until: until") == 0 and b"?;" not in r.stderr, "which repeats nothing", r.stderr)
    r = check_run("a folder as a curve", 2, "action", good, "--set", "action.curve=.", err=["cannot be read: Is a directory"])
    log = ["--set", "problem={name: formula, f: 'log(x)', variables: [x]}", "--set", "method={name: gradient, step: 0.1}", "--set",
           "stop={}", "--set", "record={}"]
    r = check_run("a loss that is not finite at the start", 1, "run", good, *log, "--set", "start.x=[-1]",
                  err=["diverged at its start, t = 0: the loss or its gradient is not finite there; choose another start"])
    bare = write("bare.yaml", "problem: {name: formula, f: 'log(x)', variables: [x]}\nmethod: {name: gradient, step: 0.1}\n"
                 "start: {x: [-1]}\niterations: 3\n")
    r = run("run", bare)
    check(b"at its start" in r.stderr, "the same of the iteration alone", r.stderr)
    root = write("root.yaml", "problem: {name: formula, f: 'sqrt(x)', variables: [x]}\nmethod: {name: gradient, step: 0.1}\n"
                 "start: {x: [0]}\niterations: 3\n")
    r = run("run", root)
    check(b"at its start" in r.stderr, "and of a gradient that is not", r.stderr)
    # it runs into 0 only later
    r = check_run("and one that is not later on", 1, "run", good, *log, "--set", "start.x=[0.5]")
    check(b"diverged at t = " in r.stderr, "has a time", r.stderr)


def data_folders():
    """All that is missing is named at once."""
    os.makedirs("sets/mnist")
    os.makedirs("sets/cifar")
    for name in ("train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"):
        write("sets/mnist/" + name, "x")
    for name in ("data_batch_2.bin", "test_batch.bin"):
        write("sets/cifar/" + name, "x")
    yaml = write("sets.yaml", "problem: {name: logistic-regression, data: mnist, classes: [3, 5]}\nmethod: {name: gradient, step: 1}\n"
                 "start: {x: {normal: 0.1}}\niterations: 3\n")
    cases = [((), "sets/mnist: the folder lacks train-labels-idx1-ubyte (plain or with .gz); give"),
             (("problem.part=test",), "sets/mnist: the folder lacks t10k-images-idx3-ubyte (plain"),
             (("problem.data=cifar",), "the folder lacks data_batch_1.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin (plain"),
             (("problem.data=.",), "the folder lacks train-images-idx3-ubyte, train-labels-idx1-ubyte (plain or with .gz), and the files "
              "of other formats, too; give the data folder by --data DIR"),
             (("problem.data=nowhere", "problem.format=idx"), "nowhere: there is no such folder; give the folder that holds it by --data")]
    for words, sentence in cases:
        sets = [word for entry in words for word in ("--set", entry)]
        check_run("a data folder that lacks files: " + " ".join(words), 2, "run", yaml, "--data", "sets", *sets, err=[sentence])


def dry_run():
    r = check_run("--dry-run shows where entries come from", 0, "run", "good.yaml", "--dry-run", "--set", "until=7", "--seed",
                  "5", out=["until                        7   (--set until)", "5   (--seed)", "(good.yaml:3)", "(default)",
                            "steps 70", "memory about"])
    d = one_document(run("run", "good.yaml", "--dry-run", "--json", "--set", "until=7"))
    entries = {e["entry"] if "entry" in e else e.get("name"): e for e in d["members"][0]["entries"]}
    check(any("until" in str(e) and "--set until" in str(e) for e in entries.values()), "and so in JSON", d)
    check("until: 7" in d["resolved"], "with the resolved text", d["resolved"])
    check(not os.path.exists("dry") and run("run", "good.yaml", "--dry-run", "-o", "dry").returncode == 0
          and not os.path.exists("dry"), "--dry-run writes nothing")


def parts():
    d = one_document(check_run("list", 0, "list", "--json"))
    check(d is not None and len(d) > 10, "lists parts as JSON", d)
    text = run("list").stdout.decode()
    good = True
    for part in d:
        r = run("describe", part["name"])
        j = one_document(run("describe", part["name"], "--json"))
        fine = r.returncode == 0 and part["summary"] in r.stdout.decode() and j is not None and j["name"] == part["name"] \
            and part["name"] in text
        if not fine:
            check(False, "describe " + part["name"], r.stdout)
            good = False
    check(good, "every part listed is described")
    check_run("describe shows an example", 0, "describe", "power", out=["example: {name: power, p: 4, dim: 3}"])
    check_run("describe finds a claim in its set", 0, "describe", "sine-value", out=["actions", "  sine-value\n"])
    check(one_document(run("describe", "power", "--json"))["example"] == "p: 4, dim: 3"
          and one_document(run("describe", "hosaki", "--json"))["example"] is None, "in JSON, null where none is needed")
    check(one_document(run("describe", "experiment", "--json")) is not None, "describe experiment --json")
    for kind in ("problem", "methods", "integrators"):
        check_run("list " + kind, 0, "list", kind, out=[kind.rstrip("s") + "s"])
    for args in (["--help"], ["run", "-h"], ["--version"], ["list", "figures"] if any(p["kind"] == "figure" for p in d) else ["list"]):
        check_run(" ".join(args), 0, *args)
    check(one_document(run("--version", "--json")) is not None, "--version --json is JSON")
    r = check_run("completion", 0, "completion", "bash")
    bash = shutil.which("bash")
    if bash:
        b = subprocess.run([bash, "-n"], input=r.stdout, stderr=subprocess.PIPE)
        check(b.returncode == 0 and not b.stderr, "the completion is valid bash", b.stderr)
        script = r.stdout.decode() + "\nCOMP_WORDS=(optdyn describe nester); COMP_CWORD=2; _optdyn; echo \"${COMPREPLY[@]}\"\n"
        b = subprocess.run([bash, "--norc", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(b"nesterov" in b.stdout, "and completes names", b.stdout + b.stderr)
        for words, want in (("claims sin", None), ("claims rat", "rates"), ("report clai", "claims"), ("list clai", "claims"),
                            ("bench net", "network"), ("figure own.yaml --kind pla", "plane"), ("describe rat", "rates"), ("report fig-0", "fig-06"),
                            ("fig", "figure"), ("run --shar", "--shard")):
            script = f"{r.stdout.decode()}\nCOMP_WORDS=(optdyn {words}); COMP_CWORD={len(words.split())}; _optdyn; echo \"${{COMPREPLY[@]}}\"\n"
            b = subprocess.run([bash, "--norc", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            found = b.stdout.decode().split()
            check(not b.stderr and (want in found if want else not found), f"completes {words}", (found, b.stderr))


def hostile_names():
    os.makedirs("a folder", exist_ok=True)
    name = write("a folder/$(touch hit) 'x' \"y\".yaml", GOOD + "label: \"$(touch hit) '\\\" `touch hit`\\n../x\"\n")
    r = check_run("odd file names", 0, "run", name, "--json", "-o", "a folder/out put")
    check(one_document(r)["label"] == "$(touch hit) '\" `touch hit`\n../x", "odd labels come back", r.stdout)
    r = check_run("odd labels of several runs", 0, "run", name, "--set", "sweep={method.r: [3, 4]}", "--json", "-o", "odd")
    check(sorted(n for n in os.listdir("odd") if n.endswith(".csv")) and not os.path.exists("hit")
          and all(os.path.dirname(f) == "odd" and os.path.exists(f) for m in one_document(r)["members"] for f in m["files"]),
          "name files inside the folder", os.listdir("odd"))
    check_run("and are read back", 0, "run", "odd/experiment.yaml", "-o", "odd2")
    check(sorted(os.listdir("odd")) == sorted(os.listdir("odd2")), "to the same files", os.listdir("odd2"))
    # a name that is no text in any encoding, and one with a line break that YAML knows
    for bad in (b"latin \xe9.yaml", "line\u2028until: 3.yaml".encode()):
        with open(bad, "w", encoding="utf-8") as out:
            out.write(GOOD)
        r = run("run", bad, "--json", "-o", b"out-" + bad)
        check(r.returncode == 0 and one_document(r) is not None, "names that are no text", r.stderr)
        check_run("leave a file that is read back", 0, "run", b"out-" + bad + b"/experiment.yaml")
    write("-o.yaml", GOOD)
    check_run("-- ends the options", 0, "run", "--", "-o.yaml")


def interruption():
    for number, signal_sent in enumerate((signal.SIGINT, signal.SIGTERM)):
        folder = f"interrupted-{number}"
        p = subprocess.Popen([PROGRAM, "run", write("long.yaml", LONG), "-o", folder, "--json"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        wait_until_caught(p, signal_sent)
        time.sleep(1.5)
        p.send_signal(signal_sent)
        out, err = p.communicate(timeout=60)
        check(p.returncode == 130 and b"interrupted" in err, signal_sent.name + " ends with 130", (p.returncode, err))
        head, table = rows(folder + "/flow.csv")
        d = json.loads(out)
        check(len(table) > 2 and table[-1][0] <= d["final"]["t"] < 1e5 and table[1][0] == 1, "and keeps the rows",
              (len(table), d))
        check(not leftovers("."), "and leaves no temporary file", leftovers("."))
    p = subprocess.Popen([PROGRAM, "run", write("ensemble.yaml", LONG.replace("nesterov", "{name: nesterov, noise: 0.1}")
                                                .replace("{name: rk4, step: 1.0e-4}", "{name: euler-maruyama, step: 0.01}")
                                                .replace("1.0e+5", "100") + "paths: 1000000\n"), "--json"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until_caught(p, signal.SIGINT)
    time.sleep(1.5)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    check(p.returncode == 130 and json.loads(out)["paths"] < 1000000 and b"-o DIR" in err, "an ensemble too",
          (p.returncode, out[:300], err))
    # progress: on a terminal only
    master, slave = pty.openpty()
    p = subprocess.Popen([PROGRAM, "run", "long.yaml"], stdout=subprocess.DEVNULL, stderr=slave)
    wait_until_caught(p, signal.SIGINT)
    time.sleep(2.5)
    p.send_signal(signal.SIGINT)
    p.wait(timeout=60)
    os.close(slave)
    shown = os.read(master, 65536)
    check(b"s left" in shown and p.returncode == 130, "progress shows on a terminal", shown)
    check(b"left" not in err, "and nowhere else", err)


def limited(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full_disks():
    good = "good.yaml"
    if os.path.exists("/dev/full"):
        for args in (["run", good], ["run", good, "--json"], ["list"], ["describe", "nesterov"], ["--help"],
                     ["completion", "bash"], ["run", good, "--dry-run"], ["--version"]):
            with open("/dev/full", "wb") as full:
                check_run("standard output is full: " + " ".join(args), 1, *args, stdout=full,
                          err=["could not be written" if "--dry-run" not in args else "written"])
    check(run("run", good, "-o", "whole").returncode == 0, "a run with room")
    kept = {n: open("whole/" + n, "rb").read() for n in os.listdir("whole")}
    sizes = sorted(len(v) for v in kept.values())
    for size in (100, 1024, 2048, max(sizes) * 3 // 4, max(sizes) - 1):
        r = run("run", good, "-o", "whole", "--json", preexec_fn=limited(size))
        d = one_document(r)
        check(r.returncode == 1 and d is not None and "could not be written" in d["error"]["message"]
              and "free some space" in d["error"]["message"], f"a disk that is full after {size} bytes", (r.returncode, r.stdout, r.stderr))
        check(not leftovers("whole") and set(os.listdir("whole")) == set(kept), "leaves no partial file", os.listdir("whole"))
        # the same experiment: what was replaced before the disk was full differs in the command line at most
        check(all(open("whole/" + n, "rb").read().split(b"\n", 3)[-1:] for n in kept)
              and rows("whole/flow.csv")[1] != [] and len(rows("whole/flow.csv")[1]) == 52, "and whole files", "")
    for size in (100, 1024, 2048):
        folder = f"fresh-{size}"
        r = run("run", good, "-o", folder, preexec_fn=limited(size))
        check(r.returncode == 1 and not leftovers(folder) and r.stderr.count(b"\n") == 1
              and not os.path.exists(folder + "/flow.csv"), "nor one in a fresh folder", (r.stderr, os.listdir(folder)))
    if os.geteuid() != 0:
        os.makedirs("locked")
        os.chmod("locked", 0o555)
        check_run("a read-only folder", 2, "run", good, "-o", "locked", err=["cannot be written"])
    else:
        print("# running as root: read-only folders are not tried")


def pipes():
    p = subprocess.Popen([PROGRAM, "run", "good.yaml", "--dry-run", "--set", "sweep={seed: [" +
                          ",".join(str(i) for i in range(3000)) + "]}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    p.wait(timeout=60)
    check(p.returncode == 1 and err.count(b"\n") == 1, "a closed pipe ends quietly", (p.returncode, err))


def main():
    folder = tempfile.mkdtemp(prefix="optdyn-cli-")
    os.chdir(folder)
    os.environ.pop("OPTDYN_DATA", None)
    try:
        for part in (outputs, ensembles, mistakes, sentences, data_folders, dry_run, parts, hostile_names, interruption, full_disks, pipes):
            try:
                part()
            except Exception as e:  # a check that could not be made is one that failed
                check(False, part.__name__ + " could not be finished", repr(e))
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    return tap.end()


sys.exit(main())
