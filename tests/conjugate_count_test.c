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

/* Rosenbrock's valley, Hosaki's hills, |x|^4: verified, and the same with tighter and looser steps. */
static void paths_on_other_losses_agree_too(void **state)
{
    static const char *const losses[] = {"rosenbrock", "hosaki", "{name: power, p: 4, dim: 2}"};
    double total = 0;
    for (uint64_t i = 0; i < 30; i++) {
        char yaml[512];
        const double x = 4 * od_uniform(11, OD_STREAM_CHECK, i, 0, 0) - 2 + (i % 3 == 1 ? 3 : 0);
        const double y = 4 * od_uniform(11, OD_STREAM_CHECK, i, 1, 0) - 2 + (i % 3 == 1 ? 3 : 0);
        snprintf(yaml, sizeof yaml,
                 "{problem: %s, method: %s, integrator: {name: rk4, step: 0.1}, start: {x: [%.17g, %.17g]}, until: "
                 "%.17g, interval: [%g, %.17g], conjugate: {verify: true}}",
                 losses[i % 3], i % 2 == 0 ? "nesterov" : "{name: heavy-ball, alpha: 0.7}", x, y,
                 i % 3 == 0 ? 1.5 : 9.0, i % 4 == 0 ? 0 : 0.3, i % 3 == 0 ? 1.5 : 9.0);
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
        test_with_context(paths_on_other_losses_agree_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
