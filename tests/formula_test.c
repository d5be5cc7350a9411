/*
 * Losses written as formulas: against the same losses written by hand, against the C library and derivatives in closed
 * form, the same bits for all batches and instruction sets, and sentences about every mistake.
 *
 * Tolerances: a formula and its hand-written twin round differently, a few units of the largest term; 1e-13 of the
 * largest component leaves room for that and for nothing else.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "src/program.h"

enum { PATHS = 131, MOST_DIM = 3, M = 2 };

static od_problem *create(od_context *ctx, const char *yaml)
{
    od_problem *f = od_problem_create(ctx, yaml);
    check_done(ctx, f != NULL);
    return f;
}

static od_problem *create_formula(od_context *ctx, const char *f, const char *variables)
{
    char yaml[8192];
    snprintf(yaml, sizeof yaml, "{name: formula, f: '%s', variables: %s}", f, variables);
    return create(ctx, yaml);
}

typedef struct answer {
    double f[PATHS], g[MOST_DIM * PATHS], hu[M * MOST_DIM * PATHS];
} answer;

static void evaluate(const od_problem *q, size_t n, const double *x, const double *u, answer *a)
{
    double *ws = calloc(od_scratch_size(&q->scratch, n) + 1, sizeof *ws);
    double f[PATHS], g[MOST_DIM * PATHS];
    for (size_t i = 0; i < od_scratch_size(&q->scratch, n); i++) {
        ws[i] = NAN; /* what was there before must not matter */
    }
    assert_true(q->dim <= MOST_DIM);
    assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, n, x, a->f, a->g, ws), OD_OK);
    assert_int_equal(q->hvp(q, n, x, M, u, a->hu, ws), OD_OK);
    /* what is asked for alone has the same bits */
    assert_int_equal(q->eval(q, OD_VALUE, n, x, f, NULL, ws), OD_OK);
    assert_int_equal(q->eval(q, OD_GRADIENT, n, x, NULL, g, ws), OD_OK);
    assert_memory_equal(f, a->f, n * sizeof *f);
    assert_memory_equal(g, a->g, q->dim * n * sizeof *g);
    free(ws);
}

static void check_array(const double *got, const double *want, size_t count, double tolerance)
{
    double size = 0;
    for (size_t i = 0; i < count; i++) {
        size = fmax(size, fabs(want[i]));
    }
    for (size_t i = 0; i < count; i++) {
        check_close(got[i], want[i], tolerance * size);
    }
}

