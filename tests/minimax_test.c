/*
 * The nearest orbits of chains: closed forms, published and independently computed radii, and bounds that any orbit
 * must keep.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/cones.h"
#include "analysis/shooting.h"

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

/* OPTDYN_TEST_SHADOWS: how many, after those of 30,000 that were once answered wrongly. */
static void no_orbit_is_nearer_and_none_below_the_bound(void **state)
{
    static const uint64_t hard[] = {178, 249, 405, 986, 1759, 2066, 2628, 10490, 14321, 14696};
    const size_t first = sizeof hard / sizeof *hard;
    const char *wanted = getenv("OPTDYN_TEST_SHADOWS");
    const uint64_t problems = wanted != NULL ? strtoull(wanted, NULL, 10) : 100;
    sample *p = malloc(sizeof *p);
    for (uint64_t n = 0; n < first + problems; n++) {
        const uint64_t seed = n < first ? hard[n] : n - first + 1;
        uint64_t random = seed;
        draw(p, &random);
        check_sample(*state, p, seed, &random);
    }
    free(p);
}

/* ------------------------------------------------------------------------------------------- closed forms */

/* min over c of max_k |r_k + a_k c| is the largest over pairs, by linear programming's duality. */
static double radius_of_pairs(size_t n, const double *r, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            const double size = fabs(a[i]) + fabs(a[j]);
            most = size > 0 ? fmax(most, fabs(r[i] * a[j] - r[j] * a[i]) / size) : most;
        }
        most = a[i] == 0 ? fmax(most, fabs(r[i])) : most;
    }
    return most;
}

/* For two parameters: the largest over triples of |det(r, a, b)| over the sum of the minors, if those are no rounding.
 */
static double radius_of_triples(size_t n, const double *r, const double *a, const double *b)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            for (size_t k = 0; k < j; k++) {
                const double x = a[j] * b[k] - a[k] * b[j], y = a[k] * b[i] - a[i] * b[k],
                             z = a[i] * b[j] - a[j] * b[i];
                const double size = fabs(x) + fabs(y) + fabs(z);
                const double whole = (fabs(a[i]) + fabs(a[j]) + fabs(a[k])) * (fabs(b[i]) + fabs(b[j]) + fabs(b[k]));
                most = size > 1e-9 * whole ? fmax(most, fabs(r[i] * x + r[j] * y + r[k] * z) / size) : most;
            }
        }
    }
    return most;
}

/* Also where a is so large that no start in doubles leads to the end: there the orbits are told from the end. */
static void lines_have_the_radius_of_their_pairs(void **state)
{
    static const double factors[] = {0.6, 1, -1, 1.02, 0, 3.1, 37.5, -0.985};
    uint64_t random = 5;
    for (size_t c = 0; c < sizeof factors / sizeof *factors; c++) {
        enum { K = 120 };
        double y[K + 1], r[K + 1], a[K + 1], start, other, rms;
        const double weight = 1.7, factor = factors[c];
        affine f = {1, &factor, NULL, 0};
        od_chain chain = affine_chain(&f, K);
        for (size_t k = 0; k <= K; k++) {
            y[k] = between(&random, -1, 1) + 0.3;
        }
        /* from the end the orbit of y_K backwards, else the one of y_0 */
        const bool backwards = fabs(factor) > 1;
        double x = backwards ? y[K] : y[0], size = weight;
        for (size_t n = 0; n <= K; n++) {
            const size_t k = backwards ? K - n : n;
            r[k] = weight * (x - y[k]);
            a[k] = size;
            x = backwards ? x / factor : x * factor;
            size = backwards ? size / factor : size * factor;
        }
        od_shadow least = {.start = &other};
        od_minimax best = {.best.start = &start};
        solve(*state, &chain, y, &weight, &least, &rms, &best);
        const double want = radius_of_pairs(K + 1, r, a);
        check_relative(best.best.radius, want, 1e-12);
        check_relative(best.lower, want, 1e-12);
        if (fabs(factor) > 3) {
            assert_true(best.best.defect > 0);
        } else {
            check_close(best.best.defect, 0, 0);
        }
        assert_true(best.best.defect < 1e-15);
    }
}

