/*
 * Flows as chains where they are of no usual form: bare, linear, without a derivative, wide, at a singular start. The
 * derivative and its transpose are held against the matrix that is known, or against each other.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/ladder.h"
#include "analysis/pair.h"

/* x' = rate (y, -x): a turn by rate times the time, whose matrix is not symmetric. */
static od_status turn(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)t, (void)ws;
    const double rate = *(const double *)flow->data;
    for (size_t p = 0; p < n; p++) {
        dz[p] = rate * z[n + p];
        dz[n + p] = -rate * z[p];
    }
    return OD_OK;
}

static od_status turned(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z, double *ws)
{
    (void)ws;
    const double angle = *(const double *)flow->data * (t - t0);
    for (size_t p = 0; p < n; p++) {
        z[p] = cos(angle) * z0[p] + sin(angle) * z0[n + p];
        z[n + p] = cos(angle) * z0[n + p] - sin(angle) * z0[p];
    }
    return OD_OK;
}

/* x(t) = x0/(1 - x0 (t - t0)), which is infinite at its end. */
static od_status bursts(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z, double *ws)
{
    (void)flow, (void)ws;
    for (size_t p = 0; p < n; p++) {
        z[p] = z0[p] / (1 - z0[p] * (t - t0));
    }
    return OD_OK;
}

static od_flow bare(size_t dim, const void *data)
{
    return (od_flow){.name = "bare", .block_count = 1, .block = {{"x", dim}}, .dim = dim, .drift = turn, .data = data};
}

/* By the closed form and by integration, with the loss of a problem that says that all is linear, and without. */
static void a_turn_has_its_transpose(void **state)
{
    const double rate = 0.7, tau = 0.9, c = cos(rate * tau), s = sin(rate * tau);
    od_problem *line = od_problem_create(*state, "{name: constant-gradient, gradient: [1, 2]}");
    check_done(*state, line != NULL);
    for (int which = 0; which < 6; which++) {
        od_flow flow = bare(2, &rate);
        flow.exact = which % 2 == 0 ? turned : NULL;
        flow.problem = which < 4 ? line : NULL;
        if (which == 2 || which == 3) { /* two blocks of one number: the parts of its matrix are symmetric */
            flow.block_count = 2;
            flow.block[0] = (od_block){"x", 1};
            flow.block[1] = (od_block){"v", 1};
        }
        od_chain chain;
        check_done(*state, od_chain_of_flow(*state, &flow, 0.3, tau, 5, 1e-13, &chain) == OD_OK);
        assert_int_equal(chain.affine, which < 4);
        const double z[2] = {0.385, -1.2}, u[6] = {1, 0, 0, 1, 0, 0};
        double ju[6], jw[6], image[2];
        check_done(*state, chain.step(&chain, 3, z, image) == OD_OK);
        check_close(image[0], c * z[0] + s * z[1], 1e-12);
        check_close(image[1], c * z[1] - s * z[0], 1e-12);
        for (int again = 0; again < 2; again++) {
            check_done(*state, chain.jvp(&chain, 3, z, 3, u, ju) == OD_OK);
            check_done(*state, chain.vjp(&chain, 3, z, 3, u, jw) == OD_OK);
            const double want[6] = {c, -s, s, c, 0, 0}, transposed[6] = {c, s, -s, c, 0, 0};
            for (size_t i = 0; i < 6; i++) {
                check_close(ju[i], want[i], 2e-10);
                check_close(jw[i], transposed[i], 2e-10);
            }
        }
        /* at 0 there is no size for differences to be taken at */
        const double none[2] = {0, 0};
        check_done(*state, chain.jvp(&chain, 1, none, 1, u, ju) == OD_OK);
        check_close(ju[0], c, 2e-10);
        od_chain_clear(&chain);
    }
    od_problem_free(line);
}

/* In space: a turn of the plane and one component that stays, in one, two or three blocks. */
static od_status spin(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    memset(dz + 2 * n, 0, n * sizeof *dz);
    return turn(flow, t, n, z, dz, ws);
}

static void a_turn_in_space_has_its_transpose(void **state)
{
    static const size_t lengths[3][3] = {{3}, {1, 2}, {1, 1, 1}};
    const double rate = 0.7, c = cos(0.7 * 0.9), s = sin(0.7 * 0.9);
    od_problem *line = od_problem_create(*state, "{name: constant-gradient, gradient: [1, 2, 3]}");
    check_done(*state, line != NULL);
    for (size_t blocks = 1; blocks <= 3; blocks++) {
        od_flow flow = bare(3, &rate);
        flow.drift = spin;
        flow.problem = line;
        flow.block_count = blocks;
        for (size_t b = 0; b < blocks; b++) {
            flow.block[b] = (od_block){b == 0 ? "x" : b == 1 ? "v" : "m", lengths[blocks - 1][b]};
        }
        od_chain chain;
        check_done(*state, od_chain_of_flow(*state, &flow, 0.3, 0.9, 5, 1e-13, &chain) == OD_OK);
        const double z[3] = {1, 2, 3}, u[3] = {0.3, -1, 2};
        double jw[3];
        check_done(*state, chain.vjp(&chain, 1, z, 1, u, jw) == OD_OK);
        check_close(jw[0], c * u[0] - s * u[1], 1e-11);
        check_close(jw[1], s * u[0] + c * u[1], 1e-11);
        check_close(jw[2], u[2], 1e-11);
        od_chain_clear(&chain);
    }
    od_problem_free(line);
}

