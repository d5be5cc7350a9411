/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adaptive.h"

#include "../src/clones.h"

#include <math.h>
#include <string.h>

/* beta and rate of one mean, from either. */
static od_status read_mean(od_context *ctx, const od_settings *s, const char *beta_name, const char *rate_name,
                           double fallback, bool map, double step, double *beta, double *rate)
{
    const bool by_beta = od_setting_present(s, beta_name);
    if (!od_setting_present(s, rate_name)) {
        *beta = by_beta ? od_setting_real(s, beta_name) : fallback;
        *rate = (1 - *beta) / step;
        return !isnan(step) ? OD_OK
                            : od_setting_fail(ctx, s, "step",
                                              "the flow needs it for its rate %s = (1 - %s)/step; give "
                                              "method.step, or method.%s itself",
                                              rate_name, beta_name, rate_name);
    }
    *rate = od_setting_real(s, rate_name);
    *beta = 1 - *rate * step;
    if (by_beta) {
        return od_setting_fail(ctx, s, rate_name, "it stands for %s by %s = (1 - %s)/step; give one of the two",
                               beta_name, rate_name, beta_name);
    }
    if (map && *beta < -1e-12) {
        return od_setting_fail(ctx, s, rate_name,
                               "with step %g it makes %s = 1 - %s step = %g, which is below 0; give a smaller step",
                               step, beta_name, rate_name, *beta);
    }
    *beta = fmax(*beta, 0);
    return OD_OK;
}

od_status od_adaptive_read(od_context *ctx, const od_settings *s, const double default_beta[2], bool map,
                           od_adaptive *a)
{
    od_status status = map ? od_draw_need_step(ctx, s, "the learning rate") : OD_OK;
    a->step = od_setting_real(s, "step");
    a->eps = od_setting_real(s, "eps");
    a->decay = od_setting_real(s, "decay");
    if (od_setting_present(s, "eps_place")) {
        a->inside = strcmp(od_setting_text(s, "eps_place"), "inside") == 0;
    }
    if (a->momentum && !a->lagged && !od_setting_present(s, "a1") && od_setting_real(s, "beta1") == 0) {
        a->momentum = false;
    }
    if (status == OD_OK && a->momentum) {
        status = read_mean(ctx, s, "beta1", "a1", default_beta[0], map, a->step, &a->beta[0], &a->rate[0]);
    }
    if (status == OD_OK) {
        status = read_mean(ctx, s, "beta2", "a2", default_beta[1], map, a->step, &a->beta[1], &a->rate[1]);
    }
    if (status == OD_OK && a->decay > 0 && isnan(a->step)) {
        status = od_draw_need_step(ctx, s, "the learning rate of the flow decays as (1 + t/step)^-decay");
    }
    return status;
}

/* s is not negative, but a stage of a scheme may be where a gradient falls to 0 within a step; |s| goes on as smoothly
 * as a root can. */
static inline double ratio(bool inside, double eps, double m, double s)
{
    const double size = fabs(s), root = inside ? sqrt(size + eps) : sqrt(size) + eps;
    return m == 0 ? 0 : m / root;
}

OD_CLONES static void direction(const od_adaptive *a, size_t size, double c, const double correction[2],
                                const double *m, const double *s, double *out)
{
    const double eps = a->eps, of_m = correction[0], of_s = correction[1];
    if (a->inside) {
        for (size_t i = 0; i < size; i++) {
            out[i] = c * ratio(true, eps, m[i] / of_m, s[i] / of_s);
        }
    } else {
        for (size_t i = 0; i < size; i++) {
            out[i] = c * ratio(false, eps, m[i] / of_m, s[i] / of_s);
        }
    }
}

void od_adaptive_metric(const od_adaptive *a, size_t size, const double correction[2], const double *s, double *scale)
{
    for (size_t i = 0; i < size; i++) {
        const double s1 = fabs(s[i] / correction[1]);
        scale[i] = correction[0] * (a->inside ? sqrt(s1 + a->eps) : sqrt(s1) + a->eps);
    }
}

OD_CLONES static void slopes(const od_adaptive *a, size_t size, double c, const double correction[2], const double *m,
                             const double *s, double *by_m, double *by_s)
{
    for (size_t i = 0; i < size; i++) {
        const double m1 = m[i] / correction[0], s1 = s[i] / correction[1], away = fabs(s1);
        const double under = sqrt(a->inside ? away + a->eps : away), root = a->inside ? under : under + a->eps;
        by_m[i] = c / (correction[0] * root);
        by_s[i] = m1 == 0 ? 0 : -copysign(c, c * s1) * m1 / (2 * correction[1] * under * root * root);
    }
}

const char *const od_adaptive_negative_words = "a mean of squares is not negative; give a number >= 0";

size_t od_adaptive_negative(size_t d, const double *s)
{
    size_t i = 0;
    while (i < d && !(s[i] < 0)) {
        i++;
    }
    return i;
}

/* Functions that are compiled several times cannot be hidden in a library: these stand before them. */
void od_adaptive_direction(const od_adaptive *a, size_t size, double c, const double correction[2], const double *m,
                           const double *s, double *out)
{
    direction(a, size, c, correction, m, s, out);
}

void od_adaptive_slopes(const od_adaptive *a, size_t size, double c, const double correction[2], const double *m,
                        const double *s, double *by_m, double *by_s)
{
    slopes(a, size, c, correction, m, s, by_m, by_s);
}

void od_adaptive_add_variance(const od_sigma *sigma, double tau, double c, size_t n, double *out)
{
    const bool number = sigma->kind == OD_SIGMA_NUMBER, matrix = sigma->kind == OD_SIGMA_MATRIX;
    for (size_t i = 0; i < sigma->f->dim && (number || matrix); i++) {
        double variance = number ? sigma->number * sigma->number / tau : 0;
        if (matrix) {
            for (size_t j = 0; j < sigma->dim; j++) {
                const double entry = sigma->matrix[i * sigma->dim + j];
                variance += entry * entry / tau;
            }
        }
        for (size_t p = 0; p < n; p++) {
            out[i * n + p] += c * variance;
        }
    }
}
