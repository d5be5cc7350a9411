/* The theorem of proof.h in ball arithmetic. SPDX-License-Identifier: GPL-3.0-or-later */
#include "proof.h"

#include "build_config.h"

#include "number_ball.h"

#include <arb_mat.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BITS = OD_BALL_BITS, ROUNDS = 60 };

/* Balls at work, and doubles rounded up for each node. */
typedef struct desk {
    od_proof *p;
    size_t n;
    arb_ptr ws, z, next, jacobian;
    arb_struct a, b; /* scratch */
    double *grow;    /* [K+1] above |Q_k| */
    double *shrink;  /* [K+1] above |Q_k^{-1}| */
    double *gamma;   /* [K+1] above |c_k|/omega */
    double *slip;    /* [K] above |r_k| */
    char *trouble;
} desk;

static size_t before(const od_proof *p, uint64_t k)
{
    return p->unstable[k > 0 ? k - 1 : 0];
}

static size_t behind(const od_proof *p, uint64_t k)
{
    return p->unstable[k < p->steps ? k : k - 1];
}

static double above(const arb_struct *x)
{
    arf_t bound;
    arf_init(bound);
    arb_get_ubound_arf(bound, x, BITS);
    const double up = arb_is_finite(x) ? arf_get_d(bound, ARF_RND_CEIL) : INFINITY;
    arf_clear(bound);
    return up;
}

/* out = rows x cols block of a row-major matrix with n columns */
static void load(arb_mat_t out, const double *from, size_t n)
{
    for (slong i = 0; i < arb_mat_nrows(out); i++) {
        for (slong j = 0; j < arb_mat_ncols(out); j++) {
            arb_set_d(arb_mat_entry(out, i, j), from[(size_t)i * n + (size_t)j]);
        }
    }
}

/* out = shape with its lower triangle mirrored, in the corner (at, at) of zeros */
static void load_shape(arb_mat_t out, const double *shape, size_t n, size_t size, size_t at)
{
    arb_mat_zero(out);
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= i; j++) {
            arb_set_d(arb_mat_entry(out, (slong)(at + i), (slong)(at + j)), shape[i * n + j]);
            arb_set(arb_mat_entry(out, (slong)(at + j), (slong)(at + i)),
                    arb_mat_entry(out, (slong)(at + i), (slong)(at + j)));
        }
    }
}

/* sum -= m s m^T / share */
static void subtract_image(arb_mat_t sum, const arb_mat_t m, const arb_mat_t s, const arb_struct *share)
{
    arb_mat_t ms, mt, image;
    arb_mat_init(ms, arb_mat_nrows(m), arb_mat_ncols(m));
    arb_mat_init(mt, arb_mat_ncols(m), arb_mat_nrows(m));
    arb_mat_init(image, arb_mat_nrows(m), arb_mat_nrows(m));
    arb_mat_mul(ms, m, s, BITS);
    arb_mat_transpose(mt, m);
    arb_mat_mul(image, ms, mt, BITS);
    arb_mat_scalar_div_arb(image, image, share, BITS);
    arb_mat_sub(sum, sum, image, BITS);
    arb_mat_clear(ms);
    arb_mat_clear(mt);
    arb_mat_clear(image);
}

static void subtract_unit(arb_mat_t sum, const arb_struct *share)
{
    arb_t inverse;
    arb_init(inverse);
    arb_inv(inverse, share, BITS);
    for (slong i = 0; i < arb_mat_nrows(sum); i++) {
        arb_sub(arb_mat_entry(sum, i, i), arb_mat_entry(sum, i, i), inverse, BITS);
    }
    arb_clear(inverse);
}

static bool is_positive(const arb_mat_t a)
{
    arb_mat_t factor;
    arb_mat_init(factor, arb_mat_nrows(a), arb_mat_ncols(a));
    const bool positive = arb_mat_nrows(a) == 0 || arb_mat_cho(factor, a, BITS) != 0;
    arb_mat_clear(factor);
    return positive;
}

/* The shares of the three terms, the last one what the others leave; false if it or the first is not positive. */
static bool read_shares(arb_struct out[3], double first, double second)
{
    arb_set_d(&out[0], first);
    arb_set_d(&out[1], second);
    arb_one(&out[2]);
    arb_sub(&out[2], &out[2], &out[0], BITS);
    arb_sub(&out[2], &out[2], &out[1], BITS);
    return arb_is_positive(&out[0]) && arb_is_positive(&out[2]);
}

