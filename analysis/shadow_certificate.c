/* Certifies an orbit of a member's iteration. SPDX-License-Identifier: GPL-3.0-or-later */
#include "shadow.h"

#include "../src/file.h"
#include "../src/label.h"
#include "../src/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The states that a certificate is about: the nearest orbit, or the one from the start. */
static od_status fill_orbit(od_shadowing *s, double *x)
{
    const size_t dim = s->iteration.dim;
    const bool nearest = !s->of_flow && s->no_best[0] == '\0' && s->best.best.defect == 0;
    s->certificate.states = nearest ? "the nearest orbit found" : "the iteration from its start";
    memcpy(x, nearest ? s->best_start : s->start, dim * sizeof *x);
    for (uint64_t k = 0; k < s->iteration.steps; k++) {
        const od_status status = s->iteration.step(&s->iteration, k, x + k * dim, x + (k + 1) * dim);
        if (status != OD_OK) {
            return od_fail(s->ctx, status, "method.step", "the iteration diverged at k = %llu",
                           (unsigned long long)k + 1);
        }
    }
    return OD_OK;
}

static od_status write_file(od_shadowing *s, const od_experiment *e, const od_certificate *c, const od_target *target)
{
    char stem[OD_LABEL_ROOM], name[OD_LABEL_ROOM + 16];
    od_file file;
    if (e->output == NULL) {
        return OD_OK;
    }
    od_label_stem(e->member_count > 1 ? s->m->label : "shadow", stem);
    snprintf(name, sizeof name, "%s.certificate", stem);
    od_status status = od_folder_make(s->ctx, e->output);
    status = status == OD_OK ? od_file_open(s->ctx, &file, e->output, name) : status;
    if (status != OD_OK) {
        return status;
    }
    status = od_certificate_write(s->ctx, c, &s->member, target, file.out);
    if (status != OD_OK) {
        od_file_abandon(&file);
        return status;
    }
    snprintf(s->certificate.file, sizeof s->certificate.file, "%s", file.path);
    return od_file_commit(s->ctx, &file);
}

od_status od_shadowing_certify(od_shadowing *s, const od_experiment *e)
{
    s->certificate.proven.epsilon = s->certificate.radius = NAN;
    if (od_setting_real(s->settings, "certificate") == 0) {
        return OD_OK;
    }
    const size_t dim = s->iteration.dim;
    const od_target *target = s->of_flow ? NULL : &s->target;
    double *x = od_zalloc(((size_t)s->iteration.steps + 1) * dim, sizeof *x);
    if (x == NULL) {
        return od_fail(s->ctx, OD_ENOMEM, "iterations", "no memory for the states of a certificate");
    }
    od_rule *rule = NULL;
    od_certificate *c = NULL;
    od_status status = fill_orbit(s, x);
    status = status == OD_OK ? od_rule_create(s->ctx, &s->member, &rule) : status;
    status = status == OD_OK ? od_certificate_create(s->ctx, rule, s->iteration.steps, x, &c) : status;
    status = od_shadowing_found(status, s->ctx, s->certificate.missing);
    if (c != NULL) {
        s->certificate.proven = od_certificate_result(c);
        s->certificate.radius = target != NULL ? od_certificate_radius(c, target) : NAN;
        status = write_file(s, e, c, target);
    }
    od_certificate_free(c);
    od_rule_free(rule);
    free(x);
    return status;
}
