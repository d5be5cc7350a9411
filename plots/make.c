/* Makes a known figure, and writes what any figure leaves behind. SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include "figure_texts.h"

#include "src/experiment.h"
#include "src/file.h"
#include "src/json.h"
#include "src/results.h"
#include "src/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ------------------------------------------------------------------------------------------- report */

bool od_report_add_file(od_report *r, const char *path)
{
    const char **list = od_arena_alloc(r->arena, r->file_count + 1, sizeof *list);
    const char *copy = od_arena_text(r->arena, path, strlen(path));
    if (list == NULL || copy == NULL) {
        return false;
    }
    for (size_t i = 0; i < r->file_count; i++) {
        list[i] = r->file[i];
    }
    list[r->file_count++] = copy;
    r->file = list;
    return true;
}

static od_status add_file(od_context *ctx, od_report *r, const char *ending)
{
    const char *path = od_arena_print(r->arena, "%s/%s.%s", r->folder, r->name, ending);
    return path != NULL && od_report_add_file(r, path) ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
}

od_status od_script_write(od_context *ctx, od_report *r, const char *body)
{
    char name[256];
    od_file file;
    snprintf(name, sizeof name, "%.200s.gp", r->name);
    od_status status = od_file_open(ctx, &file, r->folder, name);
    if (status != OD_OK) {
        return status;
    }
    fprintf(file.out,
            "# Drawn by gnuplot >= 5.4 from the files beside it; change it as you like, then, in this folder:\n"
            "#   gnuplot -e \"set terminal pngcairo size 1600,1200 fontscale 2; set output 'new.png'\" %s\n"
            "# optdyn %s\n\n",
            name, od_version());
    fputs(od_style_gp, file.out);
    fputc('\n', file.out);
    fputs(body, file.out);
    status = od_file_commit(ctx, &file);
    return status == OD_OK ? add_file(ctx, r, "gp") : status;
}

od_status od_report_draw(od_context *ctx, od_report *r, od_paper paper)
{
    const double began = seconds();
    od_status status = od_gnuplot_draw(ctx, r->folder, r->name, paper);
    for (size_t i = 0; status == OD_OK && i < OD_PICTURES; i++) {
        status = add_file(ctx, r, od_picture_endings[i]);
    }
    r->seconds += seconds() - began;
    return status;
}

static void write_number(FILE *out, const od_report *r, const od_number *x)
{
    fputs("{\"name\": ", out);
    od_json_text(out, x->name);
    fputs(", \"got\": ", out);
    od_json_real(out, x->got);
    fputs(", \"want\": ", out);
    od_json_real(out, x->want);
    fputs(", \"tolerance\": ", out);
    od_json_real(out, x->result ? NAN : x->tolerance);
    fputs(", \"error\": {\"integration\": ", out);
    od_json_real(out, x->integration);
    fputs(", \"sampling\": ", out);
    od_json_real(out, x->sampling);
    fputs(", \"model\": ", out);
    od_json_real(out, x->model);
    fprintf(out, "}, \"ok\": %s, \"source\": ", r->unjudged != NULL || x->result ? "null" : x->ok ? "true" : "false");
    od_json_text(out, x->source);
    fputc('}', out);
}

void od_report_write_json(FILE *out, const od_report *r)
{
    fputs("{\"figure\": ", out);
    od_json_text(out, r->name);
    fputs(",\n \"caption\": ", out);
    od_json_text(out, r->caption != NULL ? r->caption : "");
    if (r->mode != NULL) {
        fprintf(out, ",\n \"mode\": \"%s\",\n \"full_mode_changes\": ", r->mode);
        od_json_text(out, r->changes);
    }
    fputs(",\n \"ok\": ", out);
    fputs(r->unjudged != NULL ? "null" : od_report_failure(r) == NULL ? "true" : "false", out);
    if (r->unjudged != NULL) {
        fputs(",\n \"unjudged\": ", out);
        od_json_text(out, r->unjudged);
    }
    fputs(",\n \"numbers\": [", out);
    for (size_t i = 0; i < r->number_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        write_number(out, r, &r->number[i]);
    }
    fputs("],\n \"files\": [", out);
    for (size_t i = 0; i < r->file_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        od_json_text(out, r->file[i]);
    }
    fputs("],\n \"seconds\": ", out);
    od_json_real(out, r->seconds);
    fputs("}", out);
}

od_status od_report_write(od_context *ctx, od_report *r)
{
    char name[256];
    od_file file;
    snprintf(name, sizeof name, "%.200s.json", r->name);
    od_status status = od_file_open(ctx, &file, r->folder, name);
    if (status != OD_OK) {
        return status;
    }
    od_report_write_json(file.out, r);
    fputc('\n', file.out);
    return od_file_commit(ctx, &file);
}

