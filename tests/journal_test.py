"""Journals that pass their checksum and are wrong all the same, field by field: each is refused with its sentence. And the
first thousand paths, kept by a journal as if a run had been killed there, become the same files as all at once.

SPDX-License-Identifier: GPL-3.0-or-later"""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import PROGRAM, check, end

os.environ.pop("OPTDYN_DATA", None)  # files are sought where the experiment is

EXPERIMENT = """problem: {name: quadratic, eigenvalues: [0.04, 0.01]}
method: {name: nesterov, r: 3, noise: 0.1}
start: {t: 1.0e-2, x: {normal: 1}, v: [0, 0]}
integrator: {name: euler-maruyama, step: 0.1}
until: 1.01
paths: 2000
record: {every: 0.5, quantities: [loss, x], quantiles: [0.5]}
"""
MARK = struct.pack("<I", 0x4E4C4A4F)


def number(n):
    return struct.pack("<Q", n)


def segment(payload):
    return MARK + number(len(payload)) + payload + hashlib.sha256(number(len(payload)) + payload).digest()


def segments(data):
    found = []
    while data:
        length = struct.unpack_from("<Q", data, 4)[0]
        found.append(data[12:12 + length])
        data = data[12 + length + 32:]
    return found


class Header:
    """The fields of a journal's first segment."""

    def __init__(self, payload):
        def text():
            nonlocal at
            length = struct.unpack_from("<Q", payload, at)[0]
            at += 8 + length
            return payload[at - length:at]

        at = 0
        self.magic = text()
        self.order, self.format = struct.unpack_from("<QQ", payload, at)
        at += 16
        self.version, self.experiment, self.inputs = text(), text(), text()
        self.shard, self.shards, self.complete, self.room = struct.unpack_from("<QQQQ", payload, at)
        assert at + 32 == len(payload)

    def payload(self, **changes):
        f = dict(self.__dict__, **changes)
        texts = {n: number(len(f[n])) + f[n] for n in ("magic", "version", "experiment", "inputs")}
        return (texts["magic"] + number(f["order"]) + number(f["format"]) + texts["version"] + texts["experiment"]
                + texts["inputs"] + b"".join(number(f[n]) for n in ("shard", "shards", "complete", "room")))


def optdyn(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, errors="replace", timeout=250)


def put(name, data):
    """A journal, in a folder that holds the experiment."""
    os.makedirs(os.path.dirname(name), exist_ok=True)
    shutil.copy("part1/experiment.yaml", os.path.dirname(name))
    with open(name, "wb") as out:
        out.write(data)


def tables(folder):
    return {n: [line for line in open(f"{folder}/{n}", "rb") if not line.startswith(b"# command")]
            for n in os.listdir(folder) if n.endswith(".csv")}


def refused(r, words, what):
    check(r.returncode == 2 and words in r.stderr, f"{what}: {words}", (r.returncode, r.stdout, r.stderr))


# fields of the header -> the sentence; both for shards that are merged and for a run that goes on
FORGED = [
    (dict(magic=b"optdyn diary"), "is not a journal of optdyn; remove it"),
    (dict(magic=b"optdyn diarist"), "is not a journal of optdyn; remove it"),
    (dict(order=0x04030201), "was written by another version of optdyn or on another kind of machine"),
    (dict(format=99), "was written by another version of optdyn or on another kind of machine"),
    (dict(version=b"0.0.0"), "was written by another version of optdyn or on another kind of machine"),
    (dict(experiment=b"until: 7\n"), "belongs to another experiment"),
    (dict(inputs=b"d.csv 01234567"), "was computed from other input files (their checksums differ)"),
    (dict(complete=2), "is damaged; remove it and start anew"),
    (dict(room=1 << 20), "is damaged; remove it and start anew"),
    (dict(shard=1 << 40), "is damaged; remove it and start anew"),
]
# bodies: a member that is not there, a tree of too many parts, and parts of it that are cut off or that are impossible
BODIES = [number(7), number(0) + number(1 << 50), number(0) + number(1) + number(64), number(0) + number(1) + number(1),
          number(0) + number(1) + number(0) + number(99), number(0) + number(1) + number(0) + number(0) + number(3) + number(2),
          number(0) + number(0) + number(1) + number(0) + number(1999), number(0) + number(0) + number(1) + number(1) + number(0) + number(0),
          number(0) + number(0) + number(1) + number(0) + number(100) + number(100),  # beyond its 128 paths
          number(0) + number(0) + number(1) + number(15) + number(1990) + number(20),  # beyond all
          number(0) + number(0) + number(0) + number(5) + number(3 * 3 * 8193),  # bins of 3 rows and numbers, 8193 each
          number(0) + number(0) + number(0), number(0) + number(0) + number(0) + number(5) + number(1 << 40)]


