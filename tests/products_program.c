/*
 * Prints, for each problem that an argument describes, products of the Hessian and of the covariance of the samples'
 * gradients with u_i = cos(2.385 i) at x_i = sin(i + 1)/3, as JSON: what only the C interface offers, for
 * tests/network_curvature_test.py.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "optdyn.h"

#include <math.h>
#include <stdlib.h>

static void print_list(const char *name, size_t count, const double *list)
{
    printf("\"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        printf("%s%.17g", i > 0 ? ", " : "", list[i]);
    }
    fputs("]", stdout);
}

static od_status print_products(od_context *ctx, const char *yaml)
{
    od_problem *f = od_problem_create(ctx, yaml);
    const size_t d = f != NULL ? f->dim : 0;
    double *x = f != NULL ? calloc(4 * d + od_scratch_size(&f->scratch, 1), sizeof *x) : NULL;
    if (x == NULL) {
        od_problem_free(f);
        return OD_EINVAL;
    }
    double *u = x + d, *hvp = u + d, *covariance = hvp + d, *ws = covariance + d;
    for (size_t i = 0; i < d; i++) {
        x[i] = sin((double)i + 1) / 3;
        u[i] = cos(2.385 * (double)i);
    }
    od_status status = f->hvp(f, 1, x, 1, u, hvp, ws);
    status = status == OD_OK ? f->covariance(f, 1, x, 1, u, covariance, ws) : status;
    fputs("{", stdout);
    print_list("hvp", d, hvp);
    fputs(", ", stdout);
    print_list("covariance", d, covariance);
    fputs("}", stdout);
    free(x);
    od_problem_free(f);
    return status;
}

int main(int argc, char **argv)
{
    od_context *ctx = od_context_create();
    od_status status = ctx != NULL ? OD_OK : OD_ENOMEM;
    fputs("[", stdout);
    for (int i = 1; i < argc && status == OD_OK; i++) {
        fputs(i > 1 ? ",\n " : "", stdout);
        status = print_products(ctx, argv[i]);
    }
    puts("]");
    if (status != OD_OK) {
        fprintf(stderr, "%s: %s\n", od_status_name(status), ctx != NULL ? od_message(ctx) : "");
    }
    od_context_free(ctx);
    return status != OD_OK;
}
