/*
 * Data as text, read by a cursor that never leaves the file's bytes.
 *
 *   LIBSVM  `label index:value index:value ...`, indices from 1 and ascending, absent ones 0 (C.-C. Chang and C.-J.
 * Lin, LIBSVM data). Any blanks between entries, `#` starts a comment, empty lines are skipped. The number of features
 * is the largest index that occurs. CSV     numbers between commas, every row as long as the first. The first line is a
 * header if none of its fields is a number; a field may stand in double quotes. Empty lines and lines that start with
 * `#` are skipped.
 *
 * Numbers are those of YAML 1.2 that are finite, whatever the locale.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "data_table.h"

#include "memory.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_ROOM = 512, MAX_FEATURES = 10000000 };

/* Where a reader stands: the rest of the file, then the rest of a line. */
typedef struct cursor {
    const char *p, *end;
    size_t line;
} cursor;

typedef struct span {
    const char *p;
    size_t length;
} span;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static cursor open_text(const od_bytes *bytes)
{
    const char *p = (const char *)bytes->byte;
    const bool mark = bytes->length >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0; /* of UTF-8, as spreadsheets write it */
    return (cursor){mark ? p + 3 : p, p + bytes->length, 0};
}

static bool next_line(cursor *text, span *line)
{
    if (text->p == text->end) {
        return false;
    }
    const char *stop = memchr(text->p, '\n', (size_t)(text->end - text->p));
    line->p = text->p;
    line->length = (size_t)((stop != NULL ? stop : text->end) - text->p);
    text->p = stop != NULL ? stop + 1 : text->end;
    text->line++;
    return true;
}

static span trimmed(span s)
{
    while (s.length > 0 && is_blank(s.p[0])) {
        s.p++;
        s.length--;
    }
    while (s.length > 0 && is_blank(s.p[s.length - 1])) {
        s.length--;
    }
    return s;
}

/* The span as a message shows it: short, one line, printable. */
static const char *shown(char text[OD_SHOWN_ROOM], span s)
{
    const size_t most = OD_SHOWN_ROOM - 4, n = s.length < most ? s.length : most;
    for (size_t i = 0; i < n; i++) {
        text[i] = s.p[i] >= 32 && s.p[i] < 127 ? s.p[i] : '?';
    }
    strcpy(text + n, n < s.length ? "..." : "");
    return text;
}

static bool read_number(span s, double *x)
{
    char text[NUMBER_ROOM];
    if (s.length == 0 || s.length >= sizeof text || memchr(s.p, '\0', s.length) != NULL) {
        return false;
    }
    memcpy(text, s.p, s.length);
    text[s.length] = '\0';
    return od_text_real(text, x) && isfinite(*x);
}

/* Words that stand for a number that is not finite: no column is called so. The span is not empty. */
static bool is_nonfinite_word(span s)
{
    static const char *const words[] = {"nan", ".nan", "inf", ".inf", "infinity", "na", "null"};
    const bool sign = s.p[0] == '+' || s.p[0] == '-';
    const span bare = {s.p + sign, s.length - sign};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t k = 0;
        while (k < bare.length && words[i][k] != '\0' && (bare.p[k] | 32) == words[i][k]) {
            k++;
        }
        if (k == bare.length && words[i][k] == '\0') {
            return true;
        }
    }
    return false;
}

/* How often a character occurs: bounds the numbers and lines there can be, before any is read. */
static size_t occurrences(const od_bytes *bytes, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes->length; i++) {
        count += bytes->byte[i] == (unsigned char)c;
    }
    return count;
}

static od_status no_memory(od_context *ctx, const char *file)
{
    return od_fail(ctx, OD_ENOMEM, "problem.data", "no memory for the numbers of %s", file);
}

static od_status too_large(od_context *ctx, const od_settings *s, const char *file)
{
    return od_data_fail(ctx, s, file, 0, "its numbers need more than 2 GiB as doubles; keep fewer");
}

/* Next word of a line; false at its end. */
static bool next_word(span *rest, span *word)
{
    *rest = trimmed(*rest);
    size_t n = 0;
    while (n < rest->length && !is_blank(rest->p[n])) {
        n++;
    }
    *word = (span){rest->p, n};
    *rest = (span){rest->p + n, rest->length - n};
    return n > 0;
}