static void formulas_meet_problems_written_by_hand(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *by_hand, *formula, *variables;
    } twin[] = {
        {"rosenbrock", "(1 - x)^2 + 100*(y - x^2)^2", "[x, y]"},
        {"{name: rosenbrock, dim: 3, a: 1.5, b: 7.25}",
         "7.25*(x2 - x1*x1)^2 + (1.5 - x1)^2 + 7.25*(x3 - x2*x2)^2 + (1.5 - x2)^2", "[x1, x2, x3]"},
        {"hosaki", "(1 - 8*x + 7*x^2 - 7*x^3/3 + x^4/4) * y^2 * exp(-y)", "[x, y]"},
        {"{name: styblinski-tang, dim: 2}", "(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2", "[x, y]"},
        {"{name: quadratic, matrix: [[2, 0.3], [0.3, -1]], centre: [0.7, -2]}",
         "((x - 0.7)^2*2 + 0.6*(x - 0.7)*(y + 2) - (y + 2)^2)/2", "[x, y]"},
        {"{name: power, p: 4, c: 1.7, dim: 3}", "1.7*(a^4 + b^4 + c^4)", "[a, b, c]"},
        {"{name: power, p: 2.5, c: 2, dim: 2}", "2*(abs(x)^2.5 + abs(y)^2.5)", "[x, y]"},
        {"{name: constant-gradient, gradient: [1.7, -2.385, 0.25]}", "1.7*x - 2.385*y + z/4", "[x, y, z]"},
    };
    for (size_t k = 0; k < sizeof twin / sizeof *twin; k++) {
        od_problem *by_hand = create(ctx, twin[k].by_hand);
        od_problem *formula = create_formula(ctx, twin[k].formula, twin[k].variables);
        const size_t d = formula->dim;
        static double x[MOST_DIM * PATHS], u[M * MOST_DIM * PATHS];
        static answer a, b;
        for (size_t i = 0; i < M * d * PATHS; i++) {
            u[i] = od_normal(2, OD_STREAM_CHECK, i, 0, 0);
            x[i % (d * PATHS)] = 1.5 * od_normal(1, OD_STREAM_CHECK, i % (d * PATHS), 0, 0);
        }
        assert_int_equal(by_hand->dim, d);
        evaluate(by_hand, PATHS, x, u, &b);
        evaluate(formula, PATHS, x, u, &a);
        if (by_hand->spectrum == NULL) { /* a quadratic formula may differ by its value at the centre */
            check_array(a.f, b.f, PATHS, 1e-13);
        }
        check_array(a.g, b.g, d * PATHS, 1e-13);
        check_array(a.hu, b.hu, M * d * PATHS, 1e-13);
        od_problem_free(by_hand);
        od_problem_free(formula);
    }
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Value, slope and curvature at x = 0.6372 or what stands in the formula, by the C library; 1e-14 is some 50 ulp. */
static void functions_are_those_of_the_c_library(void **state)
{
    od_context *ctx = *state;
    const double x = 0.6372, l = logistic(x), s = sin(x), c = cos(x), t = tan(x), h = tanh(x), w = 1 + x * x;
    const struct {
        const char *f;
        double value, slope, curvature;
    } known[] = {
        {"exp(x)", exp(x), exp(x), exp(x)},
        {"e^x", exp(x), exp(x), exp(x)},
        {"log(x)", log(x), 1 / x, -1 / (x * x)},
        {"sqrt(x)", sqrt(x), 0.5 / sqrt(x), -0.25 / (x * sqrt(x))},
        {"sin(x)", s, c, -s},
        {"cos(x)", c, -s, -c},
        {"tan(x)", t, 1 + t * t, 2 * t * (1 + t * t)},
        {"sinh(x)", sinh(x), cosh(x), sinh(x)},
        {"cosh(x)", cosh(x), sinh(x), cosh(x)},
        {"tanh(x)", h, 1 - h * h, -2 * h * (1 - h * h)},
        {"atan(x)", atan(x), 1 / w, -2 * x / (w * w)},
        {"logistic(x)", l, l * (1 - l), l * (1 - l) * (1 - 2 * l)},
        {"softplus(x)", log1p(exp(x)), l, l * (1 - l)},
        {"abs(-x)", x, 1, 0},
        {"abs(x)*x", x * x, 2 * x, 2},
        {"max(x, 2*x) + min(x, 3)", 3 * x, 3, 0},
        {"min(2*x, x)*x + max(x^3, x)", x * x + x, 2 * x + 1, 2},
        {"1/x", 1 / x, -1 / (x * x), 2 / (x * x * x)},
        {"x/(1 + x)", x / (1 + x), 1 / ((1 + x) * (1 + x)), -2 / pow(1 + x, 3)},
        {"x^-3", pow(x, -3), -3 * pow(x, -4), 12 * pow(x, -5)},
        {"x^7", pow(x, 7), 7 * pow(x, 6), 42 * pow(x, 5)},
        {"x^100", pow(x, 100), 100 * pow(x, 99), 9900 * pow(x, 98)},
        {"(-x)^3", -x * x * x, -3 * x * x, -6 * x},
        {"x^1.5", pow(x, 1.5), 1.5 * sqrt(x), 0.75 / sqrt(x)},
        {"2^x", exp2(x), log(2) * exp2(x), log(2) * log(2) * exp2(x)},
        {"x^x", pow(x, x), pow(x, x) * (1 + log(x)), pow(x, x) * ((1 + log(x)) * (1 + log(x)) + 1 / x)},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        od_problem *q = create_formula(ctx, known[k].f, "[x]");
        const double u[M] = {2.385, -1};
        static answer a;
        evaluate(q, 1, &x, u, &a);
        check_close(a.f[0], known[k].value, 1e-14 * fmax(1e-3, fabs(known[k].value)));
        check_close(a.g[0], known[k].slope, 1e-14 * fmax(1, fabs(known[k].slope)));
        check_close(a.hu[0], 2.385 * known[k].curvature, 1e-13 * fmax(1, fabs(known[k].curvature)));
        check_close(a.hu[1], -known[k].curvature, 1e-13 * fmax(1, fabs(known[k].curvature)));
        od_problem_free(q);
    }
}

/* Far out, where 1 - tanh^2 and 1 - logistic would be nothing but rounding, and where exponentials overflow. */
static void tails_keep_their_digits(void **state)
{
    od_context *ctx = *state;
    const struct {
        const char *f;
        double x, value, slope;
    } known[] = {
        {"logistic(x)", 50, 1, exp(-50)},
        {"logistic(x)", -50, exp(-50), exp(-50)},
        {"logistic(x)", -800, 0, 0},
        {"tanh(x)", 30, 1, 4 * exp(-60)},
        {"tanh(x)", -900, -1, 0},
        {"softplus(x)", 900, 900, 1},
        {"softplus(x)", -50, exp(-50), exp(-50)},
    };
    const double u[M] = {1, 1};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        od_problem *q = create_formula(ctx, known[k].f, "[x]");
        static answer a;
        evaluate(q, 1, &known[k].x, u, &a);
        check_relative(a.f[0], known[k].value, 1e-14);
        check_relative(a.g[0], known[k].slope, 1e-14);
        od_problem_free(q);
    }
}

