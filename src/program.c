/*
 * From a tape to steps: whole powers become products, constants become parts of steps, a product that is used once
 * becomes part of the sum it goes into, and buffers are used again as soon as what they hold is not needed any more.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "program.h"

#include "memory.h"
#include "polynomial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- lowering */

/* A program under way. Arrays are indexed by node of `tape`, which has the products in place of powers. */
typedef struct maker {
    od_tape *tape;
    const od_tape_node *node;
    uint32_t d, count;
    uint32_t *place; /* where the value lies */
    od_polynomial *polynomial;
    uint32_t *uses, *uses_left;   /* by steps and results */
    bool *late, *result, *merged; /* depends on a direction; is a result; is part of its only user */
    uint32_t *idle, idle_count;   /* buffers that hold nothing */
    double *coefficient;          /* room for the next polynomial's */
    od_program *program;
} maker;

static uint32_t raised(od_tape *t, uint32_t a, int32_t exponent)
{
    if (exponent == 1) {
        return a;
    }
    const uint32_t half = raised(t, a, exponent % 2 == 0 ? exponent / 2 : exponent - 1);
    return od_tape_add(t, OD_OP_MULTIPLY, half, exponent % 2 == 0 ? half : a, 0);
}

static uint32_t lowered(od_tape *t, const od_tape_node *n, const uint32_t *to)
{
    const uint32_t a = n->a != OD_NO_NODE ? to[n->a] : OD_NO_NODE, b = n->b != OD_NO_NODE ? to[n->b] : OD_NO_NODE;
    const int32_t size = n->whole < 0 ? -n->whole : n->whole;
    if (n->op == OD_OP_NUMBER) {
        return od_tape_number(t, n->text, strlen(n->text));
    }
    if (n->op == OD_OP_VARIABLE) {
        return od_tape_variable(t, n->whole);
    }
    if (n->op == OD_OP_WHOLE && size <= OD_MOST_FACTORS) {
        const uint32_t power = raised(t, a, size);
        return n->whole > 0 ? power : od_tape_add(t, OD_OP_DIVIDE, od_tape_integer(t, 1), power, 0);
    }
    return od_tape_add(t, n->op, a, b, n->whole);
}

/* Copies what the nodes need to a tape of its own; to[node] is where they are now. */
static bool lower(maker *m, const od_tape *tape, uint32_t value, size_t count, const uint32_t *node, uint32_t *to)
{
    const od_tape_node *n = od_tape_nodes(tape);
    const uint32_t old = od_tape_count(tape);
    memset(to, 0, old * sizeof *to); /* 1: needed */
    for (size_t j = 0; j < count; j++) {
        if (node[j] != OD_NO_NODE) {
            to[node[j]] = 1;
        }
    }
    if (value != OD_NO_NODE) {
        to[value] = 1;
    }
    for (uint32_t i = old; i-- > 0;) {
        for (unsigned k = 0; k < od_operation_arguments(n[i].op) && to[i] != 0; k++) {
            to[k == 0 ? n[i].a : n[i].b] = 1;
        }
    }
    for (uint32_t i = 0; i < old; i++) {
        to[i] = to[i] != 0 ? lowered(m->tape, &n[i], to) : OD_NO_NODE;
    }
    return od_tape_complete(m->tape);
}

/* ------------------------------------------------------------------------------------------- steps */

static bool is_constant(const maker *m, uint32_t i)
{
    return m->node[i].constant;
}

/* The factor and the rest of a product with a constant, false if it has none. */
static bool split(const maker *m, uint32_t i, double *k, uint32_t *rest)
{
    const od_tape_node *n = &m->node[i];
    *rest = is_constant(m, n->a) ? n->b : n->a;
    *k = m->node[*rest == n->b ? n->a : n->b].value;
    return is_constant(m, n->a) || is_constant(m, n->b);
}

static bool is_product(const maker *m, uint32_t i, uint32_t user)
{
    return m->node[i].op == OD_OP_MULTIPLY && !m->node[i].constant && !od_polynomial_pays(&m->polynomial[i]) &&
           m->uses[i] == 1 && !m->result[i] && m->late[i] == m->late[user];
}

