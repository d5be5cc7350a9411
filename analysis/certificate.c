/*
 * Frames and ellipsoids of a certificate, in doubles; whether they prove anything is decided in balls (src/arb/).
 *
 * Directions are ordered by growth: the transposed derivatives, applied backwards to a frame in general position, give
 * the directions at 0 that grow most, and QR forwards carries them along. A direction is unstable up to the step where
 * its accumulated growth is largest, so that it is swept backwards over what grows and forwards over what shrinks.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "certificate.h"

#include "../src/memory.h"
#include "certificate_data.h"
#include "enclosure.h"

#include <cblas.h>
#include <complex.h>
/* LAPACKE names complex numbers by these */
#define lapack_complex_float float _Complex
#define lapack_complex_double double _Complex
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is added to a shape so that rounding does not break its inequality, relative. */
static const double slack = 1e-9, floor_slack = 1e-13;
/* Shares are not below this, so that no term is divided by zero. */
static const double least_share = 1e-7;

static const size_t most_doubles = (size_t)1 << 27;

/* ------------------------------------------------------------------------------------------- memory */

void od_certificate_free(od_certificate *c)
{
    if (c != NULL) {
        free(c->memory);
        free(c->ws);
        free(c->proof.unstable);
        free(c);
    }
}

static od_status allocate(od_context *ctx, od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim, square = n * n;
    if (p->steps == 0 || p->steps >= most_doubles / (5 * square)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "iterations",
                       "a certificate of %llu steps of %zu components does not fit; give between 1 and %zu iterations",
                       (unsigned long long)p->steps, n, most_doubles / (5 * square) - 1);
    }
    const size_t nodes = (size_t)p->steps + 1, room = od_span_room(p->rule);
    c->memory = od_zalloc(nodes * (4 * square + 5) + 6 * square + 4 * n, sizeof(double));
    c->ws = od_zalloc(room + square + n, sizeof *c->ws);
    p->unstable = od_zalloc(nodes, sizeof *p->unstable);
    if (c->memory == NULL || c->ws == NULL || p->unstable == NULL) {
        return od_fail(ctx, OD_ENOMEM, "iterations", "no memory for a certificate of %zu steps", nodes - 1);
    }
    p->frame = c->memory;
    p->linear = p->frame + nodes * square;
    p->stable_shape = p->linear + nodes * square;
    p->unstable_shape = p->stable_shape + nodes * square;
    p->stable_size = p->unstable_shape + nodes * square;
    p->unstable_size = p->stable_size + nodes;
    p->share = p->unstable_size + nodes;
    c->square = p->share + 3 * nodes;
    c->vector = c->square + 6 * square;
    return OD_OK;
}

/* ------------------------------------------------------------------------------------------- frames */

/* The derivative at x_k, row-major. */
static void derivative(od_certificate *c, uint64_t k, double *a)
{
    const size_t n = c->proof.rule->dim;
    od_span *z = c->ws + od_span_room(c->proof.rule), *jacobian = z + n;
    for (size_t i = 0; i < n; i++) {
        z[i] = od_span_real(c->proof.x[k * n + i]);
    }
    od_span_jacobian(c->proof.rule, k, z, jacobian, c->ws);
    for (size_t i = 0; i < n * n; i++) {
        a[i] = jacobian[i].lo + (jacobian[i].hi - jacobian[i].lo) / 2;
    }
}

/* a = Q R in place of a, diagonal of R >= 0; row-major. False where LAPACK fails or there is no finite number. */
static bool orthonormalise(size_t n, double *a, double *r, double *tau)
{
    const int m = (int)n;
    if (LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, m, m, a, m, tau) != 0) {
        return false;
    }
    memset(r, 0, n * n * sizeof *r);
    for (size_t i = 0; i < n; i++) {
        memcpy(r + i * n + i, a + i * n + i, (n - i) * sizeof *r);
    }
    if (LAPACKE_dorgqr(LAPACK_ROW_MAJOR, m, m, m, a, m, tau) != 0) {
        return false;
    }
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        const bool flip = r[i * n + i] < 0;
        for (size_t j = 0; j < n; j++) {
            r[i * n + j] = flip ? -r[i * n + j] : r[i * n + j];
            a[j * n + i] = flip ? -a[j * n + i] : a[j * n + i];
            finite = finite && fabs(a[j * n + i]) <= 2 && fabs(r[i * n + j]) < INFINITY;
        }
    }
    return finite;
}

static void multiply(size_t n, CBLAS_TRANSPOSE how, const double *a, const double *b, double *out)
{
    const int m = (int)n;
    cblas_dgemm(CblasRowMajor, how, CblasNoTrans, m, m, m, 1, a, m, b, m, 0, out, m);
}

