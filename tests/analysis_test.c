/*
 * The exact moments that analyses compare with: of the chain a scheme runs, and of the equation; against recursions and
 * quadratures done elsewhere, and against each other as the step is refined.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include "analysis/gaussian.h"
#include "analysis/order.h"

static od_experiment *parse(od_context *ctx, const char *method, const char *scheme, double t0, double until,
                            const char *more)
{
    char text[768];
    snprintf(text, sizeof text,
             "{problem: {name: quadratic, eigenvalues: [0.04, 0.01]}, method: {name: %s, noise: 0.1}, integrator: "
             "{name: %s}, start: {t: %.17g, x: [1, 1]}, until: %.17g, paths: 1000, seed: 7%s}",
             method, scheme, t0, until, more);
    od_experiment *e = od_experiment_parse(ctx, text, NULL);
    check_done(ctx, e != NULL);
    return e;
}

/* mean x, mean v, var x, cov x v, var v of one component. */
typedef double moments5[5];

static void pick(const double *mean, const double *cov, size_t i, moments5 m)
{
    const size_t v = 2 + i;
    m[0] = mean[i];
    m[1] = mean[v];
    m[2] = cov[i * 4 + i];
    m[3] = cov[i * 4 + v];
    m[4] = cov[v * 4 + v];
}

static void check_moments(const double *mean, const double *cov, size_t i, const double *want, double tolerance)
{
    moments5 got;
    pick(mean, cov, i, got);
    for (size_t k = 0; k < 5; k++) {
        check_relative(got[k], want[k], tolerance);
    }
}

/* References em-chain: 10^4 steps of Euler-Maruyama by their own recursion, in 30 digits. */
static void chains_have_the_moments_of_the_references(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *method;
        moments5 x[2];
    } cases[] = {
        {"nesterov, r: 3",
         {{0.5766743685984456, -0.0705723825462791, 0.14196461306022762, 0.01727057878102347, 0.012603889076269272},
          {0.8800885129230802, -0.022982938276372974, 0.17665259463074953, 0.025167957056943312,
           0.013716981994917736}}},
        {"memory, forgetting: polynomial, p: 3",
         {{0.6554244442480186, -0.02934805682390828, 0.08556886074176091, 0.0028844668482463343, 0.0016710678417236695},
          {0.9036753464532605, -0.009272147910140813, 0.11002751670730189, 0.005026529377632154,
           0.0017486177572751443}}},
        {"memory, forgetting: polynomial, p: 2",
         {{0.6499078861745534, -0.030345161421821774, 0.09627790884003662, 0.003286303636240328, 0.001179997610411407},
          {0.9032777008236924, -0.009349807063577225, 0.12273334041362537, 0.005629666839588384,
           0.0012751383299335478}}}};
    for (size_t k = 0; k < 3; k++) {
        od_experiment *e = parse(ctx, cases[k].method, "euler-maruyama, step: 0.001", 0.001, 10.001, "");
        const od_member *m = &e->member[0];
        od_law_chain chain;
        check_done(ctx, od_law_chain_open(ctx, m, m->integrator_choice.integrator, 0.001, &chain) == OD_OK);
        check_done(ctx, od_law_chain_advance(ctx, &chain, 4000) == OD_OK);
        check_done(ctx, od_law_chain_advance(ctx, &chain, 10000) == OD_OK);
        /* ten thousand steps of a few roundings each; the references are good to 1e-13 */
        check_moments(chain.mean, chain.cov, 0, cases[k].x[0], 1e-11);
        check_moments(chain.mean, chain.cov, 1, cases[k].x[1], 1e-11);
        assert_true(chain.cov[1] == 0 && chain.cov[3] == 0);
        od_law_chain_close(&chain);
        od_experiment_free(e);
    }
}

