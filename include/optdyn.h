/*
 * optdyn: optimizers as dynamical systems. The one public header.
 *
 * An optimizer is an iteration (od_map); papers model it by a differential equation (od_flow). Both act on a loss
 * (od_problem). This header is everything the program `optdyn` uses.
 *
 * Conventions
 *   Batches    n points of dimension d lie component-major: component i of point p is x[i*n + p]; p is the fast index.
 *   Directions m directions per point: component i of direction j at point p is u[(j*d + i)*n + p].
 *   Purity     a problem, flow or map is immutable once built and may be shared by threads; scratch memory is passed in
 *              as `ws` and holds at least od_scratch_size(&object->scratch, n) doubles.
 *   Errors     functions return od_status and leave one sentence in the context (od_message). Callbacks that are called
 *              inside a time step return only a status.
 *   Unknown    an unknown number is NaN.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef OPTDYN_H
#define OPTDYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default) /* what stands here is exported; everything else of the library is hidden */
#endif

/* --------------------------------------------------------------------------------------------- status and context */

typedef enum od_status {
    OD_OK = 0,
    OD_EINVAL,       /* an entry, argument or file content is wrong */
    OD_ENOMEM,       /* no memory */
    OD_EUSER,        /* a callback failed */
    OD_EIO,          /* a file could not be read or written */
    OD_EUNSUPPORTED, /* the combination is refused, for a stated reason */
    OD_EDIVERGED,    /* a state stopped being finite; what was computed is kept */
    OD_EINTERRUPTED, /* od_cancel was called; what was computed is kept */
    OD_ENUMERIC      /* a numerical library gave up */
} od_status;

/** Short name of a status, "invalid" for OD_EINVAL and so on. Never NULL. */
const char *od_status_name(od_status status);

/** Carries the last error, cancellation, progress and messages. One per thread of use; cheap. */
typedef struct od_context od_context;

od_context *od_context_create(void); /* NULL when there is no memory */
void od_context_free(od_context *ctx);

/** The sentence of the last failure: file, line, entry, value, remedy. "" if none. Owned by the context. */
const char *od_message(const od_context *ctx);
/** The dotted path of the entry the last failure is about ("start.x"), "" if none. */
const char *od_message_entry(const od_context *ctx);