/* Q_0, then all Q_k and T_k. False at a derivative that is not finite. */
static bool make_frames(od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim, square = n * n;
    double *q = p->frame, *a = c->square, *r = a + square, *next = r + square;
    for (size_t i = 0; i < square; i++) {
        q[i] = od_normal(2385, OD_STREAM_CHECK, 0, i, 0); /* in general position */
    }
    od_span_begin(p->rule, c->ws);
    bool done = orthonormalise(n, q, r, c->vector);
    for (uint64_t k = p->steps; done && k-- > 0;) {
        derivative(c, k, a);
        multiply(n, CblasTrans, a, q, next);
        memcpy(q, next, square * sizeof *q);
        done = orthonormalise(n, q, r, c->vector);
    }
    for (uint64_t k = 0; done && k < p->steps; k++) {
        derivative(c, k, a);
        multiply(n, CblasNoTrans, a, p->frame + k * square, p->frame + (k + 1) * square);
        done = orthonormalise(n, p->frame + (k + 1) * square, p->linear + k * square, c->vector);
    }
    return done;
}

/* p_k: how many directions still grow on the whole after step k. */
static void divide(od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim;
    uint64_t last = 0;
    for (size_t i = n; i-- > 0;) {
        double sum = 0, most = 0;
        for (uint64_t k = 0; k < p->steps; k++) {
            sum += log(fmax(p->linear[k * n * n + i * n + i], 1e-300));
            if (sum > most) {
                most = sum;
                last = k + 1 > last ? k + 1 : last; /* before it, faster directions are unstable too */
            }
        }
        for (uint64_t k = 0; k < last; k++) {
            p->unstable[k]++;
        }
    }
}

/* ------------------------------------------------------------------------------------------- ellipsoids */

static double trace(size_t n, size_t count, const double *a)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += a[i * n + i];
    }
    return sum;
}

/* Shares of terms with these traces, for which the sum of their ellipsoids has the least trace. */
static void share_out(size_t count, const double *traces, double *share)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        share[i] = sqrt(traces[i]);
        sum += share[i];
    }
    for (size_t i = 0; i < count; i++) {
        share[i] = fmax(share[i] / sum, least_share) / (1 + (double)count * least_share);
    }
}

/* out = m s m^T for leading rows x cols of m and cols x cols of s; leading dimensions n. */
static void image(size_t n, size_t rows, size_t cols, const double *m, const double *s, double *out, double *spare)
{
    memset(out, 0, n * n * sizeof *out);
    if (rows > 0 && cols > 0) {
        const int r = (int)rows, k = (int)cols, ld = (int)n;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, k, k, 1, m, ld, s, ld, 0, spare, ld);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, r, r, k, 1, spare, ld, m, ld, 0, out, ld);
    }
}

/* a = a + b/share */
static void add_scaled(size_t n, double *a, const double *b, double share)
{
    for (size_t i = 0; i < n * n; i++) {
        a[i] += b[i] / share;
    }
}

/* Symmetric, and larger by the slack, which counts where eigenvalues are far apart. */
static void finish(size_t n, size_t count, double *a)
{
    const double lift = floor_slack * trace(n, count, a);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            a[i * n + j] = a[j * n + i] = (a[i * n + j] + a[j * n + i]) / 2 * (1 + slack);
        }
        a[i * n + i] += lift;
    }
}

static void add_unit(size_t n, size_t count, double *a, double share)
{
    for (size_t i = 0; i < count; i++) {
        a[i * n + i] += 1 / share;
    }
}

/* The stable shape at k with zeros for directions that have just become stable. */
static void widened(const od_proof *p, uint64_t k, double *out)
{
    const size_t n = p->rule->dim, size = n - p->unstable[k > 0 ? k - 1 : 0], more = n - p->unstable[k] - size;
    memset(out, 0, n * n * sizeof *out);
    for (size_t i = 0; i < size; i++) {
        memcpy(out + (more + i) * n + more, p->stable_shape + k * n * n + i * n, size * sizeof *out);
    }
}

static void sweep_stable(od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim, square = n * n;
    double *s = c->square, *spare = s + square;
    for (uint64_t k = 0; k < p->steps; k++) {
        const size_t u = p->unstable[k], size = n - u;
        double *next = p->stable_shape + (k + 1) * square, share[2];
        widened(p, k, s);
        image(n, size, size, p->linear + k * square + u * n + u, s, next, spare);
        share_out(2, (double[]){trace(n, size, next), (double)size}, share);
        for (size_t i = 0; i < square; i++) {
            next[i] /= share[0];
        }
        add_unit(n, size, next, share[1]);
        finish(n, size, next);
        p->share[3 * k] = share[0];
    }
}

/* out = t^-1 a t^-T, t upper triangular */
static void solve(size_t n, size_t count, const double *t, double *a)
{
    const int m = (int)count, ld = (int)n;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, m, m, 1, t, ld, a, ld);
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasUpper, CblasTrans, CblasNonUnit, m, m, 1, t, ld, a, ld);
}