/* References sde-quad: Bessel kernel quadratures in 25 digits. */
static void the_equation_has_the_moments_of_the_references(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *method;
        double t0, t;
        moments5 x[2];
        double loss;
    } cases[] = {
        {"nesterov, r: 3",
         0.01,
         10,
         {{0.5767253844855965, -0.07056687629023896, 0.1419270539094697, 0.01727252876997724, 0.012599659687962651},
          {0.8801013915154341, -0.022980702731533097, 0.17661347742227435, 0.025168734542778924, 0.013713273049115196}},
         0.014246744144238967},
        {"nesterov, r: 3",
         0,
         100,
         {{0.006683312417585004, 0.003206827038459963, 3.110281134028063, 0.01570537114350107, 0.12487814191993846},
          {0.008694549233772287, -0.005092606273702413, 12.259463668731685, 0.06401549514307306, 0.12449160063067184}},
         0.12350421233344899},
        {"memory, forgetting: polynomial, p: 2",
         0.01,
         1,
         {{0.9612958043084465, -0.03897083742494407, 0.01253035070917255, 0.006247347722418864, 0.013080105691654145},
          {0.9902303859312244, -0.009934467462517966, 0.012834220394777485, 0.006558240712160626,
           0.013267537561996466}},
         0.023699351669885307},
        {"memory, forgetting: polynomial, p: 3",
         0.01,
         10,
         {{0.6558254687258509, -0.029365612867617037, 0.0854645650832674, 0.002889675199384926, 0.0016706102659924036},
          {0.9038115011864157, -0.009273520004282986, 0.10983809186566144, 0.005029285693221397, 0.001748397225152979}},
         0.014944998817967507}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        od_experiment *e = parse(ctx, cases[k].method, "euler-maruyama, step: 0.01", cases[k].t0, cases[k].t, "");
        const od_member *m = &e->member[0];
        od_law_moments law;
        check_done(ctx, od_law_moments_open(ctx, m, &law) == OD_OK);
        check_done(ctx, od_law_moments_advance(ctx, &law, (cases[k].t0 + cases[k].t) / 3) == OD_OK);
        check_done(ctx, od_law_moments_advance(ctx, &law, cases[k].t) == OD_OK);
        /* promised: 1e-10 */
        check_moments(law.mean, law.cov, 0, cases[k].x[0], 1e-9);
        check_moments(law.mean, law.cov, 1, cases[k].x[1], 1e-9);
        double loss = NAN;
        check_done(ctx, od_gaussian_loss(ctx, m, law.mean, law.cov, &loss) == OD_OK);
        check_relative(loss, cases[k].loss, 1e-9);
        od_law_moments_close(&law);
        od_experiment_free(e);
    }
}

/* References sde-const, a constant gradient 1 and sigma 1: Nesterov's SDE from t = 0 and a heavy ball. */
static void a_constant_gradient_has_its_closed_form(void **state)
{
    od_context *ctx = *state;
    for (size_t k = 0; k < 4; k++) {
        const bool nesterov = k < 2;
        const double t = k % 2 == 0 ? 1 : 10, a = 0.5;
        char text[512];
        snprintf(text, sizeof text,
                 "{problem: {name: constant-gradient, gradient: [1]}, method: {name: %s, noise: 1}, integrator: {name: "
                 "euler-maruyama, step: 0.1}, start: {x: [0]}, until: %g, paths: 1000}",
                 nesterov ? "nesterov, r: 3" : "heavy-ball, alpha: 0.5", t);
        od_experiment *e = od_experiment_parse(ctx, text, NULL);
        check_done(ctx, e != NULL);
        od_law_moments law;
        check_done(ctx, od_law_moments_open(ctx, &e->member[0], &law) == OD_OK);
        check_done(ctx, od_law_moments_advance(ctx, &law, t) == OD_OK);
        check_relative(law.mean[1], nesterov ? -t / 4 : -(1 - exp(-a * t)) / a, 1e-9);
        check_relative(law.cov[3], nesterov ? t / 7 : (1 - exp(-2 * a * t)) / (2 * a), 1e-9);
        if (nesterov) {
            check_relative(law.mean[0], -t * t / 8, 1e-9);
            check_relative(law.cov[1], t * t / 35, 1e-9);
            check_relative(law.cov[0], 2 * t * t * t / 105, 1e-9);
        }
        od_law_moments_close(&law);
        od_experiment_free(e);
    }
}

