/*
 * The count of conjugate points, whole files through the program's own reading: phases of the frame, phases of the
 * eigenvectors and the index of the discretised second variation are three algorithms, closed forms the fourth.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "quadratic_law.h"

/* The number behind "key": in a JSON answer. */
static double number(const char *json, const char *key)
{
    const char *at = strstr(json, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* Asks a file; a failure prints it, so that it can be run again. */
__attribute__((noinline)) static char *ask(od_context *ctx, const char *yaml, const char *set)
{
    const char *const sets[] = {set, NULL};
    const od_options options = {.set = sets};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    od_experiment *e = od_experiment_parse(ctx, yaml, &options);
    const bool done = e != NULL && od_experiment_analyse(ctx, e, "conjugate", out, true) == OD_OK;
    fclose(out);
    od_experiment_free(e);
    if (!done) {
        print_error("%s\n# %s\n%s\n", od_message(ctx), set, yaml);
        fail();
    }
    return text;
}

/* The experiment of a random quadratic, with its closed-form count. */
static size_t random_file(uint64_t seed, char *yaml, size_t size)
{
    static double want[MAX_ZEROS];
    cup dice = {.seed = seed};
    const law w = random_law(&dice);
    const double t1 = w.kind == VISCOUS ? 0.05 * pow(100, uniform(&dice)) : 4 * uniform(&dice) - 2;
    const double t2 = t1 + 0.5 * pow(30, uniform(&dice));
    size_t count = 0;
    int used = snprintf(yaml, size, "{problem: {name: quadratic, rotation: %llu, eigenvalues: [",
                        (unsigned long long)seed);
    for (size_t i = 0; i < w.d; i++) {
        count += zeros(&w, w.lambda[i], t1, t2, MAX_ZEROS - count, want + count);
        used += snprintf(yaml + used, size - (size_t)used, "%s%.17g", i > 0 ? ", " : "", w.lambda[i]);
    }
    used += snprintf(yaml + used, size - (size_t)used,
                     "]}, method: {name: %s: %.17g}, integrator: exact, start: {t: %.17g, x: [",
                     w.kind == VISCOUS ? "nesterov, r" : "heavy-ball, alpha", w.r, t1);
    for (size_t i = 0; i < w.d; i++) {
        used += snprintf(yaml + used, size - (size_t)used, "%s1", i > 0 ? ", " : "");
    }
    snprintf(yaml + used, size - (size_t)used, "]}, until: %.17g, conjugate: {verify: true}}", t2);
    return count;
}

/* Phases of the frame, phases of the eigenvectors, the second variation and the closed form all say one number. */
static void random_quadratics_agree_with_the_second_variation(void **state)
{
    const char *many = getenv("OPTDYN_TEST_QUADRATICS");
    const uint64_t count = many != NULL ? strtoull(many, NULL, 10) : 500;
    for (uint64_t seed = 1; seed <= count; seed++) {
        char yaml[2048];
        const size_t want = random_file(seed, yaml, sizeof yaml);
        char *together = ask(*state, yaml, "conjugate.split=false"), *apart = ask(*state, yaml, "conjugate.split=true");
        const double near = number(together, "\"nullity_at_end\": ");
        const double a = number(together, "\"index\": "), b = number(apart, "\"index\": ");
        if (a != b || (near == 0 && (a != (double)want || number(together, "\"morse_check\": {\"index\": ") != a))) {
            print_error("%s\n%s\n%s\nthe closed form has %zu\n", yaml, together, apart, want);
            fail();
        }
        free(together);
        free(apart);
    }
}

/* A random quadratic at rest at t1 (or moving across a plane through the minimiser's sphere) whose first end is free.
 */
static void free_file(uint64_t seed, char *yaml, size_t size)
{
    cup dice = {.seed = seed};
    const size_t d = 2 + (size_t)(5 * uniform(&dice)), count = 1 + (size_t)((double)d * uniform(&dice));
    const bool viscous = uniform(&dice) < 0.5, sphere = seed % 3 == 0;
    const double t1 = viscous ? (seed % 5 == 0 ? 0 : 0.05 * pow(100, uniform(&dice))) : 4 * uniform(&dice) - 2;
    const double r = viscous ? 0.5 + 3.5 * uniform(&dice) : 2 * uniform(&dice);
    int used = snprintf(yaml, size, "{problem: {name: quadratic, rotation: %llu, eigenvalues: [",
                        (unsigned long long)seed);
    double x[6], speed = sphere && t1 != 0 ? 2 * uniform(&dice) - 1 : 0;
    for (size_t i = 0; i < d; i++) {
        const double lambda = seed % 4 == 0 ? 1.5 : 4 * uniform(&dice) - 0.5;
        used += snprintf(yaml + used, size - (size_t)used, "%s%.17g", i > 0 ? ", " : "", lambda);
        x[i] = 2 * uniform(&dice) - 1;
    }
    used += snprintf(yaml + used, size - (size_t)used,
                     "]}, method: {name: %s: %.17g}, integrator: exact, start: {t: %.17g",
                     viscous ? "nesterov, r" : "heavy-ball, alpha", r, t1);
    for (int v = 0; v < (speed != 0 ? 2 : 1); v++) {
        used += snprintf(yaml + used, size - (size_t)used, ", %s: [", v == 0 ? "x" : "v");
        for (size_t i = 0; i < d; i++) {
            used += snprintf(yaml + used, size - (size_t)used, "%s%.17g", i > 0 ? ", " : "",
                             x[i] * (v == 0 ? 1 : speed));
        }
        used += snprintf(yaml + used, size - (size_t)used, "]");
    }
    used += snprintf(yaml + used, size - (size_t)used, "}, until: %.17g, conjugate: {verify: true, free: %s",
                     t1 + 0.5 * pow(20, uniform(&dice)), sphere ? "sphere}}" : "[");
    for (size_t k = 0; k < count && !sphere; k++) {
        for (size_t i = 0; i < d; i++) {
            used += snprintf(yaml + used, size - (size_t)used, "%s%.17g",
                             i > 0   ? ", "
                             : k > 0 ? "], ["
                                     : "[",
                             2 * uniform(&dice) - 1);
        }
    }
    snprintf(yaml + used, size - (size_t)used, "%s", sphere ? "" : "]]}}");
}

/* `verify` makes a disagreement of the counts an error, and `ask` prints the file. An end within 1e-9 of a focal point,
 * where both may only say degenerate, is drawn with probability below 1e-6 in all. */
static void random_free_ends_agree_with_the_second_variation(void **state)
{
    const char *many = getenv("OPTDYN_TEST_FREE_ENDS");
    const uint64_t count = many != NULL ? strtoull(many, NULL, 10) : 100;
    double total = 0;
    for (uint64_t seed = 1; seed <= count; seed++) {
        char yaml[4096];
        free_file(seed, yaml, sizeof yaml);
        char *json = ask(*state, yaml, "conjugate.kernels=false");
        const double index = number(json, "\"index\": ");
        if (number(json, "\"morse_check\": {\"index\": ") != index) {
            print_error("%s\n%s\n", yaml, json);
            fail();
        }
        total += index;
        free(json);
    }
    assert_true(count != 100 || total > 300); /* it was 394: these paths have points */
}

/* Rosenbrock's valley, Hosaki's hills, |x|^4: verified, and the same with tighter and looser steps. */
static void paths_on_other_losses_agree_too(void **state)
{
    static const char *const losses[] = {"rosenbrock", "hosaki", "{name: power, p: 4, dim: 2}"};
    /* those from rest at 0 */
    static const char *const frees[] = {"", ", free: [[1, 2]]", ", free: sphere", ", free: all"};
    double total = 0;
    for (uint64_t i = 0; i < 30; i++) {
        char yaml[512];
        const double x = 4 * od_uniform(11, OD_STREAM_CHECK, i, 0, 0) - 2 + (i % 3 == 1 ? 3 : 0);
        const double y = 4 * od_uniform(11, OD_STREAM_CHECK, i, 1, 0) - 2 + (i % 3 == 1 ? 3 : 0);
        snprintf(yaml, sizeof yaml,
                 "{problem: %s, method: %s, integrator: {name: rk4, step: 0.1}, start: {x: [%.17g, %.17g]}, until: "
                 "%.17g, interval: [%g, %.17g], conjugate: {verify: true%s}}",
                 losses[i % 3], i % 2 == 0 ? "nesterov" : "{name: heavy-ball, alpha: 0.7}", x, y,
                 i % 3 == 0 ? 1.5 : 9.0, i % 4 == 0 ? 0 : 0.3, i % 3 == 0 ? 1.5 : 9.0,
                 i % 4 == 0 ? frees[i / 4 % 4] : "");
        char *fine = ask(*state, yaml, "conjugate.tolerance=1.0e-13");
        char *coarse = ask(*state, yaml, "conjugate.tolerance=1.0e-8");
        char *half = ask(*state, yaml, "conjugate.tolerance=5.0e-9");
        const double index = number(fine, "\"index\": ");
        assert_true(number(coarse, "\"index\": ") == index && number(half, "\"index\": ") == index);
        assert_true(number(fine, "\"morse_check\": {\"index\": ") == index);
        total += index;
        free(fine);
        free(coarse);
        free(half);
    }
    assert_true(total > 150); /* it was 197: these paths have points */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(random_quadratics_agree_with_the_second_variation),
        test_with_context(random_free_ends_agree_with_the_second_variation),
        test_with_context(paths_on_other_losses_agree_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
