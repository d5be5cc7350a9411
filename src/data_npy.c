/*
 * NumPy's NPY files, versions 1.0 to 3.0: the magic bytes, a header that is a Python dictionary of descr, fortran_order
 * and shape, then the numbers in C order. Taken are bool, integers and floats of 32 and 64 bits, of either byte order.
 * Source: NumPy Enhancement Proposal 1 (R. Kern, 2007), numpy.lib.format.
 *
 * Sizes in a header are believed only if the file has exactly that many bytes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_AXES = 8, TYPE_ROOM = 16 };

/* A file that is being read, and what its header says. */
typedef struct array {
    od_context *ctx;
    const od_settings *s;
    const char *file;
    const unsigned char *at, *end; /* the numbers, once the header is read */
    char type[TYPE_ROOM];          /* byte order, kind and size: "<f8" */
    bool fortran;
    size_t axes, shape[MAX_AXES];
    size_t size, count; /* bytes of a number, numbers */
} array;

/* ------------------------------------------------------------------------------------------------------- header */

typedef struct span {
    const char *p, *end;
} span;

static void skip_blanks(span *text)
{
    while (text->p < text->end && (*text->p == ' ' || *text->p == '\n' || *text->p == '\t')) {
        text->p++;
    }
}

/* Takes the word if it is next. */
static bool take(span *text, const char *word)
{
    const size_t length = strlen(word);
    skip_blanks(text);
    if ((size_t)(text->end - text->p) < length || memcmp(text->p, word, length) != 0) {
        return false;
    }
    text->p += length;
    return true;
}

static bool take_string(span *text, char out[TYPE_ROOM])
{
    skip_blanks(text);
    const char quote = text->p < text->end ? *text->p : '\0';
    const char *stop = quote == '\'' || quote == '"' ? memchr(text->p + 1, quote, (size_t)(text->end - text->p) - 1)
                                                     : NULL;
    const size_t length = stop != NULL ? (size_t)(stop - text->p) - 1 : TYPE_ROOM;
    if (length >= TYPE_ROOM) {
        return false;
    }
    memcpy(out, text->p + 1, length);
    out[length] = '\0';
    text->p = stop + 1;
    return true;
}

static bool take_shape(span *text, array *a)
{
    if (!take(text, "(")) {
        return false;
    }
    while (!take(text, ")")) {
        uint64_t n = 0;
        const char *first = text->p;
        for (; text->p < text->end && *text->p >= '0' && *text->p <= '9'; text->p++) {
            if (n > (UINT64_MAX - 9) / 10) {
                return false;
            }
            n = 10 * n + (uint64_t)(*text->p - '0');
        }
        if (text->p == first || a->axes == MAX_AXES || n > SIZE_MAX) {
            return false;
        }
        a->shape[a->axes++] = (size_t)n;
        take(text, "L"); /* Python 2 wrote long integers so */
        if (!take(text, ",")) {
            return take(text, ")");
        }
        skip_blanks(text);
    }
    return true;
}

/* {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } in any order. */
static bool take_dictionary(span *text, array *a)
{
    bool type = false, order = false, shape = false, good = take(text, "{");
    while (good && !take(text, "}")) {
        char key[TYPE_ROOM];
        good = take_string(text, key) && take(text, ":");
        if (good && strcmp(key, "descr") == 0) {
            good = !type && take_string(text, a->type);
            type = true;
        } else if (good && strcmp(key, "fortran_order") == 0) {
            a->fortran = take(text, "True");
            good = !order && (a->fortran || take(text, "False"));
            order = true;
        } else if (good && strcmp(key, "shape") == 0) {
            good = !shape && take_shape(text, a);
            shape = true;
        } else {
            good = false;
        }
        if (good && !take(text, ",")) {
            good = take(text, "}");
            break;
        }
    }
    skip_blanks(text);
    return good && type && order && shape && text->p == text->end;
}

