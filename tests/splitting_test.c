/*
 * The orbits that splittings give and the angles between their spaces: linear maps with known eigenvectors, chaotic
 * maps, many dimensions; glitches.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "chains.h"

static od_status split(od_context *ctx, od_chain *chain, od_track *track, const double *weight, od_split_orbit *orbit)
{
    od_growth growth;
    od_status status = od_growth_find(ctx, chain, track, 0, &growth);
    check_done(ctx, status == OD_OK);
    status = od_split_find(ctx, chain, track, &growth, weight, orbit);
    od_growth_free(&growth);
    return status;
}

/* The construction of the literature on quadratics: shadow-saddle/..., shadow-gd-concave/..., and two longer ones. */
static void gradient_descent_matches_the_construction(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *eigenvalues;
        double lambda[2], y0[2], h;
        uint64_t steps, at;
        double radius, x0[2], tolerance;
    } references[] = {
        {"-1, 1", {-1, 1}, {0.1, 1}, 0.2, 7, 4, 0.041537084399964445, {0.11317318866088685, 1}, 1e-13},
        {"-0.5, 2", {-0.5, 2}, {0.2, 1}, 0.2, 7, 2, 0.08951678992222985, {0.20667470998950813, 1}, 1e-13},
        {"-1, 1", {-1, 1}, {1, 0}, 0.2, 7, 2, 0.13786921907550026, {1.1317318866088684, 0}, 1e-13},
        {"-1, 1", {-1, 1}, {1, 0}, 0.2, 20, 15, 1.8562350487227937, {1.4241410557964727, 0}, 1e-13},
        {"2, 1", {2, 1}, {2, 2}, 0.2, 30, 2, 0.188669, {2, 2}, 5e-6},
        {"-1.27, 2", {-1.27, 2}, {2, 4.5}, 0.1, 14, 5, 0.317882, {NAN, 4.5}, 2e-6},
        {"-1.27, 2", {-1.27, 2}, {2, 4.5}, 0.1, 59, 51, 79.7357, {NAN, 4.5}, 1e-6},
    };
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        char method[64], problem[64];
        snprintf(method, sizeof method, "{name: gradient, step: %.17g}", references[i].h);
        snprintf(problem, sizeof problem, "{name: quadratic, eigenvalues: [%s]}", references[i].eigenvalues);
        iteration it;
        open_iteration(ctx, &it, method, problem, references[i].steps);
        double *y = gradient_flow(2, references[i].lambda, references[i].y0, references[i].h, references[i].steps);
        od_track track = od_track_stored(y, 2, references[i].steps);
        od_split_orbit orbit;
        check_done(ctx, split(ctx, &it.chain, &track, NULL, &orbit) == OD_OK);
        check_relative(orbit.radius, references[i].radius, references[i].tolerance);
        assert_int_equal(orbit.at, references[i].at);
        for (size_t j = 0; j < 2; j++) {
            if (!isnan(references[i].x0[j])) {
                check_close(orbit.start[j], references[i].x0[j], 1e-13);
            }
        }
        od_split_free(&orbit);
        free(y);
        close_iteration(&it);
    }
}

/* An eigenvector (1, (q - 1)/(h q)) of the heavy-ball map for the root q: x+ = x + h v+. */
static double slope(double q, double h)
{
    return (q - 1) / (h * q);
}

/*
 * Heavy ball on a saddle: corrections by sums over eigencomponents, g_k = a_k (1, s_u) + b_k (1, s_s), stable ones from
 * the past and unstable ones from the future. The angle is that of the eigenvectors.
 */
