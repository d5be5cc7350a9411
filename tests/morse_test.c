/*
 * The Morse index of paths against conjugate points known in closed form, and counted elsewhere.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/form.h"
#include "analysis/gauss.h"
#include "analysis/morse.h"

static const double pi = 3.14159265358979323846;

static void check_index(od_context *ctx, const char *parts, double t1, double t2, bool free_start, size_t index,
                        size_t nullity)
{
    char text[640];
    od_trajectory *path;
    od_morse morse;
    snprintf(text, sizeof text, "{%s, integrator: {name: rk4, step: 0.1}, until: %.17g}", parts, t2);
    od_experiment *e = od_experiment_parse(ctx, text, NULL);
    check_done(ctx, e != NULL);
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], t2, 1e-12, &path) == OD_OK);
    const od_first_end all = {.free_count = e->problem[0]->dim};
    check_done(ctx, od_morse_index(ctx, path, t1, t2, free_start ? &all : NULL, &morse) == OD_OK);
    if (morse.index != index || morse.degenerate != (nullity > 0) || morse.nullity != nullity) {
        print_error("%s on [%.17g, %.17g]: index %zu, nullity %zu, %s; want %zu, %zu; nearest %g +- %g, %zu nodes\n",
                    parts, t1, t2, morse.index, morse.nullity, morse.degenerate ? "degenerate" : "clear", index,
                    nullity, morse.nearest, morse.error, morse.nodes);
        fail();
    }
    od_trajectory_free(path);
    od_experiment_free(e);
}

#define ONE "problem: {name: quadratic, eigenvalues: [1]}, start: {t: 0.5, x: [1]}, "

/* Zeros of J1(s1) Y1(s) - Y1(s1) J1(s), s = t sqrt(beta), to 16 digits from another program. */
static void nesterov_on_quadratics_has_the_index_of_the_references(void **state)
{
    check_index(*state, ONE "method: {name: nesterov}", 1, 30, false, 9, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 10, false, 2, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 4.3556, false, 0, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 4.3557, false, 1, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 4.35568716404051, false, 0, 1);
    check_index(*state, ONE "method: {name: nesterov}", 1, 4.3556871, false, 0, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 4.3556872, false, 1, 0);
    check_index(*state, ONE "method: {name: nesterov}", 1, 7.53215755647818, false, 1, 1);
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [2, 2, 0.1]}, start: {t: 1, x: [1, 1, 1]}, method: {name: "
                "nesterov}",
                4, 6.237820008599875, false, 0, 2);
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [2, 2, 0.1]}, start: {t: 1, x: [1, 1, 1]}, method: {name: "
                "nesterov}",
                4, 6.3, false, 2, 0);
    /* from t1 = 0 the first is j_{1,1}, the next ones j_{1,2} = 7.0156 and j_{1,3} = 10.1735 */
    check_index(*state, "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: nesterov}", 0,
                3.8317, false, 0, 0);
    check_index(*state, "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: nesterov}", 0,
                3.8318, false, 1, 0);
    check_index(*state, "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: nesterov}", 0,
                10.17, false, 2, 0);
}

