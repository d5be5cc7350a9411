/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"

#include "text.h"

#include <math.h>

void od_json_real(FILE *out, double x)
{
    char text[OD_REAL_ROOM];
    fputs(isfinite(x) ? od_real_text(text, x) : "null", out);
}

void od_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *p = text; *p != '\0';) {
        uint32_t c;
        const size_t length = od_text_letter(p, &c);
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", (char)c);
        } else if (c == '\n') {
            fputs("\\n", out);
        } else if (c == OD_NO_LETTER) {
            fputs("\\ufffd", out); /* a file name may hold any bytes, JSON may not */
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\u%04x", (unsigned)c);
        } else {
            fwrite(p, 1, length, out);
        }
        p += length;
    }
    fputc('"', out);
}

void od_json_list(FILE *out, const double *list, size_t count)
{
    fputc('[', out);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : "", out);
        od_json_real(out, list[i]);
    }
    fputc(']', out);
}