static void heavy_ball_splits_by_its_eigenvectors(void **state)
{
    od_context *ctx = *state;
    enum { K = 40 };
    const double h = 0.2, qu = 1.1354065922853802, qs = 0.7045934077146199, su = slope(qu, h), ss = slope(qs, h);
    iteration it;
    open_iteration(ctx, &it, "{name: heavy-ball, alpha: 1, step: 0.2}", "{name: quadratic, eigenvalues: [-1]}", K);
    double y[2 * (K + 1)], stable[K + 1] = {0}, unstable[K + 1] = {0}, next[2], radius = 0, position = 0;
    uint64_t at = 0;
    for (uint64_t k = 0; k <= K; k++) {
        y[2 * k] = sin(0.3 * (double)k);
        y[2 * k + 1] = cos(0.7 * (double)k * (double)k);
    }
    double a[K], b[K];
    for (uint64_t k = 0; k < K; k++) {
        it.chain.step(&it.chain, k, y + 2 * k, next);
        const double gx = next[0] - y[2 * k + 2], gv = next[1] - y[2 * k + 3];
        a[k] = (gv - ss * gx) / (su - ss);
        b[k] = gx - a[k];
        stable[k + 1] = qs * stable[k] + b[k];
    }
    for (uint64_t k = K; k-- > 0;) {
        unstable[k] = (unstable[k + 1] - a[k]) / qu;
    }
    for (uint64_t k = 0; k <= K; k++) {
        const double x = unstable[k] + stable[k], v = su * unstable[k] + ss * stable[k];
        at = hypot(x, v) > radius ? k : at;
        radius = fmax(radius, hypot(x, v));
        position = fmax(position, fabs(x));
    }
    od_track track = od_track_stored(y, 2, K);
    od_split_orbit orbit;
    check_done(ctx, split(ctx, &it.chain, &track, NULL, &orbit) == OD_OK);
    check_relative(orbit.radius, radius, 1e-12);
    assert_int_equal(orbit.at, at);
    check_close(orbit.start[0] - y[0], unstable[0], 1e-12);
    check_close(orbit.start[1] - y[1], su * unstable[0], 1e-12);
    assert_true(orbit.residual < 1e-14);
    od_split_free(&orbit);
    const double weight[2] = {1, 0};
    check_done(ctx, split(ctx, &it.chain, &track, weight, &orbit) == OD_OK);
    check_relative(orbit.radius, position, 1e-12);
    od_split_free(&orbit);
    od_growth growth;
    od_space_angle angle;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    check_done(ctx, od_space_angle_find(ctx, &it.chain, &track, &growth, &angle) == OD_OK);
    check_close(angle.radians, acos(-1) - fabs(atan(su) - atan(ss)), 1e-13);
    assert_int_equal(angle.at, 0);
    assert_int_equal(angle.stride, 1);
    od_growth_free(&growth);
    close_iteration(&it);
}

/* The cat map on the torus, lifted: whole numbers are taken off as the noisy track needs. */
enum { CATS = 300 };
static double turns[CATS][2];

static void cat(uint64_t k, const double *z, double *next)
{
    next[0] = 2 * z[0] + z[1] - turns[k][0];
    next[1] = z[0] + z[1] - turns[k][1];
}

static void cat_jacobian(const double *z, double j[4])
{
    (void)z;
    j[0] = 2;
    j[1] = j[2] = j[3] = 1;
}

/*
 * Exponents +-ln((3 + sqrt 5)/2) and orthogonal spaces with slopes (sqrt 5 - 1)/2 and -(1 + sqrt 5)/2. Noise of 1e-6
 * over 300 steps, in which it would grow by 10^125; the corrections are sums as above.
 */
