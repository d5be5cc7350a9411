/*
 * The shadowing theorem in ball arithmetic: a proof written by hand holds, and with any one of its numbers wrong it
 * does not.
 *
 * x+ = diag(1.127, 0.8) x in unit frames, the first direction unstable at every step: the inequalities of the shapes
 * are recursions of two numbers.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/arb/proof.h"

enum { K = 4, N = 2 };

static const od_module arb = {.name = "arb", .folder = "src/arb", .version = OD_ARB_VERSION, .use = "a proof needs"};

typedef struct sheet {
    od_proof p;
    double x[(K + 1) * N], frame[(K + 1) * N * N], linear[K * N * N];
    double stable[(K + 1) * N * N], unstable[(K + 1) * N * N], sizes[2][K + 1], share[3 * K];
    uint32_t count[K];
} sheet;

static const double grows = 1 + 0.1 * 1.27, shrinks = 1 - 0.1 * 2, more = 1 + 1e-6;

static void write_sheet(const od_rule *rule, sheet *s)
{
    memset(s, 0, sizeof *s);
    s->x[0] = 0.3;
    s->x[1] = 1.7;
    for (size_t k = 0; k <= K; k++) {
        s->frame[4 * k] = s->frame[4 * k + 3] = 1;
        if (k < K) {
            s->x[2 * k + 2] = grows * s->x[2 * k];
            s->x[2 * k + 3] = shrinks * s->x[2 * k + 1];
            s->linear[4 * k] = grows;
            s->linear[4 * k + 3] = shrinks;
            s->count[k] = 1;
            s->share[3 * k] = s->share[3 * k + 1] = 0.8;
            s->share[3 * k + 2] = 0.01;
        }
    }
    for (size_t k = 0; k < K; k++) {
        s->stable[4 * k + 4] = (shrinks * shrinks * s->stable[4 * k] / 0.8 + 1 / 0.2) * more;
        s->unstable[4 * (K - 1 - k)] = (s->unstable[4 * (K - k)] / 0.8 + 1 / 0.19) / (grows * grows) * more;
    }
    for (size_t k = 0; k <= K; k++) {
        s->sizes[0][k] = s->stable[4 * k] * more;
        s->sizes[1][k] = s->unstable[4 * k] * more;
    }
    s->p = (od_proof){.rule = rule,
                      .steps = K,
                      .x = s->x,
                      .frame = s->frame,
                      .linear = s->linear,
                      .unstable = s->count,
                      .stable_shape = s->stable,
                      .unstable_shape = s->unstable,
                      .stable_size = s->sizes[0],
                      .unstable_size = s->sizes[1],
                      .share = s->share};
}

/* One number that is not what it must be. */
typedef struct slip {
    size_t at; /* of the number in a sheet */
    double value;
    const char *sentence;
} slip;

#define WRONG(array, i, value, sentence)                                                                               \
    {                                                                                                                  \
        offsetof(sheet, array) + (i) * sizeof(double), (value), (sentence)                                             \
    }

static const char shapes[] = "directions are too near to each other or grow too much at k = 1",
                  sizes[] = "a shape is larger than stated at k = ", frames[] = "a frame is not orthonormal",
                  far[] = "the states are too far from an orbit", bounds[] = "the map has no bounds at k = 1";

static void one_wrong_number_proves_nothing(void **state)
{
    const slip wrong[] = {
        WRONG(x, 4, NAN, bounds),
        WRONG(x, 5, INFINITY, bounds),
        WRONG(frame, 8, 0, frames),
        WRONG(frame, 11, NAN, frames),
        WRONG(frame, 11, 1.5, frames),
        WRONG(linear, 6, 1e-300, shapes), /* from an unstable direction to a stable one */
        WRONG(linear, 4, 1.1, shapes),    /* grows by less than the shapes ask for */
        WRONG(linear, 7, 0.81, shapes),
        WRONG(linear, 7, NAN, shapes),
        WRONG(linear, 5, 0.6, shapes), /* what the stable direction adds is too much */
        WRONG(linear, 4, 5, far),      /* no derivative: what is asked of omega grows by a factor in every round */
        WRONG(linear, 4, 1e9, far),    /* and beyond numbers */
        WRONG(stable, 8, 5, shapes),
        WRONG(stable, 8, NAN, shapes),
        WRONG(unstable, 4, 5, shapes),
        WRONG(share, 3, 0, shapes),
        WRONG(share, 3, -0.1, shapes),
        WRONG(share, 3, 1, shapes),
        WRONG(share, 3, NAN, shapes),
        WRONG(share, 4, 0, shapes),
        WRONG(share, 4, 0.999, shapes),
        WRONG(share, 5, 0, shapes),
        WRONG(share, 5, -0.01, shapes),
        WRONG(sizes, 0, 1, sizes),
        WRONG(sizes, 2, 5, sizes),
        WRONG(sizes, 2, NAN, sizes),
        WRONG(sizes, K + 2, 5, sizes),
        WRONG(sizes, 2 * K + 1, 1, sizes),
    };
    const od_options options = {0};
    const od_arb_api *api = od_module_load(*state, &arb);
    check_done(*state, api != NULL);
    od_experiment *e = od_experiment_parse(*state,
                                           "{problem: {name: quadratic, eigenvalues: [-1.27, 2]}, method: {name: "
                                           "gradient, step: 0.1}, start: {x: [1, 1]}, iterations: 4}",
                                           &options);
    check_done(*state, e != NULL);
    od_rule *rule;
    check_done(*state, od_rule_create(*state, &e->member[0], &rule) == OD_OK);
    sheet right, s;
    od_proven proven;
    char trouble[256] = "";
    write_sheet(rule, &right);
    assert_true(api->prove(&right.p, &proven, trouble));
    assert_true(proven.residual > 0 && proven.residual < 1e-15 && proven.defect < 1e-15);
    /* sqrt(C^s + C^u) of the widest node */
    double widest = 0;
    for (size_t k = 0; k <= K; k++) {
        widest = fmax(widest, sqrt((right.stable[4 * k] + right.unstable[4 * k]) * more));
    }
    check_relative(proven.inverse, widest, 1e-12);
    check_relative(proven.epsilon, widest * right.p.omega, 1e-12);
    assert_true(right.p.omega >= proven.residual && right.p.omega <= proven.residual * 1.01);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_sheet(rule, &s);
        memcpy((char *)&s + wrong[i].at, &wrong[i].value, sizeof(double));
        trouble[0] = '\0';
        if (api->prove(&s.p, &proven, trouble) || strncmp(trouble, wrong[i].sentence, strlen(wrong[i].sentence)) != 0) {
            print_error("wrong number %zu, %g: '%s', not '%s'\n", i, wrong[i].value, trouble, wrong[i].sentence);
            fail();
        }
    }
    write_sheet(rule, &s);
    s.count[2] = 2; /* a direction that becomes unstable */
    assert_false(api->prove(&s.p, &proven, trouble));
    assert_int_equal(strncmp(trouble, shapes, strlen(shapes)), 0);
    od_rule_free(rule);
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(one_wrong_number_proves_nothing),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
