/* An experiment after reading: one member for each method compared and each value swept. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_EXPERIMENT_H
#define OD_EXPERIMENT_H

#include "parts.h"

enum { OD_MAX_QUANTITIES = 16, OD_MAX_OBSERVERS = 8, OD_MAX_COVARIANCE = 64, OD_MAX_ANALYSES = 16 };

typedef enum od_quantity_kind {
    OD_QUANTITY_LOSS,
    OD_QUANTITY_DISTANCE,
    OD_QUANTITY_GRADIENT,
    OD_QUANTITY_BLOCK,
    OD_QUANTITY_PROJECTION
} od_quantity_kind;

typedef struct od_quantity {
    od_quantity_kind kind;
    const char *name;
} od_quantity;

/** Where the states of all paths start. */
typedef struct od_start {
    double t;
    const double *given[OD_MAX_BLOCKS]; /* values of a block, NULL if not given as numbers */
    double normal[OD_MAX_BLOCKS];       /* standard deviation of a random block, NaN if not random */
    bool initial;                       /* x is where the problem starts */
} od_start;

typedef struct od_member {
    char label[128];
    const char *swept;  /* the last entry that is swept over, NULL without a sweep */
    double swept_value; /* its value; NaN if it is no number */
    size_t series;      /* members that differ in that entry alone have the same */
    od_choice problem_choice, method_choice, integrator_choice;
    const od_problem *problem; /* owned by the experiment, shared by members with equal settings */
    const char *inputs;        /* "file sha256" of each file that problem and method come from, one a line, or NULL */
    bool has_flow, has_map;
    od_flow flow;
    od_map map;
    size_t block_count; /* of the state, the same for flow and map */
    const od_block *block;
    size_t dim;
    const od_settings *top, *record, *stop;
    const od_settings *analysis[OD_MAX_ANALYSES]; /* of od_analysis_types, in their order */
    const od_node *start_node;
    od_start start;
    double until, step; /* step is NaN unless the scheme is of fixed step */
    double interval[2]; /* of variational questions; NaN without a flow */
    uint64_t iterations;
    uint64_t paths, seed;
    double tolerance;  /* NaN unless the paths are chosen for it */
    od_brownian noise; /* dim 0 if deterministic */
    double every;      /* time between records of the flow; NaN: one every `stride` iterations only */
    uint64_t stride;   /* iterations between records */
    size_t quantity_count;
    od_quantity quantity[OD_MAX_QUANTITIES];
    size_t projections;       /* directions of OD_QUANTITY_PROJECTION */
    uint64_t projection_seed; /* of the directions */
    size_t columns;           /* numbers per recorded row and path */
    size_t quantile_count;    /* of every recorded number, ensembles only */
    const double *quantile;
    bool antithetic;                 /* paths 2j and 2j + 1 are a pair: one start, opposite noise */
    bool covariance, histograms;     /* of every recorded row, ensembles only */
    bool binned;                     /* quantiles or histograms */
    uint64_t singles;                /* single paths recorded, the first ones of an ensemble */
    double stop_loss, stop_gradient; /* NaN: do not stop */
} od_member;

struct od_experiment {
    od_arena *arena;
    const char *file; /* "" for a text */
    od_place place;   /* folders */
    size_t problem_count, member_count;
    od_problem **problem;
    const char **problem_text; /* settings the problem was built from */
    od_member *member;
    const od_settings *analysis_default[OD_MAX_ANALYSES]; /* of members without the section; NULL if all have it */
    const char *resolved;
    const char *output, *invocation;
    unsigned threads, block, shard, shards;
    const od_ranks *ranks; /* NULL: this process alone */
    double checkpoint;     /* seconds; below 0: only when interrupted */
    size_t observer_count;
    od_observer observer[OD_MAX_OBSERVERS];
};

/** What running an experiment takes, as far as it is known before. */
typedef struct od_cost {
    size_t runs, dimension; /* members; the largest dimension of their problems */
    double evaluations;     /* gradients at one point; NaN if a scheme chooses its steps while running */
    double memory;          /* bytes, of all members together */
} od_cost;
od_cost od_experiment_cost(const od_experiment *e);

/** Parameter table of a section: "", "record" or "stop". For `describe` and the reference. */
const od_param *od_experiment_params(const char *section);

/** True if an entry of the section was written, so that it belongs to the resolved experiment. */
bool od_section_given(const od_settings *settings, const od_param *params);

/** True for `paths: auto`: multilevel Monte Carlo; `paths` is then 1. */
bool od_member_automatic(const od_member *m);
enum { OD_BLOCK_NAMES_ROOM = 160 };
/** The names of a member's blocks, "x, v". */
const char *od_member_block_names(const od_member *m, char text[OD_BLOCK_NAMES_ROOM]);
/** Numbers a recorded quantity has: the length of its block, else 1. */
size_t od_member_quantity_length(const od_member *m, size_t quantity);
/** Number of fixed steps of a member's flow; the last is shortened if until is not on the grid. */
uint64_t od_member_steps(const od_member *m);
/** Noise numbers of one step and path: increments and, where the scheme uses them, time integrals. */
size_t od_member_noise_rows(const od_member *m);
/** Number of recorded rows of the flow: t0 + j every, and until. */
uint64_t od_member_flow_rows(const od_member *m);
/** Time of a recorded row. */
double od_member_row_time(const od_member *m, uint64_t row);
/** Recorded rows of the iteration: every `stride`-th and the last. */
uint64_t od_member_map_rows(const od_member *m);

#endif