/* Damping 2/t and 0/t (alpha = 0): t1 + k pi/sqrt(beta). Constant damping: t1 + 2 k pi/sqrt(4 beta - alpha^2). */
static void closed_forms_of_all_dampings(void **state)
{
    static const double beta[3] = {0.3, 1, 17.385};
    for (size_t i = 0; i < 3; i++) {
        for (int k = 1; k <= 5; k += 2) {
            char parts[400];
            const double gap = k * pi / sqrt(beta[i]);
            snprintf(parts, sizeof parts,
                     "problem: {name: quadratic, eigenvalues: [%.17g]}, start: {t: 0.5, x: [1]}, method: {name: "
                     "nesterov, r: 2}",
                     beta[i]);
            check_index(*state, parts, 0.7, 0.7 + gap, false, (size_t)k - 1, 1);
            check_index(*state, parts, 0.7, 0.7 + gap * (1 + 1e-8), false, (size_t)k, 0);
            check_index(*state, parts, 0.7, 0.7 + gap * (1 - 1e-8), false, (size_t)k - 1, 0);
            const double alpha = 0.4, period = 2 * k * pi / sqrt(4 * beta[i] - alpha * alpha);
            snprintf(parts, sizeof parts,
                     "problem: {name: quadratic, eigenvalues: [%.17g]}, start: {t: -1, x: [1]}, method: {name: "
                     "heavy-ball, alpha: %g}",
                     beta[i], alpha);
            check_index(*state, parts, -0.3, -0.3 + period, false, (size_t)k - 1, 1);
            check_index(*state, parts, -0.3, -0.3 + period * (1 + 1e-8), false, (size_t)k, 0);
            check_index(*state, parts, -0.3, -0.3 + period * (1 - 1e-8), false, (size_t)k - 1, 0);
        }
    }
    /* near critical damping, where weights range over e^{1.99 * 31} */
#define BARELY "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: heavy-ball, alpha: 1.99}"
    check_index(*state, BARELY, 0, 31.4552702288800, false, 0, 1);
    check_index(*state, BARELY, 0, 31.456, false, 1, 0);
    check_index(*state, BARELY, 0, 31.455, false, 0, 0);
    check_index(*state, BARELY, 0, 1000, false, 31, 0);
    /* overdamped: never, though e^{alpha t} overflows */
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: heavy-ball, "
                "alpha: 2}",
                0, 1000, false, 0, 0);
    /* zero and negative curvatures count nothing, equal ones each */
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [1, 0, -3, 1, 1]}, start: {x: [1, 1, 1, 1, 1]}, "
                "method: {name: heavy-ball, alpha: 1}",
                0, 4, false, 3, 0);
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [0, -3]}, start: {x: [1, 1]}, method: {name: "
                "heavy-ball, alpha: 1}",
                0, 4, false, 0, 0);
    /* free start, no damping: h' = 0 at t1, so cos(t - t1) vanishes at pi/2 */
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: heavy-ball, "
                "alpha: 0}",
                0, pi / 2, true, 0, 1);
    check_index(*state,
                "problem: {name: quadratic, eigenvalues: [1]}, start: {x: [1]}, method: {name: heavy-ball, "
                "alpha: 0}",
                0, 5, true, 2, 0);
}

/* Memory flows: x'' + (2/t)(x' + g) = 0; time tau = sqrt(8 t) makes it damping 3/tau, so its conjugate points are those
 * of Nesterov's flow, squared and over 8. Bregman p = 3, C = 1: w = 2 sqrt(C beta) t^{p/2} in place of s. */
static void warped_flows_have_warped_conjugate_points(void **state)
{
#define QUADRATIC "problem: {name: quadratic, eigenvalues: [1]}, start: {t: 0.01, x: [1]}, method: "
    const double first = 4.35568716404051, second = 7.53215755647818;
    check_index(*state, QUADRATIC "{name: memory, forgetting: linear}", 1.0 / 8, first * first / 8, false, 0, 1);
    check_index(*state, QUADRATIC "{name: memory, forgetting: linear}", 1.0 / 8, second * second / 8 * (1 + 1e-7),
                false, 2, 0);
    const double t1 = pow(0.5, 2.0 / 3);
    check_index(*state, QUADRATIC "{name: bregman, p: 3, C: 1}", t1, pow(first / 2, 2.0 / 3), false, 0, 1);
    check_index(*state, QUADRATIC "{name: bregman, p: 3, C: 1}", t1, pow(second / 2, 2.0 / 3) * (1 + 1e-7), false, 2,
                0);
}

/* f = x^4: x = 1/(2 t) is conjugate at t1 R^k, R = exp(pi/sqrt 2); from rest one point alone, 2.2797... for t1 = 1/2;
 * from (1, 0) at t = 1: 2.5929, 9.9753, 65.5499 (log-time Taylor series in 40 digits). */
