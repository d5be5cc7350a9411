/* What claims recognise a member by. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_KIND_H
#define OD_KIND_H

#include "src/experiment.h"

/** What a claim is said of; numbers are NaN where they do not apply. */
typedef struct od_claims_kind {
    double least, beta; /* smallest and largest curvature of a quadratic */
    size_t steepest;    /* which eigenvalue beta is */
    double viscous;     /* r of damping r/t */
    double damping;     /* alpha of constant damping */
    bool memory;        /* damping and force are both m'/m of some m with m(0) = 0 */
    double forgetting;  /* p of m = t^p */
    double bregman;     /* p of damping (p + 1)/t and force C p^2 t^{p-2} */
    double scale;       /* and its C */
} od_claims_kind;

/** By the spectrum of its loss and by its Lagrangian at two times, not by its name. */
od_claims_kind od_claims_recognise(const od_member *m, double t1, double t2);

#endif
