/* Closed forms that several methods share, on one eigendirection of a quadratic loss.
 *
 * Each fills the propagator phi (row-major 2 x 2): (y, y')(t) = phi (y, y')(t0) for t >= t0. From a singular t0 = 0 the
 * bounded solution is meant, which has no free velocity: the second column is 0. A curvature lambda of any sign is
 * allowed. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_METHODS_CLOSED_H
#define OD_METHODS_CLOSED_H

/** y'' + alpha y' + lambda y = 0, alpha >= 0, over a time s. */
void od_closed_damped(double alpha, double lambda, double s, double phi[4]);

/** y'' + (r/t) y' + lambda y = 0, r > -1. Bessel functions of order (r - 1)/2. */
void od_closed_viscous(double r, double lambda, double t0, double t, double phi[4]);

/** y'' + c(t) (y' + beta y) = 0, c = alpha / (1 - e^{-alpha t}), alpha > 0. Hypergeometric functions 2F1(s, s; 1; .).
 */
void od_closed_exponential(double alpha, double beta, double t0, double t, double phi[4]);

/** The same with c = p/t, p > 0. Bessel functions of order p - 1 in 2 sqrt(p beta t). */
void od_closed_power(double p, double beta, double t0, double t, double phi[4]);

#endif
