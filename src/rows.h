/* Tables of a run, row by row. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_ROWS_H
#define OD_ROWS_H

#include "tally.h"

typedef enum od_rows_kind {
    OD_ROWS_QUANTITIES, /* a row for each recorded time: the quantities, of an ensemble their statistics */
    OD_ROWS_COVARIANCE, /* the same times: the covariance of the state, i <= j */
    OD_ROWS_HISTOGRAM,  /* a row for each bin that is not empty */
    OD_ROWS_SINGLES,    /* a row for each recorded time of each single path kept */
    OD_ROWS_KINDS
} od_rows_kind;

enum { OD_MAX_TABLES = 2 * OD_ROWS_KINDS, OD_TABLE_ROOM = 32 };

/** One table of a member, of the flow or of the iteration. */
typedef struct od_rows {
    const od_member *m;
    const od_tally *tally;
    od_rows_kind kind;
    bool map;
    size_t columns;     /* of the file */
    char (*name)[96];   /* [columns] */
    const char **unit;  /* [columns] */
    size_t word_column; /* whose values are places in `word`; SIZE_MAX if there is none */
    char (*word)[40];   /* names of the recorded numbers, or NULL */
} od_rows;

/** True if a member has this table. */
bool od_rows_wanted(const od_member *m, bool map, od_rows_kind kind);
/** Opens all tables of a member; returns their number, 0 if there is no memory. */
size_t od_rows_open(const od_member *m, const od_tally *tally, od_rows rows[OD_MAX_TABLES]);
void od_rows_close(od_rows *rows, size_t count);
/** "flow", "iteration-covariance" and so on. */
void od_rows_name(const od_rows *rows, char name[OD_TABLE_ROOM]);
/** Rows that there may be. */
size_t od_rows_count(const od_rows *rows);
/** Fills value[columns] of a row; false if there is none, because no path got there or the bin is empty. */
bool od_rows_read(const od_rows *rows, size_t row, double *value);

#endif
