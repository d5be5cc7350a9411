"""Runs under mpirun: the bits of one process, and an end with a sentence. SPDX-License-Identifier: GPL-3.0-or-later"""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap
from tap import PROGRAM, check

# in a container: as root, with fewer cores than ranks, without ssh and without reading each other's memory
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
           OMPI_MCA_mpi_yield_when_idle="1", OMPI_MCA_plm_rsh_agent="sh", OMPI_MCA_btl_vader_single_copy_mechanism="none")

SDE = """problem: {name: quadratic, eigenvalues: [0.04, 0.01]}
start: {t: 1.0e-2, x: {normal: 1}, v: [0, 0]}
integrator: {name: euler-maruyama, step: 1.0e-2}
until: 20
paths: 700
seed: 3
record: {every: 0.5, quantities: [loss, x], quantiles: [0.05, 0.5], covariance: true, histograms: true, paths: 3}
compare:
  - {label: nesterov, method: {name: nesterov, r: 3, noise: 0.1}}
  - {label: memory, method: {name: memory, forgetting: polynomial, p: 3, noise: 0.1}}
"""


def mpirun(ranks, *args):
    return subprocess.run(["mpirun", "-n", str(ranks), PROGRAM, *args], env=ENV, capture_output=True, text=True, timeout=120)


def bodies(folder):
    """The tables without their provenance, which names the folder."""
    return {n: [line for line in open(f"{folder}/{n}") if not line.startswith("# command")]
            for n in sorted(os.listdir(folder)) if n.endswith(".csv")}


def main():
    if shutil.which("mpirun") is None:
        print("1..0 # SKIP there is no mpirun")
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("e.yaml", "w", encoding="utf-8") as out:
            out.write(SDE)
        r = subprocess.run([PROGRAM, "run", "e.yaml", "-o", "alone"], capture_output=True, text=True)
        check(r.returncode == 0, "one process", r.stderr)
        want = bodies("alone")
        for ranks in (2, 3, 4):
            r = mpirun(ranks, "run", "e.yaml", "-o", f"ranks{ranks}", "--json")
            check(r.returncode == 0 and r.stdout.count('"members"') == 1, f"{ranks} ranks print one document", r.stderr)
            got = bodies(f"ranks{ranks}")
            check(got == want, "and give the same bits", [n for n in want if got.get(n) != want[n]])
            check(not [n for n in os.listdir(f"ranks{ranks}") if "journal" in n], "and leave no journal")
        r = mpirun(2, "resume", "ranks2", "--json")
        check(r.returncode == 0 and r.stdout.count("complete") == 1, "a complete run is said once", r.stdout)
        r = mpirun(2, "run", "e.yaml", "--dry-run", "--json")
        check(r.returncode == 0 and r.stdout.count('"resolved"') == 1, "and so is what would run", r.stdout)
        r = mpirun(2, "run", "e.yaml", "--json", "--set", "paths=auto", "--set", "tolerance=0.1", "--set", "record={}")
        check(r.returncode == 2 and r.stdout.count("no shares of them") == 1, "paths: auto is refused once", (r.stdout, r.stderr))
        r = mpirun(2, "run", "e.yaml", "--json", "--seed", "4", "-o", "alone")
        check(r.returncode == 2 and r.stdout.count('"error"') == 1 and r.stderr.count("another experiment") == 1,
              "a folder is refused once", (r.returncode, r.stdout, r.stderr))
        r = mpirun(2, "run", "nowhere.yaml")
        check(r.returncode != 0 and r.stderr.count("cannot be opened") == 1, "a mistake is said once", r.stderr)
        r = mpirun(2, "list")
        check(r.returncode != 0 and "only `run` and `resume`" in r.stderr, "other commands are refused", r.stderr)
        # one rank fails, by a limit that the others do not have
        r = subprocess.run(["mpirun", "-n", "1", PROGRAM, "run", "e.yaml", ":", "-n", "1", "sh", "-c",
                            "ulimit -f 0; exec \"$0\" \"$@\"", PROGRAM, "run", "e.yaml", "-o", "full"],
                           env=ENV, capture_output=True, text=True, timeout=120)
        check(r.returncode != 0 and "rank 1: optdyn:" in r.stderr and "could not be written" in r.stderr,
              "a failing rank ends the run with its sentence", (r.returncode, r.stderr))
        # interrupted and resumed
        with open("long.yaml", "w", encoding="utf-8") as out:
            out.write(SDE.replace("until: 20", "until: 4000").replace("every: 0.5", "every: 20"))
        subprocess.run([PROGRAM, "run", "long.yaml", "-o", "long"], capture_output=True)
        p = subprocess.Popen(["mpirun", "-n", "2", PROGRAM, "run", "long.yaml", "-o", "cut", "--checkpoint", "0.1"], env=ENV,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3000):
            if glob.glob("cut/*.journal"):
                break
            time.sleep(0.01)
        p.send_signal(signal.SIGTERM)
        p.wait()
        time.sleep(1.5)
        left = [n for n in os.listdir("cut") if "journal" in n]
        r = mpirun(2, "resume", "cut")
        check(r.returncode == 0 and left and bodies("cut") == bodies("long"), "resumed, the same bits", (left, r.stderr))
        os.chdir("/")
    sys.exit(tap.end())


main()
