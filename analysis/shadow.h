/* What `shadow` finds out about one member, and how it is written. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SHADOW_H
#define OD_SHADOW_H

#include "certificate.h"
#include "hyperbolicity.h"
#include "ladder.h"
#include "minimax.h"
#include "pair.h"
#include "rescale.h"

#include "../src/experiment.h"

enum { OD_SHADOW_CLAIMS = 24 };

/** The constructions, in the order they are shown. */
typedef enum od_rung_name {
    OD_SAME_START,
    OD_CONTRACTION,
    OD_EXPANSION,
    OD_SPLIT,
    OD_LEAST_SQUARES,
    OD_RUNGS
} od_rung_name;

typedef struct od_rung {
    double radius; /* NaN: `missing` says why */
    uint64_t at;
    char missing[OD_REASON_ROOM];
} od_rung;

/** The same question of other flows: the modified one, and the method's own at times that shift. */
typedef struct od_variant {
    /* nearest: of the orbit that is nearest, where times shift of the one that is nearest without; NaN: not found */
    double same_start, nearest, integration;
    char missing[OD_REASON_ROOM]; /* why same_start is NaN */
} od_variant;

/** That an exact orbit of the iteration is near computed states. */
typedef struct od_shadow_certificate {
    od_certified proven;          /* epsilon NaN: there is none */
    double radius;                /* of that orbit from the target; NaN where the target is the iteration itself */
    const char *states;           /* which states these are; NULL if none was asked for */
    char file[4096];              /* "" if it was not written */
    char missing[OD_REASON_ROOM]; /* why there is none */
} od_shadow_certificate;

typedef struct od_shadowing {
    od_context *ctx;
    const od_member *m;
    const od_settings *settings;
    bool of_flow;     /* an orbit of the flow shadows the iteration, not the other way round */
    od_member member; /* m with flow and map, also where only one of them is run */
    bool own_flow;    /* the flow is ours to clear */
    od_chain iteration, flow;
    od_chain *chain; /* the one of the two whose orbits are looked at */
    od_target target;
    double *memory, *start, *scratch_start, *best_start, *weight, *states; /* states: what target.y points to */
    od_target scaled;   /* the target for those who work with squares of distances: */
    double unit;        /* a power of two, 1 unless the squares of the states are beyond the doubles */
    double integration; /* error of the sampled flow */
    od_rung rung[OD_RUNGS];
    od_hyperbolicity hyperbolic;
    od_minimax best;
    bool judged;                   /* for claims alone */
    char no_best[OD_REASON_ROOM];  /* why there is none */
    char no_lower[OD_REASON_ROOM]; /* why best.lower is NaN */
    uint64_t boxes;                /* of intervals that best.lower took; 0 where it is dual */
    od_shadow_certificate certificate;
    bool not_invertible; /* as theorems know it, whatever its derivatives */
    od_local_error local;
    od_stretch stretch;
    od_pair pair;
    od_pair_bounds bound;
    od_claim claim[OD_SHADOW_CLAIMS];
    size_t claim_count;
    double epsilon;  /* NaN: no glitch was asked for */
    uint64_t glitch; /* first k from which no orbit is within epsilon of all states up to it; K + 1 if there is none */
    bool glitch_proven;
    od_variant modified;
    od_variant rescaled;
    od_rescaled shift; /* of rescaled.same_start */
} od_shadowing;

/**
 * All but the variants, for one member under the settings of its section `shadow`. To be closed after a failure too.
 *
 * Errors  OD_EUNSUPPORTED with the reason; OD_EDIVERGED with the k; OD_ENOMEM; OD_EINTERRUPTED.
 */
od_status od_shadowing_find(od_context *ctx, const od_settings *settings, const od_member *m, od_shadowing *s);
/** What claims need of it: the nearest orbit only where one asks for it, and no proof by intervals that none is nearer.
 */
od_status od_shadowing_judge(od_context *ctx, const od_settings *settings, const od_member *m, od_shadowing *s);
void od_shadowing_close(od_shadowing *s);

/** Fills the entry of the splitting, and hyperbolic. */
od_status od_shadowing_split(od_shadowing *s);
/** Fills the entry of least squares, and best. */
od_status od_shadowing_best(od_shadowing *s);
/** Fills certificate, and writes its file, where it was asked for. */
od_status od_shadowing_certify(od_shadowing *s, const od_experiment *e);
/** Fills glitch where it was asked for. */
od_status od_shadowing_glitch(od_shadowing *s);
/** OD_OK where a status says that nothing was found, which `reason` (or NULL) then repeats; else the status. */
od_status od_shadowing_found(od_status status, const od_context *ctx, char reason[OD_REASON_ROOM]);
/** Fills modified and rescaled. Takes over s->states. */
od_status od_shadowing_variants(od_shadowing *s);

extern const char *const od_rung_names[OD_RUNGS];

void od_shadowing_write_json(const od_shadowing *s, FILE *out);
void od_shadowing_write_text(const od_shadowing *s, FILE *out);

#endif
