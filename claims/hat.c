/*
 * Section 2.2.2.2 of Orvieto (2023): how near curves with continuous slopes come to a hat. SPDX-License-Identifier:
 * GPL-3.0-or-later
 */
#include "claims.h"

#include <math.h>

enum { SLOPES = 8 };

/* A hat whose corners are rounded, so that its slope is continuous. */
typedef struct rounded {
    const od_action *a;
    double beta, centre, width;
    double corner; /* half of a corner's width over the hat's half-width */
} rounded;

/* Height and slope (times the half-width) at y, from -1 to 1. */
static void rounded_at(double corner, double y, double *height, double *slope)
{
    const double from = 1 - fabs(y), side = y < 0 ? 1 : -1;
    if (from < 2 * corner) {
        *slope = side * from / (2 * corner);
        *height = from * from / (4 * corner);
    } else if (fabs(y) > corner) {
        *slope = side;
        *height = from - corner;
    } else {
        *slope = -y / corner;
        *height = 1 - 1.5 * corner - y * y / (2 * corner);
    }
}

static od_status rounded_integrand(void *user, double t, double *y, double *size)
{
    const rounded *h = user;
    double kinetic[2], potential[2], height, slope;
    h->a->m->flow.lagrangian(&h->a->m->flow, t, kinetic, potential);
    rounded_at(h->corner, (t - h->centre) / h->width, &height, &slope);
    const double mass = exp(kinetic[0] - h->a->ln_factor) * slope * slope / (2 * h->width * h->width),
                 pull = exp(potential[0] - h->a->ln_factor) * h->beta * height * height / 2;
    *y = mass - pull;
    *size = mass + pull;
    return OD_OK;
}

/*
 * Slopes of a hat jump, so no curve with a continuous slope comes near to it in sup |h| + sup |h'|: half of a jump is
 * left, 1 over the half-width at its top. Its second variation is that of rounded hats in the limit all the same.
 */
od_status od_hat_claims(od_context *ctx, const od_action *a, double beta, const od_displacement *hat,
                        const od_variations *of, od_claim *claim, size_t *count)
{
    rounded h = {a, beta, hat->centre, hat->width, 1e-4};
    const double y[] = {-1, 2 * h.corner - 1, -h.corner, h.corner, 1 - 2 * h.corner, 1};
    double edge[6], least = INFINITY;
    od_integral second;
    for (int i = 0; i < 6; i++) {
        edge[i] = h.centre + h.width * y[i];
    }
    for (double corner = 0.1; corner > 1e-4; corner /= 10) {
        double most = 0;
        for (int i = 0; i < 4 * SLOPES; i++) { /* finest at the corners */
            const double at = corner / SLOPES * (i + 0.5), place[] = {at - 1, -at};
            for (int k = 0; k < 2; k++) {
                double height, slope;
                rounded_at(corner, place[k], &height, &slope);
                most = fmax(most, fabs(slope - 1) + fabs(height - (1 + place[k])));
            }
        }
        least = fmin(least, most);
    }
    const od_status status = od_integrate(ctx, edge, 5, 1, rounded_integrand, &h, &second);
    if (status != OD_OK) {
        return status;
    }
    od_claim *c = od_claims_add(
        claim, count, "hat-close-printed", "section 2.2.2.2",
        "curves with continuous slopes come as near as one likes to a hat, in sup |h| + sup |h'| (over "
        "its own slope, measured: the least of three rounded ones)");
    c->expected = OD_FAILS;
    c->error_model = 0.1;
    od_claims_match(c, 0, least, "this hat: its slope jumps");
    c = od_claims_add(
        claim, count, "hat-close", "section 2.2.2.2, corrected",
        "they come as near as one likes to its second variation, as nearness in W^{1,2} is enough for (over its "
        "terms; corners of a ten-thousandth, measured: the difference)");
    c->error_model = 20 * h.corner;
    od_claims_match(c, 0, (second.value - of->second.value) / of->second.size, "this hat");
    return OD_OK;
}
