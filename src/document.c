/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "document.h"

#include "context.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64, MAX_NODES = 4000000, MAX_KEYS = 1000, MAX_FILE = 256 << 20 };

typedef struct reader {
    od_context *ctx;
    od_arena *arena;
    yaml_parser_t *parser;
    const char *origin, *text;
    size_t length, nodes;
} reader;

od_status od_node_fail(od_context *ctx, const od_node *node, const char *entry, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    od_fail_at(ctx, OD_EINVAL, node != NULL ? node->origin : NULL, node != NULL ? node->line : 0, entry, format, args);
    va_end(args);
    return OD_EINVAL;
}

static od_node *refuse(reader *r, size_t line, const char *sentence)
{
    od_node place = {.origin = r->origin, .line = (int)line + 1};
    od_node_fail(r->ctx, &place, NULL, "%s", sentence);
    return NULL;
}

/* A byte that is no text is reported by its offset, a mistake in the text by its mark. */
static size_t line_of_problem(const reader *r)
{
    if (r->parser->error != YAML_READER_ERROR) {
        return r->parser->problem_mark.line;
    }
    size_t line = 0;
    for (size_t i = 0; i < r->parser->problem_offset && i < r->length; i++) {
        line += r->text[i] == '\n';
    }
    return line;
}

static bool next_event(reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(r->parser, event)) {
        return true;
    }
    char sentence[512];
    snprintf(sentence, sizeof sentence, "this is not YAML: %s%s%s",
             r->parser->problem != NULL ? r->parser->problem : "no memory", r->parser->context != NULL ? " " : "",
             r->parser->context != NULL ? r->parser->context : "");
    refuse(r, line_of_problem(r), sentence);
    return false;
}

/* Children are gathered in arrays that double, so that long lists stay linear. */
static bool append(reader *r, od_node *node, const char *key, od_node *item)
{
    size_t n = node->count;
    if ((n & (n - 1)) == 0) {
        size_t room = n == 0 ? 1 : 2 * n;
        od_node **items = od_arena_alloc(r->arena, room, sizeof *items);
        const char **keys = node->kind == OD_NODE_MAP ? od_arena_alloc(r->arena, room, sizeof *keys) : NULL;
        if (items == NULL || (keys == NULL && node->kind == OD_NODE_MAP)) {
            od_fail(r->ctx, OD_ENOMEM, NULL, "no memory for %s", r->origin);
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            items[i] = node->item[i];
            if (keys != NULL) {
                keys[i] = node->key[i];
            }
        }
        node->item = items;
        node->key = keys;
    }
    if (node->kind == OD_NODE_MAP) {
        node->key[n] = key;
    }
    node->item[n] = item;
    node->count = n + 1;
    return true;
}

static od_node *read_node(reader *r, yaml_event_t *event, int depth);

static od_node *read_children(reader *r, od_node *node, int depth)
{
    const yaml_event_type_t end = node->kind == OD_NODE_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event)) {
            return NULL;
        }
        if (event.type == end) {
            yaml_event_delete(&event);
            return node;
        }
        const char *key = NULL;
        if (node->kind == OD_NODE_MAP) {
            size_t line = event.start_mark.line;
            od_node *name = read_node(r, &event, depth);
            if (name == NULL) {
                return NULL;
            }
            if (name->kind != OD_NODE_SCALAR) {
                return refuse(r, line, "a name is expected before ':', not a list or a map");
            }
            key = name->text;
            if (node->count == MAX_KEYS) {
                return refuse(r, line, "this map has more than 1000 entries; an experiment has a few dozen");
            }
            for (size_t i = 0; i < node->count; i++) {
                if (strcmp(node->key[i], key) == 0) {
                    char sentence[256];
                    snprintf(sentence, sizeof sentence, "'%.100s' is given twice (first in line %d); keep one", key,
                             node->item[i]->line);
                    return refuse(r, line, sentence);
                }
            }
            if (!next_event(r, &event)) {
                return NULL;
            }
        }
        od_node *item = read_node(r, &event, depth);
        if (item == NULL || !append(r, node, key, item)) {
            return NULL;
        }
    }
}

/* Takes over the event. */
static od_node *read_node(reader *r, yaml_event_t *event, int depth)
{
    const size_t line = event->start_mark.line;
    const char *trouble = NULL;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    od_node *node = od_arena_alloc(r->arena, 1, sizeof *node);
    if (node == NULL) {
        yaml_event_delete(event);
        od_fail(r->ctx, OD_ENOMEM, NULL, "no memory for %s", r->origin);
        return NULL;
    }
    node->origin = r->origin;
    node->line = (int)line + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        node->kind = OD_NODE_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = od_arena_text(r->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
        if (node->text == NULL) {
            trouble = "no memory";
        } else if (strlen(node->text) != event->data.scalar.length) {
            trouble = "a text contains a zero byte; remove it";
        }
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        node->kind = OD_NODE_LIST;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        node->kind = OD_NODE_MAP;
        break;
    default: /* an alias: what else there is ends lists, maps and documents, which the parser has paired */
        trouble = "anchors and aliases (& and *) are not read here; write the value out";
        break;
    }
    if (anchor != NULL) {
        trouble = "anchors and aliases (& and *) are not read here; write the value out";
    }
    if (tag != NULL) {
        trouble = "tags (!) are not read here; write the plain value";
    }
    yaml_event_delete(event);
    if (trouble == NULL && ++r->nodes > MAX_NODES) {
        trouble = "this file has more than 4 million entries; put long lists into a CSV file";
    }
    if (trouble == NULL && depth > MAX_DEPTH) {
        trouble = "this is nested more than 64 levels deep";
    }
    if (trouble != NULL) {
        return refuse(r, line, trouble);
    }
    return node->kind == OD_NODE_SCALAR ? node : read_children(r, node, depth + 1);
}