static void positions_have_the_radius_of_their_triples(void **state)
{
    uint64_t random = 17;
    for (int c = 0; c < 40; c++) {
        enum { K = 60 };
        const uint64_t steps = c < 5 ? 1 + (uint64_t)c : K;
        const double beta = c % 4 == 0 ? 1 : between(&random, 0, 1);
        const double z = c % 3 == 0 ? 2 * (1 + beta) : between(&random, -0.1, 2 * (1 + beta));
        const double map[4] = {1 - z, beta, -z, beta}, weight[2] = {1, 0};
        double y[2 * (K + 1)], r[K + 1], a[K + 1], b[K + 1], start[2], other[2], rms;
        affine f = {2, map, NULL, 0};
        od_chain chain = affine_chain(&f, steps);
        double u[2] = {1, 0}, v[2] = {0, 1}, next[2];
        for (size_t k = 0; k <= steps; k++) {
            y[2 * k] = between(&random, -1, 1);
            y[2 * k + 1] = between(&random, -9, 9);
            r[k] = -y[2 * k];
            a[k] = u[0];
            b[k] = v[0];
            affine_step(&chain, k, u, next);
            memcpy(u, next, sizeof u);
            affine_step(&chain, k, v, next);
            memcpy(v, next, sizeof v);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        const double want = radius_of_triples((size_t)steps + 1, r, a, b);
        check_close(best.best.radius, want, 1e-11 * want + 1e-14);
        check_close(best.lower, want, 1e-11 * want + 1e-14);
    }
}

/* Where the map forgets everything, x_k = b from k = 1 on. */
static void a_map_that_forgets_has_one_orbit(void **state)
{
    const double a[4] = {0}, b[2] = {0.25, -1}, weight[2] = {1, 2};
    const double y[8] = {5, 7, 1.25, -1, 0.25, -1.75, 0.25, -1.125};
    double start[2], other[2], rms;
    affine f = {2, a, b, 0};
    od_chain chain = affine_chain(&f, 3);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &chain, y, weight, &least, &rms, &best);
    check_close(best.best.radius, 1.5, 1e-14);
    check_close(best.lower, 1.5, 1e-12);
    assert_int_equal(best.best.at, 2);
    check_close(least.radius, 1.5, 1e-14);
    check_close(other[0], 5, 1e-13);
    check_close(other[1], 7, 1e-13);
    check_close(rms, sqrt((1 + 1.5 * 1.5 + 0.25 * 0.25) / 4), 1e-14);
}

static void an_orbit_shadows_itself(void **state)
{
    uint64_t random = 3;
    for (uint64_t steps = 1; steps < 300; steps = 3 * steps + 1) {
        const double a[4] = {0.9, 0.2, -0.3, 0.95}, weight[2] = {1, 1};
        double y[2 * 300], start[2], other[2], rms;
        affine f = {2, a, NULL, 0};
        od_chain chain = affine_chain(&f, steps);
        y[0] = between(&random, -3, 3);
        y[1] = between(&random, -3, 3);
        for (uint64_t k = 0; k < steps; k++) {
            affine_step(&chain, k, y + 2 * k, y + 2 * k + 2);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        check_close(best.best.radius, 0, 0);
        check_close(best.lower, 0, 0);
        check_close(best.best.defect, 0, 0);
        check_close(start[0], y[0], 0);
        assert_int_equal(best.active_count, 0);
    }
}

/* Multipliers that are not the best still bound: with equal ones, the bound is the least mean square. */
static void any_multipliers_give_a_bound(void **state)
{
    uint64_t random = 21;
    for (int n = 0; n < 20; n++) {
        enum { D = 2, COUNT = 4 };
        od_cones cones = {.d = D};
        double gram[3] = {0}, e[2] = {0}, squares = 0, c[D], radius;
        for (size_t k = 0; k < COUNT; k++) {
            double *block, *r;
            assert_true(od_cones_add(&cones, &block, &r));
            for (size_t i = 0; i < D; i++) {
                r[i] = between(&random, -1, 1);
                block[i] = between(&random, -1, 1);
                block[D + i] = between(&random, -1, 1);
                squares += r[i] * r[i] / COUNT;
                gram[0] += block[i] * block[i] / COUNT;
                gram[1] += block[i] * block[D + i] / COUNT;
                gram[2] += block[D + i] * block[D + i] / COUNT;
                e[0] += block[i] * r[i] / COUNT;
                e[1] += block[D + i] * r[i] / COUNT;
            }
            od_cones_set(&cones, k);
        }
        const double det = gram[0] * gram[2] - gram[1] * gram[1];
        const double gain = (gram[2] * e[0] * e[0] - 2 * gram[1] * e[0] * e[1] + gram[0] * e[1] * e[1]) / det;
        assert_true(od_cones_solve(&cones, 100, c, &radius));
        check_relative(od_cones_bound(&cones, 100), radius, 1e-12);
        for (size_t k = 0; k < COUNT; k++) {
            cones.weight[k] = 1.0 / COUNT;
        }
        check_relative(od_cones_bound(&cones, 100), sqrt(squares - gain), 1e-11);
        assert_true(od_cones_bound(&cones, 100) <= radius);
        od_cones_free(&cones);
    }
}

/* sum_k U_k^T W^2 U_k is the identity, also where components are free: the ball of all nearer orbits rests on it. */
static void neighbours_are_orthonormal(void **state)
{
    sample *p = malloc(sizeof *p);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed;
        draw(p, &random);
        const size_t d = p->map.dim;
        od_chain chain = affine_chain(&p->map, p->steps);
        const od_target target = {p->y, p->weight};
        od_shooting *s;
        check_done(*state, od_shooting_create(*state, &chain, &target, &s) == OD_OK);
        check_done(*state, od_shooting_linearise(*state, s, p->y) == OD_OK);
        for (size_t i = 0; i < d; i++) {
            double c[LARGEST] = {0}, sum[LARGEST];
            c[i] = 1;
            check_done(*state, od_shooting_gather(*state, s, p->y, c, sum) == OD_OK);
            for (size_t j = 0; j < d; j++) {
                /* a direction that the weights do not see is left out */
                check_close(sum[j], i == j && sum[i] > 0.5 ? 1 : 0, 1e-9);
            }
        }
        od_shooting_free(s);
    }
    free(p);
}

