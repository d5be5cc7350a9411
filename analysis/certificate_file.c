/*
 * Certificates as text. Each line is a word and its values; doubles are written as hexadecimal fractions, so exactly;
 * matrices row by row, shapes as lower triangles. The last line is the SHA-256 of all before it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "certificate.h"

#include "../src/text.h"
#include "certificate_data.h"

#include <inttypes.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

/* " 0x1999999999999ap-56": a whole number times a power of two, in any locale. */
static void write_exactly(FILE *out, double x)
{
    int exponent;
    const double whole = ldexp(frexp(fabs(x), &exponent), 53);
    fprintf(out, " %s0x%" PRIx64 "p%+d", signbit(x) ? "-" : "", (uint64_t)whole, x != 0 ? exponent - 53 : 0);
}

static void write_reals(FILE *out, const char *word, const double *x, size_t count)
{
    fputs(word, out);
    for (size_t i = 0; i < count; i++) {
        write_exactly(out, x[i]);
    }
    fputc('\n', out);
}

static void write_real(FILE *out, const char *word, double x)
{
    write_reals(out, word, &x, 1);
}

static void write_shape(FILE *out, const char *word, const double *shape, size_t n, size_t count)
{
    fputs(word, out);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            write_exactly(out, shape[i * n + j]);
        }
    }
    fputc('\n', out);
}

const char *od_certificate_decimal(double bound, char text[32])
{
    /* first more than the conversion may err, then by less than the last digit */
    double raised = bound * (1 + 1e-13), written;
    do {
        snprintf(text, 32, "%.9e", raised);
        text[1] = '.'; /* in any locale */
        raised *= 1 + 1e-10;
    } while (od_text_real(text, &written) && written < bound * (1 + 1e-14));
    return text;
}

/* The Hessian as the program multiplies with it. */
static void write_quadratic(FILE *out, const od_problem *f)
{
    double unit[OD_LOSS_MAX_DIM] = {0}, row[OD_LOSS_MAX_DIM];
    for (size_t i = 0; i < f->dim; i++) {
        unit[i] = 1;
        f->hvp(f, 1, unit, 1, unit, row, NULL);
        unit[i] = 0;
        write_reals(out, "hessian", row, f->dim);
    }
    write_reals(out, "centre", f->spectrum->centre, f->dim);
}

static void write_problem(FILE *out, const od_member *m)
{
    const char *name = m->problem_choice.problem->name;
    const od_settings *s = m->problem_choice.settings;
    fprintf(out, "problem %s\ndimension %zu\n", name, m->problem->dim);
    if (strcmp(name, "quadratic") == 0) {
        write_quadratic(out, m->problem);
    } else if (strcmp(name, "rosenbrock") == 0) {
        write_real(out, "a", od_setting_real(s, "a"));
        write_real(out, "b", od_setting_real(s, "b"));
    } else if (strcmp(name, "power") == 0) {
        write_real(out, "p", od_setting_real(s, "p"));
        write_real(out, "c", od_setting_real(s, "c"));
    } else if (strcmp(name, "formula") == 0) {
        fputs("formula ", out);
        for (const char *c = od_setting_text(s, "f"); *c != '\0'; c++) {
            fputc(*c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c, out);
        }
        fputs("\nvariables", out);
        const od_value *names = od_setting(s, "variables");
        for (size_t i = 0; i < names->cols; i++) {
            fprintf(out, " %s", names->names[i]);
        }
        fputc('\n', out);
    }
}

static void write_data(FILE *out, const od_proof *p, const double *y)
{
    const size_t n = p->rule->dim, square = n * n;
    for (uint64_t k = 0; k <= p->steps; k++) {
        const size_t stable = k > 0 ? n - p->unstable[k - 1] : 0, unstable = k < p->steps ? p->unstable[k] : 0;
        fprintf(out, "node %" PRIu64 " %" PRIu32 "\n", k, k < p->steps ? p->unstable[k] : 0);
        write_reals(out, "state", p->x + k * n, n);
        if (y != NULL) {
            write_reals(out, "target", y + k * n, n);
        }
        write_reals(out, "frame", p->frame + k * square, square);
        write_reals(out, "sizes", (double[]){p->stable_size[k], p->unstable_size[k]}, 2);
        write_shape(out, "stable", p->stable_shape + k * square, n, stable);
        write_shape(out, "unstable", p->unstable_shape + k * square, n, unstable);
        if (k < p->steps) {
            write_reals(out, "shares", p->share + 3 * k, 3);
            write_reals(out, "linear", p->linear + k * square, square);
        }
    }
}

static void write_body(const od_certificate *c, const od_member *m, const od_target *target, FILE *out)
{
    char text[32];
    const od_proof *p = &c->proof;
    fprintf(out, "optdyn certificate 1\n");
    fprintf(out,
            "# There is an exact orbit of the map within epsilon of this computed pseudo-orbit (Euclidean, at every "
            "step).\n# It is about orbits of the map over the real numbers, not of the flow.\n");
    if (target != NULL) {
        fprintf(out, "# The same orbit is within radius of the targets, in the norm of the weights.\n");
    }
    fprintf(out, "epsilon %s\n", od_certificate_decimal(c->proven.epsilon, text));
    if (target != NULL) {
        fprintf(out, "radius %s\n", od_certificate_decimal(od_certificate_radius(c, target), text));
    }
    write_problem(out, m);
    fprintf(out, "rule %s\n", p->rule->name);
    write_reals(out, "parameters", p->rule->p, 2);
    fprintf(out, "steps %" PRIu64 "\n", p->steps);
    write_real(out, "omega", p->omega);
    if (target != NULL) {
        write_reals(out, "weights", target->weight, p->rule->dim);
    }
    write_data(out, p, target != NULL ? target->y : NULL);
}

od_status od_certificate_write(od_context *ctx, const od_certificate *c, const od_member *m, const od_target *target,
                               FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory != NULL) {
        write_body(c, m, target, memory);
    }
    if (memory == NULL || fclose(memory) != 0) {
        free(text);
        return od_fail(ctx, OD_ENOMEM, "shadow.certificate", "no memory for the text of a certificate");
    }
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, length, (const uint8_t *)text);
    sha256_digest(&sha, sizeof digest, digest);
    fwrite(text, 1, length, out);
    fputs("sha256 ", out);
    for (size_t i = 0; i < sizeof digest; i++) {
        fprintf(out, "%02x", digest[i]);
    }
    fputc('\n', out);
    free(text);
    return OD_OK;
}
