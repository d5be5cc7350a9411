/*
 * Measured orders on nonlinear problems that depend on time, regular and singular at the start.
 *
 * Each order is the least-squares slope of log2(error) against log2(step) over the halvings stated with the case; it
 * must be within 0.1 of the order that `describe` states; with dense output not more than 0.1 below it. Errors stay
 * above 2e-14, twenty roundings, and steps are small enough for the leading term.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/parts.h"
#include "src/stepper.h"

enum { N = 3, MAX_DIM = 2, TERMS = 120 };

/* ------------------------------------------------------------------------------------------------ problems */

/* f = c |x|^4 in one dimension, for the methods of the library. */
static od_status quartic_eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value, double *g,
                              double *ws)
{
    (void)ws;
    const double c = *(const double *)f->data;
    for (size_t p = 0; p < n; p++) {
        if ((want & OD_VALUE) != 0) {
            value[p] = c * x[p] * x[p] * x[p] * x[p];
        }
        if ((want & OD_GRADIENT) != 0) {
            g[p] = 4 * c * x[p] * x[p] * x[p];
        }
    }
    return OD_OK;
}

static double quartic_c = 0.83;

static od_problem quartic(void)
{
    return (od_problem){.name = "quartic", .dim = 1, .eval = quartic_eval, .data = &quartic_c};
}

/*
 * u' = cos(t) u (1 - u), w = u + y with y' = -2 t y^2: u = 1/(1 + (1/u0 - 1) e^{-sin t}), y = 1/(t^2 + 1/y0).
 */
static od_status coupled_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow;
    (void)ws;
    for (size_t p = 0; p < n; p++) {
        const double u = z[p], y = z[n + p] - u;
        dz[p] = cos(t) * u * (1 - u);
        dz[n + p] = dz[p] - 2 * t * y * y;
    }
    return OD_OK;
}

static void coupled_exact(double t, const double *z0, double *z)
{
    const double u0 = z0[0], y0 = z0[1] - u0;
    z[0] = 1 / (1 + (1 / u0 - 1) * exp(-sin(t)));
    z[1] = z[0] + 1 / (t * t + 1 / y0);
}

/* The memory flow x'' + (p/t)(x' + g(x)) = 0 on c x^4, with its limit at t = 0 where v = -g. */
static od_status memory_drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    const double p = *(const double *)flow->data;
    for (size_t i = 0; i < n; i++) {
        const double x = z[i], v = z[n + i], g = 4 * quartic_c * x * x * x, curvature = 12 * quartic_c * x * x;
        dz[i] = v;
        dz[n + i] = t == 0 ? p / (1 + p) * curvature * g : -p / t * (v + g);
    }
    return OD_OK;
}

/*
 * Power series of x'' + (r/t) x' + 4 c x^3 = 0 in s = t^2 (memory = false), of x'' + (p/t)(x' + 4 c x^3) = 0 in s = t:
 * a_{k+1} follows from the coefficients of x^3. It converges for |s| below the singularity that the case r = 3 has at
 * t^2 = -2/(c x0^2); the cases here stay inside.
 */
static void series(bool memory, double q, double x0, double t, double *x, double *v)
{
    double a[TERMS + 1] = {x0}, square[TERMS], cube;
    const double s = memory ? t : t * t;
    for (size_t k = 0; k < TERMS; k++) {
        square[k] = cube = 0;
        for (size_t i = 0; i <= k; i++) {
            square[k] += a[i] * a[k - i];
        }
        for (size_t i = 0; i <= k; i++) {
            cube += square[i] * a[k - i];
        }
        const double m = (double)k;
        a[k + 1] = memory ? -q * 4 * quartic_c * cube / ((m + 1) * (m + q))
                          : -4 * quartic_c * cube / ((2 * m + 2) * (2 * m + 1 + q));
    }
    *x = *v = 0;
    for (size_t k = TERMS; k-- > 0;) {
        *x = *x * s + a[k];
        *v = k > 0 ? *v * s + (memory ? 1 : 2) * (double)k * a[k] : *v;
    }
    *v *= memory ? 1 : t;
}