/* ------------------------------------------------------------------------------------------- nonlinear maps */

/* Gradient descent with step h on Hosaki's function, h in data. */
static void hosaki_gradient(const double z[2], double g[2], double hessian[3])
{
    const double x = z[0], y = z[1], e = exp(-y);
    const double p = 1 + x * (-8 + x * (7 + x * (-7.0 / 3 + x / 4))), p1 = (x - 1) * (x - 2) * (x - 4);
    g[0] = p1 * y * y * e;
    g[1] = p * y * (2 - y) * e;
    if (hessian != NULL) {
        hessian[0] = (14 + x * (-14 + 3 * x)) * y * y * e;
        hessian[1] = p1 * y * (2 - y) * e;
        hessian[2] = p * (y * y - 4 * y + 2) * e;
    }
}

static od_status hosaki_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const double h = *(const double *)chain->data;
    double g[2];
    hosaki_gradient(z, g, NULL);
    next[0] = z[0] - h * g[0];
    next[1] = z[1] - h * g[1];
    return isfinite(next[0]) && isfinite(next[1]) ? OD_OK : OD_EDIVERGED;
}

static od_status hosaki_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    const double h = *(const double *)chain->data;
    double g[2], q[3];
    hosaki_gradient(z, g, q);
    for (size_t c = 0; c < m; c++) {
        const double *v = u + 2 * c;
        ju[2 * c] = v[0] - h * (q[0] * v[0] + q[1] * v[1]);
        ju[2 * c + 1] = v[1] - h * (q[1] * v[0] + q[2] * v[1]);
    }
    return OD_OK;
}

/* The flow over time h, by 200 steps of the classical Runge-Kutta method. */
static void hosaki_flow(double h, const double from[2], double to[2])
{
    const double step = h / 200;
    to[0] = from[0];
    to[1] = from[1];
    for (int n = 0; n < 200; n++) {
        double k[4][2], z[2];
        for (int stage = 0; stage < 4; stage++) {
            const double reach = stage == 0 ? 0 : stage == 3 ? step : step / 2;
            for (int i = 0; i < 2; i++) {
                z[i] = to[i] - (stage > 0 ? reach * k[stage - 1][i] : 0);
            }
            hosaki_gradient(z, k[stage], NULL);
        }
        for (int i = 0; i < 2; i++) {
            to[i] -= step / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
        }
    }
}

static double hosaki_radius(od_chain *chain, const double *y, const double x0[2], uint64_t *at)
{
    double x[2] = {x0[0], x0[1]}, next[2], most = 0;
    for (uint64_t k = 0; k <= chain->steps; k++) {
        const double distance = hypot(x[0] - y[2 * k], x[1] - y[2 * k + 1]);
        if (distance > most) {
            most = distance;
            *at = k;
        }
        hosaki_step(chain, k, x, next);
        memcpy(x, next, sizeof x);
    }
    return most;
}

