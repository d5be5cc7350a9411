/*
 * Nodes of a tape: kept once each by a hash table, constants with their values.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tape.h"

#include "memory.h"
#include "program.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, MOST_NODES = 1 << 22 };

static const double most_exact = 9007199254740992.0; /* 2^53 */

struct od_tape {
    od_tape_node *node;
    uint32_t *table; /* [2*room], node + 1, 0 where empty */
    uint32_t count, room;
    bool failed;
    od_arena *text;
};

/* What is common to all operations; code: of the step that computes it. */
static const struct {
    const char *name;
    unsigned arguments;
    od_code code;
    bool rough;
} operation[OD_OPERATIONS] = {
    [OD_OP_NUMBER] = {"number", 0, OD_CODE_FILL, false},
    [OD_OP_PI] = {"pi", 0, OD_CODE_FILL, false},
    [OD_OP_E] = {"e", 0, OD_CODE_FILL, false},
    [OD_OP_VARIABLE] = {"variable", 0, OD_CODE_COPY, false},
    [OD_OP_NEGATE] = {"-", 1, OD_CODE_NEGATE, false},
    [OD_OP_ADD] = {"+", 2, OD_CODE_ADD, false},
    [OD_OP_SUBTRACT] = {"-", 2, OD_CODE_SUBTRACT, false},
    [OD_OP_MULTIPLY] = {"*", 2, OD_CODE_MULTIPLY, false},
    [OD_OP_DIVIDE] = {"/", 2, OD_CODE_DIVIDE, false},
    [OD_OP_WHOLE] = {"^", 1, OD_CODE_POWER_K, false},
    [OD_OP_POWER] = {"^", 2, OD_CODE_POWER, false},
    [OD_OP_EXP] = {"exp", 1, OD_CODE_EXP, false},
    [OD_OP_LOG] = {"log", 1, OD_CODE_LOG, false},
    [OD_OP_SQRT] = {"sqrt", 1, OD_CODE_SQRT, false},
    [OD_OP_SIN] = {"sin", 1, OD_CODE_SIN, false},
    [OD_OP_COS] = {"cos", 1, OD_CODE_COS, false},
    [OD_OP_TAN] = {"tan", 1, OD_CODE_TAN, false},
    [OD_OP_SINH] = {"sinh", 1, OD_CODE_SINH, false},
    [OD_OP_COSH] = {"cosh", 1, OD_CODE_COSH, false},
    [OD_OP_TANH] = {"tanh", 1, OD_CODE_TANH, false},
    [OD_OP_ATAN] = {"atan", 1, OD_CODE_ATAN, false},
    [OD_OP_LOGISTIC] = {"logistic", 1, OD_CODE_LOGISTIC, false},
    [OD_OP_SOFTPLUS] = {"softplus", 1, OD_CODE_SOFTPLUS, false},
    [OD_OP_ABS] = {"abs", 1, OD_CODE_ABS, true},
    [OD_OP_MIN] = {"min", 2, OD_CODE_MIN, true},
    [OD_OP_MAX] = {"max", 2, OD_CODE_MAX, true},
    [OD_OP_LOG_SLOPE] = {"slope of log", 1, OD_CODE_LOG_SLOPE, false},
    [OD_OP_SIGN] = {"sign", 1, OD_CODE_SIGN, true},
};

unsigned od_operation_arguments(od_operation op)
{
    return operation[op].arguments;
}

const char *od_operation_name(od_operation op)
{
    return operation[op].name;
}

od_code od_operation_code(od_operation op)
{
    return operation[op].code;
}

od_tape *od_tape_create(void)
{
    od_tape *t = od_zalloc(1, sizeof *t);
    if (t != NULL) {
        t->room = FIRST_ROOM;
        t->node = od_zalloc(t->room, sizeof *t->node);
        t->table = od_zalloc(2 * (size_t)t->room, sizeof *t->table);
        t->text = od_arena_create();
        if (t->node == NULL || t->table == NULL || t->text == NULL) {
            od_tape_free(t);
            return NULL;
        }
    }
    return t;
}

void od_tape_free(od_tape *t)
{
    if (t != NULL) {
        free(t->node);
        free(t->table);
        od_arena_free(t->text);
        free(t);
    }
}

