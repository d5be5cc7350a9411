/* Labels of members name files and groups, so no two may be taken for each other. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_LABEL_H
#define OD_LABEL_H

#include "experiment.h"

enum { OD_LABEL_ROOM = sizeof((od_member *)0)->label };

/** The label as part of a file name: letters, digits and, but for the first, '.' and '-'; else '_'. */
void od_label_stem(const char *label, char stem[OD_LABEL_ROOM]);
/** Labels member i by `wanted`, cut to whole letters, with a number if an earlier member's files would be the same. */
void od_label_member(od_experiment *e, size_t i, const char *wanted);

#endif