/** Records a failure and returns `status`. `entry` is a dotted path or NULL. For parts and plug-ins. */
od_status od_fail(od_context *ctx, od_status status, const char *entry, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Asks a running computation to stop at the next step. Safe in a signal handler; the library's threads run none. */
void od_cancel(od_context *ctx);
bool od_cancelled(const od_context *ctx);

/** Called now and then with the fraction done, in [0, 1], from one thread at a time. */
typedef void od_progress(void *user, double fraction);
void od_context_on_progress(od_context *ctx, od_progress *progress, void *user);

/** Called with each remark that is not an error ("Milstein's correction vanishes here"). */
typedef void od_remark(void *user, const char *sentence);
void od_context_on_remark(od_context *ctx, od_remark *remark, void *user);
void od_note(od_context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** "0.1.0". */
const char *od_version(void);
/** Versions of the libraries and the optional parts that are in, one "name version" a line. */
const char *od_version_libraries(void);

/* --------------------------------------------------------------------------------------------- scratch memory */

/** Doubles a callback needs: fixed + per_point * n, for a batch of n points. */
typedef struct od_scratch {
    size_t fixed, per_point;
} od_scratch;

static inline size_t od_scratch_size(const od_scratch *need, size_t n)
{
    return need->fixed + need->per_point * n;
}

/* --------------------------------------------------------------------------------------------- parameters */

typedef enum od_kind {
    OD_REAL,    /* a finite number */
    OD_INTEGER, /* a whole number, or one of `choices` where there are some */
    OD_TEXT,    /* any text */
    OD_FILE,    /* name of a file, relative to the folder of the experiment file; resolved it is absolute */
    OD_CHOICE,  /* one of `choices` */
    OD_FLAG,    /* true or false */
    OD_VECTOR,  /* list of finite numbers */
    OD_MATRIX,  /* list of rows of finite numbers */
    OD_NAMES,   /* list of names */
    OD_VARIANT, /* a number, a vector, a matrix or a text; the part says which it takes */
    OD_DATA     /* one of `choices`, or name of a data file or folder: in the data folder, else beside the experiment */
} od_kind;

/** One row of a parameter table. The table drives validation, `describe`, the reference and the completion. */
typedef struct od_param {
    const char *name;
    od_kind kind;
    const char *fallback;     /* default as YAML text; NULL: required; "": absent unless given */
    const char *unit;         /* "time", "1/time", "" */
    double low, high;         /* range; both 0 means unbounded */
    bool low_open, high_open; /* the bound itself is excluded */
    const char *choices;      /* "a|b|c" for OD_CHOICE, and words that stand for a number */
    const char *meaning;      /* one sentence */
} od_param;

/** A resolved parameter. */
typedef struct od_value {
    od_kind kind;             /* as found: OD_REAL, OD_INTEGER, OD_TEXT, OD_FLAG, OD_VECTOR or OD_MATRIX */
    bool present;             /* false: absent and without default */
    bool given;               /* true: written by the user, not a default */
    double real;              /* numbers and flags; NaN for a word in place of a number */
    const char *text;         /* as written */
    size_t rows, cols;        /* of `list`; a vector has rows = 1 */
    const double *list;       /* row-major */
    const char *const *names; /* [cols] of OD_NAMES */
    int line;                 /* where it was written; 0 for a default */
} od_value;

/** Resolved parameters of one part; immutable. Look-ups by a name that is not in the table abort: a programming error.
 */
typedef struct od_settings od_settings;
const od_value *od_setting(const od_settings *s, const char *name);
double od_setting_real(const od_settings *s, const char *name);      /* NaN if absent */
const char *od_setting_text(const od_settings *s, const char *name); /* "" if absent */
bool od_setting_present(const od_settings *s, const char *name);
/** Folder against which relative file names of the settings are resolved, and the --data folder ("" if none). */
const char *od_settings_folder(const od_settings *s);
/** Fails with the file, line and dotted path of the entry `name` in front of the sentence. */
od_status od_setting_fail(od_context *ctx, const od_settings *s, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --------------------------------------------------------------------------------------------- problems */

typedef struct od_problem od_problem;

enum { OD_VALUE = 1, OD_GRADIENT = 2 }; /* what an evaluation wants */

/** A constant and how it is known ("closed form", "Lanczos at x = 0", "bound"). value is NaN if unknown. */
typedef struct od_constant {
    double value;
    const char *how;
} od_constant;

/**
 * A loss that is quadratic: f(x) = 1/2 sum_i lambda_i y_i^2 + offset, y = Q^T (x - centre). Closed forms need it.
 * rotation is d x d row-major with eigenvectors in its columns, or NULL for the identity.
 */
typedef struct od_spectrum {
    const double *eigenvalues; /* [d] */
    const double *rotation;    /* [d*d] or NULL */
    const double *centre;      /* [d] */
} od_spectrum;

/** One kind of problem. */
typedef struct od_problem_type {
    const char *name, *summary, *source;
    const od_param *params; /* ends with a row whose name is NULL */
    const char *example;    /* parameters of a small instance, as YAML pairs, where some are required; else NULL */
    const char *needs;      /* the optional library without which it cannot be built, or NULL */
    /**
     * Fills `problem`, whose type and scratch are preset; on failure leaves nothing to free. NULL: the part is in the
     * file that the entry `file` names.
     */
    od_status (*create)(od_context *ctx, const od_settings *settings, od_problem *problem);
} od_problem_type;

struct od_problem {
    const od_problem_type *type; /* NULL for a problem made of bare callbacks */
    const char *name;
    size_t dim;     /* d */
    size_t samples; /* terms of the finite sum, 0 if it is none */
    od_scratch scratch;

    /** Values f[n] and gradients g[d*n] of n points, as `want` says; the other pointer may be NULL. */
    od_status (*eval)(const od_problem *, unsigned want, size_t n, const double *x, double *f, double *g, double *ws);
    /** Products of the Hessian at each point with m directions. */
    od_status (*hvp)(const od_problem *, size_t n, const double *x, size_t m, const double *u, double *hu, double *ws);
    /** Mean over `batch` samples per point, index[b*n + p]; NULL unless a finite sum. */
    od_status (*eval_samples)(const od_problem *, unsigned want, size_t n, const double *x, size_t batch,
                              const uint32_t *index, double *f, double *g, double *ws);
    /** out = sum_i weight[i*n + p] (grad f_i - grad f) / samples; NULL unless a finite sum. weight [samples*n]. */
    od_status (*weighted_gradients)(const od_problem *, size_t n, const double *x, const double *weight, double *out,
                                    double *ws);

    /**
     * out[d*n] = beta v + c grad f in one pass, v[d*n] or NULL for c grad f alone; out is neither x nor v. Only for
     * gradients that cost no more than a pass over memory; NULL: eval and a pass of its own. To the bit the same.
     */
    od_status (*force)(const od_problem *, double c, double beta, size_t n, const double *x, const double *v,
                       double *out, double *ws);

    od_constant lipschitz;   /* L, largest curvature */
    od_constant convexity;   /* mu, smallest curvature */
    od_constant minimum;     /* f* */
    const double *minimiser; /* x* [d], or NULL; `minimiser_how` says how it is known */
    const char *minimiser_how;
    const od_spectrum *spectrum; /* not NULL if the loss is quadratic */
    const char *rough;           /* why there is no Hessian everywhere, or NULL */
    const char *precision;       /* "single" where evaluations are in float32; NULL: double */
    const char *inputs;          /* "file sha256" of each data file read, one a line; NULL if none */

    /* A model with outputs F(a_i; x) on its samples; NULL and 0 for other problems. */
    size_t outputs; /* numbers it gives for a sample */
    /** out[(i*outputs + k)*n + p]: number k of sample i at point p. */
    od_status (*predict)(const od_problem *, size_t n, const double *x, double *out, double *ws);
    /** Jacobian of the outputs times u[d*n], laid out as the outputs. */
    od_status (*predict_jvp)(const od_problem *, size_t n, const double *x, const double *u, double *out, double *ws);
    /** Its transpose times v, laid out as the outputs: g[d*n]. */
    od_status (*predict_vjp)(const od_problem *, size_t n, const double *x, const double *v, double *g, double *ws);
    /**
     * Products with the covariance of the samples' gradients, (1/N) sum_i (g_i - g)(g_i - g)' u, for m directions per
     * point as hvp takes them; NULL unless a finite sum that offers it.
     */
    od_status (*covariance)(const od_problem *, size_t n, const double *x, size_t m, const double *u, double *out,
                            double *ws);
    /** Where a path starts unless the experiment says so: component i is x[i*stride]. NULL: the experiment must. */
    void (*initial)(const od_problem *, uint64_t seed, uint64_t path, size_t stride, double *x);
    /** What the first evaluation that failed said, "" if none did; NULL if failures have no words. */
    const char *(*trouble)(const od_problem *);

    void *data;
    void (*free)(void *data);
};

/** Builds the problem that `yaml` describes ("{name: quadratic, eigenvalues: [4, 1]}"); NULL on failure. */
od_problem *od_problem_create(od_context *ctx, const char *yaml);
/** Takes a caller-owned problem apart only if it came from od_problem_create. Accepts NULL. */
void od_problem_free(od_problem *problem);

/* --------------------------------------------------------------------------------------------- noise */

typedef enum od_noise_shape {
    OD_NOISE_NONE,
    OD_NOISE_ADDITIVE, /* coefficient depends on time only */
    OD_NOISE_SCALAR,   /* one Brownian motion, a vector field of the state */
    OD_NOISE_DIAGONAL, /* component i is moved by Brownian motion i only */
    OD_NOISE_FULL      /* anything else */
} od_noise_shape;

/**
 * Brownian motion as a function: W lives on the base grid origin + k * base and is refined by a bridge that is joint
 * for the increment and its time integral. Two runs with one seed see one path, at any step.
 */
typedef struct od_brownian {
    uint64_t seed;
    double origin, base; /* time; base > 0 */
    size_t dim;          /* number of independent Brownian motions */
    bool antithetic;     /* paths 2j and 2j + 1 see W and -W of path j; then first_path and n are even */
} od_brownian;

/** An interval [origin + first * base/2^level, origin + (first+count) * base/2^level]. */
typedef struct od_interval {
    uint64_t first, count;
    unsigned level;
} od_interval;

/** Finds [a, b] on the refined grid. OD_EINVAL (no sentence) if it is not there to 1e-6 of a cell with level <= 40. */
od_status od_brownian_interval(const od_brownian *w, double a, double b, od_interval *interval);

/**
 * Increments dw[dim*n] over one interval for paths first_path .. first_path + n - 1 and, if integral is not NULL,
 * integral[dim*n], the time integral of W(s) - W(a). Asking for the second never changes the first.
 */
void od_brownian_increment(const od_brownian *w, const od_interval *interval, uint64_t first_path, size_t n, double *dw,
                           double *integral);

/** Independent streams under one seed. */
enum {
    OD_STREAM_BROWNIAN,
    OD_STREAM_AREA,
    OD_STREAM_BATCH,
    OD_STREAM_START,
    OD_STREAM_DATA,
    OD_STREAM_ROTATION,
    OD_STREAM_CHECK,
    OD_STREAM_PROJECTION
};

/** Standard normal and uniform (0,1) variates as functions of (seed, stream, path, component, step). */
double od_normal(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step);
double od_uniform(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step);
/** Uniform whole number in [0, bound), bound < 2^32, without bias beyond 2^-32. */
uint32_t od_index(uint64_t seed, unsigned stream, uint64_t path, uint64_t component, uint64_t step, uint32_t bound);

/* --------------------------------------------------------------------------------------------- flows and maps */

/** A named part of a state. */
typedef struct od_block {
    const char *name; /* "x" position, "v" velocity, ... */
    size_t length;
} od_block;

enum { OD_MAX_BLOCKS = 8 };

typedef struct od_flow od_flow;

/** dz = drift dt + noise. Bare callbacks are enough: only name, blocks, dim and drift are required. */
struct od_flow {
    const char *name;
    size_t block_count;
    od_block block[OD_MAX_BLOCKS];
    size_t dim; /* sum of the block lengths */
    od_scratch scratch;

    /** dz[dim*n] at time t. At a regular singular start it gives the limit. */
    od_status (*drift)(const od_flow *, double t, size_t n, const double *z, double *dz, double *ws);
    /** Jacobian of the drift times m directions; NULL if there is none. */
    od_status (*jvp)(const od_flow *, double t, size_t n, const double *z, size_t m, const double *u, double *ju,
                     double *ws);
    /** True if the blocks are (x, v) and x' = v exactly: the kick/drift split. */
    bool second_order;

    struct {
        od_noise_shape shape;
        size_t dim;     /* Brownian motions */
        size_t block;   /* index of the block the noise enters */
        bool own_block; /* the coefficient depends on that block */
        bool commutes;  /* L^j b_k = L^k b_j for all columns */
        /** out[length of block * n] = b(t, z) dw, dw[dim*n]. */
        od_status (*apply)(const od_flow *, double t, size_t n, const double *z, const double *dw, double *out,
                           double *ws);
        /** out = 1/2 sum_jk L^j b_k (dw_j dw_k - h delta_jk), Itô; needed only if own_block. */
        od_status (*milstein)(const od_flow *, double t, double h, size_t n, const double *z, const double *dw,
                              double *out, double *ws);
    } noise;

    /** z(t) from z(t0) = z0 in closed form; NULL if there is none, then `exact_missing` says why. */
    od_status (*exact)(const od_flow *, double t0, size_t n, const double *z0, double t, double *z, double *ws);
    const char *exact_missing;

    /** The coefficients have a regular singular point at t = 0. */
    bool singular;
    /** Why a start at the singular time 0 is refused; NULL if the drift has a limit there. */
    const char *start_refused;
    /** The start is singular for noise as well: a noisy run from t = 0 has no finite law. */
    bool singular_noise;
    /** Explicit steps that end before this time are cut (see integrators/rk4.c); 0: never. */
    double graded;
    /** Writes the regular values of all blocks but x for starts x at time t0, e.g. v = -grad f(x); NULL: zeros. */
    od_status (*rest)(const od_flow *, double t0, size_t n, double *z, double *ws);
    /** Why a path cannot start in z[dim], and which component (from 0) is to blame; NULL if it can, or no function. */
    const char *(*refuse)(const od_flow *, const double *z, size_t *component, double *ws);
    /** scale[d], the diagonal by whose inverse the gradient is multiplied in z[dim], NaN while it has none; NULL: 1. */
    void (*metric)(const od_flow *, double t, const double *z, double *scale);

    /** a = ln(kinetic weight), b = ln(potential weight), a[2] and b[2] value and time derivative; NULL if none. */
    void (*lagrangian)(const od_flow *, double t, double a[2], double b[2]);

    const od_problem *problem; /* the loss, or NULL */
    const void *data;
    void (*free)(void *data);
};

typedef struct od_map od_map;

/** z_{k+1} = step(k, z_k), on the same named blocks as the flow of the same method. */
struct od_map {
    const char *name;
    size_t block_count;
    od_block block[OD_MAX_BLOCKS];
    size_t dim;
    od_scratch scratch;
    double tau;       /* time one iteration stands for, > 0 */
    size_t noise_dim; /* Brownian motions, 0 if deterministic */
    size_t batch;     /* mini-batch size, 0: full gradient */

    /**
     * z[dim*n] in place; tau[n] receives the time of the iteration. dw[noise_dim*n] is the Brownian increment over that
     * time, index[batch*n] the samples of the mini-batch; each NULL where the map wants none.
     */
    od_status (*step)(const od_map *, uint64_t k, size_t n, double *z, const double *dw, const uint32_t *index,
                      double *tau, double *ws);
    /** Derivative of the noise-free step times m directions, and its transpose; NULL if there is none. */
    od_status (*jvp)(const od_map *, uint64_t k, size_t n, const double *z, size_t m, const double *u, double *ju,
                     double *ws);
    od_status (*vjp)(const od_map *, uint64_t k, size_t n, const double *z, size_t m, const double *u, double *ju,
                     double *ws);
    const char *sampling; /* "replacement" or "epochs" if batch > 0 */
    /** Where a run of the iteration alone starts: writes all blocks but x for starts x; NULL: zeros. */
    od_status (*rest)(const od_map *, size_t n, double *z, double *ws);
    /** As od_flow.refuse. */
    const char *(*refuse)(const od_map *, const double *z, size_t *component, double *ws);
    /** As od_flow.metric, after k iterations. */
    void (*metric)(const od_map *, uint64_t k, const double *z, double *scale);
    /** Largest curvature, of the Hessian divided by the metric, with which it settles on a quadratic; 0: not stated. */
    double stable;

    const od_problem *problem;
    const void *data;
    void (*free)(void *data);
};

/** One named flow or map of a method. */
typedef struct od_face {
    const char *name, *summary;
} od_face;

/** An optimizer: its flows and its maps. Either table may be empty (first name NULL). */
typedef struct od_method_type {
    const char *name, *summary, *source;
    const od_param *params;
    const od_face *flows, *maps; /* end with a row whose name is NULL; the first is the default */
    od_status (*flow)(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_flow *flow);
    od_status (*map)(od_context *ctx, const od_settings *s, const od_problem *f, const char *face, od_map *map);
    const char *correspondence; /* what makes the two faces correspond */
} od_method_type;

/** Builds a method's flow or map on a problem, which must outlive it; NULL on failure. */
od_flow *od_flow_create(od_context *ctx, const char *method_yaml, const od_problem *problem);
od_map *od_map_create(od_context *ctx, const char *method_yaml, const od_problem *problem);
void od_flow_free(od_flow *flow); /* only for flows from od_flow_create; accepts NULL */
void od_map_free(od_map *map);

/* --------------------------------------------------------------------------------------------- integrators */

typedef struct od_stepper od_stepper;

/** A way to advance a flow. */
typedef struct od_integrator_type {
    const char *name, *summary, *source;
    const od_param *params;
    const char *order; /* measured order for each kind of noise, for `describe` */
    bool noise;        /* integrates noise */
    bool integral;     /* uses the time integral of the Brownian path besides its increment */
    bool fixed_step;   /* advances on the grid t0 + n h */
    bool per_path;     /* adaptive: advances one path at a time */
    /** Checks that the scheme suits the flow; may remark. NULL: suits every deterministic flow. */
    od_status (*suits)(od_context *ctx, const od_settings *s, const od_flow *flow);
    /** Doubles of scratch for n paths, besides the flow's own. */
    od_scratch (*scratch)(const od_flow *flow);
    /**
     * Fixed-step schemes: z1 = z(t + h) from z; z1 is not z. dw as od_brownian_increment gives it, or NULL: the
     * increments [noise.dim*n] of the flow and, with `integral`, behind them the time integrals [noise.dim*n].
     */
    od_status (*step)(const od_stepper *, double t, double h, size_t n, const double *z, const double *dw, double *z1,
                      double *ws);
    /** Drift evaluations per path of the step from t to t + h; NULL: one. */
    unsigned (*drifts)(const od_stepper *, double t, double h);
    unsigned weak_order; /* of the error of expectations in the step; 0 without noise */
    /** Dense output at t + theta h between z and z1, 0 <= theta <= 1, of the scheme's own order. NULL: linear. */
    od_status (*dense)(const od_stepper *, double t, double h, double theta, size_t n, const double *z,
                       const double *z1, double *out, double *ws);
    /**
     * Other schemes: open per-thread state, advance z from t to t1 in place, close. An adaptive scheme asks
     * od_stepper_stops between its own steps; it then returns OD_EINTERRUPTED with z as it was, and the same call again
     * goes on from where it had come, with the bits of a call that was not interrupted.
     */
    od_status (*open)(od_context *ctx, od_stepper *, double t0, size_t n, const double *z0);
    od_status (*advance)(od_stepper *, double t, double t1, size_t n, double *z, double *ws);
    void (*close)(od_stepper *);
} od_integrator_type;

/** An integrator at work on a flow. One per thread. */
struct od_stepper {
    const od_integrator_type *type;
    const od_settings *settings;
    const od_flow *flow;
    double origin;        /* t0 of the run */
    uint64_t evaluations; /* of the drift and products with its Jacobian, times paths; by the scheme if not constant */
    void *state;          /* owned by the scheme between open and close */
    char trouble[256];    /* why advance failed, "" if it did not */
    /** Told the time that was reached; true asks to put the work down. NULL: never. */
    bool (*pause)(void *user, double t);
    void *user;
};

/** For adaptive schemes, between two steps of their own. */
static inline bool od_stepper_stops(const od_stepper *stepper, double t)
{
    return stepper->pause != NULL && stepper->pause(stepper->user, t);
}

/**
 * Bare stepping: od_stepper_create copies nothing of the flow, which must outlive it. yaml as in an experiment file,
 * "{name: rk4, step: 0.1}". The caller owns the loop.
 */
od_stepper *od_stepper_create(od_context *ctx, const char *yaml, const od_flow *flow, double t0, size_t n,
                              const double *z0);
/**
 * Advances z[dim*n] from t to t1 in place: one step of a fixed-step scheme, many of an adaptive one. dw is NULL without
 * noise, else as od_integrator_type.step takes it. OD_EINTERRUPTED after od_cancel inside an adaptive scheme, with z as
 * it was; the same call, with a context that is not cancelled, goes on from where it had come.
 */
od_status od_stepper_advance(od_context *ctx, od_stepper *stepper, double t, double t1, size_t n, double *z,
                             const double *dw);
void od_stepper_free(od_stepper *stepper);

/* --------------------------------------------------------------------------------------------- plug-ins */

/**
 * Plug-ins: parts in a shared object of the user's, `problem: {name: plugin, file: ./mine.so, ...}`. The file defines
 *
 *     OD_PLUGIN;
 *     const od_problem_type od_plugin_problem = {...};   and, or
 *     const od_method_type od_plugin_method = {...};
 *
 * It is loaded when an experiment names it and stays loaded until the process ends. Functions of this header are those
 * of the process; do not link the library into it. The parameter table must not repeat `file` or a common entry of
 * methods. docs/plugins.md has examples.
 */
#define OD_ABI 1

/** The header a plug-in was compiled with: OD_ABI, and the sizes of what plug-in and library share. */
typedef struct od_abi {
    uint32_t version, param, value, problem_type, problem, method_type, flow, map;
} od_abi;

#define OD_ABI_HERE                                                                                                    \
    {                                                                                                                  \
        OD_ABI, sizeof(od_param), sizeof(od_value), sizeof(od_problem_type), sizeof(od_problem),                       \
            sizeof(od_method_type), sizeof(od_flow), sizeof(od_map)                                                    \
    }
#define OD_PLUGIN const od_abi od_plugin_abi = OD_ABI_HERE

/** What a plug-in defines; the library has none of these. */
extern const od_abi od_plugin_abi;
extern const od_problem_type od_plugin_problem;
extern const od_method_type od_plugin_method;

/* --------------------------------------------------------------------------------------------- tables of parts */

/** All descriptors, each list ends with NULL. */
extern const od_problem_type *const od_problem_types[];
extern const od_method_type *const od_method_types[];
extern const od_integrator_type *const od_integrator_types[];

/* --------------------------------------------------------------------------------------------- experiments */

typedef struct od_experiment od_experiment;

/**
 * Processes that share one run, for example those of MPI (src/mpi/ranks.c): each calls od_experiment_run on the same
 * experiment and computes a share of the paths; rank 0 has the result, with the bits of one process.
 */
typedef struct od_ranks {
    unsigned rank, size;
    /**
     * Collective: `take` sees, on rank 0 alone, the bytes of ranks 1, 2, ... in this order. They are gone after it
     * returns; its failure ends the gathering. OD_EIO if a message does not come through, OD_ENOMEM.
     */
    od_status (*gather)(const void *bytes, size_t size, od_status (*take)(void *user, const void *bytes, size_t size),
                        void *user);
    /** Collective: returns when all ranks are here. */
    void (*wait)(void);
    /** Ends all ranks with this exit status. */
    void (*give_up)(int exit_status);
} od_ranks;

/** Where to read and how to run; zero-initialise. */
typedef struct od_options {
    const char *const *set; /* "problem.eigenvalues=[1,4]", ends with NULL; or NULL */
    const char *data;       /* folder of the data sets, or NULL */
    const char *output;     /* folder for results, or NULL: write nothing */
    const char *seed;       /* overrides `seed`, or NULL */
    unsigned threads;       /* 0: all cores */
    unsigned block;         /* paths per block, 1 to 128; 0: 128 */
    const char *invocation; /* for the provenance; or NULL */
    double checkpoint;      /* seconds between entries in the journal; 0: 60; below 0: only when interrupted */
    unsigned shard, shards; /* run the shard-th of so many shares of the paths; 0 and 0: all of them */
    const od_ranks *ranks;  /* who else takes part, or NULL; must outlive the experiment */
} od_options;

/** Reads and resolves an experiment file, or a text. NULL on failure. */
od_experiment *od_experiment_load(od_context *ctx, const char *file, const od_options *options);
od_experiment *od_experiment_parse(od_context *ctx, const char *yaml, const od_options *options);
void od_experiment_free(od_experiment *experiment);

/** The resolved experiment as YAML: every entry, defaults included; running it again gives the same bits. */
const char *od_experiment_resolved(const od_experiment *experiment);
/** Writes what would run: entries with where each value came from, steps, gradient evaluations, memory. */
od_status od_experiment_plan(od_context *ctx, const od_experiment *experiment, FILE *out, bool json);

enum { OD_MAX_MULTILEVEL = 20 };

/** One level of multilevel Monte Carlo: the difference of two steps on the same paths; of level 0 the coarsest step. */
typedef struct od_level {
    double step;
    uint64_t paths;
    double cost;        /* drift evaluations of one path, fine and coarse */
    double *mean, *var; /* [count] of the difference */
} od_level;

/** What `paths: auto` gave: estimates at `until`, to a tolerance. */
typedef struct od_multilevel {
    double tolerance;           /* root-mean-square error allowed of the first `bound` numbers */
    unsigned weak_order;        /* of the scheme; the bias is estimated with it */
    size_t count, bound;        /* numbers of all recorded quantities, and of the first one */
    char (*name)[40];           /* [count] "loss", "x_1" */
    double *mean, *stderr_mean; /* [count] */
    double *bias;               /* [count] how far the mean may be off besides, for the finest step is not zero */
    size_t levels;              /* fewer than asked for after an interruption */
    od_level level[OD_MAX_MULTILEVEL];
    uint64_t evaluations;                  /* of the drift, all paths */
    double plain_paths, plain_evaluations; /* of plain Monte Carlo at the finest step for the same standard error */
} od_multilevel;

/** What one member of an experiment gave. Arrays are owned by the result. */
typedef struct od_outcome {
    char label[128];
    size_t block_count;
    od_block block[OD_MAX_BLOCKS];
    size_t dim;
    const char *precision;   /* "single" where the problem was evaluated in float32; NULL: double */
    bool ensemble;           /* several paths were asked for; after an interruption fewer may be through */
    uint64_t paths, stopped; /* stopped: paths whose state stopped being finite */
    double first_stop;       /* earliest time at which one stopped; NaN if none */
    double t;                /* final time of the flow; NaN if there is no flow */
    double *mean, *var,
        *stderr_mean;   /* [dim] of the flow's final state over the surviving paths; one path: the state */
    double *covariance; /* [dim*dim] if paths > 1 and dim <= 64, else NULL */
    uint64_t iterations;
    double iteration_t;
    double *iteration_mean, *iteration_var, *iteration_stderr; /* the same for the map; NULL if there is none */
    double gap_max, gap_at; /* root-mean-square distance |x_flow - x_map| over paths; NaN if not in lock-step */
    /* Means of f and |x - x*| at the end of the flow and of the iteration; NaN if unknown. */
    double loss, loss_stderr, distance;
    double iteration_loss, iteration_loss_stderr, iteration_distance;
    uint64_t evaluations;             /* gradients, and Hessian products of implicit schemes, all paths */
    double reached;                   /* time at which `stop` was met by a single path; NaN if not */
    char *flow_file, *iteration_file; /* CSV files written, or NULL */
    od_multilevel *multilevel;        /* `paths: auto` only, else NULL; mean, var and stderr_mean are NULL then */
    size_t more_count;
    char *more_file[6]; /* [more_count] covariances, histograms and single paths, as far as they were asked for */
} od_outcome;

typedef struct od_result {
    size_t members; /* of the experiment */
    size_t count;   /* outcomes; fewer than the members after an interruption */
    od_outcome *outcome;
    char *folder;  /* where files went, or NULL */
    char *journal; /* of a shard, or of an interrupted run with a folder: the file that holds its state; else NULL */
    bool diverged; /* every path of some member stopped */
    bool interrupted;
} od_result;

/** What an observer sees: a block of paths at one recorded time. */
typedef struct od_view {
    const char *label; /* of the member */
    bool iteration;    /* a state of the iteration, else of the flow */
    uint64_t row;      /* number of the record, from 0 */
    double t;
    uint64_t first_path;
    size_t n, dim;
    const double *z;   /* [dim*n] component-major */
    const bool *alive; /* [n] false: the path has stopped, its state is the last finite one */
    const od_problem *problem;
} od_view;

/**
 * Watches a run; it cannot change it. Called for each block at each recorded time, in the order of time within a block,
 * from several threads at once if there are more than 128 paths. A status other than OD_OK ends the run.
 */
typedef struct od_observer {
    od_status (*observe)(void *user, const od_view *view);
    void *user;
} od_observer;

/** Adds an observer (at most 8) to all members of an experiment that is not running. */
od_status od_experiment_observe(od_context *ctx, od_experiment *experiment, od_observer observer);

/**
 * Runs all members. On OD_EDIVERGED and OD_EINTERRUPTED *result holds what was computed; else NULL on failure.
 *
 * With a folder and without observers the state of the run goes into a journal there, now and then and when it is
 * interrupted; the next run of the same experiment into that folder goes on from it and gives the same bits (adaptive
 * schemes: the same numbers to their tolerance). A shard writes its journal only; od_experiment_merge makes results of
 * them. With ranks, the result of all but rank 0 has no outcomes.
 */
od_status od_experiment_run(od_context *ctx, const od_experiment *experiment, od_result **result);
/** True if the folder of the experiment holds all its results: there is nothing to go on with. */
bool od_experiment_complete(const od_experiment *experiment);
/**
 * Puts the journals of all shards together; the result and its files are those of one run of the whole. `journals`
 * ends with NULL and may come from any folders. OD_EINVAL names the shards that are missing.
 */
od_status od_experiment_merge(od_context *ctx, const od_experiment *experiment, const char *const *journals,
                              od_result **result);
void od_result_free(od_result *result);
/** One JSON document: an object, or {"members": [...]} if there are several. Unknown numbers are null. */
void od_result_write_json(FILE *out, const od_result *result);

/* --------------------------------------------------------------------------------------------- analyses and claims */

/** A measurement on flows, maps and trajectories: one question. */
typedef struct od_analysis_type {
    const char *name, *summary, *source;
    const od_param *params; /* of the section of the experiment file that bears its name */
    /** Analyses one member (from 0) and writes one JSON object or, if json is false, text for people. */
    od_status (*run)(od_context *ctx, const od_settings *settings, const od_experiment *experiment, size_t member,
                     FILE *out, bool json);
    /**
     * In place of run where numbers are fitted over a `sweep`: their names, ends with NULL, and run with those of the
     * member in number[], NaN where unknown.
     */
    const char *const *fitted;
    od_status (*measure)(od_context *ctx, const od_settings *settings, const od_experiment *experiment, size_t member,
                         FILE *out, bool json, double *number);
} od_analysis_type;

extern const od_analysis_type *const od_analysis_types[]; /* ends with NULL */

/**
 * Runs the analysis of this name on every member and writes one JSON document, an object or {"members": [...]} if there
 * are several, or text. Of a sweep over numbers an analysis may add "fits": slopes of the logarithm of what it found
 * against that of the parameter. Nothing is written on failure. OD_EINVAL if there is no such analysis, OD_EUNSUPPORTED
 * with the reason where it does not apply.
 */
od_status od_experiment_analyse(od_context *ctx, const od_experiment *experiment, const char *analysis, FILE *out,
                                bool json);

typedef enum od_verdict { OD_HOLDS, OD_FAILS, OD_UNDECIDED } od_verdict;

/** A statement of the literature and what was found; every number NaN if it does not apply. */
typedef struct od_claim {
    const char *id, *source, *statement;
    double predicted, measured;
    double error_integration, error_sampling, error_model;
    od_verdict expected, verdict;
    const char *counterexample; /* or why it is not taken for one; NULL unless measured is beyond predicted */
} od_claim;

/**
 * Asks claims of these names, of single ones or of whole sets (ends with NULL; empty: all), on their standard
 * experiments and writes one JSON document, or a table. *unexpected counts verdicts that are not the expected ones and
 * experiments that failed. OD_EINVAL for a name that is none. Nothing is written on failure.
 */
od_status od_claims_run(od_context *ctx, const char *const *names, const od_options *options, FILE *out, bool json,
                        size_t *unexpected);
/**
 * The same for those that apply to the members of an experiment, where verdicts are results. `costly`: also those that
 * take long on it (docs/claims.md); else the text says which they are.
 */
od_status od_experiment_claims(od_context *ctx, const od_experiment *experiment, const char *const *names, bool costly,
                               FILE *out, bool json);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
