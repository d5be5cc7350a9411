/* What all tests share. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TESTS_CHECK_H
#define OD_TESTS_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "optdyn.h"

/** Fails unless |got - want| <= tolerance; NaN fails. cmocka 1.1.5 compares floats only. */
#define check_close(got, want, tolerance) check_close_at((got), (want), (tolerance), #got, __FILE__, __LINE__)
/** The same with a relative tolerance. */
#define check_relative(got, want, tolerance)                                                                           \
    check_close_at((got), (want), (tolerance)*fabs(want), #got, __FILE__, __LINE__)

static inline void check_close_at(double got, double want, double tolerance, const char *what, const char *file,
                                  int line)
{
    if (!(fabs(got - want) <= tolerance)) {
        print_error("%s: got %.17g, want %.17g, difference %.3g, tolerance %.3g\n", what, got, want, got - want,
                    tolerance);
        _fail(file, line);
    }
}

/** Fails with the context's sentence unless `condition` holds. */
#define check_done(ctx, condition)                                                                                     \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error("%s\n", od_message(ctx));                                                                      \
            _fail(__FILE__, __LINE__);                                                                                 \
        }                                                                                                              \
    } while (0)

/** Fails unless the sentence of the last failure contains `part`. */
#define check_message(ctx, part)                                                                                       \
    do {                                                                                                               \
        if (strstr(od_message(ctx), part) == NULL) {                                                                   \
            print_error("'%s' is not in: %s\n", part, od_message(ctx));                                                \
            _fail(__FILE__, __LINE__);                                                                                 \
        }                                                                                                              \
    } while (0)

/** A context for one test, made and freed by cmocka's setup and teardown. */
static inline int make_context(void **state)
{
    *state = od_context_create();
    return *state == NULL;
}

static inline int free_context(void **state)
{
    od_context_free(*state);
    return 0;
}

#define test_with_context(f) cmocka_unit_test_setup_teardown(f, make_context, free_context)

#endif