static void operations_bind_as_they_do_on_paper(void **state)
{
    od_context *ctx = *state;
    const double x[2] = {2.385, -0.7}, a = x[0], b = x[1];
    const struct {
        const char *f;
        double value;
    } known[] = {
        {"-x^2", -a * a},
        {"2^3^2 + 0*x", 512},
        {"x - y - 1", a - b - 1},
        {"x/y/2", a / b / 2},
        {"x/2*y", a / 2 * b},
        {"-x*-y", a * b},
        {"x^-y", pow(a, -b)},
        {"2*-x", -2 * a},
        {"x^2*x^3", pow(a, 5)},
        {"--x+-+y", a - b},
        {"x-(y-(x-y))", 2 * a - 2 * b},
        {"1e3*x+.5E-2*y+1.*x", 1000 * a + 0.005 * b + a},
        {" ( x )\n* \ty ", a * b},
        {"pi*e*x", 3.14159265358979323846 * 2.71828182845904523536 * a},
        {"x^(4/2)", a * a},
        {"y^(6/3)", b * b},
        {"1e-200*x*1e200*y", a * b},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        od_problem *q = create_formula(ctx, known[k].f, "[x, y]");
        double f, *ws = calloc(od_scratch_size(&q->scratch, 1), sizeof *ws);
        assert_int_equal(q->eval(q, OD_VALUE, 1, x, &f, NULL, ws), OD_OK);
        check_relative(f, known[k].value, 1e-14);
        free(ws);
        od_problem_free(q);
    }
}

/* A number with derivatives in two directions and the mixed one (Fike and Alonso 2011): what any formula must give. */
typedef struct hyperdual {
    double f, a, b, ab;
} hyperdual;

static hyperdual composed(hyperdual x, double f, double slope, double curvature)
{
    return (hyperdual){f, slope * x.a, slope * x.b, slope * x.ab + curvature * x.a * x.b};
}

static hyperdual times(hyperdual x, hyperdual y)
{
    return (hyperdual){x.f * y.f, x.a * y.f + x.f * y.a, x.b * y.f + x.f * y.b,
                       x.ab * y.f + x.a * y.b + x.b * y.a + x.f * y.ab};
}

static hyperdual plus(hyperdual x, double sign, hyperdual y)
{
    return (hyperdual){x.f + sign * y.f, x.a + sign * y.a, x.b + sign * y.b, x.ab + sign * y.ab};
}

typedef struct author {
    FILE *out;
    uint64_t draws, seed;
    const hyperdual *x; /* [2] */
    double largest;     /* of all values and derivatives on the way */
} author;

static uint32_t choice(author *a, uint32_t bound)
{
    return od_index(a->seed, OD_STREAM_CHECK, 1, 0, a->draws++, bound);
}

/* Writes a random formula and evaluates it on the way. */
static hyperdual write_formula(author *a, unsigned depth)
{
    static const char *const name[] = {"sin(", "cos(", "tanh(", "atan(", "exp(-(", "logistic(", "log(1+(", "sqrt(1+("};
    hyperdual v = a->x[0], w;
    const uint32_t kind = depth == 0 ? choice(a, 3) : 3 + choice(a, 11);
    switch (kind) {
    case 0:
    case 1:
        fputc(kind == 0 ? 'x' : 'y', a->out);
        v = a->x[kind];
        break;
    case 2:
        v = (hyperdual){0.25 * (1 + choice(a, 11)), 0, 0, 0};
        fprintf(a->out, "%g", v.f);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        fputc('(', a->out);
        v = write_formula(a, depth - 1);
        fputc("+-*-"[kind - 3], a -> out);
        fputc(kind == 6 ? '(' : ' ', a->out);
        w = write_formula(a, depth - 1);
        fputs(kind == 6 ? ")*0.7)" : ")", a->out);
        v = kind == 5 ? times(v, w) : plus(v, kind == 3 ? 1 : kind == 4 ? -1 : -0.7, w);
        break;
    case 7:
    case 8:
        fputc('(', a->out);
        v = write_formula(a, depth - 1);
        fputs(kind == 7 ? ")^2" : ")^3", a->out);
        v = kind == 7 ? composed(v, v.f * v.f, 2 * v.f, 2) : composed(v, v.f * v.f * v.f, 3 * v.f * v.f, 6 * v.f);
        break;
    case 9:
        v = write_formula(a, depth - 1);
        fputs("/(2+(", a->out);
        w = write_formula(a, depth - 1);
        fputs(")^2)", a->out);
        w = composed(w, 2 + w.f * w.f, 2 * w.f, 2);
        v = times(v, composed(w, 1 / w.f, -1 / (w.f * w.f), 2 / (w.f * w.f * w.f)));
        break;
    case 10:
        fputs("-(", a->out);
        v = plus((hyperdual){0}, -1, write_formula(a, depth - 1));
        fputc(')', a->out);
        break;
    default: {
        const uint32_t function = choice(a, 8);
        fputs(name[function], a->out);
        v = write_formula(a, depth - 1);
        fputs(function == 4 || function >= 6 ? ")^2)" : ")", a->out);
        w = function >= 6 ? composed(v, 1 + v.f * v.f, 2 * v.f, 2) : composed(v, v.f * v.f, 2 * v.f, 2);
        const double s = sin(v.f), c = cos(v.f), h = tanh(v.f), l = logistic(v.f), q = 1 + v.f * v.f;
        v = function == 0   ? composed(v, s, c, -s)
            : function == 1 ? composed(v, c, -s, -c)
            : function == 2 ? composed(v, h, 1 - h * h, -2 * h * (1 - h * h))
            : function == 3 ? composed(v, atan(v.f), 1 / q, -2 * v.f / (q * q))
            : function == 4 ? composed(w, exp(-w.f), -exp(-w.f), exp(-w.f))
            : function == 5 ? composed(v, l, l * (1 - l), l * (1 - l) * (1 - 2 * l))
            : function == 6 ? composed(w, log(w.f), 1 / w.f, -1 / (w.f * w.f))
                            : composed(w, sqrt(w.f), 0.5 / sqrt(w.f), -0.25 / (w.f * sqrt(w.f)));
    }
    }
    a->largest = fmax(fmax(a->largest, fmax(fabs(v.f), fabs(v.ab))), fmax(fabs(v.a), fabs(v.b)));
    return v;
}