/* "index:value" after an entry with index `last`. */
static od_status read_entry(od_context *ctx, const od_settings *s, const char *file, size_t line, span word,
                            uint32_t last, uint32_t *index, double *value)
{
    char text[OD_SHOWN_ROOM];
    const char *colon = memchr(word.p, ':', word.length);
    const size_t digits = colon != NULL ? (size_t)(colon - word.p) : 0;
    uint64_t k = 0;
    bool whole = digits > 0;
    for (size_t i = 0; i < digits && whole; i++) {
        whole = word.p[i] >= '0' && word.p[i] <= '9';
        k = k > MAX_FEATURES ? k : k * 10 + (uint64_t)(word.p[i] - '0');
    }
    if (!whole) {
        return od_data_fail(ctx, s, file, line, "'%s' is not index:value with a whole index; correct the line",
                            shown(text, word));
    }
    if (k == 0) {
        return od_data_fail(ctx, s, file, line, "index 0 in '%s': indices start at 1; add 1 to all of them",
                            shown(text, word));
    }
    if (k > MAX_FEATURES) {
        return od_data_fail(ctx, s, file, line, "the index in '%s' is above %d, the most features that are read",
                            shown(text, word), MAX_FEATURES);
    }
    if (k <= last) {
        return od_data_fail(ctx, s, file, line, "index %lu follows %lu: indices must ascend; sort the line",
                            (unsigned long)k, (unsigned long)last);
    }
    const span number = {colon + 1, word.length - digits - 1};
    if (!read_number(number, value)) {
        return od_data_fail(ctx, s, file, line, "the value '%s' of feature %lu is not a finite number; correct it",
                            shown(text, number), (unsigned long)k);
    }
    *index = (uint32_t)k;
    return OD_OK;
}

od_status od_libsvm_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                          od_table *table)
{
    cursor text = open_text(bytes);
    span line, word;
    char show[OD_SHOWN_ROOM];
    size_t count = 0;
    const size_t lines = occurrences(bytes, '\n') + 1, entries = occurrences(bytes, ':') + 1;
    if (entries > OD_MAX_NUMBERS || lines > OD_MAX_NUMBERS) {
        return too_large(ctx, s, file);
    }
    table->label = od_zalloc(lines, sizeof *table->label);
    table->start = od_zalloc(lines + 1, sizeof *table->start);
    table->value = od_zalloc(entries, sizeof *table->value);
    table->feature = od_zalloc(entries, sizeof *table->feature);
    if (table->label == NULL || table->start == NULL || table->value == NULL || table->feature == NULL) {
        return no_memory(ctx, file);
    }
    while (next_line(&text, &line)) {
        const char *comment = memchr(line.p, '#', line.length);
        line.length = comment != NULL ? (size_t)(comment - line.p) : line.length;
        if (!next_word(&line, &word)) {
            continue;
        }
        double label;
        if (!read_number(word, &label)) {
            return od_data_fail(ctx, s, file, text.line, "the label '%s' is not a finite number; correct the line%s",
                                shown(show, word),
                                memchr(word.p, ',', word.length) != NULL ? ", or give format: csv" : "");
        }
        table->label[table->rows] = label;
        table->start[table->rows++] = count;
        for (uint32_t index = 0; next_word(&line, &word); count++) {
            double value;
            od_status status = read_entry(ctx, s, file, text.line, word, index, &index, &value);
            if (status != OD_OK) {
                return status;
            }
            table->value[count] = value;
            table->feature[count] = index - 1;
            table->cols = index > table->cols ? index : table->cols;
        }
        table->start[table->rows] = count;
    }
    if (table->rows == 0) {
        return od_data_fail(ctx, s, file, 0, "the file has no samples; a line is `label index:value ...`");
    }
    return table->cols > 0 ? OD_OK
                           : od_data_fail(ctx, s, file, 0, "no line has a feature; a line is `label index:value ...`");
}

/* Next field of a CSV line, quotes taken off; false after the last one. `more` starts true. */
static bool next_field(span *rest, bool *more, span *field)
{
    if (!*more) {
        return false;
    }
    *rest = trimmed(*rest);
    const char *quote = rest->length > 1 && rest->p[0] == '"' ? memchr(rest->p + 1, '"', rest->length - 1) : NULL;
    const size_t from = quote != NULL ? (size_t)(quote - rest->p) : 0;
    const char *comma = memchr(rest->p + from, ',', rest->length - from);
    const size_t n = comma != NULL ? (size_t)(comma - rest->p) : rest->length;
    *field = trimmed((span){rest->p, n});
    if (quote != NULL && field->p + field->length == quote + 1) {
        *field = (span){field->p + 1, field->length - 2};
    }
    *more = comma != NULL;
    *rest = (span){rest->p + n + *more, rest->length - n - *more};
    return true;
}

