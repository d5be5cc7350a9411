/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "design.h"

#include "../src/clones.h"
#include "../src/memory.h"

#include <stdlib.h>
#include <string.h>

/* Four numbers, wherever they lie. */
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));

static bool is_empty(const double *group)
{
    for (size_t c = 0; c < OD_GROUP; c++) {
        if (group[c] != 0) {
            return false;
        }
    }
    return true;
}

/* Counts a row's groups, even in number, and fills them in if there is room. The memory is zeroed. */
static size_t fill_row(const double *row, size_t stride, uint32_t *column, double *value)
{
    size_t count = 0;
    for (size_t j = 0; j < stride; j += OD_GROUP) {
        if (!is_empty(row + j)) {
            if (value != NULL) {
                column[count] = (uint32_t)j;
                memcpy(value + OD_GROUP * count, row + j, OD_GROUP * sizeof *row);
            }
            count++;
        }
    }
    return count + count % 2;
}

bool od_design_create(const od_data *data, od_design *design)
{
    *design = (od_design){
        .rows = data->rows, .stride = data->stride, .start = od_zalloc(data->rows + 1, sizeof *design->start)};
    for (size_t r = 0; design->start != NULL && r < data->rows; r++) {
        design->start[r + 1] = design->start[r] + fill_row(data->row + r * data->stride, data->stride, NULL, NULL);
    }
    const size_t groups = design->start != NULL ? design->start[data->rows] : 0;
    design->column = od_zalloc(groups, sizeof *design->column);
    design->value = od_zalloc(groups * OD_GROUP, sizeof *design->value);
    if (design->start == NULL || design->column == NULL || design->value == NULL) {
        od_design_free(design);
        return false;
    }
    design->full = true;
    for (size_t r = 0; r < data->rows; r++) {
        const size_t first = design->start[r], count = design->start[r + 1] - first;
        fill_row(data->row + r * data->stride, data->stride, design->column + first, design->value + OD_GROUP * first);
        /* the last column is in its place only if no group is empty */
        design->full = design->full && count * OD_GROUP == data->stride &&
                       design->column[first + count - 1] + OD_GROUP == data->stride;
    }
    return true;
}

void od_design_free(od_design *design)
{
    free(design->start);
    free(design->column);
    free(design->value);
    *design = (od_design){0};
}

size_t od_design_width(size_t n, size_t p)
{
    return n - p >= OD_PANEL ? OD_PANEL : 1;
}

void od_design_pack(const od_design *a, size_t cols, bool panels, size_t n, const double *x, double *packed)
{
    for (size_t p = 0, width; p < n; p += width) {
        width = panels ? od_design_width(n, p) : 1;
        double *point = packed + p * a->stride;
        for (size_t j = 0; j < cols; j++) {
            for (size_t k = 0; k < width; k++) {
                point[j * width + k] = x[j * n + p + k];
            }
        }
        memset(point + cols * width, 0, (a->stride - cols) * width * sizeof *point);
    }
}

/* One point: the vectors run along the columns of a group. */
OD_CLONES static void apply_one(const od_design *a, size_t first, size_t count, const double *v, double *t)
{
    const size_t *start = a->start + first;
    const uint32_t *column = a->column;
    const four *value = (const four *)a->value;
    for (size_t r = 0; r < count; r++) {
        four even = {0}, odd = {0};
        for (size_t g = start[r], end = start[r + 1]; g < end; g += 2) {
            even += value[g] * *(const four *)(v + column[g]);
            odd += value[g + 1] * *(const four *)(v + column[g + 1]);
        }
        t[r] = ((even[0] + even[1]) + (even[2] + even[3])) + ((odd[0] + odd[1]) + (odd[2] + odd[3]));
    }
}

/* Rows without gaps, four at a time: the same sums, with fewer visits. Returns how many rows that were. */
OD_CLONES static size_t add_full_rows(const od_design *a, size_t first, size_t count, const double *s, double *sum)
{
    size_t r = 0;
    for (; r + 4 <= count; r += 4) {
        const four *row = (const four *)(a->value + (first + r) * a->stride);
        const size_t next = a->stride / 4;
        for (size_t j = 0; j < next; j++) {
            four *out = (four *)sum + j;
            *out = (((*out + row[j] * s[r]) + row[next + j] * s[r + 1]) + row[2 * next + j] * s[r + 2]) +
                   row[3 * next + j] * s[r + 3];
        }
    }
    return r;
}

OD_CLONES static void add_one(const od_design *a, size_t first, size_t count, const double *s, double *sum)
{
    /* held here, since the compiler must take it that writing to `sum` may change *a */
    const size_t *start = a->start + first;
    const uint32_t *column = a->column;
    const four *value = (const four *)a->value;
    for (size_t r = a->full ? add_full_rows(a, first, count, s, sum) : 0; r < count; r++) {
        const double weight = s[r];
        for (size_t g = start[r], end = start[r + 1]; g < end; g += 2) {
            four *even = (four *)(sum + column[g]), *odd = (four *)(sum + column[g + 1]);
            *even += value[g] * weight;
            *odd += value[g + 1] * weight;
        }
    }
}

/* A panel: the vectors run along the points. */
OD_CLONES static void apply_panel(const od_design *a, size_t first, size_t count, const double *v, double *t)
{
    for (size_t r = 0; r < count; r++) {
        four even[OD_GROUP] = {{0}}, odd[OD_GROUP] = {{0}};
        for (size_t g = a->start[first + r]; g < a->start[first + r + 1]; g += 2) {
            const double *value = a->value + OD_GROUP * g;
            const four *x = (const four *)(v + OD_PANEL * a->column[g]);
            const four *y = (const four *)(v + OD_PANEL * a->column[g + 1]);
#pragma GCC unroll 4
            for (size_t c = 0; c < OD_GROUP; c++) {
                even[c] += value[c] * x[c];
                odd[c] += value[OD_GROUP + c] * y[c];
            }
        }
        const four all = ((even[0] + even[1]) + (even[2] + even[3])) + ((odd[0] + odd[1]) + (odd[2] + odd[3]));
        for (size_t k = 0; k < OD_PANEL; k++) {
            t[k * count + r] = all[k];
        }
    }
}

OD_CLONES static void add_panel(const od_design *a, size_t first, size_t count, const double *s, double *sum)
{
    const size_t *start = a->start + first;
    const uint32_t *column = a->column;
    const double *value = a->value;
    for (size_t r = 0; r < count; r++) {
        const four weight = {s[r], s[count + r], s[2 * count + r], s[3 * count + r]};
        for (size_t g = start[r], end = start[r + 1]; g < end; g++) {
            four *out = (four *)(sum + OD_PANEL * column[g]);
#pragma GCC unroll 4
            for (size_t c = 0; c < OD_GROUP; c++) {
                out[c] += value[OD_GROUP * g + c] * weight;
            }
        }
    }
}

void od_design_apply(const od_design *a, size_t first, size_t count, size_t width, const double *v, double *t)
{
    (width == 1 ? apply_one : apply_panel)(a, first, count, v, t);
}

void od_design_add(const od_design *a, size_t first, size_t count, size_t width, const double *s, double *sum)
{
    (width == 1 ? add_one : add_panel)(a, first, count, s, sum);
}