static void sweep_unstable(od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim, square = n * n;
    double *s = c->square, *spare = s + square, *other = spare + square;
    for (uint64_t k = p->steps; k-- > 0;) {
        const size_t u = p->unstable[k];
        const double *later = p->unstable_shape + (k + 1) * square;
        double *shape = p->unstable_shape + k * square, share[3];
        widened(p, k, s);
        image(n, u, n - u, p->linear + k * square + u, s, other, spare);
        share_out(3, (double[]){trace(n, u, later), trace(n, u, other), (double)u}, share);
        add_scaled(n, shape, later, share[0]);
        add_scaled(n, shape, other, share[1]);
        add_unit(n, u, shape, share[2]);
        finish(n, u, shape);
        solve(n, u, p->linear + k * square, shape);
        finish(n, u, shape);
        p->share[3 * k + 1] = share[0];
        p->share[3 * k + 2] = share[1];
    }
}

/* A number above the eigenvalues of a shape; NaN where LAPACK fails. */
static double above_eigenvalues(od_certificate *c, const double *shape, size_t count)
{
    const size_t n = c->proof.rule->dim;
    double *a = c->square;
    memcpy(a, shape, n * n * sizeof *a);
    if (count > 0 && LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'L', (int)count, a, (int)n, c->vector) != 0) {
        return NAN;
    }
    return count > 0 ? c->vector[count - 1] * (1 + slack) : 0;
}

static void measure_shapes(od_certificate *c)
{
    od_proof *p = &c->proof;
    const size_t n = p->rule->dim, square = n * n;
    for (uint64_t k = 0; k <= p->steps; k++) {
        if (k > 0) {
            p->stable_size[k] = above_eigenvalues(c, p->stable_shape + k * square, n - p->unstable[k - 1]);
        }
        if (k < p->steps) {
            p->unstable_size[k] = above_eigenvalues(c, p->unstable_shape + k * square, p->unstable[k]);
        }
    }
}

/* ------------------------------------------------------------------------------------------- the certificate */

static const od_module arb = {.name = "arb",
                              .folder = "src/arb",
                              .version = OD_ARB_VERSION,
                              .use = "a certificate needs",
                              .entry = "shadow.certificate",
                              .remedy = "install libflint-arb-dev and libflint-dev and build with -Darb=enabled"};

static od_status prove(od_context *ctx, od_certificate *c)
{
    char trouble[256] = "";
    const od_arb_api *api = od_module_load(ctx, &arb);
    if (api == NULL) {
        return OD_EUNSUPPORTED;
    }
    if (!make_frames(c)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "shadow.certificate",
                       "the derivative of the iteration is not finite along the states, so nothing is proven");
    }
    divide(c);
    sweep_stable(c);
    sweep_unstable(c);
    measure_shapes(c);
    return api->prove(&c->proof, &c->proven, trouble)
               ? OD_OK
               : od_fail(ctx, OD_EUNSUPPORTED, "shadow.certificate", "nothing is proven: %s", trouble);
}

od_status od_certificate_create(od_context *ctx, const od_rule *rule, uint64_t steps, const double *x,
                                od_certificate **certificate)
{
    *certificate = NULL;
    od_certificate *c = od_zalloc(1, sizeof *c);
    if (c == NULL) {
        return od_fail(ctx, OD_ENOMEM, "shadow.certificate", "no memory for a certificate");
    }
    c->proof.rule = rule;
    c->proof.steps = steps;
    c->proof.x = x;
    od_status status = allocate(ctx, c);
    status = status == OD_OK ? prove(ctx, c) : status;
    if (status != OD_OK) {
        od_certificate_free(c);
        return status;
    }
    *certificate = c;
    return OD_OK;
}

od_certified od_certificate_result(const od_certificate *c)
{
    return (od_certified){c->proven.epsilon, c->proven.residual, c->proven.inverse, c->proven.defect};
}

double od_certificate_radius(const od_certificate *c, const od_target *target)
{
    const size_t n = c->proof.rule->dim;
    double most = 0, heaviest = 0;
    for (size_t i = 0; i < n; i++) {
        heaviest = fmax(heaviest, target->weight[i]);
    }
    const od_span reach = od_span_mul(od_span_real(heaviest), od_span_real(c->proven.epsilon));
    for (size_t k = 0; k <= c->proof.steps; k++) {
        od_span square = {0, 0};
        for (size_t i = 0; i < n; i++) {
            const od_span gap = od_span_sub(od_span_real(c->proof.x[k * n + i]), od_span_real(target->y[k * n + i]));
            square = od_span_add(square, od_span_power(od_span_mul(od_span_real(target->weight[i]), gap), 2));
        }
        most = fmax(most, od_span_add(od_span_sqrt((od_span){0, square.hi}), reach).hi);
    }
    return most;
}
