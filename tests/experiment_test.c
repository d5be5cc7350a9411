/*
 * What an experiment file may not say, and in which words it is refused: each case asserts the place (file and line),
 * the entry, and the value or the remedy. The files are put together from five good lines, so that the line of a
 * mistake is known.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"

#include <unistd.h>

static const char *const good[] = {"problem: {name: quadratic, eigenvalues: [4, 1.5]}", "method: {name: nesterov}",
                                   "integrator: {name: rk4, step: 0.1}", "start: {x: [1, 2]}", "until: 2"};

enum { GOOD = sizeof good / sizeof *good, ROOM = 65536 };

static bool same_key(const char *a, const char *b)
{
    const size_t length = strcspn(a, ":");
    return strcspn(b, ":") == length && strncmp(a, b, length) == 0;
}

/*
 * Puts the changed lines ("key: value", "-key" to leave one out) into the good ones; returns the line of the first
 * change, 1 if it only leaves out.
 */
static int compose(char text[ROOM], const char *changes)
{
    char copy[ROOM], *rest = NULL;
    const char *change[16];
    size_t count = 0;
    int line = 0, first = 1;
    snprintf(copy, sizeof copy, "%s", changes);
    for (char *p = strtok_r(copy, "\n", &rest); p != NULL; p = strtok_r(NULL, "\n", &rest)) {
        assert_true(count < 16);
        change[count++] = p;
    }
    text[0] = '\0';
    bool used[16] = {false};
    for (size_t i = 0; i < GOOD; i++) {
        const char *written = good[i];
        size_t which = SIZE_MAX;
        for (size_t j = 0; j < count; j++) {
            const bool removed = change[j][0] == '-';
            if (same_key(change[j] + removed, good[i])) {
                written = removed ? NULL : change[j];
                which = j;
                used[j] = true;
            }
        }
        if (written != NULL) {
            line++;
            sprintf(text + strlen(text), "%s\n", written);
            first = which == 0 ? line : first;
        }
    }
    for (size_t j = 0; j < count; j++) {
        if (!used[j]) {
            line++;
            sprintf(text + strlen(text), "%s\n", change[j]);
            first = j == 0 ? line : first;
        }
    }
    return first;
}

typedef struct wrong {
    const char *changes, *entry, *words, *remedy;
} wrong;

static void check_wrong(od_context *ctx, const wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[ROOM], place[32];
        snprintf(place, sizeof place, "text:%d: ", compose(text, cases[i].changes));
        od_experiment *e = od_experiment_parse(ctx, text, NULL);
        const char *message = od_message(ctx);
        if (e != NULL || strncmp(message, place, strlen(place)) != 0 ||
            strcmp(od_message_entry(ctx), cases[i].entry) != 0 || strstr(message, cases[i].entry) == NULL ||
            strstr(message, cases[i].words) == NULL || strstr(message, cases[i].remedy) == NULL) {
            print_error("%s\n", text);
            print_error("%s: got %s\nwant '%s', entry %s (got %s), '%s' and '%s'\n", cases[i].changes,
                        e != NULL ? "no refusal" : message, place, cases[i].entry, od_message_entry(ctx),
                        cases[i].words, cases[i].remedy);
            fail();
        }
    }
}

#define check_all_wrong(ctx, cases) check_wrong((ctx), (cases), sizeof(cases) / sizeof *(cases))

static void the_good_file_is_good(void **state)
{
    char text[ROOM];
    compose(text, "");
    od_experiment *e = od_experiment_parse(*state, text, NULL);
    check_done(*state, e != NULL);
    od_experiment_free(e);
}

