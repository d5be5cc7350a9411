/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kink.h"

#include <math.h>
#include <string.h>

enum { CELLS = 16, MOST_HALVINGS = 32, STEADY = 6 };

typedef struct node {
    double s, f, slope;
} node;

typedef struct seeker {
    od_line *line;
    void *user;
    double reach;
    double scale[2]; /* of values and slopes */
} seeker;

static od_status visit(const seeker *k, double s, node *to)
{
    to->s = s;
    return k->line(k->user, s, &to->f, &to->slope);
}

/* Second differences of values and slopes over their scales. */
static void bend(const seeker *k, const node *a, const node *m, const node *b, double part[2])
{
    part[0] = fabs(a->f - 2 * m->f + b->f) / k->scale[0];
    part[1] = fabs(a->slope - 2 * m->slope + b->slope) / k->scale[1];
}

/*
 * How much the middle differs from the cubic through both ends: of a smooth function the fourth power of the interval,
 * so that a small kink is not lost beside a large curvature. In short intervals, where rounding would be all that this
 * shows, second differences do.
 */
static double suspicion(const seeker *k, const node *a, const node *m, const node *b)
{
    const double h = b->s - a->s;
    double part[2];
    bend(k, a, m, b, part);
    if (h < 1e-4 * k->reach) {
        return part[0] + part[1];
    }
    const double slope = 1.5 * (b->f - a->f) / h - (a->slope + b->slope) / 4;
    const double f = (a->f + b->f) / 2 + h * (a->slope - b->slope) / 8;
    return fabs(m->slope - slope) / k->scale[1] + fabs(m->f - f) / k->scale[0];
}

/* The three nodes of a grid that are most suspicious; not usable where all is constant, or not finite. */
static od_status survey(seeker *k, node at[3], bool *usable)
{
    node grid[CELLS + 1];
    double low = INFINITY, high = -INFINITY, steepest = 0;
    od_status status = OD_OK;
    for (size_t i = 0; i <= CELLS && status == OD_OK; i++) {
        status = visit(k, k->reach * (2 * (double)i / CELLS - 1), &grid[i]);
        low = fmin(low, grid[i].f);
        high = fmax(high, grid[i].f);
        steepest = fmax(steepest, fabs(grid[i].slope));
    }
    k->scale[0] = fmax(high - low, steepest * k->reach);
    k->scale[1] = steepest;
    *usable = status == OD_OK && steepest > 0 && isfinite(k->scale[0]);
    double largest = -1;
    for (size_t i = 1; i < CELLS && *usable; i++) {
        const double here = suspicion(k, &grid[i - 1], &grid[i], &grid[i + 1]);
        if (here > largest) {
            largest = here;
            memcpy(at, &grid[i - 1], 3 * sizeof *at);
        }
    }
    return status;
}

/* A jump stays the same while the interval shrinks; noise does not, and what is smooth vanishes. */
static bool steady(const double *last, double least)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < STEADY; i++) {
        low = fmin(low, last[i]);
        high = fmax(high, last[i]);
    }
    return low > least && high < 1.1 * low;
}

od_status od_kink_seek(od_line *line, void *user, double reach, bool single, od_kink *kink, double *size)
{
    seeker k = {.line = line, .user = user, .reach = reach};
    const size_t halvings = single ? 14 : MOST_HALVINGS;
    const double least = single ? 1e-3 : 1e-5, nothing = least / 100;
    double last[2][STEADY] = {{0}}, now[2];
    node at[3]; /* ends and middle of the interval */
    bool go;
    od_status status = survey(&k, at, &go);
    *kink = OD_KINK_NONE;
    *size = 0;
    for (size_t i = 0; i < halvings && go && status == OD_OK; i++) {
        node l, r;
        status = visit(&k, (at[0].s + at[1].s) / 2, &l);
        status = status == OD_OK ? visit(&k, (at[1].s + at[2].s) / 2, &r) : status;
        if (status != OD_OK) {
            return status;
        }
        const bool to_left = suspicion(&k, &at[0], &l, &at[1]) > suspicion(&k, &at[1], &r, &at[2]);
        const node next[3] = {at[to_left ? 0 : 1], to_left ? l : r, at[to_left ? 1 : 2]};
        memcpy(at, next, sizeof at);
        bend(&k, &at[0], &at[1], &at[2], now);
        last[0][i % STEADY] = now[0];
        last[1][i % STEADY] = now[1];
        go = now[0] + now[1] > nothing; /* also false for what is not finite */
    }
    for (size_t j = 0; j < 2 && go && *kink == OD_KINK_NONE; j++) {
        *kink = !steady(last[j], least) ? OD_KINK_NONE : j == 0 ? OD_KINK_VALUE : OD_KINK_SLOPE;
        *size = *kink != OD_KINK_NONE ? last[j][(halvings - 1) % STEADY] : 0;
    }
    return status;
}
