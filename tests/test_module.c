/* A module as small as can be, for tests/module_test.c. SPDX-License-Identifier: GPL-3.0-or-later */
#include "src/module.h"

#include "build_config.h"

#if VERSION > 0
typedef struct api {
    od_module_head head;
    int number;
} api;

extern OD_MODULE_SYMBOL const api NAME;
const api NAME = {{OD_VERSION, VERSION}, 2385};
#else
int nothing;
#endif