static void unknown_names_are_answered_with_the_nearest(void **state)
{
    static const wrong cases[] = {
        {"problme: {name: quadratic}", "problme", "did you mean 'problem'?", "optdyn describe experiment"},
        {"untill: 3", "untill", "did you mean 'until'?", "optdyn describe experiment"},
        {"problem: {name: quadratc}", "problem.name", "there is no problem 'quadratc' (did you mean 'quadratic'?)",
         "there are: "},
        {"problem: {name: quadratic, eigenvalue: [1, 2]}", "problem.eigenvalue", "did you mean 'eigenvalues'?",
         "valid are: "},
        {"method: {name: nestrov}", "method.name", "did you mean 'nesterov'?", "there are: "},
        {"method: nestrov", "method.name", "did you mean 'nesterov'?", "there are: "},
        {"method: {name: nesterov, stepp: 1}", "method.stepp", "did you mean 'step'?", "valid are: "},
        {"method: {name: nesterov, flow: modified}", "method.flow", "has no flow 'modified'", "'flow'"},
        {"integrator: {name: rk5, step: 0.1}", "integrator.name", "did you mean 'rk4'?", "there are: "},
        {"integrator: {name: rk4, stp: 0.1}", "integrator.stp", "did you mean 'step'?", "valid are: step"},
        {"start: {x: [1, 2], w: [1, 2]}", "start.w", "there is no such entry", "valid are: t, x, v"},
        {"start: {x: [1, 2], v: [0, 0]}\nmethod: gradient", "start.v", "there is no such entry", "no velocity"},
        {"record: {evry: 1}", "record.evry", "did you mean 'every'?", "valid are: every"},
        {"record: {quantities: [los]}", "record.quantities", "'los' (did you mean 'loss'?)", "the blocks of the state"},
        {"stop: {los: 1}", "stop.los", "did you mean 'loss'?", "valid are: loss, gradient"},
        {"sweep: {method.stpe: [0.1]}", "method.stpe", "did you mean 'step'?", "valid are: "},
        {"compare: [{methd: nesterov}]", "methd", "did you mean 'method'?", "optdyn describe experiment"},
    };
    check_all_wrong(*state, cases);
}

static void wrong_kinds_are_refused(void **state)
{
    static const wrong cases[] = {
        {"problem: [quadratic]", "problem", "a name is needed", "optdyn list"},
        {"problem: {name: quadratic, eigenvalues: four}", "problem.eigenvalues", "expected a list of numbers",
         "got 'four'"},
        {"problem: {name: quadratic, eigenvalues: []}", "problem.eigenvalues", "the list is empty",
         "give at least one number"},
        {"problem: {name: quadratic, eigenvalues: [[1, 2]]}", "problem.eigenvalues", "expected a list of numbers",
         "got a list of 1"},
        {"problem: {name: quadratic, eigenvalues: {a: 1}}", "problem.eigenvalues", "expected a list of numbers",
         "got a map of 1"},
        {"problem: {name: quadratic, matrix: [1, 2]}", "problem.matrix", "rows of numbers", "got a list of 2"},
        {"problem: {name: quadratic, matrix: []}", "problem.matrix", "rows of numbers", "got a list of 0"},
        {"problem: {name: quadratic, matrix: [[]]}", "problem.matrix", "empty", "give at least one number"},
        {"problem: {name: quadratic, matrix: [[1, 2], [2]]}", "problem.matrix", "row 2 does not have 2",
         "make all equal"},
        {"problem: {name: quadratic, eigenvalues: [1, 2], rotation: 1.5}", "problem.rotation", "a whole number",
         "got '1.5'"},
        {"method: {name: nesterov, r: three}", "method.r", "expected a number", "got 'three'"},
        {"method: {name: nesterov, r: [3]}", "method.r", "expected a number", "got a list of 1"},
        {"method: {name: nesterov, r: '3'}", "method.r", "the text \"3\"", "remove the quotes"},
        {"method: {name: nesterov, r: 0x3}", "method.r", "expected a number", "got '0x3'"},
        {"method: {name: nesterov, r: 1_000}", "method.r", "expected a number", "got '1_000'"},
        {"method: {name: nesterov, sampling: always}", "method.sampling", "replacement|epochs", "got 'always'"},
        {"method: {r: 3}", "method", "a name is needed", "optdyn list"},
        {"integrator: {name: rk4, step: }", "integrator.step", "this entry is needed", "a number"},
        {"start: {x: [1, two]}", "start.x", "expected a number", "got 'two'"},
        {"start: {x: [1, '2']}", "start.x", "expected a number", "remove them"},
        {"start: {x: [1, [2]]}", "start.x", "expected a number", "got a list"},
        {"start: {x: {normla: 1}}", "start.x", "expected a list, {normal: 0.1} or {file: x.csv}", ""},
        {"start: {x: {normal: 1, file: x}}", "start.x", "expected a list, {normal: 0.1} or {file: x.csv}", ""},
        {"start: {x: {normal: big}}", "start.x", "expected a number", "got 'big'"},
        {"start: {x: {file: [a]}}", "start.x", "expected a file name", ""},
        {"start: {x: [1, 2], t: soon}", "start.t", "expected a number", "got 'soon'"},
        {"start: 5", "start.x", "this entry is needed", "{normal: 0.1}"},
        {"until: soon", "until", "expected a number", "got 'soon'"},
        {"until: [1]", "until", "expected a number", "got a list of 1"},
        {"paths: many", "paths", "expected a whole number", "got 'many'"},
        {"paths: 1.5", "paths", "expected a whole number", "got '1.5'"},
        {"seed: 1.5", "seed", "expected a whole number", "got '1.5'"},
        {"iterations: 1.5", "iterations", "expected a whole number", "got '1.5'"},
        {"record: [1]", "record", "expected a map", "record: {every: 0.1}"},
        {"record: loss", "record", "expected a map", "record: {every: 0.1}"},
        {"record: {quantities: {a: 1}}", "record.quantities", "a list of names", "got a map of 1"},
        {"stop: 0.1", "stop", "expected a map", "stop: {loss: 1.0e-3}"},
        {"label: [a]", "label", "expected a text", ""},
        {"interval: [1]", "interval", "expected [t1, t2]", "t2 after t1"},
        {"interval: [2, 1]", "interval", "expected [t1, t2]", "t2 after t1"},
        {"interval: [-1, 1]", "interval", "t1 = -1 is before", "later t1"},
    };
    check_all_wrong(*state, cases);
}

