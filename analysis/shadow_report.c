/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"
#include "shadow.h"

#include "../claims/claims.h"
#include "../src/json.h"

#include <math.h>
#include <string.h>

const char *const od_rung_names[OD_RUNGS] = {"same_start", "contraction", "expansion", "split", "least_squares"};

/* The part of a radius that the error of the sampled flow could explain. */
static double share(const od_shadowing *s, double radius)
{
    return isnan(radius) ? NAN : s->integration < radius ? s->integration / radius : 1;
}

/* ------------------------------------------------------------------------------------------------ JSON */

/* Relative to the radius; a radius of 0 is its own bound. */
static double gap(double upper, double lower)
{
    return upper == lower ? 0 : (upper - lower) / upper;
}

/* "key": number, the first one without a comma. */
static void pair_of(FILE *out, bool *first, const char *key, double x)
{
    fprintf(out, "%s\"%s\": ", *first ? "" : ", ", key);
    od_json_real(out, x);
    *first = false;
}

static void write_rungs(const od_shadowing *s, FILE *out)
{
    for (size_t i = 0; i < OD_RUNGS; i++) {
        od_report_real(out, od_rung_names[i], s->rung[i].radius);
    }
    bool first = true;
    fputs(", \"at\": {", out);
    for (size_t i = 0; i < OD_RUNGS; i++) {
        pair_of(out, &first, od_rung_names[i], isnan(s->rung[i].radius) ? NAN : (double)s->rung[i].at);
    }
    first = true;
    fputs("}, \"integration_error\": {", out);
    pair_of(out, &first, "estimate", s->integration);
    fputs(", \"share\": {", out);
    first = true;
    for (size_t i = 0; i < OD_RUNGS; i++) {
        pair_of(out, &first, od_rung_names[i], share(s, s->rung[i].radius));
    }
    pair_of(out, &first, "minimax", share(s, s->best.best.radius));
    fputs("}}", out);
}

static void write_minimax(const od_shadowing *s, FILE *out)
{
    const od_minimax *b = &s->best;
    bool first = true;
    fputs(", \"minimax\": ", out);
    if (s->no_best[0] != '\0') {
        fputs("null", out);
        return;
    }
    fputs("{", out);
    pair_of(out, &first, "upper", b->best.radius);
    pair_of(out, &first, "lower", b->lower);
    pair_of(out, &first, "local_lower", b->local_lower);
    pair_of(out, &first, "gap", gap(b->best.radius, b->lower));
    fprintf(out, ", \"boxes\": %llu, \"at\": %llu, \"active\": [", (unsigned long long)s->boxes,
            (unsigned long long)b->best.at);
    for (size_t i = 0; i < b->active_count; i++) {
        fprintf(out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)b->active[i]);
    }
    fputs("], \"start\": ", out);
    od_json_list(out, s->best_start, s->chain->dim);
    od_report_real(out, "defect", b->best.defect);
    fputs("}", out);
}

static const char statement[] = "there is an exact orbit of the map within epsilon of this computed pseudo-orbit";

static void write_certificate(const od_shadowing *s, FILE *out)
{
    const od_shadow_certificate *c = &s->certificate;
    fputs(", \"certificate\": ", out);
    if (isnan(c->proven.epsilon)) {
        fputs("null", out);
        return;
    }
    fputs("{\"statement\": ", out);
    od_json_text(out, statement);
    od_report_text(out, "states", c->states);
    od_report_real(out, "epsilon", c->proven.epsilon);
    od_report_real(out, "radius", c->radius);
    od_report_real(out, "residual", c->proven.residual);
    od_report_real(out, "inverse", c->proven.inverse);
    od_report_real(out, "defect", c->proven.defect);
    if (c->file[0] != '\0') {
        od_report_text(out, "file", c->file);
    }
    fputs("}", out);
}

static const char *kind_name(const od_shadowing *s)
{
    return s->pair.kind == OD_PAIR_DESCENT      ? "gradient descent"
           : s->pair.kind == OD_PAIR_HEAVY_BALL ? "heavy ball"
                                                : NULL;
}