static void the_cat_map_is_shadowed(void **state)
{
    od_context *ctx = *state;
    const double q = (3 + sqrt(5)) / 2, su = (sqrt(5) - 1) / 2, ss = -(1 + sqrt(5)) / 2;
    static double y[2 * (CATS + 1)], a[CATS], b[CATS], stable[CATS + 1], unstable[CATS + 1];
    y[0] = 0.2385;
    y[1] = 0.713;
    for (uint64_t k = 0; k < CATS; k++) {
        turns[k][0] = turns[k][1] = 0;
        cat(k, y + 2 * k, y + 2 * k + 2);
        for (size_t i = 0; i < 2; i++) {
            turns[k][i] = floor(y[2 * k + 2 + i]);
            y[2 * k + 2 + i] += 1e-6 * od_normal(1, OD_STREAM_CHECK, 0, i, k) - turns[k][i];
        }
        double next[2];
        cat(k, y + 2 * k, next);
        const double gx = next[0] - y[2 * k + 2], gy = next[1] - y[2 * k + 3];
        a[k] = (gy - ss * gx) / (su - ss);
        b[k] = gx - a[k];
        stable[k + 1] = stable[k] / q + b[k];
    }
    double radius = 0;
    for (uint64_t k = CATS; k-- > 0;) {
        unstable[k] = (unstable[k + 1] - a[k]) / q;
    }
    for (uint64_t k = 0; k <= CATS; k++) {
        radius = fmax(radius, hypot(unstable[k] + stable[k], su * unstable[k] + ss * stable[k]));
    }
    plane_map map = {cat, cat_jacobian};
    od_chain chain = plane_chain(&map, 2, CATS);
    chain.affine = true;
    od_track track = od_track_stored(y, 2, CATS);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &chain, &track, 0, &growth) == OD_OK);
    check_close(growth.exponent[0], log(q), 1e-14);
    check_close(growth.exponent[1], -log(q), 1e-14);
    check_close(growth.start[1] / growth.start[0], su, 1e-14);
    check_close(-growth.end[0] / growth.end[1], ss, 1e-14);
    od_space_angle angle;
    check_done(ctx, od_space_angle_find(ctx, &chain, &track, &growth, &angle) == OD_OK);
    check_close(angle.radians, acos(-1) / 2, 1e-14);
    od_split_orbit orbit;
    check_done(ctx, od_split_find(ctx, &chain, &track, &growth, NULL, &orbit) == OD_OK);
    check_relative(orbit.radius, radius, 1e-8); /* the sums lose 1e-16 of states near 1 against corrections of 1e-6 */
    check_close(orbit.start[0] - y[0], unstable[0], 1e-14);
    assert_true(orbit.residual < 1e-14);
    od_split_free(&orbit);
    od_growth_free(&growth);
}

/* Eigenvectors that are not orthogonal, both unstable: corrections vanish at the end, and come from it backward. */
static void sheared(uint64_t k, const double *z, double *next)
{
    (void)k;
    next[0] = 2 * z[0] + 1.5 * z[1] + 0.385;
    next[1] = 1.5 * z[1] - 0.213;
}

static void sheared_jacobian(const double *z, double j[4])
{
    (void)z;
    j[0] = 2;
    j[1] = j[3] = 1.5;
    j[2] = 0;
}

static void sheared_unstable_directions_are_swept_together(void **state)
{
    od_context *ctx = *state;
    enum { K = 25 };
    plane_map map = {sheared, sheared_jacobian};
    od_chain chain = plane_chain(&map, 2, K);
    chain.affine = true;
    double y[2 * (K + 1)], x[2], radius = 0;
    for (uint64_t k = 0; k <= K; k++) {
        y[2 * k] = sin(0.3 * (double)k);
        y[2 * k + 1] = cos(1.7 * (double)k);
    }
    memcpy(x, y + 2 * K, sizeof x);
    for (uint64_t k = K; k-- > 0;) {
        x[1] = (x[1] + 0.213) / 1.5;
        x[0] = (x[0] - 0.385 - 1.5 * x[1]) / 2;
        radius = fmax(radius, distance(2, x, y + 2 * k));
    }
    od_track track = od_track_stored(y, 2, K);
    od_split_orbit orbit;
    check_done(ctx, split(ctx, &chain, &track, NULL, &orbit) == OD_OK);
    check_relative(orbit.radius, radius, 1e-13);
    check_close(orbit.start[0], x[0], 1e-14);
    check_close(orbit.start[1], x[1], 1e-14);
    assert_true(orbit.defect[0] > 0.1 && orbit.defect[1] < 1e-12); /* affine: one round is all */
    od_split_free(&orbit);
}

static void slanted(uint64_t k, const double *z, double *next)
{
    (void)k;
    next[0] = 1.2 * z[0] + 100 * z[1];
    next[1] = 0.8 * z[1];
}

static void slanted_jacobian(const double *z, double j[4])
{
    (void)z;
    j[0] = 1.2;
    j[1] = 100;
    j[2] = 0;
    j[3] = 0.8;
}

