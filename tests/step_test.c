/*
 * What a step does not do: allocate, hide a failure, or touch the state when it fails. Linked with --wrap for the
 * allocation functions, so that calls from the library and from this file are counted.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/parts.h"

static unsigned long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    allocations++;
    return __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

enum { N = 7, D = 2, DIM = 2 * D };

/* Bare flow with noise that depends on v: every callback counts and fails at call `fail_at`. */
typedef struct fuse {
    unsigned calls, fail_at; /* 0: never */
} fuse;

static od_status burn(const od_flow *flow)
{
    fuse *f = (fuse *)flow->data;
    return ++f->calls == f->fail_at ? OD_EUSER : OD_OK;
}

static od_status drift(const od_flow *flow, double t, size_t n, const double *z, double *dz, double *ws)
{
    (void)ws;
    for (size_t i = 0; i < D * n; i++) {
        dz[i] = z[D * n + i];
        dz[D * n + i] = -sin(z[i]) - 0.3 * z[D * n + i] + cos(t);
    }
    return burn(flow);
}

static od_status jvp(const od_flow *flow, double t, size_t n, const double *z, size_t m, const double *u, double *ju,
                     double *ws)
{
    (void)t;
    (void)ws;
    for (size_t j = 0; j < m; j++) {
        const double *ux = u + j * DIM * n, *uv = ux + D * n;
        for (size_t i = 0; i < D * n; i++) {
            ju[j * DIM * n + i] = uv[i];
            ju[j * DIM * n + D * n + i] = -cos(z[i]) * ux[i] - 0.3 * uv[i];
        }
    }
    return burn(flow);
}

static od_status apply(const od_flow *flow, double t, size_t n, const double *z, const double *dw, double *out,
                       double *ws)
{
    (void)t;
    (void)ws;
    for (size_t i = 0; i < D * n; i++) {
        out[i] = 0.4 * z[D * n + i] * dw[i];
    }
    return burn(flow);
}

static od_status correction(const od_flow *flow, double t, double h, size_t n, const double *z, const double *dw,
                            double *out, double *ws)
{
    (void)t;
    (void)ws;
    for (size_t i = 0; i < D * n; i++) {
        out[i] = 0.08 * z[D * n + i] * (dw[i] * dw[i] - h);
    }
    return burn(flow);
}

static od_status exact(const od_flow *flow, double t0, size_t n, const double *z0, double t, double *z, double *ws)
{
    (void)ws;
    for (size_t i = 0; i < DIM * n; i++) {
        z[i] = z0[i] * exp(t0 - t);
    }
    return burn(flow);
}

static od_flow flow_for(const od_integrator_type *type, fuse *f, double graded)
{
    od_flow flow = {.name = "fuse",
                    .block_count = 2,
                    .block = {{"x", D}, {"v", D}},
                    .dim = DIM,
                    .drift = drift,
                    .jvp = jvp,
                    .second_order = true,
                    .exact = exact,
                    .graded = graded,
                    .data = f};
    if (type->noise) {
        flow.noise.shape = strcmp(type->name, "sra1") == 0 ? OD_NOISE_ADDITIVE : OD_NOISE_DIAGONAL; /* as it suits */
        flow.noise.dim = D;
        flow.noise.block = 1;
        flow.noise.own_block = flow.noise.commutes = true;
        flow.noise.apply = apply;
        flow.noise.milstein = correction;
    }
    return flow;
}

static od_stepper *open_stepper(od_context *ctx, const od_integrator_type *type, const od_flow *flow, double *z)
{
    char yaml[64];
    snprintf(yaml, sizeof yaml, type->fixed_step ? "{name: %s, step: 0.05}" : "%s", type->name);
    for (size_t i = 0; i < DIM * N; i++) {
        z[i] = sin(1 + (double)(i * i));
    }
    od_stepper *s = od_stepper_create(ctx, yaml, flow, 0, N, z);
    check_done(ctx, s != NULL);
    return s;
}

/* increments, and time integrals where a scheme takes them */
static const double dw[2 * D * N] = {0.1,  -0.2, 0.05,  0.3, -0.14, 0.22, -0.09,
                                     0.17, 0.02, -0.31, 0.2, -0.01, 0.12, -0.07};

/* Schemes of our own, whose steps do not allocate. */
static bool steps_itself(const od_integrator_type *type)
{
    return type->fixed_step || strcmp(type->name, "rk4-tracked") == 0;
}