/*
 * Whatever is simplified, shared, merged and multiplied out: 4000 random formulas against hyperdual numbers. Errors of
 * 2^-52 of the largest number on the way grow through at most 5 levels of squares and cubes: 1e-11 of it, and what is
 * larger than 1e5 is left out.
 */
static void random_formulas_meet_hyperdual_numbers(void **state)
{
    od_context *ctx = *state;
    size_t compared = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        char *text = NULL;
        size_t size = 0;
        double point[2], u[M * 2], slope[2] = {0}, mixed = 0;
        for (size_t i = 0; i < 2; i++) {
            point[i] = od_normal(seed, OD_STREAM_CHECK, 0, i, 0);
            u[i] = od_normal(seed, OD_STREAM_CHECK, 0, i, 1);
            u[2 + i] = od_normal(seed, OD_STREAM_CHECK, 0, i, 2);
        }
        const hyperdual x[2] = {{point[0], u[0], u[2], 0}, {point[1], u[1], u[3], 0}};
        author a = {.out = open_memstream(&text, &size), .seed = seed, .x = x, .largest = 1};
        const hyperdual want = write_formula(&a, 1 + choice(&a, 5));
        fclose(a.out);
        if (a.largest < 1e5) {
            od_problem *q = create_formula(ctx, text, "[x, y]");
            static answer got;
            evaluate(q, 1, point, u, &got);
            for (size_t i = 0; i < 2; i++) {
                slope[0] += got.g[i] * u[i];
                slope[1] += got.g[i] * u[2 + i];
                mixed += got.hu[i] * u[2 + i];
            }
            const double tolerance = 1e-11 * a.largest;
            if (!(fabs(got.f[0] - want.f) <= tolerance && fabs(slope[0] - want.a) <= tolerance &&
                  fabs(slope[1] - want.b) <= tolerance && fabs(mixed - want.ab) <= tolerance)) {
                print_error("%s at %.17g, %.17g: %.17g %.17g %.17g %.17g, not %.17g %.17g %.17g %.17g\n", text,
                            point[0], point[1], got.f[0], slope[0], slope[1], mixed, want.f, want.a, want.b, want.ab);
                fail();
            }
            compared++;
            od_problem_free(q);
        }
        free(text);
    }
    assert_true(compared > 3000);
}

