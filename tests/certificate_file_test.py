"""Certificates as files: what optdyn writes, a program that shares nothing with it confirms, and nothing else.
SPDX-License-Identifier: GPL-3.0-or-later"""

import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile

import tap
from tap import analyse, answer_of, check

CHECKER = os.path.join(os.path.abspath(sys.argv[2]), "tools", "check_certificate.py")
MEMBERS = """
problem: hosaki
method: {name: gradient, step: 0.3}
start: {x: [2.05, 3.2]}
iterations: 12
shadow: {certificate: true, modified: false, rescaled: false, boxes: 500}
compare:
  - {label: hosaki}
  - {label: saddle, problem: {name: quadratic, eigenvalues: [-1.27, 2], rotation: 3, centre: [0.1, 0.3]}, start: {x: [2, 4.5]}}
  - {label: valley, problem: {name: rosenbrock, a: 1.1, b: 7}, method: {name: heavy-ball, alpha: 0.9, step: 0.05}}
  - {label: pair, problem: {name: rosenbrock, b: 7}, method: {name: heavy-ball, learning_rate: 0.002, momentum: 0.8}}
  - {label: power, problem: {name: power, p: 2.7, c: 1.3, dim: 2}, method: {name: nesterov, step: 0.01}}
  - {label: even, problem: {name: power, p: 4, dim: 2}, method: {name: amplified-gradient, step: 0.01}}
  - {label: strong, problem: {name: quadratic, eigenvalues: [2, 1]}, method: {name: nesterov-strongly-convex, step: 0.03}}
  - {label: formula, problem: {name: formula, variables: [x, y], f: "log(1.5+x^2)*exp(-y/3) + sin(x*x*y) + cos(x)^3 + sqrt(2+x*y) \
+ 0.3*tanh(x-y) + atan(y) + softplus(2*x) + logistic(y) + tan(0.3*x) + sinh(y)/cosh(x) + (2+x)^1.5 + pi*x^-2/e"},
     method: {name: memory, step: 0.05}, start: {x: [1.3, 0.7]}}
"""


