"""Runs that are killed, interrupted, cut into shards: the same files to the bit. SPDX-License-Identifier: GPL-3.0-or-later

OPTDYN_TEST_KILLS is the number of kills, 8 by default; 100 is the full count. OPTDYN_TEST_PATHS is the number of paths of the
ensemble that is killed, so many that a run takes about a second.
"""

import fcntl
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap
from tap import PROGRAM, check, skip

KILLS = int(os.environ.get("OPTDYN_TEST_KILLS", "8"))
SEED = int(os.environ.get("OPTDYN_TEST_SEED", "1"))
PATHS = int(os.environ.get("OPTDYN_TEST_PATHS", "12000"))
os.environ.pop("OPTDYN_DATA", None)  # a file beside the experiment is meant

SDE = """problem: {name: quadratic, eigenvalues: [0.04, 0.01]}
start: {t: 1.0e-2, x: {normal: 1}, v: [0, 0]}
integrator: {name: euler-maruyama, step: 1.0e-2}
until: 100
paths: %d
seed: 3
record: {every: 0.5, quantities: [loss, x, v], quantiles: [0.05, 0.5]}
compare:
  - {label: nesterov, method: {name: nesterov, r: 3, noise: 0.1}}
  - {label: memory, method: {name: memory, forgetting: polynomial, p: 3, noise: 0.1}}
""" % PATHS
LOCKSTEP = """problem: {name: rosenbrock}
method: {name: gradient, step: 1.0e-3, noise: 0.01}
integrator: {name: euler-maruyama, step: 1.0e-3}
start: {x: [-1, 1]}
until: 20
iterations: 20000
paths: %d
antithetic: true
record: {every: 0.13, stride: 7, quantities: [loss, distance, x]}
""" % max(5 * 128, PATHS // 6)  # for five shards
SINGLE = """problem: {name: styblinski-tang, dim: 5}
method: {name: nesterov, r: 3, step: 1.0e-8}
integrator: {name: rk4, step: 1.0e-4}
start: {x: [1, 0.9, -1, 2, -2]}
until: 80
iterations: 700000
record: {every: 0.03, stride: 1000}
"""
NETWORK = """problem: {name: mlp, widths: [5], samples: 80, clusters: 3}
method: {name: gradient, step: 0.05, batch: 7, sampling: epochs, noise: gradient-covariance}
integrator: {name: euler-maruyama, step: 0.05}
until: 60
iterations: 1200
paths: 2
record: {every: 0.5, stride: 10, quantities: [loss], projections: 3}
"""
ADAM = """problem: {name: rosenbrock}
integrator: {name: rk4, step: 1.0e-4}
start: {x: [-1, 1]}
until: 160
iterations: 160000
record: {every: 0.05, stride: 50}
compare:
  - {label: adam, method: {name: adam, step: 1.0e-3}}
  - {label: rmsprop, method: {name: rmsprop, step: 1.0e-3}}
  - {label: amsgrad, method: {name: adam, map: amsgrad, step: 1.0e-3}, integrator: null, until: null, record: {stride: 50}}
"""
ADAM_NETWORK = """problem: {name: mlp, widths: [5], samples: 80, clusters: 3}
iterations: 1500
paths: 2
record: {stride: 10, quantities: [loss], projections: 3}
compare:
  - {label: adam, method: {name: adam, step: 0.003, batch: 7, sampling: epochs}}
  - {label: amsgrad, method: {name: adam, map: amsgrad, step: 0.003, batch: 7}}
"""
CVODE = """problem: {name: rosenbrock}
method: {name: nesterov, r: 3}
integrator: {name: cvode, family: adams, rtol: 1.0e-9, atol: 1.0e-9}
start: {x: [-1, 1]}
until: 3000
record: {every: 1}
"""


def optdyn(folder, *args):
    return subprocess.run([PROGRAM, *args], cwd=folder, capture_output=True, text=True, errors="replace")


def begin(folder, *args):
    return subprocess.Popen([PROGRAM, *args], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(name, size=0):
    """Until a journal is there, larger than so many bytes: the run is then somewhere in its middle."""
    for _ in range(3000):
        if os.path.exists(name) and os.path.getsize(name) > size:
            return
        time.sleep(0.01)


def place(name, text):
    """A folder of its own, so that the same command gives the same file names."""
    folder = tempfile.mkdtemp(prefix=name + "-", dir=".")
    with open(folder + "/e.yaml", "w", encoding="utf-8") as out:
        out.write(text)
    return folder


def files(folder):
    return {n: open(f"{folder}/{n}", "rb").read() for n in sorted(os.listdir(folder))}


def whole(text):
    """The files of an uninterrupted run, and how long it took."""
    folder = place("whole", text)
    start = time.monotonic()
    r = optdyn(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05")
    took = time.monotonic() - start
    check(r.returncode == 0 and "run.journal" not in files(folder + "/out"), "an uninterrupted run", r.stderr)
    return files(folder + "/out"), took


def same(a, b):
    return sorted(a) == sorted(b) and all(a[n] == b[n] for n in a)


def differences(a, b):
    return [n for n in sorted(set(a) | set(b)) if a.get(n) != b.get(n)]


def kills(rng, name, text, number):
    """Kills at random moments, each time resumed until it is through."""
    want, took = whole(text)
    left, resumed = number, 0
    while left > 0:
        folder = place(name, text)
        extra = rng.choice([[], ["--threads", "1"], ["--threads", "2", "--block", "7"]])
        p = begin(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05", *extra)
        time.sleep(rng.uniform(0.02, 0.9 * took))
        p.kill()
        p.wait()
        left -= 1
        while left > 0 and rng.random() < 0.5 and os.path.exists(folder + "/out/experiment.yaml"):
            p = begin(folder, "resume", "out", "--checkpoint", "0.05", *rng.choice([[], ["--threads", "2", "--block", "128"]]))
            time.sleep(rng.uniform(0.02, 0.5 * took))
            p.kill()
            p.wait()
            left -= 1
        had = os.path.exists(folder + "/out/run.journal")
        r = optdyn(folder, "resume", "out") if os.path.exists(folder + "/out/experiment.yaml") else optdyn(
            folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05", *extra)
        resumed += "going on" in r.stderr
        got = files(folder + "/out")
        # a file cut off in writing keeps its temporary name; nobody takes it for a result
        got = {n: v for n, v in got.items() if not n.endswith(".part")}
        # --threads and --block are options of the first command, which the files name
        strip = [w for w in extra]
        if strip:
            tail = (" " + " ".join(strip)).encode()
            got = {n: (v.replace(tail, b"") if not n.endswith(".h5") else v) for n, v in got.items()}
            want_here = {n: v for n, v in want.items() if not n.endswith(".h5")}
            got = {n: v for n, v in got.items() if not n.endswith(".h5")}
        else:
            want_here = want
        check(r.returncode == 0 and same(got, want_here), f"{name}: killed, resumed, the same bits",
              (r.returncode, r.stderr, differences(got, want_here), had))
        shutil.rmtree(folder)
    return resumed


def signals():
    want, _ = whole(SINGLE)
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = place("signal", SINGLE)
        p = begin(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05")
        wait_for(folder + "/out/run.journal")
        p.send_signal(number)
        check(p.wait() == 130, number.name + " ends with 130")
        got = files(folder + "/out")
        check("run.journal" in got and b"# interrupted" in got["flow.csv"], "keeps a journal and marks the table", sorted(got))
        r = optdyn(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05")
        check(r.returncode == 0 and "going on" in r.stderr and same(files(folder + "/out"), want),
              "and the same command goes on, to the same bits", (r.stderr, differences(files(folder + "/out"), want)))
        r = optdyn(folder, "resume", "out", "--json")
        check(r.returncode == 0 and json.loads(r.stdout) == {"complete": True}, "then there is nothing to resume", r.stdout)


def full_disk():
    """A journal that cannot be written promises nothing."""
    folder = place("full", SDE.replace("every: 0.5, quantities: [loss, x, v], quantiles: [0.05, 0.5]", "every: 100"))
    # room for the tables, not for the state of a block
    p = subprocess.Popen([PROGRAM, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05"], cwd=folder, text=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000)))
    first = p.stderr.readline()
    p.send_signal(signal.SIGTERM)
    rest = p.communicate()[1]
    check(p.returncode == 130 and "journal could not be written" in first and "from an earlier entry, or anew" in rest,
          "an interruption without a journal says so", (p.returncode, first, rest))


def damage(rng):
    """A journal torn or overwritten anywhere costs time, not truth."""
    want, _ = whole(SDE)
    folder = place("damage", SDE)
    p = begin(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05")
    wait_for(folder + "/out/run.journal", 4000)  # more than its header
    p.send_signal(signal.SIGTERM)
    p.wait()
    journal = open(folder + "/out/run.journal", "rb").read()
    for how in ("torn", "flipped", "longer"):
        for _ in range(2):
            at = rng.randrange(3000, len(journal))
            bad = {"torn": journal[:at], "flipped": journal[:at] + bytes([journal[at] ^ 0x40]) + journal[at + 1:],
                   "longer": journal + rng.randbytes(100)}[how]
            with open(folder + "/out/run.journal", "wb") as out:
                out.write(bad)
            r = optdyn(folder, "resume", "out")
            check(r.returncode == 0 and same(files(folder + "/out"), want), f"a journal that is {how}: the same bits",
                  (at, r.stderr, differences(files(folder + "/out"), want)))
            for name in os.listdir(folder + "/out"):
                if name.endswith(".csv"):
                    os.remove(f"{folder}/out/{name}")
    for bad, words in ((b"", None), (journal[:100], "is damaged"), (b"x" * 5000, "is damaged")):
        with open(folder + "/out/run.journal", "wb") as out:
            out.write(bad)
        r = optdyn(folder, "resume", "out")
        if words is None:
            check(r.returncode == 0 and same(files(folder + "/out"), want), "an empty journal: the same bits", r.stderr)
            os.remove(folder + "/out/nesterov-flow.csv")
        else:
            check(r.returncode == 2 and words in r.stderr and "run.journal" in r.stderr, "a journal that is none", r.stderr)


def adaptive():
    folder = place("cvode", CVODE)
    r = optdyn(folder, "run", "e.yaml", "-o", "whole", "--json")
    want = json.loads(r.stdout)["final"]["state"]["x"]
    p = begin(folder, "run", "e.yaml", "-o", "out", "--checkpoint", "0.05")
    wait_for(folder + "/out/run.journal")
    p.send_signal(signal.SIGTERM)
    p.wait()
    r = optdyn(folder, "resume", "out", "--json")
    got = json.loads(r.stdout)["final"]["state"]["x"]
    check(r.returncode == 0 and "to its tolerance" in r.stderr, "an adaptive scheme says that it starts afresh", r.stderr)
    check(max(abs(a - b) for a, b in zip(got, want)) < 1e-6, "and agrees to its tolerance", (got, want))


def shards():
    for text, of in ((SDE, 3), (LOCKSTEP, 5), (SINGLE, 2)):
        want, _ = whole(text)
        folder = place("shards", text)
        for i in range(1, of + 1):
            r = optdyn(folder, "run", "e.yaml", "--shard", f"{i}/{of}", "-o", f"part{i % 2}", "--json")
            check(r.returncode == 0 and json.loads(r.stdout)["journal"].endswith(f"shard-{i}-of-{of}.journal"),
                  f"shard {i} of {of}", r.stderr)
        r = optdyn(folder, "merge", "part0", "part1", "-o", "out")
        got = {n: v for n, v in files(folder + "/out").items() if n.endswith(".csv")}
        body = lambda d: {n: [l for l in v.split(b"\n") if not l.startswith(b"# command")] for n, v in d.items() if n.endswith(".csv")}
        check(r.returncode == 0 and body(got) == body(want), "merged, the same bits", (r.stderr, differences(body(got), body(want))))
    os.remove(folder + "/part1/shard-1-of-2.journal")
    r = optdyn(folder, "merge", "part0", "part1", "-o", "again")
    check(r.returncode == 2 and "of 2 shards these are missing: 1" in r.stderr, "a missing shard is named", r.stderr)
    r = optdyn(folder, "merge", "out")
    check(r.returncode == 2 and "there are no shards" in r.stderr, "a folder without shards", r.stderr)
    # a shard that was interrupted goes on, and is not merged before
    folder = place("shards", SDE)
    p = begin(folder, "run", "e.yaml", "--shard", "1/1", "-o", "out", "--checkpoint", "0.05")
    wait_for(folder + "/out/shard-1-of-1.journal")
    p.send_signal(signal.SIGTERM)
    p.wait()
    r = optdyn(folder, "merge", "out")
    check(r.returncode == 2 and "is not complete" in r.stderr, "an unfinished shard is refused", r.stderr)
    r = optdyn(folder, "resume", "out")
    check(r.returncode == 2 and "holds shares of a run" in r.stderr, "nor resumed as if it were the whole", r.stderr)
    r = optdyn(folder, "resume", "out", "--shard", "1/1")
    check(r.returncode == 0 and "going on" in r.stderr, "and goes on", r.stderr)
    check(optdyn(folder, "merge", "out").returncode == 0, "and is merged")
    other = place("other", LOCKSTEP)
    optdyn(other, "run", "e.yaml", "--shard", "1/1", "-o", "out")
    r = optdyn(".", "merge", folder + "/out", other + "/out", "-o", "mixed")
    check(r.returncode == 2 and "another experiment" in r.stderr, "another experiment's shard is refused", r.stderr)


DATA = """problem: {name: least-squares, data: points.csv}
method: {name: gradient, noise: 0.1}
integrator: {name: euler-maruyama, step: 0.01}
start: {x: [0, 0]}
until: 1
paths: 300
record: {every: 0.5}
"""


def rows(folder):
    """The numbers of a folder's tables."""
    return {name: [line for line in open(os.path.join(folder, name)) if line[0] != "#"] for name in os.listdir(folder) if name.endswith(".csv")}


def data():
    """A data file beside the experiment: its shards lie in other folders, and find it."""
    folder = place("data", DATA)
    with open(folder + "/points.csv", "w") as out:
        out.write("".join(f"{a},{a * a - 1},{2 * a + 1}\n" for a in range(-3, 4)))
    for i in (1, 2):
        r = optdyn(folder, "run", "e.yaml", "--shard", f"{i}/2", "-o", f"part{i}")
        check(r.returncode == 0, f"shard {i} of a run on data", r.stderr)
    r = optdyn(".", "merge", folder + "/part1", folder + "/part2", "-o", folder + "/out")
    check(r.returncode == 0, "shards of a run on data are merged", r.stderr)
    os.environ["OPTDYN_DATA"] = "/nowhere"
    r = optdyn(".", "resume", folder + "/out")
    del os.environ["OPTDYN_DATA"]
    check(r.returncode == 0 and "is complete" in r.stderr, "and the folder is read again", r.stderr)
    r = optdyn(folder, "run", "out/experiment.yaml", "-o", "again")
    check(r.returncode == 0, "the resolved experiment runs", r.stderr)
    os.mkdir(folder + "/elsewhere")
    os.environ["OPTDYN_DATA"] = os.path.abspath(folder + "/elsewhere")
    r = optdyn(folder, "run", "e.yaml", "-o", "set")
    check(r.returncode == 0 and rows(folder + "/set") == rows(folder + "/again"), "a file that the data folder lacks is sought beside the experiment",
          r.stderr)
    r = optdyn(folder, "run", "again/experiment.yaml", "-o", "remade")
    check(r.returncode == 0 and rows(folder + "/remade") == rows(folder + "/again"), "and in the folder that a resolved experiment names", r.stderr)
    shutil.copy(folder + "/points.csv", folder + "/elsewhere/points.csv")
    with open(folder + "/elsewhere/points.csv", "a") as out:
        out.write("5,24,11\n")
    r = optdyn(folder, "run", "e.yaml", "-o", "first")
    del os.environ["OPTDYN_DATA"]
    check(r.returncode == 0 and rows(folder + "/first") != rows(folder + "/again"), "the data folder comes first", r.stderr)
    with open(folder + "/points.csv", "a") as out:
        out.write("4,15,9\n")
    r = optdyn(".", "merge", folder + "/part1", folder + "/part2", "-o", folder + "/other")
    check(r.returncode == 2 and "other input files" in r.stderr, "shards of other data are refused", r.stderr)


def mistakes():
    folder = place("mistakes", SINGLE)
    for args, words in ((["resume"], "takes the folder"), (["resume", "nowhere"], "holds no run"),
                        (["resume", ".", "--seed", "3"], "belong to"), (["resume", ".", "--dry-run"], "belong to"), (["merge"], "takes the folders"),
                        (["merge", ".", "--shard", "1/2"], "takes all shards"),
                        (["run", "e.yaml", "--shard", "1/2"], "give -o DIR"),
                        (["run", "e.yaml", "--shard", "3/2", "-o", "x"], "from 1 to N"),
                        (["run", "e.yaml", "--shard", "0/2", "-o", "x"], "from 1 to N"),
                        (["run", "e.yaml", "--shard", "1", "-o", "x"], "from 1 to N"),
                        (["run", "e.yaml", "--checkpoint", "-1"], "expected seconds"),
                        (["run", "e.yaml", "--checkpoint", "soon"], "expected seconds"),
                        (["run", "e.yaml", "--checkpoint", "nan"], "expected seconds")):
        r = optdyn(folder, *args)
        check(r.returncode == 2 and words in r.stderr, "refuses " + " ".join(args), (r.returncode, r.stderr))
    os.makedirs(folder + "/killed")
    for name in ("flow.csv.123.part", "mine.part", "1.part"):
        with open(f"{folder}/killed/{name}", "w") as out:
            out.write("half")
    r = optdyn(folder, "run", "e.yaml", "--set", "until=1", "--set", "iterations=10", "-o", "killed")
    left = [n for n in os.listdir(folder + "/killed") if n.endswith(".part")]
    check(r.returncode == 0 and sorted(left) == ["1.part", "mine.part"], "sweeps what a killed run left", (r.stderr, left))
    os.makedirs(folder + "/busy")
    held = os.open(folder + "/busy", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    r = optdyn(folder, "run", "e.yaml", "-o", "busy")
    check(r.returncode == 2 and "another run is at work" in r.stderr, "refuses a folder in use", r.stderr)
    os.close(held)


def main():
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        each = max(1, KILLS // 4)
        resumed = kills(rng, "ensemble", SDE, KILLS - 3 * each + each) + kills(rng, "lock-step", LOCKSTEP, each)
        resumed += kills(rng, "one path", SINGLE, each)
        resumed += kills(rng, "moments", ADAM, each)
        check(resumed > 0, "some runs went on from a journal", resumed)
        if "LibTorch (not built in)" in optdyn(".", "--version").stdout:
            skip("a network that is killed", "built without LibTorch (-Dlibtorch=enabled)")
        else:
            kills(rng, "network", NETWORK, each)
            kills(rng, "network with moments", ADAM_NETWORK, each)
        signals()
        full_disk()
        damage(rng)
        adaptive()
        shards()
        data()
        mistakes()
        os.chdir("/")
    sys.exit(tap.end())


main()