/* Every scheme of our own in the table, on bare callbacks; also with parts of a graded step, and its dense output. */
static void a_step_allocates_nothing(void **state)
{
    od_context *ctx = *state;
    double ws[64 * N], out[DIM * N];
    for (const od_integrator_type *const *type = od_integrator_types; *type != NULL; type++) {
        for (unsigned graded = 0; steps_itself(*type) && graded < 2; graded++) {
            fuse f = {0};
            const od_flow flow = flow_for(*type, &f, graded);
            double z[DIM * N];
            od_stepper *s = open_stepper(ctx, *type, &flow, z);
            const unsigned long before = allocations;
            od_status status = OD_OK;
            for (unsigned k = 0; k < 20; k++) {
                status = status != OD_OK ? status : od_stepper_advance(ctx, s, 0.05 * k, 0.05 * (k + 1), N, z, dw);
            }
            if (status == OD_OK && (*type)->dense != NULL) {
                status = (*type)->dense(s, 0.95, 0.05, 0.3, N, z, z, out, ws);
            }
            const unsigned long after = allocations;
            assert_int_equal(status, OD_OK);
            assert_int_equal(after - before, 0);
            od_stepper_free(s);
        }
    }
    assert_true(allocations > 0); /* the counter counts */
}

/* The methods and problems of the library do not allocate in a step either. */
static void a_step_of_a_method_allocates_nothing(void **state)
{
    od_context *ctx = *state;
    const char *problem[] = {"{name: quadratic, eigenvalues: [2.385, 0.4]}",
                             "{name: quadratic, eigenvalues: [2.385, 0.4], rotation: 3}"};
    const char *method[] = {"{name: gradient, noise: 0.3}",
                            "{name: heavy-ball, alpha: 0.3, noise: [[0.2, 0.1, 0], [0, 0.3, 1]]}",
                            "{name: nesterov, noise: 0.3}", "{name: nesterov}", "{name: heavy-ball, alpha: 0.3}"};
    for (size_t k = 0; k < 2 * sizeof method / sizeof *method; k++) {
        od_problem *f = od_problem_create(ctx, problem[k % 2]);
        od_flow *flow = od_flow_create(ctx, method[k / 2], f);
        check_done(ctx, flow != NULL);
        for (const od_integrator_type *const *type = od_integrator_types; *type != NULL; type++) {
            if (!steps_itself(*type) || (flow->noise.shape != OD_NOISE_NONE && !(*type)->noise) ||
                (strcmp((*type)->name, "semi-implicit-euler") == 0 && !flow->second_order) ||
                (!(*type)->fixed_step && flow->singular)) { /* the states here are not regular ones at t = 0 */
                continue;
            }
            double z[DIM * N], noise[6 * N] = {0.1, 0.2};
            od_stepper *s = open_stepper(ctx, *type, flow, z);
            const unsigned long before = allocations;
            const od_status status = od_stepper_advance(ctx, s, 0, 0.05, N, z, noise);
            assert_int_equal(allocations - before, 0);
            assert_int_equal(status, OD_OK);
            od_stepper_free(s);
        }
        od_flow_free(flow);
        od_problem_free(f);
    }
}

/* Makes each callback of one advance fail in turn: the failure is returned and z stays what it was. */
static void a_failure_leaves_the_state(void **state)
{
    od_context *ctx = *state;
    for (const od_integrator_type *const *type = od_integrator_types; *type != NULL; type++) {
        unsigned calls = 1;
        for (unsigned fail_at = 0; fail_at <= calls; fail_at++) {
            fuse f = {0};
            const od_flow flow = flow_for(*type, &f, 1);
            double z[DIM * N], before[DIM * N];
            od_stepper *s = open_stepper(ctx, *type, &flow, z);
            memcpy(before, z, sizeof z);
            f.fail_at = fail_at;
            const od_status status = od_stepper_advance(ctx, s, 0, 0.05, N, z, dw);
            if (fail_at == 0) {
                assert_int_equal(status, OD_OK);
                assert_memory_not_equal(z, before, sizeof z);
                calls = f.calls;
                print_message("# %s: %u calls\n", (*type)->name, calls);
            } else {
                assert_int_equal(status, OD_EUSER);
                assert_memory_equal(z, before, sizeof z);
                check_message(ctx, (*type)->name);
                check_message(ctx, "failed at t = 0");
            }
            od_stepper_free(s);
        }
        assert_true(calls > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(a_step_allocates_nothing),
        test_with_context(a_step_of_a_method_allocates_nothing),
        test_with_context(a_failure_leaves_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
