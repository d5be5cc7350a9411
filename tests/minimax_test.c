/*
 * The nearest orbits of chains: closed forms, published and independently computed radii, and bounds that any orbit
 * must keep.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/minimax.h"

/* ------------------------------------------------------------------------------------------- chains */

/* z -> A z + b, A[dim*dim] by rows; with `period` that many A one after another, in turn. */
typedef struct affine {
    size_t dim;
    const double *a, *b;
    uint64_t period;
} affine;

static const double *affine_matrix(const affine *f, uint64_t k)
{
    return f->a + (f->period > 0 ? (size_t)(k % f->period) * f->dim * f->dim : 0);
}

static od_status affine_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const affine *f = chain->data;
    const double *a = affine_matrix(f, k);
    for (size_t i = 0; i < f->dim; i++) {
        next[i] = f->b != NULL ? f->b[i] : 0;
        for (size_t j = 0; j < f->dim; j++) {
            next[i] += a[i * f->dim + j] * z[j];
        }
    }
    return OD_OK;
}

static od_status affine_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    const affine *f = chain->data;
    const double *a = affine_matrix(f, k);
    for (size_t c = 0; c < m; c++) {
        for (size_t i = 0; i < f->dim; i++) {
            ju[c * f->dim + i] = 0;
            for (size_t j = 0; j < f->dim; j++) {
                ju[c * f->dim + i] += a[i * f->dim + j] * u[c * f->dim + j];
            }
        }
    }
    return OD_OK;
}

static od_chain affine_chain(affine *f, uint64_t steps)
{
    return (od_chain){.what = "iteration",
                      .dim = f->dim,
                      .steps = steps,
                      .affine = true,
                      .step = affine_step,
                      .jvp = affine_jvp,
                      .data = f};
}

static void solve(od_context *ctx, od_chain *chain, const double *y, const double *weight, od_shadow *least,
                  double *rms, od_minimax *best)
{
    const od_target target = {y, weight};
    od_shooting *s;
    check_done(ctx, od_shooting_create(ctx, chain, &target, &s) == OD_OK);
    check_done(ctx, od_shadow_least_squares(ctx, s, least, rms) == OD_OK);
    check_done(ctx, od_shadow_minimax(ctx, s, best) == OD_OK);
    od_shooting_free(s);
}

/* ------------------------------------------------------------------------------------------- quadratics */

/* Gradient descent and the exact flow of a diagonal quadratic in the plane; `flow`: an orbit of the flow shadows. */
static void check_quadratic(od_context *ctx, const double eigenvalue[2], double h, const double x0[2], uint64_t steps,
                            bool flow, double least_want, double want, double tolerance)
{
    double y[2 * 61], a[4] = {0}, start[2], other[2], rms;
    const double weight[2] = {1, 1};
    for (uint64_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < 2; i++) {
            y[2 * k + i] = x0[i] * (flow ? pow(1 - h * eigenvalue[i], (double)k) : exp(-eigenvalue[i] * h * (double)k));
        }
    }
    for (size_t i = 0; i < 2; i++) {
        a[3 * i] = flow ? exp(-eigenvalue[i] * h) : 1 - h * eigenvalue[i];
    }
    affine f = {2, a, NULL, 0};
    od_chain chain = affine_chain(&f, steps);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(ctx, &chain, y, weight, &least, &rms, &best);
    if (!isnan(least_want)) {
        check_relative(least.radius, least_want, 1e-5);
    }
    check_close(best.best.radius, want, tolerance);
    check_close(best.lower, want, tolerance);
    check_close(best.lower, best.best.radius, 1e-12 * want);
    check_close(best.best.defect, 0, 0);
    assert_true(best.active_count >= 2);
}

