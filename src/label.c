/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "label.h"

#include "text.h"

#include <ctype.h>
#include <string.h>

void od_label_stem(const char *label, char stem[OD_LABEL_ROOM])
{
    size_t used = 0;
    for (const char *p = label; *p != '\0' && used + 1 < OD_LABEL_ROOM; p++, used++) {
        const bool sign = strchr(used > 0 ? "._=+-" : "_=+", *p) != NULL;
        stem[used] = isalnum((unsigned char)*p) || sign ? *p : '_';
    }
    stem[used] = '\0';
}

static bool is_taken(const od_experiment *e, size_t i, const char *label)
{
    char mine[OD_LABEL_ROOM], other[OD_LABEL_ROOM];
    od_label_stem(label, mine);
    for (size_t j = 0; j < i; j++) {
        od_label_stem(e->member[j].label, other);
        if (strcmp(mine, other) == 0) {
            return true;
        }
    }
    return false;
}

void od_label_member(od_experiment *e, size_t i, const char *wanted)
{
    enum { NUMBER = 8 }; /* a blank and up to six digits */
    char *label = e->member[i].label;
    od_text_copy(label, OD_LABEL_ROOM - NUMBER, wanted);
    if (!is_taken(e, i, label)) {
        return;
    }
    /* of many equal labels each would ask for all numbers again: members before this one are a good guess */
    const size_t used = strlen(label);
    size_t same = 1;
    for (size_t j = 0; j < i; j++) {
        same += strncmp(e->member[j].label, label, used) == 0;
    }
    same = same < 2 ? 2 : same;
    do {
        snprintf(label + used, OD_LABEL_ROOM - used, " %zu", same++);
    } while (is_taken(e, i, label));
}