od_status od_report_commit(od_context *ctx, od_report *r, od_file *file, od_status status)
{
    if (status != OD_OK) {
        od_file_abandon(file);
        return status;
    }
    status = od_file_commit(ctx, file);
    return status != OD_OK || od_report_add_file(r, file->path)
               ? status
               : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
}

const od_number *od_report_failure(const od_report *r)
{
    for (size_t i = 0; r->unjudged == NULL && i < r->number_count; i++) {
        if (!r->number[i].ok) {
            return &r->number[i];
        }
    }
    return NULL;
}

void od_report_free(od_report *r)
{
    od_arena_free(r->arena);
    *r = (od_report){0};
}

/* ------------------------------------------------------------------------------------------- experiments */

od_experiment *od_figure_experiment(od_context *ctx, const od_figure_run *run, const od_node *node, const char *folder)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiment");
        return NULL;
    }
    od_node_write(out, node);
    fclose(out);
    od_options options = *run->options;
    options.output = folder;
    od_experiment *e = od_experiment_parse(ctx, text, &options);
    free(text);
    return e;
}

const od_settings *od_figure_settings(const od_member *m, const char *analysis)
{
    size_t which = 0;
    while (strcmp(od_analysis_types[which]->name, analysis) != 0) {
        which++;
    }
    return m->analysis[which];
}

od_status od_figure_questions(od_context *ctx, od_figure_run *run, const char *key,
                              od_status (*answer)(od_context *, od_figure_run *, const char *, const od_experiment *))
{
    const od_node *questions = od_node_item(run->document, key);
    od_status status = OD_OK;
    for (size_t i = 0; status == OD_OK && i < questions->count; i++) {
        od_experiment *e = od_figure_experiment(ctx, run, questions->item[i], NULL);
        status = e != NULL ? answer(ctx, run, questions->key[i], e) : OD_EINVAL;
        od_experiment_free(e);
        if (status == OD_EINTERRUPTED) { /* no folder keeps a part of an answer */
            return od_fail(ctx, status, NULL,
                           "interrupted; %s.%s was being computed, and the same command begins that anew", key,
                           questions->key[i]);
        }
    }
    return status;
}

static od_status read_part(od_context *ctx, od_figure_run *run, const char *name, const od_node *node)
{
    od_figure_part *part = &run->part[run->count];
    const char *folder = od_arena_print(run->report->arena, "%s/%s", run->folder, name);
    part->name = name;
    if (folder == NULL) {
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
    }
    part->experiment = od_figure_experiment(ctx, run, node, folder);
    run->count += part->experiment != NULL;
    return part->experiment != NULL ? OD_OK : OD_EINVAL;
}

static od_status run_part(od_context *ctx, const od_figure_run *run, od_figure_part *part)
{
    od_status status = od_experiment_run(ctx, part->experiment, &part->result);
    for (size_t i = 0; status == OD_OK && i < part->result->count; i++) {
        const od_outcome *o = &part->result->outcome[i];
        const char *const file[] = {o->flow_file, o->iteration_file};
        bool ok = true;
        for (size_t j = 0; j < 2; j++) {
            ok = ok && (file[j] == NULL || od_report_add_file(run->report, file[j]));
        }
        for (size_t j = 0; j < o->more_count; j++) {
            ok = ok && od_report_add_file(run->report, o->more_file[j]);
        }
        status = ok ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory");
    }
    return status;
}

static void free_parts(od_figure_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        od_result_free(run->part[i].result);
        od_experiment_free(run->part[i].experiment);
    }
}

/* A figure of an earlier version, say, keeps what it has under another name. */
static od_status make_way(od_context *ctx, const od_figure_run *run)
{
    enum { MOST = 10000 };
    const od_options *options = run->options;
    bool foreign = false;
    for (size_t i = 0; i < run->count; i++) {
        foreign = foreign || od_results_foreign(ctx, run->part[i].experiment);
    }
    if (!foreign || options->seed != NULL || (options->set != NULL && options->set[0] != NULL)) {
        return OD_OK;
    }
    char name[4200];
    unsigned number = 1;
    do {
        snprintf(name, sizeof name, "%.4096s.old-%u", run->folder, number);
    } while (access(name, F_OK) == 0 && ++number < MOST);
    if (rename(run->folder, name) != 0) {
        return od_fail(ctx, OD_EIO, "-o", "%s holds the results of other experiments and cannot be renamed %s: %s",
                       run->folder, name, strerror(errno));
    }
    od_note(ctx, "%s holds the results of other experiments, as an earlier version makes them; it is now %s",
            run->folder, name);
    return OD_OK;
}