def run_checker(*paths):
    return subprocess.run([sys.executable, CHECKER, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=250)


def sealed(body):
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


class Bench:
    """Versions of certificates, written, checked and counted."""

    def __init__(self, folder):
        self.folder = folder

    def accepted(self, versions):
        """The names of the versions that the checker takes for true."""
        paths = []
        for i, (_, text) in enumerate(versions):
            paths.append(os.path.join(self.folder, f"version{i}"))
            with open(paths[-1], "wb") as out:
                out.write(text)
        lines = run_checker(*paths).stdout.decode().splitlines()
        if len(lines) != len(versions):
            return [f"{len(lines)} answers to {len(versions)} questions"]
        return [name for (name, _), line in zip(versions, lines) if ": rejected" not in line]


def other_digit(c):
    return b"7" if c != b"7" else b"4"


def unsealed_versions(text):
    """One digit changed, here and there: every 97th, and all of the first lines."""
    for i in (m.start() for m in re.finditer(rb"[0-9a-f]", text)):
        if i % 97 == 0 or i < text.index(b"problem"):
            if not text[:i].rpartition(b"\n")[2].startswith(b"#"):
                yield f"byte {i}", text[:i] + other_digit(text[i : i + 1]) + text[i + 1 :]


def smaller(body, word):
    """Every digit of a bound made smaller by one, and its exponent, with a checksum that fits."""
    line = re.search(rb"^" + word + rb" (\S+)$", body, re.M)
    mantissa, _, exponent = line.group(1).partition(b"e")
    for i in re.finditer(rb"[1-9]", mantissa):
        at = line.start(1) + i.start()
        yield f"{word.decode()} {line.group(1).decode()} at {i.start()}", sealed(
            body[:at] + bytes([body[at] - 1]) + body[at + 1 :])
    finer = mantissa + b"e%+03d" % (int(exponent) - 1)
    yield word.decode() + " of another power", sealed(body[: line.start(1)] + finer + body[line.end(1) :])


def changed(body, word, digits, which=0):
    """Leading hexadecimal digits of the last number of a line changed, with a checksum that fits."""
    line = list(re.finditer(rb"^" + word + rb" .*$", body, re.M))[which]
    start = line.start() + line.group().rindex(b"0x") + 2
    for i in range(start, start + digits):
        c = body[i : i + 1]
        swap = b"%x" % ((int(c, 16) + 8) % 16 or 1)
        yield f"{word.decode()} {which}, digit {i - start}", sealed(body[:i] + swap + body[i + 1 :])


def mutations(bench, text):
    body = text[: text.rindex(b"sha256 ")]
    check(sealed(body) == text, "the checksum is that of the text")
    check(bench.accepted([("itself", text)]) == ["itself"], "the certificate itself is accepted")
    versions = list(unsealed_versions(text))
    got = bench.accepted(versions)
    check(not got and len(versions) > 80, f"{len(versions)} changes of one digit are rejected", got)
    versions = [*smaller(body, b"epsilon"), *smaller(body, b"radius")]
    got = bench.accepted(versions)
    check(not got and len(versions) > 15, f"{len(versions)} smaller bounds are rejected, with a checksum that fits", got)
    # with the last digits (of 14) of a state changed, or all but the first ones of a frame, the proof still stands
    versions = [v for k in (0, 5, -1) for v in changed(body, b"state", 11, k)]
    versions += [v for k in (2, 6) for v in changed(body, b"linear", 2, k)]
    versions += [v for k in (1, 7) for v in changed(body, b"frame", 2, k)]
    got = bench.accepted(versions)
    check(not got and len(versions) > 35, f"{len(versions)} changed states and frames are rejected", got)


HOSTILE = [b"0x1p+99999", b"-0x1p-99999", b"0x0p+0", b"1e999999999", b"9.9e+999999999", b"1.0e-999999999", b"nan", b"inf", b"-1",
           b"", b"9" * 5000, b"0x" + b"f" * 5000 + b"p+0", b"\xd9\xa3", b"\xff\x00", b"1e5", b"999999"]
FORMULAS = [b"(" * 5000 + b"x" + b")" * 5000, b"-" * 5000 + b"x", b"x^" * 3000 + b"2", b"x^999999", b"2^2^2^2^2^2^x", b"x^-999999",
            b"exp(exp(exp(exp(9+x))))", b"1/0", b"0^-1", b"log(-1)", b"sqrt(0*x)", b"sin(1e400*x)", b"1e999999999999*x", b"sin", b"x y",
            b"", b"()", b"x^(1e300)", b"atan(1e999999)", b"sin(10^300 + x)", b"(x+y)^1000.5", b"\xe9", b"tan(1e5000)"]


def damaged(draw, body):
    """One to four changes: bytes, words, lines; a third keeps its old checksum."""
    for _ in range(draw.randint(1, 4)):
        kind, lines = draw.randrange(6), body.split(b"\n")
        i = draw.randrange(len(lines))
        words = lines[i].split(b" ")
        if kind == 0 and body:
            at = draw.randrange(len(body))
            body = body[:at] + bytes([draw.randrange(256)]) + body[at + 1 :]
            continue
        if kind == 1:
            lines.insert(draw.randrange(len(lines)), lines[i])
        elif kind == 2:
            del lines[i : i + draw.randint(1, 3)]
        elif kind == 3:
            words.insert(draw.randrange(len(words)), draw.choice(HOSTILE))
            lines[i] = b" ".join(words)
        else:
            words[draw.randrange(len(words))] = draw.choice(HOSTILE)
            lines[i] = b" ".join(words)
        body = b"\n".join(lines)
    return body


def hostile(bench, texts):
    """Whatever a file holds, the checker answers in one line, and never with Python's own complaint."""
    draw, versions = random.Random(2385), []
    for i in range(300):
        text = texts[draw.choice(sorted(texts))]
        body = damaged(draw, text[: text.rindex(b"sha256 ")])
        versions.append((f"damage {i}", sealed(body) if i % 3 else body + text[text.rindex(b"sha256 ") :]))
    body = texts["formula"][: texts["formula"].rindex(b"sha256 ")]
    for formula in FORMULAS:
        versions.append((formula[:20].decode("latin-1"), sealed(re.sub(rb"(?m)^formula .*$", lambda _: b"formula " + formula, body))))
    paths = []
    for i, (_, text) in enumerate(versions):
        paths.append(os.path.join(bench.folder, f"hostile{i}"))
        with open(paths[-1], "wb") as out:
            out.write(text)
    r = run_checker(*paths)
    answers = [line for line in r.stdout.decode().splitlines() if line.startswith(bench.folder)]
    check(r.returncode == 1 and len(answers) == len(versions) and not r.stderr,
          f"{len(versions)} hostile files get an answer each", r.stderr.decode()[-600:] + f"{len(answers)} answers")
    # what is not part of the proof, such as a comment, may change
    held = [name for (name, _), line in zip(versions, answers) if ": rejected" not in line]
    check(not held, "and none is accepted", held)


def others(bench, text):
    """What is not a number: other problems, missing steps, other directions."""
    body = text[: text.rindex(b"sha256 ")]
    lines = body.split(b"\n")
    nodes = [i for i, line in enumerate(lines) if line.startswith(b"node ")]
    versions = [
        ("another problem", body.replace(b"problem hosaki", b"problem power")),
        ("another rule", body.replace(b"rule gradient", b"rule amplified-gradient")),
        ("a step left out", b"\n".join(lines[: nodes[3]] + lines[nodes[4] :])),
        ("the last step left out", b"\n".join(lines[: nodes[-1]]) + b"\n"),
        ("fewer steps stated", body.replace(b"steps 12", b"steps 11")),
        ("a negative omega", body.replace(b"omega 0x", b"omega -0x")),
        ("not a number", re.sub(rb"omega \S+", b"omega nan", body)),
        ("an infinite bound", re.sub(rb"epsilon \S+", b"epsilon inf", body)),
        ("a line more", body + b"node 13 0\n"),
        ("no directions", re.sub(rb"node 0 \d+", b"node 0 9", body)),
        ("nothing", b""),
    ]
    got = bench.accepted([(name, sealed(text)) for name, text in versions])
    check(not got, "what does not fit is rejected, with a checksum that fits", got)
    step = re.search(rb"^parameters (\S+) ", body, re.M)
    got = bench.accepted([("step", sealed(body.replace(step.group(1), b"0x13333334333333p-54")))])
    check(b"parameters 0x13333333333333p-54" in body and not got, "another learning rate, 2e-8 from it, is rejected", got)


def main():
    with tempfile.TemporaryDirectory() as folder:
        example = os.path.join(folder, "members.yaml")
        with open(example, "w", encoding="ascii") as out:
            out.write(MEMBERS)
        out = os.path.join(folder, "out")
        answer = answer_of(analyse("shadow", example, "-o", out, "--json"))
        members = answer["members"]
        if any("optdyn-arb.so" in str(m["missing"].get("certificate")) for m in members):
            tap.skip("certificates", "the module for ball arithmetic is not built")
            return tap.end()
        for m in members:
            c = m["certificate"]
            check(c is not None and 0 < c["epsilon"] < 1e-12, f"{m['label']} is certified", m["missing"])
            if c is None:
                continue
            if c["states"] == "the nearest orbit found":
                low, high = m["minimax"]["lower"], m["minimax"]["upper"]
                # the radius is the one of a computed orbit, raised by epsilon and rounding
                near = high <= c["radius"] <= high + 2 * c["epsilon"] + 1e-14 and (low is None or low <= c["radius"])
                check(near, f"the radius of {m['label']} is proven to rounding", (m["minimax"], c))
            r = run_checker(c["file"])
            check(r.returncode == 0 and b"holds" in r.stdout, f"the checker confirms {m['label']}", r.stdout + r.stderr)
        bench = Bench(folder)
        texts = {}
        for name in "hosaki", "valley", "formula", "power":
            with open(os.path.join(out, name + ".certificate"), "rb") as file:
                texts[name] = file.read()
        for name in "hosaki", "valley":
            mutations(bench, texts[name])
        hostile(bench, texts)
        others(bench, texts["hosaki"])
        with open(example, "w", encoding="ascii") as out:
            out.write(MEMBERS[: MEMBERS.index("compare")])
        m = answer_of(analyse("shadow", example, "--json", problem="styblinski-tang", method__step=0.01))
        check(m["certificate"] is None and "cannot be evaluated" in m["missing"]["certificate"], "others are refused", m["missing"])
        r = run_checker()
        check(r.returncode == 2, "no file is bad usage", r)
        r = run_checker(os.path.join(folder, "none"))
        check(r.returncode == 2, "a missing file is bad usage", r)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
