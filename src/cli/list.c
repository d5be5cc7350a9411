/* `optdyn list` and `optdyn describe`: made from the descriptors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "cli.h"

#include "claims/ledger.h"
#include "plots/figures.h"
#include "src/experiment.h"
#include "src/json.h"
#include "src/parts.h"
#include "src/plugin.h"
#include "src/text.h"

#include <math.h>
#include <string.h>

/* One row of any table: enough for a list. */
typedef struct entry {
    const char *kind, *name, *summary;
    const char *needs; /* or NULL */
} entry;

enum { MAX_ENTRIES = 256 };

static size_t all_entries(entry list[MAX_ENTRIES])
{
    size_t count = 0;
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        list[count++] = (entry){"problem", od_problem_types[i]->name, od_problem_types[i]->summary,
                                od_problem_types[i]->needs};
    }
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        list[count++] = (entry){"method", od_method_types[i]->name, od_method_types[i]->summary, NULL};
    }
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        list[count++] = (entry){"integrator", od_integrator_types[i]->name, od_integrator_types[i]->summary, NULL};
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        list[count++] = (entry){"analysis", od_analysis_types[i]->name, od_analysis_types[i]->summary, NULL};
    }
    for (size_t i = 0; od_claim_sets[i] != NULL; i++) {
        list[count++] = (entry){"claim", od_claim_sets[i]->name, od_claim_sets[i]->summary, NULL};
    }
    for (size_t i = 0; od_figures[i].name != NULL; i++) {
        list[count++] = (entry){"figure", od_figures[i].name, od_figures[i].summary, NULL};
    }
    return count;
}

static const char *plural(const char *kind)
{
    static const char *const plurals[][2] = {{"problem", "problems"},       {"method", "methods"},
                                             {"integrator", "integrators"}, {"analysis", "analyses"},
                                             {"claim", "claims"},           {"figure", "figures"}};
    size_t i = 0;
    while (strcmp(plurals[i][0], kind) != 0) {
        i++;
    }
    return plurals[i][1];
}

/* "problem" and "problems" alike; "" is every kind. */
static bool is_of_kind(const entry *e, const char *kind)
{
    return kind[0] == '\0' || strcmp(e->kind, kind) == 0 || strcmp(plural(e->kind), kind) == 0;
}

int cli_list(cli *c)
{
    entry list[MAX_ENTRIES];
    const size_t count = all_entries(list);
    const char *kind = c->arg_count > 0 ? c->arg[0] : "";
    bool any = false;
    if (c->arg_count > 1) {
        return cli_usage(c, "list takes at most one kind: problems, methods, integrators, analyses, claims or figures");
    }
    for (size_t i = 0; i < count; i++) {
        any = any || is_of_kind(&list[i], kind);
    }
    if (!any) {
        return cli_usage(
            c, "there is no kind '%s'; there are problems, methods, integrators, analyses, claims and figures", kind);
    }
    const char *last = "";
    fputs(c->json ? "[" : "", stdout);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!is_of_kind(&list[i], kind)) {
            continue;
        }
        if (c->json) {
            printf("%s{\"kind\": \"%s\", \"name\": ", first ? "" : ",\n ", list[i].kind);
            od_json_text(stdout, list[i].name);
            fputs(", \"summary\": ", stdout);
            od_json_text(stdout, list[i].summary);
            fputs("}", stdout);
        } else {
            if (strcmp(last, list[i].kind) != 0) {
                printf("%s%s\n", first ? "" : "\n", plural(list[i].kind));
                last = list[i].kind;
            }
            printf("  %-28s %s%s%s%s\n", list[i].name, list[i].summary, list[i].needs != NULL ? " (needs " : "",
                   list[i].needs != NULL ? list[i].needs : "", list[i].needs != NULL ? ")" : "");
        }
        first = false;
    }
    fputs(c->json ? "]\n" : "", stdout);
    return EXIT_DONE;
}

/* ------------------------------------------------------------------------------------------- describe */