/* C^s_{k+1} against its image; s: C^s_k with zeros where directions have just become stable */
static bool check_stable(desk *d, uint64_t k, const arb_mat_t s, arb_struct share[3])
{
    const od_proof *p = d->p;
    const size_t n = d->n, u = p->unstable[k];
    arb_mat_t sum, t;
    arb_mat_init(sum, (slong)(n - u), (slong)(n - u));
    arb_mat_init(t, (slong)(n - u), (slong)(n - u));
    load_shape(sum, p->stable_shape + (k + 1) * n * n, n, n - u, 0);
    load(t, p->linear + k * n * n + u * n + u, n);
    bool holds = read_shares(share, p->share[3 * k], 0);
    if (holds) {
        subtract_image(sum, t, s, &share[0]);
        subtract_unit(sum, &share[2]);
        holds = is_positive(sum);
    }
    arb_mat_clear(sum);
    arb_mat_clear(t);
    return holds;
}

/* C^u_k against C^u_{k+1} and what the stable components add */
static bool check_unstable(desk *d, uint64_t k, const arb_mat_t s, arb_struct share[3])
{
    const od_proof *p = d->p;
    const size_t n = d->n, u = p->unstable[k];
    arb_mat_t sum, t, shape, other, one;
    arb_mat_init(sum, (slong)u, (slong)u);
    arb_mat_init(t, (slong)u, (slong)u);
    arb_mat_init(shape, (slong)u, (slong)u);
    arb_mat_init(one, (slong)u, (slong)u);
    arb_mat_init(other, (slong)u, (slong)(n - u));
    load(t, p->linear + k * n * n, n);
    load(other, p->linear + k * n * n + u, n);
    load_shape(shape, p->unstable_shape + k * n * n, n, u, 0);
    arb_mat_one(one);
    bool holds = read_shares(share, p->share[3 * k + 1], p->share[3 * k + 2]) && arb_is_positive(&share[1]);
    if (holds) {
        arb_set_si(&d->a, -1);
        subtract_image(sum, t, shape, &d->a);
        load_shape(shape, p->unstable_shape + (k + 1) * n * n, n, behind(p, k + 1), 0);
        subtract_image(sum, one, shape, &share[0]);
        subtract_image(sum, other, s, &share[1]);
        subtract_unit(sum, &share[2]);
        holds = is_positive(sum);
    }
    arb_mat_clear(sum);
    arb_mat_clear(t);
    arb_mat_clear(shape);
    arb_mat_clear(one);
    arb_mat_clear(other);
    return holds;
}

/* All eigenvalues of a shape below `size`. */
static bool check_size(const double *shape, size_t n, size_t count, double size)
{
    arb_mat_t sum;
    arb_mat_init(sum, (slong)count, (slong)count);
    load_shape(sum, shape, n, count, 0);
    arb_mat_neg(sum, sum);
    for (slong i = 0; i < (slong)count; i++) {
        arb_t bound;
        arb_init(bound);
        arb_set_d(bound, size);
        arb_add(arb_mat_entry(sum, i, i), arb_mat_entry(sum, i, i), bound, BITS);
        arb_clear(bound);
    }
    const bool holds = is_positive(sum);
    arb_mat_clear(sum);
    return holds;
}

static bool fail(desk *d, const char *what, uint64_t k)
{
    snprintf(d->trouble, 256, "%s at k = %llu", what, (unsigned long long)k);
    return false;
}

/* T_k leads from no unstable component to a stable one. */
static bool is_triangular(const od_proof *p, uint64_t k)
{
    const size_t n = p->rule->dim, u = p->unstable[k];
    bool zero = true;
    for (size_t i = u; i < n; i++) {
        for (size_t j = 0; j < u; j++) {
            zero = zero && p->linear[k * n * n + i * n + j] == 0;
        }
    }
    return zero;
}

/* The shapes of k + 1 against those of k; no direction may become unstable. */
static bool check_step(desk *d, uint64_t k, arb_struct share[3])
{
    const od_proof *p = d->p;
    const size_t n = d->n, u = p->unstable[k], old = n - before(p, k);
    if (behind(p, k + 1) > u || !is_triangular(p, k)) {
        return false;
    }
    arb_mat_t s;
    arb_mat_init(s, (slong)(n - u), (slong)(n - u));
    if (k > 0) {
        load_shape(s, p->stable_shape + k * n * n, n, old, n - u - old);
    }
    const bool holds = check_stable(d, k, s, share) && check_unstable(d, k, s, share);
    arb_mat_clear(s);
    return holds;
}