/* On a flat loss from v = 0 at t0 the memory flow has Var v = sigma^2 p^2/(2p - 1) (t^(2p-1) - t0^(2p-1))/t^(2p). */
static void quiet_and_loud_noise_are_followed_from_a_start_at_rest(void **state)
{
    static const double sigmas[] = {0.01, 2.385, 1e5};
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{problem: {name: quadratic, eigenvalues: [0]}, method: {name: memory, forgetting: polynomial, p: 3, "
            "noise: %g}, integrator: {name: euler-maruyama, step: 0.002}, start: {t: 0.002, x: [0], v: [0]}, until: "
            "2, paths: 1000}",
            sigmas[i]);
        od_experiment *e = od_experiment_parse(*state, text, NULL);
        check_done(*state, e != NULL);
        od_law_moments law;
        check_done(*state, od_law_moments_open(*state, &e->member[0], &law) == OD_OK);
        check_close(law.cov[3], 0, 0);
        for (double t = 0.02; t < 1; t += 0.7) {
            check_done(*state, od_law_moments_advance(*state, &law, t) == OD_OK);
            check_relative(law.cov[3], sigmas[i] * sigmas[i] * 9 / 5 * (pow(t, 5) - pow(0.002, 5)) / pow(t, 6), 1e-9);
        }
        od_law_moments_close(&law);
        od_experiment_free(e);
    }
}

/* The bias of the chain falls with the weak order of the scheme; rotated, with a matrix of noise and random starts. */
static void the_bias_has_the_order_of_the_scheme(void **state)
{
    od_context *ctx = *state;
    static const char *const methods[] = {"gradient", "heavy-ball, alpha: 0.7", "nesterov, r: 2.5",
                                          "memory, forgetting: exponential, alpha: 1.3"};
    static const struct {
        const char *scheme;
        double order;
    } schemes[] = {{"euler-maruyama", 1}, {"milstein", 1}, {"sra1", 2}};
    for (size_t k = 0; k < 12; k++) {
        char text[512];
        const char *method = methods[k % 4], *scheme = schemes[k / 4].scheme;
        snprintf(text, sizeof text,
                 "{problem: {name: quadratic, eigenvalues: [1.3, 0.4], rotation: 3, centre: [0.2, -0.3]}, method: "
                 "{name: %s, noise: [[0.3, 0.1, 0], [0, 0.2, 0.25]]}, integrator: {name: %s, step: 0.01}, start: {t: "
                 "0.5, x: {normal: 0.6}}, until: 2.5, paths: 1000, seed: 7}",
                 method, scheme);
        od_experiment *e = od_experiment_parse(ctx, text, NULL);
        check_done(ctx, e != NULL);
        const od_member *m = &e->member[0];
        const size_t d = m->dim;
        od_law_moments law;
        check_done(ctx, od_law_moments_open(ctx, m, &law) == OD_OK);
        check_done(ctx, od_law_moments_advance(ctx, &law, 2.5) == OD_OK);
        double bias[2] = {0}, mean_bias[2] = {0};
        for (unsigned level = 0; level < 2; level++) {
            od_law_chain chain;
            const unsigned steps = 100u << level;
            check_done(ctx, od_law_chain_open(ctx, m, m->integrator_choice.integrator, 2.0 / steps, &chain) == OD_OK);
            check_done(ctx, od_law_chain_advance(ctx, &chain, steps) == OD_OK);
            for (size_t i = 0; i < d * d; i++) {
                bias[level] = hypot(bias[level], chain.cov[i] - law.cov[i]);
                mean_bias[level] = hypot(mean_bias[level], chain.mean[i % d] - law.mean[i % d]);
            }
            od_law_chain_close(&chain);
        }
        check_close(log2(bias[0] / bias[1]), schemes[k / 4].order, 0.05);
        check_close(log2(mean_bias[0] / mean_bias[1]), schemes[k / 4].order, 0.05);
        od_law_moments_close(&law);
        od_experiment_free(e);
    }
}

/*
 * Levels with squared errors (2^l z_l)^2, the z_l standard normal and correlated as levels of one path are: order 1.
 * The 95 % interval must hold it in 95 % of 600 trials, give or take four binomial standard errors (0.036): a right
 * interval would fail with probability 6e-5 over seeds.
 */
