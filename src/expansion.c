/* Several runs in one file: `compare` and `sweep`. SPDX-License-Identifier: GPL-3.0-or-later */
#include "member.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MEMBERS = 10000 };

static od_status add_root(od_expansion *x, od_node *root, const char *label, const od_node *value)
{
    if (x->count == MAX_MEMBERS) {
        return od_node_fail(x->ctx, root, "sweep", "more than %d runs; sweep over fewer values", MAX_MEMBERS);
    }
    if (x->count == x->room) {
        const size_t room = x->room == 0 ? 16 : 2 * x->room;
        od_node **roots = od_arena_alloc(x->arena, room, sizeof *roots);
        const char **labels = od_arena_alloc(x->arena, room, sizeof *labels);
        const od_node **values = od_arena_alloc(x->arena, room, sizeof *values);
        size_t *series = od_arena_alloc(x->arena, room, sizeof *series);
        if (roots == NULL || labels == NULL || values == NULL || series == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        if (x->count > 0) {
            memcpy(roots, x->root, x->count * sizeof *roots);
            memcpy(labels, x->label, x->count * sizeof *labels);
            memcpy(values, x->value, x->count * sizeof *values);
            memcpy(series, x->series, x->count * sizeof *series);
        }
        x->root = roots;
        x->label = labels;
        x->value = values;
        x->series = series;
        x->room = room;
    }
    x->root[x->count] = root;
    x->value[x->count] = value;
    x->series[x->count] = x->series_count;
    x->label[x->count++] = label;
    return OD_OK;
}

static od_status sweep(od_expansion *x, od_node *root, const od_node *values, size_t level, const char *label,
                       const od_node *value)
{
    if (values == NULL || level == values->count) {
        return add_root(x, root, label, value);
    }
    const char *path = values->key[level];
    if (level + 1 == values->count) {
        x->swept = path;
        x->series_count++;
    }
    const od_node *list = values->item[level];
    if (strcmp(path, "compare") == 0 || strcmp(path, "sweep") == 0) {
        return od_node_fail(x->ctx, list, "sweep", "compare and sweep cannot be nested");
    }
    if (list->kind != OD_NODE_LIST || list->count == 0) {
        return od_node_fail(x->ctx, list, "sweep", "expected a list of values of %s, for example {%s: [0.1, 0.2]}",
                            path, path);
    }
    for (size_t i = 0; i < list->count; i++) {
        od_node *copy = od_node_copy(x->arena, root);
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        if (copy == NULL || out == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        fprintf(out, "%s%s%s=", label, label[0] != '\0' ? " " : "", path);
        od_node_write(out, list->item[i]);
        fclose(out);
        const char *longer = od_arena_text(x->arena, text, size);
        free(text);
        od_status status = longer == NULL ? od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment")
                                          : od_document_put(x->ctx, x->arena, copy, path, strlen(path), list->item[i]);
        status = status == OD_OK ? sweep(x, copy, values, level + 1, longer, list->item[i]) : status;
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

od_status od_experiment_expand(od_expansion *x, const od_node *root)
{
    const od_node *compare = od_node_item(root, "compare"), *values = od_node_item(root, "sweep");
    if (compare != NULL && (compare->kind != OD_NODE_LIST || compare->count == 0)) {
        return od_node_fail(x->ctx, compare, "compare", "expected a list such as [{method: {name: gradient}}, ...]");
    }
    if (values != NULL && (values->kind != OD_NODE_MAP || values->count == 0)) {
        return od_node_fail(x->ctx, values, "sweep", "expected a map such as {method.step: [0.1, 0.2]}");
    }
    for (size_t i = 0; i < (compare != NULL ? compare->count : 1); i++) {
        od_node *copy = od_node_copy(x->arena, root);
        const od_node *entry = compare != NULL ? compare->item[i] : NULL;
        if (copy == NULL) {
            return od_fail(x->ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        if (entry != NULL && entry->kind != OD_NODE_MAP) {
            return od_node_fail(x->ctx, entry, "compare", "expected a map such as {method: {name: gradient}}");
        }
        for (size_t j = 0; entry != NULL && j < entry->count; j++) {
            if (strcmp(entry->key[j], "compare") == 0 || strcmp(entry->key[j], "sweep") == 0) {
                return od_node_fail(x->ctx, entry->item[j], "compare", "compare and sweep cannot be nested");
            }
            od_status status = od_node_put(x->ctx, x->arena, copy, entry->key[j], entry->item[j]);
            if (status != OD_OK) {
                return status;
            }
        }
        const od_node *label = od_node_item(copy, "label"), *method = od_node_item(copy, "method");
        const od_node *name = method != NULL && method->kind == OD_NODE_MAP ? od_node_item(method, "name") : method;
        const od_node *text = label != NULL ? label : compare != NULL ? name : NULL;
        if (label != NULL && label->kind != OD_NODE_SCALAR) {
            return od_node_fail(x->ctx, label, "label", "expected a text");
        }
        od_status status = sweep(x, copy, values, 0, text != NULL && text->kind == OD_NODE_SCALAR ? text->text : "",
                                 NULL);
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}
