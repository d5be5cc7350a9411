/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* getline */
#include "curve.h"

#include "../src/memory.h"
#include "../src/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STENCIL = 5 };

/* Slopes of the polynomial through the nearest rows, by the derivatives of Lagrange's basis. */
static void set_slopes(od_curve *c)
{
    const size_t points = c->rows < STENCIL ? c->rows : STENCIL;
    for (size_t row = 0; row < c->rows; row++) {
        size_t first = row < points / 2 ? 0 : row - points / 2;
        first = first + points > c->rows ? c->rows - points : first;
        for (size_t j = first; j < first + points; j++) {
            double weight = j == row ? 0 : 1 / (c->t[j] - c->t[row]);
            for (size_t k = first; k < first + points; k++) {
                if (j == row) {
                    weight += k != row ? 1 / (c->t[row] - c->t[k]) : 0;
                } else if (k != j && k != row) {
                    weight *= (c->t[row] - c->t[k]) / (c->t[j] - c->t[k]);
                }
            }
            for (size_t i = 0; i < c->d; i++) {
                c->slope[row * c->d + i] += weight * c->x[j * c->d + i];
            }
        }
    }
}

static od_status make_room(od_context *ctx, size_t rows, od_curve *c)
{
    c->rows = rows;
    c->t = od_zalloc(rows, sizeof *c->t);
    c->x = od_zalloc(rows * c->d, sizeof *c->x);
    c->slope = od_zalloc(rows * c->d, sizeof *c->slope);
    return c->t != NULL && c->x != NULL && c->slope != NULL
               ? OD_OK
               : od_fail(ctx, OD_ENOMEM, NULL, "no memory for a curve of %zu rows", rows);
}

/* Numbers of a line into row[d + 1]; false if there are more or fewer, or a word is no number. */
static bool read_line(char *line, size_t d, double *row)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, ", \t\r\n;", &rest); word != NULL; word = strtok_r(NULL, ", \t\r\n;", &rest)) {
        double x;
        if (count > d || !od_text_real(word, &x) || !isfinite(x)) {
            return false;
        }
        row[count++] = x;
    }
    return count == d + 1;
}

/* All rows of the file in a growing list. */
static od_status read_rows(od_context *ctx, const od_settings *s, const char *name, const char *file, FILE *in,
                           size_t d, double **list, size_t *rows)
{
    char *line = NULL;
    size_t room = 0, number = 0, space = 0;
    bool first = true;
    od_status status = OD_OK;
    *rows = 0;
    *list = NULL;
    while (status == OD_OK && getline(&line, &room, in) >= 0) {
        number++;
        if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0') {
            continue;
        }
        if (*rows == space) {
            space = 2 * space + 64;
            double *more = realloc(*list, space * (d + 1) * sizeof *more);
            *list = more != NULL ? more : *list;
            status = more != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, name, "no memory for the rows of %s", file);
        }
        double *row = status == OD_OK ? *list + *rows * (d + 1) : NULL;
        double unused;
        char word[64] = "";
        const size_t lead = strspn(line, " \t"), length = strcspn(line + lead, ", \t\r\n;");
        memcpy(word, line + lead, length < 63 ? length : 63);
        const bool header = first && !od_text_real(word, &unused);
        first = false;
        if (status != OD_OK || header) {
            continue;
        }
        if (!read_line(line, d, row)) {
            status = od_setting_fail(ctx, s, name, "%s:%zu: expected %zu finite numbers, t and one per component", file,
                                     number, d + 1);
        } else if (*rows > 0 && !(row[0] > row[-(long)(d + 1)])) {
            status = od_setting_fail(ctx, s, name, "%s:%zu: the times must ascend; %.9g does not", file, number,
                                     row[0]);
        } else {
            ++*rows;
        }
    }
    if (status == OD_OK && ferror(in)) {
        status = od_setting_fail(ctx, s, name, "%s cannot be read: %s; give a file of rows", file, strerror(errno));
    }
    free(line);
    return status;
}

od_status od_curve_read(od_context *ctx, const od_settings *s, const char *name, size_t d, const double interval[2],
                        od_curve *curve)
{
    *curve = (od_curve){.d = d};
    const char *file = od_setting_text(s, name);
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        return od_setting_fail(ctx, s, name, "%s cannot be opened: %s", file, strerror(errno));
    }
    double *list;
    size_t rows;
    od_status status = read_rows(ctx, s, name, file, in, d, &list, &rows);
    fclose(in);
    const double slack = 1e-12 * (fabs(interval[0]) + fabs(interval[1]));
    if (status == OD_OK &&
        (rows < 2 || list[0] > interval[0] + slack || list[(rows - 1) * (d + 1)] < interval[1] - slack)) {
        status = od_setting_fail(ctx, s, name,
                                 "the rows of %s do not cover the interval [%.9g, %.9g]; add rows, or "
                                 "change interval",
                                 file, interval[0], interval[1]);
    }
    status = status == OD_OK ? make_room(ctx, rows, curve) : status;
    for (size_t r = 0; r < rows && status == OD_OK; r++) {
        curve->t[r] = list[r * (d + 1)];
        memcpy(curve->x + r * d, list + r * (d + 1) + 1, d * sizeof *list);
    }
    free(list);
    if (status == OD_OK) {
        set_slopes(curve);
    } else {
        od_curve_close(curve);
    }
    return status;
}

od_status od_curve_broken(od_context *ctx, size_t d, double t1, double t2, size_t rows, od_curve *curve)
{
    *curve = (od_curve){.d = d, .broken = true};
    od_status status = make_room(ctx, rows, curve);
    for (size_t r = 0; r < rows && status == OD_OK; r++) {
        curve->t[r] = r + 1 == rows ? t2 : t1 + (t2 - t1) * (double)r / (double)(rows - 1);
    }
    return status;
}

static void table_at(const od_curve *c, double t, double *x, double *v, double *a)
{
    size_t low = 0, high = c->rows - 1;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (c->t[middle] <= t) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const double h = c->t[high] - c->t[low], u = (t - c->t[low]) / h;
    for (size_t i = 0; i < c->d; i++) {
        const double y = c->x[low * c->d + i], rise = c->x[high * c->d + i] - y;
        const double p = c->broken ? rise : h * c->slope[low * c->d + i];
        const double q = c->broken ? rise : h * c->slope[high * c->d + i];
        const double square = 3 * rise - 2 * p - q, cube = p + q - 2 * rise;
        if (x != NULL) {
            x[i] = y + u * (p + u * (square + u * cube));
        }
        if (v != NULL) {
            v[i] = (p + u * (2 * square + u * 3 * cube)) / h;
        }
        if (a != NULL) {
            a[i] = (2 * square + 6 * u * cube) / (h * h);
        }
    }
}

od_status od_curve_at(const od_curve *c, double t, double *x, double *v, double *a)
{
    if (c->path == NULL) {
        table_at(c, t, x, v, a);
        return OD_OK;
    }
    od_status status = od_trajectory_at(c->path, t, x, v);
    return status == OD_OK && a != NULL ? od_trajectory_acceleration(c->path, t, a) : status;
}

void od_curve_close(od_curve *c)
{
    free(c->t);
    free(c->x);
    free(c->slope);
    *c = (od_curve){0};
}
