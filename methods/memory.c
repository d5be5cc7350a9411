/*
 * The memory method: the velocity is minus a weighted mean of all past gradients, with weights m'(s)/m(t) that
 * integrate to one. The memory function m says how past gradients are forgotten.
 *
 *   flow   x' = v, v' = -(m'/m)(v + g(x)); from t = 0, where m = 0, the bounded solution has v(0) = -g(x_0).
 *          With noise, v' = -(m'/m)(v + g + sigma dB/dt).
 *   map    v+ = rho_k v - (1 - rho_k) G_k, x+ = x + eta v+, v_k = (x_k - x_{k-1})/eta. rho_k = k/(k + p) for m = t^p,
 *          which is x+ = x + (k/(k+p)) (x - x_prev) - (p/(k+p)) eta G_k; else rho_k = m(k eta)/m((k+1) eta). In both
 *          the weights of the past gradients sum to one. One iteration stands for time eta.
 *
 * The memory functions (the thesis' Table 1; its coefficient of decaying is misprinted as 1/(t ln(t + 1))):
 *
 *   decaying           ln(1 + t)       m'/m = 1/((1 + t) ln(1 + t))
 *   constant           t               1/t
 *   square-root        t^1.5           1.5/t
 *   linear             t^2             2/t
 *   quadratic          t^3             3/t
 *   polynomial         t^p             p/t
 *   exponential        e^{alpha t}-1   alpha/(1 - e^{-alpha t})
 *   super-exponential  e^{t^alpha}-1   alpha t^{alpha-1}/(1 - e^{-t^alpha})
 *   instantaneous      the limit of no memory: v = -g, the gradient flow and gradient descent
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "closed.h"
#include "law.h"
#include "momentum.h"

#include <math.h>
#include <string.h>

extern const od_method_type od_method_gradient;

/* what the parameters p hold: the exponent p or alpha of m, and the learning rate of the map */
enum { SHAPE, ETA };

/* t^p */

static double power_coefficient(const double *p, double t)
{
    return p[SHAPE] / t;
}

static void power_lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = p[SHAPE] * log(t);
    a[1] = p[SHAPE] / t;
    b[0] = log(p[SHAPE]) + (p[SHAPE] - 1) * log(t);
    b[1] = (p[SHAPE] - 1) / t;
}

static void power_weights(const double *p, uint64_t k, double c[2])
{
    c[0] = (double)k / ((double)k + p[SHAPE]);
    c[1] = p[SHAPE] / ((double)k + p[SHAPE]);
}

static bool power_propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    od_closed_power(p[SHAPE], lambda, t0, t, phi);
    return true;
}

/* ln(1 + t) */

static double decaying_coefficient(const double *p, double t)
{
    (void)p;
    return 1 / ((1 + t) * log1p(t));
}

static void decaying_lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = log(log1p(t));
    a[1] = decaying_coefficient(p, t);
    b[0] = -log1p(t);
    b[1] = -1 / (1 + t);
}

static void decaying_weights(const double *p, uint64_t k, double c[2])
{
    const double t = (double)k * p[ETA], next = log1p((double)(k + 1) * p[ETA]);
    c[0] = log1p(t) / next;
    c[1] = log1p(p[ETA] / (1 + t)) / next;
}

/* e^{alpha t} - 1 */

static double exponential_coefficient(const double *p, double t)
{
    return p[SHAPE] / -expm1(-p[SHAPE] * t);
}

static void exponential_lagrangian(const double *p, double t, double a[2], double b[2])
{
    a[0] = p[SHAPE] * t + log(-expm1(-p[SHAPE] * t));
    a[1] = exponential_coefficient(p, t);
    b[0] = log(p[SHAPE]) + p[SHAPE] * t;
    b[1] = p[SHAPE];
}

/* e^s - 1 at s and at s + gap */
static void exponential_ratio(double s, double gap, double c[2])
{
    const double next = -expm1(-(s + gap));
    c[0] = exp(-gap) * -expm1(-s) / next;
    c[1] = -expm1(-gap) / next;
}

