#!/usr/bin/python3
"""Vectorised NumPy as a peer of `optdyn bench ensemble`; bench/ensemble.h has the equation and the protocol."""

import math
import sys
import time

import numpy

BEGIN, STEP, SIGMA, CURVATURE, VISCOSITY = 0.1, 0.01, 0.1, numpy.array([[1.0], [0.1]]), 3


def sde(n, steps):
    random = numpy.random.default_rng(7)
    x, v, noise = numpy.ones((2, n)), numpy.zeros((2, n)), numpy.empty((2, n))
    root = SIGMA * math.sqrt(STEP)
    begin = time.thread_time()
    for k in range(steps):
        damping = VISCOSITY / (BEGIN + k * STEP)
        random.standard_normal(out=noise)
        slope = -damping * v - CURVATURE * x
        x += STEP * v
        slope *= STEP
        noise *= root
        v += slope
        v -= noise
    return time.thread_time() - begin, x[0].mean()


for line in sys.stdin:
    kind, n, steps = line.split()
    seconds, value = sde(int(n), int(steps)) if kind == "sde" else (-1, 0)
    print(f"{seconds:.9e} {value:.17g}", flush=True)
