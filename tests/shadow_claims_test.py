"""Theorems on shadows as claims: verdicts, and numbers of the catalogue of references.
SPDX-License-Identifier: GPL-3.0-or-later"""

import math
import sys

from tap import analyse, answer_of, check, end

EXAMPLE = sys.argv[2] + "/examples/shadow.yaml"


def claims(problem, method, start, iterations, **sets):
    answer = answer_of(analyse("shadow", EXAMPLE, "--json", problem=problem, method=method, start="{x: %s}" % start,
                               iterations=iterations, **sets))
    return {c["id"]: c for c in answer["claims"]}


def quadratic(*eigenvalues):
    return "{name: quadratic, eigenvalues: %s}" % list(eigenvalues)


def descent(h):
    return "{name: gradient, step: %.17g}" % h


def heavy_ball(alpha, h):
    return "{name: heavy-ball, alpha: %.17g, step: %.17g}" % (alpha, h)


def is_claim(found, name, verdict, predicted=None, measured=None, tolerance=1e-9):
    c = found.get(name)
    right = c is not None and c["verdict"] == verdict
    for got, want in ((c or {}).get("predicted"), predicted), ((c or {}).get("measured"), measured):
        right = right and (want is None or abs(got - want) <= tolerance * max(1, abs(want)))
    check(right, f"{name} {verdict}", c)


def main():
    # sharpness numbers of the source: 0.37 against 0.5, 0.02 against 0.05
    f = claims(quadratic(1), descent(1), [1], 20)
    is_claim(f, "shadow-delta", "holds", 0.5, math.exp(-1))
    is_claim(f, "shadow-radius", "holds", 0.5, math.exp(-1))
    f = claims(quadratic(1), descent(0.1), [1], 100)
    is_claim(f, "shadow-radius", "holds", 0.05, 0.0192010010714423)
    is_claim(f, "shadow-radius-quadratic", "holds", 0.1 / math.e, 0.0192010010714423)
    is_claim(f, "shadow-convex-growth", "fails", 2)
    # mu L of the source against h l/e: 25.0 and 0.1178794
    f = claims(quadratic(1, 0.01), descent(0.5), [1, 1], 500)
    is_claim(f, "shadow-radius", "holds", 25.001249968751562, 0.11787944378731445)
    is_claim(f, "shadow-radius-quadratic", "holds", 0.5 * math.hypot(1, 0.01) / math.e, 0.11787944378731445)
    # R = l L h/2 = 0.05 to one side: x_{k+1} = 0.9 x_k + 0.005, eps <= 0.1
    want = max(abs(0.05 + 0.95 * 0.9**k - math.exp(-0.1 * k)) for k in range(101))
    is_claim(claims(quadratic(1), descent(0.1), [1], 100), "shadow-perturbed", "holds", 0.1, want)
    # a flat direction is no error; a quartic: x^4/4, largest distance at k = 4
    f = claims("{name: power, p: 4, c: 0.25}", descent(0.1), [1], 100)
    is_claim(f, "shadow-convex-path", "holds", None, 0.0205830380082632)
    is_claim(f, "shadow-convex-growth", "fails")
    check(f["shadow-radius"]["error"]["model"] is None, "constants that are seen along the way leave a model error unknown")
    # concave: backward error of the catalogue
    f = claims(quadratic(-1), descent(0.2), [1], 7)
    is_claim(f, "shadow-concave", "holds", 0.2 * math.exp(1.4) / 2, 0.137869219075500)
    is_claim(f, "shadow-expansion-sharp", "holds", None, 0.137869219075500)
    check(abs(f["shadow-expansion"]["predicted"] / f["shadow-expansion-sharp"]["predicted"] - 1.2) < 1e-12,
          "the sharp form is smaller by rho")
    # saddles of the catalogue, one of them rotated
    for problem, start in ((quadratic(-1, 1), [0.1, 1]),
                           ("{name: quadratic, matrix: [[0, -1], [-1, 0]]}", [0.9 / 2**0.5 + 0.2 / 2**0.5, 0.2 / 2**0.5 - 0.9 / 2**0.5])):
        f = claims(problem, descent(0.2), start, 7)
        is_claim(f, "shadow-saddle", "holds", None, 0.0415370844 if start == [0.1, 1] else None)
    check("shadow-saddle" not in claims(quadratic(-1, 0, 1), descent(0.2), [0.1, 1, 1], 7), "a flat direction is no saddle")
    # heavy ball
    f = claims(quadratic(1), heavy_ball(1, 0.2), [1], 100, shadow__norm="position")
    is_claim(f, "shadow-hb-delta", "holds", 0.12)
    check("shadow-contraction" not in f, "positions alone are no norm in which the map contracts")
    is_claim(f, "shadow-velocity", "holds", 0.0842360719222495)
    is_claim(f, "shadow-spectrum", "holds", 0, 1 - 0.894427190999916)
    f = claims(quadratic(0.01), heavy_ball(0.01, 0.2), [1], 5000)
    is_claim(f, "shadow-jerk", "fails", 4e-4, 9.3134e-4, 1e-8)
    is_claim(f, "shadow-jerk-corrected", "holds", (0.02 + 1) * 0.01)
    f = claims(quadratic(2), heavy_ball(1, 1), [1], 10)
    is_claim(f, "shadow-spectrum", "fails", 0, 0)
    check("shadow-spectrum-corrected" not in f, "the corrected range is open at its end")
    check(claims(quadratic(1), descent(0.1), [1], 10, shadow__direction="flow") == {}, "nothing is said of the other direction")
    return end()


sys.exit(main())
