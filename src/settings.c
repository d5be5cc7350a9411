/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "settings.h"

#include "context.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARAMS = 64 };

struct od_settings {
    od_place place;
    const od_node *whole; /* the part, NULL if it was left out: where an entry that is missing is missed */
    size_t count;
    const od_param *param[MAX_PARAMS];
    od_value value[MAX_PARAMS];
    const od_node *node[MAX_PARAMS]; /* NULL for a default */
};

static size_t find(const od_settings *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->param[i]->name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static size_t must_find(const od_settings *s, const char *name)
{
    size_t i = find(s, name);
    if (i == SIZE_MAX) {
        fprintf(stderr, "optdyn: '%s' is not in the parameter table of %s: a programming error\n", name, s->place.path);
        abort();
    }
    return i;
}

const od_value *od_setting(const od_settings *s, const char *name)
{
    return &s->value[must_find(s, name)];
}

double od_setting_real(const od_settings *s, const char *name)
{
    const od_value *v = od_setting(s, name);
    return v->present ? v->real : NAN;
}

const char *od_setting_text(const od_settings *s, const char *name)
{
    const od_value *v = od_setting(s, name);
    return v->present && v->text != NULL ? v->text : "";
}

bool od_setting_present(const od_settings *s, const char *name)
{
    return od_setting(s, name)->present;
}

const char *od_settings_folder(const od_settings *s)
{
    return s->place.data[0] != '\0' ? s->place.data : s->place.folder;
}

static void dotted(char path[256], const od_settings *s, const char *name)
{
    snprintf(path, 256, "%s%s%s", s->place.path, s->place.path[0] != '\0' ? "." : "", name);
}

od_status od_setting_fail(od_context *ctx, const od_settings *s, const char *name, const char *format, ...)
{
    char path[256];
    dotted(path, s, name);
    const size_t i = find(s, name);
    const od_node *node = i != SIZE_MAX && s->node[i] != NULL ? s->node[i] : s->whole;
    va_list args;
    va_start(args, format);
    od_fail_at(ctx, OD_EINVAL, node != NULL ? node->origin : NULL, node != NULL ? node->line : 0, path, format, args);
    va_end(args);
    return OD_EINVAL;
}

static const char *const kind_words[] = {
    [OD_REAL] = "a number",
    [OD_INTEGER] = "a whole number",
    [OD_TEXT] = "a text",
    [OD_FILE] = "a file name",
    [OD_CHOICE] = "one of the names",
    [OD_FLAG] = "true or false",
    [OD_VECTOR] = "a list of numbers",
    [OD_MATRIX] = "a list of rows of numbers",
    [OD_NAMES] = "a list of names",
    [OD_VARIANT] = "a number, a list, a matrix or a name",
    [OD_DATA] = "a name, a file or a folder",
};

static void node_words(char words[96], const od_node *node)
{
    if (node->kind == OD_NODE_SCALAR) {
        snprintf(words, 96, node->quoted ? "the text \"%.60s\"" : "'%.60s'", node->text);
    } else {
        snprintf(words, 96, "a %s of %zu", node->kind == OD_NODE_LIST ? "list" : "map", node->count);
    }
}

static od_status wrong_kind(od_context *ctx, const od_node *node, const char *path, const od_param *p)
{
    char words[96];
    double number;
    node_words(words, node);
    const bool quotes = node->kind == OD_NODE_SCALAR && node->quoted && od_text_real(node->text, &number);
    const char *before = p->choices == NULL ? "" : p->kind == OD_CHOICE ? " " : " or ";
    return od_node_fail(ctx, node, path, "expected %s%s%s (%s), got %s%s", kind_words[p->kind], before,
                        p->choices != NULL ? p->choices : "", p->meaning, words, quotes ? "; remove the quotes" : "");
}

static od_status check_range(od_context *ctx, const od_node *node, const char *path, const od_param *p, double x)
{
    char shown[OD_REAL_ROOM], low[OD_REAL_ROOM], high[OD_REAL_ROOM];
    if (!isfinite(x)) {
        return od_node_fail(ctx, node, path, "%s is not a finite number; give one (%s)", od_real_text(shown, x),
                            p->meaning);
    }
    if (p->low == 0 && p->high == 0) {
        return OD_OK;
    }
    bool below = p->low_open ? x <= p->low : x < p->low;
    bool above = p->high_open ? x >= p->high : x > p->high;
    if (!below && !above) {
        return OD_OK;
    }
    if (isinf(p->high)) {
        return od_node_fail(ctx, node, path, "%s is out of range: it must be %s %s (%s)", od_real_text(shown, x),
                            p->low_open ? "greater than" : "at least", od_real_text(low, p->low), p->meaning);
    }
    return od_node_fail(ctx, node, path, "%s is out of range: it must be %s %s and %s %s (%s)", od_real_text(shown, x),
                        p->low_open ? "greater than" : "at least", od_real_text(low, p->low),
                        p->high_open ? "less than" : "at most", od_real_text(high, p->high), p->meaning);
}

static od_status read_number(od_context *ctx, const od_node *node, const char *path, const od_param *p, double *x)
{
    if (node->kind != OD_NODE_SCALAR || node->quoted || !od_text_real(node->text, x)) {
        return wrong_kind(ctx, node, path, p);
    }
    od_status status = check_range(ctx, node, path, p, *x);
    if (status == OD_OK && p->kind == OD_INTEGER && (*x != floor(*x) || fabs(*x) > 9007199254740991.0)) {
        return wrong_kind(ctx, node, path, p);
    }
    return status;
}

static od_status read_list(od_context *ctx, od_arena *arena, const od_node *node, const char *path, const od_param *p,
                           od_value *v)
{
    const bool rows = node->count > 0 && node->item[0]->kind == OD_NODE_LIST;
    if (rows ? p->kind == OD_VECTOR : p->kind == OD_MATRIX) {
        return wrong_kind(ctx, node, path, p);
    }
    v->kind = rows ? OD_MATRIX : OD_VECTOR;
    v->rows = rows ? node->count : 1;
    v->cols = rows ? node->item[0]->count : node->count;
    if (v->cols == 0) {
        return od_node_fail(ctx, node, path, "the list is empty; give at least one number (%s)", p->meaning);
    }
    double *list = od_arena_alloc(arena, v->rows * v->cols, sizeof *list);
    if (list == NULL) {
        return od_fail(ctx, OD_ENOMEM, path, "no memory for %zu numbers", v->rows * v->cols);
    }
    v->list = list;
    for (size_t r = 0; r < v->rows; r++) {
        const od_node *row = rows ? node->item[r] : node;
        if (row->kind != OD_NODE_LIST || row->count != v->cols) {
            return od_node_fail(ctx, row, path,
                                "row %zu does not have %zu numbers as the first row has; make all equal", r + 1,
                                v->cols);
        }
        for (size_t c = 0; c < v->cols; c++) {
            od_status status = read_number(ctx, row->item[c], path, p, &list[r * v->cols + c]);
            if (status != OD_OK) {
                return status;
            }
        }
    }
    return OD_OK;
}

static od_status read_names(od_context *ctx, od_arena *arena, const od_node *node, const char *path, const od_param *p,
                            od_value *v)
{
    const size_t count = node->kind == OD_NODE_LIST ? node->count : 1;
    const char **names = od_arena_alloc(arena, count + 1, sizeof *names);
    if (names == NULL) {
        return od_fail(ctx, OD_ENOMEM, path, "no memory for %zu names", count);
    }
    for (size_t i = 0; i < count; i++) {
        const od_node *item = node->kind == OD_NODE_LIST ? node->item[i] : node;
        if (item->kind != OD_NODE_SCALAR) {
            return wrong_kind(ctx, item, path, p);
        }
        names[i] = item->text;
    }
    v->names = names;
    v->rows = 1;
    v->cols = count;
    return OD_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t length = strlen(text);
    for (const char *p = choices; p != NULL && length > 0;) {
        const char *bar = strchr(p, '|');
        size_t n = bar != NULL ? (size_t)(bar - p) : strlen(p);
        if (n == length && memcmp(p, text, n) == 0) {
            return true;
        }
        p = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

static od_status read_value(od_context *ctx, od_arena *arena, const od_node *node, const char *path, const od_param *p,
                            od_value *v)
{
    v->present = true;
    v->line = node->line;
    v->kind = p->kind;
    v->text = node->text;
    const bool scalar = node->kind == OD_NODE_SCALAR;
    switch (p->kind) {
    case OD_INTEGER:
        if (scalar && is_choice(p->choices, node->text)) {
            v->kind = OD_TEXT;
            v->real = NAN;
            return OD_OK;
        }
        return read_number(ctx, node, path, p, &v->real);
    case OD_REAL: return read_number(ctx, node, path, p, &v->real);
    case OD_TEXT:
    case OD_DATA:
    case OD_FILE:
        return scalar && (p->kind != OD_FILE || node->text[0] != '\0') ? OD_OK : wrong_kind(ctx, node, path, p);
    case OD_CHOICE: return scalar && is_choice(p->choices, node->text) ? OD_OK : wrong_kind(ctx, node, path, p);
    case OD_FLAG:
        v->real = scalar && strcmp(node->text, "true") == 0;
        return v->real != 0 || (scalar && strcmp(node->text, "false") == 0) ? OD_OK : wrong_kind(ctx, node, path, p);
    case OD_NAMES:
        return node->kind == OD_NODE_MAP ? wrong_kind(ctx, node, path, p) : read_names(ctx, arena, node, path, p, v);
    case OD_VECTOR:
    case OD_MATRIX:
    case OD_VARIANT: break;
    }
    if (node->kind == OD_NODE_LIST) {
        return read_list(ctx, arena, node, path, p, v);
    }
    if (node->kind == OD_NODE_MAP || p->kind == OD_MATRIX) {
        return wrong_kind(ctx, node, path, p);
    }
    double x;
    if (p->kind == OD_VARIANT && (node->quoted || !od_text_real(node->text, &x))) {
        v->kind = OD_TEXT;
        return OD_OK;
    }
    od_status status = read_number(ctx, node, path, p, &x);
    double *list = od_arena_alloc(arena, 1, sizeof *list);
    if (status != OD_OK || list == NULL) {
        return status != OD_OK ? status : od_fail(ctx, OD_ENOMEM, path, "no memory for a number");
    }
    *list = x;
    v->kind = p->kind == OD_VARIANT ? OD_REAL : OD_VECTOR;
    v->real = x;
    v->list = list;
    v->rows = v->cols = 1;
    return OD_OK;
}

static od_status unknown_key(od_context *ctx, const od_settings *s, const od_node *node, const char *key)
{
    const char *names[MAX_PARAMS];
    char all[1024] = "";
    for (size_t i = 0; i < s->count; i++) {
        names[i] = s->param[i]->name;
        od_text_join(all, sizeof all, names[i]);
    }
    const char *nearest = od_text_nearest(key, names, s->count);
    char path[256];
    dotted(path, s, key);
    return od_node_fail(ctx, node, path, "there is no such entry%s%s%s; valid are: %s",
                        nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                        nearest != NULL ? "'?)" : "", all);
}

/* A relative name is one in the folder of the experiment file. */
static od_status locate_file(od_context *ctx, od_arena *arena, const od_settings *s, const char *path, od_value *v)
{
    const bool bare = v->text[0] == '/' || s->place.folder[0] == '\0';
    const char *joined = bare ? v->text : od_arena_print(arena, "%s/%s", s->place.folder, v->text);
    char *absolute = joined != NULL ? realpath(joined, NULL) : NULL;
    v->kind = OD_TEXT;
    v->text = absolute != NULL ? od_arena_text(arena, absolute, strlen(absolute)) : joined;
    free(absolute);
    return v->text != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, path, "no memory for a file name");
}

/* The absolute name of what is called so in this folder; NULL if there is no such thing, or no memory. */
static char *find_in(od_arena *arena, const char *folder, const char *name)
{
    const char *joined = folder[0] != '\0' ? od_arena_print(arena, "%s/%s", folder, name) : name;
    return joined != NULL ? realpath(joined, NULL) : NULL;
}

/* What is not in the data folder may be in the one that the file names, or beside it; then its name is made absolute.
 */
static od_status locate_data(od_context *ctx, od_arena *arena, const od_settings *s, const char *path, od_value *v,
                             const char *drawn)
{
    v->kind = OD_TEXT;
    if (v->text[0] == '/' || v->text[0] == '\0' || is_choice(drawn, v->text) || s->place.data[0] == '\0') {
        return OD_OK;
    }
    char *usual = find_in(arena, s->place.data, v->text);
    char *other = usual == NULL && s->place.entry[0] != '\0' ? find_in(arena, s->place.entry, v->text) : NULL;
    other = usual == NULL && other == NULL ? find_in(arena, s->place.folder, v->text) : other;
    v->text = other != NULL ? od_arena_text(arena, other, strlen(other)) : v->text;
    free(usual);
    free(other);
    return v->text != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, path, "no memory for a file name");
}

static od_status resolve_one(od_context *ctx, od_arena *arena, od_settings *s, size_t i, const od_node *written)
{
    const od_param *p = s->param[i];
    char path[256];
    dotted(path, s, p->name);
    if (written != NULL && !od_node_is_null(written)) {
        s->node[i] = written;
        s->value[i].given = true;
        od_status status = read_value(ctx, arena, written, path, p, &s->value[i]);
        return status != OD_OK      ? status
               : p->kind == OD_FILE ? locate_file(ctx, arena, s, path, &s->value[i])
               : p->kind == OD_DATA ? locate_data(ctx, arena, s, path, &s->value[i], p->choices)
                                    : OD_OK;
    }
    if (p->fallback == NULL) {
        return OD_EINVAL;
    }
    if (p->fallback[0] == '\0') {
        return OD_OK;
    }
    od_node *node = od_document_parse(ctx, arena, p->fallback, strlen(p->fallback), "default");
    return node == NULL ? OD_EINVAL : read_value(ctx, arena, node, path, p, &s->value[i]);
}

od_settings *od_settings_resolve(od_context *ctx, od_arena *arena, const od_param *const tables[], const od_node *node,
                                 od_place place)
{
    od_settings *s = od_arena_alloc(arena, 1, sizeof *s);
    if (s == NULL) {
        od_fail(ctx, OD_ENOMEM, place.path, "no memory for the settings");
        return NULL;
    }
    s->whole = node;
    s->place = (od_place){place.path, place.folder != NULL ? place.folder : "", place.data != NULL ? place.data : "",
                          place.entry != NULL ? place.entry : ""};
    for (size_t t = 0; tables[t] != NULL; t++) {
        for (const od_param *p = tables[t]; p->name != NULL && s->count < MAX_PARAMS; p++) {
            s->param[s->count++] = p;
        }
    }
    const bool map = node != NULL && node->kind == OD_NODE_MAP;
    if (node != NULL && node->kind == OD_NODE_LIST) {
        od_node_fail(ctx, node, place.path, "expected a map such as {name: ...}, got a list of %zu", node->count);
        return NULL;
    }
    for (size_t i = 0; map && i < node->count; i++) {
        if (strcmp(node->key[i], "name") != 0 && find(s, node->key[i]) == SIZE_MAX) {
            unknown_key(ctx, s, node->item[i], node->key[i]);
            return NULL;
        }
    }
    for (size_t i = 0; i < s->count; i++) {
        const od_param *p = s->param[i];
        const od_node *written = map ? od_node_item(node, p->name) : NULL;
        od_status status = resolve_one(ctx, arena, s, i, written);
        if (status != OD_OK) {
            if (p->fallback == NULL && (written == NULL || od_node_is_null(written))) {
                char path[256];
                dotted(path, s, p->name);
                od_node_fail(ctx, node, path, "this entry is needed: %s, %s", kind_words[p->kind], p->meaning);
            }
            return NULL;
        }
    }
    return s;
}

static void write_value(FILE *out, const od_value *v)
{
    char number[OD_REAL_ROOM];
    if (v->kind == OD_TEXT || v->kind == OD_CHOICE) {
        od_text_write(out, v->text);
        return;
    }
    if (v->kind == OD_FLAG) {
        fputs(v->real != 0 ? "true" : "false", out);
        return;
    }
    if (v->kind == OD_REAL || v->kind == OD_INTEGER) {
        fputs(od_real_text(number, v->real), out);
        return;
    }
    if (v->kind == OD_NAMES) {
        fputc('[', out);
        for (size_t i = 0; i < v->cols; i++) {
            fputs(i > 0 ? ", " : "", out);
            od_text_write(out, v->names[i]);
        }
        fputc(']', out);
        return;
    }
    const bool rows = v->kind == OD_MATRIX;
    fputs(rows ? "[" : "", out);
    for (size_t r = 0; r < v->rows; r++) {
        fputs(r > 0 ? ", [" : "[", out);
        for (size_t c = 0; c < v->cols; c++) {
            fprintf(out, "%s%s", c > 0 ? ", " : "", od_real_text(number, v->list[r * v->cols + c]));
        }
        fputc(']', out);
    }
    fputs(rows ? "]" : "", out);
}

void od_settings_write(FILE *out, const od_settings *s)
{
    bool first = true;
    for (size_t i = 0; i < s->count; i++) {
        if (s->value[i].present) {
            fprintf(out, "%s%s: ", first ? "" : ", ", s->param[i]->name);
            write_value(out, &s->value[i]);
            first = false;
        }
    }
}

void od_settings_walk(const od_settings *s,
                      void (*each)(void *user, const od_param *param, const od_value *value, const char *origin),
                      void *user)
{
    for (size_t i = 0; i < s->count; i++) {
        char origin[512] = "default";
        if (s->node[i] != NULL) {
            snprintf(origin, sizeof origin, s->node[i]->line > 0 ? "%.400s:%d" : "%.400s", s->node[i]->origin,
                     s->node[i]->line);
        }
        each(user, s->param[i], &s->value[i], origin);
    }
}

const char *od_part_name(od_context *ctx, const od_node *node, const char *path)
{
    const od_node *name = node->kind == OD_NODE_MAP ? od_node_item(node, "name") : node;
    if (name == NULL || name->kind != OD_NODE_SCALAR || od_node_is_null(name)) {
        od_node_fail(ctx, node, path, "a name is needed, for example {name: ...}; `optdyn list` shows the names");
        return NULL;
    }
    return name->text;
}