/* Looks at the first line: how many fields, whether they are names, which is the label's (counted from 0). */
static od_status read_first(od_context *ctx, const od_settings *s, const char *file, size_t number, span line,
                            const char *label, bool *header, size_t *fields, size_t *label_field)
{
    char show[OD_SHOWN_ROOM];
    bool more = true, found = false;
    size_t names = 0, numbers = 0;
    span field, name = {"", 0}, figure = {"", 0};
    for (*fields = 0; next_field(&line, &more, &field); ++*fields) {
        double x;
        if (read_number(field, &x)) {
            numbers++;
            figure = field;
        } else if (field.length > 0) {
            names++;
            name = field;
            if (is_nonfinite_word(field)) {
                return od_data_fail(ctx, s, file, number, "'%s' is not a finite number; fill it in or drop the line",
                                    shown(show, field));
            }
        }
        if (!found && label[0] != '\0' && field.length == strlen(label) && memcmp(field.p, label, field.length) == 0) {
            found = true;
            *label_field = *fields;
        }
    }
    *header = names > 0 && numbers == 0;
    if (names > 0 && numbers > 0) {
        char second[OD_SHOWN_ROOM];
        return od_data_fail(ctx, s, file, number,
                            "'%s' is not a number and '%s' is: the first line is neither a header nor numbers between "
                            "commas; correct it",
                            shown(show, name), shown(second, figure));
    }
    if (label[0] != '\0' && (!*header || !found)) {
        return od_setting_fail(ctx, s, "label", "%s has no column '%s'%s", file, label,
                               *header ? "; its first line names the columns" : ", because it has no header line");
    }
    if (*fields < 2) {
        return od_data_fail(ctx, s, file, number, "one column is too few: features and a label, between commas");
    }
    if (!found) {
        *label_field = *fields - 1;
    }
    return OD_OK;
}

static od_status read_row(od_context *ctx, const od_settings *s, const char *file, size_t number, span line,
                          size_t fields, size_t label_field, double *label, double *value)
{
    char show[OD_SHOWN_ROOM];
    bool more = true;
    span field;
    size_t k = 0;
    for (; next_field(&line, &more, &field); k++) {
        double x;
        if (k >= fields) {
            continue;
        }
        if (!read_number(field, &x)) {
            return od_data_fail(ctx, s, file, number,
                                "'%s' in column %zu is not a finite number; fill it in or drop the line",
                                shown(show, field), k + 1);
        }
        if (k == label_field) {
            *label = x;
        } else {
            *value++ = x;
        }
    }
    return k == fields
               ? OD_OK
               : od_data_fail(ctx, s, file, number,
                              "%zu fields where the first line has %zu; make all lines equally long", k, fields);
}

od_status od_csv_parse(od_context *ctx, const od_settings *s, const char *file, const od_bytes *bytes,
                       const char *label, od_table *table)
{
    cursor text = open_text(bytes);
    span line;
    bool first = true;
    size_t fields = 0, label_field = 0;
    const size_t lines = occurrences(bytes, '\n') + 1, fields_at_most = lines + occurrences(bytes, ',');
    if (fields_at_most > OD_MAX_NUMBERS) {
        return too_large(ctx, s, file);
    }
    table->label = od_zalloc(lines, sizeof *table->label);
    table->value = od_zalloc(fields_at_most, sizeof *table->value); /* a field ends at a comma or a line's end */
    if (table->label == NULL || table->value == NULL) {
        return no_memory(ctx, file);
    }
    while (next_line(&text, &line)) {
        line = trimmed(line);
        if (line.length == 0 || line.p[0] == '#') {
            continue;
        }
        bool header = false;
        od_status status = first ? read_first(ctx, s, file, text.line, line, label, &header, &fields, &label_field)
                                 : OD_OK;
        if (status != OD_OK) {
            return status;
        }
        if (first) {
            first = false;
            table->cols = fields - 1;
        }
        if (header) {
            continue;
        }
        status = read_row(ctx, s, file, text.line, line, fields, label_field, &table->label[table->rows],
                          table->value + table->rows * table->cols);
        if (status != OD_OK) {
            return status;
        }
        table->rows++;
    }
    return table->rows > 0 ? OD_OK
                           : od_data_fail(ctx, s, file, 0, "the file has no samples; a line is numbers between commas");
}
