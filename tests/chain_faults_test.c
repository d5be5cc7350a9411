/*
 * Analyses of a chain of which one step, derivative or transposed derivative fails, diverges or is no number, each in
 * turn: there is a sentence, or the answer says that it is unknown, or it is the one without the fault. The chain is
 * small, wider than what is factored, and wider than what is kept as matrices.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "chains.h"

#include "analysis/ladder.h"
#include "src/context.h"

enum { K = 7, WIDEST = 300 };

/* x_i+ = rate_i x_i + bend sin x_i, and a call that fails: with a status, or for OD_OK with NaN. */
typedef struct diagonal {
    const double *rate;
    double bend;
    od_status status;
    size_t fails_at, calls; /* 0: never */
} diagonal;

static od_status answer(diagonal *a, double *out)
{
    if (++a->calls != a->fails_at) {
        return OD_OK;
    }
    out[0] = NAN;
    return a->status;
}

static od_status diagonal_step(od_chain *chain, uint64_t k, const double *z, double *next)
{
    (void)k;
    diagonal *a = chain->data;
    for (size_t i = 0; i < chain->dim; i++) {
        next[i] = a->rate[i] * z[i] + a->bend * sin(z[i]);
    }
    const od_status status = answer(a, next);
    return status == OD_OK && isnan(next[0]) ? OD_EDIVERGED : status; /* what a chain promises */
}

static od_status diagonal_products(od_chain *chain, uint64_t k, const double *z, size_t m, const double *u, double *ju)
{
    (void)k;
    diagonal *a = chain->data;
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < chain->dim; i++) {
            ju[j * chain->dim + i] = (a->rate[i] + a->bend * cos(z[i])) * u[j * chain->dim + i];
        }
    }
    return answer(a, ju);
}

/* An analysis: `number` is what it finds, NaN if it says that this is unknown. */
typedef od_status question(od_context *ctx, od_chain *chain, const od_target *target, double *number);

static od_status ask_nearest(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    od_shooting *shooting = NULL;
    od_minimax found = {.best.radius = NAN};
    double start[WIDEST], rms;
    od_shadow squares = {.start = start};
    od_status status = od_shooting_create(ctx, chain, target, &shooting);
    status = status == OD_OK ? od_shadow_least_squares(ctx, shooting, &squares, &rms) : status;
    status = status == OD_OK ? od_shadow_minimax(ctx, shooting, &found) : status;
    od_shooting_free(shooting);
    *number = found.best.radius;
    return status;
}

/* Not after the squares. */
static od_status ask_nearest_alone(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    od_shooting *shooting = NULL;
    double start[WIDEST];
    od_minimax found = {.best = {.radius = NAN, .start = start}};
    od_status status = od_shooting_create(ctx, chain, target, &shooting);
    status = status == OD_OK ? od_shadow_minimax(ctx, shooting, &found) : status;
    od_shooting_free(shooting);
    *number = found.best.radius;
    return status;
}

static od_status ask_split(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    od_hyperbolicity found;
    const od_status status = od_hyperbolicity_find(ctx, chain, target, &found);
    *number = status == OD_OK ? found.split.radius : NAN;
    if (status == OD_OK && isnan(*number)) {
        assert_true(found.split_missing[0] != '\0');
    }
    if (status == OD_OK) {
        od_hyperbolicity_free(&found);
    }
    return status;
}

static od_status ask_backward(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    double start[WIDEST];
    char reason[OD_REASON_ROOM];
    od_shadow shadow = {.start = start};
    const od_status status = od_shadow_backward(ctx, chain, target, &shadow, reason);
    *number = shadow.radius;
    assert_true(status != OD_OK || isnan(shadow.radius) == (reason[0] != '\0'));
    return status;
}

static od_status ask_forward(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    double start[WIDEST];
    memcpy(start, target->y, chain->dim * sizeof *start);
    od_shadow shadow = {.start = start};
    od_local_error error;
    od_status status = od_shadow_forward(ctx, chain, target, &shadow);
    status = status == OD_OK ? od_shadow_local_error(ctx, chain, target, &error) : status;
    *number = status == OD_OK ? shadow.radius + error.max : NAN;
    return status;
}

static od_status ask_stretch(od_context *ctx, od_chain *chain, const od_target *target, double *number)
{
    od_stretch stretch;
    const od_status status = od_shadow_stretch(ctx, chain, target, &stretch);
    *number = stretch.high;
    return status;
}

