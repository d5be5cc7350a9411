/*
 * Which files a name stands for. A folder is told by the files it holds; a file by the end of its name.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, MEMBER_ROOM = PATH_ROOM + 32 /* of a file in a folder */, CIFAR_BATCHES = 5 };

/* What is being read: the entry, where it leads, and the table that is filled. */
typedef struct source {
    od_context *ctx;
    const od_settings *s;
    const char *format;
    char path[PATH_ROOM];
    od_table *table;
} source;

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The data folder, or the experiment's, in front of a relative name. */
static od_status locate(source *from)
{
    const char *name = od_setting_text(from->s, "data"), *folder = od_settings_folder(from->s);
    if (name[0] == '\0') {
        return od_setting_fail(from->ctx, from->s, "data", "the name is empty; name a folder or a file");
    }
    const bool bare = name[0] == '/' || folder[0] == '\0';
    const int used = snprintf(from->path, PATH_ROOM, "%s%s%s", bare ? "" : folder, bare ? "" : "/", name);
    return used < PATH_ROOM
               ? OD_OK
               : od_setting_fail(from->ctx, from->s, "data", "the path is longer than %d bytes", PATH_ROOM);
}

/* Path of a folder's file, plain or, where there is no such file, with .gz at its end. */
static bool member_path(const char *folder, const char *member, char path[MEMBER_ROOM])
{
    const int used = snprintf(path, MEMBER_ROOM, "%s/%s", folder, member);
    if (!is_file(path)) {
        strcat(path, ".gz");
        if (!is_file(path)) {
            path[used] = '\0';
            return false;
        }
    }
    return true;
}

static bool holds(const char *folder, const char *member)
{
    char path[MEMBER_ROOM];
    return member_path(folder, member, path);
}

/* Adds "folder/file sha256" as one line. The name is the user's, without the data folder: it is the same everywhere. */
static od_status note_input(source *from, const char *folder, const char *file, const char *sha256)
{
    const size_t used = from->table->inputs != NULL ? strlen(from->table->inputs) + 1 : 0;
    const size_t room = used + strlen(folder) + strlen(file) + OD_SHA256_ROOM + 3;
    char *inputs = realloc(from->table->inputs, room);
    if (inputs == NULL) {
        return od_fail(from->ctx, OD_ENOMEM, "problem.data", "no memory for the list of files");
    }
    if (used > 0) {
        inputs[used - 1] = '\n';
    }
    snprintf(inputs + used, room - used, "%s%s%s %s", folder, folder[0] != '\0' ? "/" : "", file, sha256);
    from->table->inputs = inputs;
    return OD_OK;
}

/* One of the files of a folder; `path` receives where it is. */
static od_status read_member(source *from, const char *member, char path[MEMBER_ROOM], od_bytes *bytes)
{
    member_path(from->path, member, path);
    od_status status = od_bytes_read(from->ctx, from->s, path, bytes);
    return status == OD_OK ? note_input(from, od_setting_text(from->s, "data"), strrchr(path, '/') + 1, bytes->sha256)
                           : status;
}