/* To half a unit of the last published digit. */
static void published_radii_of_two_quadratics(void **state)
{
    const double bowl[2] = {2, 1}, bowl_x0[2] = {2, 2}, saddle[2] = {-1.27, 2}, saddle_x0[2] = {2, 4.5};
    check_quadratic(*state, bowl, 0.2, bowl_x0, 30, false, 0.16574, 0.147282622958, 5e-13);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 14, false, 0.289417, 0.229617959508, 5e-13);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 59, false, 95.9111, 59.8044872727, 5e-11);
    check_quadratic(*state, bowl, 0.2, bowl_x0, 30, true, NAN, 0.1387550104, 5e-11);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 14, true, NAN, 0.2144111829, 5e-11);
    check_quadratic(*state, saddle, 0.1, saddle_x0, 59, true, NAN, 39.20759396, 5e-9);
}

/* f = sign x^2/2: the best start and radius, by linear programming elsewhere. */
static void one_dimension_has_the_radii_of_the_references(void **state)
{
    static const struct {
        double lambda, h, y0;
        uint64_t steps;
        double start, radius;
    } cases[] = {
        {1, 0.1, 1, 400, 1.0146321297953669, 0.014632129795366816},
        {1, 0.5, 1, 100, 1.0943035529371539, 0.09430355293715385},
        {1, 0.2, 1, 200, 1.0309395852709375, 0.030939585270937466},
        {-1, 0.2, 1, 7, 1.1029894275269863, 0.10298942752698619},
        {-1, 0.2, 1, 20, 1.3879723160910715, 1.386622672598134},
        {-0.5, 0.1, 0.01, 50, 0.010551377348231547, 0.0008280772645180962},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double y[401], start, other, rms;
        const double a = 1 - cases[c].h * cases[c].lambda, weight = 1;
        for (uint64_t k = 0; k <= cases[c].steps; k++) {
            y[k] = cases[c].y0 * exp(-cases[c].lambda * cases[c].h * (double)k);
        }
        affine f = {1, &a, NULL, 0};
        od_chain chain = affine_chain(&f, cases[c].steps);
        od_shadow least = {.start = &other};
        od_minimax best = {.best.start = &start};
        solve(*state, &chain, y, &weight, &least, &rms, &best);
        check_relative(best.best.radius, cases[c].radius, 1e-12);
        check_relative(best.lower, cases[c].radius, 1e-12);
        check_relative(start, cases[c].start, 1e-12);
    }
}

/* exp(t [[0, 1], [-1, -alpha]]) (q, p), alpha < 2 */
static void oscillate(double alpha, double t, const double z[2], double out[2])
{
    const double w = sqrt(1 - alpha * alpha / 4), e = exp(-alpha * t / 2), c = cos(w * t), s = sin(w * t) / w;
    out[0] = e * (z[0] * (c + alpha / 2 * s) + z[1] * s);
    out[1] = e * (z[1] * (c - alpha / 2 * s) - z[0] * s);
}

/* x_{k+1} = x_k + h v_{k+1}, v_{k+1} = (1 - alpha h) v_k - h x_k: position norm, start velocity free. */
static void heavy_ball_has_the_position_radius_of_the_references(void **state)
{
    static const struct {
        double h;
        uint64_t steps;
        double x, v, radius;
        uint64_t active[3];
    } cases[] = {
        {0.2, 200, 0.9950485228793141, 0.23019729191990945, 0.022954023059519345, {3, 4, 21}},
        {0.1, 400, 1.0000032158514263, 0.09834868144193053, 0.011161369506141387, {6, 7, 42}},
    };
    for (size_t c = 0; c < 2; c++) {
        double y[2 * 401], start[2], other[2], rms;
        const double h = cases[c].h, z0[2] = {1, 0}, weight[2] = {1, 0};
        const double a[4] = {1 - h * h, h * (1 - h), -h, 1 - h};
        for (uint64_t k = 0; k <= cases[c].steps; k++) {
            oscillate(1, h * (double)k, z0, y + 2 * k);
        }
        affine f = {2, a, NULL, 0};
        od_chain chain = affine_chain(&f, cases[c].steps);
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        check_relative(best.best.radius, cases[c].radius, 1e-11);
        check_relative(best.lower, cases[c].radius, 1e-11);
        check_relative(start[0], cases[c].x, 1e-10);
        check_relative(start[1], cases[c].v, 1e-9);
        assert_int_equal(best.active_count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(best.active[i], cases[c].active[i]);
        }
    }
}

