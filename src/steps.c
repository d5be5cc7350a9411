/*
 * Steps of programs: this file is compiled once for each instruction set, with OD_STEPS the name of its function and
 * OD_WIDTH the number of points in a vector (8: AVX-512, 4: AVX2 and FMA, 1: any processor).
 *
 * All widths give the same bits: SLEEF's functions are deterministic, and the rest is one operation at a time. A single
 * point takes a vector's place in them, since scalar functions would round differently.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "program.h"

#include <math.h>
#if OD_WIDTH > 1
#include <immintrin.h>
#endif
#include <sleef.h>
#include <string.h>

#if OD_WIDTH == 8
typedef __m512d reals;
typedef int64_t words __attribute__((vector_size(64)));
#define SLEEF(function, digits) Sleef_finz_##function##d8_##digits##avx512f
#define SQRT _mm512_sqrt_pd
#elif OD_WIDTH == 4
typedef __m256d reals;
typedef int64_t words __attribute__((vector_size(32)));
#define SLEEF(function, digits) Sleef_finz_##function##d4_##digits##avx2
#define SQRT _mm256_sqrt_pd
#else
typedef double reals;
typedef int64_t words;
#define SLEEF(function, digits) Sleef_finz_##function##d1_##digits##purecfma
#define SQRT sqrt
/* sleef.h shows these only to compilers that target FMA, but they are plain C and run everywhere. */
double SLEEF(exp, u10)(double), SLEEF(log, u10)(double), SLEEF(log1p, u10)(double), SLEEF(sin, u10)(double);
double SLEEF(cos, u10)(double), SLEEF(tan, u10)(double), SLEEF(sinh, u10)(double), SLEEF(cosh, u10)(double);
double SLEEF(tanh, u10)(double), SLEEF(atan, u10)(double), SLEEF(pow, u10)(double, double);
#endif

static inline reals load(const double *from)
{
    reals a;
    memcpy(&a, from, sizeof a);
    return a;
}

static inline reals all(double a)
{
    return a - (reals){0}; /* a + 0 would lose the sign of a zero */
}

/* a where the comparison holds, else b */
#if OD_WIDTH > 1
#define PICK(condition, a, b) (reals)(((words)(condition) & (words)(a)) | (~(words)(condition) & (words)(b)))
#else
#define PICK(condition, a, b) ((condition) ? (a) : (b))
#endif