static void values_out_of_range_are_refused(void **state)
{
    static const wrong cases[] = {
        {"problem: {name: quadratic, eigenvalues: [4, .nan]}", "problem.eigenvalues", ".nan is not a finite", "give"},
        {"problem: {name: quadratic, eigenvalues: [4, -.inf]}", "problem.eigenvalues", "-.inf is not a finite", "give"},
        {"problem: {name: quadratic, eigenvalues: [4, 1e999]}", "problem.eigenvalues", "not a finite", "give"},
        {"problem: {name: quadratic, eigenvalues: [4, 1], centre: [1]}", "problem.centre", "2 numbers, got 1", ""},
        {"problem: {name: quadratic, matrix: [[1, 2], [3, 4]]}", "problem.matrix", "a Hessian is symmetric", "mirror"},
        {"problem: {name: quadratic}", "problem.eigenvalues", "one of them is needed", "eigenvalues: [4, 1]"},
        {"method: {name: nesterov, r: 0}", "method.r", "0 is out of range", "must be greater than 0"},
        {"method: {name: nesterov, r: -3}", "method.r", "-3 is out of range", "must be greater than 0"},
        {"method: {name: nesterov, r: .nan}", "method.r", ".nan is not a finite number", "give one"},
        {"method: {name: nesterov, r: .inf}", "method.r", ".inf is not a finite number", "give one"},
        {"method: {name: nesterov, step: 0}", "method.step", "0 is out of range", "must be greater than 0"},
        {"method: heavy-ball", "method.alpha", "needs its viscosity alpha", "learning_rate with momentum"},
        {"integrator: {name: rk4, step: 0}", "integrator.step", "0 is out of range", "must be greater than 0"},
        {"integrator: {name: rk4, step: -0.1}", "integrator.step", "-0.1 is out of range", "must be greater than 0"},
        {"integrator: {name: rk4, step: .nan}", "integrator.step", ".nan is not a finite number", "give one"},
        {"integrator: {name: rk4, step: .inf}", "integrator.step", ".inf is not a finite number", "give one"},
        {"integrator: {name: rk4, step: 1e-300}", "integrator.step", "more than 2^53 steps", ""},
        {"integrator: {name: rk4, step: 1.0e-7}\nstart: {t: 1.0e+10, x: [1, 2]}\nuntil: 10000000001", "integrator.step",
         "lost to rounding", "give a larger step"},
        {"start: {x: [1]}", "start.x", "expected a list of 2 numbers", "got 1"},
        {"start: {x: []}", "start.x", "expected a list of 2 numbers", "got 0"},
        {"start: {x: [1, 2, 3]}", "start.x", "expected a list of 2 numbers", "got 3"},
        {"start: {x: 1}", "start.x", "expected a list of 2 numbers", "got 1"},
        {"start: {x: [1, .nan]}", "start.x", ".nan is not a finite number", "give one"},
        {"start: {x: [1, .inf]}", "start.x", ".inf is not a finite number", "give one"},
        {"start: {x: {normal: -1}}", "start.x", "a standard deviation is not negative", "got -1"},
        {"start: {x: {normal: .inf}}", "start.x", ".inf is not a finite number", "give one"},
        {"start: {x: [1, 2], t: .nan}", "start.t", ".nan is not a finite number", "give one"},
        {"start: {x: [1, 2], t: -1}", "start.t", "singular at t = 0", "start at t >= 0"},
        {"start: {x: [1, 2], v: [0]}", "start.v", "expected a list of 2 numbers", "got 1"},
        {"until: 0", "until", "the end 0 is not after the start.t = 0", "give a later end"},
        {"until: -2", "until", "the end -2 is not after the start.t = 0", "give a later end"},
        {"until: 2\nstart: {t: 3, x: [1, 2]}", "until", "the end 2 is not after the start.t = 3", "give a later end"},
        {"until: .nan", "until", ".nan is not a finite number", "give one"},
        {"until: .inf", "until", ".inf is not a finite number", "give one"},
        {"paths: 0", "paths", "0 is out of range", "at least 1"},
        {"paths: -7", "paths", "-7 is out of range", "at least 1"},
        {"paths: 4294967296", "paths", "4294967296 is out of range", "at most 4294967295"},
        {"paths: 1e20", "paths", "1e+20 is out of range", "at most 4294967295"},
        {"seed: -1", "seed", "-1 is out of range", "at least 0"},
        {"seed: 1e30", "seed", "1e+30 is out of range", "at most"},
        {"iterations: 0", "iterations", "0 is out of range", "at least 1"},
        {"noise_step: 0", "noise_step", "0 is out of range", "greater than 0"},
        {"record: {every: 0}", "record.every", "0 is out of range", "greater than 0"},
        {"record: {every: -1}", "record.every", "-1 is out of range", "greater than 0"},
        {"record: {every: .nan}", "record.every", ".nan is not a finite number", "give one"},
        {"record: {every: 1.0e-12}", "record.every", "more than 10^9 rows", "give a larger value"},
        {"record: {stride: 0}", "record.stride", "0 is out of range", "at least 1"},
        {"record: {quantiles: [0.5, 2]}\npaths: 10", "record.quantiles", "2 is out of range", "at most 1"},
        {"record: {quantiles: [0.5, 0.1, 0.5]}\npaths: 10", "record.quantiles", "0.5 is given twice", "keep one"},
        {"record: {quantities: [x, loss, x]}", "record.quantities", "'x' is given twice", "keep one"},
        {"stop: {loss: .nan}", "stop.loss", ".nan is not a finite number", "give one"},
        {"stop: {gradient: -1}", "stop.gradient", "-1 is out of range", "at least 0"},
    };
    check_all_wrong(*state, cases);
}