static void intervals_cover(void **state)
{
    (void)state;
    enum { TRIALS = 600, PATHS = 640, LEVELS = 3 };
    unsigned held = 0;
    od_moments groups;
    od_errors e = {.groups = &groups, .levels = LEVELS, .column = {0, 1, 2}, .power = 0.5, .used = {true, true, true}};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        assert_true(od_moments_init(&groups, OD_GROUPS, LEVELS, false));
        for (uint64_t p = 0; p < PATHS; p++) {
            const double common = od_normal(5, OD_STREAM_CHECK, p, LEVELS, trial);
            double q[LEVELS];
            for (size_t l = 0; l < LEVELS; l++) {
                const double z = 0.8 * common + 0.6 * od_normal(5, OD_STREAM_CHECK, p, l, trial);
                q[l] = ldexp(z * z, 2 * (int)l);
            }
            od_moments_add(&groups, p % OD_GROUPS, q, 1);
        }
        const od_fit fit = od_errors_fit(&e);
        held += fit.low <= 1 && 1 <= fit.high;
        if (trial + 1 < TRIALS) {
            od_moments_free(&groups);
        }
    }
    print_message("# the interval held the order in %.1f %% of %d trials\n", 100.0 * held / TRIALS, TRIALS);
    check_close((double)held / TRIALS, 0.95, 0.036);
    /* the jackknife of a mean is its standard error */
    double error;
    e.power = 1;
    od_errors_mean(&e, 1, &error);
    double mean = 0, square = 0;
    for (size_t g = 0; g < OD_GROUPS; g++) {
        mean += groups.mean[g * LEVELS + 1] / OD_GROUPS;
    }
    for (size_t g = 0; g < OD_GROUPS; g++) {
        square += (groups.mean[g * LEVELS + 1] - mean) * (groups.mean[g * LEVELS + 1] - mean);
    }
    check_relative(error, sqrt(square / (OD_GROUPS * (OD_GROUPS - 1))), 1e-10);
    od_moments_free(&groups);
}

static void refused(od_context *ctx, const char *text, const char *analysis, const char *words)
{
    od_experiment *e = od_experiment_parse(ctx, text, NULL);
    check_done(ctx, e != NULL);
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_int_equal(od_experiment_analyse(ctx, e, analysis, out, true), OD_EUNSUPPORTED);
    check_message(ctx, words);
    assert_int_equal(ftell(out), 0);
    fclose(out);
    od_experiment_free(e);
}

#define FLOW "integrator: {name: euler-maruyama, step: 0.1}, start: {x: [1, 1]}, until: 1"

static void what_is_not_linear_is_refused(void **state)
{
    od_context *ctx = *state;
    const char *quadratic = "{problem: {name: quadratic, eigenvalues: [1, 2]}, ";
    char text[512];
    refused(ctx, "{problem: rosenbrock, method: {name: gradient, noise: 0.1}, paths: 1000, " FLOW "}", "moments",
            "is no quadratic loss");
    snprintf(text, sizeof text, "%smethod: gradient, paths: 1000, " FLOW "}", quadratic);
    refused(ctx, text, "moments", "none; give method.noise");
    snprintf(text, sizeof text, "%smethod: {name: gradient, noise: 0.1}, paths: 999, " FLOW "}", quadratic);
    refused(ctx, text, "moments", "give 1000 or more");
    snprintf(text, sizeof text, "%smethod: {name: gradient, step: 0.1}, iterations: 3, start: {x: [1, 1]}}", quadratic);
    refused(ctx, text, "moments", "looks at a flow");
}

/* A name misspelt is answered with the nearest, one like none of them with none; nothing is written. */
static void a_name_that_is_no_analysis_is_refused(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *name, *sentence;
    } cases[] = {
        {"momments", "there is no analysis 'momments' (did you mean 'moments'?); `optdyn list analyses` shows all"},
        {"zzzzzzzzzz", "there is no analysis 'zzzzzzzzzz'; `optdyn list analyses` shows all"}};
    od_experiment *e = parse(ctx, "nesterov, r: 3", "euler-maruyama, step: 0.1", 0.1, 1.1, "");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        FILE *out = tmpfile();
        assert_non_null(out);
        assert_int_equal(od_experiment_analyse(ctx, e, cases[k].name, out, false), OD_EINVAL);
        assert_string_equal(od_message(ctx), cases[k].sentence);
        assert_int_equal(ftell(out), 0);
        fclose(out);
    }
    od_experiment_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(chains_have_the_moments_of_the_references),
        test_with_context(quiet_and_loud_noise_are_followed_from_a_start_at_rest),
        test_with_context(the_equation_has_the_moments_of_the_references),
        test_with_context(a_constant_gradient_has_its_closed_form),
        test_with_context(the_bias_has_the_order_of_the_scheme),
        test_with_context(intervals_cover),
        test_with_context(what_is_not_linear_is_refused),
        test_with_context(a_name_that_is_no_analysis_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