/* Each path alone and in blocks of several sizes. */
static void blocks_do_not_change_the_bits(void **state)
{
    od_context *ctx = *state;
    const char *formula[] = {
        "(1 - x)^2 + 100*(y - x^2)^2 + z",
        "exp(-y)*y^2 + log(2 + x^2)*z + sqrt(1 + z^2)",
        "sin(x)*cos(y) + tan(x/3) + sinh(y/2)*cosh(x/2) + tanh(x*z) + atan(x - y)",
        "logistic(3*x)*softplus(-y) + (1 + x^2)^1.5 + 2^(x*z) + (2 + x^2)^sin(y)",
        "max(x, y)*min(z, 2) + abs(x) - 1/(3 + z^4) + (x*y - z)*(x*y + z) - 2*x*z",
    };
    const size_t sizes[] = {1, 3, 7, 31, 64, 100, PATHS};
    for (size_t which = 0; which < sizeof formula / sizeof *formula; which++) {
        od_problem *q = create_formula(ctx, formula[which], "[x, y, z]");
        static answer alone[PATHS], block;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t first = 0; first < PATHS; first += sizes[s]) {
                const size_t n = first + sizes[s] <= PATHS ? sizes[s] : PATHS - first;
                double x[MOST_DIM * PATHS], u[M * MOST_DIM * PATHS];
                for (size_t i = 0; i < 3 * n; i++) {
                    x[i] = 2 * od_normal(1, OD_STREAM_CHECK, first + i % n, i / n, 0);
                }
                for (size_t i = 0; i < M * 3 * n; i++) {
                    u[i] = od_normal(2, OD_STREAM_CHECK, first + i % n, i / n, 0);
                }
                evaluate(q, n, x, u, n == 1 ? &alone[first] : &block);
                for (size_t p = 0; p < n && n > 1; p++) {
                    assert_memory_equal(&block.f[p], &alone[first + p].f[0], sizeof(double));
                    for (size_t i = 0; i < 3; i++) {
                        assert_memory_equal(&block.g[i * n + p], &alone[first + p].g[i], sizeof(double));
                    }
                    for (size_t i = 0; i < M * 3; i++) {
                        assert_memory_equal(&block.hu[i * n + p], &alone[first + p].hu[i], sizeof(double));
                    }
                }
            }
        }
        od_problem_free(q);
    }
}

/* Every step of every version on strips of all lengths gives the bits of the portable one. */
static void instruction_sets_do_not_change_the_bits(void **state)
{
    (void)state;
    const size_t strip[] = {1, OD_SHORT_STRIP, OD_STRIP};
    static double in[3 * OD_STRIP], want[OD_STRIP], got[OD_STRIP];
    const uint32_t row = (uint32_t)OD_SPACE_X << OD_SPACE_SHIFT;
    for (unsigned code = 0; code <= OD_CODE_SIGN; code++) {
        for (uint64_t trial = 0; trial < 40; trial++) {
            const double spread = ldexp(1, (int)(trial % 12) - 5);
            const double coefficient[] = {0.3, -2.385, 1.7};
            od_step step = {.code = (od_code)code,
                            .a = row,
                            .b = row + 1,
                            .c = row + 2,
                            .k = spread * od_normal(4, 0, trial, 0, 0)};
            if (code == OD_CODE_POLYNOMIAL) {
                step.degree = 2;
                step.coefficient = coefficient;
            }
            for (size_t s = 0; s < 3; s++) {
                for (size_t i = 0; i < 3 * strip[s]; i++) {
                    in[i] = spread * od_normal(3, OD_STREAM_CHECK, i, trial, 0);
                    in[i] = trial % 2 == 0 && i < strip[s] ? fabs(in[i]) : in[i]; /* logarithms, powers */
                }
                for (unsigned version = 0; version < OD_STEPS_VERSIONS; version++) {
                    double *out = version == 0 ? want : got;
                    const od_frame frame = {
                        .base = {[OD_SPACE_X] = in}, .write = {out}, .stride = {[OD_SPACE_X] = strip[s]}};
                    if (od_steps_version(version) == NULL) {
                        continue;
                    }
                    if (strip[s] > 1) {
                        od_steps_version(version)(&step, 1, strip[s], &frame);
                    } else {
                        double file[4] = {in[0], in[1], in[2]};
                        od_step alone = step;
                        alone.a = 0;
                        alone.b = 1;
                        alone.c = 2;
                        alone.out = 3;
                        od_steps_version(version)(&alone, 1, 1, &(od_frame){.write = {file}});
                        *out = file[3];
                    }
                    for (size_t p = 0; p < strip[s] && version > 0; p++) {
                        if (!(isnan(got[p]) && isnan(want[p])) && memcmp(&got[p], &want[p], sizeof *got) != 0) {
                            print_error("step %u, version %u: %.17g, not %.17g\n", code, version, got[p], want[p]);
                            fail();
                        }
                    }
                }
            }
        }
    }
}

/* One function on its own: any count has the bits that single numbers have, what lies behind stays, 1 ulp is kept. */
static void a_function_of_many_numbers_has_the_bits_of_one(void **state)
{
    (void)state;
    enum { MOST = 301 };
    double a[MOST], out[MOST + 1];
    for (size_t i = 0; i < MOST; i++) {
        a[i] = 2.385 * od_normal(3, OD_STREAM_CHECK, i, 0, 0);
    }
    const size_t counts[] = {0, 1, 2, 7, 8, 9, 64, 127, 128, 129, 136, MOST};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t n = counts[c];
        memcpy(out, a, n * sizeof *a);
        out[n] = 0;
        od_apply(OD_CODE_EXP, 0, n, out);
        for (size_t i = 0; i < n; i++) {
            double one = a[i];
            od_apply(OD_CODE_EXP, 0, 1, &one);
            assert_memory_equal(&out[i], &one, sizeof one);
            check_relative(one, exp(a[i]), 4e-16); /* 1 ulp of SLEEF's and less than one of glibc's */
        }
        assert_true(out[n] == 0);
        for (size_t i = 0; i < n; i++) {
            out[i] = fabs(a[i]);
        }
        od_apply(OD_CODE_POWER_K, 1.7, n, out);
        for (size_t i = 0; i < n; i++) {
            check_relative(out[i], pow(fabs(a[i]), 1.7), 4e-16);
        }
        assert_true(out[n] == 0);
    }
}

