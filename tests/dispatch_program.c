/*
 * Runs experiments as on a processor of less ability, and prints a hash of every state they recorded.
 *
 * It defines the description of the processor that libgcc keeps and all choices read (the resolvers of src/clones.h and
 * od_normals_version), so that libgcc's own is not linked: OD_SEEN is 0 for SSE2 alone, 1 for AVX2 and FMA too, 2 for
 * AVX-512. tests/dispatch_test.py compares the hashes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "src/random.h"

#include <string.h>

/* bits of libgcc's enum processor_features, part of its binary interface */
enum {
    SEEN_BASE = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4, /* cmov, mmx, sse, sse2 */
    SEEN_AVX2 = 1 << 9 | 1 << 10 | 1 << 14,        /* avx, avx2, fma */
    SEEN_AVX512 = 1 << 15                          /* avx512f */
};

struct processor_model {
    unsigned vendor, type, subtype, features[1];
};

extern struct processor_model __cpu_model;
extern unsigned __cpu_features2[8];
int __cpu_indicator_init(void);

struct processor_model __cpu_model = {
    .vendor = 3, .features = {SEEN_BASE | (OD_SEEN > 0 ? SEEN_AVX2 : 0) | (OD_SEEN > 1 ? SEEN_AVX512 : 0)}};
unsigned __cpu_features2[8] = {0};

int __cpu_indicator_init(void)
{
    return 0;
}

static const char *const problem[] = {
    "{name: quadratic, eigenvalues: [4, 0.3]}",
    "{name: quadratic, eigenvalues: [4, 0.3], rotation: 5, centre: [0.1, 0.2]}",
    "{name: rosenbrock, b: 1.5}",
    "{name: styblinski-tang}",
    "{name: power, p: 4, dim: 2}",
    "{name: constant-gradient, gradient: [1.7, -2.385]}",
    "{name: power, p: 2.385, dim: 2}",
    "{name: hosaki}",
    "{name: logistic-regression, data: clusters, features: 1, samples: 77}",
    "{name: sigmoid-regression, data: teacher, features: 1, samples: 77}",
    "{name: least-squares, data: teacher, features: 2, samples: 77}",
    "{name: formula, f: 'log(1 + exp(x*y)) + sin(x)^2 + tanh(y)', variables: [x, y]}",
    NULL,
};

/* the name and the entries of a flow, or of a map where there is no integrator */
static const char *const method[] = {
    "name: gradient, noise: 0.3",
    "name: nesterov, noise: 0.3",
    "name: heavy-ball, alpha: 0.7, noise: [[0.3, 0.1], [0, 0.2]]",
    "name: memory, forgetting: polynomial, p: 2.385, noise: 0.3",
    NULL,
};

static const char *const noise_free[] = {"name: gradient", "name: nesterov, r: 0.7", NULL};

static const char *const noisy_scheme[] = {"euler-maruyama", "milstein", "sra1", NULL};
static const char *const scheme[] = {"euler", "semi-implicit-euler", "rk4", NULL};

typedef struct hash {
    uint64_t value;
    unsigned states;
} hash;

static od_status add(void *user, const od_view *view)
{
    hash *h = user;
    const unsigned char *byte = (const unsigned char *)view->z;
    for (size_t i = 0; i < view->dim * view->n * sizeof(double); i++) {
        h->value = (h->value ^ byte[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    }
    h->states++;
    return OD_OK;
}

static bool run(od_context *ctx, hash *h, const char *text)
{
    od_result *result = NULL;
    od_experiment *e = od_experiment_parse(ctx, text, &(od_options){.threads = 1});
    const bool ok = e != NULL && od_experiment_observe(ctx, e, (od_observer){add, h}) == OD_OK &&
                    od_experiment_run(ctx, e, &result) == OD_OK;
    od_result_free(result);
    od_experiment_free(e);
    if (!ok) {
        fprintf(stderr, "%s\n%s\n", text, od_message(ctx));
    }
    return ok;
}

/* Paths in whole vectors and a tail; the noise is summed, taken as it is and bridged. */
static bool run_flows(od_context *ctx, hash *h, const char *const *methods, const char *const *schemes,
                      const char *noise)
{
    char text[512];
    bool ok = true;
    for (size_t p = 0; ok && problem[p] != NULL; p++) {
        for (size_t m = 0; ok && methods[m] != NULL; m++) {
            for (size_t s = 0; ok && schemes[s] != NULL; s++) {
                if (strcmp(schemes[s], "semi-implicit-euler") == 0 && strstr(methods[m], "gradient") != NULL) {
                    continue;
                }
                snprintf(text, sizeof text,
                         "{problem: %s, method: {%s}, integrator: {name: %s, step: 0.01}, start: {t: 0.1, x: [1, "
                         "0.5]}, until: 0.4, paths: 147, %s record: {every: 0.1, quantities: [x, loss]}}",
                         problem[p], methods[m], schemes[s], noise);
                ok = run(ctx, h, text);
            }
        }
    }
    return ok;
}

static bool run_maps(od_context *ctx, hash *h)
{
    char text[512];
    bool ok = true;
    for (size_t p = 0; ok && problem[p] != NULL; p++) {
        for (size_t m = 0; ok && method[m] != NULL; m++) {
            snprintf(text, sizeof text,
                     "{problem: %s, method: {%s, step: 1.0e-4}, start: {x: [1, 0.5]}, iterations: 20, paths: 147}",
                     problem[p], method[m]);
            ok = run(ctx, h, text);
        }
    }
    return ok;
}

int main(void)
{
    hash h = {.value = UINT64_C(0xcbf29ce484222325)};
    od_context *ctx = od_context_create();
    if (od_normals_best() != od_normals_version(OD_SEEN)) {
        fputs("the normals are not those of the processor that was given\n", stderr);
        return 1;
    }
    const bool ok = ctx != NULL && run_flows(ctx, &h, method, noisy_scheme, "") &&
                    run_flows(ctx, &h, method, noisy_scheme, "noise_step: 0.02,") &&
                    run_flows(ctx, &h, method, noisy_scheme, "noise_step: 0.005,") &&
                    run_flows(ctx, &h, noise_free, scheme, "") && run_maps(ctx, &h);
    printf("%016llx %u\n", (unsigned long long)h.value, h.states);
    od_context_free(ctx);
    return ok ? 0 : 1;
}
