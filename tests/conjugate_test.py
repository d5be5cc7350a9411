"""Conjugate points through the program: references, laws that tie methods together, free ends, refusals.
SPDX-License-Identifier: GPL-3.0-or-later"""

import math
import os
import subprocess
import sys

import tap
from tap import PROGRAM, analyse, answer_of, check

EXAMPLE = os.path.join(os.path.abspath(sys.argv[2]), "examples", "conjugate.yaml")


def run(*args, **sets):
    """The example with changes; its own interval, [1, 10], goes with its own times."""
    if "until" in sets:
        sets.setdefault("interval", "null")
    return analyse("conjugate", EXAMPLE, *args, **sets)


def answer(*args, **sets):
    return answer_of(run("--json", *args, **sets))


def points(interval, *args, **sets):
    d = answer(*args, until=interval[1], interval=list(interval), start__t=min(interval[0], float(sets.pop("t0", 0))), **sets)
    return [p["t"] for p in d["points"] for _ in range(p["multiplicity"])]


def near(got, want, tolerance=1e-9):
    return len(got) == len(want) and all(abs(g - w) <= tolerance * abs(w) for g, w in zip(got, want))


def quadratics():
    one = {"problem": "{name: quadratic, eigenvalues: [1]}", "start__x": "[1]"}
    # references conj-nag, conj-const, conj-bregman; beyond the interval there are more
    for beta, t1, want in ((0.25, 0.1, (7.6674147005475906, 14.03511070535964)), (4, 1, (2.6219177291434863, 4.2057834561036)),
                           (100, 4, (4.31422749641234, 4.628445732833517)), (1, 0, (3.8317059702075123, 7.0155866698156188))):
        got = points((t1, want[1] * 1.001), problem="{name: quadratic, eigenvalues: [%g]}" % beta, start__x="[1]")
        check(near(got, want), "nesterov, beta = %g, t1 = %g" % (beta, t1), (got, want))
    got = points((0, 63), method="{name: heavy-ball, alpha: 1.99}", **one)
    check(near(got, (31.455270228880018, 62.910540457760035)), "heavy-ball close to critical damping", got)
    got = points((0, 100), method="{name: heavy-ball, alpha: 2}", **one)
    check(got == [], "heavy-ball at critical damping", got)
    for p, c, beta, t1, want in ((3, 0.25, 1, 1, (2.667090710546778, 3.8424916341419326)),
                                 (4, 0.25, 2, 0.5, (1.665171867482262, 2.2412343982162115)),
                                 (2, 1, 2, 0.5, (1.6645191233642895, 2.7861814248248806))):
        got = points((t1, want[1] * 1.001), method="{name: bregman, p: %g, C: %g}" % (p, c),
                     problem="{name: quadratic, eigenvalues: [%g]}" % beta, start__x="[1]")
        check(near(got, want), "bregman, p = %g" % p, (got, want))
    # linear forgetting at time t^2/8 is nesterov at time t
    for t1, want in ((0, (3.8317059702075123, 7.0155866698156188)), (1, (4.355687164040512, 7.53215755647818))):
        got = points((t1 ** 2 / 8, (want[1] * 1.001) ** 2 / 8), method="{name: memory, forgetting: linear}", **one)
        check(near(got, [w * w / 8 for w in want], 1e-11), "memory is nesterov in another time, t1 = %g" % t1, got)
    # weight t: 1/t is not integrable at 0, so that fixing the end there means nothing; the zeros of J0 remain
    got = points((0, 8), "--verify", method="{name: memory, forgetting: constant}", **one)
    check(near(got, [z * z / 4 for z in (2.4048255576957728, 5.5200781102863106)], 1e-11), "constant forgetting from 0", got)
    for method, index in (("memory, forgetting: decaying", 8), ("memory, forgetting: exponential, alpha: 1", 17),
                          ("memory, forgetting: super-exponential, alpha: 1.5", 22),
                          ("memory, forgetting: polynomial, p: 0.5", 5), ("nesterov, r: 0.3", 15), ("bregman, p: 1", 7),
                          ("bregman, p: 4", 100)):
        d = answer("--verify", method="{name: %s}" % method, until=12, start="{x: [1, 1, 1, 1]}",
                   problem="{name: quadratic, eigenvalues: [1, 3, 3, -0.2]}")
        check(d["index"] == d["morse_check"]["index"] == index, method + " from a singular start, verified", d)
    d = answer(until=10, interval="[1, 10]", start__t=1)
    check([(p["multiplicity"], len(p["kernel"])) for p in d["points"]] == [(1, 1), (1, 1), (2, 2), (1, 1), (1, 1), (2, 2), (1, 1)]
          and d["index"] == 9 and d["nullity_at_end"] == 0 and d["verdict"] == "saddle" and d["interval"] == [1, 10]
          and d["points"][0]["kernel"] == [[0, 0, 1]] and d["morse_check"] is None,
          "the example, equal and different curvatures", d)
    dense = answer(until=10, interval="[1, 10]", start__t=1, conjugate__split="false", problem__rotation=3)
    check(near([p["t"] for p in dense["points"]], [p["t"] for p in d["points"]], 1e-11)
          and [p["multiplicity"] for p in dense["points"]] == [p["multiplicity"] for p in d["points"]],
          "the whole frame of a rotated problem says the same", dense)
    d = answer("--verify", until=4.355687164040512, interval="[1, 4.355687164040512]", problem__eigenvalues="[1, 1, 0.5]")
    check(d["index"] == 0 and d["nullity_at_end"] == 2 and d["verdict"] == "degenerate" and len(d["kernel_at_end"]) == 2 and
          d["morse_check"]["agrees"] and d["morse_check"]["nodes"] > 2, "an end that is conjugate", d)
    d = answer("--verify", until=3, interval="[1, 3]", problem__eigenvalues="[1, -1, 0]")
    check(d["points"] == [] and d["verdict"] == "minimiser" and d["morse_check"]["index"] == 0, "a minimiser", d)


