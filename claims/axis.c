/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "axis.h"

#include <math.h>

double od_axis_entry(const od_spectrum *s, size_t d, size_t i, size_t k)
{
    return s->rotation != NULL ? s->rotation[k * d + i] : i == k;
}

double od_axis_dot(const od_spectrum *s, size_t d, size_t i, const double *u)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++) {
        sum += od_axis_entry(s, d, i, k) * u[k];
    }
    return sum;
}

double od_axis_along(const od_spectrum *s, size_t d, size_t i, const double *x)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++) {
        sum += od_axis_entry(s, d, i, k) * (x[k] - s->centre[k]);
    }
    return sum;
}

size_t od_axis_steepest(const od_spectrum *s, size_t d)
{
    size_t at = 0;
    for (size_t i = 1; i < d; i++) {
        at = fabs(s->eigenvalues[i]) > fabs(s->eigenvalues[at]) ? i : at;
    }
    return at;
}

od_status od_axis_image(const od_axis_map *a, uint64_t k, size_t i, double x, double v, double out[2], double *off)
{
    const bool moving = a->map->dim > a->d;
    double tau;
    for (size_t j = 0; j < a->d; j++) {
        a->z[j] = a->s->centre[j] + x * od_axis_entry(a->s, a->d, i, j);
        if (moving) {
            a->z[a->d + j] = v * od_axis_entry(a->s, a->d, i, j);
        }
    }
    const od_status status = a->map->step(a->map, k, 1, a->z, NULL, NULL, &tau, a->ws);
    out[0] = od_axis_along(a->s, a->d, i, a->z);
    out[1] = moving ? od_axis_dot(a->s, a->d, i, a->z + a->d) : 0;
    *off = 0;
    for (size_t j = 0; j < a->d; j++) {
        *off = fmax(*off, fabs(a->z[j] - a->s->centre[j] - out[0] * od_axis_entry(a->s, a->d, i, j)));
    }
    return status;
}

od_status od_axis_matrix(const od_axis_map *a, uint64_t k, size_t i, double matrix[2][2])
{
    double x[2] = {NAN, NAN}, v[2] = {NAN, NAN}, off;
    od_status status = od_axis_image(a, k, i, 1, 0, x, &off);
    status = status == OD_OK ? od_axis_image(a, k, i, 0, 1, v, &off) : status;
    for (int row = 0; row < 2; row++) {
        matrix[row][0] = x[row];
        matrix[row][1] = v[row];
    }
    return status;
}

void od_axis_moduli(double matrix[2][2], double modulus[2])
{
    const double half = (matrix[0][0] + matrix[1][1]) / 2,
                 det = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0], disc = half * half - det;
    modulus[0] = disc < 0 ? sqrt(det) : fabs(half) + sqrt(disc);
    modulus[1] = disc < 0 ? modulus[0] : modulus[0] > 0 ? fabs(det) / modulus[0] : 0;
}