/* The same start is 0.4456 off at k = 11, and the best start 0.0527, as a search over a grid of starts found it. */
static void hosaki_has_the_radius_of_a_search_over_starts(void **state)
{
    enum { K = 40 };
    double h = 0.3, y[2 * (K + 1)] = {2.05, 3.2}, start[2], other[2], rms;
    const double weight[2] = {1, 1};
    uint64_t at;
    for (size_t k = 0; k < K; k++) {
        hosaki_flow(h, y + 2 * k, y + 2 * k + 2);
    }
    od_chain chain = {.what = "iteration", .dim = 2, .steps = K, .step = hosaki_step, .jvp = hosaki_jvp, .data = &h};
    check_close(hosaki_radius(&chain, y, y, &at), 0.4456, 5e-5);
    assert_int_equal(at, 11);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &chain, y, weight, &least, &rms, &best);
    check_close(best.best.radius, 0.0527, 5e-5);
    assert_true(isnan(best.lower));
    assert_true(best.local_lower <= best.best.radius && best.best.radius <= least.radius);
    check_close(best.local_lower, best.best.radius, 1e-8);
    check_close(hosaki_radius(&chain, y, start, &at), best.best.radius, 1e-12);
    /* no start on a grid around, ever finer, is better */
    uint64_t random = 8;
    for (int n = 0; n < 20000; n++) {
        const double size = pow(10, between(&random, -9, 0));
        const double trial[2] = {start[0] + size * between(&random, -1, 1), start[1] + size * between(&random, -1, 1)};
        assert_true(hosaki_radius(&chain, y, trial, &at) >= best.best.radius * (1 - 1e-9));
    }
}

/* At a minimum of the nonlinear problem no orbit of the linearisation is nearer. */
static void hosaki_radii_are_those_of_their_linearisations(void **state)
{
    uint64_t random = 77;
    double y[2 * 61];
    const double weight[2] = {1, 1};
    for (int n = 0; n < 40; n++) {
        double h = between(&random, 0.05, 0.35), start[2], other[2], rms;
        const uint64_t steps = 1 + (uint64_t)between(&random, 0, 60);
        uint64_t at;
        od_chain chain = {
            .what = "iteration", .dim = 2, .steps = steps, .step = hosaki_step, .jvp = hosaki_jvp, .data = &h};
        y[0] = between(&random, 0.5, 4.5);
        y[1] = between(&random, 1, 5);
        for (size_t k = 0; k < steps; k++) {
            hosaki_flow(h, y + 2 * k, y + 2 * k + 2);
        }
        od_shadow least = {.start = other};
        od_minimax best = {.best.start = start};
        solve(*state, &chain, y, weight, &least, &rms, &best);
        assert_true(best.best.radius <= least.radius);
        assert_true(best.best.radius <= hosaki_radius(&chain, y, y, &at));
        check_close(hosaki_radius(&chain, y, start, &at), best.best.radius, 1e-11);
        assert_true(best.local_lower <= best.best.radius);
        check_relative(best.local_lower, best.best.radius, 1e-6);
    }
}

/* Henon's map, chaotic: 0.42 a step. */
static od_status henon_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    next[0] = 1 - 1.4 * z[0] * z[0] + z[1];
    next[1] = 0.3 * z[0];
    return isfinite(next[0]) && fabs(next[0]) < 1e6 ? OD_OK : OD_EDIVERGED;
}

static od_status henon_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    for (size_t c = 0; c < m; c++) {
        ju[2 * c] = -2.8 * z[0] * u[2 * c] + u[2 * c + 1];
        ju[2 * c + 1] = 0.3 * u[2 * c];
    }
    return OD_OK;
}

typedef struct noisy {
    double y[2 * 201], noise;
    od_chain chain;
} noisy;

static noisy noisy_henon(uint64_t steps)
{
    noisy p = {.chain = {.what = "iteration", .dim = 2, .steps = steps, .step = henon_step, .jvp = henon_jvp}};
    uint64_t random = 12;
    double x[2] = {0.1, 0.1}, next[2];
    for (size_t k = 0; k <= steps; k++) {
        for (size_t i = 0; i < 2; i++) {
            p.y[2 * k + i] = x[i] + between(&random, -1, 1) * 1e-3;
        }
        p.noise = fmax(p.noise, hypot(x[0] - p.y[2 * k], x[1] - p.y[2 * k + 1]));
        henon_step(&p.chain, k, x, next);
        memcpy(x, next, sizeof x);
    }
    return p;
}