static bool check_shapes(desk *d)
{
    const od_proof *p = d->p;
    const size_t n = d->n;
    arb_ptr share = _arb_vec_init(3);
    bool holds = true;
    for (uint64_t k = 0; k < p->steps && holds; k++) {
        holds = check_step(d, k, share) || fail(d, "directions are too near to each other or grow too much", k);
    }
    _arb_vec_clear(share, 3);
    for (uint64_t k = 0; k <= p->steps && holds; k++) {
        const double *stable = p->stable_shape + k * n * n, *unstable = p->unstable_shape + k * n * n;
        holds = k == 0 ? p->stable_size[0] == 0 : check_size(stable, n, n - before(p, k), p->stable_size[k]);
        holds = holds &&
                (k == p->steps ? p->unstable_size[k] == 0 : check_size(unstable, n, behind(p, k), p->unstable_size[k]));
        holds = holds || fail(d, "a shape is larger than stated", k);
        arb_set_d(&d->a, p->stable_size[k]);
        arb_set_d(&d->b, p->unstable_size[k]);
        arb_add(&d->a, &d->a, &d->b, BITS);
        arb_sqrt(&d->a, &d->a, BITS);
        d->gamma[k] = above(&d->a);
    }
    return holds;
}

/* How far the frames are from orthonormal. */
static bool measure_frames(desk *d)
{
    const od_proof *p = d->p;
    const size_t n = d->n;
    arb_mat_t q, qt, gram;
    arb_mat_init(q, (slong)n, (slong)n);
    arb_mat_init(qt, (slong)n, (slong)n);
    arb_mat_init(gram, (slong)n, (slong)n);
    bool holds = true;
    for (uint64_t k = 0; k <= p->steps && holds; k++) {
        load(q, p->frame + k * n * n, n);
        arb_mat_transpose(qt, q);
        arb_mat_mul(gram, qt, q, BITS);
        for (slong i = 0; i < (slong)n; i++) {
            arb_sub_ui(arb_mat_entry(gram, i, i), arb_mat_entry(gram, i, i), 1, BITS);
        }
        arb_mat_frobenius_norm(&d->a, gram, BITS);
        arb_add_ui(&d->b, &d->a, 1, BITS);
        arb_sqrt(&d->b, &d->b, BITS);
        d->grow[k] = above(&d->b);
        arb_sub_ui(&d->b, &d->a, 1, BITS);
        arb_neg(&d->b, &d->b);
        holds = arb_is_positive(&d->b);
        arb_rsqrt(&d->b, &d->b, BITS);
        d->shrink[k] = above(&d->b);
    }
    arb_mat_clear(q);
    arb_mat_clear(qt);
    arb_mat_clear(gram);
    return holds || fail(d, "a frame is not orthonormal", 0);
}

/* |r_k|, rounded up */
static double local_error(desk *d, uint64_t k)
{
    const double *x = d->p->x + k * d->n;
    arb_zero(&d->b);
    for (size_t i = 0; i < d->n; i++) {
        arb_set_d(d->z + i, x[i]);
    }
    od_ball_step(d->p->rule, k, d->z, d->next, d->ws);
    for (size_t i = 0; i < d->n; i++) {
        arb_set_d(&d->a, x[d->n + i]);
        arb_sub(&d->a, &d->a, d->next + i, BITS);
        arb_addmul(&d->b, &d->a, &d->a, BITS);
    }
    arb_sqrtpos(&d->b, &d->b, BITS);
    return above(&d->b);
}

/* |E_k| on the tube of omega, rounded up */
static double defect(desk *d, uint64_t k, double omega)
{
    const od_proof *p = d->p;
    const size_t n = d->n;
    arb_mat_t j, q, t, image;
    arb_mat_init(j, (slong)n, (slong)n);
    arb_mat_init(q, (slong)n, (slong)n);
    arb_mat_init(t, (slong)n, (slong)n);
    arb_mat_init(image, (slong)n, (slong)n);
    arb_set_d(&d->a, omega);
    arb_set_d(&d->b, d->gamma[k]);
    arb_mul(&d->a, &d->a, &d->b, BITS);
    arb_set_d(&d->b, d->grow[k]);
    arb_mul(&d->a, &d->a, &d->b, BITS);
    for (size_t i = 0; i < n; i++) {
        arb_set_d(d->z + i, p->x[k * n + i]);
        arb_add_error(d->z + i, &d->a);
    }
    od_ball_jacobian(p->rule, k, d->z, d->jacobian, d->ws);
    for (size_t i = 0; i < n * n; i++) {
        arb_set(arb_mat_entry(j, (slong)(i / n), (slong)(i % n)), d->jacobian + i);
    }
    load(q, p->frame + k * n * n, n);
    arb_mat_mul(image, j, q, BITS);
    load(q, p->frame + (k + 1) * n * n, n);
    load(t, p->linear + k * n * n, n);
    arb_mat_mul(j, q, t, BITS);
    arb_mat_sub(image, image, j, BITS);
    arb_mat_frobenius_norm(&d->a, image, BITS);
    arb_mat_clear(j);
    arb_mat_clear(q);
    arb_mat_clear(t);
    arb_mat_clear(image);
    return above(&d->a);
}