static void exponential_weights(const double *p, uint64_t k, double c[2])
{
    exponential_ratio(p[SHAPE] * p[ETA] * (double)k, p[SHAPE] * p[ETA], c);
}

static bool exponential_propagator(const double *p, double lambda, double t0, double t, double phi[4])
{
    od_closed_exponential(p[SHAPE], lambda, t0, t, phi);
    return true;
}

/* e^{t^alpha} - 1 */

static double super_coefficient(const double *p, double t)
{
    return p[SHAPE] * pow(t, p[SHAPE] - 1) / -expm1(-pow(t, p[SHAPE]));
}

static void super_lagrangian(const double *p, double t, double a[2], double b[2])
{
    const double s = pow(t, p[SHAPE]);
    a[0] = s + log(-expm1(-s));
    a[1] = super_coefficient(p, t);
    b[0] = log(p[SHAPE]) + (p[SHAPE] - 1) * log(t) + s;
    b[1] = (p[SHAPE] - 1) / t + p[SHAPE] * pow(t, p[SHAPE] - 1);
}

static void super_weights(const double *p, uint64_t k, double c[2])
{
    const double s = pow((double)k * p[ETA], p[SHAPE]), next = pow((double)(k + 1) * p[ETA], p[SHAPE]);
    /* next - s without cancellation */
    exponential_ratio(s, k > 0 ? next * -expm1(p[SHAPE] * log1p(-1 / (double)(k + 1))) : next, c);
}

typedef struct forgetting {
    const char *name;
    const char *shape; /* the parameter it takes, or NULL */
    double exponent;   /* of m at t = 0; NaN: it is the parameter */
    double (*coefficient)(const double *p, double t);
    void (*lagrangian)(const double *p, double t, double a[2], double b[2]);
    void (*weights)(const double *p, uint64_t k, double c[2]); /* rho_k and 1 - rho_k */
    bool (*propagator)(const double *p, double lambda, double t0, double t, double phi[4]);
} forgetting;

#define POWER(name, shape, exponent)                                                                                   \
    {                                                                                                                  \
        name, shape, exponent, power_coefficient, power_lagrangian, power_weights, power_propagator                    \
    }

static const forgetting forgettings[] = {
    POWER("constant", NULL, 1),
    POWER("square-root", NULL, 1.5),
    POWER("linear", NULL, 2),
    POWER("quadratic", NULL, 3),
    POWER("polynomial", "p", NAN),
    {"decaying", NULL, 1, decaying_coefficient, decaying_lagrangian, decaying_weights, NULL},
    {"exponential", "alpha", 1, exponential_coefficient, exponential_lagrangian, exponential_weights,
     exponential_propagator},
    {"super-exponential", "alpha", NAN, super_coefficient, super_lagrangian, super_weights, NULL},
    {"instantaneous", NULL, 0, NULL, NULL, NULL, NULL},
};

static const forgetting *find(const char *name)
{
    size_t i = 0;
    while (strcmp(forgettings[i].name, name) != 0) {
        i++; /* the choice was checked against the table of parameters */
    }
    return &forgettings[i];
}

/* The row and its parameter; refuses one that it does not take, which would be silently ignored. */
static od_status read(od_context *ctx, const od_settings *s, const forgetting **row, double *shape)
{
    const char *const names[2] = {"p", "alpha"};
    const forgetting *f = *row = find(od_setting_text(s, "forgetting"));
    *shape = f->exponent;
    for (size_t i = 0; i < 2; i++) {
        const bool wanted = f->shape != NULL && strcmp(f->shape, names[i]) == 0;
        if (wanted && !od_setting_present(s, names[i])) {
            return od_setting_fail(ctx, s, names[i], "%s forgetting needs its %s; give a number", f->name, names[i]);
        }
        if (!wanted && od_setting_present(s, names[i])) {
            return od_setting_fail(ctx, s, names[i], "%s forgetting takes no %s; remove it, or choose forgetting: %s",
                                   f->name, names[i], i == 0 ? "polynomial" : "exponential or super-exponential");
        }
        if (wanted) {
            *shape = od_setting_real(s, names[i]);
        }
    }
    if (f->coefficient == super_coefficient && *shape < 1) {
        return od_setting_fail(ctx, s, "alpha",
                               "%g is out of range: super-exponential forgetting e^{t^alpha} - 1 has a derivative at 0 "
                               "only for alpha >= 1",
                               *shape);
    }
    return OD_OK;
}