static od_node *read_document(reader *r)
{
    yaml_event_t event;
    od_node *root = NULL;
    for (;;) {
        if (!next_event(r, &event)) {
            return NULL;
        }
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            yaml_event_delete(&event);
            return root != NULL ? root : refuse(r, 0, "this file is empty; see `optdyn describe experiment`");
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: yaml_event_delete(&event); break;
        default:
            if (root != NULL) {
                size_t line = event.start_mark.line;
                yaml_event_delete(&event);
                return refuse(r, line, "a second document starts here; one file describes one experiment");
            }
            root = read_node(r, &event, 0);
            if (root == NULL) {
                return NULL;
            }
        }
    }
}

od_node *od_document_parse(od_context *ctx, od_arena *arena, const char *text, size_t length, const char *origin)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for %s", origin);
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    reader r = {.ctx = ctx,
                .arena = arena,
                .parser = &parser,
                .origin = od_arena_text(arena, origin, strlen(origin)),
                .text = text,
                .length = length};
    od_node *root = r.origin != NULL ? read_document(&r) : NULL;
    if (r.origin == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for %s", origin);
    }
    yaml_parser_delete(&parser);
    return root;
}

od_node *od_document_read(od_context *ctx, od_arena *arena, const char *file)
{
    FILE *in = fopen(file, "rb");
    if (in == NULL) {
        od_fail(ctx, OD_EINVAL, NULL, "%s: cannot be opened: %s", file, strerror(errno));
        return NULL;
    }
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    while (text != NULL) {
        size += fread(text + size, 1, room - size, in);
        if (size < room || room > MAX_FILE) {
            break;
        }
        room *= 2;
        char *more = realloc(text, room);
        if (more == NULL) {
            free(text);
        }
        text = more;
    }
    od_node *root = NULL;
    if (text == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "%s: no memory to read it", file);
    } else if (ferror(in)) {
        od_fail(ctx, OD_EIO, NULL, "%s: cannot be read: %s", file, strerror(errno));
    } else if (size > MAX_FILE) {
        od_fail(ctx, OD_EINVAL, NULL, "%s: is larger than 256 MiB; put long lists into a CSV file", file);
    } else {
        root = od_document_parse(ctx, arena, text, size, file);
    }
    free(text);
    fclose(in);
    return root;
}

od_node *od_node_item(const od_node *map, const char *key)
{
    if (map == NULL || map->kind != OD_NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->key[i], key) == 0) {
            return map->item[i];
        }
    }
    return NULL;
}

bool od_node_is_null(const od_node *node)
{
    return node->kind == OD_NODE_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0);
}

od_status od_node_put(od_context *ctx, od_arena *arena, od_node *map, const char *key, od_node *value)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->key[i], key) == 0) {
            map->item[i] = value;
            return OD_OK;
        }
    }
    reader r = {.ctx = ctx, .arena = arena, .origin = map->origin};
    return append(&r, map, key, value) ? OD_OK : OD_ENOMEM;
}

od_node *od_node_copy(od_arena *arena, const od_node *node)
{
    if (node->kind == OD_NODE_SCALAR) {
        return (od_node *)node;
    }
    /* the room of the arrays is a power of two, as append expects */
    size_t room = 1;
    while (room < node->count) {
        room *= 2;
    }
    od_node *copy = od_arena_alloc(arena, 1, sizeof *copy);
    od_node **items = od_arena_alloc(arena, room, sizeof *items);
    const char **keys = node->kind == OD_NODE_MAP ? od_arena_alloc(arena, room, sizeof *keys) : NULL;
    if (copy == NULL || items == NULL || (keys == NULL && node->kind == OD_NODE_MAP)) {
        return NULL;
    }
    *copy = *node;
    copy->item = items;
    copy->key = keys;
    for (size_t i = 0; i < node->count; i++) {
        if (keys != NULL) {
            keys[i] = node->key[i];
        }
        items[i] = od_node_copy(arena, node->item[i]);
        if (items[i] == NULL) {
            return NULL;
        }
    }
    return copy;
}

static od_node *new_map(od_context *ctx, od_arena *arena, const od_node *place)
{
    od_node *map = od_arena_alloc(arena, 1, sizeof *map);
    if (map == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        return NULL;
    }
    map->kind = OD_NODE_MAP;
    map->origin = place->origin;
    map->line = place->line;
    return map;
}