static od_status run_parts(od_context *ctx, od_figure_run *run, const od_node *experiments)
{
    const size_t count = experiments != NULL ? experiments->count : 0;
    run->part = od_arena_alloc(run->report->arena, count + 1, sizeof *run->part);
    od_status status = run->part != NULL ? OD_OK : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the experiments");
    for (size_t i = 0; i < count && status == OD_OK; i++) {
        status = read_part(ctx, run, experiments->key[i], experiments->item[i]);
    }
    status = status == OD_OK ? make_way(ctx, run) : status;
    status = status == OD_OK ? od_folder_make(ctx, run->folder) : status;
    for (size_t i = 0; i < count && status == OD_OK; i++) {
        status = run_part(ctx, run, &run->part[i]);
    }
    return status;
}

static od_paper read_paper(const od_node *document)
{
    od_paper paper = {5, 3.75};
    const od_node *node = od_node_item(document, "paper");
    if (node != NULL && node->kind == OD_NODE_LIST && node->count == 2) {
        od_text_real(node->item[0]->text, &paper.width);
        od_text_real(node->item[1]->text, &paper.height);
    }
    return paper;
}

/* Notes what full mode changes in the figure's text, and in full mode does so. */
static od_status take_mode(od_context *ctx, od_report *r, od_node *document, bool full)
{
    const od_node *changes = od_node_item(document, "full");
    char *text = NULL;
    size_t size;
    FILE *out = changes != NULL ? open_memstream(&text, &size) : NULL;
    if (changes == NULL) {
        return OD_OK;
    }
    od_status status = out != NULL ? OD_OK : OD_ENOMEM;
    for (size_t i = 0; status == OD_OK && i < changes->count; i++) {
        fprintf(out, "%s%s: ", i > 0 ? ", " : "", changes->key[i]);
        od_node_write(out, changes->item[i]);
        status = full ? od_document_put(ctx, r->arena, document, changes->key[i], strlen(changes->key[i]),
                                        changes->item[i])
                      : OD_OK;
    }
    const bool written = out != NULL && fclose(out) == 0;
    r->mode = full ? "full" : "quick";
    r->changes = written ? od_arena_text(r->arena, text, size) : NULL;
    free(text);
    return status != OD_OK && status != OD_ENOMEM ? status
           : r->changes != NULL                   ? OD_OK
                                                  : od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
}

od_node *od_figure_read(od_context *ctx, const od_figure *figure, bool full, const char *root, od_report *r)
{
    *r = (od_report){.name = figure->name, .arena = od_arena_create()};
    if (r->arena == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
        return NULL;
    }
    od_node *document = od_document_parse(ctx, r->arena, figure->yaml, strlen(figure->yaml), figure->name);
    if (document == NULL || take_mode(ctx, r, document, full) != OD_OK) {
        return NULL;
    }
    r->folder = od_arena_print(r->arena, "%s/%s%s", root, figure->name, full && r->mode != NULL ? "-full" : "");
    if (r->folder == NULL) {
        od_fail(ctx, OD_ENOMEM, NULL, "no memory for the figure");
        return NULL;
    }
    return document;
}

od_status od_figure_make(od_context *ctx, const od_figure *figure, const od_options *options, bool full,
                         const char *root, od_report *r, od_paper *paper)
{
    const double began = seconds();
    const od_node *document = od_figure_read(ctx, figure, full, root, r);
    if (document == NULL) {
        return r->arena != NULL ? OD_EINVAL : OD_ENOMEM;
    }
    const od_node *caption = od_node_item(document, "caption");
    r->caption = caption != NULL ? caption->text : "";
    if (options->set != NULL && options->set[0] != NULL) {
        r->unjudged = "--set changes the experiments, so the numbers of the figure do not apply";
    }
    *paper = read_paper(document);
    od_figure_run run = {.folder = r->folder, .options = options, .document = document, .report = r};
    od_status status = run_parts(ctx, &run, od_node_item(document, "experiments"));
    status = status == OD_OK && figure->extra != NULL ? figure->extra(ctx, &run) : status;
    status = status == OD_OK ? od_numbers_read(ctx, &run, od_node_item(document, "checks")) : status;
    status = status == OD_OK ? od_script_write(ctx, r, figure->script) : status;
    free_parts(&run);
    r->seconds = seconds() - began;
    return status;
}
