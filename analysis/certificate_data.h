/* What a certificate holds. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CERTIFICATE_DATA_H
#define OD_CERTIFICATE_DATA_H

#include "../src/arb/proof.h"
#include "certificate.h"
#include "interval.h"

struct od_certificate {
    od_proof proof;
    od_proven proven;
    double *memory; /* of the proof, and scratch: */
    double *square; /* [6*n*n] */
    double *vector; /* [4*n] */
    od_span *ws;    /* of the rule, then a state and a derivative */
};

#endif