static void runs_that_make_no_sense_are_refused(void **state)
{
    static const wrong cases[] = {
        {"-problem", "problem", "this entry is needed", "problem: {name: quadratic, eigenvalues: [4, 1]}"},
        {"-method", "method", "this entry is needed", "method: {name: gradient}"},
        {"-start", "start.x", "this entry is needed", "a list of 2 numbers"},
        {"-integrator", "integrator", "until runs the flow, which needs an integrator", "{name: rk4, step: 0.1}"},
        {"-integrator\n-until", "until", "nothing to run", "give until and integrator"},
        {"integrator: {name: rk4, step: 0.1}\n-until", "until", "an integrator needs an end of time", "give until"},
        {"method: nesterov\niterations: 10", "method.step", "the iteration needs it", "learning rate"},
        {"method: gradient\niterations: 10\n-until\n-integrator", "method.step", "the iteration needs it",
         "learning rate"},
        {"start: {x: [1, 2], v: [1, 0]}", "start.v", "only one velocity", "leave start.v out"},
        {"start: {x: [1, 2], v: {normal: 1}}", "start.v", "only one velocity", "leave start.v out"},
        /* memory: v(0) = -g(x_0) = (-4, -3) is the regular start, and with noise there is none */
        {"start: {x: [1, 2], v: [-4, -2.9]}\nmethod: {name: memory, forgetting: polynomial, p: 3}", "start.v",
         "only one velocity", "component 2 must be -3"},
        {"start: {x: [1, 2]}\nmethod: {name: memory, forgetting: polynomial, p: 3, noise: 0.1}\n"
         "integrator: {name: euler-maruyama, step: 0.1}",
         "start.t", "infinite variance at t = 0", "give a start.t > 0"},
        {"integrator: {name: rk4, step: 0.1}\nmethod: {name: nesterov, noise: 0.1}", "integrator.name",
         "rk4 does not integrate noise", "use sra1, milstein or euler-maruyama"},
        {"integrator: exact\nmethod: {name: nesterov, noise: 0.1}", "integrator.name", "does not integrate noise",
         "remove method.noise"},
        {"integrator: exact\nmethod: {name: memory, forgetting: super-exponential, alpha: 2}", "integrator",
         "there is no closed form", "use rk4 or cvode"},
        {"noise_step: 0.03\nmethod: {name: nesterov, noise: 0.1}\nintegrator: {name: euler-maruyama, step: 0.1}",
         "noise_step", "integrator.step = 0.1 is neither a multiple of the noise step 0.03", "choose noise_step"},
        {"until: 2.05\nmethod: {name: nesterov, noise: 0.1}\nintegrator: {name: euler-maruyama, step: 0.1}", "until",
         "must be a whole number of steps", "it is 20.5"},
        {"record: {every: 0.25}\nmethod: {name: nesterov, noise: 0.1}\nintegrator: {name: euler-maruyama, step: 0.1}",
         "record.every", "must be a multiple of the step", "it is 2.5 steps"},
        {"integrator: {name: euler-maruyama, step: 0.1}\nmethod: {name: gradient, noise: 0.1, step: 0.25}\n"
         "iterations: 8\nnoise_step: 0.05",
         "integrator.step", "must be a multiple of the step", "it is 2.5 steps"},
        {"noise_step: 0.3\nmethod: {name: gradient, noise: 0.1, step: 0.25}\niterations: 8\n-until\n-integrator",
         "noise_step", "the time of one iteration = 0.25", "choose noise_step"},
        {"method: {name: nesterov, noise: [[1, 2]]}\nintegrator: {name: euler-maruyama, step: 0.1}", "method.noise",
         "a matrix with 2 rows", "got 1"},
        {"method: {name: nesterov, noise: [1, 2]}\nintegrator: {name: euler-maruyama, step: 0.1}", "method.noise",
         "a number or a matrix with 2 rows", ""},
        {"method: {name: nesterov, noise: white}\nintegrator: {name: euler-maruyama, step: 0.1}", "method.noise",
         "'white' is not a noise", "give a number, a matrix"},
        {"method: {name: nesterov, noise: gradient-covariance}\nintegrator: {name: euler-maruyama, step: 0.1}",
         "method.noise", "needs a finite sum", "give a number or a matrix"},
        {"method: {name: nesterov, noise: .nan}\nintegrator: {name: euler-maruyama, step: 0.1}", "method.noise",
         ".nan is not a finite number", "give one"},
        {"method: {name: gradient, step: 0.1, batch: 2}\niterations: 3", "method.batch", "finite sum", ""},
        {"paths: 2\nstop: {loss: 0.1}", "paths", "stop ends a single path", "Remove stop or give paths: 1"},
    };
    check_all_wrong(*state, cases);
}

