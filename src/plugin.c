/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "plugin.h"

#include "checksum.h"
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, MAX_PARAMS = 48 };

#define MAX_LENGTH ((off_t)1 << 28)

static const char build_line[] = "build it by cc -shared -fPIC -o NAME.so NAME.c $(pkg-config --cflags optdyn)";

const od_param od_plugin_params[] = {
    {.name = "file",
     .kind = OD_FILE,
     .fallback = NULL,
     .meaning = "the shared object, relative to the folder of the experiment file; it is code and is run"},
    {.name = NULL},
};

/* Where failures are reported, and what is being loaded. */
typedef struct loader {
    od_context *ctx;
    od_arena *arena;
    const od_node *node; /* of `file`, or NULL */
    char entry[96];
    const char *file; /* as written */
    od_plugin_kind kind;
    const od_param *common;
} loader;

static od_status fail(const loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static od_status fail(const loader *l, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return l->node != NULL ? od_node_fail(l->ctx, l->node, l->entry, "%.400s: %s", l->file, sentence)
                           : od_fail(l->ctx, OD_EINVAL, l->entry, "%.400s: %s", l->file, sentence);
}

/* ------------------------------------------------------------------------------------------- file */

/* Absolute, so that the loader of the system searches nothing. */
static od_status locate(const loader *l, const char *folder, char path[PATH_ROOM])
{
    const bool bare = l->file[0] == '/' || folder == NULL || folder[0] == '\0';
    if (snprintf(path, PATH_ROOM, "%s%s%s", bare ? "" : folder, bare ? "" : "/", l->file) >= PATH_ROOM) {
        return fail(l, "the path is longer than %d bytes", PATH_ROOM);
    }
    char *absolute = realpath(path, NULL);
    if (absolute == NULL) {
        return errno == ENOENT ? fail(l, "there is no such file; %s, or correct the path", build_line)
                               : fail(l, "it cannot be opened (%s)", strerror(errno));
    }
    const bool fits = snprintf(path, PATH_ROOM, "%s", absolute) < PATH_ROOM;
    free(absolute);
    return fits ? OD_OK : fail(l, "the path is longer than %d bytes", PATH_ROOM);
}

/* A file that was cut off is mapped by the system's loader beyond its end, and the process dies of it. */
static bool is_whole(const unsigned char *byte, size_t length)
{
    ElfW(Ehdr) head;
    if (length < sizeof head) {
        return false;
    }
    memcpy(&head, byte, sizeof head);
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(ElfW(Phdr)) || head.e_phoff > length ||
        (length - head.e_phoff) / sizeof(ElfW(Phdr)) < head.e_phnum) {
        return false;
    }
    for (size_t i = 0; i < head.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, byte + head.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD && (segment.p_offset > length || segment.p_filesz > length - segment.p_offset)) {
            return false;
        }
    }
    return true;
}

/* Reads the file once, for its checksum and to see that it is all there. */
static od_status examine(const loader *l, const char *path, char sha256[OD_SHA256_ROOM])
{
    struct stat about;
    FILE *in = fopen(path, "rb");
    if (in == NULL || fstat(fileno(in), &about) != 0) {
        const int why = errno;
        if (in != NULL) {
            fclose(in);
        }
        return fail(l, "it cannot be read (%s); check its permissions", strerror(why));
    }
    if (!S_ISREG(about.st_mode) || about.st_size > MAX_LENGTH) {
        fclose(in);
        return fail(l, "it is no file of at most 256 MiB; name a shared object");
    }
    const size_t length = (size_t)about.st_size;
    unsigned char *byte = malloc(length + 1);
    const bool memory = byte != NULL;
    const bool read = memory && fread(byte, 1, length, in) == length;
    fclose(in);
    const bool whole = read && is_whole(byte, length);
    if (whole) {
        od_sha256_text(byte, length, sha256);
    }
    free(byte);
    return !memory  ? od_fail(l->ctx, OD_ENOMEM, l->entry, "no memory to read %s", l->file)
           : !read  ? fail(l, "it could not be read whole; try again")
           : !whole ? fail(l, "it is no shared object, or only the beginning of one; %s", build_line)
                    : OD_OK;
}

/* ------------------------------------------------------------------------------------------- content */

static od_status check_abi(const loader *l, void *library)
{
    static const od_abi ours = OD_ABI_HERE;
    const od_abi *theirs = dlsym(library, "od_plugin_abi");
    if (theirs == NULL) {
        return fail(l, "it does not say which optdyn.h it was compiled with; write `OD_PLUGIN;` into it");
    }
    if (theirs->version != ours.version) {
        return fail(l, "it was compiled with an optdyn.h of ABI %u, and this is ABI %u (optdyn %s); compile it again",
                    theirs->version, ours.version, od_version());
    }
    return memcmp(theirs, &ours, sizeof ours) == 0
               ? OD_OK
               : fail(l, "it was compiled with another optdyn.h, whose structs have other sizes; compile it again");
}