static void write_constants(const od_shadowing *s, FILE *out)
{
    const od_pair *q = &s->pair;
    bool first = true;
    fputs(", \"constants\": {", out);
    pair_of(out, &first, "mu", q->mu);
    pair_of(out, &first, "L", q->lipschitz);
    pair_of(out, &first, "l", q->steepest);
    pair_of(out, &first, "h", q->h);
    pair_of(out, &first, "alpha", q->alpha);
    pair_of(out, &first, "path_length", q->path);
    fprintf(out, ", \"global\": %s, \"tube\": {", q->global ? "true" : "false");
    first = true;
    pair_of(out, &first, "low", q->low);
    pair_of(out, &first, "high", q->high);
    fprintf(out, ", \"points\": %zu}, \"stretch\": {", q->seen);
    first = true;
    pair_of(out, &first, "low", s->stretch.low);
    pair_of(out, &first, "high", s->stretch.high);
    fputs("}}", out);
}

static void write_glitch(const od_shadowing *s, FILE *out)
{
    bool first = true;
    if (isnan(s->epsilon) || s->no_best[0] != '\0') {
        fputs(", \"glitch\": null", out);
        return;
    }
    fputs(", \"glitch\": {", out);
    pair_of(out, &first, "epsilon", s->epsilon);
    pair_of(out, &first, "at", s->glitch > s->chain->steps ? NAN : (double)s->glitch);
    fprintf(out, ", \"proven\": %s}", s->glitch_proven ? "true" : "false");
}

static void write_variants(const od_shadowing *s, FILE *out)
{
    bool first = true;
    fputs(", \"modified\": ", out);
    if (s->modified.missing[0] != '\0') {
        fputs("null", out);
    } else {
        fputs("{", out);
        pair_of(out, &first, "same_start", s->modified.same_start);
        pair_of(out, &first, "minimax", s->modified.nearest);
        pair_of(out, &first, "integration_error", s->modified.integration);
        fputs("}", out);
    }
    first = true;
    fputs(", \"rescaled\": ", out);
    if (s->rescaled.missing[0] != '\0') {
        fputs("null", out);
    } else {
        fputs("{", out);
        pair_of(out, &first, "same_start", s->rescaled.same_start);
        pair_of(out, &first, "nearest", s->rescaled.nearest);
        fprintf(out, ", \"at\": %llu, \"shift\": ", (unsigned long long)s->shift.at);
        od_json_list(out, (const double[]){s->shift.early, s->shift.late}, 2);
        fputs("}", out);
    }
}

static void reason_of(FILE *out, const char **separator, const char *key, const char *reason)
{
    if (reason[0] != '\0') {
        fprintf(out, "%s\"%s\": ", *separator, key);
        od_json_text(out, reason);
        *separator = ", ";
    }
}

static void write_missing(const od_shadowing *s, FILE *out)
{
    const char *separator = "";
    fputs(", \"missing\": {", out);
    for (size_t i = 0; i < OD_RUNGS; i++) {
        reason_of(out, &separator, od_rung_names[i], s->rung[i].missing);
    }
    reason_of(out, &separator, "minimax", s->no_best);
    reason_of(out, &separator, "lower", s->no_lower);
    reason_of(out, &separator, "bound", isnan(s->bound.radius) ? s->bound.theorem : "");
    reason_of(out, &separator, "hyperbolicity", s->hyperbolic.growth_missing);
    reason_of(out, &separator, "glitch",
              isnan(s->epsilon) ? "it was not asked for (shadow: {glitch: 0.1})" : s->no_best);
    reason_of(out, &separator, "certificate",
              s->certificate.states == NULL ? "it was not asked for (shadow: {certificate: true})"
                                            : s->certificate.missing);
    reason_of(out, &separator, "modified", s->modified.missing);
    reason_of(out, &separator, "rescaled", s->rescaled.missing);
    fputs("}", out);
}