static void quartic_losses_have_the_index_of_the_references(void **state)
{
#define QUARTIC "problem: {name: power, p: 4}, method: {name: nesterov}, start: "
    const double ratio = 9.220612518873528;
    check_index(*state, QUARTIC "{t: 0.5, x: [1], v: [-2]}", 0.5, 0.5 * ratio * (1 + 1e-6), false, 1, 0);
    check_index(*state, QUARTIC "{t: 0.5, x: [1], v: [-2]}", 0.5, 0.5 * ratio * (1 - 1e-6), false, 0, 0);
    check_index(*state, QUARTIC "{t: 0.5, x: [1], v: [-2]}", 0.5, 0.5 * ratio * ratio * 1.0001, false, 2, 0);
    check_index(*state, QUARTIC "{x: [1]}", 0.5, 2.2797, false, 0, 0);
    check_index(*state, QUARTIC "{x: [1]}", 0.5, 2.27971, false, 1, 0);
    check_index(*state, QUARTIC "{x: [1]}", 0.5, 300, false, 1, 0);
    check_index(*state, QUARTIC "{x: [1]}", 1.415, 300, false, 0, 0);
    check_index(*state, QUARTIC "{t: 1, x: [1]}", 1, 9.9753, false, 1, 0);
    check_index(*state, QUARTIC "{t: 1, x: [1]}", 1, 9.9754, false, 2, 0);
    check_index(*state, QUARTIC "{t: 1, x: [1]}", 1, 65.55, false, 3, 0);
    /* three equal coordinates, and a fourth that rests at the minimum and never counts */
    check_index(*state,
                "problem: {name: power, p: 4, dim: 4}, method: {name: nesterov}, start: {t: 1, x: [1, 1, -1, 0]}", 1,
                9.9754, false, 6, 0);
}

/* On a turned quadratic, blocks of d x d and scalar forms in the eigendirections count the same at any level. */
static void blocks_count_what_scalars_do(void **state)
{
    od_context *ctx = *state;
    static const double level[] = {0.03, 0.2, 0.7, 0.99, 1, 1.3, 2.9};
    od_experiment *e = od_experiment_parse(
        ctx,
        "{problem: {name: quadratic, eigenvalues: [3, 1, 1, 0.2, -0.5], rotation: 7}, method: {name: nesterov}, "
        "integrator: {name: exact}, start: {t: 0.5, x: [1, 1, 1, 1, 1]}, until: 12}",
        NULL);
    check_done(ctx, e != NULL);
    od_trajectory *path;
    check_done(ctx, od_trajectory_create(ctx, &e->member[0], 12, 1e-12, &path) == OD_OK);
    for (size_t k = 0; k < sizeof level / sizeof *level; k++) {
        od_mesh mesh;
        od_form form;
        size_t together, sum = 0;
        check_done(ctx, od_mesh_open(ctx, path, 0.5, 12, NULL, 16, &mesh) == OD_OK);
        check_done(ctx, od_form_open(ctx, path, &mesh, NULL, NULL, &form) == OD_OK);
        check_done(ctx, od_form_negative(&form, level[k], &together) == OD_OK);
        od_form_close(&form);
        for (size_t i = 0; i < 5; i++) {
            size_t one;
            check_done(ctx,
                       od_form_open(ctx, path, &mesh, &e->problem[0]->spectrum->eigenvalues[i], NULL, &form) == OD_OK);
            check_done(ctx, od_form_negative(&form, level[k], &one) == OD_OK);
            od_form_close(&form);
            sum += one;
        }
        assert_int_equal(together, sum);
        od_mesh_close(&mesh);
    }
    od_trajectory_free(path);
    od_experiment_free(e);
}