const char *cli_kind_name(od_kind kind)
{
    static const char *const names[] = {"number",
                                        "whole number",
                                        "text",
                                        "file name",
                                        "choice",
                                        "flag",
                                        "list",
                                        "matrix",
                                        "names",
                                        "number, list, matrix or name",
                                        "name, file or folder"};
    return names[kind];
}

void cli_range_text(const od_param *p, char text[256])
{
    char low[OD_REAL_ROOM], high[OD_REAL_ROOM];
    text[0] = '\0';
    if (p->kind == OD_CHOICE) {
        snprintf(text, 256, "%s", p->choices);
    } else if (p->low != 0 || p->high != 0) {
        snprintf(text, 256, "%c%s, %s%c%s%s", p->low_open ? '(' : '[', od_real_text(low, p->low),
                 isinf(p->high) ? "inf" : od_real_text(high, p->high), p->high_open || isinf(p->high) ? ')' : ']',
                 p->choices != NULL ? " or " : "", p->choices != NULL ? p->choices : "");
    }
}

static void print_params(const cli *c, const od_param *table, bool *first)
{
    for (const od_param *p = table; p != NULL && p->name != NULL; p++) {
        char range[256];
        cli_range_text(p, range);
        const char *fallback = p->fallback == NULL ? "required" : p->fallback[0] == '\0' ? "absent" : p->fallback;
        if (c->json) {
            printf("%s{\"name\": \"%s\", \"kind\": \"%s\", \"default\": ", *first ? "" : ", ", p->name,
                   cli_kind_name(p->kind));
            if (p->fallback == NULL || p->fallback[0] == '\0') {
                fputs("null", stdout);
            } else {
                od_json_text(stdout, p->fallback);
            }
            printf(", \"required\": %s, \"unit\": ", p->fallback == NULL ? "true" : "false");
            od_json_text(stdout, p->unit != NULL ? p->unit : "");
            fputs(", \"range\": ", stdout);
            od_json_text(stdout, range);
            fputs(", \"meaning\": ", stdout);
            od_json_text(stdout, p->meaning);
            fputs("}", stdout);
        } else {
            printf("  %-14s %s\n", p->name, p->meaning);
            printf("  %-14s %s, default: %s%s%s%s%s\n", "", cli_kind_name(p->kind), fallback,
                   range[0] != '\0' ? ", " : "", range, p->unit != NULL && p->unit[0] != '\0' ? ", unit: " : "",
                   p->unit != NULL ? p->unit : "");
        }
        *first = false;
    }
}

static void head(const cli *c, const char *kind, const char *name, const char *summary, const char *source)
{
    if (c->json) {
        printf("{\"kind\": \"%s\", \"name\": \"%s\", \"summary\": ", kind, name);
        od_json_text(stdout, summary);
        fputs(", \"source\": ", stdout);
        od_json_text(stdout, source);
        fputs(", \"parameters\": [", stdout);
    } else {
        printf("%s %s: %s\n\n", kind, name, summary);
    }
}

static void faces(const cli *c, const char *what, const od_face *face)
{
    if (c->json) {
        printf(", \"%ss\": [", what);
        for (size_t i = 0; face != NULL && face[i].name != NULL; i++) {
            fputs(i > 0 ? ", {\"name\": " : "{\"name\": ", stdout);
            od_json_text(stdout, face[i].name);
            fputs(", \"summary\": ", stdout);
            od_json_text(stdout, face[i].summary);
            fputs("}", stdout);
        }
        fputs("]", stdout);
        return;
    }
    printf("\n%ss\n", what);
    if (face == NULL || face[0].name == NULL) {
        printf("  none\n");
    }
    for (size_t i = 0; face != NULL && face[i].name != NULL; i++) {
        printf("  %-14s %s\n", face[i].name, face[i].summary);
    }
}

static void tail(const cli *c, const char *source)
{
    if (c->json) {
        fputs("}\n", stdout);
    } else {
        printf("\nsource: %s\n", source);
    }
}

static void json_text_or_null(const char *text)
{
    if (text != NULL) {
        od_json_text(stdout, text);
    } else {
        fputs("null", stdout);
    }
}