void od_shadowing_write_json(const od_shadowing *s, FILE *out)
{
    fputs("{\"analysis\": \"shadow\", \"label\": ", out);
    od_json_text(out, s->m->label);
    od_report_text(out, "direction", s->of_flow ? "flow" : "iteration");
    od_report_text(out, "norm", od_setting_text(s->settings, "norm"));
    if (od_setting_present(s->settings, "weights")) {
        const od_value *weights = od_setting(s->settings, "weights");
        od_report_list(out, "weights", weights->list, weights->cols);
    }
    fprintf(out, ", \"iterations\": %llu", (unsigned long long)s->chain->steps);
    fputs(", \"pair\": ", out);
    if (kind_name(s) != NULL) {
        od_json_text(out, kind_name(s));
    } else {
        fputs("null", out);
    }
    write_rungs(s, out);
    write_minimax(s, out);
    write_certificate(s, out);
    bool first = true;
    fputs(", \"delta\": {", out);
    pair_of(out, &first, "max", s->local.max);
    fprintf(out, ", \"at\": %llu", (unsigned long long)s->local.at);
    pair_of(out, &first, "bound", s->bound.delta);
    pair_of(out, &first, "bound_printed", s->bound.delta_printed);
    fputs("}", out);
    od_report_real(out, "bound", s->bound.radius);
    fputs(", \"bound_of\": ", out);
    if (isnan(s->bound.radius)) {
        fputs("null", out);
    } else {
        od_json_text(out, s->bound.theorem);
    }
    write_constants(s, out);
    fputs(", \"hyperbolicity\": ", out);
    od_hyperbolicity_write_json(&s->hyperbolic, out);
    write_glitch(s, out);
    write_variants(s, out);
    write_missing(s, out);
    fputs(", \"claims\": ", out);
    od_claims_write_json(out, s->claim, s->claim_count);
    fputs("}", out);
}

/* ------------------------------------------------------------------------------------------------ text */

/* As many digits as the integration leaves. */
static int digits(const od_shadowing *s, double radius)
{
    const double part = share(s, radius);
    return part > 0 ? (int)fmin(12, fmax(2, floor(-log10(part)))) : 12;
}

static void show_rung(const od_shadowing *s, FILE *out, const char *name, const od_rung *r)
{
    if (isnan(r->radius)) {
        fprintf(out, "  %-14s -  (%s)\n", name, r->missing);
    } else {
        fprintf(out, "  %-14s %-18.*g %-8llu %.1e\n", name, digits(s, r->radius), r->radius, (unsigned long long)r->at,
                share(s, r->radius));
    }
}

static void show_bound(FILE *out, const char *name, const char *what, double upper, double lower)
{
    if (!isnan(lower)) {
        fprintf(out, "  %-14s %-18.12g %s, gap %.1e\n", name, lower, what, gap(upper, lower));
    }
}

static void show_minimax(const od_shadowing *s, FILE *out)
{
    const od_minimax *b = &s->best;
    const od_rung shown = {.radius = b->best.radius, .at = b->best.at};
    if (s->no_best[0] != '\0') {
        fprintf(out, "  %-14s -  (%s)\n", "minimax", s->no_best);
        return;
    }
    show_rung(s, out, "minimax", &shown);
    show_bound(out, "lower bound", "proven of all orbits", b->best.radius, b->lower);
    if (isnan(b->lower) || s->boxes > 0) {
        show_bound(out, "local bound", "of the linearisation", b->best.radius, b->local_lower);
    }
    if (b->active_count > 0) {
        fputs("                 attained at k =", out);
        for (size_t i = 0; i < b->active_count; i++) {
            fprintf(out, " %llu", (unsigned long long)b->active[i]);
        }
        fputs("\n", out);
    }
}