static void malformed_lists_of_runs_are_refused(void **state)
{
    static const wrong cases[] = {
        {"compare: {method: gradient}", "compare", "expected a list such as", "[{method: {name: gradient}}, ...]"},
        {"compare: []", "compare", "expected a list such as", "[{method: {name: gradient}}, ...]"},
        {"compare: ", "compare", "expected a list such as", "[{method: {name: gradient}}, ...]"},
        {"compare: [gradient]", "compare", "expected a map such as", "{method: {name: gradient}}"},
        {"compare: [{compare: [{method: gradient}]}]", "compare", "cannot be nested", ""},
        {"compare: [{sweep: {paths: [1]}}]", "compare", "cannot be nested", ""},
        {"sweep: [1, 2]", "sweep", "expected a map such as", "{method.step: [0.1, 0.2]}"},
        {"sweep: {}", "sweep", "expected a map such as", "{method.step: [0.1, 0.2]}"},
        {"sweep: {method.step: 0.1}", "sweep", "expected a list of values of method.step", "{method.step: [0.1, 0.2]}"},
        {"sweep: {method.step: []}", "sweep", "expected a list of values of method.step", "{method.step: [0.1, 0.2]}"},
        {"sweep: {compare: [{method: gradient}]}", "sweep", "cannot be nested", ""},
        {"sweep: {sweep: [1]}", "sweep", "cannot be nested", ""},
    };
    check_all_wrong(*state, cases);
    static const struct {
        const char *changes, *words;
    } others[] = {
        {"sweep: {method..step: [1]}", "text:6: 'method..step' is not a path"},
        {"sweep: {problem.eigenvalues.x: [1]}", "text:6: problem.eigenvalues is a list, which has no entries"},
        {"sweep: {method.r: [-1, 2]}", "text:6: method.r: -1 is out of range"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[ROOM];
        compose(text, others[i].changes);
        assert_null(od_experiment_parse(*state, text, NULL));
        check_message(*state, others[i].words);
    }
    /* 22^3 runs */
    char changes[4096] = "sweep: {", text[ROOM];
    static const char *const paths[] = {"method.r", "seed", "until"};
    for (int i = 0; i < 3; i++) {
        sprintf(changes + strlen(changes), "%s%s: [1", i > 0 ? ", " : "", paths[i]);
        for (int j = 2; j <= 22; j++) {
            sprintf(changes + strlen(changes), ",%d", j);
        }
        strcat(changes, "]");
    }
    strcat(changes, "}");
    compose(text, changes);
    assert_null(od_experiment_parse(*state, text, NULL));
    check_message(*state, "more than 10000 runs");
    check_message(*state, "sweep over fewer values");
}

static void what_is_no_map_is_refused(void **state)
{
    static const char *const texts[] = {"5", "[1, 2]", "just words", "~"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_null(od_experiment_parse(*state, texts[i], NULL));
        check_message(*state, "text:1: an experiment is a map");
    }
    assert_null(od_experiment_parse(*state, "", NULL));
    check_message(*state, "empty");
    assert_null(od_experiment_load(*state, "/nonexistent.yaml", NULL));
    check_message(*state, "/nonexistent.yaml: cannot be opened");
}

/* The options of a call are checked like the file and named as such. */
static void options_are_checked(void **state)
{
    char text[ROOM];
    compose(text, "");
    const char *const sets[][2] = {
        {"start.x=[1]", NULL}, {"until=soon", NULL}, {"nothing", NULL}, {"sed=1", NULL}, {"until.x=3", NULL}};
    const char *const words[] = {"--set start.x: expected a list of 2 numbers", "--set until: expected a number",
                                 "expected path=value", "--set sed: there is no such entry (did you mean 'seed'?)",
                                 "--set until.x: until is the number 2, which has no entries; set until itself"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        assert_null(od_experiment_parse(*state, text, &(od_options){.set = sets[i]}));
        check_message(*state, words[i]);
    }
    assert_null(od_experiment_parse(*state, text, &(od_options){.seed = "soon"}));
    check_message(*state, "--seed: seed: expected a whole number");
    assert_null(od_experiment_parse(*state, text, &(od_options){.seed = ""}));
    check_message(*state, "--seed");
    assert_null(od_experiment_parse(*state, text, &(od_options){.block = 129}));
    check_message(*state, "129 is not between 1 and 128");
}

static void start_files_are_checked(void **state)
{
    char folder[] = "/tmp/optdyn-XXXXXX", file[64], changes[160], text[ROOM];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a start.csv", folder);
    snprintf(changes, sizeof changes, "start: {x: {file: \"%s\"}}", file);
    compose(text, changes);
    static const struct {
        const char *content, *words;
    } cases[] = {{NULL, "cannot be opened: No such file"},
                 {"", "holds 0 numbers, expected 2"},
                 {"1\n", "holds 1 numbers, expected 2"},
                 {"1, 2\n3\n", "holds 3 numbers, expected 2"},
                 {"# 7\n1\nnan\n", ":3: 'nan' is not a finite number"},
                 {"1\n.nan\n", ":2: '.nan' is not a finite number"},
                 {"1, .inf\n", ":1: '.inf' is not a finite number"},
                 {"1 2x\n", ":1: '2x' is not a finite number"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].content != NULL) {
            FILE *out = fopen(file, "w");
            assert_non_null(out);
            fputs(cases[i].content, out);
            fclose(out);
        }
        assert_null(od_experiment_parse(*state, text, NULL));
        check_message(*state, "text:4: start.x: ");
        check_message(*state, file);
        check_message(*state, cases[i].words);
    }
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("# x\r\n2.385;\t-1.5e-3\r\n", out);
    fclose(out);
    od_experiment *e = od_experiment_parse(*state, text, NULL);
    check_done(*state, e != NULL);
    od_result *result = NULL;
    /* the file has done its work when the experiment is read */
    unlink(file);
    check_done(*state, od_experiment_run(*state, e, &result) == OD_OK);
    od_result_free(result);
    od_experiment_free(e);
    snprintf(changes, sizeof changes, "start: {x: {file: \"%s\"}}", folder);
    compose(text, changes);
    assert_null(od_experiment_parse(*state, text, NULL));
    check_message(*state, "cannot be read: Is a directory; give a file of numbers");
    rmdir(folder);
}