static const struct {
    question *ask;
    const char *name;
    bool least;  /* another local minimum, or another splitting, is no nearer than the nearest orbit */
    bool silent; /* of a step that fails a chain has a sentence of its own, and these have none */
} questions[] = {{ask_nearest, "nearest", true, false}, {ask_nearest_alone, "nearest alone", true, false},
                 {ask_split, "split", true, false},     {ask_backward, "backward", false, false},
                 {ask_forward, "forward", false, true}, {ask_stretch, "stretch", false, false}};

static void every_call_fails_once(void **state)
{
    static const struct {
        size_t dim;
        double bend;
    } chains[] = {{2, 0}, {2, 0.05}, {65, 0}, {65, 0.05}, {300, 0}, {300, 0.05}};
    static const struct {
        od_status status;
        const char *name;
    } kinds[] = {{OD_EUSER, "fails"}, {OD_EDIVERGED, "diverges"}, {OD_ENUMERIC, "is refused"}, {OD_OK, "is NaN"}};
    static double rate[WIDEST], y[(K + 1) * WIDEST], weight[WIDEST];
    for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
        const size_t dim = chains[c].dim;
        diagonal a = {.rate = rate, .bend = chains[c].bend};
        od_chain chain = {.what = "iteration",
                          .dim = dim,
                          .steps = K,
                          .affine = chains[c].bend == 0,
                          .step = diagonal_step,
                          .jvp = diagonal_products,
                          .vjp = diagonal_products,
                          .data = &a};
        for (size_t i = 0; i < dim; i++) {
            rate[i] = i == 0 ? 1.2 : 0.9 - 0.6 * (double)i / (double)dim;
            weight[i] = 1 + 0.1 * (double)(i % 3);
            for (uint64_t k = 0; k <= K; k++) {
                y[k * dim + i] = pow(rate[i] + chains[c].bend, (double)k) *
                                 (1 + 0.01 * od_normal(4, OD_STREAM_CHECK, i, k, 0));
            }
        }
        const od_target target = {y, weight};
        double nearest = 0;
        /* the first three do between 2 and 256 components what they do with 2 */
        for (size_t q = dim == 65 ? 3 : 0; q < sizeof questions / sizeof *questions; q++) {
            double whole, number;
            a.fails_at = a.calls = 0;
            check_done(*state, questions[q].ask(*state, &chain, &target, &whole) == OD_OK);
            assert_true(whole > 0 && whole < 2);
            const size_t calls = a.calls;
            nearest = q == 0 ? whole : nearest;
            for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
                a.status = kinds[kind].status;
                for (size_t n = 1; n <= calls; n += 1 + n / (dim == 2 ? 4 : 1)) {
                    a.fails_at = n;
                    a.calls = 0;
                    od_context_forget(*state); /* a sentence of an earlier fault is none of this one */
                    const od_status status = questions[q].ask(*state, &chain, &target, &number);
                    const bool silent = questions[q].silent && status == a.status && status != OD_EDIVERGED;
                    const bool said = status != OD_OK ? silent || od_message(*state)[0] != '\0' : isnan(number);
                    const bool right = fabs(number - whole) <= 1e-6 * whole ||
                                       (questions[q].least && number >= nearest * (1 - 1e-6));
                    if (!said && !(status == OD_OK && right)) {
                        print_error("%zu components, bend %g, %s: call %zu of %zu %s: status %d, %g, not %g\n", dim,
                                    chains[c].bend, questions[q].name, n, calls, kinds[kind].name, (int)status, number,
                                    whole);
                        fail();
                    }
                }
            }
        }
    }
}

static void weights_that_are_none(void **state)
{
    static const double rate[2] = {0.5, 0.7}, y[(K + 1) * 2] = {1, 1};
    static const double weight[][2] = {{1, -1}, {NAN, 1}, {INFINITY, 1}, {0, 0}};
    diagonal a = {.rate = rate};
    od_chain chain = {.what = "iteration", .dim = 2, .steps = K, .affine = true, .step = diagonal_step, .data = &a};
    od_shooting *shooting = NULL;
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) {
        const od_target target = {y, weight[i]};
        chain.jvp = chain.vjp = diagonal_products;
        assert_int_equal(od_shooting_create(*state, &chain, &target, &shooting), OD_EINVAL);
    }
    const od_target target = {y, rate};
    chain.jvp = NULL;
    assert_int_equal(od_shooting_create(*state, &chain, &target, &shooting), OD_EUNSUPPORTED);
    check_message(*state, "needs its derivative, which is not offered");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(every_call_fails_once),
        test_with_context(weights_that_are_none),
    };
    return cmocka_run_group_tests_name("chain faults", tests, NULL, NULL);
}