static od_status read_idx(source *from, od_part part)
{
    const bool train = part == OD_PART_TRAIN;
    char image_path[MEMBER_ROOM], label_path[MEMBER_ROOM];
    od_bytes images = {0}, labels = {0};
    od_status status = read_member(from, train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte", image_path,
                                   &images);
    if (status == OD_OK) {
        status = read_member(from, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", label_path, &labels);
    }
    if (status == OD_OK) {
        status = od_idx_parse(from->ctx, from->s, image_path, &images, label_path, &labels, from->table);
    }
    od_bytes_clear(&images);
    od_bytes_clear(&labels);
    return status;
}

static od_status read_cifar(source *from, od_part part)
{
    od_status status = OD_OK;
    const int batches = part == OD_PART_TRAIN ? CIFAR_BATCHES : 1;
    for (int i = 1; i <= batches && status == OD_OK; i++) {
        char name[32] = "test_batch.bin", path[MEMBER_ROOM];
        if (part == OD_PART_TRAIN) {
            snprintf(name, sizeof name, "data_batch_%d.bin", i);
        }
        od_bytes bytes = {0};
        status = read_member(from, name, path, &bytes);
        if (status == OD_OK) {
            status = od_cifar_parse(from->ctx, from->s, path, &bytes, from->table);
        }
        od_bytes_clear(&bytes);
    }
    return status;
}

static od_status read_npy_folder(source *from, od_part part)
{
    const bool train = part == OD_PART_TRAIN;
    char path[MEMBER_ROOM], label_path[MEMBER_ROOM];
    od_bytes bytes = {0}, labels = {0};
    od_status status = read_member(from, train ? "x_train.npy" : "x_test.npy", path, &bytes);
    if (status == OD_OK) {
        status = read_member(from, train ? "y_train.npy" : "y_test.npy", label_path, &labels);
    }
    if (status == OD_OK) {
        status = od_npy_parse(from->ctx, from->s, path, &bytes, label_path, &labels, from->table);
    }
    od_bytes_clear(&bytes);
    od_bytes_clear(&labels);
    return status;
}

/* Names all files of a part that the folder lacks. */
static od_status check_members(const source *from, const char *const *member, bool any)
{
    char list[512] = "";
    for (size_t k = 0; member[k] != NULL; k++) {
        if (!holds(from->path, member[k])) {
            od_text_join(list, sizeof list, member[k]);
        }
    }
    if (list[0] == '\0') {
        return OD_OK;
    }
    if (!is_folder(from->path)) {
        return od_data_fail(from->ctx, from->s, from->path, 0,
                            "there is no such folder; give the folder that holds it by --data DIR or the variable "
                            "OPTDYN_DATA, or a path that exists");
    }
    return od_data_fail(from->ctx, from->s, from->path, 0,
                        "the folder lacks %s (plain or with .gz)%s; give the data folder by --data DIR or the variable "
                        "OPTDYN_DATA, or get the files",
                        list, any ? ", and the files of other formats, too" : "");
}

static od_status read_folder(source *from, od_part part)
{
    enum { PARTS = 2, MOST = CIFAR_BATCHES + 1 };
    static const struct {
        const char *format, *tell;
        const char *member[PARTS][MOST]; /* of OD_PART_TRAIN and OD_PART_TEST; end with NULL */
        od_status (*read)(source *from, od_part part);
    } kinds[] = {
        {"cifar10",
         "test_batch.bin",
         {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
          {"test_batch.bin"}},
         read_cifar},
        {"npy", "x_train.npy", {{"x_train.npy", "y_train.npy"}, {"x_test.npy", "y_test.npy"}}, read_npy_folder},
        {"idx",
         "train-images-idx3-ubyte",
         {{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}, {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}},
         read_idx}};
    const size_t count = sizeof kinds / sizeof *kinds;
    const bool automatic = strcmp(from->format, "auto") == 0;
    size_t k = 0;
    while (k < count && strcmp(kinds[k].format, automatic ? "idx" : from->format) != 0) {
        k++;
    }
    if (k == count) {
        return od_data_fail(from->ctx, from->s, from->path, 0,
                            "it is a folder, and %s data are one file; name the file, or leave format out",
                            from->format);
    }
    bool told = !automatic;
    for (size_t i = 0; automatic && i < count; i++) {
        const bool holds_it = holds(from->path, kinds[i].tell);
        k = holds_it ? i : k;
        told = told || holds_it;
    }
    from->table->parts = true;
    od_status status = check_members(from, kinds[k].member[part], !told);
    return status == OD_OK ? kinds[k].read(from, part) : status;
}

/* The file of labels beside an NPY file: `label` is relative to the folder of `data`. */
static od_status read_npy_labels(source *from, const char *label, char path[PATH_ROOM], od_bytes *bytes)
{
    const char *slash = strrchr(from->path, '/');
    const size_t folder = label[0] != '/' && slash != NULL ? (size_t)(slash - from->path) + 1 : 0;
    if (folder + strlen(label) >= PATH_ROOM) {
        return od_setting_fail(from->ctx, from->s, "label", "the path is longer than %d bytes", PATH_ROOM);
    }
    memcpy(path, from->path, folder);
    strcpy(path + folder, label);
    return od_bytes_read(from->ctx, from->s, path, bytes);
}

static od_status parse_file(source *from, const char *format, const od_bytes *bytes)
{
    const char *label = od_setting_text(from->s, "label");
    if (strcmp(format, "npy") == 0) {
        char label_path[PATH_ROOM];
        od_bytes labels = {0};
        od_status status = label[0] != '\0' ? read_npy_labels(from, label, label_path, &labels) : OD_OK;
        if (status == OD_OK && label[0] != '\0') {
            status = note_input(from, "", label, labels.sha256);
        }
        if (status == OD_OK) {
            status = od_npy_parse(from->ctx, from->s, from->path, bytes, label_path, label[0] != '\0' ? &labels : NULL,
                                  from->table);
        }
        od_bytes_clear(&labels);
        return status;
    }
    return strcmp(format, "csv") == 0       ? od_csv_parse(from->ctx, from->s, from->path, bytes, label, from->table)
           : strcmp(format, "cifar10") == 0 ? od_cifar_parse(from->ctx, from->s, from->path, bytes, from->table)
                                            : od_libsvm_parse(from->ctx, from->s, from->path, bytes, from->table);
}

static const char *format_of(const char *path)
{
    static const char *const ends[][2] = {{".csv", "csv"},    {".csv.gz", "csv"},  {".npy", "npy"},
                                          {".npy.gz", "npy"}, {".bin", "cifar10"}, {".bin.gz", "cifar10"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (ends_with(path, ends[i][0])) {
            return ends[i][1];
        }
    }
    return "libsvm";
}

static od_status read_file(source *from)
{
    const char *format = strcmp(from->format, "auto") == 0 ? format_of(from->path) : from->format;
    if (strcmp(format, "idx") == 0) {
        return od_data_fail(from->ctx, from->s, from->path, 0,
                            "IDX data are a folder of images and labels, not one file");
    }
    const bool named = strcmp(format, "csv") == 0 || strcmp(format, "npy") == 0;
    if (od_setting_present(from->s, "label") && !named) {
        return od_setting_fail(from->ctx, from->s, "label",
                               "only CSV has named columns and only NPY a file of labels, and the format is %s; remove "
                               "it",
                               format);
    }
    od_bytes bytes;
    od_status status = od_bytes_read(from->ctx, from->s, from->path, &bytes);
    if (status == OD_OK) {
        status = note_input(from, "", od_setting_text(from->s, "data"), bytes.sha256);
        status = status == OD_OK ? parse_file(from, format, &bytes) : status;
        od_bytes_clear(&bytes);
    }
    return status;
}

od_status od_table_read(od_context *ctx, const od_settings *s, od_part part, od_targets targets, od_table *table)
{
    static const char *const drawn[] = {"features",        "clusters",     "separation", "teacher_width",
                                        "teacher_outputs", "target_noise", NULL};
    source from = {.ctx = ctx, .s = s, .format = od_setting_text(s, "format"), .table = table};
    *table = (od_table){.labels = 1};
    if (od_synthetic_is(s)) {
        table->parts = true;
        return od_synthetic_draw(ctx, s, part, targets, table);
    }
    for (size_t i = 0; drawn[i] != NULL; i++) {
        if (od_setting_present(s, drawn[i])) {
            return od_setting_fail(ctx, s, drawn[i],
                                   "it shapes drawn data, and %s is read; remove it, or take data: "
                                   "clusters or data: teacher",
                                   od_setting_text(s, "data"));
        }
    }
    od_status status = locate(&from);
    if (status != OD_OK) {
        return status;
    }
    const bool folder = is_folder(from.path) || (strcmp(from.format, "idx") == 0 && !is_file(from.path));
    if (!folder) {
        return read_file(&from);
    }
    return !od_setting_present(s, "label")
               ? read_folder(&from, part)
               : od_setting_fail(ctx, s, "label", "the files of a folder have their own labels; remove it");
}
