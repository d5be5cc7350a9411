/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"

#include "../src/json.h"

void od_report_component(const od_member *m, size_t i, char name[64])
{
    size_t b = 0;
    for (; i >= m->block[b].length; b++) {
        i -= m->block[b].length;
    }
    snprintf(name, 64, "%.40s_%zu", m->block[b].name, i + 1);
}

void od_report_open(FILE *out, const char *analysis, const od_member *m)
{
    fprintf(out, "{\"analysis\": \"%s\", \"label\": ", analysis);
    od_json_text(out, m->label);
    if (m->problem->precision != NULL) {
        od_report_text(out, "precision", m->problem->precision);
    }
    od_report_text(out, "scheme", m->integrator_choice.integrator->name);
    od_report_real(out, "step", m->step);
    fprintf(out, ", \"paths\": %llu, \"seed\": %llu", (unsigned long long)m->paths, (unsigned long long)m->seed);
}

void od_report_real(FILE *out, const char *key, double x)
{
    fprintf(out, ", \"%s\": ", key);
    od_json_real(out, x);
}

void od_report_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": ", key);
    od_json_text(out, text);
}

void od_report_list(FILE *out, const char *key, const double *list, size_t count)
{
    fprintf(out, ", \"%s\": ", key);
    od_json_list(out, list, count);
}

void od_report_matrix(FILE *out, const char *key, const double *matrix, size_t rows, size_t cols)
{
    fprintf(out, ", \"%s\": [", key);
    for (size_t i = 0; i < rows; i++) {
        fputs(i > 0 ? ", " : "", out);
        od_json_list(out, matrix + i * cols, cols);
    }
    fputs("]", out);
}