/* ------------------------------------------------------------------------------------------- any orbits */

/* splitmix64, a generator of the tests' own */
static double uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double between(uint64_t *state, double low, double high)
{
    return low + (high - low) * uniform(state);
}

enum { LARGEST = 6, LONGEST = 400, PERIOD = 5 };

typedef struct sample {
    affine map;
    double a[PERIOD * LARGEST * LARGEST], b[LARGEST], y[LARGEST * (LONGEST + 1)], weight[LARGEST];
    uint64_t steps;
} sample;

/* The radius of the orbit from x0, by plain iteration. */
static double radius_from(const sample *p, const double *x0)
{
    const size_t d = p->map.dim;
    od_chain chain = affine_chain((affine *)&p->map, p->steps);
    double x[LARGEST], next[LARGEST], most = 0;
    memcpy(x, x0, d * sizeof *x);
    for (uint64_t k = 0; k <= p->steps; k++) {
        double sum = 0;
        for (size_t i = 0; i < d; i++) {
            sum += pow(p->weight[i] * (x[i] - p->y[k * d + i]), 2);
        }
        most = fmax(most, sqrt(sum));
        if (k < p->steps) {
            affine_step(&chain, k, x, next);
            memcpy(x, next, d * sizeof *x);
        }
    }
    return most;
}

/* Gradient descent, heavy-ball or Nesterov's method (with constant or growing momentum) on eigenvalues of both signs.
 */
static void draw_method(sample *p, int kind, uint64_t *state)
{
    const size_t n = kind == 0 ? 1 + (size_t)between(state, 0, LARGEST) : 1 + (size_t)between(state, 0, LARGEST / 2.0);
    const size_t d = kind == 0 ? n : 2 * n;
    p->map.dim = d;
    p->map.period = kind == 3 ? PERIOD : 0;
    for (size_t i = 0; i < n; i++) {
        /* h lambda or h^2 lambda; now and then at the edge of stability, or where the map loses rank */
        const double edge = between(state, 0, 1), beta = edge < 0.1 ? 0 : between(state, 0, 1);
        const double last = kind == 0 ? 2 : 2 * (1 + beta);
        const double z = edge < 0.2 ? last : edge < 0.3 ? 1 : between(state, -0.2, last);
        for (size_t turn = 0; turn < PERIOD; turn++) {
            double *a = p->a + turn * d * d;
            const double momentum = kind == 3 ? (double)turn / (turn + 3.0) : beta;
            if (kind == 0) {
                a[i * d + i] = 1 - z;
            } else if (kind == 1) {
                a[i * d + i] = 1 - z;
                a[i * d + n + i] = beta;
                a[(n + i) * d + i] = -z;
                a[(n + i) * d + n + i] = beta;
            } else {
                /* (x_k, x_k - x_{k-1}) */
                const double s = z / 4;
                a[i * d + i] = 1 - s;
                a[i * d + n + i] = momentum * (1 - s);
                a[(n + i) * d + i] = -s;
                a[(n + i) * d + n + i] = momentum * (1 - s);
            }
        }
    }
}

/* Any matrices, of growth up to about 1.3 a step. */
static void draw_matrices(sample *p, uint64_t *state)
{
    const size_t d = p->map.dim = 1 + (size_t)between(state, 0, LARGEST);
    p->map.period = PERIOD;
    for (size_t i = 0; i < PERIOD * d * d; i++) {
        p->a[i] = between(state, -1, 1) * 1.3 / sqrt((double)d);
    }
}