/* Eigenvectors (1, 0) and (100, 0.8 - 1.2). */
static void small_angles_keep_their_digits(void **state)
{
    od_context *ctx = *state;
    enum { K = 20 };
    plane_map map = {slanted, slanted_jacobian};
    od_chain chain = plane_chain(&map, 2, K);
    const double y[2 * (K + 1)] = {0};
    od_track track = od_track_stored(y, 2, K);
    od_growth growth;
    od_space_angle angle;
    check_done(ctx, od_growth_find(ctx, &chain, &track, 0, &growth) == OD_OK);
    check_done(ctx, od_space_angle_find(ctx, &chain, &track, &growth, &angle) == OD_OK);
    check_close(angle.radians, atan(0.4 / 100), 1e-15);
    od_growth_free(&growth);
}

/* x' = 2x + 0.1 y^2, y' = y/2 + 0.05 y^3: unstable along x, and the orbit with a given y_0 and end is a recursion. */
static void bent(uint64_t k, const double *z, double *next)
{
    (void)k;
    next[0] = 2 * z[0] + 0.1 * z[1] * z[1];
    next[1] = z[1] / 2 + 0.05 * z[1] * z[1] * z[1];
}

static void bent_jacobian(const double *z, double j[4])
{
    j[0] = 2;
    j[1] = 0.2 * z[1];
    j[2] = 0;
    j[3] = 0.5 + 0.15 * z[1] * z[1];
}

static void newton_finds_the_orbit_of_a_bent_map(void **state)
{
    od_context *ctx = *state;
    enum { K = 30 };
    plane_map map = {bent, bent_jacobian};
    od_chain chain = plane_chain(&map, 2, K);
    double y[2 * (K + 1)], x[2 * (K + 1)];
    for (uint64_t k = 0; k <= K; k++) {
        y[2 * k] = 0.3 + 0.1 * sin((double)k);
        y[2 * k + 1] = 1.2 + 0.2 * cos(1.7 * (double)k);
    }
    /* the left eigenvector of the last Jacobian on the track for the root 2 is (1, c) */
    const double last = y[2 * K - 1], c = 0.2 * last / (2 - 0.5 - 0.15 * last * last);
    x[1] = y[1];
    for (uint64_t k = 0; k < K; k++) {
        x[2 * k + 3] = x[2 * k + 1] / 2 + 0.05 * pow(x[2 * k + 1], 3);
    }
    x[2 * K] = y[2 * K] - c * (x[2 * K + 1] - y[2 * K + 1]);
    double radius = 0;
    for (uint64_t k = K; k-- > 0;) {
        x[2 * k] = (x[2 * k + 2] - 0.1 * x[2 * k + 1] * x[2 * k + 1]) / 2;
    }
    for (uint64_t k = 0; k <= K; k++) {
        radius = fmax(radius, distance(2, x + 2 * k, y + 2 * k));
    }
    od_track track = od_track_stored(y, 2, K);
    od_split_orbit orbit;
    check_done(ctx, split(ctx, &chain, &track, NULL, &orbit) == OD_OK);
    check_relative(orbit.radius, radius, 1e-12);
    check_close(orbit.start[0], x[0], 1e-13);
    check_close(orbit.start[1], x[1], 0);
    assert_true(orbit.rounds >= 3 && orbit.rounds <= 8);
    /* quadratic: one constant bounds defect/defect^2 of all rounds above rounding */
    for (unsigned i = 1; i < orbit.rounds && orbit.defect[i] > 1e-13; i++) {
        assert_true(orbit.defect[i] <= 2 * orbit.defect[i - 1] * orbit.defect[i - 1]);
    }
    od_split_free(&orbit);
}