/* Outside its domain nothing of a formula is a number, so that a run ends there. */
static void outside_the_domain_nothing_is_a_number(void **state)
{
    od_context *ctx = *state;
    const char *formula[] = {"log(x)", "sqrt(x)", "x^1.5", "x^x", "2 - 3*log(x)^2", "exp(log(x))"};
    const double x = -0.3, u[M] = {1, 2};
    for (size_t k = 0; k < sizeof formula / sizeof *formula; k++) {
        od_problem *q = create_formula(ctx, formula[k], "[x]");
        static answer a;
        evaluate(q, 1, &x, u, &a);
        assert_true(isnan(a.f[0]) && isnan(a.g[0]) && isnan(a.hu[0]));
        od_problem_free(q);
    }
    od_problem *q = create_formula(ctx, "log(x)*0 + y", "[x, y]");
    const double z[2] = {-1, 2};
    double f, *ws = calloc(od_scratch_size(&q->scratch, 1), sizeof *ws);
    assert_int_equal(q->eval(q, OD_VALUE, 1, z, &f, NULL, ws), OD_OK);
    assert_true(isnan(f)); /* 0 log x is not folded to 0 */
    free(ws);
    od_problem_free(q);
}

/* Closed forms: eigenvalues of [[2, 1], [1, 4]] are 3 -+ sqrt 2. */
static void quadratics_are_recognised(void **state)
{
    od_context *ctx = *state;
    od_problem *q = create_formula(ctx, "0.02*x^2 + 0.005*(y - 3)^2 + 1.5", "[x, y]");
    assert_non_null(q->spectrum);
    assert_null(q->spectrum->rotation);
    check_relative(q->spectrum->eigenvalues[0], 0.04, 1e-15);
    check_relative(q->spectrum->eigenvalues[1], 0.01, 1e-15);
    check_relative(q->minimiser[1], 3.0, 1e-15);
    check_relative(q->minimum.value, 1.5, 1e-15);
    check_relative(q->lipschitz.value, 0.04, 1e-15);
    check_relative(q->convexity.value, 0.01, 1e-15);
    od_problem_free(q);

    q = create_formula(ctx, "x^2 + x*y + 2*y^2 - x - 3*y", "[x, y]");
    assert_non_null(q->spectrum->rotation);
    check_relative(q->convexity.value, 3 - sqrt(2), 1e-14);
    check_relative(q->lipschitz.value, 3 + sqrt(2), 1e-14);
    /* the gradient (2x + y - 1, x + 4y - 3) vanishes at (1/7, 5/7) */
    check_relative(q->minimiser[0], 1.0 / 7, 1e-13);
    check_relative(q->minimiser[1], 5.0 / 7, 1e-14);
    check_relative(q->minimum.value, -8.0 / 7, 1e-14);
    od_problem_free(q);

    q = create_formula(ctx, "(x - y)*(x + y)", "[x, y]"); /* a saddle */
    check_relative(q->convexity.value, -2.0, 1e-15);
    assert_true(isinf(q->minimum.value) && q->minimum.value < 0 && q->spectrum != NULL);
    od_problem_free(q);

    q = create_formula(ctx, "(x + y - 1)^2", "[x, y]"); /* flat along x - y */
    assert_non_null(q->spectrum);
    assert_true(q->convexity.value == 0);
    check_relative(q->minimiser[0], 0.5, 1e-14);
    check_close(q->minimum.value, 0, 1e-14);
    od_problem_free(q);

    q = create_formula(ctx, "(x + y)^2 + x - y", "[x, y]"); /* flat and falling: no centre */
    assert_null(q->spectrum);
    assert_true(isinf(q->minimum.value) && q->minimiser == NULL);
    od_problem_free(q);

    const char *others[] = {"x^2 + exp(0*y)", "x^3 - x^3 + y^2", "abs(x)", "x^2/y", "2^(x + y)"};
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        q = create_formula(ctx, others[k], "[x, y]");
        assert_null(q->spectrum);
        assert_true(isnan(q->lipschitz.value) && isnan(q->minimum.value));
        assert_true((q->rough != NULL) == (k == 2));
        od_problem_free(q);
    }
}