static bool has_param(const od_param *table, const char *name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static od_status check_params(const loader *l, const od_param *params)
{
    if (params == NULL) {
        return fail(l, "its descriptor has no parameter table; an empty one is {{.name = NULL}}");
    }
    for (size_t i = 0; params[i].name != NULL; i++) {
        const od_param *p = &params[i];
        if (i == MAX_PARAMS) {
            return fail(l, "its parameter table has no end within %d rows; end it with {.name = NULL}", MAX_PARAMS);
        }
        if (p->meaning == NULL || p->kind > OD_DATA || (p->kind == OD_CHOICE && p->choices == NULL)) {
            return fail(l, "its parameter '%s' needs a meaning, a kind of od_kind and, if that is a choice, choices",
                        p->name);
        }
        if (strcmp(p->name, "name") == 0 || has_param(od_plugin_params, p->name) || has_param(l->common, p->name) ||
            has_param(p + 1, p->name)) {
            return fail(l, "its parameter '%s' is there twice, or is one that every such part has; rename it", p->name);
        }
    }
    return OD_OK;
}

static bool has_faces(const od_face *faces)
{
    return faces != NULL && faces[0].name != NULL;
}

static od_status check_name(const loader *l, const char *name, const char *summary, const char *source)
{
    return name != NULL && name[0] != '\0' && summary != NULL && source != NULL
               ? OD_OK
               : fail(l, "its descriptor needs a name, a summary and a source");
}

static od_status check_problem(const loader *l, const od_problem_type *type)
{
    od_status status = check_name(l, type->name, type->summary, type->source);
    if (status == OD_OK && type->create == NULL) {
        return fail(l, "its descriptor has no function create");
    }
    return status == OD_OK ? check_params(l, type->params) : status;
}

static od_status check_method(const loader *l, const od_method_type *type)
{
    od_status status = check_name(l, type->name, type->summary, type->source);
    if (status == OD_OK &&
        (has_faces(type->flows) != (type->flow != NULL) || has_faces(type->maps) != (type->map != NULL) ||
         (type->flow == NULL && type->map == NULL))) {
        return fail(l, "its descriptor needs a function flow and a list flows, or map and maps, each with the other");
    }
    return status == OD_OK ? check_params(l, type->params) : status;
}

static od_status open_library(const loader *l, const char *path, od_plugin *plugin)
{
    char why[OD_WHY_ROOM];
    void *library = od_module_open(path, false, why);
    if (library == NULL) {
        return fail(l, "it cannot be loaded (%s); %s", why, build_line);
    }
    od_status status = check_abi(l, library);
    if (status != OD_OK) {
        return status;
    }
    plugin->problem = dlsym(library, "od_plugin_problem");
    plugin->method = dlsym(library, "od_plugin_method");
    if (plugin->problem == NULL && plugin->method == NULL) {
        return fail(l, "it has no descriptor od_plugin_problem or od_plugin_method; define one, without `static`");
    }
    if (l->kind == OD_PLUGIN_PROBLEM && plugin->problem == NULL) {
        return fail(l, "it has no od_plugin_problem, but is a plug-in for a method; name it there");
    }
    if (l->kind == OD_PLUGIN_METHOD && plugin->method == NULL) {
        return fail(l, "it has no od_plugin_method, but is a plug-in for a problem; name it there");
    }
    status = plugin->problem != NULL && l->kind != OD_PLUGIN_METHOD ? check_problem(l, plugin->problem) : OD_OK;
    return status == OD_OK && plugin->method != NULL && l->kind != OD_PLUGIN_PROBLEM ? check_method(l, plugin->method)
                                                                                     : status;
}

static od_status load(const loader *l, const char *folder, od_plugin *plugin)
{
    char path[PATH_ROOM], sha256[OD_SHA256_ROOM];
    *plugin = (od_plugin){0};
    od_status status = locate(l, folder, path);
    status = status == OD_OK ? examine(l, path, sha256) : status;
    status = status == OD_OK ? open_library(l, path, plugin) : status;
    if (status == OD_OK) {
        plugin->input = od_arena_print(l->arena, "%s %s", path, sha256);
        status = plugin->input != NULL ? OD_OK : od_fail(l->ctx, OD_ENOMEM, NULL, "no memory");
    }
    return status;
}

od_status od_plugin_load(od_context *ctx, od_arena *arena, const od_node *node, od_place place, od_plugin_kind kind,
                         const od_param *common, od_plugin *plugin)
{
    loader l = {.ctx = ctx, .arena = arena, .kind = kind, .common = common};
    snprintf(l.entry, sizeof l.entry, "%s.file", place.path);
    l.node = node->kind == OD_NODE_MAP ? od_node_item(node, "file") : NULL;
    if (l.node == NULL || l.node->kind != OD_NODE_SCALAR || l.node->text[0] == '\0') {
        return od_node_fail(ctx, l.node != NULL ? l.node : node, l.entry,
                            "this entry is needed: the shared object, for example {name: plugin, file: ./mine.so}");
    }
    l.file = l.node->text;
    return load(&l, place.folder, plugin);
}

od_status od_plugin_load_file(od_context *ctx, od_arena *arena, const char *file, od_plugin *plugin)
{
    const loader l = {.ctx = ctx, .arena = arena, .file = file, .kind = OD_PLUGIN_ANY};
    return load(&l, "", plugin);
}
