/* What the answers of analyses have in common. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_REPORT_H
#define OD_REPORT_H

#include "../src/experiment.h"

/** "x_1", "v_2": the name of component i of a member's state. */
void od_report_component(const od_member *m, size_t i, char name[64]);
/** Opens the JSON object with analysis, label, scheme, step, paths and seed; what follows starts with a comma. */
void od_report_open(FILE *out, const char *analysis, const od_member *m);
/** , "key": number and so on. */
void od_report_real(FILE *out, const char *key, double x);
void od_report_text(FILE *out, const char *key, const char *text);
void od_report_list(FILE *out, const char *key, const double *list, size_t count);
void od_report_matrix(FILE *out, const char *key, const double *matrix, size_t rows, size_t cols);

#endif