static void minimisers_are_checked(void **state)
{
    od_context *ctx = *state;
    od_problem *q = create(
        ctx, "{name: formula, f: '(x^2 - 1)^2 + (y - 3)^4 + 0.5', variables: [x, y], minimiser: [-1, 3]}");
    check_close(q->minimiser[0], -1, 0);
    check_close(q->minimum.value, 0.5, 1e-15);
    assert_null(q->spectrum);
    od_problem_free(q);
    q = create(ctx, "{name: formula, f: 'abs(x - 0.25)', variables: [x], minimiser: [0.25]}");
    check_close(q->minimum.value, 0, 0);
    od_problem_free(q);
    const char *const wrong[][2] = {
        {"f: '(x^2 - 1)^2 + y^4', minimiser: [1.01, 0]", "so it is no minimiser"},
        {"f: '(x^2 - 1)^2 + y^4', minimiser: [0, 0]", "a curvature there is -4"},
        {"f: '(x^2 - 1)^2 + y^4', minimiser: [1]", "expected a list of 2 numbers, got 1"},
        {"f: 'log(x)^2 + y^4', minimiser: [-1, 0]", "so it is no minimiser"},
        {"f: 'x^2 + y^2', minimiser: [0, 0]", "leave it out"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "{name: formula, variables: [x, y], %s}", wrong[k][0]);
        assert_null(od_problem_create(ctx, yaml));
        assert_string_equal(od_message_entry(ctx), "problem.minimiser");
        check_message(ctx, wrong[k][1]);
    }
}

/* What interval arithmetic needs: decimals as they were written, and one node for what is the same. */
static void tapes_keep_decimals_and_share_what_is_equal(void **state)
{
    od_context *ctx = *state;
    static const char *const variable[] = {"x", "y"}, formula[] = "0.1*sin(x*y) + sin(y*x)^2/3 + 2*3*0.10";
    od_tape *tape = od_tape_create();
    uint32_t f;
    check_done(ctx, od_formula_read(ctx, tape, formula, strlen(formula), 2, variable, &f) == OD_OK);
    const od_tape_node *node = od_tape_nodes(tape);
    size_t sines = 0, tenths = 0;
    assert_int_equal(node[f].op, OD_OP_ADD);
    for (uint32_t i = 0; i <= f; i++) {
        sines += node[i].op == OD_OP_SIN;
        tenths += node[i].op == OD_OP_NUMBER && strcmp(node[i].text, "0.1") == 0;
        for (unsigned k = 0; k < od_operation_arguments(node[i].op); k++) {
            assert_true((k == 0 ? node[i].a : node[i].b) < i);
        }
    }
    assert_int_equal(sines, 1);
    assert_int_equal(tenths, 1);
    od_tape_free(tape);
}

static void mistakes_are_shown_with_their_column(void **state)
{
    od_context *ctx = *state;
    const struct {
        const char *f, *sentence;
    } known[] = {
        {"", "column 1: expected a number, a variable, a function or '(', but the formula ends"},
        {"x + ", "column 5: expected a number"},
        {"x + * y", "column 5: expected a number, a variable, a function or '(', but there is '*'"},
        {"2*(x + y", "column 9: expected ')' after what stands in parentheses, but the formula ends"},
        {"x + y)", "column 6: expected an operation or the end, but there is ')'"},
        {"2x", "column 2: expected an operation or the end, but there is 'x'; write * for a product"},
        {"x**2", "column 2: '**' is no operation; write ^ for a power"},
        {"1 + siin(x)", "column 5: there is no function 'siin' (did you mean 'sin'?); functions are exp, log"},
        {"x + yy*2", "column 5: there is no variable 'yy' (did you mean 'y'?)"},
        {"exp x", "column 5: expected '(' after the function 'exp', but there is 'x'"},
        {"exp()", "column 5: expected a number"},
        {"exp(x, y)", "column 6: expected ')' after the argument of 'exp', but there is ','"},
        {"max(x)", "column 6: expected ',' and argument 2 of 2 of 'max', but there is ')'"},
        {"x + 1e999", "column 5: the number 1e999 is beyond double precision"},
        {"x + 1e-999", "column 5: the number 1e-999 is beyond double precision"},
        {"x*log(-1)", "column 3: a constant part of the formula is not a finite number"},
        {"x + 1/(2 - 2)", "column 5: a constant part of the formula is not a finite number"},
        {"x + .", "column 5: a point alone is no number"},
        {"x + \xce\xb8", "column 5: expected a number, a variable, a function or '(', but there is '\xce\xb8'"},
        {"x + 0x10", "column 6: expected an operation or the end, but there is 'x'"},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "{name: formula, f: \"%s\", variables: [x, y]}", known[k].f);
        assert_null(od_problem_create(ctx, yaml));
        assert_string_equal(od_message_entry(ctx), "problem.f");
        check_message(ctx, known[k].sentence);
    }
    const char *variables[] = {"[x, x]", "[pi]", "[exp]", "['1x']", "['x y']", "[]", "['']"};
    for (size_t k = 0; k < sizeof variables / sizeof *variables; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "{name: formula, f: 'x', variables: %s}", variables[k]);
        assert_null(od_problem_create(ctx, yaml));
        assert_string_equal(od_message_entry(ctx), "problem.variables");
    }
}

