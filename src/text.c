/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* strtod_l: numbers must not depend on the caller's locale */
#include "text.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double read_c(const char *text, char **end)
{
    pthread_once(&c_locale_once, make_c_locale);
    return c_locale != (locale_t)0 ? strtod_l(text, end, c_locale) : strtod(text, end);
}

const char *od_real_text(char text[OD_REAL_ROOM], double x)
{
    if (isnan(x)) {
        return strcpy(text, ".nan");
    }
    if (isinf(x)) {
        return strcpy(text, x > 0 ? ".inf" : "-.inf");
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, OD_REAL_ROOM, "%.*g", digits, x);
        char *comma = strchr(text, ',');
        if (comma != NULL) {
            *comma = '.';
        }
        if (read_c(text, NULL) == x) {
            break;
        }
    }
    return text;
}

void od_text_cell(FILE *out, const char *before, double x)
{
    char text[OD_REAL_ROOM];
    fputs(before, out);
    fputs(isfinite(x) ? od_real_text(text, x) : isnan(x) ? "nan" : x > 0 ? "inf" : "-inf", out);
}

bool od_text_real(const char *text, double *x)
{
    const char *p = text;
    double sign = 1;
    if (*p == '+' || *p == '-') {
        sign = *p == '-' ? -1 : 1;
        p++;
    }
    if (strcmp(p, ".inf") == 0 || strcmp(p, ".Inf") == 0 || strcmp(p, ".INF") == 0) {
        *x = sign * INFINITY;
        return true;
    }
    if (strcmp(text, ".nan") == 0 || strcmp(text, ".NaN") == 0 || strcmp(text, ".NAN") == 0) {
        *x = NAN;
        return true;
    }
    /* digits, one point, one exponent: strtod alone would also take hexadecimal floats, "inf" and leading blanks */
    size_t digits = 0;
    const char *q = p;
    for (; isdigit((unsigned char)*q); q++) {
        digits++;
    }
    if (*q == '.') {
        for (q++; isdigit((unsigned char)*q); q++) {
            digits++;
        }
    }
    if (digits == 0) {
        return false;
    }
    if (*q == 'e' || *q == 'E') {
        q++;
        if (*q == '+' || *q == '-') {
            q++;
        }
        if (!isdigit((unsigned char)*q)) {
            return false;
        }
        while (isdigit((unsigned char)*q)) {
            q++;
        }
    }
    if (*q != '\0') {
        return false;
    }
    *x = read_c(text, NULL);
    return true;
}

size_t od_text_letter(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    const size_t length = p[0] < 0x80                   ? 1
                          : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                          : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                          : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                        : 0;
    uint32_t c = length == 1 ? p[0] : length > 1 ? p[0] & (0x7fu >> length) : 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *code = OD_NO_LETTER;
            return 1;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    const bool valid = length > 0 && c >= least[length] && c < 0x110000 && (c < 0xd800 || c > 0xdfff);
    *code = valid ? c : OD_NO_LETTER;
    return valid ? length : 1;
}

bool od_text_printable(uint32_t c)
{
    return c >= 0x20 && (c < 0x7f || c >= 0xa0) && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
           c != 0xffff && c != OD_NO_LETTER;
}

void od_text_line(FILE *out, const char *text, size_t length)
{
    for (const char *p = text; p < text + length;) {
        uint32_t c;
        const size_t used = od_text_letter(p, &c);
        if (!od_text_printable(c)) {
            fputc(c < 0x20 ? ' ' : '?', out);
        } else {
            fwrite(p, 1, used, out);
        }
        p += used;
    }
}

void od_text_copy(char *to, size_t room, const char *text)
{
    size_t used = 0;
    for (const char *p = text; *p != '\0';) {
        uint32_t c;
        const size_t length = od_text_letter(p, &c);
        if (used + length >= room) {
            break;
        }
        memcpy(to + used, p, length);
        used += length;
        p += length;
    }
    to[used] = '\0';
}

void od_text_join(char *list, size_t room, const char *name)
{
    const size_t used = strlen(list), left = room - used;
    if ((size_t)snprintf(list + used, left, "%s%s", used > 0 ? ", " : "", name) >= left) {
        list[used] = '\0';
    }
}

size_t od_text_distance(const char *a, const char *b)
{
    enum { ROOM = 64 };
    const size_t n = strlen(a), m = strlen(b);
    if (n >= ROOM || m >= ROOM) {
        return ROOM;
    }
    size_t d[ROOM][ROOM];
    for (size_t i = 0; i <= n; i++) {
        d[i][0] = i;
    }
    for (size_t j = 0; j <= m; j++) {
        d[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best) {
                best = d[i - 2][j - 2] + 1;
            }
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *od_text_nearest(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 2 + 1; /* further than half the letters is another word */
    for (size_t i = 0; i < count; i++) {
        size_t distance = od_text_distance(name, names[i]);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
