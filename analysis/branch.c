/*
 * Branch and bound over the start.
 *
 * A level T below the best radius known is proven by showing that no start of a box has all |x_k - y_k| < T. Such a
 * start keeps its orbit in the tube around y, so enclosures are cut to the tube: they never grow beyond it, however
 * many steps there are. Along the numerical orbit p of the middle of a box, with e_k = x_k - p_k,
 *
 *   e_{k+1} = A_k e_k + r_k,   A_k in the derivative over the hull of p_k and p_k + e_k,   r_k = Psi(p_k) - p_{k+1},
 *
 * so e_k = M_k e_0 + rho_k with intervals M_k, rho_k: linear in the start but for their width. |x_k - y_k| < T bounds
 * this form along the direction of p_k - y_k, which both refutes boxes and makes them smaller. A box that is not
 * refuted is cut across the component that moves its orbit most.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "branch.h"

#include "../src/memory.h"
#include "enclosure.h"
#include "simplex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = OD_BRANCH_MAX_DIM };

typedef struct box {
    od_span x[N];
} box;

/* row e_0 + constant */
typedef struct linear_form {
    od_span row[N], constant;
} linear_form;

typedef struct search {
    const od_rule *rule;
    const od_target *target;
    uint64_t steps;
    size_t n;
    double level; /* T */
    od_span *ws;
    linear_form *form;         /* [steps+1] that the distances of the last box are not below */
    od_simplex_column *column; /* the same in doubles, for the simplex method */
    uint64_t forms;
    double upper, best[N];
    double moved[N];  /* by the last box: how far each component of the start moves the orbit */
    double centre[N]; /* of the last box */
} search;

/* ------------------------------------------------------------------------------------------- one box */

/* The orbit of the middle of a box, and what is known of the others. */
typedef struct tube {
    double p[N];
    od_span start[N];               /* e_0 */
    od_span e[N];                   /* e_k, cut to the tube */
    od_span linear[N * N], rest[N]; /* M_k, rho_k */
} tube;

static od_span meet(od_span a, od_span b)
{
    return (od_span){od_larger(a.lo, b.lo), od_smaller(a.hi, b.hi)};
}

static bool is_empty(od_span a)
{
    return !(a.lo <= a.hi);
}

static double middle(od_span a)
{
    return a.lo + (a.hi - a.lo) / 2;
}

static od_span dot(size_t n, const od_span *a, size_t stride, const od_span *b)
{
    od_span sum = {0, 0};
    for (size_t i = 0; i < n; i++) {
        sum = od_span_add(sum, od_span_mul(a[i * stride], b[i]));
    }
    return sum;
}

/* p_k - y_k, times the weights */
static void offset(const search *s, const tube *t, const double *y, od_span *out)
{
    for (size_t i = 0; i < s->n; i++) {
        const od_span gap = od_span_sub(od_span_real(t->p[i]), od_span_real(y[i]));
        out[i] = od_span_mul(od_span_real(s->target->weight[i]), gap);
    }
}

/* A bound below of row e + constant over the start. */
static double least_value(const search *s, const tube *t, const linear_form *f)
{
    double least = f->constant.lo;
    for (size_t j = 0; j < s->n; j++) {
        least = od_below(least + od_span_mul(f->row[j], t->start[j]).lo);
    }
    return least;
}

/* row e + constant < T: false if no start obeys it, else the start is cut to those that may. */
static bool cut_start(const search *s, tube *t, const linear_form *f)
{
    const size_t n = s->n;
    if (least_value(s, t, f) >= s->level) {
        return false;
    }
    for (size_t j = 0; j < n; j++) {
        /* row_j e_j < room */
        double others = f->constant.lo;
        for (size_t i = 0; i < n; i++) {
            others = i == j ? others : od_below(others + od_span_mul(f->row[i], t->start[i]).lo);
        }
        const double room = od_above(s->level - others);
        const od_span row = f->row[j];
        if (!(fabs(room) < INFINITY) || (row.lo <= 0 && row.hi >= 0)) {
            continue;
        }
        const od_span limit = od_span_div(od_span_real(room), row);
        t->start[j] = meet(t->start[j], row.lo > 0 ? (od_span){-INFINITY, limit.hi} : (od_span){limit.lo, INFINITY});
        if (is_empty(t->start[j])) {
            return false;
        }
    }
    return true;
}