/* From (x, v) at t of the memory flow to t + s, |s| <= t/2, by the power series there: t x'' + p x' + p 4 c x^3 = 0. */
static void continue_series(double p, double t, double s, double *x, double *v)
{
    double a[TERMS + 2] = {*x, *v}, square[TERMS], cube;
    for (size_t k = 0; k < TERMS; k++) {
        square[k] = cube = 0;
        for (size_t i = 0; i <= k; i++) {
            square[k] += a[i] * a[k - i];
        }
        for (size_t i = 0; i <= k; i++) {
            cube += square[i] * a[k - i];
        }
        const double m = (double)k;
        a[k + 2] = -((m + 1) * (m + p) * a[k + 1] + p * 4 * quartic_c * cube) / (t * (m + 2) * (m + 1));
    }
    *x = *v = 0;
    for (size_t k = TERMS + 2; k-- > 0;) {
        *x = *x * s + a[k];
        *v = k > 0 ? *v * s + (double)k * a[k] : *v;
    }
}

/* nag-quartic-closed: x = x0/(1 + c x0^2 t^2/2) for r = 3. */
static void closed(double x0, double t, double *x, double *v)
{
    const double bottom = 1 + quartic_c * x0 * x0 * t * t / 2;
    *x = x0 / bottom;
    *v = -x0 * quartic_c * x0 * x0 * t / (bottom * bottom);
}

/* ------------------------------------------------------------------------------------------------ cases */

typedef struct setup {
    const char *scheme;
    const od_flow *flow;
    double t0, t1;
    /* the state of one path at t */
    void (*truth)(double t, size_t path, double *z, const void *user);
    const void *user;
    double order;
    unsigned coarsest, halvings; /* first run: (t1 - t0)/coarsest */
    bool dense;                  /* errors at three times inside each step too */
    double v_from;               /* there, v counts from this time on */
} setup;

static void truth_of_paths(const setup *c, double t, double *z)
{
    for (size_t p = 0; p < N; p++) {
        double one[MAX_DIM];
        c->truth(t, p, one, c->user);
        for (size_t i = 0; i < c->flow->dim; i++) {
            z[i * N + p] = one[i];
        }
    }
}

static double distance(const setup *c, double t, const double *z)
{
    double want[MAX_DIM * N], worst = 0;
    truth_of_paths(c, t, want);
    for (size_t i = 0; i < (t < c->v_from ? 1 : c->flow->dim) * N; i++) {
        assert_false(isnan(z[i]));
        worst = fmax(worst, fabs(z[i] - want[i]));
    }
    return worst;
}

/* The largest error inside the step from z at t to z1 at t + h, by the scheme's dense output or a straight line. */
static double error_inside(const setup *c, const od_stepper *s, double t, double h, const double *z, const double *z1)
{
    const double theta[] = {0.21, 0.5, 0.83};
    double ws[256], out[MAX_DIM * N], worst = 0;
    assert_true(od_stepper_scratch(s->type, s->flow, N) <= sizeof ws / sizeof *ws);
    for (size_t k = 0; k < 3; k++) {
        if (s->type->dense != NULL) {
            assert_int_equal(s->type->dense(s, t, h, theta[k], N, z, z1, out, ws), OD_OK);
        } else {
            for (size_t i = 0; i < c->flow->dim * N; i++) {
                out[i] = z[i] + theta[k] * (z1[i] - z[i]);
            }
        }
        worst = fmax(worst, distance(c, t + theta[k] * h, out));
    }
    return worst;
}

