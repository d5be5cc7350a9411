/* An integrator at work on a flow, for callers who own the loop. SPDX-License-Identifier: GPL-3.0-or-later */
#include "stepper.h"

#include <stdlib.h>
#include <string.h>

od_status od_stepper_suits(od_context *ctx, const od_choice *choice, const od_flow *flow)
{
    const od_integrator_type *type = choice->integrator;
    if (flow->noise.shape != OD_NOISE_NONE && !type->noise) {
        return od_fail(ctx, OD_EUNSUPPORTED, "integrator.name",
                       "%s does not integrate noise; use sra1, milstein or euler-maruyama, or remove method.noise",
                       type->name);
    }
    return type->suits != NULL ? type->suits(ctx, choice->settings, flow) : OD_OK;
}

size_t od_stepper_scratch(const od_integrator_type *type, const od_flow *flow, size_t n)
{
    od_scratch own = type->scratch(flow);
    return od_scratch_size(&own, n) + od_scratch_size(&flow->scratch, n);
}

typedef struct owned_stepper {
    od_stepper stepper;
    od_arena *arena;
    double *z1, *ws;
} owned_stepper;

od_stepper *od_stepper_create(od_context *ctx, const char *yaml, const od_flow *flow, double t0, size_t n,
                              const double *z0)
{
    od_arena *arena = od_arena_create();
    owned_stepper *owned = od_zalloc(1, sizeof *owned);
    od_choice choice;
    od_node *node = NULL;
    if (arena == NULL || owned == NULL) {
        od_fail(ctx, OD_ENOMEM, "integrator", "no memory for the integrator");
    } else {
        node = od_document_parse(ctx, arena, yaml, strlen(yaml), "text");
    }
    if (node == NULL || od_integrator_choose(ctx, arena, node, (od_place){.path = "integrator"}, &choice) != OD_OK ||
        od_stepper_suits(ctx, &choice, flow) != OD_OK) {
        od_arena_free(arena);
        free(owned);
        return NULL;
    }
    owned->arena = arena;
    owned->stepper = (od_stepper){.type = choice.integrator, .settings = choice.settings, .flow = flow, .origin = t0};
    owned->z1 = od_zalloc(flow->dim * n, sizeof(double));
    owned->ws = od_zalloc(od_stepper_scratch(choice.integrator, flow, n), sizeof(double));
    od_status status = owned->z1 != NULL && owned->ws != NULL
                           ? OD_OK
                           : od_fail(ctx, OD_ENOMEM, "integrator", "no memory for a step");
    if (status == OD_OK && choice.integrator->open != NULL) {
        status = choice.integrator->open(ctx, &owned->stepper, t0, n, z0);
    }
    if (status != OD_OK) {
        od_stepper_free(&owned->stepper);
        return NULL;
    }
    return &owned->stepper;
}

static bool cancelled(void *user, double t)
{
    (void)t;
    return od_cancelled(user);
}

od_status od_stepper_advance(od_context *ctx, od_stepper *stepper, double t, double t1, size_t n, double *z,
                             const double *dw)
{
    owned_stepper *owned = (owned_stepper *)stepper;
    const od_integrator_type *type = stepper->type;
    od_status status;
    if (type->fixed_step) {
        status = type->step(stepper, t, t1 - t, n, z, dw, owned->z1, owned->ws);
        if (status == OD_OK) {
            memcpy(z, owned->z1, stepper->flow->dim * n * sizeof *z);
        }
    } else {
        stepper->pause = cancelled;
        stepper->user = ctx;
        status = type->advance(stepper, t, t1, n, z, owned->ws);
    }
    if (status == OD_EINTERRUPTED) {
        return od_fail(ctx, status, NULL, "interrupted between t = %g and t = %g", t, t1);
    }
    return status == OD_OK ? OD_OK
                           : od_fail(ctx, status, "integrator", "%s failed at t = %g%s%s", type->name, t,
                                     stepper->trouble[0] != '\0' ? ": " : "", stepper->trouble);
}

void od_stepper_free(od_stepper *stepper)
{
    if (stepper == NULL) {
        return;
    }
    owned_stepper *owned = (owned_stepper *)stepper;
    if (stepper->type->close != NULL) {
        stepper->type->close(stepper);
    }
    free(owned->z1);
    free(owned->ws);
    od_arena_free(owned->arena);
    free(owned);
}