/* u (M e_0 + rho + p - y) along a direction u of length 1 at most: |x_k - y_k| is not below it. */
static void project(const search *s, const tube *t, const od_span *gap, const double *u, linear_form *f)
{
    const size_t n = s->n;
    od_span weighted[N] = {{0, 0}};
    f->constant = (od_span){0, 0};
    for (size_t i = 0; i < n; i++) {
        weighted[i] = od_span_mul(od_span_real(u[i]), od_span_real(s->target->weight[i]));
        f->constant = od_span_add(f->constant, od_span_mul(od_span_real(u[i]), gap[i]));
    }
    f->constant = od_span_add(f->constant, dot(n, weighted, 1, t->rest));
    for (size_t j = 0; j < n; j++) {
        f->row[j] = dot(n, t->linear + j, n, weighted);
    }
}

/* False if no state of the enclosure is nearer than T to y; else the enclosure is cut to the tube. */
static bool cut(search *s, tube *t, const double *y)
{
    const size_t n = s->n;
    od_span gap[N], square = {0, 0};
    double u[N], length = 0;
    offset(s, t, y, gap);
    for (size_t i = 0; i < n; i++) {
        const double w = s->target->weight[i];
        u[i] = middle(gap[i]);
        length += u[i] * u[i];
        if (w > 0) {
            const od_span reach = od_span_div((od_span){-s->level, s->level}, od_span_real(w));
            const od_span there = od_span_sub(od_span_real(y[i]), od_span_real(t->p[i]));
            t->e[i] = meet(t->e[i], od_span_add(there, reach));
            if (is_empty(t->e[i])) {
                return false;
            }
            const od_span far = od_span_abs(od_span_add(gap[i], od_span_mul(od_span_real(w), t->e[i])));
            square = od_span_add(square, od_span_power(far, 2));
        }
    }
    if (od_span_sqrt(square).lo >= s->level) {
        return false;
    }
    if (!(length > 0)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        u[i] *= (1 - 0x1p-40) / sqrt(length);
    }
    linear_form *f = &s->form[s->forms++];
    project(s, t, gap, u, f);
    return cut_start(s, t, f);
}

/* One step of the enclosure; false if it has no bounds. */
static bool advance(search *s, tube *t, uint64_t k)
{
    const size_t n = s->n;
    od_span jacobian[N * N], place[N], next[N];
    od_span linear[N * N] = {{0, 0}}, rest[N] = {{0, 0}}, e[N] = {{0, 0}};
    for (size_t i = 0; i < n; i++) {
        place[i] = od_span_add(od_span_real(t->p[i]), (od_span){od_smaller(t->e[i].lo, 0), od_larger(t->e[i].hi, 0)});
    }
    od_span_jacobian(s->rule, k, place, jacobian, s->ws);
    for (size_t i = 0; i < n; i++) {
        place[i] = od_span_real(t->p[i]);
    }
    od_span_step(s->rule, k, place, next, s->ws);
    bool bounded = true;
    for (size_t i = 0; i < n; i++) {
        t->p[i] = middle(next[i]);
        const od_span slip = od_span_sub(next[i], od_span_real(t->p[i]));
        rest[i] = od_span_add(dot(n, jacobian + i * n, 1, t->rest), slip);
        e[i] = od_span_add(dot(n, jacobian + i * n, 1, t->e), slip);
        for (size_t j = 0; j < n; j++) {
            for (size_t m = 0; m < n; m++) {
                linear[i * n + j] = od_span_add(linear[i * n + j],
                                                od_span_mul(jacobian[i * n + m], t->linear[m * n + j]));
            }
        }
        e[i] = meet(e[i], od_span_add(dot(n, linear + i * n, 1, t->start), rest[i]));
        bounded = bounded && fabs(t->p[i]) < INFINITY && e[i].hi - e[i].lo < INFINITY;
    }
    memcpy(t->linear, linear, sizeof linear);
    memcpy(t->rest, rest, sizeof rest);
    memcpy(t->e, e, sizeof e);
    return bounded;
}

static void note_motion(search *s, const tube *t)
{
    for (size_t j = 0; j < s->n; j++) {
        const double width = t->start[j].hi - t->start[j].lo;
        for (size_t i = 0; i < s->n; i++) {
            const od_span a = od_span_abs(t->linear[i * s->n + j]);
            s->moved[j] = od_larger(s->moved[j], s->target->weight[i] * a.hi * width);
        }
    }
}