static double error_of(od_context *ctx, const setup *c, unsigned steps)
{
    char yaml[96];
    double z[MAX_DIM * N], before[MAX_DIM * N], worst = 0;
    const double h = (c->t1 - c->t0) / steps;
    snprintf(yaml, sizeof yaml, "{name: %s, step: %.17g}", c->scheme, h);
    truth_of_paths(c, c->t0, z);
    od_stepper *s = od_stepper_create(ctx, yaml, c->flow, c->t0, N, z);
    check_done(ctx, s != NULL);
    for (unsigned k = 0; k < steps; k++) {
        const double t = c->t0 + k * h;
        memcpy(before, z, sizeof z);
        check_done(ctx, od_stepper_advance(ctx, s, t, c->t0 + (k + 1) * h, N, z, NULL) == OD_OK);
        if (c->dense) {
            worst = fmax(worst, error_inside(c, s, t, h, before, z));
        }
    }
    od_stepper_free(s);
    return fmax(worst, distance(c, c->t1, z));
}

static void check_order(od_context *ctx, const char *what, const setup *c)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    const double n = c->halvings + 1;
    for (unsigned k = 0; k <= c->halvings; k++) {
        const double e = error_of(ctx, c, c->coarsest << k), x = -(double)k, y = log2(e);
        assert_true(e > 2e-14);
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    print_message("# %s, %s%s: order %.3f\n", what, c->scheme, c->dense ? " (dense)" : "", slope);
    if (c->dense) {
        assert_true(slope >= c->order - 0.1); /* no worse than the step */
    } else {
        check_close(slope, c->order, 0.1);
    }
}

/* ------------------------------------------------------------------------------------------------ regular starts */

static void coupled_truth(double t, size_t path, double *z, const void *user)
{
    (void)user;
    const double start[N][2] = {{0.31, 1.9}, {0.62, 0.95}, {1.47, 2.385}};
    coupled_exact(t, start[path], z);
}

static void orders_on_a_bare_flow(void **state)
{
    const od_flow flow = {.name = "coupled", .block_count = 1, .block = {{"z", 2}}, .dim = 2, .drift = coupled_drift};
    const setup cases[] = {{"euler", .order = 1, .coarsest = 64, .halvings = 5},
                           {"euler", .order = 1, .coarsest = 64, .halvings = 5, .dense = true},
                           {"euler-maruyama", .order = 1, .coarsest = 64, .halvings = 3},
                           {"milstein", .order = 1, .coarsest = 64, .halvings = 3},
                           {"rk4", .order = 4, .coarsest = 16, .halvings = 4},
                           {"rk4", .order = 4, .coarsest = 16, .halvings = 4, .dense = true}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        setup c = cases[k];
        c.flow = &flow;
        c.t0 = 0.2;
        c.t1 = 2.6;
        c.truth = coupled_truth;
        check_order(*state, "bare flow", &c);
    }
}

static const double starts[N] = {0.71, 0.53, -0.9};

static void closed_truth(double t, size_t path, double *z, const void *user)
{
    (void)user;
    closed(starts[path], t, &z[0], &z[1]);
}

static void orders_on_nesterov(void **state)
{
    od_context *ctx = *state;
    const od_problem f = quartic();
    od_flow *flow = od_flow_create(ctx, "{name: nesterov}", &f);
    check_done(ctx, flow != NULL);
    const setup cases[] = {
        {"euler", .t0 = 0.4, .order = 1, .coarsest = 64, .halvings = 5},
        {"semi-implicit-euler", .t0 = 0.4, .order = 1, .coarsest = 64, .halvings = 5},
        {"semi-implicit-euler", .t0 = 0.4, .order = 1, .coarsest = 64, .halvings = 5, .dense = true},
        {"rk4", .t0 = 0.4, .order = 4, .coarsest = 32, .halvings = 4},
        {"rk4", .t0 = 0.4, .order = 4, .coarsest = 32, .halvings = 4, .dense = true},
        {"euler", .t0 = 0, .order = 1, .coarsest = 64, .halvings = 5},
        {"semi-implicit-euler", .t0 = 0, .order = 1, .coarsest = 64, .halvings = 5},
        {"rk4", .t0 = 0, .order = 4, .coarsest = 32, .halvings = 4},
        {"rk4", .t0 = 0, .order = 4, .coarsest = 64, .halvings = 4, .dense = true, .v_from = 0.5},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        setup c = cases[k];
        c.flow = flow;
        c.t1 = 3;
        c.truth = closed_truth;
        char what[64];
        snprintf(what, sizeof what, "nesterov r = 3 on x^4 from t = %g", c.t0);
        check_order(ctx, what, &c);
    }
    od_flow_free(flow);
}