/* Lanczos' count is that by blocks, repeated eigenvalues included, for ends that are held, free, or free in part. */
static void matrix_free_counts_are_those_by_blocks(void **state)
{
    static const double plane[2 * 5] = {0.6, 0.8, 0, 0, 0, 0, 0, 0, 1, 0};
    static const od_first_end held = {0}, all4 = {.free_count = 4}, part = {.free_count = 2, .free = plane},
                              bent = {.free_count = 2, .free = plane, .bend = -1.3};
    static const struct {
        const char *parts;
        double t2;
        const od_first_end *first;
    } cases[] = {
        {"problem: {name: rosenbrock, dim: 6}, start: {x: [-1, 0.5, 1, -0.3, 0.8, 0.2]}, method: {name: nesterov}", 1,
         &held},
        {"problem: {name: quadratic, eigenvalues: [3, 1, 0.7, 0.2, -0.5], rotation: 7}, start: {t: 0.5, x: [1, 1, 1, "
         "1, 1]}, method: {name: nesterov}",
         12, &held},
        {"problem: {name: quadratic, eigenvalues: [3, 1, 0.7, 0.2, -0.5], rotation: 7}, start: {t: 0.5, x: [1, 1, 1, "
         "1, 1]}, method: {name: nesterov}",
         12, &part},
        {"problem: {name: quadratic, eigenvalues: [3, 1, 0.7, 0.2, -0.5], rotation: 7}, start: {t: 0.5, x: [1, 1, 1, "
         "1, 1]}, method: {name: nesterov}",
         11, &bent},
        {"problem: {name: quadratic, eigenvalues: [1, 1, 1, -0.5]}, start: {x: [1, 1, 1, 1]}, method: {name: "
         "heavy-ball, alpha: 0.5}",
         12, &held},
        {"problem: {name: quadratic, eigenvalues: [1, 1, 1, -0.5]}, start: {x: [1, 1, 1, 1]}, method: {name: "
         "heavy-ball, alpha: 0.5}",
         12, &all4},
        {"problem: hosaki, start: {x: [2, 2.3]}, method: {name: heavy-ball, alpha: 0.7}", 9, &held},
        {"problem: hosaki, start: {t: 0.5, x: [2, 2.3]}, method: {name: bregman, p: 3, C: 1}", 4, &held},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[640];
        od_trajectory *path;
        od_morse exact, lanczos;
        const double t1 = 0.5, t2 = cases[i].t2;
        snprintf(text, sizeof text, "{%s, integrator: {name: rk4, step: 0.1}, until: %g}", cases[i].parts, t2);
        od_experiment *e = od_experiment_parse(*state, text, NULL);
        check_done(*state, e != NULL);
        check_done(*state, od_trajectory_create(*state, &e->member[0], t2, 1e-12, &path) == OD_OK);
        check_done(*state, od_morse_index(*state, path, t1, t2, cases[i].first, &exact) == OD_OK);
        check_done(*state, od_morse_matrix_free(*state, path, t1, t2, cases[i].first, &lanczos) == OD_OK);
        if (lanczos.lower_bound || exact.lower_bound || exact.miss != 0 || lanczos.index == 0 ||
            lanczos.index != exact.index || !(lanczos.miss <= 1e-9) ||
            !(fabs(lanczos.nearest - exact.nearest) <= lanczos.error + exact.error)) {
            print_error("%s: %s %zu, exactly %zu; nearest %g +- %g, exactly %g +- %g\n", cases[i].parts,
                        lanczos.lower_bound ? "at least" : "Lanczos", lanczos.index, exact.index, lanczos.nearest,
                        lanczos.error, exact.nearest, exact.error);
            fail();
        }
        od_trajectory_free(path);
        od_experiment_free(e);
    }
}