static od_status find_header(array *a, const od_bytes *bytes, span *text)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (bytes->length < 10 || memcmp(bytes->byte, magic, sizeof magic) != 0) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "it does not begin as an NPY file does; write it by numpy.save, or give its format");
    }
    const unsigned char *b = bytes->byte;
    const unsigned version = b[6];
    if (version < 1 || version > 3) {
        return od_data_fail(a->ctx, a->s, a->file, 0, "it is of NPY version %u.%u; versions 1 to 3 are read", version,
                            b[7]);
    }
    const size_t fixed = version == 1 ? 10 : 12;
    if (bytes->length < fixed) {
        return od_data_fail(a->ctx, a->s, a->file, 0, "it ends within its header; get the file again");
    }
    const size_t length = version == 1 ? (size_t)b[8] | (size_t)b[9] << 8
                                       : (size_t)b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (length > bytes->length - fixed) {
        return od_data_fail(a->ctx, a->s, a->file, 0, "it ends within its header; get the file again");
    }
    *text = (span){(const char *)b + fixed, (const char *)b + fixed + length};
    a->at = b + fixed + length;
    a->end = b + bytes->length;
    return OD_OK;
}

/* Bytes of a number of this type, 0 if it is not taken. */
static size_t size_of(const char *type)
{
    static const char *const types[] = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    const bool order = type[0] == '<' || type[0] == '>' || type[0] == '|' || type[0] == '=';
    for (size_t i = 0; i < sizeof types / sizeof *types && order; i++) {
        if (strcmp(type + 1, types[i]) == 0) {
            return (size_t)(types[i][1] - '0');
        }
    }
    return 0;
}

static od_status open_array(array *a, const od_bytes *bytes)
{
    span text = {"", ""};
    od_status status = find_header(a, bytes, &text);
    if (status != OD_OK) {
        return status;
    }
    if (!take_dictionary(&text, a)) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "its header is not a dictionary of descr, fortran_order and shape with one plain type; "
                            "write one array of numbers by numpy.save");
    }
    a->size = size_of(a->type);
    if (a->size == 0) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "its numbers are of the type '%s'; convert them by .astype('<f8'), or to another of 32 or "
                            "64 bits",
                            a->type);
    }
    if (a->fortran && a->axes > 1) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "its numbers are in Fortran order; save numpy.ascontiguousarray(...) of it");
    }
    a->count = 1;
    for (size_t i = 0; i < a->axes; i++) {
        if (a->shape[i] == 0) {
            return od_data_fail(a->ctx, a->s, a->file, 0, "axis %zu of its shape is 0, so it holds nothing", i + 1);
        }
        /* compared with the bytes that are there, the product cannot overflow */
        a->count = a->count > (size_t)(a->end - a->at) / a->shape[i] ? SIZE_MAX : a->count * a->shape[i];
        if (a->count == SIZE_MAX) {
            break;
        }
    }
    if (a->count == SIZE_MAX || a->count > (size_t)(a->end - a->at) / a->size ||
        a->count * a->size != (size_t)(a->end - a->at)) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "%zu bytes follow the header, which is not what its shape announces; get the file again",
                            (size_t)(a->end - a->at));
    }
    return a->count <= OD_MAX_NUMBERS
               ? OD_OK
               : od_data_fail(a->ctx, a->s, a->file, 0, "its %zu numbers need more than 2 GiB as doubles; keep fewer",
                              a->count);
}

/* ------------------------------------------------------------------------------------------------------- numbers */

