/*
 * Analyses of a path of which one evaluation fails, diverges or is no number, each in turn: the loss, its Hessian's
 * product, the drift or the closed form. Then there is a sentence, or the answer is the one without the fault.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/compression.h"
#include "analysis/morse.h"
#include "analysis/variation.h"
#include "src/context.h"

/* The call that fails among those counted, and how; for OD_OK with NaN. */
static struct {
    od_problem problem;
    od_flow flow; /* as they are */
    size_t calls, fails_at;
    od_status status;
} fault;

static od_status answer(od_status status, double *out)
{
    if (++fault.calls != fault.fails_at) {
        return status;
    }
    *out = NAN;
    return fault.status;
}

static od_status eval(const od_problem *f, unsigned want, size_t n, const double *x, double *value, double *g,
                      double *ws)
{
    const od_status status = fault.problem.eval(f, want, n, x, value, g, ws);
    return answer(status, value != NULL ? value : g);
}

static od_status hvp(const od_problem *f, size_t n, const double *x, size_t m, const double *u, double *hu, double *ws)
{
    return answer(fault.problem.hvp(f, n, x, m, u, hu, ws), hu);
}

static od_status drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    return answer(fault.flow.drift(flow, t, n, z, dz, ws), dz);
}

static od_status exact(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z, double *ws)
{
    return answer(fault.flow.exact(flow, t0, n, z0, t, z, ws), z);
}

/* An analysis of the path; `number` is what it finds. */
typedef od_status question(od_context *ctx, od_trajectory *path, double t1, double t2, double *number);

static od_status ask_blocks(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    od_morse morse;
    const od_first_end part = {.free_count = 1, .free = (double[]){0.6, 0.8}, .bend = 0.1};
    const od_status status = od_morse_index(ctx, path, t1, t2, &part, &morse);
    *number = 1 + (double)morse.index;
    return status;
}

static od_status ask_products(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    od_morse morse;
    const od_status status = od_morse_matrix_free(ctx, path, t1, t2, NULL, &morse);
    *number = 1 + (double)morse.index;
    return status;
}

static od_status ask_points(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    od_extremal x = {path, t1, t2};
    od_jacobi jacobi = od_extremal_jacobi(&x);
    od_conjugates found = {0};
    jacobi.kernels = true;
    jacobi.tolerance = 1e-10;
    const od_status status = od_jacobi_conjugates(ctx, &jacobi, &found);
    *number = 1 + (status == OD_OK && found.count > 0 ? found.point[0].t : 0);
    od_conjugates_free(&found);
    return status;
}

static od_status ask_few(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    od_extremal x = {path, t1, t2};
    od_compression few;
    od_conjugates found = {0};
    od_status status = od_compression_open(ctx, &x, 1, &few);
    if (status == OD_OK) {
        od_jacobi jacobi = od_compression_jacobi(&few);
        jacobi.kernels = true;
        jacobi.tolerance = 1e-10;
        status = od_jacobi_conjugates(ctx, &jacobi, &found);
        status = status == OD_OK ? od_compression_expand(ctx, &few, &found) : status;
    }
    *number = 1 + (status == OD_OK ? (double)found.index : 0);
    od_conjugates_free(&found);
    od_compression_close(&few);
    return status;
}

static od_status ask_action(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    const od_curve curve = {.d = 2, .path = path};
    const od_displacement sine = {.kind = OD_SINE, .number = 1, .direction = (double[]){1, 0.5}};
    od_action action;
    od_integral value = {.value = NAN};
    od_residual residual;
    od_variations variations;
    od_status status = od_action_open(ctx, od_trajectory_member(path), &curve, t1, t2, &action);
    if (status == OD_OK) {
        status = od_action_value(ctx, &action, &value);
        status = status == OD_OK ? od_action_residual(ctx, &action, &residual) : status;
        status = status == OD_OK ? od_action_variations(ctx, &action, &sine, 0.01, &variations) : status;
    }
    od_action_close(&action);
    *number = status == OD_OK ? value.value + variations.second.value : NAN;
    return status;
}

