/* A method of the user's, in a shared object: src/plugin.h. SPDX-License-Identifier: GPL-3.0-or-later */
#include "../src/plugin.h"

const od_method_type od_method_plugin = {
    .name = "plugin",
    .summary = "a method from a shared object that exports od_plugin_method (docs/plugins.md)",
    .source = "the author of the file",
    .params = od_plugin_params,
};