/* Takes the start `offset` from the middle of the box for its best one if its orbit is nearer. */
static void try_start(search *s, const double *offset)
{
    double x[N], start[N], largest = 0;
    od_span place[N], next[N];
    for (size_t i = 0; i < s->n; i++) {
        x[i] = start[i] = s->centre[i] + offset[i];
    }
    for (uint64_t k = 0; k <= s->steps; k++) {
        double square = 0;
        for (size_t i = 0; i < s->n; i++) {
            const double gap = s->target->weight[i] * (x[i] - s->target->y[k * s->n + i]);
            square += gap * gap;
            place[i] = od_span_real(x[i]);
        }
        largest = od_larger(largest, sqrt(square));
        if (k == s->steps || !(largest < s->upper)) {
            break;
        }
        od_span_step(s->rule, k, place, next, s->ws);
        for (size_t i = 0; i < s->n; i++) {
            x[i] = middle(next[i]);
        }
    }
    if (largest < s->upper) {
        s->upper = largest;
        memcpy(s->best, start, sizeof s->best);
    }
}

/*
 * The largest of several forms is not below any mean of them. The best means, those of linear programming, are found in
 * doubles; whatever they are, the bound is proven.
 */
static bool cut_together(search *s, tube *t)
{
    double low[N], high[N], minimiser[N] = {0}, share[N + 1];
    uint64_t which[N + 1];
    for (uint64_t k = 0; k < s->forms; k++) {
        for (size_t j = 0; j < s->n; j++) {
            s->column[k].row[j] = middle(s->form[k].row[j]);
        }
        s->column[k].value = s->form[k].constant.lo;
    }
    for (size_t j = 0; j < s->n; j++) {
        low[j] = t->start[j].lo;
        high[j] = t->start[j].hi;
    }
    const size_t count = s->forms > 0 ? od_simplex_mean(s->n, s->forms, s->column, low, high, minimiser, which, share)
                                      : 0;
    try_start(s, minimiser);
    linear_form mean = {.constant = {0, 0}};
    od_span total = {0, 0};
    for (size_t i = 0; i < count; i++) {
        const linear_form *f = &s->form[which[i]];
        const od_span weight = od_span_real(share[i]);
        total = od_span_add(total, weight);
        mean.constant = od_span_add(mean.constant, od_span_mul(weight, f->constant));
        for (size_t j = 0; j < s->n; j++) {
            mean.row[j] = od_span_add(mean.row[j], od_span_mul(weight, f->row[j]));
        }
    }
    if (!(total.lo > 0)) {
        return true;
    }
    mean.constant = od_span_div(mean.constant, total);
    for (size_t j = 0; j < s->n; j++) {
        mean.row[j] = od_span_div(mean.row[j], total);
    }
    return cut_start(s, t, &mean);
}