/* max_k |d_k| over states of the ellipsoids of omega, rounded up; how far off E is in *worst. */
static double forcing(desk *d, double omega, double *worst, uint64_t *at)
{
    double most = 0;
    *worst = 0;
    for (uint64_t k = 0; k < d->p->steps; k++) {
        const double e = defect(d, k, omega);
        *worst = fmax(*worst, e);
        arb_set_d(&d->a, e);
        arb_set_d(&d->b, d->gamma[k]);
        arb_mul(&d->a, &d->a, &d->b, BITS);
        arb_set_d(&d->b, omega);
        arb_mul(&d->a, &d->a, &d->b, BITS);
        arb_set_d(&d->b, d->slip[k]);
        arb_add(&d->a, &d->a, &d->b, BITS);
        arb_set_d(&d->b, d->shrink[k + 1]);
        arb_mul(&d->a, &d->a, &d->b, BITS);
        const double here = above(&d->a);
        if (!(here <= most)) {
            most = here;
            *at = k;
        }
        if (!(most < INFINITY)) {
            break;
        }
    }
    return most;
}

/* epsilon = max_k |Q_k| gamma_k omega, rounded up */
static double reach(desk *d, double omega)
{
    double most = 0;
    for (uint64_t k = 0; k <= d->p->steps; k++) {
        arb_set_d(&d->a, d->grow[k]);
        arb_set_d(&d->b, d->gamma[k]);
        arb_mul(&d->a, &d->a, &d->b, BITS);
        arb_set_d(&d->b, omega);
        arb_mul(&d->a, &d->a, &d->b, BITS);
        most = fmax(most, above(&d->a));
    }
    return most;
}

/* Raises omega until it is not exceeded. */
static bool find_omega(desk *d, od_proven *proven)
{
    od_proof *p = d->p;
    uint64_t at = 0;
    p->omega = proven->residual;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const double need = forcing(d, p->omega, &proven->defect, &at);
        if (need <= p->omega) {
            proven->epsilon = reach(d, p->omega);
            proven->inverse = reach(d, 1);
            return true;
        }
        if (!(need < INFINITY)) {
            break;
        }
        /* a little more than needed, so that rounding ends it */
        p->omega = need * (1 + 0x1p-20);
    }
    return fail(d, "the states are too far from an orbit for the curvature of the map there", at);
}

static bool prove(od_proof *p, od_proven *proven, char trouble[256])
{
    const size_t n = p->rule->dim, nodes = (size_t)p->steps + 1, room = od_ball_room(p->rule);
    desk d = {.p = p, .n = n, .trouble = trouble};
    d.grow = flint_calloc(4 * nodes, sizeof(double));
    d.shrink = d.grow + nodes;
    d.gamma = d.shrink + nodes;
    d.slip = d.gamma + nodes;
    d.ws = _arb_vec_init((slong)room);
    d.z = _arb_vec_init((slong)n);
    d.next = _arb_vec_init((slong)n);
    d.jacobian = _arb_vec_init((slong)(n * n));
    arb_init(&d.a);
    arb_init(&d.b);
    *proven = (od_proven){0, 0, 0, 0};
    od_ball_begin(p->rule, d.ws);
    bool holds = true;
    for (uint64_t k = 0; k < p->steps && holds; k++) {
        d.slip[k] = local_error(&d, k);
        proven->residual = fmax(proven->residual, d.slip[k]);
        holds = d.slip[k] < INFINITY || fail(&d, "the map has no bounds", k);
    }
    holds = holds && measure_frames(&d) && check_shapes(&d) && find_omega(&d, proven);
    arb_clear(&d.a);
    arb_clear(&d.b);
    _arb_vec_clear(d.ws, (slong)room);
    _arb_vec_clear(d.z, (slong)n);
    _arb_vec_clear(d.next, (slong)n);
    _arb_vec_clear(d.jacobian, (slong)(n * n));
    flint_free(d.grow);
    flint_cleanup();
    return holds;
}

const od_arb_api od_arb_module = {{OD_VERSION, OD_ARB_VERSION}, prove};
