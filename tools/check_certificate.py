#!/usr/bin/env python3
"""Checks a certificate that `optdyn shadow` wrote: is there an exact orbit of the map within epsilon of the states?

Shares no code with optdyn, and nothing but Python's standard library is needed. Numbers are intervals of decimals of 40
digits, rounded outwards; the loss is differentiated along with its value (second-order jets), where optdyn
differentiates formulas and computes in binary balls. The theorem is the one of src/arb/proof.h; docs/numerics.md states it.

    check_certificate.py FILE...

Exit status: 0 if every certificate holds, 1 if one is rejected, 2 for bad usage.
SPDX-License-Identifier: GPL-3.0-or-later"""

import decimal
import hashlib
import re
import sys
from decimal import Decimal

TRAPS = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
DOWN = decimal.Context(prec=40, rounding=decimal.ROUND_FLOOR, traps=TRAPS)
UP = decimal.Context(prec=40, rounding=decimal.ROUND_CEILING, traps=TRAPS)
NEAR = decimal.Context(prec=42, traps=TRAPS)
ZERO, ONE = Decimal(0), Decimal(1)
MOST_DIM, MOST_STEPS = 20, 10**6


class Rejected(Exception):
    """The certificate proves nothing."""


# ---------------------------------------------------------------------------------------------- intervals