/* Names the defaults of what was left out, and reads back as the same text. */
static void the_resolved_text_is_a_fixed_point(void **state)
{
    static const char *const changes[] = {
        "",
        "label: \"a \\\"label\\\"\\nof two lines, $(ls)\"",
        "paths: 300\nrecord: {quantiles: [0.1, 0.5], quantities: [v, loss]}\nstart: {x: {normal: 0.1}, t: 0.3}",
        "iterations: 12\nmethod: {name: nesterov, step: 0.01}\nstop: {gradient: 1.0e-3}\ninterval: [0.5, 1]",
        "compare: [{method: gradient}, {method: {name: heavy-ball, alpha: 0.3}}, {method: gradient}]",
        "sweep: {method.r: [3, 4.5], problem.eigenvalues: [[1, 2], [3, 4]]}",
        "integrator: exact\nrecord: {quantities: []}",
        ("method: {name: gradient, noise: [[0.1, 0], [0.3, 0.2]], step: 0.2}\niterations: 10\nnoise_step: 0.05\n"
         "integrator: {name: euler-maruyama, step: 0.1}"),
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char text[ROOM];
        compose(text, changes[i]);
        od_experiment *e = od_experiment_parse(*state, text, NULL);
        check_done(*state, e != NULL);
        od_experiment *again = od_experiment_parse(*state, od_experiment_resolved(e), NULL);
        check_done(*state, again != NULL);
        assert_string_equal(od_experiment_resolved(again), od_experiment_resolved(e));
        assert_non_null(strstr(od_experiment_resolved(e), "seed: 1"));
        od_experiment_free(again);
        od_experiment_free(e);
    }
}