/* A noisy orbit of Henon's map: the orbit that is found passes near it for as long as doubles can follow its start. */
static void newton_finds_an_orbit_of_henon(void **state)
{
    od_context *ctx = *state;
    enum { K = 60 };
    plane_map map = {henon, henon_jacobian};
    od_chain chain = plane_chain(&map, 2, K);
    double y[2 * (K + 1)] = {0.3, 0.2}, z[2], next[2];
    for (uint64_t k = 0; k < K; k++) {
        henon(k, y + 2 * k, y + 2 * k + 2);
        y[2 * k + 2] += 1e-9 * od_normal(2, OD_STREAM_CHECK, 0, 0, k);
        y[2 * k + 3] += 1e-9 * od_normal(2, OD_STREAM_CHECK, 0, 1, k);
    }
    od_track track = od_track_stored(y, 2, K);
    od_split_orbit orbit;
    check_done(ctx, split(ctx, &chain, &track, NULL, &orbit) == OD_OK);
    assert_true(orbit.radius < 1e-6 && orbit.residual < 1e-14);
    double same = 0, most = 0;
    memcpy(z, y, sizeof z);
    for (uint64_t k = 0; k < K; k++) {
        henon(k, z, next);
        memcpy(z, next, sizeof z);
        same = fmax(same, distance(2, z, y + 2 * k + 2));
    }
    assert_true(same > 0.1); /* what the noise does to the orbit from the same start */
    memcpy(z, orbit.start, sizeof z);
    for (uint64_t k = 0; k < 30; k++) { /* rounding of the start grows to 1e-16 e^{0.42 30}, some 1e-10 */
        henon(k, z, next);
        memcpy(z, next, sizeof z);
        most = fmax(most, distance(2, z, y + 2 * k + 2));
    }
    assert_true(most < 1.01 * orbit.radius + 1e-9);
    od_split_free(&orbit);
}

/*
 * hosaki-gd/..., Figure 15: off a saddle and on to a minimum, where all directions shrink. The orbit from the same
 * start strays by 0.4456 at k = 11; starts moved along the unstable direction bring this down to 0.0535, and no start
 * to less than 0.0527. The direction turns where it has grown most.
 */