/* True if no start of the box has an orbit nearer than T; else the box is cut to those that may. */
static bool refute(search *s, box *b)
{
    tube t;
    memset(&t, 0, sizeof t);
    memset(s->moved, 0, sizeof s->moved);
    s->forms = 0;
    for (size_t i = 0; i < s->n; i++) {
        t.p[i] = s->centre[i] = middle(b->x[i]);
        t.start[i] = t.e[i] = od_span_sub(b->x[i], od_span_real(t.p[i]));
        t.linear[i * s->n + i] = od_span_real(1);
    }
    for (uint64_t k = 0; k <= s->steps; k++) {
        if (!cut(s, &t, s->target->y + k * s->n)) {
            return true;
        }
        note_motion(s, &t);
        if (k < s->steps && !advance(s, &t, k)) {
            break;
        }
    }
    if (!cut_together(s, &t)) {
        return true;
    }
    for (size_t i = 0; i < s->n; i++) {
        b->x[i] = meet(b->x[i], od_span_add(od_span_real(s->centre[i]), t.start[i]));
        if (is_empty(b->x[i])) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------------- the search */

enum { STACK = 4096 };

/* Cuts a box in two; false if it is too small to be cut. */
static bool halve(const search *s, box *b, box *other)
{
    size_t across = 0;
    for (size_t j = 1; j < s->n; j++) {
        across = s->moved[j] > s->moved[across] ? j : across;
    }
    const double cut_at = middle(b->x[across]);
    if (!(cut_at > b->x[across].lo && cut_at < b->x[across].hi)) {
        return false;
    }
    *other = *b;
    b->x[across].hi = other->x[across].lo = cut_at;
    return true;
}

static double volume(const search *s, const box *b)
{
    double product = 1;
    for (size_t j = 0; j < s->n; j++) {
        product *= b->x[j].hi - b->x[j].lo;
    }
    return product;
}

/* True if all starts of the first box are refuted with at most *left boxes. */
static bool prove(od_context *ctx, search *s, const box *first, double tolerance, box *stack, uint64_t *left)
{
    size_t height = 1;
    stack[0] = *first;
    s->level = s->upper * (1 - tolerance);
    while (height > 0) {
        if (*left == 0 || height + 1 >= STACK || od_cancelled(ctx)) {
            return false;
        }
        --*left;
        box *top = &stack[height - 1];
        double before = volume(s, top);
        bool refuted = refute(s, top);
        /* what was cut to less than a half by itself is looked at again before it is cut in two */
        while (!refuted && *left > 0 && volume(s, top) < 0.5 * before) {
            before = volume(s, top);
            --*left;
            refuted = refute(s, top);
        }
        /* a better orbit lowers the level that is worth proving; what is refuted already stays so */
        s->level = od_smaller(s->level, s->upper * (1 - tolerance));
        if (refuted) {
            height--;
        } else if (halve(s, top, top + 1)) {
            height++;
        } else {
            return false;
        }
    }
    return true;
}

/*
 * Bounds a velocity that the distance does not count, by the positions before and after the first step: x_1 is the step
 * from v = 0 plus tau a_0 v_0, if the gradient is taken at x.
 */
static bool bound_velocity(const search *s, box *b)
{
    const size_t n = s->n, d = s->rule->loss_dim;
    od_span next[N], jacobian[N * N];
    if (!s->rule->momentum || s->rule->kind == OD_RULE_STRONGLY_CONVEX) {
        return false;
    }
    for (size_t i = d; i < n; i++) {
        b->x[i] = od_span_real(0);
    }
    od_span_step(s->rule, 0, b->x, next, s->ws);
    od_span_jacobian(s->rule, 0, b->x, jacobian, s->ws);
    for (size_t i = 0; i < d; i++) {
        const double w = s->target->weight[i];
        const od_span gain = jacobian[i * n + d + i];
        if (gain.lo == 0 && gain.hi == 0) {
            continue; /* the first step forgets the velocity */
        }
        if (!(w > 0)) {
            return false;
        }
        const od_span reach = od_span_div((od_span){-s->upper, s->upper}, od_span_real(w));
        const od_span after = od_span_add(od_span_real(s->target->y[n + i]), reach);
        b->x[d + i] = od_span_div(od_span_sub(after, next[i]), gain);
    }
    return true;
}

static od_status first_box(od_context *ctx, const search *s, box *b)
{
    bool free_velocity = false;
    for (size_t i = 0; i < s->n; i++) {
        const double w = s->target->weight[i];
        const od_span reach = od_span_div((od_span){-s->upper, s->upper}, od_span_real(w));
        b->x[i] = od_span_add(od_span_real(s->target->y[i]), reach);
        free_velocity = free_velocity || !(w > 0);
    }
    if (free_velocity && !bound_velocity(s, b)) {
        return od_fail(ctx, OD_EUNSUPPORTED, "shadow.weights",
                       "nothing bounds a component of the start whose weight is 0; give every block a weight");
    }
    return OD_OK;
}

od_status od_branch_lower(od_context *ctx, const od_rule *rule, uint64_t steps, const od_target *target,
                          const od_shadow *shadow, double tolerance, uint64_t most, od_branch *branch)
{
    branch->lower = NAN;
    branch->boxes = 0;
    if (rule->dim > N) {
        return od_fail(ctx, OD_EUNSUPPORTED, "shadow",
                       "branch and bound takes at most %d components of the state, not %zu", N, rule->dim);
    }
    search s = {.rule = rule, .target = target, .steps = steps, .n = rule->dim, .upper = shadow->radius};
    memcpy(s.best, shadow->start, s.n * sizeof(double));
    box *stack = od_zalloc(STACK, sizeof *stack), first;
    s.ws = od_zalloc(od_span_room(rule), sizeof *s.ws);
    s.form = od_zalloc((size_t)steps + 1, sizeof *s.form);
    s.column = od_zalloc((size_t)steps + 1, sizeof *s.column);
    od_status status = OD_OK;
    if (stack == NULL || s.ws == NULL || s.form == NULL || s.column == NULL) {
        status = od_fail(ctx, OD_ENOMEM, "shadow", "no memory for branch and bound");
    } else {
        od_span_begin(rule, s.ws);
        status = first_box(ctx, &s, &first);
    }
    uint64_t left = most;
    for (double goal = 0.5; status == OD_OK && left > 0; goal = goal > 0.1 ? 0.1 : goal / 10) {
        goal = fmax(goal, tolerance);
        const bool proven = prove(ctx, &s, &first, goal, stack, &left);
        if (!proven) {
            break;
        }
        branch->lower = s.level;
        if (goal <= tolerance) {
            break;
        }
    }
    branch->upper = s.upper;
    branch->boxes = most - left;
    memcpy(branch->start, s.best, s.n * sizeof(double));
    free(stack);
    free(s.ws);
    free(s.form);
    free(s.column);
    return status == OD_OK && od_cancelled(ctx) ? od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted") : status;
}