static void print_example_and_needs(const cli *c, const od_problem_type *p)
{
    if (c->json) {
        fputs("], \"example\": ", stdout);
        json_text_or_null(p->example);
        fputs(", \"needs\": ", stdout);
        json_text_or_null(p->needs);
        return;
    }
    if (p->example != NULL) {
        printf("\nexample: {name: %s, %s}\n", p->name, p->example);
    }
    if (p->needs != NULL) {
        printf("\nneeds: %s\n", p->needs);
    }
}

static void describe_problem(const cli *c, const od_problem_type *p)
{
    bool first = true;
    head(c, "problem", p->name, p->summary, p->source);
    print_params(c, p->params, &first);
    print_example_and_needs(c, p);
    tail(c, p->source);
}

static void describe_method(const cli *c, const od_method_type *m)
{
    bool first = true;
    head(c, "method", m->name, m->summary, m->source);
    print_params(c, m->params, &first);
    print_params(c, od_method_common, &first);
    fputs(c->json ? "]" : "", stdout);
    faces(c, "flow", m->flows);
    faces(c, "map", m->maps);
    if (c->json) {
        fputs(", \"correspondence\": ", stdout);
        od_json_text(stdout, m->correspondence != NULL ? m->correspondence : "");
    } else if (m->correspondence != NULL) {
        printf("\nflow and iteration: %s\n", m->correspondence);
    }
    tail(c, m->source);
}

static void describe_claims(const cli *c, const od_claim_set *set)
{
    head(c, "claim", set->name, set->summary, "docs/claims.md");
    fputs(c->json ? "], \"claims\": [" : "", stdout);
    for (size_t i = 0; set->ids[i] != NULL; i++) {
        if (c->json) {
            fputs(i > 0 ? ", " : "", stdout);
            od_json_text(stdout, set->ids[i]);
        } else {
            printf("  %s\n", set->ids[i]);
        }
    }
    fputs(c->json ? "]" : "", stdout);
    tail(c, "docs/claims.md");
}

/* True if this claim is one of the set. */
static bool answers_with(const od_claim_set *set, const char *id)
{
    size_t i = 0;
    while (set->ids[i] != NULL && strcmp(set->ids[i], id) != 0) {
        i++;
    }
    return set->ids[i] != NULL;
}

/* `kind` is what the user asks for; "" is any. */
static bool is_wanted(const char *this, const char *kind)
{
    return kind[0] == '\0' || strcmp(kind, this) == 0;
}

/* The problem and the method of one name or file, each if it is there; as JSON, one document, the problem first. */
static int describe_parts(const cli *c, const od_problem_type *problem, const od_method_type *method)
{
    if (problem != NULL) {
        describe_problem(c, problem);
    }
    if (method != NULL && (problem == NULL || !c->json)) {
        fputs(problem != NULL ? "\n" : "", stdout);
        describe_method(c, method);
    }
    return EXIT_DONE;
}

static int describe_plugin(cli *c, const char *file, const char *kind)
{
    od_arena *arena = od_arena_create();
    od_plugin plugin;
    od_status status = arena != NULL ? od_plugin_load_file(c->ctx, arena, file, &plugin)
                                     : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory");
    const od_problem_type *problem = status == OD_OK && is_wanted("problem", kind) ? plugin.problem : NULL;
    const od_method_type *method = status == OD_OK && is_wanted("method", kind) ? plugin.method : NULL;
    if (status == OD_OK && problem == NULL && method == NULL) {
        status = od_fail(c->ctx, OD_EINVAL, NULL, "%s has no %s", file, kind);
    }
    const int done = status == OD_OK ? describe_parts(c, problem, method) : cli_fail(c, status);
    od_arena_free(arena);
    return done;
}

