/* `optdyn manual` and `optdyn completion`: made from the descriptors, so that they cannot drift.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include "claims/ledger.h"
#include "plots/figures.h"
#include "src/experiment.h"
#include "src/parts.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- man page */

static void roff(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\') {
            fputs("\\e", stdout);
        } else if (*p == '-') {
            fputs("\\-", stdout);
        } else if ((*p == '.' || *p == '\'') && (p == text || p[-1] == '\n')) {
            printf("\\&%c", *p);
        } else {
            fputc(*p, stdout);
        }
    }
}

static void man_item(const char *name, const char *value, const char *text)
{
    fputs(".TP\n.B ", stdout);
    roff(name);
    if (value != NULL) {
        fputs(" \\fI", stdout);
        roff(value);
        fputs("\\fR", stdout);
    }
    fputc('\n', stdout);
    roff(text);
    fputc('\n', stdout);
}

static int print_man(void)
{
    printf(".TH OPTDYN 1 \"\" \"optdyn %s\" \"User Commands\"\n", od_version());
    fputs(".SH NAME\noptdyn \\- simulate optimizers as dynamical systems\n.SH SYNOPSIS\n.B optdyn\n.I "
          "COMMAND\n[\\fIOPTION\\fR]...\n"
          ".SH DESCRIPTION\nRuns the iteration of an optimizer, the differential equation that models it, or both in "
          "lock-step, "
          "as one YAML file describes it. Results do not depend on the number of threads.\n.SH COMMANDS\n",
          stdout);
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        man_item(k->name, k->takes, k->summary);
    }
    fputs(".SH OPTIONS\n", stdout);
    for (const cli_option *o = cli_options; o->name != NULL; o++) {
        man_item(o->name, o->value, o->meaning);
    }
    fputs(".SH PROBLEMS\n", stdout);
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        man_item(od_problem_types[i]->name, NULL, od_problem_types[i]->summary);
    }
    fputs(".SH METHODS\n", stdout);
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        man_item(od_method_types[i]->name, NULL, od_method_types[i]->summary);
    }
    fputs(".SH INTEGRATORS\n", stdout);
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        man_item(od_integrator_types[i]->name, NULL, od_integrator_types[i]->summary);
    }
    fputs(".SH ANALYSES\nEach is a command that takes an experiment file, and a section of that file.\n", stdout);
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        man_item(od_analysis_types[i]->name, "FILE", od_analysis_types[i]->summary);
    }
    fputs(".SH FIGURES\n", stdout);
    for (size_t i = 0; od_figures[i].name != NULL; i++) {
        man_item(od_figures[i].name, NULL, od_figures[i].summary);
    }
    fputs(".SH EXIT STATUS\n0 done; 1 the computation failed (the word \"diverged\" and the time are said); 2 bad "
          "usage or a bad "
          "file; 130 interrupted.\n.SH ENVIRONMENT\n.TP\n.B OPTDYN_DATA\nfolder of the data sets\n.TP\n.B "
          "OPTDYN_GNUPLOT\n"
          "the gnuplot to call; the one on PATH by default\n.SH SEE ALSO\n.BR gnuplot (1);\n"
          ".B optdyn describe experiment\nfor the experiment file, and\n.B optdyn describe\n.I NAME\nfor each part.\n",
          stdout);
    return EXIT_DONE;
}

/* ------------------------------------------------------------------------------------------- reference in Markdown */

static void cell(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        fputs(*p == '|' ? "\\|" : (char[]){*p, '\0'}, stdout);
    }
}

static void params_table(const od_param *table)
{
    if (table == NULL || table[0].name == NULL) {
        return;
    }
    puts("\n| parameter | meaning | value | unit | default |\n|---|---|---|---|---|");
    for (const od_param *p = table; p->name != NULL; p++) {
        printf("| `%s` | ", p->name);
        cell(p->meaning);
        char range[256];
        cli_range_text(p, range);
        printf(" | %s%s", cli_kind_name(p->kind), range[0] != '\0' ? ", " : "");
        cell(range);
        fputs(" | ", stdout);
        cell(p->unit != NULL ? p->unit : "");
        printf(" | %s |\n", p->fallback == NULL ? "required" : p->fallback[0] == '\0' ? "absent" : p->fallback);
    }
}

/* A row of a table: a name with what it takes, if that is anything, and what it is. */
static void row(const char *name, const char *takes, const char *text)
{
    fputs("| `", stdout);
    cell(name);
    if (takes != NULL && takes[0] != '\0') {
        putchar(' ');
        cell(takes);
    }
    fputs("` | ", stdout);
    cell(text);
    puts(" |");
}

static void part(const char *name, const char *summary, const char *source)
{
    printf("\n### %s\n\n%s. Source: %s.\n", name, summary, source);
}

static void face_list(const char *what, const od_face *face)
{
    for (size_t i = 0; face != NULL && face[i].name != NULL; i++) {
        printf("- %s `%s`: %s\n", what, face[i].name, face[i].summary);
    }
}