/* What is needed and by how many, from the results down. */
static void count_uses(maker *m)
{
    for (uint32_t i = m->count; i-- > 0;) {
        const od_tape_node *n = &m->node[i];
        if (m->uses[i] > 0 && !n->constant && od_polynomial_pays(&m->polynomial[i])) {
            m->uses[m->polynomial[i].base]++;
            continue;
        }
        for (unsigned k = 0; k < od_operation_arguments(n->op) && m->uses[i] > 0 && !n->constant; k++) {
            m->uses[k == 0 ? n->a : n->b]++;
        }
    }
}

/* From the results down, so that a product belongs to the outermost operation that can take it. */
static void merge(maker *m)
{
    for (uint32_t i = m->count; i-- > 0;) {
        const od_tape_node *n = &m->node[i];
        if (m->uses[i] == 0 || n->constant || m->merged[i] || od_operation_arguments(n->op) < 2 || n->a == n->b ||
            od_polynomial_pays(&m->polynomial[i])) {
            continue;
        }
        const bool mixed = is_constant(m, n->a) || is_constant(m, n->b);
        const uint32_t other = is_constant(m, n->a) ? n->b : n->a;
        double k;
        uint32_t rest;
        if (mixed && n->op == OD_OP_MULTIPLY) {
            m->merged[other] = is_product(m, other, i) && !split(m, other, &k, &rest);
        } else if (!mixed && (n->op == OD_OP_ADD || n->op == OD_OP_SUBTRACT)) {
            m->merged[n->a] = is_product(m, n->a, i);
            m->merged[n->b] = !m->merged[n->a] && is_product(m, n->b, i);
        }
    }
}

static uint32_t space(uint32_t which, uint32_t row)
{
    return which << OD_SPACE_SHIFT | row;
}

static void emit(maker *m, od_step step)
{
    m->program->step[m->program->steps++] = step;
}

/* A sum or difference of which one side is a product. */
static od_step sum_with_product(const maker *m, const od_tape_node *n, uint32_t operand[3])
{
    const bool first = m->merged[n->a], minus = n->op == OD_OP_SUBTRACT;
    const uint32_t product = first ? n->a : n->b;
    double k;
    uint32_t rest;
    operand[2] = first ? n->b : n->a;
    if (split(m, product, &k, &rest)) {
        operand[0] = operand[1] = rest;
        return (od_step){.code = minus && first ? OD_CODE_K_MULTIPLY_LESS : OD_CODE_K_MULTIPLY_ADD,
                         .k = minus && !first ? -k : k};
    }
    operand[0] = m->node[product].a;
    operand[1] = m->node[product].b;
    return (od_step){.code = !minus ? OD_CODE_MULTIPLY_ADD : first ? OD_CODE_MULTIPLY_LESS : OD_CODE_LESS_MULTIPLY};
}

/* An operation on a constant and something else. */
static od_step with_constant(const maker *m, const od_tape_node *n, uint32_t operand[3])
{
    double k;
    uint32_t rest;
    split(m, (uint32_t)(n - m->node), &k, &rest);
    operand[0] = operand[1] = operand[2] = rest;
    const bool first = rest == n->b; /* the constant is */
    int exponent;
    switch (n->op) {
    case OD_OP_ADD: return (od_step){.code = OD_CODE_ADD_K, .k = k};
    case OD_OP_SUBTRACT: return (od_step){.code = first ? OD_CODE_K_SUBTRACT : OD_CODE_ADD_K, .k = first ? k : -k};
    case OD_OP_MULTIPLY:
        if (m->merged[rest]) {
            operand[0] = m->node[rest].a;
            operand[1] = operand[2] = m->node[rest].b;
            return (od_step){.code = OD_CODE_K_TIMES_PRODUCT, .k = k};
        }
        return (od_step){.code = OD_CODE_MULTIPLY_K, .k = k};
    case OD_OP_DIVIDE:
        if (!first && fabs(frexp(k, &exponent)) == 0.5 && abs(exponent) < 1000) { /* a power of two: the same bits */
            return (od_step){.code = OD_CODE_MULTIPLY_K, .k = 1 / k};
        }
        return (od_step){.code = first ? OD_CODE_K_DIVIDE : OD_CODE_DIVIDE_K, .k = k};
    default: return (od_step){.code = first ? OD_CODE_K_POWER : OD_CODE_POWER_K, .k = k};
    }
}