/* A conjugate point at t2 leaves a member at 1, which no number of steps can tell from one above: a bound is left. */
static void a_matrix_free_count_of_a_degenerate_path_is_a_lower_bound(void **state)
{
    od_trajectory *path;
    od_morse morse;
    od_experiment *e = od_experiment_parse(*state,
                                           "{problem: {name: quadratic, eigenvalues: [1, 1, 0.3], rotation: 2}, "
                                           "start: {x: [1, 1, 1]}, method: {name: heavy-ball, alpha: 0}, integrator: "
                                           "{name: rk4, step: 0.1}, until: 6.283185307179586}",
                                           NULL);
    check_done(*state, e != NULL);
    check_done(*state, od_trajectory_create(*state, &e->member[0], 2 * pi, 1e-12, &path) == OD_OK);
    check_done(*state, od_morse_matrix_free(*state, path, 0, 2 * pi, NULL, &morse) == OD_OK);
    assert_true(morse.lower_bound);
    assert_true(morse.index >= 1 && morse.index <= 3); /* 2 at pi, 1 at pi/sqrt(0.3); 2 more at the end */
    od_trajectory_free(path);
    od_experiment_free(e);
}

/* Constant damping, d from 1 to 6 curvatures of all signs, some equal: each beta > alpha^2/4 has the conjugate points
 * t1 + 2 k pi/sqrt(4 beta - alpha^2). An end within 1e-9 of one is drawn with probability below 1e-6 in all. */
static void random_quadratics_have_the_index_of_the_closed_form(void **state)
{
    for (uint64_t k = 0; k < 250; k++) {
        double beta[6];
        char list[256] = "", start[64] = "", parts[512];
#define DRAW(i) od_uniform(11, OD_STREAM_CHECK, k, (i), 0)
        const size_t d = 1 + od_index(11, OD_STREAM_CHECK, k, 99, 0, 6);
        const double alpha = 3 * DRAW(20), t1 = -2 + 4 * DRAW(21), t2 = t1 + 0.3 + 12 * DRAW(22) * DRAW(23);
        size_t index = 0;
        for (size_t i = 0; i < d; i++) {
            beta[i] = i > 0 && DRAW(i) < 0.3 ? beta[i - 1] : DRAW(30 + i) < 0.15 ? 0 : -2 + 10 * DRAW(40 + i);
            const double w = sqrt(fmax(0, 4 * beta[i] - alpha * alpha)), turns = w * (t2 - t1) / (2 * pi);
            index += (size_t)floor(turns);
            const size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%.17g", i > 0 ? ", " : "", beta[i]);
            strcat(start, i > 0 ? ", 1" : "1");
        }
        snprintf(parts, sizeof parts,
                 "problem: {name: quadratic, eigenvalues: [%s]}, start: {t: -2, x: [%s]}, method: {name: heavy-ball, "
                 "alpha: %.17g}",
                 list, start, alpha);
        check_index(*state, parts, t1, t2, false, index, 0);
    }
}

static void gauss_is_exact_to_its_degree(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 20; n++) {
        double x[20], w[20];
        od_gauss(n, x, w);
        for (size_t k = 0; k <= 2 * n - 1; k++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++) {
                sum += w[i] * pow(x[i], (double)k);
            }
            check_close(sum, k % 2 == 0 ? 2.0 / ((double)k + 1) : 0.0, 2e-14);
        }
    }
}

/* Wider blocks go with elements of a lower degree: as many negative directions as equal coordinates have each. */
static void wide_blocks_count_what_each_coordinate_does(void **state)
{
    static const size_t dims[] = {20, 70};
    for (size_t i = 0; i < 2; i++) {
        char parts[640] = "";
        strcat(parts, "problem: {name: power, p: 4, dim: ");
        sprintf(parts + strlen(parts), "%zu}, method: {name: nesterov}, start: {x: [1", dims[i]);
        for (size_t k = 1; k < dims[i]; k++) {
            strcat(parts, k % 4 == 0 ? ", 0" : k % 2 == 0 ? ", 1" : ", -1");
        }
        strcat(parts, "]}");
        check_index(*state, parts, 0.5, 2.2, false, 0, 0);
        check_index(*state, parts, 0.5, 2.4, false, dims[i] - (dims[i] - 1) / 4, 0); /* those that are not at rest */
    }
}