def field_zeros(p, t, x, v, end):
    """Zeros of h = a x + t x', a = 2/(p - 2), along x'' + (3/t) x' + p |x|^(p-2) x = 0: RK4 with 1e-4 ln-time steps."""
    a, step, zeros = 2 / (p - 2), 1e-4, []

    def rate(s, x, v):
        t = math.exp(s)
        return t * v, t * (-3 / t * v - p * abs(x) ** (p - 2) * x)
    s, h = math.log(t), a * x + t * v
    while s < math.log(end):
        x1, v1 = rate(s, x, v)
        x2, v2 = rate(s + step / 2, x + step / 2 * x1, v + step / 2 * v1)
        x3, v3 = rate(s + step / 2, x + step / 2 * x2, v + step / 2 * v2)
        x4, v4 = rate(s + step, x + step * x3, v + step * v3)
        before = (s, h)
        x, v, s = x + step / 6 * (x1 + 2 * x2 + 2 * x3 + x4), v + step / 6 * (v1 + 2 * v2 + 2 * v3 + v4), s + step
        h = a * x + math.exp(s) * v
        if h * before[1] < 0:
            zeros.append(math.exp(before[0] + step * before[1] / (before[1] - h)))
    return zeros


def powers():
    quartic = {"problem": "{name: power, p: 4}", "start__x": "[1]"}
    # x = 1/(2t) falls monotonically and is a saddle on every interval with t2/t1 > R
    ratio = 9.220612518873528
    got = answer("--verify", problem="{name: power, p: 4}", start="{t: 1, x: [0.5], v: [-0.5]}", until=800)
    check(near([p["t"] for p in got["points"]], [ratio, ratio ** 2, ratio ** 3]) and got["morse_check"]["index"] == 3,
          "x = 1/(2t) on x^4", got)
    for p, amplitude, ratio in ((6, 0.5946035575013605, 6.648901481025121), (8, 0.6411203831744433, 6.349341001333697)):
        a = 2 / (p - 2)
        got = answer(problem="{name: power, p: %d}" % p, until=50,
                     start="{t: 1, x: [%.17g], v: [%.17g]}" % (amplitude, -a * amplitude))
        check(near([q["t"] for q in got["points"]], [ratio, ratio ** 2]), "the same with p = %d" % p, got)
    # x^4 from rest: none from t* = sqrt 2 on, one before
    for t1, want in ((0, [math.sqrt(2)]), (0.1, [1.46559181507141]), (0.5, [2.27970109084050]), (1, [5.01966303702453]),
                     (1.2, [8.23186304300244]), (1.5, [])):
        got = points((t1, 200), **quartic)
        check(near(got, want), "x^4 from rest, t1 = %g" % t1, got)
    for p, end, want in ((4, 100, (2.592887065470838, 9.975305772711383, 65.54991956043945)),
                         (6, 5000, (2.283021159023807, 717.4644613129624, 4352.136718407685)),
                         (3, 13, (2.8915248607100326, 6.152275437603039, 12.465877803913566))):
        got = answer(problem="{name: power, p: %d}" % p, start="{t: 1, x: [1], v: [0]}", until=end)
        check(near([q["t"] for q in got["points"]], want), "generic data, p = %d" % p, got)
    # without reference: the zeros of a field that is known along every path are each other's conjugate points
    zeros = field_zeros(3, 1, 1, 0, 30)
    got = answer(problem="{name: power, p: 3}", start="{t: 1, x: [1], v: [0]}", until=30, interval=[zeros[0], 30])
    check(len(zeros) >= 4 and near([q["t"] for q in got["points"]], zeros[1:], 1e-7), "the field h = 2x/(p-2) + t x'",
          (zeros, got))


