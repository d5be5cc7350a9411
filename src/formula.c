/*
 * Formulas as text: numbers, variables, pi, e, + - * / ^, parentheses, functions. A power binds tighter than a sign, to
 * the right: -x^2^3 is -(x^(2^3)). A product needs its *.
 *
 * One pass with one letter of look-ahead; depth and length are bounded, so that no text can exhaust stack or memory.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tape.h"
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { MOST_LENGTH = 100000, MOST_DEPTH = 200, MOST_NAME = 63, FUNCTIONS = OD_OP_MAX - OD_OP_EXP + 1 };

typedef struct reader {
    od_context *ctx;
    od_tape *tape;
    const char *text, *end, *here; /* here: the letter to be read next */
    size_t depth;
    size_t variables;
    const char *const *variable;
} reader;

static uint32_t sum(reader *r);

/* Returns OD_NO_NODE, and so do all callers: the first mistake is the only one. */
static uint32_t wrong(reader *r, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static uint32_t wrong(reader *r, const char *at, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    od_fail(r->ctx, OD_EINVAL, "problem.f", "column %zu: %s", (size_t)(at - r->text) + 1, sentence);
    return OD_NO_NODE;
}

static void skip_blanks(reader *r)
{
    while (r->here < r->end && strchr(" \t\r\n", *r->here) != NULL && *r->here != '\0') {
        r->here++;
    }
}

/* The letter after blanks, 0 at the end. */
static char next(reader *r)
{
    skip_blanks(r);
    return r->here < r->end ? *r->here : '\0';
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands at r->here, for a message. */
static const char *found(reader *r, char words[32])
{
    uint32_t code;
    skip_blanks(r);
    if (r->here >= r->end) {
        return "the formula ends";
    }
    char bytes[5] = {0}; /* a letter may be cut off by the end */
    memcpy(bytes, r->here, (size_t)(r->end - r->here) < 4 ? (size_t)(r->end - r->here) : 4);
    const size_t length = od_text_letter(bytes, &code);
    if (od_text_printable(code)) {
        snprintf(words, 32, "there is '%.*s'", (int)length, bytes);
    } else {
        snprintf(words, 32, "there is the byte 0x%02x", (unsigned char)*r->here);
    }
    return words;
}

static bool expect(reader *r, char what, const char *why)
{
    char words[32];
    if (next(r) != what) {
        wrong(r, r->here, "expected '%c' %s, but %s", what, why, found(r, words));
        return false;
    }
    r->here++;
    return true;
}

/* A constant must be a number: log(-1) and 1/0 are mistakes, not loss functions. */
static uint32_t checked(reader *r, const char *at, uint32_t i)
{
    if (i == OD_NO_NODE) {
        return wrong(r, at, "the formula takes too much memory; shorten it");
    }
    const od_tape_node *n = &od_tape_nodes(r->tape)[i];
    return n->constant && !isfinite(n->value) ? wrong(r, at, "a constant part of the formula is not a finite number")
                                              : i;
}

static uint32_t number(reader *r)
{
    const char *begin = r->here;
    size_t digits = 0;
    for (; r->here < r->end && digit(*r->here); r->here++) {
        digits++;
    }
    if (r->here < r->end && *r->here == '.') {
        for (r->here++; r->here < r->end && digit(*r->here); r->here++) {
            digits++;
        }
    }
    if (digits == 0) {
        return wrong(r, begin, "a point alone is no number; write 0.5 or .5");
    }
    if (r->here < r->end && (*r->here == 'e' || *r->here == 'E')) {
        const char *q = r->here + 1;
        q += q < r->end && (*q == '+' || *q == '-');
        if (q < r->end && digit(*q)) {
            for (r->here = q; r->here < r->end && digit(*r->here); r->here++) {
            }
        }
    }
    const uint32_t i = od_tape_number(r->tape, begin, (size_t)(r->here - begin));
    if (i == OD_NO_NODE && od_tape_complete(r->tape)) {
        return wrong(r, begin, "the number %.*s is beyond double precision, 2.3e-308 to 1.7e308",
                     (int)(r->here - begin < 40 ? r->here - begin : 40), begin);
    }
    return checked(r, begin, i);
}

static uint32_t unknown_name(reader *r, const char *begin, const char *name, bool called)
{
    const char *names[FUNCTIONS + 2];
    char all[256] = "";
    for (size_t i = 0; i < FUNCTIONS; i++) {
        names[i] = od_operation_name((od_operation)(OD_OP_EXP + i));
        od_text_join(all, sizeof all, names[i]);
    }
    names[FUNCTIONS] = "pi";
    names[FUNCTIONS + 1] = "e";
    const char *function = od_text_nearest(name, names, called ? FUNCTIONS : FUNCTIONS + 2);
    const char *variable = called ? NULL : od_text_nearest(name, r->variable, r->variables);
    const bool nearer = variable != NULL &&
                        (function == NULL || od_text_distance(name, variable) <= od_text_distance(name, function));
    const char *nearest = nearer ? variable : function;
    return wrong(r, begin, "there is no %s '%s'%s%.63s%s; functions are %s%s", called ? "function" : "variable", name,
                 nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "'?)" : "", all,
                 called ? "" : ", constants pi and e, variables those of `variables`");
}

/* After the name: the arguments in parentheses. */
static uint32_t call(reader *r, const char *begin, od_operation op)
{
    const unsigned arguments = od_operation_arguments(op);
    uint32_t argument[2] = {OD_NO_NODE, OD_NO_NODE};
    char why[48];
    snprintf(why, sizeof why, "after the function '%s'", od_operation_name(op));
    if (!expect(r, '(', why)) {
        return OD_NO_NODE;
    }
    for (unsigned k = 0; k < arguments; k++) {
        if (k > 0) {
            snprintf(why, sizeof why, "and argument %u of %u of '%s'", k + 1, arguments, od_operation_name(op));
        }
        if ((k > 0 && !expect(r, ',', why)) || (argument[k] = sum(r)) == OD_NO_NODE) {
            return OD_NO_NODE;
        }
    }
    snprintf(why, sizeof why, "after %s of '%s'", arguments > 1 ? "the arguments" : "the argument",
             od_operation_name(op));
    return expect(r, ')', why) ? checked(r, begin, od_tape_apply(r->tape, op, argument[0], argument[1])) : OD_NO_NODE;
}

static uint32_t name(reader *r)
{
    const char *begin = r->here;
    char word[MOST_NAME + 1];
    while (r->here < r->end && (letter(*r->here) || digit(*r->here))) {
        r->here++;
    }
    const size_t length = (size_t)(r->here - begin);
    if (length > MOST_NAME) {
        return wrong(r, begin, "a name of %zu letters; names have at most %d", length, MOST_NAME);
    }
    memcpy(word, begin, length);
    word[length] = '\0';
    for (size_t i = 0; i < r->variables; i++) {
        if (strcmp(word, r->variable[i]) == 0) {
            return checked(r, begin, od_tape_variable(r->tape, (int32_t)i));
        }
    }
    if (strcmp(word, "pi") == 0 || strcmp(word, "e") == 0) {
        return checked(r, begin, od_tape_add(r->tape, word[0] == 'e' ? OD_OP_E : OD_OP_PI, OD_NO_NODE, OD_NO_NODE, 0));
    }
    for (unsigned op = OD_OP_EXP; op <= OD_OP_MAX; op++) {
        if (strcmp(word, od_operation_name((od_operation)op)) == 0) {
            return call(r, begin, (od_operation)op);
        }
    }
    return unknown_name(r, begin, word, next(r) == '(');
}

static uint32_t primary(reader *r)
{
    char words[32];
    const char c = next(r);
    if (digit(c) || c == '.') {
        return number(r);
    }
    if (letter(c)) {
        return name(r);
    }
    if (c == '(') {
        r->here++;
        const uint32_t inner = sum(r);
        return inner != OD_NO_NODE && expect(r, ')', "after what stands in parentheses") ? inner : OD_NO_NODE;
    }
    return wrong(r, r->here, "expected a number, a variable, a function or '(', but %s", found(r, words));
}

/* With signs in front and a power behind. */
static uint32_t factor(reader *r)
{
    bool negative = false;
    if (++r->depth > MOST_DEPTH) {
        return wrong(r, r->here, "more than %d levels of parentheses, functions and powers; flatten the formula",
                     MOST_DEPTH);
    }
    for (char c = next(r); c == '-' || c == '+'; c = next(r)) {
        negative = negative != (c == '-');
        r->here++;
    }
    const char *begin = r->here;
    uint32_t i = primary(r);
    if (i != OD_NO_NODE && next(r) == '^') {
        r->here++;
        const uint32_t exponent = factor(r);
        i = exponent != OD_NO_NODE ? checked(r, begin, od_tape_apply(r->tape, OD_OP_POWER, i, exponent)) : exponent;
    }
    r->depth--;
    return i != OD_NO_NODE && negative ? checked(r, begin, od_tape_apply(r->tape, OD_OP_NEGATE, i, OD_NO_NODE)) : i;
}

/* A chain of two operations that bind alike, from the left. */
static uint32_t chain(reader *r, uint32_t (*part)(reader *), char first, od_operation first_op, char second,
                      od_operation second_op)
{
    skip_blanks(r);
    const char *begin = r->here;
    uint32_t i = part(r);
    for (char c = next(r); i != OD_NO_NODE && (c == first || c == second); c = next(r)) {
        if (r->here + 1 < r->end && r->here[0] == '*' && r->here[1] == '*') {
            return wrong(r, r->here, "'**' is no operation; write ^ for a power");
        }
        r->here++;
        const uint32_t other = part(r);
        i = other != OD_NO_NODE ? checked(r, begin, od_tape_apply(r->tape, c == first ? first_op : second_op, i, other))
                                : other;
    }
    return i;
}

static uint32_t term(reader *r)
{
    return chain(r, factor, '*', OD_OP_MULTIPLY, '/', OD_OP_DIVIDE);
}

static uint32_t sum(reader *r)
{
    return chain(r, term, '+', OD_OP_ADD, '-', OD_OP_SUBTRACT);
}

od_status od_formula_read(od_context *ctx, od_tape *tape, const char *formula, size_t length, size_t variables,
                          const char *const *variable, uint32_t *f)
{
    reader r = {.ctx = ctx,
                .tape = tape,
                .text = formula,
                .end = formula + length,
                .here = formula,
                .variables = variables,
                .variable = variable};
    char words[32];
    if (length > MOST_LENGTH) {
        return od_fail(ctx, OD_EINVAL, "problem.f", "a formula of %zu letters; at most %d are read", length,
                       MOST_LENGTH);
    }
    *f = sum(&r);
    skip_blanks(&r);
    if (*f != OD_NO_NODE && r.here < r.end) {
        const bool product = letter(*r.here) || digit(*r.here) || *r.here == '(' || *r.here == '.';
        *f = wrong(&r, r.here, "expected an operation or the end, but %s%s", found(&r, words),
                   product ? "; write * for a product" : "");
    }
    return *f != OD_NO_NODE ? OD_OK : OD_EINVAL;
}