class Interval:
    __slots__ = ("lo", "hi")

    def __init__(self, lo, hi=None):
        self.lo = lo
        self.hi = lo if hi is None else hi

    def is_zero(self):
        return not self.lo and not self.hi

    def __add__(self, other):
        return Interval(DOWN.add(self.lo, other.lo), UP.add(self.hi, other.hi))

    def __sub__(self, other):
        return Interval(DOWN.subtract(self.lo, other.hi), UP.subtract(self.hi, other.lo))

    def __neg__(self):
        return Interval(self.hi.copy_negate(), self.lo.copy_negate())

    def __mul__(self, other):
        if self.is_zero() or other.is_zero():
            return Interval(ZERO)
        ends = [(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return Interval(min(DOWN.multiply(a, b) for a, b in ends), max(UP.multiply(a, b) for a, b in ends))

    def __truediv__(self, other):
        if other.lo <= 0 <= other.hi:
            raise Rejected("a quotient has no bounds")
        ends = [(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return Interval(min(DOWN.divide(a, b) for a, b in ends), max(UP.divide(a, b) for a, b in ends))

    def largest(self):
        return max(abs(self.lo), abs(self.hi))

    def power(self, n):
        if n < 0:
            return Interval(ONE) / self.power(-n)
        if n == 0:
            return Interval(ONE)
        if n % 2 == 0 and self.lo < 0:
            low = ZERO if self.hi > 0 else -self.hi
            return Interval(low, self.largest()).power(n)
        if self.lo < 0:  # odd: monotone, by modulus
            lo = -Interval(ZERO, -self.lo).power(n).hi
            hi = -Interval(-self.hi).power(n).lo if self.hi < 0 else Interval(ZERO, self.hi).power(n).hi
            return Interval(lo, hi)
        lo = hi = ONE
        for bit in f"{n:b}":  # products of what is not negative, so bounds of the factors give bounds
            lo, hi = DOWN.multiply(lo, lo), UP.multiply(hi, hi)
            if bit == "1":
                lo, hi = DOWN.multiply(lo, self.lo), UP.multiply(hi, self.hi)
        return Interval(lo, hi)


def number(x):
    return Interval(Decimal(x))


def monotone(f, x):
    """decimal rounds these functions correctly, to the nearest: one more unit outwards is a bound."""
    return Interval(DOWN.next_minus(f(DOWN, x.lo)), UP.next_plus(f(UP, x.hi)))


def exp(x):
    y = monotone(decimal.Context.exp, x)
    return Interval(max(y.lo, ZERO), y.hi)


def log(x):
    if x.lo <= 0:
        raise Rejected("a logarithm has no bounds")
    return monotone(decimal.Context.ln, x)


def sqrt(x):
    if x.lo < 0:
        raise Rejected("a square root does not exist")
    y = monotone(decimal.Context.sqrt, x)
    return Interval(max(y.lo, ZERO), y.hi)


def middle(x):
    m = NEAR.divide(NEAR.add(x.lo, x.hi), Decimal(2))
    return m, max(UP.subtract(x.hi, m), UP.subtract(m, x.lo))


def around(centre, radius):
    return centre + Interval(-radius, radius)


def arctangent_series(x):
    """x - x^3/3 + ... for |x| <= 0.3; the terms alternate, so what is left out is below the next one."""
    total, power, square, n = x, x, x * x, 1
    while n < 79:
        power, n = -(power * square), n + 2
        total = total + power / number(n)
    rest = (power * square).largest()
    return around(total, rest)


def make_pi():
    """Machin: pi/4 = 4 atan(1/5) - atan(1/239)."""
    four = number(4)
    return four * (four * arctangent_series(number(1) / number(5)) - arctangent_series(number(1) / number(239)))


PI = make_pi()


def sine_series(x):
    """Taylor for |x| <= 4."""
    total, term, square = x, x, x * x
    for n in range(2, 90, 2):
        term = -(term * square) / number(n * (n + 1))
        total = total + term
    return around(total, (term * square).largest())


def sine_at(m):
    turns = (NEAR.divide(m, NEAR.multiply(2, PI.lo))).to_integral_value()
    return sine_series(Interval(m) - number(2) * number(turns) * PI)


def sine(x):
    """|sin x - sin m| <= |x - m|."""
    m, radius = middle(x)
    y = around(sine_at(m), radius)
    return Interval(max(y.lo, -ONE), min(y.hi, ONE))


def cosine(x):
    return sine(x + PI / number(2))


def arctangent(x):
    """As for the sine; the argument is halved until the series is short."""
    m, radius = middle(x)
    y, halvings = Interval(m), 0
    while y.largest() > Decimal("0.3"):
        y = y / (number(1) + sqrt(number(1) + y * y))
        halvings += 1
    return around(arctangent_series(y) * number(2**halvings), radius)


# ---------------------------------------------------------------------------------------------- jets


class Jet:
    """Value, gradient and lower triangle of the Hessian; zeros are left out."""

    __slots__ = ("value", "slope", "bend")

    def __init__(self, value, slope=None, bend=None):
        self.value, self.slope, self.bend = value, slope or {}, bend or {}

    def chain(self, value, first, second):
        slope = {i: first * s for i, s in self.slope.items()}
        bend = {ij: first * b for ij, b in self.bend.items()}
        for i, s in self.slope.items():
            for j, t in self.slope.items():
                if j <= i:
                    add_to(bend, (i, j), second * (s.power(2) if i == j else s * t))
        return Jet(value, slope, bend)

    def __add__(self, other):
        slope, bend = dict(self.slope), dict(self.bend)
        for i, s in other.slope.items():
            add_to(slope, i, s)
        for ij, b in other.bend.items():
            add_to(bend, ij, b)
        return Jet(self.value + other.value, slope, bend)

    def __neg__(self):
        return Jet(-self.value, {i: -s for i, s in self.slope.items()}, {i: -b for i, b in self.bend.items()})

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        slope, bend = {}, {}
        for way, (a, b) in enumerate(((self, other), (other, self))):
            for i, s in b.slope.items():
                add_to(slope, i, a.value * s)
            for ij, c in b.bend.items():
                add_to(bend, ij, a.value * c)
            for i, s in a.slope.items():
                for j, t in b.slope.items():
                    if j < i or (j == i and way == 0):
                        add_to(bend, (i, j), s * t if j < i else number(2) * s * t)
        return Jet(self.value * other.value, slope, bend)

    def __truediv__(self, other):
        if not other.slope:
            inverse = number(1) / other.value
            return self * Jet(inverse)
        inverse = number(1) / other.value
        return self * other.chain(inverse, -inverse.power(2), number(2) * inverse.power(3))

    def power(self, n):
        x = self.value
        return self.chain(x.power(n), number(n) * x.power(n - 1) if n != 0 else number(0),
                          number(n * (n - 1)) * x.power(n - 2) if n not in (0, 1) else number(0))

    def modulus_power(self, p):
        """|x|^p, p >= 2: twice differentiable, also at 0."""
        x = self.value
        low = ZERO if x.lo <= 0 <= x.hi else min(abs(x.lo), abs(x.hi))

        def raised(exponent):
            if exponent.lo == exponent.hi and exponent.lo == exponent.lo.to_integral_value() and exponent.lo <= 64:
                return Interval(low, x.largest()).power(int(exponent.lo))
            ends = [exp(exponent * log(Interval(e))) if e > 0 else number(0) for e in (low, x.largest())]
            return Interval(ends[0].lo, ends[1].hi)

        e, one = Interval(p), number(1)
        first = e * raised(e - one)
        first = first if x.lo >= 0 else -first if x.hi <= 0 else Interval(-first.hi, first.hi)
        return self.chain(raised(e), first, e * (e - one) * raised(e - one - one))


def add_to(table, key, term):
    table[key] = table[key] + term if key in table else term


def jet_exp(a):
    y = exp(a.value)
    return a.chain(y, y, y)


def jet_log(a):
    inverse = number(1) / a.value
    return a.chain(log(a.value), inverse, -inverse.power(2))


def jet_sqrt(a):
    root = sqrt(a.value)
    first = number(1) / (number(2) * root)
    return a.chain(root, first, -first / (number(2) * a.value))


def jet_sin(a):
    s, c = sine(a.value), cosine(a.value)
    return a.chain(s, c, -s)


def jet_cos(a):
    s, c = sine(a.value), cosine(a.value)
    return a.chain(c, -s, -c)


def jet_sinh(a):
    grow, shrink, half = exp(a.value), exp(-a.value), Interval(Decimal("0.5"))
    return a.chain(half * (grow - shrink), half * (grow + shrink), half * (grow - shrink))


def jet_cosh(a):
    grow, shrink, half = exp(a.value), exp(-a.value), Interval(Decimal("0.5"))
    return a.chain(half * (grow + shrink), half * (grow - shrink), half * (grow + shrink))


def jet_atan(a):
    first = number(1) / (number(1) + a.value.power(2))
    return a.chain(arctangent(a.value), first, -(number(2) * a.value * first.power(2)))


def jet_logistic(a):
    return Jet(number(1)) / (Jet(number(1)) + jet_exp(-a))


FUNCTIONS = {
    "exp": jet_exp, "log": jet_log, "sqrt": jet_sqrt, "sin": jet_sin, "cos": jet_cos, "sinh": jet_sinh, "cosh": jet_cosh,
    "atan": jet_atan, "logistic": jet_logistic, "tan": lambda a: jet_sin(a) / jet_cos(a),
    "tanh": lambda a: jet_sinh(a) / jet_cosh(a), "softplus": lambda a: jet_log(Jet(number(1)) + jet_exp(a)),
}  # fmt: skip

# ---------------------------------------------------------------------------------------------- losses


class Formula:
    """Reads a formula and evaluates it as it reads: sums, products, signs, powers to the right, functions."""

    def __init__(self, text, names):
        self.tokens = re.findall(r"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[A-Za-z_]\w*|\S)", text)
        self.names = names

    def __call__(self, x):
        self.at, self.x = 0, x
        y = self.sum()
        if self.at != len(self.tokens):
            raise Rejected(f"the formula goes wrong at '{self.tokens[self.at]}'")
        return y

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *allowed):
        if self.peek() in allowed and self.peek():
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def sum(self):
        y = self.product()
        while sign := self.take("+", "-"):
            y = y + self.product() if sign == "+" else y - self.product()
        return y

    def product(self):
        y = self.signed()
        while sign := self.take("*", "/"):
            y = y * self.signed() if sign == "*" else y / self.signed()
        return y

    def signed(self):
        if sign := self.take("+", "-"):
            return -self.signed() if sign == "-" else self.signed()
        return self.raised()

    def raised(self):
        base = self.atom()
        if not self.take("^"):
            return base
        exponent = self.signed()
        e = exponent.value
        if not exponent.slope and e.lo == e.hi and e.lo == e.lo.to_integral_value() and abs(e.lo) < 10**6:
            return base.power(int(e.lo))
        return jet_exp(exponent * jet_log(base))

    def atom(self):
        token = self.peek()
        self.at += 1
        if token in self.names:
            return self.x[self.names.index(token)]
        if token == "pi":
            return Jet(PI)
        if token == "e":
            return Jet(exp(number(1)))
        if re.match(r"[\d.]", token):
            return Jet(number(token))
        if token in FUNCTIONS or token == "(":
            if token != "(" and not self.take("("):
                raise Rejected(f"the formula lacks a parenthesis behind {token}")
            y = self.sum()
            if not self.take(")"):
                raise Rejected("the formula lacks a closing parenthesis")
            return y if token == "(" else FUNCTIONS[token](y)
        raise Rejected(f"the formula has an unknown '{token}'")


def total(terms):
    y = Jet(number(0))
    for term in terms:
        y = y + term
    return y


def read_loss(file, name, d):
    """A function from jets of x to the jet of f."""
    if name == "quadratic":
        hessian = [file.reals("hessian", d) for _ in range(d)]
        centre = file.reals("centre", d)
        if any(hessian[i][j] != hessian[j][i] for i in range(d) for j in range(i)):
            raise Rejected("the Hessian is not symmetric")

        def quadratic(x):
            y = [x[i] - Jet(Interval(centre[i])) for i in range(d)]
            half = Jet(Interval(Decimal("0.5")))
            squares = (half * Jet(Interval(hessian[i][i])) * y[i].power(2) for i in range(d) if hessian[i][i])
            mixed = (Jet(Interval(hessian[i][j])) * y[i] * y[j] for i in range(d) for j in range(i) if hessian[i][j])
            return total(squares) + total(mixed)

        return quadratic
    if name == "hosaki" and d == 2:
        return Formula("(1 - 8*x + 7*x^2 - 7*x^3/3 + x^4/4)*y^2*exp(-y)", ["x", "y"])
    if name == "rosenbrock" and d > 1:
        a, b = (Jet(Interval(file.reals(word, 1)[0])) for word in ("a", "b"))
        return lambda x: total(b * (x[i + 1] - x[i].power(2)).power(2) + (a - x[i]).power(2) for i in range(d - 1))
    if name == "power":
        p, c = (file.reals(word, 1)[0] for word in ("p", "c"))
        if p < 2:
            raise Rejected("a power below 2 has no curvature at 0")
        return lambda x: Jet(Interval(c)) * total(y.modulus_power(p) for y in x)
    if name == "formula":
        text, names = file.line("formula"), file.line("variables").split()
        if len(names) != d or len(set(names)) != d:
            raise Rejected("the variables do not fit the dimension")
        return Formula(text, names)
    raise Rejected(f"there is no problem '{name}' of {d} dimensions here")


# ---------------------------------------------------------------------------------------------- iterations


def coefficients(name, p, k):
    """a, b, c, tau of v+ = a v - b g(x + c v), x+ = x + tau v+; without momentum x+ = x - b g(x)."""
    p, step, zero, one = Interval(p[0]), Interval(p[1]), number(0), number(1)
    if name == "gradient":
        return zero, p, zero, zero
    if name == "amplified-gradient":
        return zero, number(k) * p, zero, zero
    if name == "viscous":
        return one - p * step, step, zero, step
    if name == "polyak":
        return p, sqrt(step), zero, sqrt(step)
    if name == "memory":
        share = p / (number(k) + p)
        return one - share, share, zero, step
    tau = sqrt(step)
    if name == "nesterov":
        a = number(k - 1) / (number(k - 1) + p) if k > 1 else zero
    elif name == "nesterov-strongly-convex":
        root = sqrt(p * step)
        a = (one - root) / (one + root)
    else:
        raise Rejected(f"there is no rule '{name}' here")
    return a, tau, a * tau, tau


class Map:
    def __init__(self, loss, d, name, parameters):
        self.loss, self.d, self.name, self.parameters = loss, d, name, parameters
        self.momentum = name not in ("gradient", "amplified-gradient")
        self.dim = 2 * d if self.momentum else d

    def _jet(self, k, z):
        a, b, c, tau = coefficients(self.name, self.parameters, k)
        d = self.d
        place = [z[i] + c * z[d + i] for i in range(d)] if self.momentum else z
        return a, b, c, tau, self.loss([Jet(place[i], {i: number(1)}) for i in range(d)])

    def step(self, k, z):
        a, b, _, tau, f = self._jet(k, z)
        d = self.d
        kick = [-(b * f.slope[i]) if i in f.slope else number(0) for i in range(d)]
        if not self.momentum:
            return [z[i] + kick[i] for i in range(d)]
        v = [a * z[d + i] + kick[i] for i in range(d)]
        return [z[i] + tau * v[i] for i in range(d)] + v

    def derivative(self, k, z):
        a, b, c, tau, f = self._jet(k, z)
        d, n = self.d, self.dim
        out = [[number(0)] * n for _ in range(n)]
        for i in range(d):
            for j in range(d):
                bend = f.bend.get((max(i, j), min(i, j)))
                pull = -(b * bend) if bend is not None else number(0)
                same = number(1 if i == j else 0)
                if not self.momentum:
                    out[i][j] = same + pull
                    continue
                out[d + i][j] = pull
                out[d + i][d + j] = a * same + c * pull
                out[i][j] = same + tau * pull
                out[i][d + j] = tau * out[d + i][d + j]
        return out


# ---------------------------------------------------------------------------------------------- matrices


def exact(m):
    return [[Interval(x) for x in row] for row in m]


def transpose(m):
    return [list(row) for row in zip(*m)]


def product(a, b):
    columns = transpose(b)
    return [[dot(row, column) for column in columns] for row in a]


def dot(x, y):
    s = number(0)
    for a, b in zip(x, y):
        if not a.is_zero() and not b.is_zero():
            s = s + a * b
    return s


def minus(a, b):
    return [[x - y for x, y in zip(r, s)] for r, s in zip(a, b)]


def scaled(a, share):
    return [[x / share for x in row] for row in a]


def unit(n, share):
    return [[number(1) / share if i == j else number(0) for j in range(n)] for i in range(n)]


def image(m, s):
    return product(product(m, s), transpose(m))


def norm(rows):
    """Above the Frobenius norm."""
    s = number(0)
    for row in rows:
        for x in row:
            s = s + x.power(2)
    return sqrt(s)


def is_positive(a):
    """Symmetric elimination: all pivots are positive. Reads the lower triangle."""
    a = [list(row) for row in a]
    for i in range(len(a)):
        if a[i][i].lo <= 0:
            return False
        for j in range(i + 1, len(a)):
            if not a[j][i].is_zero():
                factor = a[j][i] / a[i][i]
                for m in range(i + 1, j + 1):
                    a[j][m] = a[j][m] - factor * a[m][i]
    return True


def block(m, rows, columns):
    return [[m[i][j] for j in columns] for i in rows]


def widened(shape, size, at):
    """The shape in the corner (at, at) of a matrix of zeros."""
    out = [[number(0)] * size for _ in range(size)]
    for i, row in enumerate(shape):
        for j, x in enumerate(row):
            out[at + i][at + j] = x
    return out


# ---------------------------------------------------------------------------------------------- the file


class File:
    """The lines, each of which must be asked for by its word, in their order."""

    def __init__(self, path):
        with open(path, "rb") as handle:
            data = handle.read()
        body, mark, digest = data.rpartition(b"sha256 ")
        if not mark or digest != hashlib.sha256(body).hexdigest().encode() + b"\n":
            raise Rejected("it was changed: its checksum is another one")
        self.lines = [line for line in body.decode("ascii", "replace").split("\n") if not line.startswith("#")]
        self.at = 0

    def next(self):
        return self.lines[self.at].partition(" ")[0] if self.at < len(self.lines) else ""

    def line(self, word):
        if self.next() != word:
            raise Rejected(f"expected '{word}', not '{self.next()}'")
        self.at += 1
        return self.lines[self.at - 1].partition(" ")[2]

    def whole(self, word, low, high):
        text = self.line(word)
        if not text.isdigit() or not low <= int(text) <= high:
            raise Rejected(f"'{word} {text}' is out of range")
        return int(text)

    def reals(self, word, count):
        words = self.line(word).split()
        if len(words) != count or not all(re.fullmatch(r"-?0x[0-9a-f]+p[-+]\d+", w) for w in words):
            raise Rejected(f"'{word}' should hold {count} hexadecimal numbers")
        return [Decimal(float.fromhex(w)) for w in words]

    def decimal(self, word):
        text = self.line(word)
        if not re.fullmatch(r"\d\.\d+e[-+]\d+", text):
            raise Rejected(f"'{word} {text}' is no bound")
        return Decimal(text)

    def square(self, word, n):
        x = self.reals(word, n * n)
        return exact([x[i * n : (i + 1) * n] for i in range(n)])

    def shape(self, word, n):
        x = self.reals(word, n * (n + 1) // 2)
        out = [[Interval(ZERO)] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                out[i][j] = out[j][i] = Interval(x[i * (i + 1) // 2 + j])
        return out


class Node:
    """One step of the pseudo-orbit, and what divides its directions."""

    def __init__(self, file, n, k, last, before, weighed):
        numbers = file.line("node").split()
        self.directions = int(numbers[1]) if len(numbers) == 2 and numbers[1].isdigit() else -1
        if numbers[0] != str(k) or not 0 <= self.directions <= (0 if last else before):
            raise Rejected(f"step {k} is not there")
        self.state = file.reals("state", n)
        self.target = file.reals("target", n) if weighed else None
        self.frame = file.square("frame", n)
        self.sizes = file.reals("sizes", 2)
        self.stable_count = n - before if k > 0 else 0
        self.stable = file.shape("stable", self.stable_count)
        self.unstable = file.shape("unstable", self.directions)
        if not last:
            self.shares = [Interval(x) for x in file.reals("shares", 3)]
            self.linear = file.square("linear", n)


# ---------------------------------------------------------------------------------------------- the theorem


def check_shapes(n, node, later):
    """The inequalities of one step."""
    p, t = node.directions, node.linear
    first, rest = range(p), range(p, n)
    if any(not t[i][j].is_zero() for i in rest for j in first):
        return False
    a, b, c = node.shares
    stable = widened(node.stable, n - p, n - p - node.stable_count)
    if min(a.lo, b.lo, c.lo) <= 0 or (number(1) - a).lo <= 0 or (number(1) - b - c).lo <= 0:
        return False
    grown = scaled(image(block(t, rest, rest), stable), a)
    if not is_positive(minus(minus(later.stable, grown), unit(n - p, number(1) - a))):
        return False
    left = image(block(t, first, first), node.unstable)
    left = minus(left, scaled(widened(later.unstable, p, 0), b))
    left = minus(left, scaled(image(block(t, first, rest), stable), c)) if p < n else left
    return is_positive(minus(left, unit(p, number(1) - b - c)))


def check_size(shape, size):
    top = [[Interval(size) if i == j else number(0) for j in range(len(shape))] for i in range(len(shape))]
    return size >= 0 and is_positive(minus(top, shape))


def frame_bounds(frame):
    """Above |Q| and |Q^-1|."""
    n = len(frame)
    off = norm(minus(product(transpose(frame), frame), unit(n, number(1)))).hi
    if off >= 1:
        raise Rejected("a frame is not orthonormal")
    return sqrt(number(1) + Interval(off)).hi, (number(1) / sqrt(number(1) - Interval(off))).hi


def up(*factors):
    y = ONE
    for x in factors:
        y = UP.multiply(y, x)
    return y


def prove(rule, nodes, omega):
    """epsilon: an exact orbit is within it of the states."""
    n, epsilon = rule.dim, ZERO
    bounds = [frame_bounds(node.frame) for node in nodes]
    tubes = []
    for k, node in enumerate(nodes):
        if not check_size(node.stable, node.sizes[0]) or not check_size(node.unstable, node.sizes[1]):
            raise Rejected(f"a shape is larger than stated at k = {k}")
        gamma = sqrt(Interval(node.sizes[0]) + Interval(node.sizes[1])).hi
        tubes.append((gamma, up(bounds[k][0], gamma, omega)))
        epsilon = max(epsilon, tubes[k][1])
    for k, (node, later) in enumerate(zip(nodes, nodes[1:])):
        if not check_shapes(n, node, later):
            raise Rejected(f"an inequality of shapes does not hold at k = {k}")
        gamma, tube = tubes[k]
        x = [Interval(s) for s in node.state]
        slip = norm([[Interval(s) - y for s, y in zip(later.state, rule.step(k, x))]]).hi
        around_x = [Interval(DOWN.subtract(s, tube), UP.add(s, tube)) for s in node.state]
        moved = product(rule.derivative(k, around_x), node.frame)
        defect = norm(minus(moved, product(later.frame, node.linear))).hi
        if up(bounds[k + 1][1], UP.add(up(defect, gamma, omega), slip)) > omega:
            raise Rejected(f"the local error or the curvature is larger than omega allows at k = {k}")
    return epsilon


def distance(nodes, weights, epsilon):
    """max |x_k - y_k| + epsilon in the norm of the weights."""
    most = ZERO
    for node in nodes:
        gaps = [Interval(w) * (Interval(x) - Interval(y)) for w, x, y in zip(weights, node.state, node.target)]
        most = max(most, norm([gaps]).hi)
    return UP.add(most, up(max(weights), epsilon))


def check(path):
    file = File(path)
    if file.line("optdyn") != "certificate 1":
        raise Rejected("it is no certificate of a kind that is known here")
    stated = file.decimal("epsilon")
    radius = file.decimal("radius") if file.next() == "radius" else None
    name, d = file.line("problem"), file.whole("dimension", 1, MOST_DIM)
    loss = read_loss(file, name, d)
    rule = Map(loss, d, file.line("rule"), file.reals("parameters", 2))
    n = rule.dim
    steps = file.whole("steps", 1, MOST_STEPS)
    omega = file.reals("omega", 1)[0]
    weights = file.reals("weights", n) if radius is not None else None
    nodes, before = [], n
    for k in range(steps + 1):
        nodes.append(Node(file, n, k, k == steps, before, radius is not None))
        before = nodes[-1].directions
    if file.lines[file.at :] != [""]:
        raise Rejected("something stands behind the last step")
    if nodes[0].sizes[0] != 0 or nodes[-1].sizes[1] != 0 or omega < 0:
        raise Rejected("the ends are not free of forcing")
    epsilon = prove(rule, nodes, omega)
    if epsilon > stated:
        raise Rejected(f"epsilon {stated} is not proven, only {UP.plus(epsilon):.9e}")
    said = f"holds: an exact orbit of the map is within {stated} of the {steps + 1} states"
    if radius is not None:
        near = distance(nodes, weights, epsilon)
        if min(weights) < 0 or near > radius:
            raise Rejected(f"radius {radius} is not proven, only {UP.plus(near):.9e}")
        said += f" and within {radius} of the targets"
    return said


def main(paths):
    if not paths or any(p.startswith("-") for p in paths):
        print(__doc__)
        return 2
    failed = False
    for path in paths:
        try:
            print(f"{path}: {check(path)}")
        except (Rejected, ArithmeticError, ValueError, IndexError, RecursionError) as error:
            failed = True
            print(f"{path}: rejected: {error or type(error).__name__}")
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
            return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