static void what_is_beyond_meshes_is_refused(void **state)
{
    od_experiment *e = od_experiment_parse(
        *state,
        "{problem: {name: quadratic, eigenvalues: [1.0e+14]}, start: {x: [1]}, method: "
        "{name: heavy-ball, alpha: 0.1}, integrator: exact, until: 2}",
        NULL);
    check_done(*state, e != NULL);
    od_trajectory *path;
    od_morse morse;
    od_mesh mesh;
    od_form form;
    size_t count;
    double edge[65], a[1];
    check_done(*state, od_trajectory_create(*state, &e->member[0], 2, 1e-12, &path) == OD_OK);
    assert_int_equal(od_morse_index(*state, path, 0, 2, NULL, &morse), OD_EUNSUPPORTED);
    check_message(*state, "more than 4 million elements; take a shorter interval");
    assert_int_equal(od_morse_index(*state, path, 1, 1, NULL, &morse), OD_EINVAL);
    assert_int_equal(od_morse_index(*state, path, -1, 1, NULL, &morse), OD_EINVAL);
    assert_int_equal(od_morse_index(*state, path, 1, 3, NULL, &morse), OD_EINVAL);
    check_message(*state, "[1, 3] does not lie on the path");
    assert_int_equal(od_trajectory_acceleration(path, -1, a), OD_EINVAL);
    assert_int_equal(od_trajectory_acceleration(path, 3, a), OD_EINVAL);
    for (size_t i = 0; i <= 64; i++) {
        edge[i] = 2.0 * (double)i / 64;
    }
    mesh = (od_mesh){.elements = 1 << 22, .degree = 1, .edge = edge};
    assert_int_equal(od_mesh_halve(*state, &mesh), OD_ENOMEM);
    /* a curvature that overflows */
    static const double beyond[] = {1e308, NAN, INFINITY};
    mesh.elements = 2;
    for (size_t i = 0; i < 3; i++) {
        check_done(*state, od_form_open(*state, path, &mesh, &beyond[i], NULL, &form) == OD_OK);
        const od_status status = od_form_negative(&form, 1, &count);
        assert_true(status == OD_ENUMERIC || (i == 0 && count > 0));
        od_form_close(&form);
    }
    od_trajectory_free(path);
    od_experiment_free(e);
    e = od_experiment_parse(*state,
                            "{problem: {name: power, p: 4, dim: 2000}, start: {x: {normal: 1}}, method: {name: "
                            "heavy-ball, alpha: 0.1}, integrator: {name: rk4, step: 0.1}, until: 0.1}",
                            NULL);
    check_done(*state, e != NULL);
    check_done(*state, od_trajectory_create(*state, &e->member[0], 0.1, 1e-6, &path) == OD_OK);
    mesh.elements = 64;
    assert_int_equal(od_form_open(*state, path, &mesh, NULL, NULL, &form), OD_EUNSUPPORTED);
    check_message(*state, "the second variation in 2000 coupled dimensions takes 8.19 GB on 64 elements");
    od_form_close(&form);
    od_trajectory_free(path);
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(gauss_is_exact_to_its_degree),
        test_with_context(nesterov_on_quadratics_has_the_index_of_the_references),
        test_with_context(closed_forms_of_all_dampings),
        test_with_context(warped_flows_have_warped_conjugate_points),
        test_with_context(quartic_losses_have_the_index_of_the_references),
        test_with_context(random_quadratics_have_the_index_of_the_closed_form),
        test_with_context(blocks_count_what_scalars_do),
        test_with_context(matrix_free_counts_are_those_by_blocks),
        test_with_context(a_matrix_free_count_of_a_degenerate_path_is_a_lower_bound),
        test_with_context(wide_blocks_count_what_each_coordinate_does),
        test_with_context(what_is_beyond_meshes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