def free_ends():
    flat = {"problem": "{name: quadratic, eigenvalues: [1, 1]}", "method": "{name: heavy-ball, alpha: 0}",
            "start__x": "[3, 4]", "start__v": "[1.5, 2]", "until": 6}
    # the sphere through (3, 4): v.n/radius = 1/2 in the tangential direction, the radius itself is fixed
    d = answer("--verify", conjugate__free="sphere", **flat)
    want = [math.pi - math.atan(2), math.pi, 2 * math.pi - math.atan(2)]
    check(near([p["t"] for p in d["points"]], want) and d["free_directions"] == 1
          and abs(abs(4 * d["points"][0]["kernel"][0][0] - 3 * d["points"][0]["kernel"][0][1]) / 5 - 1) < 1e-9,
          "a sphere around the minimiser", d)
    d = answer("--verify", conjugate__free="sphere", **{**flat, "until": want[0]})
    check(d["index"] == 0 and d["nullity_at_end"] == 1 and d["morse_check"]["index"] == 0
          and d["morse_check"]["nullity"] == 1, "a path up to a focal point of a sphere", d)
    d = answer("--verify", conjugate__free="[[4, -3]]", **flat)
    check(near([p["t"] for p in d["points"]], [math.pi / 2, math.pi, 1.5 * math.pi])
          and d["morse_check"]["index"] == 3, "a line at a right angle", d)
    for words, free in (("at right angles", "all"), ("at right angles", "[[1, 0]]"), ("directions of 2 numbers", "[[1, 2, 3]]"),
                        ("is no set", "ball"), ("zero or lies in", "[[4, -3], [8, -6]]")):
        r = run(conjugate__free=free, **flat)
        check(r.returncode == 2 and words.encode() in r.stderr, "refused: free = " + free, r.stderr)
    d = answer("--verify", conjugate__free="all", until=5, start__t=0, interval="[0, 5]")
    check(d["index"] == 4 and d["morse_check"]["agrees"] and d["free_directions"] == 3, "free at rest", d)