static void show_certificate(const od_shadowing *s, FILE *out)
{
    const od_shadow_certificate *c = &s->certificate;
    char text[32];
    if (c->missing[0] != '\0') {
        fprintf(out, "  %-14s -  (%s)\n", "certificate", c->missing);
    }
    if (isnan(c->proven.epsilon)) {
        return;
    }
    fprintf(out, "  %-14s %s, epsilon = %s\n", "certificate", statement,
            od_certificate_decimal(c->proven.epsilon, text));
    fprintf(out, "  %-14s (%s; of the map, not of the flow)", "", c->states);
    if (!isnan(c->radius)) {
        fprintf(out, ", and so within %s of the sampled flow", od_certificate_decimal(c->radius, text));
    }
    fputs("\n", out);
    if (c->file[0] != '\0') {
        fprintf(out, "  %-14s written to %s, which optdyn-check-certificate checks\n", "", c->file);
    }
}

static void show_variant(FILE *out, const char *name, const od_variant *v, const char *nearest)
{
    if (v->missing[0] != '\0') {
        return;
    }
    fprintf(out, "  %-14s %-18.9g same start", name, v->same_start);
    if (!isnan(v->nearest)) {
        fprintf(out, "; %s %.9g", nearest, v->nearest);
    }
    fputs("\n", out);
}

static void show_constants(const od_shadowing *s, FILE *out)
{
    const od_pair *q = &s->pair;
    if (!isnan(q->lipschitz)) {
        fprintf(out, "  curvature from %.9g to %.9g %s; largest gradient %.9g\n", q->low, q->high,
                q->seen == 0 ? "everywhere" : "seen near the states", q->steepest);
    }
    fprintf(out, "  local error at most %.9g, at k = %llu", s->local.max, (unsigned long long)s->local.at);
    if (!isnan(s->bound.delta)) {
        fprintf(out, "; bound %.9g", s->bound.delta);
        if (s->bound.delta_printed != s->bound.delta) {
            fprintf(out, " (as printed %.9g)", s->bound.delta_printed);
        }
    }
    fputs("\n", out);
}

void od_shadowing_write_text(const od_shadowing *s, FILE *out)
{
    static const char *const shown[OD_RUNGS] = {"same start", "contraction", "expansion", "split", "least squares"};
    fprintf(out, "%s: an orbit of the %s shadows the %s, %llu iterations of time %.9g, %s norm\n", s->m->label,
            s->of_flow ? "flow" : "iteration", s->of_flow ? "iteration" : "sampled flow",
            (unsigned long long)s->chain->steps, s->pair.h, od_setting_text(s->settings, "norm"));
    show_constants(s, out);
    fprintf(out, "  %-14s %-18s %-8s %s\n", "", "radius", "at k", "share of integration");
    for (size_t i = 0; i < OD_RUNGS; i++) {
        show_rung(s, out, shown[i], &s->rung[i]);
    }
    show_minimax(s, out);
    show_certificate(s, out);
    if (!isnan(s->epsilon) && s->no_best[0] == '\0' && s->glitch <= s->chain->steps) {
        fprintf(out, "  %-14s no orbit is within %.6g up to k = %llu%s\n", "glitch", s->epsilon,
                (unsigned long long)s->glitch, s->glitch_proven ? "" : ", by the linearisation");
    } else if (!isnan(s->epsilon) && s->no_best[0] == '\0') {
        fprintf(out, "  %-14s none: an orbit within %.6g is not excluded\n", "glitch", s->epsilon);
    }
    show_variant(out, "modified flow", &s->modified, "nearest orbit");
    show_variant(out, "free times", &s->rescaled, "the nearest orbit, shifted,");
    if (s->rescaled.missing[0] == '\0') {
        fprintf(out, "  %-14s from one start the flow runs at times shifted by %.4g to %.4g\n", "", s->shift.early,
                s->shift.late);
    }
    if (isnan(s->bound.radius)) {
        fprintf(out, "  %-14s -  (%s)\n", "theorem", s->bound.theorem);
    } else {
        fprintf(out, "  %-14s %-18.9g %s\n", "theorem", s->bound.radius, s->bound.theorem);
    }
    od_hyperbolicity_write_text(&s->hyperbolic, out);
    od_claims_write_text(out, s->claim, s->claim_count);
}