/* The step that gives node i and the nodes it takes. */
static od_step choose(const maker *m, uint32_t i, uint32_t operand[3])
{
    const od_tape_node *n = &m->node[i];
    const od_polynomial *p = &m->polynomial[i];
    if (od_polynomial_pays(p)) {
        operand[0] = operand[1] = operand[2] = p->base;
        return (od_step){.code = OD_CODE_POLYNOMIAL, .degree = p->degree};
    }
    operand[0] = operand[1] = operand[2] = n->a;
    if (od_operation_arguments(n->op) < 2) {
        return (od_step){.code = od_operation_code(n->op), .k = n->whole};
    }
    const bool mixed = is_constant(m, n->a) || is_constant(m, n->b);
    if (mixed && n->op != OD_OP_MIN && n->op != OD_OP_MAX) {
        return with_constant(m, n, operand);
    }
    if (m->merged[n->a] || m->merged[n->b]) {
        return sum_with_product(m, n, operand);
    }
    operand[1] = operand[2] = n->b;
    return (od_step){.code = od_operation_code(n->op)};
}

static bool has_step(const maker *m, uint32_t i)
{
    return m->uses[i] > 0 && !m->node[i].constant && !m->merged[i] && m->node[i].op != OD_OP_VARIABLE;
}

static uint32_t new_buffer(maker *m)
{
    return space(OD_SPACE_BUFFER, m->idle_count > 0 ? m->idle[--m->idle_count] : m->program->buffers++);
}

/* Where an operand lies; a constant is put into a buffer first. */
static uint32_t place_of(maker *m, uint32_t i)
{
    if (m->place[i] == OD_NO_NODE) {
        m->place[i] = new_buffer(m);
        emit(m, (od_step){.code = OD_CODE_FILL, .out = m->place[i], .k = m->node[i].value});
    }
    return m->place[i];
}

static void emit_node(maker *m, uint32_t i, bool late)
{
    uint32_t operand[3];
    od_step step = choose(m, i, operand);
    if (step.code == OD_CODE_POLYNOMIAL) {
        const size_t count = step.degree + 1;
        memcpy(m->coefficient, m->polynomial[i].coefficient, count * sizeof *m->coefficient);
        step.coefficient = m->coefficient;
        m->coefficient += count;
    }
    step.a = place_of(m, operand[0]);
    step.b = place_of(m, operand[1]);
    step.c = place_of(m, operand[2]);
    for (unsigned k = 0; k < 3; k++) {
        const uint32_t place = m->place[operand[k]];
        /* what does not depend on the direction is needed for the next one too */
        if (--m->uses_left[operand[k]] == 0 && m->late[operand[k]] == late && place >> OD_SPACE_SHIFT == 0) {
            m->idle[m->idle_count++] = place & OD_ROW_MASK;
        }
    }
    if (m->place[i] == OD_NO_NODE) {
        m->place[i] = new_buffer(m);
    }
    step.out = m->place[i];
    emit(m, step);
}

/* Results that no step writes where they belong: constants, variables, nodes that are two results. */
static void emit_result(maker *m, uint32_t i, uint32_t out)
{
    if (i == OD_NO_NODE || m->node[i].constant) {
        emit(m, (od_step){.code = OD_CODE_FILL, .out = out, .k = i == OD_NO_NODE ? 0 : m->node[i].value});
    } else if (m->place[i] != out) {
        emit(m, (od_step){.code = OD_CODE_COPY, .out = out, .a = m->place[i], .b = m->place[i], .c = m->place[i]});
    }
}

static void look_at(maker *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const od_tape_node *n = &m->node[i];
        m->late[i] = n->op == OD_OP_VARIABLE && (uint32_t)n->whole >= m->d;
        for (unsigned k = 0; k < od_operation_arguments(n->op); k++) {
            const uint32_t argument = k == 0 ? n->a : n->b;
            m->late[i] = m->late[i] || m->late[argument];
        }
        m->polynomial[i] = od_polynomial_of(m->node, i, m->polynomial);
        m->place[i] = n->op != OD_OP_VARIABLE ? OD_NO_NODE
                      : m->late[i]            ? space(OD_SPACE_U, (uint32_t)n->whole - m->d)
                                              : space(OD_SPACE_X, (uint32_t)n->whole);
        m->program->directions = m->program->directions || m->late[i];
    }
}

/* A result is written where it belongs at once, if a step of the last part gives it. */
static void claim(maker *m, uint32_t i, uint32_t out)
{
    if (i != OD_NO_NODE) {
        m->uses[i]++;
        m->result[i] = true;
        if (m->place[i] == OD_NO_NODE && !m->node[i].constant && m->late[i] == m->program->directions) {
            m->place[i] = out;
        }
    }
}

