/*
 * Who serves cblas_*: GSL brings its own gslcblas, which would take over at a fifth of the speed if it came first.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE /* dladdr */

#include "check.h"

#include <dlfcn.h>
#include <gsl/gsl_blas.h> /* declares cblas_* too, in conflict with the cblas.h of OpenBLAS */

static void openblas_serves_dgemm(void **state)
{
    (void)state;
    /* as GSL and as this program see it: both look the name up in the same order */
    void *found = dlsym(RTLD_DEFAULT, "cblas_dgemm");
    Dl_info info = {0};
    assert_non_null(found);
    assert_true(dladdr(found, &info) != 0);
    print_message("# cblas_dgemm is served by %s\n", info.dli_fname);
    assert_non_null(strstr(info.dli_fname, "libopenblas"));
    assert_null(strstr(info.dli_fname, "gslcblas"));
}

/* The library is there because it is used: a program without a call would lose it to --as-needed. */
static void products_are_right(void **state)
{
    (void)state;
    double a[] = {1.5, -2, 0.25, 3}, b[] = {2.385, 1, -1, 0.5}, c[4] = {0}, d[4] = {0};
    const double want[] = {1.5 * 2.385 + 2, 1.5 - 1, 0.25 * 2.385 - 3, 0.25 + 1.5};
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2);
    gsl_matrix_view va = gsl_matrix_view_array(a, 2, 2), vb = gsl_matrix_view_array(b, 2, 2),
                    vd = gsl_matrix_view_array(d, 2, 2);
    gsl_blas_dgemm(CblasNoTrans, CblasNoTrans, 1, &va.matrix, &vb.matrix, 0, &vd.matrix);
    for (size_t i = 0; i < 4; i++) {
        check_close(c[i], want[i], 1e-15);
        check_close(d[i], want[i], 1e-15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(openblas_serves_dgemm), cmocka_unit_test(products_are_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
