/* Coefficients of stochastic Runge-Kutta schemes for additive noise. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_SRA_H
#define OD_SRA_H

#include "optdyn.h"

enum { OD_SRA_STAGES = 2 };

/**
 * An explicit scheme for dX = f(t, X) dt + g(t) dW in the letters of Rössler (2010), with J = I(1,0)/h:
 *
 *   H_i = z + h sum_j A0[i][j] f(t + c0[j] h, H_j) + J sum_j B0[i][j] g(t + c1[j] h)
 *   z+  = z + h sum_i alpha[i] f(t + c0[i] h, H_i) + sum_i (beta1[i] dW + beta2[i] J) g(t + c1[i] h)
 */
typedef struct od_sra_tableau {
    double A0[OD_SRA_STAGES][OD_SRA_STAGES], B0[OD_SRA_STAGES][OD_SRA_STAGES];
    double c0[OD_SRA_STAGES], c1[OD_SRA_STAGES];
    double alpha[OD_SRA_STAGES], beta1[OD_SRA_STAGES], beta2[OD_SRA_STAGES];
} od_sra_tableau;

/** SRA1. */
extern const od_sra_tableau od_sra1;

#endif