static void make_steps(maker *m, uint32_t value, size_t count, const uint32_t *row)
{
    uint32_t operand[3];
    look_at(m);
    claim(m, value, space(OD_SPACE_VALUE, 0));
    for (size_t j = 0; j < count; j++) {
        claim(m, row[j], space(OD_SPACE_ROWS, (uint32_t)j));
    }
    count_uses(m);
    m->coefficient = m->program->coefficient;
    merge(m);
    for (uint32_t i = 0; i < m->count; i++) {
        if (has_step(m, i)) {
            choose(m, i, operand);
            for (unsigned k = 0; k < 3; k++) {
                m->uses_left[operand[k]]++;
            }
        }
        m->uses_left[i] += m->result[i]; /* never idle */
    }
    for (unsigned late = 0; late < 2; late++) {
        for (uint32_t i = 0; i < m->count; i++) {
            if (has_step(m, i) && m->late[i] == (late == 1)) {
                emit_node(m, i, late == 1);
            }
        }
        m->program->once = late == 0 && m->program->directions ? m->program->steps : m->program->once;
    }
    if (m->program->value) {
        emit_result(m, value, space(OD_SPACE_VALUE, 0));
    }
    for (size_t j = 0; j < count; j++) {
        emit_result(m, row[j], space(OD_SPACE_ROWS, (uint32_t)j));
    }
}

static bool open_maker(maker *m, size_t count)
{
    const size_t n = m->count;
    m->place = od_zalloc(n, sizeof *m->place);
    m->uses = od_zalloc(n, sizeof *m->uses);
    m->uses_left = od_zalloc(n, sizeof *m->uses_left);
    m->idle = od_zalloc(n, sizeof *m->idle);
    m->polynomial = od_zalloc(n, sizeof *m->polynomial);
    m->late = od_zalloc(n, sizeof *m->late);
    m->result = od_zalloc(n, sizeof *m->result);
    m->merged = od_zalloc(n, sizeof *m->merged);
    m->program->coefficient = od_zalloc((OD_MOST_DEGREE + 1) * n, sizeof(double));
    m->program->step = od_zalloc(2 * n + count + 1,
                                 sizeof(od_step)); /* a constant may be filled in twice: no node's step */
    return m->polynomial != NULL && m->program->coefficient != NULL && m->place != NULL && m->uses != NULL &&
           m->uses_left != NULL && m->idle != NULL && m->late != NULL && m->result != NULL && m->merged != NULL &&
           m->program->step != NULL;
}

static void close_maker(maker *m)
{
    free(m->place);
    free(m->polynomial);
    free(m->uses);
    free(m->uses_left);
    free(m->idle);
    free(m->late);
    free(m->result);
    free(m->merged);
    od_tape_free(m->tape);
}

od_program *od_program_create(od_context *ctx, const od_tape *tape, uint32_t d, uint32_t value, size_t count,
                              const uint32_t *node)
{
    const size_t old = od_tape_count(tape);
    od_program *program = od_zalloc(1, sizeof *program);
    uint32_t *to = od_zalloc(old, sizeof *to), *row = od_zalloc(count, sizeof *row);
    maker m = {.tape = od_tape_create(), .d = d, .program = program};
    bool ok = program != NULL && to != NULL && row != NULL && m.tape != NULL && lower(&m, tape, value, count, node, to);
    if (ok) {
        m.node = od_tape_nodes(m.tape);
        m.count = od_tape_count(m.tape);
        program->d = d;
        program->count = count;
        program->value = value != OD_NO_NODE;
        program->run = od_steps_best();
        ok = open_maker(&m, count);
    }
    if (ok) {
        for (size_t j = 0; j < count; j++) {
            row[j] = node[j] != OD_NO_NODE ? to[node[j]] : OD_NO_NODE;
        }
        make_steps(&m, value != OD_NO_NODE ? to[value] : OD_NO_NODE, count, row);
        program->alone = od_zalloc(program->steps, sizeof *program->alone);
        ok = program->alone != NULL;
    }
    if (ok) {
        od_program_place_alone(program);
    } else {
        od_program_free(program);
        program = NULL;
        od_fail(ctx, OD_ENOMEM, "problem.f", "no memory to evaluate the formula");
    }
    close_maker(&m);
    free(to);
    free(row);
    return program;
}

void od_program_free(od_program *program)
{
    if (program != NULL) {
        free(program->step);
        free(program->alone);
        free(program->coefficient);
        free(program);
    }
}