def merges(header, body, second):
    def merge(first, what, words, more=()):
        for folder in ("a", "out"):
            shutil.rmtree(folder, ignore_errors=True)
        put("a/shard-1-of-2.journal", first)
        r = optdyn("merge", "a", "part2", *more, "-o", "out")
        refused(r, words, what)

    for changes, words in FORGED:
        merge(segment(header.payload(**changes)) + segment(body), f"a shard with {changes}", words)
    whole = header.payload()
    for length in (7, 20, 30, 60, len(whole) - 30, len(whole) - 1):
        # what is missing at the end is not there to be compared
        merge(segment(whole[:length]), f"a header of {length} bytes", "a/shard-1-of-2.journal")
    merge(b"", "an empty shard", "there is no journal a/shard-1-of-2.journal")
    for torn in (whole[:20], segment(whole)[:-1], segment(whole)[:-36], b"\0" + segment(whole)[1:], segment(whole)[:12] + b"\0" + segment(whole)[13:]):
        merge(torn, f"a torn shard of {len(torn)} bytes", "is no whole journal of optdyn; run that shard again")
    for shard, shards in ((0, 2), (3, 2), (0, 0)):
        merge(segment(header.payload(shard=shard, shards=shards)), f"shard {shard} of {shards}", "is not the journal of a shard")
    merge(segment(header.payload(complete=0)), "an unfinished shard", "run it again with --shard 1/2 and it goes on")
    merge(segment(header.payload(shards=3)), "shards of 3 and of 2", "is shard 2 of 2, but others are of 3")
    for bad in BODIES:
        merge(segment(whole) + segment(bad), f"a body of {len(bad)} bytes", "does not fit its experiment (invalid)")
    shutil.rmtree("out", ignore_errors=True)
    put("many/shard-3-of-40.journal", segment(header.payload(shard=3, shards=40)) + segment(body))
    refused(optdyn("merge", "many", "-o", "out"), "of 40 shards these are missing: 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
            "16, 17, ...; run them with --shard N/40", "one of many shards")
    os.makedirs("folder/shard-1-of-2.journal")
    r = optdyn("merge", "part2", "folder", "-o", "out")
    check(r.returncode == 1 and "cannot be read: Is a directory" in r.stderr, "a shard that is a folder", r.stderr)
    shutil.copytree("part1", "copy")
    r = optdyn("merge", "part1", "part2", "copy", "-o", "out")
    check(r.returncode == 0 and tables("out") == tables("whole"), "a shard that is there twice counts once", r.stderr)
    torn = segment(whole) + segment(body) + MARK + number(1 << 30)
    put("a/shard-1-of-2.journal", torn)
    r = optdyn("merge", "a", "part2", "-o", "out")
    check(r.returncode == 0 and tables("out") == tables("whole"), "what is torn off behind the end does no harm", r.stderr)


def goes_on(header, body):
    def go_on(journal):
        shutil.rmtree("run", ignore_errors=True)
        put("run/run.journal", journal)
        return optdyn("run", "e.yaml", "-o", "run")

    half = dict(shard=0, shards=0, complete=0)
    r = go_on(segment(header.payload(**half)) + segment(body))
    check(r.returncode == 0 and "going on from the journal in run" in r.stderr and tables("run") == tables("whole"),
          "a run goes on from half of its paths, to the same bits", r.stderr)
    for changes, words in FORGED:
        refused(go_on(segment(header.payload(**{**half, **changes})) + segment(body)), words, f"a journal with {changes}")
    for bad in BODIES:
        refused(go_on(segment(header.payload(**half)) + segment(bad)), "does not fit its experiment (invalid)",
                f"a body of {len(bad)} bytes")
    refused(go_on(b"\0" * 100), "run/run.journal is damaged; remove it and start anew", "a journal of zeros")
    shutil.rmtree("run")
    os.makedirs("run")
    os.symlink("run.journal", "run/run.journal")
    r = optdyn("run", "e.yaml", "-o", "run")
    check(r.returncode == 1 and "run/run.journal cannot be read: " in r.stderr, "a journal that leads to itself", r.stderr)
    shutil.rmtree("run")
    os.makedirs("run/run.journal")
    r = optdyn("run", "e.yaml", "-o", "run")
    check(r.returncode == 1 and "cannot be read: Is a directory" in r.stderr, "a journal that is a folder", r.stderr)


