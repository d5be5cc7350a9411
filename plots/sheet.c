/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sheet.h"

#include "src/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t count_fields(const char *line)
{
    size_t count = 1;
    for (; *line != '\0'; line++) {
        count += *line == ',';
    }
    return count;
}

static bool read_names(od_arena *arena, od_sheet *s, const char *line)
{
    s->columns = count_fields(line);
    s->name = od_arena_alloc(arena, s->columns, sizeof *s->name);
    for (size_t c = 0; s->name != NULL && c < s->columns; c++) {
        const size_t length = strcspn(line, ",");
        s->name[c] = od_arena_text(arena, line, length);
        line += length + 1;
        if (s->name[c] == NULL) {
            return false;
        }
    }
    return s->name != NULL;
}

/* A number as result files hold it: they write nan and inf without YAML's point. */
static bool read_value(const char *text, double *x)
{
    const bool minus = text[0] == '-';
    if (strcmp(text + minus, "inf") == 0) {
        *x = minus ? -INFINITY : INFINITY;
        return true;
    }
    if (strcmp(text, "nan") == 0) {
        *x = NAN;
        return true;
    }
    return od_text_real(text, x);
}

/* Cuts the line at its commas; false unless it has as many numbers as there are names. */
static bool read_row(const od_sheet *s, char *line, double *value)
{
    if (count_fields(line) != s->columns) {
        return false;
    }
    for (size_t c = 0; c < s->columns; c++) {
        const size_t length = strcspn(line, ",");
        line[length] = '\0';
        if (!read_value(line, &value[c])) {
            return false;
        }
        line += length + 1;
    }
    return true;
}

static od_status read_lines(od_context *ctx, od_arena *arena, FILE *in, const char *file, od_sheet *s)
{
    char *line = NULL;
    size_t line_room = 0, room = 0, number = 0;
    od_status status = OD_OK;
    ssize_t length;
    double *value = NULL;
    while (status == OD_OK && (length = getline(&line, &line_room, in)) >= 0) {
        number++;
        if (length > 0 && line[length - 1] == '\n') {
            line[length - 1] = '\0';
        }
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        if (s->name == NULL) {
            status = read_names(arena, s, line) ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for %s", file);
            continue;
        }
        if (s->rows == room) {
            room = room == 0 ? 256 : 2 * room;
            double *more = realloc(value, room * s->columns * sizeof *value);
            if (more == NULL) {
                status = od_fail(ctx, OD_ENOMEM, NULL, "no memory for %s", file);
                break;
            }
            value = more;
        }
        if (!read_row(s, line, value + s->rows * s->columns)) {
            status = od_fail(ctx, OD_EIO, NULL, "%s:%zu: expected %zu numbers; make the figure again", file, number,
                             s->columns);
        }
        s->rows++;
    }
    free(line);
    if (status == OD_OK && s->rows > 0) {
        s->value = od_arena_alloc(arena, s->rows * s->columns, sizeof *s->value);
        if (s->value == NULL) {
            status = od_fail(ctx, OD_ENOMEM, NULL, "no memory for %s", file);
        } else {
            memcpy(s->value, value, s->rows * s->columns * sizeof *value);
        }
    }
    free(value);
    return status;
}

od_status od_sheet_read(od_context *ctx, od_arena *arena, const char *file, od_sheet *s)
{
    *s = (od_sheet){0};
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        return od_fail(ctx, OD_EIO, NULL, "%s cannot be read: %s", file, strerror(errno));
    }
    od_status status = read_lines(ctx, arena, in, file, s);
    fclose(in);
    return status;
}

long od_sheet_column(const od_sheet *s, const char *name)
{
    for (size_t c = 0; c < s->columns; c++) {
        if (strcmp(s->name[c], name) == 0) {
            return (long)c;
        }
    }
    return OD_NO_COLUMN;
}
