/*
 * From a tape to steps: whole powers become products, constants become parts of steps, a product that is used once
 * becomes part of the sum it goes into, and buffers are used again as soon as what they hold is not needed any more.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "program.h"

#include "build_config.h"
#include "memory.h"
#include "tape_rules.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct od_program {
    od_step *step;
    size_t once, steps; /* the first `once` steps do not depend on a direction */
    size_t d, count;
    uint32_t buffers;
    bool value, directions;
};

/* ------------------------------------------------------------------------------------------- versions */

od_steps *od_steps_version(unsigned which)
{
#if OD_HAVE_X86_VECTORS
    if (which == 2 && __builtin_cpu_supports("avx512f")) {
        return od_steps_avx512;
    }
    if (which == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return od_steps_avx2;
    }
#endif
    return which == 0 ? od_steps_portable : NULL;
}

static od_steps *best;
static pthread_once_t best_once = PTHREAD_ONCE_INIT;

static void choose_best(void)
{
    for (unsigned which = 0; which < OD_STEPS_VERSIONS; which++) {
        best = od_steps_version(which) != NULL ? od_steps_version(which) : best;
    }
}

od_steps *od_steps_best(void)
{
    pthread_once(&best_once, choose_best);
    return best;
}

/* ------------------------------------------------------------------------------------------- lowering */

/* A program under way. Arrays are indexed by node of `tape`, which has the products in place of powers. */
typedef struct maker {
    od_tape *tape;
    const od_tape_node *node;
    uint32_t d, count;
    uint32_t *place;              /* where the value lies */
    uint32_t *uses, *uses_left;   /* by steps and results */
    bool *late, *result, *merged; /* depends on a direction; is a result; is part of its only user */
    uint32_t *idle, idle_count;   /* buffers that hold nothing */
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
    if (n->op == OD_OP_WHOLE && size > 0 && size <= OD_MOST_FACTORS) {
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
    return m->node[i].op == OD_OP_MULTIPLY && !m->node[i].constant && m->uses[i] == 1 && !m->result[i] &&
           m->late[i] == m->late[user];
}

/* From the results down, so that a product belongs to the outermost operation that can take it. */
static void merge(maker *m)
{
    for (uint32_t i = m->count; i-- > 0;) {
        const od_tape_node *n = &m->node[i];
        if (m->uses[i] == 0 || n->constant || m->merged[i] || od_operation_arguments(n->op) < 2 || n->a == n->b) {
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
            m->uses[argument]++;
        }
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
    m->late = od_zalloc(n, sizeof *m->late);
    m->result = od_zalloc(n, sizeof *m->result);
    m->merged = od_zalloc(n, sizeof *m->merged);
    m->program->step = od_zalloc(2 * n + count + 1,
                                 sizeof(od_step)); /* a constant may be filled in twice: no node's step */
    return m->place != NULL && m->uses != NULL && m->uses_left != NULL && m->idle != NULL && m->late != NULL &&
           m->result != NULL && m->merged != NULL && m->program->step != NULL;
}

static void close_maker(maker *m)
{
    free(m->place);
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
        ok = open_maker(&m, count);
    }
    if (ok) {
        for (size_t j = 0; j < count; j++) {
            row[j] = node[j] != OD_NO_NODE ? to[node[j]] : OD_NO_NODE;
        }
        make_steps(&m, value != OD_NO_NODE ? to[value] : OD_NO_NODE, count, row);
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
        free(program);
    }
}

/* ------------------------------------------------------------------------------------------- running */

size_t od_program_scratch(const od_program *p)
{
    return (p->buffers + 2 * p->d + 1 + p->count) * OD_STRIP;
}

/* Rows of a strip that is not full; the last point stands in for those that are missing. */
static void pad(size_t rows, size_t stride, const double *from, size_t points, size_t strip, double *to)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t p = 0; p < strip; p++) {
            to[i * strip + p] = from[i * stride + (p < points ? p : points - 1)];
        }
    }
}

static void unpad(size_t rows, size_t stride, double *to, size_t points, size_t strip, const double *from)
{
    for (size_t i = 0; i < rows; i++) {
        memcpy(to + i * stride, from + i * strip, points * sizeof *to);
    }
}

static void set_written(od_frame *frame, unsigned which, double *base, size_t stride)
{
    frame->base[which] = frame->write[which] = base;
    frame->stride[which] = stride;
}

/* Points p to p + points - 1 as a strip. */
static void run_strip(const od_program *q, size_t n, size_t p, size_t points, size_t strip, const double *x, size_t m,
                      const double *u, double *value, double *rows, double *ws)
{
    const bool full = points == strip;
    od_steps *steps = od_steps_best();
    od_frame frame;
    double *padded_x = ws + q->buffers * OD_STRIP, *padded_u = padded_x + q->d * OD_STRIP;
    double *padded_value = padded_u + q->d * OD_STRIP, *padded_rows = padded_value + OD_STRIP;
    set_written(&frame, OD_SPACE_BUFFER, ws, strip);
    set_written(&frame, OD_SPACE_VALUE, full && q->value ? value + p : padded_value, strip);
    set_written(&frame, OD_SPACE_ROWS, padded_rows, full ? n : strip);
    frame.base[OD_SPACE_X] = full ? x + p : padded_x;
    frame.base[OD_SPACE_U] = padded_u;
    frame.stride[OD_SPACE_X] = frame.stride[OD_SPACE_U] = full ? n : strip;
    if (!full) {
        pad(q->d, n, x + p, points, strip, padded_x);
    }
    steps(q->step, q->once, strip, &frame);
    for (size_t j = 0; j < m && q->steps > q->once; j++) {
        double *out = q->count > 0 ? rows + j * q->count * n + p : padded_rows;
        if (full) {
            set_written(&frame, OD_SPACE_ROWS, out, n);
            frame.base[OD_SPACE_U] = q->directions ? u + j * q->d * n + p : padded_u;
        } else if (q->directions) {
            pad(q->d, n, u + j * q->d * n + p, points, strip, padded_u);
        }
        steps(q->step + q->once, q->steps - q->once, strip, &frame);
        if (!full) {
            unpad(q->count, n, out, points, strip, padded_rows);
        }
    }
    if (!full && q->value) {
        memcpy(value + p, padded_value, points * sizeof *value);
    }
}

void od_program_run(const od_program *q, size_t n, const double *x, size_t m, const double *u, double *value,
                    double *rows, double *ws)
{
    for (size_t p = 0; p < n;) {
        const size_t left = n - p;
        const size_t strip = left >= OD_STRIP / 2 ? OD_STRIP : left > 1 ? OD_SHORT_STRIP : 1;
        const size_t points = left < strip ? left : strip;
        run_strip(q, n, p, points, strip, x, m, u, value, rows, ws);
        p += points;
    }
}
