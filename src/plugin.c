/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* realpath */
#include "plugin.h"

#include "checksum.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, MAX_PARAMS = 48 };

#define MAX_LENGTH ((off_t)1 << 28)

static const char build_line[] = "build it by cc -shared -fPIC -o NAME.so NAME.c $(pkg-config --cflags optdyn)";

const od_param od_plugin_params[] = {
    {.name = "file",
     .kind = OD_TEXT,
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
    bool method;
} loader;

static od_status fail(const loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static od_status fail(const loader *l, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return l->node != NULL ? od_node_fail(l->ctx, l->node, l->entry, "%s: %s", l->file, sentence)
                           : od_fail(l->ctx, OD_EINVAL, l->entry, "%s: %s", l->file, sentence);
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
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(ElfW(Phdr)) ||
        head.e_phoff > length || (length - head.e_phoff) / sizeof(ElfW(Phdr)) < head.e_phnum) {
        return false;
    }
    for (size_t i = 0; i < head.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, byte + head.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > length || segment.p_filesz > length - segment.p_offset)) {
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
    const bool read = byte != NULL && fread(byte, 1, length, in) == length;
    fclose(in);
    const bool whole = read && is_whole(byte, length);
    if (whole) {
        od_sha256_text(byte, length, sha256);
    }
    free(byte);
    return !read    ? fail(l, "it could not be read whole; try again")
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

static od_status check_params(const loader *l, const od_param *params, const od_param *common)
{
    if (params == NULL) {
        return fail(l, "its descriptor has no parameter table; an empty one is {{.name = NULL}}");
    }
    for (size_t i = 0; params[i].name != NULL; i++) {
        const od_param *p = &params[i];
        if (i == MAX_PARAMS) {
            return fail(l, "its parameter table has no end within %d rows; end it with {.name = NULL}", MAX_PARAMS);
        }
        if (p->meaning == NULL || p->kind > OD_VARIANT || (p->kind == OD_CHOICE && p->choices == NULL)) {
            return fail(l, "its parameter '%s' needs a meaning, a kind of od_kind and, if that is a choice, choices",
                        p->name);
        }
        if (strcmp(p->name, "name") == 0 || has_param(od_plugin_params, p->name) || has_param(common, p->name) ||
            has_param(p + 1, p->name)) {
            return fail(l, "its parameter '%s' is there twice, or is one that every such part has; rename it",
                        p->name);
        }
    }
    return OD_OK;
}

static bool has_faces(const od_face *faces)
{
    return faces != NULL && faces[0].name != NULL;
}

static od_status check_descriptor(const loader *l, const od_param *common, od_plugin *plugin)
{
    const od_problem_type *problem = plugin->problem;
    const od_method_type *method = plugin->method;
    const char *name = l->method ? method->name : problem->name;
    if (name == NULL || name[0] == '\0') {
        return fail(l, "its descriptor has no name");
    }
    if (!l->method && problem->create == NULL) {
        return fail(l, "its descriptor has no function create");
    }
    if (l->method && (has_faces(method->flows) != (method->flow != NULL) ||
                      has_faces(method->maps) != (method->map != NULL) || (method->flow == NULL && method->map == NULL))) {
        return fail(l, "its descriptor needs a function flow and a list flows, or map and maps, each with the other");
    }
    plugin->params = l->method ? method->params : problem->params;
    return check_params(l, plugin->params, common);
}

static od_status open_library(const loader *l, const char *path, const od_param *common, od_plugin *plugin)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *why = dlerror();
        return fail(l, "it cannot be loaded (%s); %s", why != NULL ? why : "no reason given", build_line);
    }
    od_status status = check_abi(l, library);
    if (status != OD_OK) {
        return status;
    }
    const void *problem = dlsym(library, "od_plugin_problem"), *method = dlsym(library, "od_plugin_method");
    if ((l->method ? method : problem) == NULL) {
        const char *wanted = l->method ? "od_plugin_method" : "od_plugin_problem";
        return problem != NULL || method != NULL
                   ? fail(l, "it has no %s, but is a plug-in for a %s; name it there", wanted,
                          l->method ? "problem" : "method")
                   : fail(l, "it has no descriptor %s; define one, without `static`", wanted);
    }
    plugin->problem = l->method ? NULL : problem;
    plugin->method = l->method ? method : NULL;
    return check_descriptor(l, common, plugin);
}

static od_status load(const loader *l, const char *folder, const od_param *common, od_plugin *plugin)
{
    char path[PATH_ROOM], sha256[OD_SHA256_ROOM];
    *plugin = (od_plugin){0};
    od_status status = locate(l, folder, path);
    status = status == OD_OK ? examine(l, path, sha256) : status;
    status = status == OD_OK ? open_library(l, path, common, plugin) : status;
    if (status == OD_OK) {
        plugin->path = od_arena_text(l->arena, path, strlen(path));
        plugin->input = od_arena_print(l->arena, "%s %s", path, sha256);
        status = plugin->path != NULL && plugin->input != NULL ? OD_OK : od_fail(l->ctx, OD_ENOMEM, NULL, "no memory");
    }
    return status;
}

od_status od_plugin_load(od_context *ctx, od_arena *arena, const od_node *node, od_place place, bool method,
                         const od_param *common, od_plugin *plugin)
{
    loader l = {.ctx = ctx, .arena = arena, .method = method};
    snprintf(l.entry, sizeof l.entry, "%s.file", place.path);
    l.node = node->kind == OD_NODE_MAP ? od_node_item(node, "file") : NULL;
    if (l.node == NULL || l.node->kind != OD_NODE_SCALAR || l.node->text[0] == '\0') {
        return od_node_fail(ctx, l.node != NULL ? l.node : node, l.entry,
                            "this entry is needed: the shared object, for example {name: plugin, file: ./mine.so}");
    }
    l.file = l.node->text;
    return load(&l, place.folder, common, plugin);
}

od_status od_plugin_load_file(od_context *ctx, od_arena *arena, const char *file, bool method, od_plugin *plugin)
{
    const loader l = {.ctx = ctx, .arena = arena, .file = file, .method = method};
    return load(&l, "", NULL, plugin);
}