static void what_is_not_finite_diverges(void **state)
{
    const double rate = 0;
    od_flow flow = bare(1, &rate);
    flow.exact = bursts;
    od_chain chain;
    check_done(*state, od_chain_of_flow(*state, &flow, 0, 0.5, 3, 1e-13, &chain) == OD_OK);
    double z = 0.5, next;
    assert_int_equal(chain.step(&chain, 0, &z, &next), OD_OK);
    check_close(next, 0.5 / 0.75, 1e-15);
    z = 2;
    assert_int_equal(chain.step(&chain, 0, &z, &next), OD_EDIVERGED);
    od_chain_clear(&chain);
}

/* The same orbit from another start time, and the derivative at the singular time, where only x is free. */
static void singular_starts_have_derivatives(void **state)
{
    static const char *const methods[] = {"{name: nesterov, r: 3, step: 0.04}",
                                          "{name: memory, forgetting: quadratic, step: 0.2}"};
    od_problem *f = od_problem_create(*state, "hosaki");
    check_done(*state, f != NULL);
    for (size_t i = 0; i < 2; i++) {
        od_flow *flow = od_flow_create(*state, methods[i], f);
        check_done(*state, flow != NULL);
        od_chain chain;
        check_done(*state, od_chain_of_flow(*state, flow, 0, 0.2, 5, 1e-13, &chain) == OD_OK);
        assert_false(chain.affine);
        const double z[4] = {2.3, 1.7, 9, -9}, other[4] = {2.3, 1.7, 0, 5};
        double a[4], b[4], u[8] = {0.3, -1, 0, 0, 1, 1, 7, 7}, ju[8], w[4] = {0.2, 0.5, -0.4, 1}, jw[4], up[4], down[4];
        check_done(*state, chain.step(&chain, 0, z, a) == OD_OK && chain.step(&chain, 0, other, b) == OD_OK);
        assert_memory_equal(a, b, sizeof a); /* the velocity at rest is its own */
        for (uint64_t k = 0; k < 3; k += 2) {
            check_done(*state, chain.jvp(&chain, k, z, 2, u, ju) == OD_OK);
            double left = 0, right = 0, at[4];
            for (int sign = -1; sign <= 1; sign += 2) {
                for (size_t j = 0; j < 4; j++) {
                    at[j] = z[j] + sign * 1e-4 * u[j];
                }
                check_done(*state, chain.step(&chain, k, at, sign > 0 ? up : down) == OD_OK);
            }
            for (size_t j = 0; j < 4; j++) {
                check_close(ju[j], (up[j] - down[j]) / 2e-4, 2e-6);
            }
            for (int again = 0; again < 2; again++) { /* the matrix is kept */
                check_done(*state, chain.vjp(&chain, k, z, 1, w, jw) == OD_OK);
            }
            for (size_t j = 0; j < 4; j++) {
                left += w[j] * ju[j];
                right += jw[j] * u[j];
            }
            check_close(left, right, 5e-9);
        }
        od_chain_clear(&chain);
        od_flow_free(flow);
    }
    od_problem_free(f);
}

static void what_cannot_start_is_refused(void **state)
{
    od_problem *f = od_problem_create(*state, "hosaki");
    check_done(*state, f != NULL);
    od_flow *flow = od_flow_create(*state, "{name: memory, forgetting: constant, step: 0.2}", f);
    check_done(*state, flow != NULL);
    od_flow refused = *flow;
    od_chain chain;
    refused.start_refused = "its coefficients have no limit";
    assert_int_equal(od_chain_of_flow(*state, &refused, 0, 0.2, 3, 1e-10, &chain), OD_EUNSUPPORTED);
    check_message(*state, "cannot start at t = 0: its coefficients have no limit");
    check_done(*state, od_chain_of_flow(*state, &refused, 0.1, 0.2, 3, 1e-10, &chain) == OD_OK);
    od_chain_clear(&chain);
    od_flow_free(flow);
    od_problem_free(f);
}

