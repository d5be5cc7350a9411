/*
 * Projections against a plain loop over od_normal, the law of their squares, and as columns of a run.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "folder.h"

#include "src/projection.h"

#include <math.h>
#include <stdlib.h>

enum { D = 301, K = 5, N = 3 }; /* neither a multiple of the block nor an even number of directions */

static double number(size_t i)
{
    return sin(2.385 * (double)(i + 1)) + 0.3;
}

static void projections_are_products_with_unit_vectors(void **state)
{
    (void)state;
    double x[D * N], q[K * N], more[(K + 3) * N], alone[K];
    for (size_t i = 0; i < D * N; i++) {
        x[i] = number(i);
    }
    od_project(11, K, D, N, x, q);
    for (size_t j = 0; j < K; j++) {
        double square = 0, product[N] = {0};
        for (size_t i = 0; i < D; i++) {
            const double e = od_normal(11, OD_STREAM_PROJECTION, i, j, 0);
            square += e * e;
            for (size_t p = 0; p < N; p++) {
                product[p] += e * x[i * N + p];
            }
        }
        for (size_t p = 0; p < N; p++) {
            check_close(q[j * N + p], product[p] / sqrt(square), 1e-13);
        }
    }
    od_project(11, K + 3, D, N, x, more);
    assert_memory_equal(more, q, sizeof q);
    for (size_t p = 0; p < N; p++) { /* a point alone has the bits it has in a batch */
        double one[D];
        for (size_t i = 0; i < D; i++) {
            one[i] = x[i * N + p];
        }
        od_project(11, K, D, 1, one, alone);
        for (size_t j = 0; j < K; j++) {
            check_close(alone[j], q[j * N + p], 0);
        }
    }
    od_project(12, 1, D, N, x, alone);
    assert_true(fabs(alone[0] - q[0]) > 1e-3);
    const double single = -2.385;
    od_project(7, 1, 1, 1, &single, alone);
    check_close(fabs(alone[0]), 2.385, 1e-15);
}

/*
 * For a uniform direction d <x, e>^2/|x|^2 has mean 1 and variance 2 (d - 1)/(d + 2) (a Beta law). 400 independent
 * seeds of 5 directions; 5 standard errors, a false alarm once in 2e6 choices of seeds, which are fixed.
 */
static void squares_estimate_the_norm(void **state)
{
    enum { SEEDS = 400 };
    (void)state;
    double x[D], q[K], square = 0, mean = 0;
    for (size_t i = 0; i < D; i++) {
        x[i] = number(i);
        square += x[i] * x[i];
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        od_project(seed, K, D, 1, x, q);
        for (size_t j = 0; j < K; j++) {
            mean += D * q[j] * q[j] / square / (SEEDS * K);
        }
    }
    check_close(mean, 1, 5 * sqrt(2.0 * (D - 1) / (D + 2) / (SEEDS * K)));
}

/* The columns of a run's last row are the projections of its last state, also from the resolved experiment. */
static void a_run_records_them(void **state)
{
    (void)state;
    char folder[FOLDER_ROOM], yaml[512], path[256];
    folder_make(folder);
    od_context *ctx = od_context_create();
    const od_options options = {.output = folder};
    snprintf(yaml, sizeof yaml,
             "problem: {name: quadratic, eigenvalues: [4, 1, 0.3]}\nmethod: {name: heavy-ball, alpha: 1}\n"
             "integrator: {name: rk4, step: 0.1}\nstart: {x: [1, -2, 0.7]}\nuntil: 2\n"
             "record: {quantities: [loss], projections: 2, projection_seed: 9}");
    od_experiment *e = od_experiment_parse(ctx, yaml, &options);
    check_done(ctx, e != NULL);
    assert_non_null(strstr(od_experiment_resolved(e), "quantities: [loss], projections: 2, projection_seed: 9}"));
    od_result *result = NULL;
    check_done(ctx, od_experiment_run(ctx, e, &result) == OD_OK);
    double want[2], t, loss, got[2];
    od_project(9, 2, 3, 1, result->outcome[0].mean, want);
    snprintf(path, sizeof path, "%s/flow.csv", folder);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char line[1024], last[1024] = "";
    bool header = false;
    while (fgets(line, sizeof line, in) != NULL) {
        header = header || strcmp(line, "t,loss,projection_1,projection_2\n") == 0;
        strcpy(last, line);
    }
    fclose(in);
    assert_true(header);
    assert_int_equal(sscanf(last, "%lf,%lf,%lf,%lf", &t, &loss, &got[0], &got[1]), 4);
    check_close(t, 2, 0);
    check_close(got[0], want[0], 1e-15);
    check_close(got[1], want[1], 1e-15);
    od_experiment *again = od_experiment_parse(ctx, od_experiment_resolved(e), NULL);
    check_done(ctx, again != NULL);
    assert_string_equal(od_experiment_resolved(again), od_experiment_resolved(e));
    od_experiment_free(again);
    od_result_free(result);
    od_experiment_free(e);
    assert_null(od_experiment_parse(ctx,
                                    "problem: {name: rosenbrock}\nmethod: {name: gradient, step: 0.001}\n"
                                    "start: {x: [1, 2]}\niterations: 3\nrecord: {projections: 65}",
                                    NULL));
    check_message(ctx, "record.projections");
    od_context_free(ctx);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projections_are_products_with_unit_vectors),
        cmocka_unit_test(squares_estimate_the_norm),
        cmocka_unit_test(a_run_records_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
