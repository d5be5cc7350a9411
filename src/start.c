/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "start.h"

#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static od_status finite_number(od_context *ctx, const od_node *node, const char *path, double *x)
{
    if (node->kind != OD_NODE_SCALAR || node->quoted || !od_text_real(node->text, x)) {
        const bool scalar = node->kind == OD_NODE_SCALAR;
        return od_node_fail(ctx, node, path, "expected a number, got %s%s%s", scalar ? "'" : "a ",
                            scalar ? node->text : "list or map",
                            !scalar        ? ""
                            : node->quoted ? "' in quotes; remove them"
                                           : "'");
    }
    if (!isfinite(*x)) {
        return od_node_fail(ctx, node, path, "%s is not a finite number; give one", node->text);
    }
    return OD_OK;
}

static od_status read_list(od_context *ctx, od_arena *arena, const od_node *node, const char *path, size_t length,
                           const double **values)
{
    const size_t count = node->kind == OD_NODE_LIST ? node->count : 1;
    if (count != length) {
        return od_node_fail(ctx, node, path, "expected a list of %zu numbers, one per component, got %zu", length,
                            count);
    }
    double *list = od_arena_alloc(arena, length, sizeof *list);
    if (list == NULL) {
        return od_fail(ctx, OD_ENOMEM, path, "no memory for %zu numbers", length);
    }
    *values = list;
    for (size_t i = 0; i < length; i++) {
        od_status status = finite_number(ctx, node->kind == OD_NODE_LIST ? node->item[i] : node, path, &list[i]);
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

/* Numbers separated by commas, blanks or line ends; lines starting with # are skipped. */
static od_status read_file(od_context *ctx, od_experiment *e, const od_node *node, const char *path, size_t length,
                           const double **values)
{
    const bool relative = node->text[0] != '/' && e->place.folder[0] != '\0';
    const char *name = relative ? od_arena_print(e->arena, "%s/%s", e->place.folder, node->text) : node->text;
    double *list = od_arena_alloc(e->arena, length, sizeof *list);
    if (name == NULL || list == NULL) {
        return od_fail(ctx, OD_ENOMEM, path, "no memory for %zu numbers", length);
    }
    FILE *in = fopen(name, "r");
    if (in == NULL) {
        return od_node_fail(ctx, node, path, "%s cannot be opened: %s", name, strerror(errno));
    }
    od_status status = OD_OK;
    char *line = NULL;
    size_t room = 0, count = 0, line_number = 0;
    while (status == OD_OK && getline(&line, &room, in) >= 0) {
        line_number++;
        char *rest = NULL;
        for (char *word = line[0] == '#' ? NULL : strtok_r(line, ", \t\r\n;", &rest); word != NULL && status == OD_OK;
             word = strtok_r(NULL, ", \t\r\n;", &rest)) {
            double x;
            if (!od_text_real(word, &x) || !isfinite(x)) {
                status = od_node_fail(ctx, node, path, "%s:%zu: '%.40s' is not a finite number", name, line_number,
                                      word);
            } else if (count < length) {
                list[count] = x;
            }
            count++;
        }
    }
    if (status == OD_OK && ferror(in)) {
        status = od_node_fail(ctx, node, path, "%s cannot be read: %s; give a file of numbers", name, strerror(errno));
    }
    free(line);
    fclose(in);
    if (status == OD_OK && count != length) {
        status = od_node_fail(ctx, node, path, "%s holds %zu numbers, expected %zu, one per component", name, count,
                              length);
    }
    *values = list;
    return status;
}

static od_status read_block(od_context *ctx, od_experiment *e, const od_node *node, od_member *m, size_t b)
{
    char path[64];
    snprintf(path, sizeof path, "start.%s", m->block[b].name);
    if (node->kind != OD_NODE_MAP) {
        return read_list(ctx, e->arena, node, path, m->block[b].length, &m->start.given[b]);
    }
    const od_node *normal = od_node_item(node, "normal"), *file = od_node_item(node, "file");
    if (node->count != 1 || (normal == NULL && file == NULL)) {
        return od_node_fail(ctx, node, path, "expected a list, {normal: 0.1} or {file: x.csv}");
    }
    if (file != NULL) {
        return file->kind == OD_NODE_SCALAR ? read_file(ctx, e, file, path, m->block[b].length, &m->start.given[b])
                                            : od_node_fail(ctx, file, path, "expected a file name");
    }
    double s;
    od_status status = finite_number(ctx, normal, path, &s);
    if (status == OD_OK && s < 0) {
        return od_node_fail(ctx, normal, path, "a standard deviation is not negative; got %s", normal->text);
    }
    m->start.normal[b] = s;
    return status;
}

static bool is_initial(const od_node *x)
{
    return x->kind == OD_NODE_SCALAR && strcmp(x->text, "initial") == 0;
}

od_status od_start_read(od_context *ctx, od_experiment *e, const od_node *root, od_member *m)
{
    const od_node *start = od_node_item(root, "start");
    start = start != NULL && od_node_is_null(start) ? NULL : start; /* `--set start=null` leaves it out */
    m->start_node = start != NULL ? start : root;
    for (size_t b = 0; b < OD_MAX_BLOCKS; b++) {
        m->start.normal[b] = NAN;
    }
    const od_node *x = start != NULL && start->kind == OD_NODE_MAP ? od_node_item(start, "x") : NULL;
    m->start.initial = m->problem->initial != NULL && (start == NULL || start->kind == OD_NODE_MAP) &&
                       (x == NULL || is_initial(x));
    if (x == NULL && !m->start.initial) {
        return od_node_fail(ctx, m->start_node, "start.x",
                            "this entry is needed: a list of %zu numbers, {normal: 0.1} or "
                            "{file: x.csv}",
                            m->block[0].length);
    }
    const char *names[1 + OD_MAX_BLOCKS] = {"t"};
    for (size_t b = 0; b < m->block_count; b++) {
        names[1 + b] = m->block[b].name;
    }
    for (size_t i = 0; start != NULL && i < start->count; i++) {
        size_t which = SIZE_MAX;
        for (size_t j = 0; j < 1 + m->block_count; j++) {
            which = strcmp(names[j], start->key[i]) == 0 ? j : which;
        }
        if (start->item[i] == x && m->start.initial) {
            continue;
        }
        od_status status = OD_OK;
        char path[96];
        snprintf(path, sizeof path, "start.%.80s", start->key[i]);
        if (which == SIZE_MAX) {
            char valid[OD_BLOCK_NAMES_ROOM];
            return od_node_fail(ctx, start->item[i], path, "there is no such entry; valid are: t, %s%s",
                                od_member_block_names(m, valid),
                                m->block_count > 1 ? "" : " (this method has no velocity)");
        }
        status = which == 0 ? finite_number(ctx, start->item[i], path, &m->start.t)
                            : read_block(ctx, e, start->item[i], m, which - 1);
        if (status != OD_OK) {
            return status;
        }
    }
    return OD_OK;
}

static bool is_given(const od_member *m, size_t b)
{
    return b == 0 || m->start.given[b] != NULL || !isnan(m->start.normal[b]); /* x always is */
}

od_status od_start_fill(const od_member *m, uint64_t first, size_t n, double *z, double *ws)
{
    od_status status = OD_OK;
    uint64_t component = 0;
    const unsigned share = m->antithetic ? 2 : 1; /* paths that start alike */
    for (size_t pass = 0; pass < 2 && status == OD_OK; pass++) {
        double *block = z;
        component = 0;
        for (size_t b = 0; b < m->block_count; b++) {
            const size_t length = m->block[b].length;
            const bool initial = b == 0 && m->start.initial;
            for (size_t p = 0; p < n && initial; p++) {
                m->problem->initial(m->problem, m->seed, (first + p) / share, n, block + p);
            }
            for (size_t i = 0; i < length && is_given(m, b) && !initial; i++) {
                for (size_t p = 0; p < n; p++) {
                    block[i * n + p] = m->start.given[b] != NULL
                                           ? m->start.given[b][i]
                                           : m->start.normal[b] * od_normal(m->seed, OD_STREAM_START,
                                                                            (first + p) / share, component + i, 0);
                }
            }
            if (pass == 0 && !is_given(m, b)) {
                memset(block, 0, length * n * sizeof *block);
            }
            component += length;
            block += length * n;
        }
        /* the regular values need x; what was given comes back in the second pass */
        if (pass == 0 && m->has_flow && m->flow.rest != NULL) {
            status = m->flow.rest(&m->flow, m->start.t, n, z, ws);
        } else if (pass == 0 && !m->has_flow && m->map.rest != NULL) {
            status = m->map.rest(&m->map, n, z, ws);
        }
    }
    return status;
}

static bool any_given(const od_member *m)
{
    bool any = false;
    for (size_t b = 1; b < m->block_count; b++) {
        any = any || is_given(m, b);
    }
    return any;
}

/* Fails with a sentence about component i of the state. */
static od_status refuse(od_context *ctx, const od_member *m, size_t i, const char *why)
{
    size_t b = 0;
    for (; b + 1 < m->block_count && i >= m->block[b].length; b++) {
        i -= m->block[b].length;
    }
    const od_node *node = od_node_item(m->start_node, m->block[b].name);
    char entry[64];
    snprintf(entry, sizeof entry, "start.%s", m->block[b].name);
    return od_node_fail(ctx, node != NULL ? node : m->start_node, entry, "component %zu: %s", i + 1, why);
}

od_status od_start_check(od_context *ctx, const od_member *m)
{
    const bool flow = m->has_flow && m->flow.refuse != NULL, map = m->has_map && m->map.refuse != NULL;
    if (!any_given(m) || (!flow && !map)) {
        return OD_OK;
    }
    const size_t of_flow = m->has_flow ? od_scratch_size(&m->flow.scratch, 1) : 0;
    const size_t of_map = m->has_map ? od_scratch_size(&m->map.scratch, 1) : 0;
    double *z = od_zalloc(m->dim + (of_flow > of_map ? of_flow : of_map), sizeof *z), *ws = z + m->dim;
    if (z == NULL) {
        return od_fail(ctx, OD_ENOMEM, "start", "no memory for the start");
    }
    size_t component = 0;
    const char *why = NULL;
    if (od_start_fill(m, 0, 1, z, ws) == OD_OK) { /* else the run will say so */
        why = flow ? m->flow.refuse(&m->flow, z, &component, ws) : NULL;
        why = why == NULL && map ? m->map.refuse(&m->map, z, &component, ws) : why;
    }
    free(z);
    return why == NULL ? OD_OK : refuse(ctx, m, component, why);
}

od_status od_start_check_singular(od_context *ctx, const od_member *m)
{
    if (!any_given(m) || m->flow.rest == NULL) {
        return OD_OK;
    }
    double *z = od_zalloc(2 * m->dim + od_scratch_size(&m->flow.scratch, 1), sizeof *z);
    if (z == NULL) {
        return od_fail(ctx, OD_ENOMEM, "start", "no memory for the start");
    }
    double *regular = z + m->dim, *ws = z + 2 * m->dim;
    od_status status = od_start_fill(m, 0, 1, z, ws);
    memcpy(regular, z, m->dim * sizeof *z);
    status = status == OD_OK ? m->flow.rest(&m->flow, 0, 1, regular, ws) : status;
    size_t first = m->block[0].length;
    for (size_t b = 1; b < m->block_count; first += m->block[b++].length) {
        for (size_t i = first; i < first + m->block[b].length && status == OD_OK; i++) {
            if (fabs(z[i] - regular[i]) <= 1e-9 * (1 + fabs(regular[i]))) {
                continue;
            }
            const od_node *node = od_node_item(m->start_node, m->block[b].name);
            char shown[OD_REAL_ROOM], entry[64];
            snprintf(entry, sizeof entry, "start.%s", m->block[b].name);
            status = od_node_fail(ctx, node, entry,
                                  "at the singular start t = 0 only one %s gives a bounded solution; leave %s out, or "
                                  "start at t > 0 (component %zu must be %s)",
                                  strcmp(m->block[b].name, "v") == 0 ? "velocity" : "value", entry, i - first + 1,
                                  od_real_text(shown, regular[i]));
        }
    }
    free(z);
    return status;
}

enum { MAX_WRITTEN = 100000 };

void od_start_write(FILE *out, const od_experiment *e, const od_member *m)
{
    char text[OD_REAL_ROOM];
    fprintf(out, "start: {t: %s", od_real_text(text, m->start.t));
    for (size_t b = 0; b < m->block_count; b++) {
        const od_node *node = od_node_item(m->start_node, m->block[b].name);
        const od_node *file = node != NULL ? od_node_item(node, "file") : NULL;
        if (b == 0 && m->start.initial) {
            fprintf(out, ", %s: initial", m->block[b].name);
            continue;
        }
        if (node == NULL) {
            continue;
        }
        fprintf(out, ", %s: ", m->block[b].name);
        if (file == NULL) {
            od_node_write(out, node);
            continue;
        }
        if (m->block[b].length <= MAX_WRITTEN) {
            /* the numbers themselves: the file may change, the resolved experiment does not */
            for (size_t i = 0; i < m->block[b].length; i++) {
                fprintf(out, "%s%s", i == 0 ? "[" : ", ", od_real_text(text, m->start.given[b][i]));
            }
            fputs("]", out);
            continue;
        }
        char joined[4096];
        snprintf(joined, sizeof joined, "%s%s%s", file->text[0] != '/' ? e->place.folder : "",
                 file->text[0] != '/' && e->place.folder[0] != '\0' ? "/" : "", file->text);
        char *absolute = realpath(joined, NULL);
        fputs("{file: ", out);
        od_text_write(out, absolute != NULL ? absolute : joined);
        fputs("}", out);
        free(absolute);
    }
    fputs("}", out);
}