DATA = """problem: {name: least-squares, data: points.csv}
method: {name: gradient, step: 0.1}
start: {x: [0, 0]}
iterations: 3
compare: [{label: first}, {label: second, problem: {name: least-squares, data: more.csv}}, {label: none, problem: {name: rosenbrock}}]
"""


def inputs():
    """A folder belongs to its experiment and to the files that were read."""
    points = "".join(f"{a},{a * a - 1},{2 * a + 1}\n" for a in range(-3, 4))
    for name, text in (("d.yaml", DATA), ("points.csv", points), ("more.csv", points.replace("-3,8", "3,8"))):
        with open(name, "w", encoding="utf-8") as out:
            out.write(text)
    r = optdyn("run", "d.yaml", "-o", "data")
    check(r.returncode == 0, "a run on two files", r.stderr)
    with open("data/experiment.yaml", encoding="utf-8") as there:
        named = [line.split()[2] for line in there if line.startswith("# input: ")]
    check([os.path.basename(n) for n in named] == ["points.csv", "more.csv"], "the folder names both, each once", named)
    for _ in range(2):
        r = optdyn("run", "d.yaml", "-o", "data")
        check(r.returncode == 0, "and takes the same run again", r.stderr)
    r = optdyn("resume", "data", "--json")
    check(r.returncode == 0 and json.loads(r.stdout) == {"complete": True}, "and is complete", r.stdout + r.stderr)
    r = optdyn("run", "d.yaml", "--shard", "1/1", "-o", "share")
    check(r.returncode == 0, "a shard of it", r.stderr)
    with open("points.csv", "w", encoding="utf-8") as out:  # the first of the two
        out.write(points.replace("-3,8", "-3,9"))
    refused(optdyn("merge", "share", "-o", "merged"), "was computed from other input files (their checksums differ)",
            "a shard of other points")
    with open("points.csv", "w", encoding="utf-8") as out:
        out.write(points)
    for missing in ("results.h5", "second-iteration.csv"):
        before = tables("data")
        if os.path.exists("data/" + missing):
            os.remove("data/" + missing)
        r = optdyn("resume", "data")
        check(r.returncode == 0 and tables("data") == before, f"without {missing} it is made again", r.stderr)
    with open("more.csv", "a", encoding="utf-8") as out:
        out.write("4,15,9\n")
    refused(optdyn("run", "d.yaml", "-o", "data"), "data holds the results of another experiment (or its input files have changed)",
            "another data file")
    refused(optdyn("run", "e.yaml", "-o", "data"), "data holds the results of another experiment", "another experiment")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("e.yaml", "w", encoding="utf-8") as out:
        out.write(EXPERIMENT)
    r = optdyn("run", "e.yaml", "-o", "whole", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["paths"] == 2000, "all paths at once", r.stderr)
    for i in (1, 2):
        r = optdyn("run", "e.yaml", "--shard", f"{i}/2", "-o", f"part{i}")
        check(r.returncode == 0, f"shard {i} of 2", r.stderr)
    first, second = (segments(open(f"part{i}/shard-{i}-of-2.journal", "rb").read()) for i in (1, 2))
    refused(optdyn("run", "e.yaml", "--shard", "1/65537", "-o", "absurd"), "--shard: 1/65537: there are at most 65536 shards", "more shards than any folder")
    r = optdyn("run", "e.yaml", "--shard", "17/17", "-o", "idle")
    check(r.returncode == 0 and "of which there are 16 here, so only 16 of the 17 shards have work" in r.stderr, "a shard without paths", r.stderr)
    header = Header(first[0])
    check(header.payload() == first[0] and len(first) == 2, "the header is as this test takes it", first[0])
    merges(header, first[1], second)
    goes_on(header, first[1])
    inputs()
    os.chdir("/")
sys.exit(end())
