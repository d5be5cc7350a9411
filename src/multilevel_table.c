/* What levels gave, as JSON and as a table. SPDX-License-Identifier: GPL-3.0-or-later */
#include "multilevel.h"

#include "json.h"
#include "text.h"

#include <stdlib.h>

void od_multilevel_free(od_multilevel *a)
{
    if (a != NULL) {
        free(a->name);
        free(a->mean);
        free(a);
    }
}

static void write_pair(FILE *out, const char *key, double x)
{
    fprintf(out, ", \"%s\": ", key);
    od_json_real(out, x);
}

void od_multilevel_write_json(FILE *out, const od_multilevel *a)
{
    fputs("{\"tolerance\": ", out);
    od_json_real(out, a->tolerance);
    fprintf(out, ", \"weak_order\": %u, \"quantities\": [", a->weak_order);
    for (size_t c = 0; c < a->count; c++) {
        fprintf(out, "%s{\"name\": \"%s\", \"bounded\": %s", c > 0 ? ", " : "", a->name[c],
                c < a->bound ? "true" : "false");
        write_pair(out, "mean", a->mean[c]);
        write_pair(out, "stderr", a->stderr_mean[c]);
        write_pair(out, "bias", a->bias[c]);
        fputs("}", out);
    }
    fputs("], \"levels\": [", out);
    for (size_t l = 0; l < a->levels; l++) {
        fprintf(out, "%s{\"level\": %zu, \"paths\": %llu", l > 0 ? ",\n  " : "", l,
                (unsigned long long)a->level[l].paths);
        write_pair(out, "step", a->level[l].step);
        write_pair(out, "cost", a->level[l].cost);
        fputs(", \"mean\": ", out);
        od_json_list(out, a->level[l].mean, a->count);
        fputs(", \"var\": ", out);
        od_json_list(out, a->level[l].var, a->count);
        fputs("}", out);
    }
    fprintf(out, "], \"evaluations\": %llu, \"plain\": {\"paths\": ", (unsigned long long)a->evaluations);
    od_json_real(out, a->plain_paths);
    write_pair(out, "evaluations", a->plain_evaluations);
    fputs("}}", out);
}

void od_multilevel_write_csv(FILE *out, const od_multilevel *a)
{
    char number[OD_REAL_ROOM];
    fputs("level,step,paths,cost", out);
    for (size_t c = 0; c < a->count; c++) {
        fprintf(out, ",%s_mean,%s_var", a->name[c], a->name[c]);
    }
    fputc('\n', out);
    for (size_t l = 0; l < a->levels; l++) {
        const od_level *at = &a->level[l];
        fprintf(out, "%zu,%s", l, od_real_text(number, at->step));
        fprintf(out, ",%llu,%s", (unsigned long long)at->paths, od_real_text(number, at->cost));
        for (size_t c = 0; c < a->count; c++) {
            fprintf(out, ",%s", od_real_text(number, at->mean[c]));
            fprintf(out, ",%s", od_real_text(number, at->var[c]));
        }
        fputc('\n', out);
    }
}
