/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "finite.h"

#include "clones.h"

#include <stdint.h>
#include <string.h>

/* Its sign is set if x is not finite: adding to an exponent of all ones carries into it. */
static inline uint64_t carry(double x)
{
    const uint64_t exponent = UINT64_C(0x7ff0000000000000), one = UINT64_C(0x0010000000000000);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & exponent) + one;
}

/* In four quarters, so that no operation waits for the one before. */
OD_CLONES static bool all_finite(const double *z, size_t size)
{
    const size_t quarter = size / 4;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i < quarter; i++) {
        a |= carry(z[i]);
        b |= carry(z[quarter + i]);
        c |= carry(z[2 * quarter + i]);
        d |= carry(z[3 * quarter + i]);
    }
    for (size_t i = 4 * quarter; i < size; i++) {
        a |= carry(z[i]);
    }
    return (a | b | c | d) >> 63 == 0;
}

/* clones are exported whatever the visibility, so the one that is called from elsewhere is none */
bool od_all_finite(const double *z, size_t size)
{
    return all_finite(z, size);
}
