/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fits.h"

#include "../src/json.h"
#include "relation.h"

#include <math.h>
#include <string.h>

/* One series: members first, ..., first + count - 1. */
typedef struct series {
    const od_experiment *e;
    size_t first, count;
} series;

static void write_fit(const series *s, const char *name, const od_relation *r, FILE *out)
{
    const od_member *m = &s->e->member[s->first];
    fputs("{\"of\": ", out);
    od_json_text(out, name);
    fputs(", \"parameter\": ", out);
    od_json_text(out, m->swept);
    fputs(", \"first\": ", out);
    od_json_text(out, m->label);
    fprintf(out, ", \"members\": %zu, \"used\": %zu, \"slope\": ", s->count, r->used);
    od_json_real(out, r->slope);
    fputs(", \"interval\": ", out);
    od_json_list(out, (const double[]){r->low, r->high}, 2);
    fputs("}", out);
}

static void show_fit(const series *s, const char *name, const od_relation *r, FILE *out)
{
    fprintf(out, "  slope of %-14s in %s %.4f", name, s->e->member[s->first].swept, r->slope);
    if (!isnan(r->low)) {
        fprintf(out, " [%.4f, %.4f]", r->low, r->high);
    }
    fprintf(out, ", %zu of %zu members from %s\n", r->used, s->count, s->e->member[s->first].label);
}

void od_fits_write(const od_experiment *e, const char *const *names, const double *swept, const double *number,
                   FILE *out, bool json)
{
    bool first = true;
    fputs(json ? ", \"fits\": [" : "", out);
    series s = {e, 0, 0};
    for (; s.first < e->member_count; s.first += s.count) {
        const od_member *m = &e->member[s.first];
        for (s.count = 1; s.first + s.count < e->member_count && m[s.count].series == m->series;) {
            s.count++;
        }
        for (size_t k = 0; names[k] != NULL && m->swept != NULL; k++) {
            const od_relation r = od_relation_fit(s.count, swept + s.first, number + k * e->member_count + s.first);
            if (isnan(r.slope)) {
                continue;
            }
            fputs(first ? json ? "" : "\nln against ln, 95 % by the scatter about the line\n" : json ? ", " : "", out);
            (json ? write_fit : show_fit)(&s, names[k], &r, out);
            first = false;
        }
    }
    fputs(json ? "]" : "", out);
}