/* Random mistakes in a good file: an experiment or a sentence, never a crash. */
static void random_changes_are_answered(void **state)
{
    char text[ROOM];
    compose(text, "method: {name: gradient, noise: 0.1, step: 0.2}\niterations: 10\nnoise_step: 0.05\npaths: 3\n"
                  "integrator: {name: euler-maruyama, step: 0.1}\nrecord: {every: 0.2, quantities: [loss, x]}\n"
                  "sweep: {seed: [1, 2]}");
    static const char letters[] = "{}[]:,.-~'\"01e9 \nax";
    const size_t length = strlen(text);
    size_t read = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        char copy[ROOM];
        memcpy(copy, text, length + 1);
        for (uint64_t j = 0; j <= i % 3; j++) {
            copy[od_index(7, OD_STREAM_CHECK, i, 2 * j, 0, (uint32_t)length)] =
                letters[od_index(7, OD_STREAM_CHECK, i, 2 * j, 1, sizeof letters - 1)];
        }
        od_context *ctx = od_context_create();
        od_experiment *e = od_experiment_parse(ctx, copy, NULL);
        read += e != NULL;
        if (e == NULL && strlen(od_message(ctx)) < 20) {
            fail_msg("no sentence for\n%s", copy);
        }
        od_experiment_free(e);
        od_context_free(ctx);
    }
    /* both ways were walked often enough to mean something */
    assert_true(read > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(the_good_file_is_good),
        test_with_context(unknown_names_are_answered_with_the_nearest),
        test_with_context(wrong_kinds_are_refused),
        test_with_context(values_out_of_range_are_refused),
        test_with_context(runs_that_make_no_sense_are_refused),
        test_with_context(malformed_lists_of_runs_are_refused),
        test_with_context(what_is_no_map_is_refused),
        test_with_context(options_are_checked),
        test_with_context(start_files_are_checked),
        test_with_context(the_resolved_text_is_a_fixed_point),
        test_with_context(random_changes_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