static int describe_experiment(const cli *c)
{
    bool first = true;
    head(c, "file", "experiment", "one YAML (or JSON) map describes a run", "docs/experiment.md");
    if (!c->json) {
        puts("  problem        {name: ..., its parameters}; `optdyn list problems`\n"
             "  method         {name: ..., its parameters}; `optdyn list methods`\n"
             "  integrator     {name: ..., its parameters}; with until; `optdyn list integrators`\n"
             "  start          {t: 0, x: [..] | {normal: s} | {file: x.csv}, v: ...}\n"
             "  compare        list of maps that replace entries: several methods on one start and one noise\n"
             "  sweep          {path: [values]}: one run for each value, for example {method.step: [0.1, 0.2]}\n"
             "  label          name of a run in tables, files and plots");
        for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
            printf("  %-14s {...} for `optdyn %s`; `optdyn describe %s`\n", od_analysis_types[i]->name,
                   od_analysis_types[i]->name, od_analysis_types[i]->name);
        }
    }
    print_params(c, od_experiment_params(""), &first);
    fputs(c->json ? "], \"record\": [" : "\nrecord: {...}\n", stdout);
    first = true;
    print_params(c, od_experiment_params("record"), &first);
    fputs(c->json ? "], \"stop\": [" : "\nstop: {...}\n", stdout);
    first = true;
    print_params(c, od_experiment_params("stop"), &first);
    fputs(c->json ? "]" : "", stdout);
    tail(c, "docs/experiment.md");
    return EXIT_DONE;
}

int cli_describe(cli *c)
{
    const char *kind = c->arg_count == 2 ? c->arg[0] : "";
    if (c->arg_count < 1 || c->arg_count > 2 || !(is_wanted("problem", kind) || is_wanted("method", kind))) {
        return cli_usage(c,
                         "describe takes one name or the path of a plug-in, with `problem` or `method` in front where "
                         "both have it; `optdyn list` shows the names, and `experiment` describes the file");
    }
    const char *name = c->arg[c->arg_count - 1];
    bool first = true;
    if (strcmp(name, "experiment") == 0) {
        return describe_experiment(c);
    }
    if (strchr(name, '/') != NULL) {
        return describe_plugin(c, name, kind);
    }
    const od_problem_type *problem = NULL;
    const od_method_type *method = NULL;
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        problem = is_wanted("problem", kind) && strcmp(od_problem_types[i]->name, name) == 0 ? od_problem_types[i]
                                                                                             : problem;
    }
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        method = is_wanted("method", kind) && strcmp(od_method_types[i]->name, name) == 0 ? od_method_types[i] : method;
    }
    if (problem != NULL || method != NULL) {
        return describe_parts(c, problem, method);
    }
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        const od_integrator_type *s = od_integrator_types[i];
        if (strcmp(s->name, name) == 0) {
            head(c, "integrator", s->name, s->summary, s->source);
            print_params(c, s->params, &first);
            fputs(c->json ? "], \"order\": " : "\norder: ", stdout);
            if (c->json) {
                od_json_text(stdout, s->order);
            } else {
                printf("%s\n", s->order);
            }
            tail(c, s->source);
            return EXIT_DONE;
        }
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        const od_analysis_type *a = od_analysis_types[i];
        if (strcmp(a->name, name) == 0) {
            head(c, "analysis", a->name, a->summary, a->source);
            print_params(c, a->params, &first);
            fputs(c->json ? "]" : "", stdout);
            tail(c, a->source);
            return EXIT_DONE;
        }
    }
    for (size_t i = 0; od_claim_sets[i] != NULL; i++) {
        if (strcmp(od_claim_sets[i]->name, name) == 0 || answers_with(od_claim_sets[i], name)) {
            describe_claims(c, od_claim_sets[i]);
            return EXIT_DONE;
        }
    }
    entry list[MAX_ENTRIES];
    const char *names[MAX_ENTRIES];
    const size_t count = all_entries(list);
    for (size_t i = 0; i < count; i++) {
        names[i] = list[i].name;
        if (strcmp(list[i].name, name) == 0) {
            head(c, list[i].kind, list[i].name, list[i].summary, "docs/figures.md");
            fputs(c->json ? "]" : "", stdout);
            tail(c, "docs/figures.md");
            return EXIT_DONE;
        }
    }
    const char *nearest = od_text_nearest(name, names, count);
    return cli_usage(c, "there is no part '%s'%s%s%s; `optdyn list` shows all", name,
                     nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?)" : "");
}
