/* A CSV file of results, read back. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SHEET_H
#define OD_SHEET_H

#include "src/memory.h"
#include "optdyn.h"

enum { OD_NO_COLUMN = -1 };

/** All rows of a result file: value[row*columns + column]; lives in the arena. */
typedef struct od_sheet {
    size_t columns, rows;
    const char **name; /* [columns] */
    double *value;
} od_sheet;

od_status od_sheet_read(od_context *ctx, od_arena *arena, const char *file, od_sheet *sheet);

/** Index of a column, or OD_NO_COLUMN. */
long od_sheet_column(const od_sheet *sheet, const char *name);

static inline double od_sheet_at(const od_sheet *sheet, size_t row, long column)
{
    return sheet->value[row * sheet->columns + (size_t)column];
}

#endif