static od_status ask_acceleration(od_context *ctx, od_trajectory *path, double t1, double t2, double *number)
{
    double a[2], sum = 0;
    od_status status = OD_OK;
    for (int k = 0; k <= 4 && status == OD_OK; k++) {
        status = od_trajectory_acceleration(path, t1 + (t2 - t1) * k / 4, a);
        sum += fabs(a[0]) + fabs(a[1]);
    }
    *number = sum;
    return isfinite(sum) || status != OD_OK ? status : od_fail(ctx, OD_EDIVERGED, NULL, "no number");
}

static const struct {
    question *ask;
    const char *name;
    double tolerance;
    bool silent; /* the sentence is the caller's */
} questions[] = {{ask_blocks, "blocks", 1e-9, false},     {ask_products, "products", 1e-9, false},
                 {ask_points, "points", 1e-9, false},     {ask_few, "few directions", 1e-9, false},
                 {ask_action, "the action", 1e-6, false}, {ask_acceleration, "acceleration", 1e-3, true}};

static od_status solve(od_context *ctx, const od_member *m, size_t q, double *number)
{
    od_trajectory *path;
    od_status status = od_trajectory_create(ctx, m, 6, 1e-10, &path);
    if (status == OD_OK) {
        status = questions[q].ask(ctx, path, m->start.t, 6, number);
        od_trajectory_free(path);
    }
    return status;
}

static void every_evaluation_fails_once(void **state)
{
    static const char *const yaml[] = {
        "{problem: hosaki, method: {name: nesterov, r: 3}, start: {t: 0.5, x: [2, 2.3]}, integrator: {name: rk4, step: "
        "0.1}, until: 6}",
        "{problem: {name: quadratic, eigenvalues: [3, 1], rotation: 2}, method: {name: heavy-ball, alpha: 0.4}, start: "
        "{x: [1, 2]}, integrator: exact, until: 6}",
        "{problem: hosaki, method: {name: nesterov, r: 3}, start: {x: [2, 2.3]}, integrator: {name: rk4, step: 0.1}, "
        "until: 6}",
    };
    static const struct {
        od_status status;
        const char *name;
    } kinds[] = {{OD_EUSER, "fails"}, {OD_EDIVERGED, "diverges"}, {OD_OK, "is NaN"}};
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
        od_experiment *e = od_experiment_parse(*state, yaml[i], NULL);
        check_done(*state, e != NULL);
        od_member m = e->member[0];
        od_problem problem = *m.problem;
        fault.problem = problem;
        fault.flow = m.flow;
        problem.eval = eval;
        problem.hvp = hvp;
        m.problem = &problem;
        m.flow.drift = drift;
        m.flow.exact = m.flow.exact != NULL ? exact : NULL;
        for (size_t q = 0; q < sizeof questions / sizeof *questions; q++) {
            double whole, number;
            fault.fails_at = fault.calls = 0;
            check_done(*state, solve(*state, &m, q, &whole) == OD_OK);
            const size_t calls = fault.calls;
            for (size_t kind = 0; kind < 3; kind++) {
                fault.status = kinds[kind].status;
                for (size_t n = 1; n <= calls; n += 1 + n / 3) {
                    fault.fails_at = n;
                    fault.calls = 0;
                    number = NAN;
                    od_context_forget(*state); /* a sentence of an earlier fault is none of this one */
                    const od_status status = solve(*state, &m, q, &number);
                    const bool said = questions[q].silent || od_message(*state)[0] != '\0';
                    if (status == OD_OK ? !(fabs(number - whole) <= questions[q].tolerance * fabs(whole)) : !said) {
                        print_error("path %zu, %s: call %zu of %zu %s: status %d, %g, not %g\n", i, questions[q].name,
                                    n, calls, kinds[kind].name, (int)status, number, whole);
                        fail();
                    }
                }
            }
        }
        od_experiment_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(every_evaluation_fails_once),
    };
    return cmocka_run_group_tests_name("path faults", tests, NULL, NULL);
}
