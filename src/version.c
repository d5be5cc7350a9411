/* What this build is made of. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

#include "build_config.h"

const char *od_version(void)
{
    return OD_VERSION;
}

const char *od_version_libraries(void)
{
    return OD_LIBRARIES;
}