def few_directions():
    five = {"problem": "{name: quadratic, eigenvalues: [0.4, 3, 1, 3, -0.5], rotation: 4}", "start": "{x: [1, 1, 1, 1, 1]}",
            "method": "nesterov", "until": 12}
    all_points, top = answer(**five)["points"], answer("--verify", conjugate__directions=3, **five)
    times = [p["t"] for p in all_points for _ in range(p["multiplicity"])]
    found = [(p["t"], p["multiplicity"], [len(v) for v in p["kernel"]]) for p in top["points"]]
    # curvatures 3, 3 and 1 stay apart from the rest: their points are points of all, those of 0.4 are not seen
    check(all(min(abs(t - w) for w in times) < 1e-9 * t and lengths == [5] * m for t, m, lengths in found)
          and top["index"] == answer(**{**five, "problem": "{name: quadratic, eigenvalues: [3, 3, 1]}", "start": "{x: [1, 1, 1]}"})["index"]
          < top["morse_check"]["index"] == len(times) and top["directions"] == 3 and top["claims"] == [],
          "eigenvectors of a quadratic", top)
    many = {"problem": "{name: rosenbrock, dim: 2100}", "method": "nesterov", "start": "{t: 0.5, x: {normal: 0.3}}", "seed": 4}
    d = answer("--verify", until=0.62, conjugate__directions=3, **many)
    check(d["index"] == d["morse_check"]["index"] == 1 and not d["morse_check"]["lower_bound"]
          and 0 < d["morse_check"]["miss"] <= 1e-9 and d["verdict"] == "saddle",
          "2100 coupled dimensions: both counts are 1", d)
    d = answer("--verify", until=0.6, conjugate__directions=1, **many)
    check(d["index"] == d["morse_check"]["index"] == 0 and d["verdict"] == "minimiser", "a shorter path is a minimiser", d)
    d = answer(until=0.6, conjugate__directions=1, **many)
    check(d["verdict"] == "undecided", "which one direction alone does not tell", d)
    for words, sets in (("more than 3 dimensions", {"directions": 4}), ("both ends fixed", {"directions": 1, "free": "all"})):
        r = run(until=10, **{"conjugate__" + k: v for k, v in sets.items()})
        check(r.returncode == 2 and words.encode() in r.stderr, "refused: " + words, r.stderr)