/*
 * Along every solution of x'' + (3/t) x' + 4 x^3 = 0 the quantity K = w^2/2 - y^2/2 + y^4 is conserved, y = t x,
 * w = t (x + t v): a test that does not start from rest.
 */
static void rk4_conserves_to_its_order(void **state)
{
    od_context *ctx = *state;
    od_problem f = quartic();
    double one = 1, drift[5];
    f.data = &one;
    od_flow *flow = od_flow_create(ctx, "{name: nesterov}", &f);
    check_done(ctx, flow != NULL);
    for (unsigned k = 0; k < 5; k++) {
        const unsigned steps = 64u << k;
        const double h = 4.3 / steps;
        char yaml[64];
        double z[2] = {0.83, -0.37}, quantity[2] = {0};
        snprintf(yaml, sizeof yaml, "{name: rk4, step: %.17g}", h);
        od_stepper *s = od_stepper_create(ctx, yaml, flow, 0.7, 1, z);
        for (unsigned i = 0; i <= steps; i++) {
            const double t = 0.7 + i * h, y = t * z[0], w = t * (z[0] + t * z[1]);
            quantity[i > 0] = w * w / 2 - y * y / 2 + y * y * y * y;
            if (i < steps) {
                check_done(ctx, od_stepper_advance(ctx, s, t, t + h, 1, z, NULL) == OD_OK);
            }
        }
        od_stepper_free(s);
        drift[k] = fabs(quantity[1] - quantity[0]);
    }
    const double slope = log2(drift[0] / drift[4]) / 4;
    print_message("# conserved quantity of x^4: order %.3f, last drift %.2e\n", slope, drift[4]);
    assert_true(slope >= 3.9); /* an invariant may be kept better than the state */
    assert_true(drift[4] < 1e-6);
    od_flow_free(flow);
}

/* ------------------------------------------------------------------------------------------------ singular starts */

typedef struct singular {
    bool memory;
    double q;
} singular;

static void series_truth(double t, size_t path, double *z, const void *user)
{
    const singular *a = user;
    const double x0[N] = {0.41, 0.33, -0.37};
    double reached = a->memory ? fmin(t, 0.7) : t;
    series(a->memory, a->q, x0[path], reached, &z[0], &z[1]);
    while (reached < t) {
        const double s = fmin(t - reached, reached / 2);
        continue_series(a->q, reached, s, &z[0], &z[1]);
        reached = s < t - reached ? reached + s : t;
    }
}

static void the_series_is_right(void **state)
{
    (void)state;
    double x, v, want_x, want_v;
    series(false, 3, 0.41, 1.7, &x, &v);
    closed(0.41, 1.7, &want_x, &want_v);
    check_close(x, want_x, 1e-15);
    check_close(v, want_v, 1e-15);
    /* time warp: memory p = 2 at t^2/(4p) is r = 3 at t */
    series(true, 2, 0.41, 1.7 * 1.7 / 8, &x, &v);
    check_close(x, want_x, 1e-15);
    check_close(v, want_v * 4 / 1.7, 1e-15);
    const singular a = {true, 2};
    double z[2];
    series_truth(7.3 * 7.3 / 8, 0, z, &a);
    closed(0.41, 7.3, &want_x, &want_v);
    check_close(z[0], want_x, 1e-14);
    check_close(z[1], want_v * 4 / 7.3, 1e-14);
}

/*
 * At every fixed time x and v are of order 4. In the first few steps v is of order 3 only (the error of its first step
 * has not died out yet), which costs x nothing; so v is compared from a fixed time on.
 */