static od_status read_text(od_context *ctx, const char *text, size_t length)
{
    static const char *const x[] = {"x"};
    uint32_t f;
    od_tape *tape = od_tape_create();
    const od_status status = od_formula_read(ctx, tape, text, length, 1, x, &f);
    od_tape_free(tape);
    return status;
}

static void hostile_texts_are_refused(void **state)
{
    od_context *ctx = *state;
    enum { LONG = 1000000 };
    char *text = malloc(LONG);
    static const char deep[] = "(-^.e9";
    for (size_t k = 0; k < sizeof deep - 1; k++) {
        memset(text, deep[k], LONG);
        assert_int_equal(read_text(ctx, text, LONG), OD_EINVAL);
        check_message(ctx, "at most 100000");
        assert_int_equal(read_text(ctx, text, 100000), OD_EINVAL);
    }
    for (size_t i = 0; i < 100000; i++) {
        text[i] = i % 2 == 0 ? 'x' : '^';
    }
    assert_int_equal(read_text(ctx, text, 99999), OD_EINVAL);
    check_message(ctx, "more than 200 levels");
    memset(text, '(', 199);
    text[199] = 'x';
    memset(text + 200, ')', 199);
    assert_int_equal(read_text(ctx, text, 399), OD_OK);
    assert_int_equal(read_text(ctx, "x\0+ x", 5), OD_EINVAL);
    check_message(ctx, "column 2");
    check_message(ctx, "byte 0x00");
    assert_int_equal(read_text(ctx, "x + \xff", 5), OD_EINVAL);
    check_message(ctx, "byte 0xff");
    free(text);
}

/* A formula of the largest size: x1*x2 + x2*x3 + ... in a thousand variables, whose Hessian is known. */
static void long_formulas_are_no_trouble(void **state)
{
    od_context *ctx = *state;
    enum { D = 1000 };
    char *yaml = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&yaml, &size);
    fputs("{name: formula, f: '0", out);
    for (int i = 1; i < D; i++) {
        fprintf(out, " + sin(x%d)*x%d", i, i + 1);
    }
    fputs("', variables: [", out);
    for (int i = 1; i <= D; i++) {
        fprintf(out, "%sx%d", i > 1 ? ", " : "", i);
    }
    fputs("]}", out);
    fclose(out);
    od_problem *q = create(ctx, yaml);
    double *x = calloc(4 * D, sizeof *x), *u = x + D, *g = u + D, *hu = g + D, f, sum = 0;
    double *ws = calloc(od_scratch_size(&q->scratch, 1), sizeof *ws);
    for (size_t i = 0; i < D; i++) {
        x[i] = od_normal(1, OD_STREAM_CHECK, 0, i, 0);
        u[i] = od_normal(2, OD_STREAM_CHECK, 0, i, 0);
    }
    assert_int_equal(q->eval(q, OD_VALUE | OD_GRADIENT, 1, x, &f, g, ws), OD_OK);
    assert_int_equal(q->hvp(q, 1, x, 1, u, hu, ws), OD_OK);
    for (size_t i = 0; i < D; i++) {
        const double after = i + 1 < D ? x[i + 1] : 0, u_after = i + 1 < D ? u[i + 1] : 0;
        const double before = i > 0 ? sin(x[i - 1]) : 0, u_before = i > 0 ? cos(x[i - 1]) * u[i - 1] : 0;
        sum += sin(x[i]) * after;
        check_close(g[i], cos(x[i]) * after + before, 1e-14);
        check_close(hu[i], -sin(x[i]) * after * u[i] + (i + 1 < D ? cos(x[i]) : 0) * u_after + u_before, 1e-14);
    }
    check_close(f, sum, 1e-11);
    free(yaml);
    free(x);
    free(ws);
    od_problem_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(formulas_meet_problems_written_by_hand),
        test_with_context(functions_are_those_of_the_c_library),
        test_with_context(tails_keep_their_digits),
        test_with_context(operations_bind_as_they_do_on_paper),
        test_with_context(random_formulas_meet_hyperdual_numbers),
        test_with_context(blocks_do_not_change_the_bits),
        test_with_context(instruction_sets_do_not_change_the_bits),
        test_with_context(a_function_of_many_numbers_has_the_bits_of_one),
        test_with_context(outside_the_domain_nothing_is_a_number),
        test_with_context(quadratics_are_recognised),
        test_with_context(minimisers_are_checked),
        test_with_context(tapes_keep_decimals_and_share_what_is_equal),
        test_with_context(mistakes_are_shown_with_their_column),
        test_with_context(hostile_texts_are_refused),
        test_with_context(long_formulas_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
