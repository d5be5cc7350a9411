/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relation.h"

#include <math.h>

/* P(|T| <= t), finite sums in the angle atan(t / sqrt n). */
static double within(size_t n, double t)
{
    const double angle = atan(t / sqrt((double)n)), c = cos(angle), s = sin(angle);
    double term = n % 2 == 0 ? 1 : c, sum = n == 1 ? 0 : term;
    for (size_t k = n % 2 == 0 ? 2 : 3; k + 1 < n; k += 2) {
        term *= c * c * (double)(k - 1) / (double)k;
        sum += term;
    }
    return n % 2 == 0 ? s * sum : 2 / acos(-1) * (angle + s * sum);
}

double od_relation_student(size_t degrees)
{
    double low = 1, high = 13;
    for (int trial = 0; trial < 60; trial++) {
        const double middle = (low + high) / 2;
        *(within(degrees, middle) < 0.95 ? &low : &high) = middle;
    }
    return low;
}

static int counts(double x, double y)
{
    return x > 0 && y > 0 && isfinite(x) && isfinite(y);
}

od_relation od_relation_fit(size_t n, const double *x, const double *y)
{
    od_relation r = {0, NAN, NAN, NAN};
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        if (counts(x[i], y[i])) {
            r.used++;
            mean_x += log(x[i]);
            mean_y += log(y[i]);
        }
    }
    mean_x /= (double)r.used;
    mean_y /= (double)r.used;
    for (size_t i = 0; i < n; i++) {
        if (counts(x[i], y[i])) {
            xx += (log(x[i]) - mean_x) * (log(x[i]) - mean_x);
            xy += (log(x[i]) - mean_x) * (log(y[i]) - mean_y);
        }
    }
    if (r.used < 2 || !(xx > 0)) {
        return r;
    }
    r.slope = xy / xx;
    for (size_t i = 0; i < n; i++) {
        const double residual = counts(x[i], y[i]) ? log(y[i]) - mean_y - r.slope * (log(x[i]) - mean_x) : 0;
        off += residual * residual;
    }
    if (r.used > 2) {
        const double half = od_relation_student(r.used - 2) * sqrt(off / (double)(r.used - 2) / xx);
        r.low = r.slope - half;
        r.high = r.slope + half;
    }
    return r;
}