/* States near an orbit: off by as much as the methods are from their flows, rough or smooth. */
static void draw(sample *p, uint64_t *state)
{
    memset(p, 0, sizeof *p);
    const int kind = (int)between(state, 0, 5);
    kind < 4 ? draw_method(p, kind, state) : draw_matrices(p, state);
    const size_t d = p->map.dim;
    const double length = uniform(state), rough = between(state, 0, 1) < 0.5 ? 1 : 0.05;
    p->steps = 1 + (uint64_t)((kind < 4 ? LONGEST - 1 : 60) * length * length);
    p->map.a = p->a;
    p->map.b = p->b;
    od_chain chain = affine_chain(&p->map, p->steps);
    for (size_t i = 0; i < d; i++) {
        p->b[i] = between(state, -0.1, 0.1);
        p->weight[i] = between(state, 0, 1) < 0.2 ? 0 : between(state, 0.2, 2);
        p->y[i] = between(state, -2, 2);
    }
    p->weight[0] = p->weight[0] > 0 ? p->weight[0] : 1;
    for (uint64_t k = 0; k < p->steps; k++) {
        double *y = p->y + k * d;
        affine_step(&chain, k, y, y + d);
        for (size_t i = 0; i < d; i++) {
            y[d + i] += 0.1 * (rough * between(state, -1, 1) + (1 - rough) * y[i]) / (1 + fabs(y[i]));
        }
    }
}

static void check_sample(od_context *ctx, const sample *p, uint64_t seed, uint64_t *state)
{
    const size_t d = p->map.dim;
    double start[LARGEST], other[LARGEST], rms, trial[LARGEST];
    od_chain chain = affine_chain((affine *)&p->map, p->steps);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(ctx, &chain, p->y, p->weight, &least, &rms, &best);
    const double same = radius_from(p, p->y), upper = best.best.radius, lower = best.lower, allowed = upper * 1e-9;
    double scale = 0;
    for (size_t i = 0; i < (p->steps + 1) * d; i++) {
        scale = fmax(scale, fabs(p->y[i]));
    }
    bool good = upper <= same && upper <= least.radius && lower <= upper;
    good = good && upper - lower <= 1e-6 * upper + 1e-14 * scale;
    /* where states grow that much, no start in doubles leads along the nearest orbit */
    good = good && (best.best.defect > 0 ? best.best.defect < 1e-14 * scale && scale > 1e5 * upper
                                         : fabs(radius_from(p, start) - upper) <= allowed + 1e-14 * scale);
    good = good && rms <= least.radius && best.local_lower == best.lower;
    /* no orbit nearby keeps below the bound */
    for (int i = 0; i < 200; i++) {
        const double size = pow(10, between(state, -6, 0)) * upper;
        for (size_t j = 0; j < d; j++) {
            trial[j] = start[j] + size * between(state, -1, 1);
        }
        good = good && radius_from(p, trial) >= lower * (1 - 1e-9);
    }
    if (!good) {
        print_error("problem %llu, dim %zu, %llu steps: same start %.17g, least squares %.17g, radius %.17g (from its "
                    "start %.17g, defect %g), lower %.17g, %u rounds\n",
                    (unsigned long long)seed, d, (unsigned long long)p->steps, same, least.radius, upper,
                    radius_from(p, start), best.best.defect, lower, best.rounds);
        fail();
    }
}

/* OPTDYN_TEST_SHADOWS: how many. */
static void no_orbit_is_nearer_and_none_below_the_bound(void **state)
{
    const char *wanted = getenv("OPTDYN_TEST_SHADOWS");
    const uint64_t problems = wanted != NULL ? strtoull(wanted, NULL, 10) : 100;
    sample *p = malloc(sizeof *p);
    for (uint64_t seed = 1; seed <= problems; seed++) {
        uint64_t random = seed;
        draw(p, &random);
        check_sample(*state, p, seed, &random);
    }
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(published_radii_of_two_quadratics),
        test_with_context(one_dimension_has_the_radii_of_the_references),
        test_with_context(heavy_ball_has_the_position_radius_of_the_references),
        test_with_context(no_orbit_is_nearer_and_none_below_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