static inline reals absolute(reals a)
{
    words bits;
    memcpy(&bits, &a, sizeof bits);
    bits &= INT64_MAX;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static inline reals logistic(reals a)
{
    const reals e = SLEEF(exp, u10)(-absolute(a)), whole = 1 + e; /* never overflows, and neither tail cancels */
    return PICK(a > 0, 1 / whole, e / whole);
}

static inline reals softplus(reals a)
{
    return PICK(a > 0, a, all(0)) + SLEEF(log1p, u10)(SLEEF(exp, u10)(-absolute(a)));
}

/* Where one is not a number, neither is the result. */
static inline reals smaller(reals a, reals b)
{
    return PICK(a < b, a, PICK(b <= a, b, a + b));
}

static inline reals larger(reals a, reals b)
{
    return PICK(a > b, a, PICK(b >= a, b, a + b));
}

static inline reals log_slope(reals a)
{
    return PICK(a < 0, all(NAN), 1 / absolute(a));
}

static inline reals sign(reals a)
{
    return PICK(a > 0, all(1), PICK(a < 0, all(-1), a));
}

/* Arithmetic: a single point needs no vector. */
#define ARITHMETIC(expression)                                                                                         \
    if (points == 1) {                                                                                                 \
        const double A = *a, B = *b, C = *c;                                                                           \
        (void)A, (void)B, (void)C;                                                                                     \
        *out = (expression);                                                                                           \
    } else {                                                                                                           \
        for (size_t p = 0; p < points; p += OD_WIDTH) {                                                                \
            const reals A = load(a + p), B = load(b + p), C = load(c + p);                                             \
            (void)A, (void)B, (void)C;                                                                                 \
            const reals result = (expression);                                                                         \
            memcpy(out + p, &result, sizeof result);                                                                   \
        }                                                                                                              \
    }                                                                                                                  \
    break

#define FUNCTION(expression)                                                                                           \
    if (points == 1) {                                                                                                 \
        const reals A = all(*a), B = all(*b);                                                                          \
        (void)A, (void)B;                                                                                              \
        const reals result = (expression);                                                                             \
        memcpy(out, &result, sizeof *out);                                                                             \
    } else {                                                                                                           \
        for (size_t p = 0; p < points; p += OD_WIDTH) {                                                                \
            const reals A = load(a + p), B = load(b + p);                                                              \
            (void)A, (void)B;                                                                                          \
            const reals result = (expression);                                                                         \
            memcpy(out + p, &result, sizeof result);                                                                   \
        }                                                                                                              \
    }                                                                                                                  \
    break

static inline void horner(const double *a, double *out, size_t points, uint32_t degree, const double *coefficient)
{
    if (points == 1) {
        double sum = coefficient[degree];
        for (uint32_t k = degree; k-- > 0;) {
            sum = sum * *a + coefficient[k];
        }
        *out = sum;
        return;
    }
    for (size_t p = 0; p < points; p += OD_WIDTH) {
        const reals x = load(a + p);
        reals sum = all(coefficient[degree]);
        for (uint32_t k = degree; k-- > 0;) {
            sum = sum * x + coefficient[k];
        }
        memcpy(out + p, &sum, sizeof sum);
    }
}

static inline const double *operand(const od_frame *frame, uint32_t place)
{
    const uint32_t space = place >> OD_SPACE_SHIFT;
    return frame->base[space] + (place & OD_ROW_MASK) * frame->stride[space];
}

/* `points` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void take(const od_step *step, size_t count, size_t points,
                                                       const od_frame *frame)
{
    double *file = frame->write[0];
    for (const od_step *s = step; s < step + count; s++) {
        const double *a = points == 1 ? file + s->a : operand(frame, s->a);
        const double *b = points == 1 ? file + s->b : operand(frame, s->b);
        const double *c = points == 1 ? file + s->c : operand(frame, s->c);
        const double k = s->k; /* of a polynomial: something else, not used */
        const uint32_t space = s->out >> OD_SPACE_SHIFT;
        double *out = points == 1 ? file + s->out : frame->write[space] + (s->out & OD_ROW_MASK) * frame->stride[space];
        switch (s->code) {
        case OD_CODE_FILL:
            for (size_t p = 0; p < points; p++) {
                out[p] = k;
            }
            break;
        case OD_CODE_COPY: ARITHMETIC(A);
        case OD_CODE_NEGATE: ARITHMETIC(-A);
        case OD_CODE_ADD: ARITHMETIC(A + B);
        case OD_CODE_SUBTRACT: ARITHMETIC(A - B);
        case OD_CODE_MULTIPLY: ARITHMETIC(A * B);
        case OD_CODE_DIVIDE: ARITHMETIC(A / B);
        case OD_CODE_ADD_K: ARITHMETIC(A + k);
        case OD_CODE_K_SUBTRACT: ARITHMETIC(k - A);
        case OD_CODE_MULTIPLY_K: ARITHMETIC(k * A);
        case OD_CODE_DIVIDE_K: ARITHMETIC(A / k);
        case OD_CODE_K_DIVIDE: ARITHMETIC(k / A);
        case OD_CODE_MULTIPLY_ADD: ARITHMETIC(A * B + C);
        case OD_CODE_MULTIPLY_LESS: ARITHMETIC(A * B - C);
        case OD_CODE_LESS_MULTIPLY: ARITHMETIC(C - A * B);
        case OD_CODE_K_MULTIPLY_ADD: ARITHMETIC(k * A + C);
        case OD_CODE_K_MULTIPLY_LESS: ARITHMETIC(k * A - C);
        case OD_CODE_K_TIMES_PRODUCT: ARITHMETIC(k * (A * B));
        case OD_CODE_POLYNOMIAL: horner(a, out, points, s->degree, s->coefficient); break;
        case OD_CODE_POWER: FUNCTION(SLEEF(pow, u10)(A, B));
        case OD_CODE_POWER_K: FUNCTION(SLEEF(pow, u10)(A, all(k)));
        case OD_CODE_K_POWER: FUNCTION(SLEEF(pow, u10)(all(k), A));
        case OD_CODE_EXP: FUNCTION(SLEEF(exp, u10)(A));
        case OD_CODE_LOG: FUNCTION(SLEEF(log, u10)(A));
        case OD_CODE_SQRT: FUNCTION(SQRT(A));
        case OD_CODE_SIN: FUNCTION(SLEEF(sin, u10)(A));
        case OD_CODE_COS: FUNCTION(SLEEF(cos, u10)(A));
        case OD_CODE_TAN: FUNCTION(SLEEF(tan, u10)(A));
        case OD_CODE_SINH: FUNCTION(SLEEF(sinh, u10)(A));
        case OD_CODE_COSH: FUNCTION(SLEEF(cosh, u10)(A));
        case OD_CODE_TANH: FUNCTION(SLEEF(tanh, u10)(A));
        case OD_CODE_ATAN: FUNCTION(SLEEF(atan, u10)(A));
        case OD_CODE_LOGISTIC: FUNCTION(logistic(A));
        case OD_CODE_SOFTPLUS: FUNCTION(softplus(A));
        case OD_CODE_ABS: FUNCTION(absolute(A));
        case OD_CODE_MIN: FUNCTION(smaller(A, B));
        case OD_CODE_MAX: FUNCTION(larger(A, B));
        case OD_CODE_LOG_SLOPE: FUNCTION(log_slope(A));
        case OD_CODE_SIGN: FUNCTION(sign(A));
        }
    }
}

void OD_STEPS(const od_step *step, size_t count, size_t points, const od_frame *frame)
{
    if (points == 1) {
        take(step, count, 1, frame);
    } else if (points == OD_SHORT_STRIP) {
        take(step, count, OD_SHORT_STRIP, frame);
    } else {
        take(step, count, OD_STRIP, frame);
    }
}
