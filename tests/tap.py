"""What the tests of the program share: checks in TAP, and the program under test. SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import subprocess
import sys
import time

PROGRAM = os.path.abspath(sys.argv[1])
count = failed = 0


def check(condition, what, detail=""):
    """One line of TAP, with the detail as comments if it failed."""
    global count, failed
    count += 1
    failed += not condition
    print(("ok" if condition else "not ok"), count, "-", what)
    if not condition:
        for line in str(detail).splitlines() or ["(no detail)"]:
            print("#", line)
    sys.stdout.flush()


def skip(what, why):
    global count
    count += 1
    print("ok", count, "-", what, "# SKIP", why)


def end():
    """The plan, and the exit status of the test."""
    print(f"1..{count}")
    return failed > 0


def wait_until_caught(process, number):
    """Until the program catches this signal: on a busy machine, and under a sanitizer, its start may take seconds."""
    for _ in range(6000):
        with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as status:
            caught = [line.split()[1] for line in status if line.startswith("SigCgt:")]
        if process.poll() is not None or (caught and int(caught[0], 16) >> (number - 1) & 1):
            return
        time.sleep(0.01)


def analyse(*args, **sets):
    """Runs the program; `problem__p=4` stands for --set problem.p=4."""
    words = [w for name, value in sets.items() for w in ("--set", name.replace("__", ".") + "=" + str(value))]
    return subprocess.run([PROGRAM, *args, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=250)


def answer_of(r):
    """The document that a run printed."""
    if r.returncode != 0:
        raise ValueError(r.stderr.decode())
    return json.loads(r.stdout)