static double number_at(const array *a, size_t i)
{
    const unsigned char *b = a->at + i * a->size;
    uint64_t bits = 0;
    for (size_t k = 0; k < a->size; k++) {
        bits |= (uint64_t)b[a->type[0] == '>' ? a->size - 1 - k : k] << 8 * k;
    }
    if (a->type[1] == 'f' && a->size == 8) {
        double x;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    if (a->type[1] == 'f') {
        const uint32_t low = (uint32_t)bits;
        float x;
        memcpy(&x, &low, sizeof x);
        return (double)x;
    }
    const uint64_t sign = UINT64_C(1) << (8 * a->size - 1);
    if (a->type[1] == 'i' && (bits & sign) != 0) {
        return -(double)(2 * sign - bits); /* of 64 bits, 2 sign wraps to 0, which is the same */
    }
    return (double)bits;
}

static od_status read_number(const array *a, size_t i, double *x)
{
    *x = number_at(a, i);
    if (!isfinite(*x)) {
        return od_data_fail(a->ctx, a->s, a->file, 0,
                            "number %zu (in C order, from 0) is not finite; fill it in or drop the sample", i);
    }
    return a->type[1] == 'f' || fabs(*x) <= 9007199254740992.0
               ? OD_OK
               : od_data_fail(a->ctx, a->s, a->file, 0,
                              "number %zu (in C order, from 0) is over 2^53, which a double cannot hold exactly", i);
}

static od_status read_labels(const array *a, od_table *table)
{
    od_status status = OD_OK;
    table->labels = a->count / a->shape[0];
    table->label = od_zalloc(a->count, sizeof *table->label);
    if (table->label == NULL) {
        return od_fail(a->ctx, OD_ENOMEM, "problem.data", "no memory for the numbers of %s", a->file);
    }
    for (size_t i = 0; i < a->count && status == OD_OK; i++) {
        status = read_number(a, i, &table->label[i]);
    }
    return status;
}

/* `own`: the last column is the label. */
static od_status read_features(const array *a, bool own, od_table *table)
{
    const size_t width = a->count / a->shape[0];
    od_status status = OD_OK;
    table->rows = a->shape[0];
    table->cols = width - own;
    table->value = od_zalloc(table->rows * table->cols, sizeof *table->value);
    if (own) {
        table->label = od_zalloc(table->rows, sizeof *table->label);
    }
    if (table->value == NULL || table->label == NULL) {
        return od_fail(a->ctx, OD_ENOMEM, "problem.data", "no memory for the numbers of %s", a->file);
    }
    for (size_t i = 0; i < a->count && status == OD_OK; i++) {
        const size_t r = i / width, j = i % width;
        status = read_number(a, i, j < table->cols ? &table->value[r * table->cols + j] : &table->label[r]);
    }
    if (a->axes == 3 || a->axes == 4) {
        table->shape[0] = a->axes == 4 ? a->shape[1] : 1;
        table->shape[1] = a->shape[a->axes - 2];
        table->shape[2] = a->shape[a->axes - 1];
    }
    return status;
}

od_status od_npy_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                       const char *label_file, const od_bytes *labels, od_table *table)
{
    array a = {.ctx = ctx, .s = s, .file = file}, b = {.ctx = ctx, .s = s, .file = label_file};
    od_status status = open_array(&a, bytes);
    if (status == OD_OK && a.axes == 0) {
        return od_data_fail(ctx, s, file, 0, "it holds a single number; the first axis counts samples");
    }
    if (status == OD_OK && labels == NULL && (a.axes != 2 || a.shape[1] < 2)) {
        return od_data_fail(
            ctx, s, file, 0,
            "without a file of labels it has to be a matrix whose last column is the label; give label: "
            "y.npy");
    }
    status = status == OD_OK && labels != NULL ? open_array(&b, labels) : status;
    if (status == OD_OK && labels != NULL && (b.axes == 0 || b.axes > 2 || b.shape[0] != a.shape[0])) {
        return od_data_fail(ctx, s, label_file, 0,
                            "it has to hold a label, or a row of numbers, for each of the %zu samples of %s",
                            a.shape[0], file);
    }
    status = status == OD_OK && labels != NULL ? read_labels(&b, table) : status;
    return status == OD_OK ? read_features(&a, labels == NULL, table) : status;
}
