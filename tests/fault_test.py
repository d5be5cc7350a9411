"""What happens when memory or the disk runs out, at each single place of small jobs: the n-th allocation fails, the n-th
write fails or is short. Of allocations that the same chain of calls asks for the first fails; OPTDYN_TEST_FAULTS=1: each. Then: a sentence and the right exit status, no piece of memory left, and a folder from
which the same command makes the whole results; or, where the program can do without, the very same results.

SPDX-License-Identifier: GPL-3.0-or-later"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from fault_jobs import DATA, JOBS
from tap import PROGRAM, check, end

EVERY = int(os.environ.get("OPTDYN_TEST_FAULTS", "0"))  # k: every k-th allocation and write; 0: every place
WANTED = sys.argv[2:]  # names of jobs; all by default
SEEN = 3

def prepare(folder, text):
    """The experiment and the data file that one of them reads."""
    for name, content in (("x.yaml", text), ("d.csv", DATA)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(content)


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
                       capture_output=True, timeout=250)
    with open(report) as there:
        return r, json.load(there)


def untimed(answer):
    return re.sub(rb'"seconds": [0-9.e-]+', b"", answer)


def files_of(folder):
    """Every result by its checksum; of pictures, which bear a date, and of what was checked, with the time, the name."""
    found = {}
    for place, _, names in os.walk(os.path.join(folder, "out")):
        for name in names:
            with open(os.path.join(place, name), "rb") as f:
                dated = name.endswith((".png", ".svg", ".pdf", ".json"))
                found[os.path.relpath(os.path.join(place, name), folder)] = dated or hashlib.sha256(f.read()).hexdigest()
    return found


def trial(job, fault, want, happened):
    """What is wrong after this fault, or None; adds to the list whether it happened."""
    text, arguments = JOBS[job]
    with tempfile.TemporaryDirectory() as above:
        folder = os.path.join(above, "f")
        os.mkdir(folder)
        prepare(folder, text)
        try:
            r, seen = start(folder, arguments, fault)
        except FileNotFoundError:
            return f"{fault}: died without a report"
        happened.append(seen["happened"] > 0)
        if seen["live"] > want["live"]:
            return f"{fault}: {seen['live'] - want['live']} pieces of memory left"
        if r.returncode == 0:
            same = (untimed(r.stdout), files_of(folder)) == (want["out"], want["files"])
            return None if same else f"{fault}: exit 0, other results: {untimed(r.stdout)}"
        if r.returncode not in (1, 2):
            return f"{fault}: exit status {r.returncode}: {r.stderr.decode()[-300:]}"
        try:
            sentence = json.loads(r.stdout)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return f"{fault}: no JSON error, but {r.stdout.decode()[-200:]!r} and {r.stderr.decode()[-200:]!r}"
        told = "memory" in sentence if fault.startswith("allocation") else any(w in sentence for w in ("written", "made"))
        if not told:
            return f"{fault}: the sentence is {sentence!r}"
        if any(".part" in name for name in files_of(folder)):
            return f"{fault}: a temporary file is left"
        if not want["files"]:
            return None  # nothing is left that could disturb
        r, _ = start(folder, arguments)
        if r.returncode != 0 or files_of(folder) != want["files"]:
            return f"{fault}: afterwards exit {r.returncode}, {sorted(files_of(folder))}: {r.stderr.decode()[-300:]}"
    return None


def whole(job):
    text, arguments = JOBS[job]
    with tempfile.TemporaryDirectory() as above:
        folder = os.path.join(above, "f")
        os.mkdir(folder)
        prepare(folder, text)
        r, seen = start(folder, arguments)
        return r, dict(seen, out=untimed(r.stdout), files=files_of(folder))


with ThreadPoolExecutor(2) as pool:
    for job in WANTED or JOBS:
        r, want = whole(job)
        check(r.returncode == 0, f"{job}: runs without faults", r.stderr.decode())
        kinds = {"allocation": want["allocations"], "write": want["writes"], "short": want["writes"]}
        for kind, places in kinds.items():
            if places == 0:
                continue
            first = want["places"] if kind == "allocation" and EVERY == 0 else range(1, places + 1, max(EVERY, 1))
            faults = [f"{kind}:{n}" for n in first]
            faults += [f"{kind}:{n}+" for n in range(1, places + 1, max(EVERY, places // 20, 1))]
            happened = []
            wrong = [w for w in pool.map(lambda fault: trial(job, fault, want, happened), faults) if w]
            # how often the journal is written depends on the clock
            wrong += [f"only {sum(happened)} of {len(faults)} happened"] if sum(happened) < len(faults) / 2 else []
            check(not wrong, f"{job}: {len(faults)} faults of kind {kind}", "\n".join(wrong[:SEEN] + [f"{len(wrong)} in all"]))
sys.exit(end())
