"""What happens when something fails at each single place of small jobs: memory or the disk runs out, a loss cannot be
evaluated or is no number, LAPACK or SUNDIALS gives up, a small service of the system is refused, or the user wants to stop. A
place is a chain of calls; the first time that it is passed, it fails. Here as many places are taken as it needs so that every
call of the program on the way to what may fail is in one, in one of the jobs (OPTDYN_TEST_FAULTS=places: all places of every
job; times: and every time that it is passed). Then: a sentence and the right exit status, no piece of memory left, and a folder
from which the same command makes the whole results; or, where the program can do without, the very same results.

SPDX-License-Identifier: GPL-3.0-or-later"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import fault_jobs_core as core
from fault_jobs import CURVE, DATA, JOBS
from tap import PROGRAM, check, end

JOBS = {**JOBS, **core.JOBS}
WHICH = os.environ.get("OPTDYN_TEST_FAULTS", "calls")
if WHICH not in ("calls", "places", "times"):
    sys.exit(f"OPTDYN_TEST_FAULTS is calls, places or times, not {WHICH!r}")
TRIED = {}  # of each kind of fault, the calls that were on the way to one
WANTED = sys.argv[2:]  # names of jobs; all by default
SEEN = 3

# what fails -> what is counted, exit statuses, words of which the sentence has one
FAULTS = {
    "allocation": ("allocation", (1, 2), ["memory"]),
    "write": ("write", (1, 2), ["written", "made"]),
    "short": ("write", (1, 2), ["written", "made"]),
    "evaluation": ("evaluation", (1, 2), [""]),
    "nan": ("evaluation", (1, 2), [""]),
    "lapack": ("lapack", (1, 2), [""]),
    "lapack-memory": ("lapack", (1, 2), [""]),
    "sundials": ("sundials", (1, 2), [""]),
    "sundials-solver": ("sundials", (1, 2), [""]),
    "sundials-accuracy": ("sundials", (1, 2), [""]),
    "hdf5": ("hdf5", (1, 2), ["HDF5 could not hold the tables"]),
    "look": ("look", (130,), ["interrupted"]),
    "arena": ("arena", (1, 2), ["memory"]),
    "system": ("system", (1, 2), [""]),
    "longer": ("system", (1, 2), [""]),
}


def prepare(folder, job):
    """The experiment, the data files that one of them reads, and what is done before."""
    files = {"x.yaml": JOBS[job][0].encode(), "d.csv": DATA.encode(), "h.csv": CURVE.encode(), **core.FILES}
    for name, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)
    for name in core.PLUGINS:
        shutil.copy(os.path.join(os.path.dirname(PROGRAM), name), folder)
    for fault, arguments in core.BEFORE.get(job, ()):
        start(folder, arguments, fault)


def start(folder, arguments, fault=None):
    """Runs the program in the folder; its exit status, outputs and what the faults report."""
    report = os.path.join(folder, "..", os.path.basename(folder) + ".report")
    environment = dict(os.environ, OPTDYN_FAULT_REPORT=report, OPENBLAS_NUM_THREADS="1")
    environment.pop("OPTDYN_DATA", None)  # the jobs have data of their own
    if fault:
        environment["OPTDYN_FAULT"] = fault
    if os.path.exists(report):
        os.unlink(report)
    r = subprocess.run([PROGRAM, *arguments, "--threads", "1"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=600)
    with open(report) as there:
        return r, json.load(there)


def untimed(answer):
    return re.sub(rb'"seconds": [0-9.e-]+', b'"seconds": 0', answer)


def files_of(folder):
    """Every result by its checksum; of pictures, which bear a date, and of what was checked, with the time, the name."""
    found = {}
    for place, _, names in os.walk(os.path.join(folder, "out")):
        for name in names:
            with open(os.path.join(place, name), "rb") as f:
                dated = name.endswith((".png", ".svg", ".pdf", ".json", ".html"))
                found[os.path.relpath(os.path.join(place, name), folder)] = dated or hashlib.sha256(f.read()).hexdigest()
    return found


def not_json(word):
    raise ValueError(word)


def contradiction(want, got, path=""):
    """
    Where an answer says something else than the whole one, or None. It may say that a number is unknown, and why; and what
    it found in another way may lie elsewhere and differ by a thousandth.
    """
    if isinstance(want, str) and isinstance(got, str):
        same = not (path.endswith(".verdict") and got == "fails")
    else:
        same = got is None or want == got or (want is None and isinstance(got, str))
    elsewhere = path.endswith(".at") or ".certificate." in path  # a certificate proves itself, of whatever states
    if same or elsewhere or (path == ".claims" and isinstance(got, int)):
        return None
    name = "id" if path.endswith(".claims") else "of" if path.endswith(".fits") else None
    if name is not None:  # some may be left out
        named = {entry[name]: entry for entry in want}
        pairs = [(entry[name], named.get(entry[name]), entry) for entry in got]
    elif isinstance(want, dict) and isinstance(got, dict):
        pairs = [(f"{path}.{key}", want.get(key), value) for key, value in got.items()]
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = [(f"{path}[{i}]", w, g) for i, (w, g) in enumerate(zip(want, got))]
    else:
        numbers = all(isinstance(x, (int, float)) for x in (want, got))
        return None if numbers and abs(want - got) <= 1e-3 * abs(want) else f"{path} is {got!r}, not {want!r}"
    return next(filter(None, (contradiction(w, g, where) for where, w, g in pairs)), None)


def judge(fault, r, want):
    """What is wrong with the answer of a run in which this fault happened, or None."""
    kind = fault.partition(":")[0]
    _, statuses, words = FAULTS[kind]
    sentence = r.stderr.decode()
    try:
        answer = json.loads(r.stdout, parse_constant=not_json)
        failed = [answer, *answer.get("figures", [])]  # the whole command, or a figure of a report
        errors = [a["error"] for a in failed if isinstance(a, dict) and "error" in a]
        sentence += "".join(e["message"] if isinstance(e, dict) else e for e in errors)
    except (ValueError, KeyError, TypeError):
        return f"no JSON, but {r.stdout.decode()[-200:]!r} and {sentence[-200:]!r}"
    if r.returncode == 0 and kind.partition("-")[0] in ("evaluation", "nan", "lapack", "sundials"):
        return contradiction(json.loads(untimed(want["out"])), json.loads(untimed(r.stdout))) if kind != "nan" else None
    if r.returncode == 1 and kind == "nan" and answer.get("passed") is False:
        return None  # what was checked is wrong indeed
    if r.returncode not in statuses or not sentence:
        return f"exit {r.returncode}: {r.stderr.decode()[-300:]}"
    return None if any(w in sentence for w in words) else f"the sentence is {sentence!r}"


def trial(job, fault, want, happened):
    """What is wrong after this fault, or None; adds to the list whether it happened."""
    arguments = JOBS[job][1]
    with tempfile.TemporaryDirectory() as above:
        folder = os.path.join(above, "f")
        shutil.copytree(want["prepared"], folder)
        try:
            r, seen = start(folder, arguments, fault)
        except FileNotFoundError:
            return f"{fault}: died without a report"
        except subprocess.TimeoutExpired:
            return f"{fault}: does not end"
        happened.append(seen["happened"] > 0)
        if seen["live"] > want["live"]:
            return f"{fault}: {seen['live'] - want['live']} pieces of memory left"
        if r.returncode == 0 and (untimed(r.stdout), files_of(folder)) == (want["out"], want["files"]):
            return None
        wrong = judge(fault, r, want)
        if wrong is not None or r.returncode == 0:
            return wrong and f"{fault}: {wrong}"
        if any(".part" in name for name in files_of(folder)):
            return f"{fault}: a temporary file is left"
        if not want["files"]:
            return None  # nothing is left that could disturb
        r, _ = start(folder, arguments)
        if r.returncode != 0 or files_of(folder) != want["files"]:
            return f"{fault}: afterwards exit {r.returncode}, {sorted(files_of(folder))}: {r.stderr.decode()[-300:]}"
    return None


def whole(job, above):
    """The job without faults; its folder as it is before stays above."""
    arguments = JOBS[job][1]
    folder, prepared = os.path.join(above, "f"), os.path.join(above, "prepared")
    os.mkdir(folder)
    prepare(folder, job)
    shutil.copytree(folder, prepared)
    r, seen = start(folder, arguments)
    return r, dict(seen, out=untimed(r.stdout), files=files_of(folder), prepared=prepared)


def chosen(kind, counted):
    """The numbers of what is to fail; of writes, which are few, all."""
    if WHICH == "times" or kind in ("write", "short"):
        return list(range(1, counted["count"] + 1))
    if WHICH == "places":
        return [place[0] for place in counted["places"]]
    tried = TRIED.setdefault(kind, set())
    numbers = []
    for number, *calls in counted["places"]:
        if not tried.issuperset(calls):
            numbers.append(number)
            tried.update(calls)
    return numbers


def try_faults(job, above, pool):
    r, want = whole(job, above)
    check(r.returncode == 0, f"{job}: runs without faults", r.stderr.decode())
    for kind, (counted, _, _) in FAULTS.items():
        count = want[counted]["count"]
        if count == 0 or kind not in (JOBS[job] + (FAULTS,))[2]:
            continue
        faults = [f"{kind}:{n}" for n in chosen(kind, want[counted])]
        if counted in ("allocation", "write"):
            faults += [f"{kind}:{n}+" for n in range(1, count + 1, max(8, count // 20))]
        if not faults:
            continue
        happened = []
        wrong = [w for w in pool.map(lambda fault: trial(job, fault, want, happened), faults) if w]
        # how often the journal is written depends on the clock
        wrong += [f"only {sum(happened)} of {len(faults)} happened"] if sum(happened) < min(3, len(faults)) else []
        check(not wrong, f"{job}: {len(faults)} faults of kind {kind}", "\n".join(wrong[:SEEN] + [f"{len(wrong)} in all"]))


with ThreadPoolExecutor(2) as workers:
    for name in WANTED or JOBS:
        with tempfile.TemporaryDirectory() as place:
            try_faults(name, place, workers)
sys.exit(end())