static int print_markdown(void)
{
    puts("# Reference\n\nMade by `optdyn manual markdown` from the descriptors of the parts.\n\n## Problems");
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        part(od_problem_types[i]->name, od_problem_types[i]->summary, od_problem_types[i]->source);
        params_table(od_problem_types[i]->params);
    }
    puts("\n## Methods\n\nEvery method also takes:");
    params_table(od_method_common);
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        const od_method_type *m = od_method_types[i];
        part(m->name, m->summary, m->source);
        puts("");
        face_list("flow", m->flows);
        face_list("map", m->maps);
        printf("- correspondence: %s\n", m->correspondence != NULL ? m->correspondence : "none");
        params_table(m->params);
    }
    puts("\n## Integrators");
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        const od_integrator_type *s = od_integrator_types[i];
        part(s->name, s->summary, s->source);
        printf("\nOrder: %s.\n", s->order);
        params_table(s->params);
    }
    puts("\n## Analyses\n\nEach is a command, `optdyn NAME FILE`; its parameters stand in the section of its name.");
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        part(od_analysis_types[i]->name, od_analysis_types[i]->summary, od_analysis_types[i]->source);
        params_table(od_analysis_types[i]->params);
    }
    puts("\n## Experiment file\n\nThe plain entries; `problem`, `method`, `integrator`, `start`, `compare`, `sweep` "
         "and `label` are in "
         "[experiment.md](experiment.md).");
    params_table(od_experiment_params(""));
    puts("\nIn `record`:");
    params_table(od_experiment_params("record"));
    puts("\nIn `stop`:");
    params_table(od_experiment_params("stop"));
    puts("\n## Figures\n\n| `optdyn figure` | shows |\n|---|---|");
    for (size_t i = 0; od_figures[i].name != NULL; i++) {
        row(od_figures[i].name, NULL, od_figures[i].summary);
    }
    puts("\n## Commands\n\n| `optdyn` | does |\n|---|---|");
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        row(k->name, k->takes, k->summary);
    }
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        row(od_analysis_types[i]->name, "FILE", od_analysis_types[i]->summary);
    }
    puts("\n## Options\n\n| option | meaning |\n|---|---|");
    for (const cli_option *o = cli_options; o->name != NULL; o++) {
        row(o->name, o->value, o->meaning);
    }
    return EXIT_DONE;
}

int cli_manual(cli *c)
{
    if (c->arg_count == 1 && strcmp(c->arg[0], "man") == 0) {
        return print_man();
    }
    if (c->arg_count == 1 && strcmp(c->arg[0], "markdown") == 0) {
        return print_markdown();
    }
    return cli_usage(c, "manual takes a form: optdyn manual man, or optdyn manual markdown");
}

/* ------------------------------------------------------------------------------------------- completion */

static void figure_names(void)
{
    for (size_t i = 0; od_figures[i].name != NULL; i++) {
        printf(" %s", od_figures[i].name);
    }
}

static void analysis_names(void)
{
    for (size_t i = 0; od_analysis_types[i] != NULL; i++) {
        printf(" %s", od_analysis_types[i]->name);
    }
}

static void problem_names(void)
{
    for (size_t i = 0; od_problem_types[i] != NULL; i++) {
        printf(" %s", od_problem_types[i]->name);
    }
}

int cli_completion(cli *c)
{
    if (c->arg_count != 1 || strcmp(c->arg[0], "bash") != 0) {
        return cli_usage(c, "completion is there for bash: optdyn completion bash");
    }
    puts("# bash completion for optdyn, made by `optdyn completion bash`\n_optdyn()\n{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} names=\n    COMPREPLY=()");
    fputs("    local options='", stdout);
    for (const cli_option *o = cli_options; o->name != NULL; o++) {
        printf("%s%s", o == cli_options ? "" : " ", o->name);
    }
    fputs("'\n    case $command in\n    figure) names='", stdout);
    figure_names();
    fputs("' ;;\n    describe) names='experiment", stdout);
    problem_names();
    for (size_t i = 0; od_method_types[i] != NULL; i++) {
        printf(" %s", od_method_types[i]->name);
    }
    for (size_t i = 0; od_integrator_types[i] != NULL; i++) {
        printf(" %s", od_integrator_types[i]->name);
    }
    analysis_names();
    figure_names();
    for (size_t i = 0; od_claim_sets[i] != NULL; i++) {
        printf(" %s", od_claim_sets[i]->name);
    }
    fputs("' ;;\n    report) names='claims", stdout);
    figure_names();
    fputs("' ;;\n    claims) names='", stdout);
    for (size_t i = 0; od_claim_sets[i] != NULL; i++) {
        printf(" %s", od_claim_sets[i]->name);
    }
    fputs("' ;;\n    list) names='problems methods integrators analyses claims figures' ;;\n    check) names='problem",
          stdout);
    problem_names();
    fputs("' ;;\n    bench) names='", stdout);
    for (size_t i = 0; cli_bench_name(i) != NULL; i++) {
        printf("%s%s", i > 0 ? " " : "", cli_bench_name(i));
    }
    fputs("' ;;\n    completion) names='bash' ;;\n    manual) names='man markdown' ;;\n    esac\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then names='",
          stdout);
    for (const cli_command *k = cli_commands; k->name != NULL; k++) {
        printf("%s%s", k == cli_commands ? "" : " ", k->name);
    }
    analysis_names();
    fputs("'; fi\n    if [ \"${COMP_WORDS[COMP_CWORD-1]}\" = --kind ]; then names='", stdout);
    for (size_t i = 0; od_figure_kinds[i] != NULL; i++) {
        printf("%s%s", i > 0 ? " " : "", od_figure_kinds[i]);
    }
    puts("'; fi\n    case $word in\n    -*) names=$options ;;\n    esac\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$word\"; compgen -f -- \"$word\")\n}\n"
         "complete -o filenames -F _optdyn optdyn");
    return EXIT_DONE;
}
