/* `optdyn check problem`: derivatives against differences. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "src/derivative_check.h"
#include "src/json.h"
#include "src/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS = 8 };

/* The tree {problem: ...} from a file, or from a name with the example's parameters unless --set gives some. */
static od_node *problem_tree(cli *c, od_arena *arena, const char *name)
{
    if (access(name, F_OK) == 0) {
        return od_document_read(c->ctx, arena, name);
    }
    const char *example = NULL;
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        example = strcmp(od_problem_types[i]->name, name) == 0 ? od_problem_types[i]->example : example;
    }
    const bool own = c->set[0] != NULL;
    char *text = od_arena_print(arena, "problem: {name: \"%s\"%s%s}", name, example != NULL && !own ? ", " : "",
                                example != NULL && !own ? example : "");
    if (text == NULL) {
        od_fail(c->ctx, OD_ENOMEM, NULL, "no memory");
        return NULL;
    }
    return od_document_parse(c->ctx, arena, text, strlen(text), "command line");
}

static void print_error(const cli *c, const char *name, const char *meaning, const od_derivative_error *e, bool first)
{
    if (c->json) {
        printf("%s\"%s\": {\"error\": ", first ? "" : ", ", name);
        od_json_real(stdout, e->error);
        fputs(", \"tolerance\": ", stdout);
        od_json_real(stdout, e->tolerance);
        printf(", \"passed\": %s}", e->passed ? "true" : "false");
    } else if (!isnan(e->error)) {
        printf("  %-6s %-10s %.2g (tolerance %.2g)  %s\n", e->passed ? "ok" : "WRONG", name, e->error, e->tolerance,
               meaning);
    }
}

static void print_report(const cli *c, const od_problem *f, const od_derivative_report *r)
{
    if (c->json) {
        fputs("{\"problem\": ", stdout);
        od_json_text(stdout, f->name);
        printf(", \"dimension\": %zu, \"points\": %zu, \"passed\": %s, ", f->dim, r->points,
               r->passed ? "true" : "false");
    } else {
        printf("%s, %zu dimensions, %zu points: largest relative errors beyond rounding\n", f->name, f->dim, r->points);
    }
    print_error(c, "gradient", "with differences of the value", &r->gradient, true);
    print_error(c, "hessian", "products with differences of the gradient", &r->hessian, false);
    print_error(c, "samples", "mean over the samples with the whole", &r->samples, false);
    print_error(c, "weighted", "weighted sums of per-sample gradients", &r->weighted, false);
    print_error(c, "covariance", "products with the covariance of the samples' gradients", &r->covariance, false);
    print_error(c, "outputs", "derivative of the outputs with differences, and its transpose", &r->outputs, false);
    print_error(c, "constants", "curvatures found outside the stated [mu, L]", &r->constants, false);
    if (c->json) {
        fputs(", \"curvature\": [", stdout);
        od_json_real(stdout, r->curvature_low);
        fputs(", ", stdout);
        od_json_real(stdout, r->curvature_high);
        fputs("]}\n", stdout);
    } else if (!isnan(r->curvature_low)) {
        printf("  curvatures found: %.6g to %.6g\n", r->curvature_low, r->curvature_high);
    }
}

static od_status check_problem(cli *c, od_arena *arena, const od_node *root, bool *passed)
{
    const od_node *node = od_node_item(root, "problem");
    od_choice choice;
    od_problem problem;
    if (node == NULL) {
        return od_fail(c->ctx, OD_EINVAL, "problem", "%s has no problem", c->arg[1]);
    }
    const char *slash = strrchr(node->origin, '/'); /* a name has no folder */
    const char *folder = slash != NULL ? od_arena_text(arena, node->origin, (size_t)(slash - node->origin)) : "";
    if (folder == NULL) {
        return od_fail(c->ctx, OD_ENOMEM, NULL, "no memory");
    }
    const od_place place = {.path = "problem", .folder = folder, .data = c->data != NULL ? c->data : ""};
    od_status status = od_problem_choose(c->ctx, arena, node, place, &choice);
    status = status == OD_OK ? od_problem_build(c->ctx, &choice, &problem) : status;
    if (status != OD_OK) {
        return status;
    }
    od_derivative_report report;
    const uint64_t seed = c->seed != NULL ? strtoull(c->seed, NULL, 10) : 1;
    status = od_derivative_check(c->ctx, &problem, seed, POINTS, &report);
    if (status == OD_OK) {
        print_report(c, &problem, &report);
        *passed = report.passed;
    }
    od_problem_clear(&problem);
    return status;
}

int cli_check(cli *c)
{
    if (c->arg_count != 2 || strcmp(c->arg[0], "problem") != 0) {
        return cli_usage(c, "check takes a problem: optdyn check problem NAME|FILE [--set problem.PARAMETER=VALUE]");
    }
    od_arena *arena = od_arena_create();
    bool passed = false;
    od_status status = arena != NULL ? OD_OK : od_fail(c->ctx, OD_ENOMEM, NULL, "no memory");
    od_node *root = status == OD_OK ? problem_tree(c, arena, c->arg[1]) : NULL;
    status = root != NULL ? OD_OK : OD_EINVAL;
    for (size_t i = 0; status == OD_OK && c->set[i] != NULL; i++) {
        status = od_document_set(c->ctx, arena, root, c->set[i]);
    }
    status = status == OD_OK ? check_problem(c, arena, root, &passed) : status;
    od_arena_free(arena);
    if (status != OD_OK) {
        return cli_fail(c, status);
    }
    return passed ? EXIT_DONE : EXIT_FAILED;
}