/* The map that takes the place of a scalar on the way: a bare name is kept as {name: ...}. */
static od_node *map_of_scalar(od_context *ctx, od_arena *arena, od_node *scalar, const od_node *value, int length,
                              const char *path)
{
    double number;
    const bool null = scalar == NULL || od_node_is_null(scalar);
    if (!null && !scalar->quoted && od_text_real(scalar->text, &number)) {
        od_node_fail(ctx, value, NULL, "%.*s is the number %s, which has no entries; set %.*s itself", length, path,
                     scalar->text, length, path);
        return NULL;
    }
    od_node *map = new_map(ctx, arena, value);
    return map != NULL && !null && od_node_put(ctx, arena, map, "name", scalar) != OD_OK ? NULL : map;
}

od_status od_document_put(od_context *ctx, od_arena *arena, od_node *root, const char *path, size_t length,
                          od_node *value)
{
    od_node *map = root;
    for (const char *p = path, *end = path + length;;) {
        const char *dot = memchr(p, '.', (size_t)(end - p));
        const char *stop = dot != NULL ? dot : end;
        char *key = od_arena_text(arena, p, (size_t)(stop - p));
        if (key == NULL) {
            return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        }
        if (key[0] == '\0') {
            return od_node_fail(ctx, value, NULL, "'%.*s' is not a path such as problem.eigenvalues", (int)length,
                                path);
        }
        if (dot == NULL) {
            return od_node_put(ctx, arena, map, key, value);
        }
        od_node *next = od_node_item(map, key);
        if (next == NULL || next->kind == OD_NODE_SCALAR) {
            next = map_of_scalar(ctx, arena, next, value, (int)(stop - path), path);
            if (next == NULL || od_node_put(ctx, arena, map, key, next) != OD_OK) {
                return OD_EINVAL;
            }
        }
        if (next->kind != OD_NODE_MAP) {
            return od_node_fail(ctx, value, NULL, "%.*s is a list, which has no entries; set %.*s itself",
                                (int)(stop - path), path, (int)(stop - path), path);
        }
        map = next;
        p = dot + 1;
    }
}

/* A value from the command line has no lines. */
static void forget_lines(od_node *node)
{
    node->line = 0;
    for (size_t i = 0; i < node->count; i++) {
        forget_lines(node->item[i]);
    }
}

od_status od_document_set(od_context *ctx, od_arena *arena, od_node *root, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        return od_fail(ctx, OD_EINVAL, NULL, "--set '%s': expected path=value, for example problem.eigenvalues=[1,4]",
                       assignment);
    }
    char origin[300];
    snprintf(origin, sizeof origin, "--set %.*s", (int)(equals - assignment > 255 ? 255 : equals - assignment),
             assignment);
    if (equals[1] == '\0') {
        return od_fail(ctx, OD_EINVAL, NULL, "%s: a value is missing after '='; null takes an entry out", origin);
    }
    od_node *value = od_document_parse(ctx, arena, equals + 1, strlen(equals + 1), origin);
    if (value == NULL) {
        return OD_EINVAL;
    }
    forget_lines(value);
    return od_document_put(ctx, arena, root, assignment, (size_t)(equals - assignment), value);
}

void od_text_write(FILE *out, const char *text)
{
    double number;
    bool plain = text[0] != '\0' && !od_text_real(text, &number) && strcmp(text, "true") != 0 &&
                 strcmp(text, "false") != 0 && strcmp(text, "null") != 0;
    for (const char *p = text; *p != '\0' && plain; p++) {
        plain = isalnum((unsigned char)*p) || *p == '_' || *p == '/' || ((*p == '.' || *p == '-') && p != text);
    }
    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *p = text; *p != '\0';) {
        uint32_t c;
        const size_t length = od_text_letter(p, &c);
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", (char)c);
        } else if (c == OD_NO_LETTER) {
            fputs("\\ufffd", out);
        } else if (!od_text_printable(c)) {
            fprintf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        } else {
            fwrite(p, 1, length, out);
        }
        p += length;
    }
    fputc('"', out);
}

void od_node_write(FILE *out, const od_node *node)
{
    if (node->kind == OD_NODE_SCALAR) {
        double number;
        const char *const words[] = {"", "~", "true", "false", "null"};
        bool plain = !node->quoted && od_text_real(node->text, &number);
        for (size_t i = 0; i < sizeof words / sizeof *words && !node->quoted; i++) {
            plain = plain || strcmp(node->text, words[i]) == 0;
        }
        if (plain) {
            fputs(node->text[0] != '\0' ? node->text : "null", out);
        } else {
            od_text_write(out, node->text);
        }
        return;
    }
    const bool map = node->kind == OD_NODE_MAP;
    fputc(map ? '{' : '[', out);
    for (size_t i = 0; i < node->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        if (map) {
            od_text_write(out, node->key[i]);
            fputs(": ", out);
        }
        od_node_write(out, node->item[i]);
    }
    fputc(map ? '}' : ']', out);
}