static void a_saddle_left_for_a_minimum_is_shadowed(void **state)
{
    od_context *ctx = *state;
    enum { K = 40 };
    iteration it;
    open_iteration(ctx, &it, "{name: gradient, step: 0.3}", "{name: hosaki}", K);
    od_flow *flow = od_flow_create(ctx, "{name: gradient, step: 0.3}", it.problem);
    check_done(ctx, flow != NULL);
    od_chain sampled;
    check_done(ctx, od_chain_of_flow(ctx, flow, 0, 0.3, K, 1e-12, &sampled) == OD_OK);
    const double y0[2] = {2.05, 3.2};
    double *y = orbit_of(&sampled, y0);
    od_track track = od_track_stored(y, 2, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    assert_int_equal(growth.unstable, 0);
    assert_int_equal(growth.turning, 1);
    assert_int_equal(growth.carried, 1);
    od_split_orbit orbit;
    check_done(ctx, od_split_find(ctx, &it.chain, &track, &growth, NULL, &orbit) == OD_OK);
    assert_true(orbit.radius >= 0.0526 && orbit.radius < 0.08);
    assert_true(orbit.residual < 1e-14);
    od_split_free(&orbit);
    od_growth_free(&growth);
    free(y);
    od_chain_clear(&sampled);
    od_flow_free(flow);
    close_iteration(&it);
}

/* More dimensions than are looked at densely: two unstable directions among 2000, found by growth alone. */
static void few_unstable_directions_of_many_are_found(void **state)
{
    od_context *ctx = *state;
    enum { D = 2000, K = 400 };
    static double lambda[D], y0[D];
    char *problem = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&problem, &size);
    fputs("{name: quadratic, eigenvalues: [", out);
    for (size_t i = 0; i < D; i++) {
        lambda[i] = i == 713 ? -0.5 : i == 1385 ? -0.3 : 0.1 + 1.9 * (double)i / D;
        y0[i] = i == 713 ? 1e-3 : cos((double)i);
        fprintf(out, "%s%.17g", i > 0 ? ", " : "", lambda[i]);
    }
    fputs("]}", out);
    fclose(out);
    iteration it;
    open_iteration(ctx, &it, "{name: gradient, step: 0.1}", problem, K);
    double *y = gradient_flow(D, lambda, y0, 0.1, K);
    od_track track = od_track_stored(y, D, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    assert_int_equal(growth.unstable, 2);
    assert_true(growth.count < 20);
    check_close(growth.exponent[0], log(1.05), 1e-6);
    check_close(growth.exponent[1], log(1.03), 1e-6);
    od_split_orbit orbit;
    check_done(ctx, od_split_find(ctx, &it.chain, &track, &growth, NULL, &orbit) == OD_OK);
    check_relative(orbit.start[713], y[K * D + 713] * pow(1.05, -K), 1e-7);
    check_relative(orbit.start[1385], y[K * D + 1385] * pow(1.03, -K), 1e-7);
    check_close(orbit.start[17], y0[17], 1e-7);
    assert_true(orbit.residual < 1e-12);
    od_split_free(&orbit);
    od_growth_free(&growth);
    free(y);
    free(problem);
    close_iteration(&it);
}

/* Many dimensions in which nothing grows, and an offset that does not shrink: one pass is enough to see it. */
static void many_stable_directions_are_seen_at_once(void **state)
{
    od_context *ctx = *state;
    enum { D = 300, K = 2000 };
    char *problem = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&problem, &size);
    fputs("{name: quadratic, eigenvalues: [0.02", out);
    for (size_t i = 1; i < D; i++) {
        fprintf(out, ", %.17g", 0.1 + 1.9 * (double)i / D);
    }
    fputs("]}", out);
    fclose(out);
    iteration it;
    open_iteration(ctx, &it, "{name: gradient, step: 0.1}", problem, K);
    double *y = calloc((K + 1) * D, sizeof *y);
    od_track track = od_track_stored(y, D, K);
    od_growth growth;
    check_done(ctx, od_growth_find(ctx, &it.chain, &track, 0, &growth) == OD_OK);
    assert_int_equal(growth.unstable + growth.neutral + growth.turning, 0);
    /* below the true one by no more than ln(sqrt D) and what a component of a random vector may be smaller, 4 */
    assert_true(growth.exponent[0] <= log(1 - 0.002) + 1e-12);
    assert_true(growth.exponent[0] >= log(1 - 0.002) - (log(sqrt(D)) + 4) / K);
    od_growth_free(&growth);
    free(y);
    free(problem);
    close_iteration(&it);
}

/* ------------------------------------------------------------------------------------------------ glitches, refusals
 */

typedef struct staircase {
    uint64_t rises, asked, longest;
} staircase;

static od_status stair(void *user, uint64_t steps, double *lower)
{
    staircase *s = user;
    s->asked++;
    s->longest = steps > s->longest ? steps : s->longest;
    *lower = steps >= s->rises ? 2.5 : 0.5;
    return OD_OK;
}

static void glitches_are_found_from_short_prefixes(void **state)
{
    od_context *ctx = *state;
    static const uint64_t rises[] = {1, 2, 8, 9, 713, 999, 1000, 1001};
    for (size_t i = 0; i < sizeof rises / sizeof *rises; i++) {
        staircase s = {.rises = rises[i]};
        uint64_t k = 0;
        assert_int_equal(od_glitch_find(ctx, 1000, 1, stair, &s, &k), OD_OK);
        assert_int_equal(k, rises[i]);
        assert_true(s.asked <= 18 && s.longest <= fmin(fmax(8, 2 * (double)rises[i]), 1000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(gradient_descent_matches_the_construction),
        test_with_context(heavy_ball_splits_by_its_eigenvectors),
        test_with_context(the_cat_map_is_shadowed),
        test_with_context(sheared_unstable_directions_are_swept_together),
        test_with_context(small_angles_keep_their_digits),
        test_with_context(newton_finds_the_orbit_of_a_bent_map),
        test_with_context(newton_finds_an_orbit_of_henon),
        test_with_context(a_saddle_left_for_a_minimum_is_shadowed),
        test_with_context(few_unstable_directions_of_many_are_found),
        test_with_context(many_stable_directions_are_seen_at_once),
        test_with_context(glitches_are_found_from_short_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