const od_tape_node *od_tape_nodes(const od_tape *t)
{
    return t->node;
}

uint32_t od_tape_count(const od_tape *t)
{
    return t->count;
}

bool od_tape_complete(const od_tape *t)
{
    return !t->failed;
}

static size_t hash(const od_tape_node *n)
{
    uint64_t h = (uint64_t)n->op + 31 * (uint64_t)(uint32_t)n->whole;
    h = (h ^ n->a) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ n->b) * UINT64_C(0xbf58476d1ce4e5b9);
    for (const char *p = n->text; p != NULL && *p != '\0'; p++) {
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32);
}

static bool same(const od_tape_node *n, const od_tape_node *m)
{
    return n->op == m->op && n->a == m->a && n->b == m->b && n->whole == m->whole &&
           (n->text == NULL || strcmp(n->text, m->text) == 0);
}

/* Where the node stands in the table, or the empty place for it. */
static uint32_t *place(const od_tape *t, const od_tape_node *n)
{
    const size_t mask = 2 * (size_t)t->room - 1;
    size_t i = hash(n) & mask;
    while (t->table[i] != 0 && !same(&t->node[t->table[i] - 1], n)) {
        i = (i + 1) & mask;
    }
    return &t->table[i];
}

static bool grow(od_tape *t)
{
    const uint32_t room = 2 * t->room;
    od_tape_node *node = room <= MOST_NODES ? od_zalloc(room, sizeof *node) : NULL;
    uint32_t *table = node != NULL ? od_zalloc(2 * (size_t)room, sizeof *table) : NULL;
    if (table == NULL) {
        free(node);
        return false;
    }
    memcpy(node, t->node, t->count * sizeof *node);
    free(t->node);
    free(t->table);
    t->node = node;
    t->table = table;
    t->room = room;
    for (uint32_t i = 0; i < t->count; i++) {
        *place(t, &node[i]) = i + 1;
    }
    return true;
}

/* The node's number, an old one if it is there already; `text` of a new number is copied. */
static uint32_t enter(od_tape *t, od_tape_node n)
{
    uint32_t *at = place(t, &n);
    if (*at != 0) {
        return *at - 1;
    }
    if (t->count == t->room) {
        t->failed = t->failed || !grow(t);
        at = place(t, &n);
    }
    if (!t->failed && n.text != NULL) {
        n.text = od_arena_text(t->text, n.text, strlen(n.text));
        t->failed = n.text == NULL;
    }
    if (t->failed) {
        return OD_NO_NODE;
    }
    *at = t->count + 1;
    t->node[t->count] = n;
    return t->count++;
}

static bool whole_text(const char *text)
{
    const char *point = strchr(text, '.');
    const size_t digits = strspn(text, "0123456789"), zeros = point != NULL ? strspn(point + 1, "0") : 0;
    return text[digits] == '\0' || (point == text + digits && point[1 + zeros] == '\0');
}

uint32_t od_tape_number(od_tape *t, const char *text, size_t length)
{
    od_tape_node n = {.op = OD_OP_NUMBER, .a = OD_NO_NODE, .b = OD_NO_NODE, .constant = true};
    const char *copy = od_arena_text(t->text, text, length);
    if (copy == NULL) {
        t->failed = true;
        return OD_NO_NODE;
    }
    n.text = copy;
    if (!od_text_real(copy, &n.value) || !isfinite(n.value) ||
        (n.value == 0 && strcspn(copy, "123456789") < strcspn(copy, "eE"))) {
        return OD_NO_NODE;
    }
    n.exact = n.value < most_exact && whole_text(copy);
    return enter(t, n);
}

uint32_t od_tape_integer(od_tape *t, int64_t value)
{
    char text[32];
    const int length = snprintf(text, sizeof text, "%lld", (long long)(value < 0 ? -value : value));
    const uint32_t number = od_tape_number(t, text, (size_t)length);
    return value < 0 ? od_tape_add(t, OD_OP_NEGATE, number, OD_NO_NODE, 0) : number;
}

