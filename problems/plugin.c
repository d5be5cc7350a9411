/* A problem of the user's, in a shared object: src/plugin.h. SPDX-License-Identifier: GPL-3.0-or-later */
#include "../src/plugin.h"

const od_problem_type od_problem_plugin = {
    .name = "plugin",
    .summary = "a problem from a shared object that exports od_plugin_problem (docs/plugins.md)",
    .source = "the author of the file",
    .params = od_plugin_params,
    .example = NULL,
};
