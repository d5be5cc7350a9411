/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "morse.h"

#include "../src/memory.h"
#include "form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double resolution = 1e-10, farthest = 0.75;
enum { MAX_HALVINGS = 12, FIRST_ELEMENTS = 4, MAX_COUPLED = 2000 };

/* ------------------------------------------------------------------------------------------- nearest member */

/* Members of the spectrum above 1 - distance. */
static od_status above(od_form *form, double distance, size_t *count)
{
    return od_form_negative(form, 1 - distance, count);
}

/* Whether members lie within a distance, below 1 and above it; a side that has none farther out is not asked. */
static od_status sides(od_form *form, size_t index, double distance, const bool ask[2], bool some[2])
{
    od_status status = OD_OK;
    for (int side = 0; side < 2; side++) {
        size_t count = index;
        status = status == OD_OK && ask[side] ? above(form, side == 0 ? distance : -distance, &count) : status;
        some[side] = count != index;
    }
    return status;
}

/*
 * The member nearest to 1 on one mesh: *nearest = 1 - it, located to 1/512 of its distance, at least `resolution`. The
 * counts at 1 -+ distance differ from that at 1 as soon as a member lies between.
 */
static od_status find_nearest(od_form *form, size_t *index, size_t *within, double *nearest)
{
    size_t high;
    od_status status = above(form, -resolution, index);
    status = status == OD_OK ? above(form, resolution, &high) : status;
    *within = status == OD_OK && high > *index ? high - *index : 0;
    *nearest = *within > 0 ? 0 : 1;
    bool some[2], outer[2];
    const bool both[2] = {true, true};
    status = status == OD_OK && *within == 0 ? sides(form, *index, farthest, both, outer) : status;
    if (status != OD_OK || *within > 0 || !(outer[0] || outer[1])) {
        return status;
    }
    double inner = resolution, distance = farthest;
    while (status == OD_OK && inner < distance * (1 - 1.0 / 256)) {
        const double middle = distance > 2 * inner ? sqrt(inner * distance) : (inner + distance) / 2;
        status = sides(form, *index, middle, outer, some);
        if (status == OD_OK && (some[0] || some[1])) {
            distance = middle;
            outer[0] = some[0];
            outer[1] = some[1];
        } else {
            inner = middle;
        }
    }
    *nearest = (outer[0] ? 0.5 : -0.5) * (inner + distance);
    return status;
}

/* ------------------------------------------------------------------------------------------- refinement */

static od_status build_and_find(od_context *ctx, od_trajectory *path, const od_mesh *mesh, const double *curvature,
                                const od_first_end *first, size_t *index, size_t *within, double *nearest)
{
    od_form form;
    if (od_cancelled(ctx)) {
        return od_fail(ctx, OD_EINTERRUPTED, NULL, "interrupted while the Morse index was counted");
    }
    od_status status = od_form_open(ctx, path, mesh, curvature, first, &form);
    status = status == OD_OK ? find_nearest(&form, index, within, nearest) : status;
    od_form_close(&form);
    return status == OD_OK || status == OD_ENOMEM || status == OD_EUNSUPPORTED
               ? status
               : od_fail(ctx, status, NULL, "the second variation could not be factorised on %zu elements",
                         mesh->elements);
}

/* One form: the whole, or that of a single curvature if it is not NULL. */
static od_status index_of_form(od_context *ctx, od_trajectory *path, double t1, double t2, const double *curvature,
                               const od_first_end *first, od_morse *morse)
{
    od_mesh mesh;
    size_t index = 0, within = 0, before_index;
    double nearest = 0, before;
    od_status status = od_mesh_open(ctx, path, t1, t2, curvature, FIRST_ELEMENTS, &mesh);
    if (status != OD_OK) {
        return status;
    }
    status = build_and_find(ctx, path, &mesh, curvature, first, &index, &within, &nearest);
    *morse = (od_morse){.degenerate = true};
    for (int halving = 0; halving < MAX_HALVINGS && status == OD_OK; halving++) {
        before = nearest;
        before_index = index;
        const size_t before_within = within;
        status = od_mesh_halve(ctx, &mesh);
        if (status != OD_OK) {
            break;
        }
        status = build_and_find(ctx, path, &mesh, curvature, first, &index, &within, &nearest);
        /* what bisection leaves open counts as error */
        const double error = fabs(nearest - before) + fabs(nearest) / 256;
        *morse = (od_morse){.index = index,
                            .nullity = within,
                            .degenerate = true,
                            .nearest = nearest,
                            .error = error,
                            .nodes = mesh.elements + 1};
        if (status == OD_OK && index == before_index && within == before_within) {
            morse->degenerate = within > 0;
            if (within > 0 || 2 * error < fabs(nearest)) {
                break;
            }
            morse->degenerate = true;
        }
    }
    od_mesh_close(&mesh);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Equal curvatures have equal forms: each is counted once. */
static od_status index_of_spectrum(od_context *ctx, od_trajectory *path, double t1, double t2, bool start_free,
                                   const od_spectrum *spectrum, size_t d, od_morse *morse)
{
    double *curvature = od_zalloc(d, sizeof *curvature);
    if (curvature == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for %zu curvatures", d);
    }
    memcpy(curvature, spectrum->eigenvalues, d * sizeof *curvature);
    qsort(curvature, d, sizeof *curvature, ascending);
    *morse = (od_morse){.nearest = 1};
    const od_first_end one_free = {.free_count = 1};
    od_status status = OD_OK;
    for (size_t i = 0, next; i < d && status == OD_OK; i = next) {
        od_morse one = {.nearest = 1}; /* stays where the form cannot be made */
        status = index_of_form(ctx, path, t1, t2, &curvature[i], start_free ? &one_free : NULL, &one);
        for (next = i + 1; next < d && curvature[next] == curvature[i];) {
            next++;
        }
        morse->index += (next - i) * one.index;
        morse->nullity += (next - i) * one.nullity;
        morse->degenerate = morse->degenerate || one.degenerate;
        morse->nodes = one.nodes > morse->nodes ? one.nodes : morse->nodes;
        if (fabs(one.nearest) <= fabs(morse->nearest)) {
            morse->nearest = one.nearest;
            morse->error = one.error;
        }
    }
    free(curvature);
    return status;
}

od_status od_morse_scalar(od_context *ctx, od_trajectory *path, double t1, double t2, double curvature, od_morse *morse)
{
    return index_of_form(ctx, path, t1, t2, &curvature, NULL, morse);
}

od_status od_morse_index(od_context *ctx, od_trajectory *path, double t1, double t2, const od_first_end *first,
                         od_morse *morse)
{
    const od_problem *f = od_trajectory_member(path)->problem;
    if (!(t1 < t2) || od_trajectory_at(path, t1, NULL, NULL) != OD_OK ||
        od_trajectory_at(path, t2, NULL, NULL) != OD_OK) {
        return od_fail(ctx, OD_EINVAL, "interval", "[%.9g, %.9g] does not lie on the path", t1, t2);
    }
    const bool held = first == NULL || first->free_count == 0;
    if (f->spectrum != NULL && (held || (first->free_count == f->dim && first->bend == 0))) {
        return index_of_spectrum(ctx, path, t1, t2, !held, f->spectrum, f->dim, morse);
    }
    return f->dim > MAX_COUPLED ? od_morse_matrix_free(ctx, path, t1, t2, first, morse)
                                : index_of_form(ctx, path, t1, t2, NULL, first, morse);
}