uint32_t od_tape_variable(od_tape *t, int32_t which)
{
    return enter(
        t, (od_tape_node){
               .op = OD_OP_VARIABLE, .a = OD_NO_NODE, .b = OD_NO_NODE, .whole = which, .degree = 1, .value = NAN});
}

/* The products that evaluators form too (src/program.c). */
static double multiplied(double a, int32_t exponent)
{
    if (exponent == 1) {
        return a;
    }
    const double half = multiplied(a, exponent % 2 == 0 ? exponent / 2 : exponent - 1);
    return exponent % 2 == 0 ? half * half : a * half;
}

static double constant_value(const od_tape *t, const od_tape_node *n)
{
    enum { OUT = 2 };
    double file[] = {t->node[n->a].value, n->b != OD_NO_NODE ? t->node[n->b].value : 0, NAN};
    const int32_t size = n->whole < 0 ? -n->whole : n->whole;
    if (n->op == OD_OP_WHOLE && size <= OD_MOST_FACTORS) {
        return n->whole < 0 ? 1 / multiplied(file[0], size) : multiplied(file[0], size);
    }
    const od_step step = {.code = operation[n->op].code, .out = OUT, .a = 0, .b = 1, .c = 0, .k = n->whole};
    od_steps_portable(&step, 1, 1, &(od_frame){.write = {file}});
    return file[OUT];
}

static bool is_exact(const od_tape *t, const od_tape_node *n)
{
    const od_tape_node *a = &t->node[n->a], *b = n->b != OD_NO_NODE ? &t->node[n->b] : a;
    if (!n->constant || !a->exact || !b->exact || !(fabs(n->value) < most_exact)) {
        return false;
    }
    switch (n->op) {
    case OD_OP_NEGATE:
    case OD_OP_ADD:
    case OD_OP_SUBTRACT:
    case OD_OP_MULTIPLY: return true;
    case OD_OP_DIVIDE: return fmod(a->value, b->value) == 0; /* the quotient is finite */
    case OD_OP_WHOLE: return n->whole >= 0;
    default: return false;
    }
}

static int degree_of(const od_tape *t, const od_tape_node *n)
{
    const int a = t->node[n->a].degree, b = n->b != OD_NO_NODE ? t->node[n->b].degree : 0;
    int degree = 3;
    switch (n->op) {
    case OD_OP_NEGATE:
    case OD_OP_ADD:
    case OD_OP_SUBTRACT: degree = a > b ? a : b; break;
    case OD_OP_MULTIPLY: degree = a + b; break;
    case OD_OP_DIVIDE: degree = t->node[n->b].constant ? a : 3; break;
    case OD_OP_WHOLE: degree = n->whole >= 0 && n->whole < 3 ? a * n->whole : 3; break;
    default: break;
    }
    return n->constant ? 0 : degree < 3 ? degree : 3;
}

uint32_t od_tape_add(od_tape *t, od_operation op, uint32_t a, uint32_t b, int32_t whole)
{
    od_tape_node n = {.op = op, .a = a, .b = b, .whole = whole, .value = NAN};
    const unsigned arguments = operation[op].arguments;
    if ((arguments > 0 && a == OD_NO_NODE) || (arguments > 1 && b == OD_NO_NODE)) {
        return OD_NO_NODE;
    }
    if ((op == OD_OP_ADD || op == OD_OP_MULTIPLY) && b < a) { /* a sum does not depend on the order of two */
        n.a = b;
        n.b = a;
    }
    uint32_t *at = place(t, &n);
    if (*at != 0) {
        return *at - 1;
    }
    n.rough = operation[op].rough;
    n.constant = true;
    for (unsigned i = 0; i < arguments; i++) {
        const od_tape_node *argument = &t->node[i == 0 ? a : b];
        n.constant = n.constant && argument->constant;
        n.rough = n.rough || argument->rough;
    }
    if (arguments == 0) {
        n.value = op == OD_OP_PI ? 3.14159265358979323846 : 2.71828182845904523536;
    } else if (n.constant) {
        n.value = constant_value(t, &n);
    }
    n.rough = n.rough && !n.constant;
    if (arguments > 0) {
        n.exact = is_exact(t, &n);
        n.degree = degree_of(t, &n);
    }
    return enter(t, n);
}