/* An orbit hidden in noise is within the noise; growth is 10^36, so that neither y_0 nor any other start leads along.
 */
static void a_noisy_chaotic_orbit_has_a_shadow_within_the_noise(void **state)
{
    double start[2], other[2], rms;
    const double weight[2] = {1, 1};
    noisy p = noisy_henon(200);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &p.chain, p.y, weight, &least, &rms, &best);
    assert_true(best.best.radius <= p.noise);
    assert_true(best.best.radius <= least.radius);
    assert_true(best.best.defect > 0 && best.best.defect < 1e-14);
    assert_true(least.defect > 0 && least.defect < 1e-14);
    check_close(best.local_lower, best.best.radius, 1e-9 * p.noise);
    /* 402 numbers uniform in +-10^-3 on 2 parameters: 10^-3/sqrt(3) for each component */
    check_relative(rms, 1e-3 * sqrt(2.0 / 3), 0.1);
}

static void a_short_chaotic_orbit_has_the_radius_of_a_search(void **state)
{
    double start[2], other[2], rms;
    const double weight[2] = {1, 1};
    noisy p = noisy_henon(12);
    od_shadow least = {.start = other};
    od_minimax best = {.best.start = start};
    solve(*state, &p.chain, p.y, weight, &least, &rms, &best);
    check_close(best.best.defect, 0, 0);
    check_close(best.local_lower, best.best.radius, 1e-9 * p.noise);
    uint64_t random = 9;
    for (int n = 0; n < 20000; n++) {
        const double size = pow(10, between(&random, -9, -3));
        double x[2], next[2], most = 0;
        for (int i = 0; i < 2; i++) {
            x[i] = start[i] + size * between(&random, -1, 1);
        }
        for (uint64_t k = 0; k <= p.chain.steps; k++) {
            most = fmax(most, hypot(x[0] - p.y[2 * k], x[1] - p.y[2 * k + 1]));
            henon_step(&p.chain, k, x, next);
            memcpy(x, next, sizeof x);
        }
        assert_true(most >= best.best.radius * (1 - 1e-9));
    }
}

/* ------------------------------------------------------------------------------------------- many steps */

static od_status diagonal_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    const double *a = chain->data;
    for (size_t i = 0; i < chain->dim; i++) {
        next[i] = a[i] * z[i];
    }
    return OD_OK;
}

static od_status diagonal_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    for (size_t c = 0; c < m; c++) {
        diagonal_step(chain, k, u + c * chain->dim, ju + c * chain->dim);
    }
    return OD_OK;
}

/* The first two of many components are off an orbit, so that the others change nothing; most steps keep no matrix. */
static void orbits_of_many_steps_and_dimensions(void **state)
{
    enum { K = 6000, D = 50 };
    double a[D], weight[D], start[D], other[D], rms[2];
    double *y = malloc((K + 1) * D * sizeof *y), *plane = malloc((K + 1) * 2 * sizeof *plane);
    uint64_t random = 4;
    for (size_t i = 0; i < D; i++) {
        a[i] = i == 0 ? 1 + 10.0 / K : 1 - between(&random, 0, i % 2 == 0 ? 0.01 : 0.8);
        weight[i] = between(&random, 0.5, 2);
        y[i] = between(&random, -2, 2);
    }
    for (size_t k = 0; k <= K; k++) {
        for (size_t i = 0; i < D && k > 0; i++) {
            y[k * D + i] = i < 2 ? y[i] * exp(log(a[i]) * (double)k) * (1 + 0.01 * sin(0.03 * (double)(k * (i + 1))))
                                 : a[i] * y[(k - 1) * D + i];
        }
        memcpy(plane + 2 * k, y + k * D, 2 * sizeof *y);
    }
    od_shadow least[2] = {{.start = start}, {.start = other}};
    od_minimax best[2] = {{.best.start = start}, {.best.start = other}};
    for (int n = 0; n < 2; n++) {
        od_chain chain = {.what = "iteration",
                          .dim = n == 0 ? 2 : D,
                          .steps = K,
                          .affine = true,
                          .step = diagonal_step,
                          .jvp = diagonal_jvp,
                          .vjp = diagonal_jvp,
                          .data = a};
        solve(*state, &chain, n == 0 ? plane : y, weight, &least[n], &rms[n], &best[n]);
    }
    check_relative(rms[1], rms[0], 1e-10);
    check_relative(least[1].radius, least[0].radius, 1e-9);
    check_relative(best[1].best.radius, best[0].best.radius, 1e-9);
    check_relative(best[1].lower, best[0].lower, 1e-9);
    check_relative(best[0].lower, best[0].best.radius, 1e-9);
    free(y);
    free(plane);
}