static od_status memory_flow(od_context *ctx, const od_settings *s, const od_problem *f, const char *face,
                             od_flow *flow)
{
    const forgetting *row;
    double shape;
    od_status status = read(ctx, s, &row, &shape);
    if (status != OD_OK) {
        return status;
    }
    if (row->coefficient == NULL) {
        return od_method_gradient.flow(ctx, s, f, face, flow);
    }
    const od_law law = {.order = 2,
                        .p = {shape},
                        .damping = row->coefficient,
                        .force = row->coefficient,
                        .start = OD_START_MEMORY,
                        .q = isnan(row->exponent) ? shape : row->exponent,
                        .c = 1,
                        .graded = 1,
                        .propagator = row->propagator,
                        .no_propagator = "none is known for decaying and super-exponential forgetting",
                        .lagrangian = row->lagrangian};
    return od_law_flow(ctx, s, f, &law, od_setting_real(s, "step"), flow);
}

static od_status memory_map(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map)
{
    const forgetting *row;
    double own[OD_DRAW_PARAMS] = {0};
    od_status status = read(ctx, s, &row, &own[SHAPE]);
    if (status != OD_OK) {
        return status;
    }
    if (row->weights == NULL) {
        return od_method_gradient.map(ctx, s, f, face, map);
    }
    status = od_draw_need_step(ctx, s, "the learning rate eta; one iteration stands for time eta");
    own[ETA] = od_setting_real(s, "step");
    return status != OD_OK ? status : od_momentum_map(ctx, s, f, own[ETA], own, row->weights, map);
}

const od_method_type od_method_memory = {
    .name = "memory",
    .summary = "steps along a weighted mean of all past gradients",
    .source = "Orvieto, Kohler, Lucchi (2019), The role of memory in stochastic optimization; Orvieto (2023), Diss. "
              "ETH 29649, eq. (28), Table 1 and Theorem 2.3.2",
    .params = (const od_param[]){{.name = "forgetting",
                                  .kind = OD_CHOICE,
                                  .fallback = "linear",
                                  .unit = "",
                                  .choices = "decaying|constant|square-root|linear|quadratic|polynomial|exponential|"
                                             "super-exponential|instantaneous",
                                  .meaning = "how past gradients are forgotten: the memory function m"},
                                 {.name = "p",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "exponent of polynomial forgetting, m = t^p"},
                                 {.name = "alpha",
                                  .kind = OD_REAL,
                                  .fallback = "",
                                  .unit = "1/time",
                                  .low = 0,
                                  .high = INFINITY,
                                  .low_open = true,
                                  .meaning = "rate of exponential forgetting, m = e^{alpha t} - 1, or exponent of "
                                             "super-exponential forgetting, m = e^{t^alpha} - 1"},
                                 {.name = NULL}},
    .flows = (const od_face[]){{"flow", "x'' + (m'/m)(x' + grad f(x)) = 0"}, {NULL, NULL}},
    .maps = (const od_face[]){{"mean", "v+ = rho_k v - (1 - rho_k) grad f(x), x+ = x + step v+, rho_k = k/(k + p) or "
                                       "m_k/m_{k+1}"},
                              {NULL, NULL}},
    .flow = memory_flow,
    .map = memory_map,
    .correspondence = "one iteration stands for time step; the same weights of past gradients, in sum one",
};