static void rk4_keeps_its_order_from_singular_starts(void **state)
{
    od_context *ctx = *state;
    const od_problem f = quartic();
    const char *method[] = {"{name: nesterov, r: 0.5}", "{name: nesterov, r: 2.385}", "{name: nesterov, r: 5}"};
    const double r[] = {0.5, 2.385, 5};
    for (size_t k = 0; k < 3; k++) {
        const singular a = {false, r[k]};
        od_flow *flow = od_flow_create(ctx, method[k], &f);
        check_done(ctx, flow != NULL);
        for (unsigned dense = 0; dense < 2; dense++) {
            check_order(ctx, method[k], &(setup){"rk4", flow, 0, 1.9, series_truth, &a, 4, 16, 4, dense == 1, 0.5});
        }
        od_flow_free(flow);
    }
    const double p[] = {2, 3};
    for (size_t k = 0; k < 2; k++) {
        const singular a = {true, p[k]};
        const od_flow flow = {.name = "memory",
                              .block_count = 2,
                              .block = {{"x", 1}, {"v", 1}},
                              .dim = 2,
                              .drift = memory_drift,
                              .second_order = true,
                              .singular = true,
                              .graded = 1,
                              .data = &p[k]};
        for (unsigned dense = 0; dense < 2; dense++) {
            check_order(ctx, k == 0 ? "memory p = 2" : "memory p = 3",
                        &(setup){"rk4", &flow, 0, 6.5, series_truth, &a, 4, 96, 4, dense == 1, 1});
        }
    }
}

/* ------------------------------------------------------------------------------------------------ special relations */

/* On the heavy-ball flow semi-implicit Euler is Polyak's iteration; 100 steps, a few roundings each. */
static void semi_implicit_euler_is_polyaks_iteration(void **state)
{
    od_context *ctx = *state;
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [2.385, 0.31], rotation: 3}");
    od_flow *flow = od_flow_create(ctx, "{name: heavy-ball, alpha: 0.41}", f);
    od_map *map = od_map_create(ctx, "{name: heavy-ball, alpha: 0.41, step: 0.13}", f);
    check_done(ctx, flow != NULL && map != NULL);
    double z[4 * N], y[4 * N], tau[N], ws[256];
    assert_true(od_scratch_size(&map->scratch, N) <= sizeof ws / sizeof *ws);
    for (size_t i = 0; i < 4 * N; i++) {
        z[i] = y[i] = cos((double)(i * i));
    }
    od_stepper *s = od_stepper_create(ctx, "{name: semi-implicit-euler, step: 0.13}", flow, 0, N, z);
    check_done(ctx, s != NULL);
    for (uint64_t k = 0; k < 100; k++) {
        double next[4 * N];
        assert_int_equal(s->type->step(s, 0.13 * (double)k, 0.13, N, z, NULL, next, ws), OD_OK);
        memcpy(z, next, sizeof z);
        assert_int_equal(map->step(map, k, N, y, NULL, NULL, tau, ws), OD_OK);
        for (size_t i = 0; i < 4 * N; i++) {
            check_close(z[i], y[i], 1e-13);
        }
    }
    od_stepper_free(s);
    od_map_free(map);
    od_flow_free(flow);
    od_problem_free(f);
}

static void semi_implicit_euler_is_refused_elsewhere(void **state)
{
    od_context *ctx = *state;
    const od_problem f = quartic();
    od_flow *flow = od_flow_create(ctx, "gradient", &f);
    const double z = 1;
    assert_null(od_stepper_create(ctx, "{name: semi-implicit-euler, step: 0.1}", flow, 0, 1, &z));
    check_message(ctx, "x' = v");
    check_message(ctx, "use euler or rk4");
    od_flow_free(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(orders_on_a_bare_flow),
        test_with_context(orders_on_nesterov),
        test_with_context(rk4_conserves_to_its_order),
        test_with_context(the_series_is_right),
        test_with_context(rk4_keeps_its_order_from_singular_starts),
        test_with_context(semi_implicit_euler_is_polyaks_iteration),
        test_with_context(semi_implicit_euler_is_refused_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