/* 150 components: a product with the transpose is left to flows that are linear and symmetric. */
static void wide_flows(void **state)
{
    enum { D = 150 };
    char yaml[D * 8] = "{name: quadratic, eigenvalues: [1";
    for (size_t i = 1; i < D; i++) {
        strcat(yaml, i % 2 ? ", 0.5" : ", 2");
    }
    strcat(yaml, "]}");
    od_problem *quadratic = od_problem_create(*state, yaml),
               *quartic = od_problem_create(*state, "{name: power, p: 4, dim: 150}");
    check_done(*state, quadratic != NULL && quartic != NULL);
    od_chain chain;
    od_flow *flow = od_flow_create(*state, "gradient", quartic);
    check_done(*state, flow != NULL);
    check_done(*state, od_chain_of_flow(*state, flow, 0, 0.2, 3, 1e-10, &chain) == OD_OK);
    assert_true(!chain.affine && chain.jvp != NULL && chain.vjp == NULL);
    od_chain_clear(&chain);
    od_flow_free(flow);
    flow = od_flow_create(*state, "gradient", quadratic);
    check_done(*state, flow != NULL);
    check_done(*state, od_chain_of_flow(*state, flow, 0, 0.2, 3, 1e-10, &chain) == OD_OK);
    assert_true(chain.affine && chain.vjp != NULL);
    double z[D] = {0}, u[D], ju[D];
    for (size_t i = 0; i < D; i++) {
        u[i] = 1 + 0.01 * (double)i;
    }
    check_done(*state, chain.vjp(&chain, 2, z, 1, u, ju) == OD_OK);
    for (size_t i = 0; i < D; i++) {
        check_close(ju[i], exp(-0.2 * (i == 0 ? 1 : i % 2 ? 0.5 : 2)) * u[i], 1e-13);
    }
    od_chain_clear(&chain);
    od_flow_free(flow);
    od_problem_free(quadratic);
    od_problem_free(quartic);
}

static size_t evaluations, fails_at;

static od_status failing_turn(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    return ++evaluations == fails_at ? OD_EUSER : turn(flow, t, n, z, dz, ws);
}

static od_status failing_form(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z,
                              double *ws)
{
    return ++evaluations == fails_at ? OD_EUSER : turned(flow, t0, n, z0, t, z, ws);
}

/* The last values of a chain made and asked for everything; `flow` as in a_turn_has_its_transpose. */
static od_status ask_all(od_context *ctx, const od_flow *flow, double *out)
{
    const double z[2] = {0.385, -1.2}, u[4] = {1, 0.5, -0.2, 1};
    od_chain chain;
    od_status status = od_chain_of_flow(ctx, flow, 0.3, 0.9, 5, 1e-9, &chain);
    if (status != OD_OK) {
        return status;
    }
    status = chain.step(&chain, 3, z, out);
    status = status == OD_OK ? chain.jvp(&chain, 3, z, 2, u, out + 2) : status;
    status = status == OD_OK ? chain.vjp(&chain, 3, z, 2, u, out + 6) : status;
    od_chain_clear(&chain);
    return status;
}

/* A chain whose structure could not be seen for a fault has its derivatives all the same. */
static void a_flow_that_fails_once(void **state)
{
    const double rate = 0.7;
    od_problem *line = od_problem_create(*state, "{name: constant-gradient, gradient: [1, 2]}");
    check_done(*state, line != NULL);
    for (int which = 0; which < 6; which++) {
        od_flow flow = bare(2, &rate);
        double whole[10], out[10];
        flow.drift = failing_turn;
        flow.exact = which % 2 == 0 ? failing_form : NULL;
        flow.problem = which < 4 ? line : NULL;
        if (which == 2 || which == 3) {
            flow.block_count = 2;
            flow.block[0] = (od_block){"x", 1};
            flow.block[1] = (od_block){"v", 1};
        }
        fails_at = evaluations = 0;
        check_done(*state, ask_all(*state, &flow, whole) == OD_OK);
        const size_t calls = evaluations;
        for (size_t n = 1; n <= calls; n += 1 + n / 40) {
            fails_at = n;
            evaluations = 0;
            if (ask_all(*state, &flow, out) == OD_OK) {
                for (size_t i = 0; i < 10; i++) {
                    check_close(out[i], whole[i], 1e-8);
                }
            }
        }
    }
    od_problem_free(line);
}

static void a_closed_form_that_is_not_there(void **state)
{
    const double rate = 0.7, z[2] = {1, 2};
    const od_flow flow = bare(2, &rate);
    assert_null(od_stepper_create(*state, "exact", &flow, 0, 1, z));
    check_message(*state, "the flow offers none");
}

/* A flow without a loss has no constants of one. */
static void a_flow_without_a_loss_has_no_constants(void **state)
{
    const double rate = 0.7, states[4] = {1, 0, 0, 1}, start[2] = {1, 0};
    const od_flow flow = bare(2, &rate);
    const od_map map = {.name = "bare", .dim = 2, .tau = 0.1};
    od_pair pair;
    check_done(*state, od_pair_measure(*state, &map, &flow, 0, 1, states, start, &pair) == OD_OK);
    assert_true(isnan(pair.mu) && isnan(pair.lipschitz) && isnan(pair.steepest));
    assert_string_equal(od_pair_bound(&pair).theorem, "the curvature of the loss is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(a_turn_has_its_transpose),
        test_with_context(a_turn_in_space_has_its_transpose),
        test_with_context(what_is_not_finite_diverges),
        test_with_context(singular_starts_have_derivatives),
        test_with_context(what_cannot_start_is_refused),
        test_with_context(wide_flows),
        test_with_context(a_flow_that_fails_once),
        test_with_context(a_closed_form_that_is_not_there),
        test_with_context(a_flow_without_a_loss_has_no_constants),
    };
    return cmocka_run_group_tests_name("chain flow", tests, NULL, NULL);
}