/* ------------------------------------------------------------------------------------------- failures */

typedef struct failing {
    affine map;
    int left;
    od_status status;
} failing;

static od_status failing_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    failing *f = chain->data;
    od_chain inner = affine_chain(&f->map, chain->steps);
    return f->left-- > 0 ? affine_step(&inner, k, z, next) : f->status;
}

static od_status failing_jvp(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    failing *f = chain->data;
    od_chain inner = affine_chain(&f->map, chain->steps);
    return f->left-- > 0 ? affine_jvp(&inner, k, z, m, u, ju) : f->status;
}

static void a_callback_that_fails_ends_the_search(void **state)
{
    const double a[4] = {0.9, 0.2, -0.3, 1.1}, weight[2] = {1, 1}, y[12] = {1, 2, 0, 1, 3, 2, 1, 1, 0, 4, 1, 1};
    for (int round = 0; round < 4; round++) {
        const od_status want = round % 2 == 0 ? OD_EUSER : OD_EDIVERGED;
        int count = 0;
        for (bool done = false; !done; count++) {
            failing f = {{2, a, NULL, 0}, count, want};
            od_chain chain = affine_chain(&f.map, 5);
            chain.data = &f;
            chain.step = failing_step;
            chain.jvp = failing_jvp;
            chain.affine = round < 2;
            const od_target target = {y, weight};
            od_shooting *s;
            double start[2], rms;
            od_shadow least = {.start = start};
            od_minimax best = {.best.start = start};
            check_done(*state, od_shooting_create(*state, &chain, &target, &s) == OD_OK);
            od_status status = od_shadow_least_squares(*state, s, &least, &rms);
            status = status == OD_OK ? od_shadow_minimax(*state, s, &best) : status;
            /* a search that goes on where a trial diverged may still succeed */
            done = f.left >= 0;
            assert_true(status == (done ? OD_OK : want) || (want == OD_EDIVERGED && status == OD_OK));
            if (status != OD_OK) {
                check_message(*state, "of the iteration");
            }
            od_shooting_free(s);
            assert_true(count < 3000);
        }
        assert_true(count > 50);
    }
}

static void impossible_questions_are_refused(void **state)
{
    const double a = 0.5, none = 0, negative = -1, one = 1, y[2] = {1, 2}, bad[2] = {1, NAN};
    affine f = {1, &a, NULL, 0};
    od_chain chain = affine_chain(&f, 1);
    od_shooting *s;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &none}, &s), OD_EINVAL);
    check_message(*state, "all weights are 0");
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &negative}, &s), OD_EINVAL);
    check_message(*state, "weight 0 is -1");
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){bad, &one}, &s), OD_EDIVERGED);
    check_message(*state, "diverged");
    chain.jvp = NULL;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &one}, &s), OD_EUNSUPPORTED);
    check_message(*state, "derivative");
    assert_null(s);
    chain.dim = 100000;
    assert_int_equal(od_shooting_create(*state, &chain, &(od_target){y, &one}, &s), OD_EUNSUPPORTED);
    check_message(*state, "take fewer dimensions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(published_radii_of_two_quadratics),
        test_with_context(one_dimension_has_the_radii_of_the_references),
        test_with_context(heavy_ball_has_the_position_radius_of_the_references),
        test_with_context(no_orbit_is_nearer_and_none_below_the_bound),
        test_with_context(any_multipliers_give_a_bound),
        test_with_context(neighbours_are_orthonormal),
        test_with_context(lines_have_the_radius_of_their_pairs),
        test_with_context(positions_have_the_radius_of_their_triples),
        test_with_context(a_map_that_forgets_has_one_orbit),
        test_with_context(an_orbit_shadows_itself),
        test_with_context(hosaki_has_the_radius_of_a_search_over_starts),
        test_with_context(hosaki_radii_are_those_of_their_linearisations),
        test_with_context(a_noisy_chaotic_orbit_has_a_shadow_within_the_noise),
        test_with_context(a_short_chaotic_orbit_has_the_radius_of_a_search),
        test_with_context(orbits_of_many_steps_and_dimensions),
        test_with_context(a_callback_that_fails_ends_the_search),
        test_with_context(impossible_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
