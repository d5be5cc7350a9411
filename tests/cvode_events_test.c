/*
 * Events of CVODE at the edge: none, several at once, no room, a budget that ends, forces that jump.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "integrators/cvode.h"

/* x' = v, v' = -x: cos and -sin from (1, 0). */
static od_status spring(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow, (void)t, (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = z[n + p];
        dz[n + p] = -z[p];
    }
    return OD_OK;
}

/* x' = 1 up to t = 1, and then anything, of size 10^12: no step is so small that it could be followed. */
static od_status rough(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)flow, (void)z, (void)ws;
    for (size_t p = 0; p < n; p++) {
        dz[p] = t < 1 ? 1 : 1e12 * od_normal(1, OD_STREAM_CHECK, 0, 0, (uint64_t)(t * 0x1p52));
    }
    return OD_OK;
}

static od_flow bare(size_t dim, od_status (*drift)(const od_flow *, double, size_t, const double *, double *, double *))
{
    return (od_flow){.name = "bare", .block_count = 1, .block = {{"x", dim}}, .dim = dim, .drift = drift};
}

/* x, x again with another sign, and v */
static od_status zeros(void *user, double t, const double *z, double *g)
{
    (void)user, (void)t;
    g[0] = z[0];
    g[1] = -z[0];
    g[2] = z[1];
    return OD_OK;
}

static od_status first_zero(void *user, double t, const double *z, double *g)
{
    (void)user, (void)t;
    g[0] = z[0];
    return OD_OK;
}

static const double pi = 3.14159265358979323846;

static void zeros_of_a_spring(void **state)
{
    const od_flow flow = bare(2, spring);
    od_cvode_control control = od_cvode_defaults;
    control.rtol = 1e-10;
    control.atol = 1e-12;
    od_cvode_event events[8];
    double states[16], z[2] = {1, 0}, t = 0;
    size_t count;
    /* x and -x at once, then v at pi */
    check_done(*state,
               od_cvode_roots(*state, &flow, &control, &t, 4, z, 3, zeros, NULL, 8, events, states, &count) == OD_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(events[i].which, i);
        assert_int_equal(events[i].direction, i == 0 ? -1 : 1);
        check_close(events[i].t, i < 2 ? pi / 2 : pi, 1e-8);
        check_close(states[2 * i], i < 2 ? 0 : -1, 1e-8);
    }
    check_close(t, 4, 0);
    check_close(z[0], cos(4), 1e-8);
    /* room for one of two that come at once */
    t = 0;
    memcpy(z, (const double[]){1, 0}, sizeof z);
    check_done(*state,
               od_cvode_roots(*state, &flow, &control, &t, 4, z, 3, zeros, NULL, 1, events, NULL, &count) == OD_OK);
    assert_int_equal(count, 1);
    check_close(t, pi / 2, 1e-8);
    /* no time, no room, no event */
    t = 2;
    memcpy(z, (const double[]){1, 0}, sizeof z);
    check_done(*state,
               od_cvode_roots(*state, &flow, &control, &t, 2, z, 3, zeros, NULL, 8, events, NULL, &count) == OD_OK);
    assert_true(count == 0 && z[0] == 1 && t == 2);
    check_done(*state,
               od_cvode_roots(*state, &flow, &control, &t, 3, z, 3, zeros, NULL, 0, events, NULL, &count) == OD_OK);
    assert_true(count == 0);
    t = 2;
    memcpy(z, (const double[]){1, 0}, sizeof z);
    check_done(*state, od_cvode_roots(*state, &flow, &control, &t, 2.5, z, 1, first_zero, NULL, 8, events, NULL,
                                      &count) == OD_OK);
    assert_true(count == 0);
    check_close(z[0], cos(0.5), 1e-8);
    /* a budget that ends between two events, and one that ends before the first step */
    for (long steps = 5; steps < 400; steps *= 3) {
        control.max_steps = steps;
        t = 0;
        memcpy(z, (const double[]){1, 0}, sizeof z);
        const od_status status = od_cvode_roots(*state, &flow, &control, &t, 400, z, 3, zeros, NULL, 8, events, NULL,
                                                &count);
        assert_int_equal(status, count == 8 ? OD_OK : OD_ENUMERIC);
        if (count < 8) {
            check_message(*state, "max_steps");
        }
        assert_true(count == 0 || fabs(events[0].t - pi / 2) < 1e-6);
    }
}

static void what_is_too_rough_stops_the_solver(void **state)
{
    static const char *const scheme[] = {"cvode", "{name: cvode, family: bdf}"};
    const od_flow flow = bare(1, rough);
    for (size_t i = 0; i < 2; i++) {
        double z = 0;
        od_stepper *s = od_stepper_create(*state, scheme[i], &flow, 0, 1, &z);
        check_done(*state, s != NULL);
        check_done(*state, od_stepper_advance(*state, s, 0, 0, 1, &z, NULL) == OD_OK && z == 0);
        assert_int_equal(od_stepper_advance(*state, s, 0, 3, 1, &z, NULL), OD_ENUMERIC);
        check_message(*state, "CVODE");
        const char *at = strstr(strstr(od_message(*state), "t = ") + 1, "t = ");
        assert_non_null(at);
        check_close(strtod(at + 4, NULL), 1, 1e-3);
        od_stepper_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(zeros_of_a_spring),
        test_with_context(what_is_too_rough_stops_the_solver),
    };
    return cmocka_run_group_tests_name("cvode events", tests, NULL, NULL);
}