def plumbing():
    r = run("--verify").stdout.decode()
    check("multiplicity 2" in r and "agrees" in r and "saddle: 9 independent displacements" in r, "text for people", r)
    members = answer(sweep="{start.t: [0.1, 1, 4]}", until=10)["members"]
    check(near([m["points"][0]["t"] for m in members], (1.931176118965177, 2.6219177291434863, 5.577327746047255))
          and [m["interval"] for m in members] == [[0.1, 10], [1, 10], [4, 10]], "a sweep over t1", members)
    one = run("--json", "--threads", "1").stdout
    check(one and run("--json", "--threads", "2").stdout == one, "the same bits")
    for words, sets in (("not the Euler-Lagrange equation", {"method": "gradient"}),
                        ("its curvature is infinite", {"problem": "{name: power, p: 1.5, dim: 3}"}),
                        ("without noise", {"method": "{name: nesterov, noise: 0.1}",
                                           "integrator": "{name: euler-maruyama, step: 0.125}"})):
        r = run(**sets)
        check(r.returncode == 2 and words.encode() in r.stderr, "refused: " + words, r.stderr)
    r = subprocess.run([PROGRAM, "moments", EXAMPLE, "--verify"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(r.returncode == 2 and b"no second algorithm" in r.stderr, "--verify where there is nothing to verify", r.stderr)


def claims():
    """What each statement says of paths whose answer is known: {id: verdict}, and predicted and measured numbers."""
    def of(interval, **sets):
        d = answer(until=interval[1], interval=list(interval), **sets)
        check(all(c["verdict"] == c["expected"] for c in d["claims"]), "claims as expected", d["claims"])
        check(all((c["counterexample"] is None) == (c["verdict"] != "fails") for c in d["claims"]), "counterexamples", d["claims"])
        return {c["id"]: (c["verdict"], c["predicted"], c["measured"]) for c in d["claims"]}

    def same(got, want):
        return got.keys() == want.keys() and all(
            g[0] == w[0] and all(a == b or abs(a - b) <= 1e-9 * abs(b) for a, b in zip(g[1:], w[1:]) if b is not None)
            for g, w in ((got[k], want[k]) for k in want))
    one = {"problem": "{name: quadratic, eigenvalues: [1]}", "start__x": "[1]"}
    length, j11 = math.sqrt(40), 3.8317059702075123
    bounds = {"saddle-length": ("holds", length, 3.355687164040512), "saddle-length-sharp": ("holds", j11, j11),
              "short-minimum": ("holds", 4.355687164040512, 4.355687164040512)}
    for t2, monotone in ((3, ("holds", 0, 0)), (5, ("fails", 0, 1)), (5.3, None)):  # x turns at j_{2,1} = 5.1356
        got = of((1, t2), **one)
        want = {**bounds, **({"monotone-minimum": monotone} if monotone else {})}
        check(same(got, want), "nesterov up to %g" % t2, got)
    got = of((0, 3), **{**one, "problem": "{name: quadratic, eigenvalues: [0.25, -1, 0.04]}", "start__x": "[1, 0, 1]"})
    check(same(got, {"saddle-length": ("holds", 2 * length, 2 * j11), "saddle-length-sharp": ("holds", 2 * j11, 2 * j11),
                     "short-minimum": ("holds", 2 * j11, 2 * j11), "monotone-minimum": ("holds", 0, 0)}), "the largest curvature", got)
    two = {"problem": "{name: quadratic, eigenvalues: [2]}", "start__x": "[1]"}
    got = of((0, 5), method="{name: heavy-ball, alpha: 0.5}", **two)
    check(same(got, {"constant-damping": ("holds", 2.2569867895723683, 2.2569867895723683),
                     "constant-damping-printed": ("fails", 2.2942948838181905, 2.2569867895723683)}), "heavy-ball", got)
    got = of((0, 50), method="{name: heavy-ball, alpha: 3}", **two)
    check(same(got, {"constant-damping-none": ("holds", 0, 0), "monotone-minimum": ("holds", 0, 0)}), "overdamped", got)
    power = {"problem": "{name: power, p: 4}", "start": "{x: [1]}"}
    got = of((1, 100), **{**power, "start": "{t: 1, x: [0.5], v: [-0.5]}"})  # energy -1/16 in parts of 1/8 and 1/16
    check(same(got, {"flat-minimum": ("fails", 0, -1 / 3), "monotone-minimum": ("fails", 0, 2),
                     "flat-ratio": ("holds", 9.22061251887353, 9.22061251887353)}), "x = 1/(2t) on x^4", got)
    path = {"problem": "{name: power, p: 6}", "start": "{t: 1, x: [0.5946035575013605], v: [-0.29730177875068026]}"}
    got = of((1, 50), **path)  # rests at the well's bottom, y = 1/8^{1/4}: -3/8 y^2 + y^6 in parts of 3/8 y^2 and y^6
    check(same(got, {"flat-minimum": ("fails", None, -0.5), "monotone-minimum": ("fails", 0, 2),
                     "flat-ratio": ("holds", 6.64890148102512, 6.64890148102512)}), "its like on x^6", got)
    for t1, index in ((1, 1), (1.5, 0)):
        got = of((t1, 1e5), **power)
        check(abs(got["flat-minimum"][2]) < 1e-12 and got["flat-minimum"][0] == "holds" and got["monotone-minimum"][2] == index,
              "x^4 from rest, t1 = %g" % t1, got)
    got = of((1, 20), **{**power, "start": "{t: 1, x: [1], v: [0]}"})  # y = y' = 1: energy 1/2 - 1/2 + 1 in parts of 2
    check(same(got, {"flat-minimum": ("fails", 0, None)}) and got["flat-minimum"][2] > 0.3, "x^4, generic data", got)
    for p, sign in ((3, 1), (5, -1), (6, -1)):
        got = of((0.5, 40), **{**power, "problem": "{name: power, p: %d}" % p})["flat-minimum"]
        check(got[0] == "fails" and got[1] is None and sign * got[2] > 0.1, "|x|^%d from rest" % p, got)
    check(answer(until=3, conjugate__free="all", method="{name: heavy-ball, alpha: 1}")["claims"] == [], "no claim on free ends")
    r = run().stdout.decode()
    check("Prop. 2.2.1" in r and "holds, as expected: predicted" in r, "claims as text", r)


for part in (quadratics, powers, free_ends, few_directions, plumbing, claims):
    try:
        part()
    except Exception as e:  # a check that could not be made is one that failed
        check(False, part.__name__ + " could not be finished", repr(e))
sys.exit(tap.end())
