/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "network.h"

#include "../src/checksum.h"
#include "../src/memory.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t position(const char *name, const char *const *names)
{
    size_t i = 0;
    while (strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

od_activation od_activation_named(const char *name)
{
    static const char *const names[] = {"linear", "relu", "tanh", "sigmoid", "softplus", "gelu"};
    return (od_activation)position(name, names);
}

/* ------------------------------------------------------------------------------------------------------ callbacks */

/* f += lambda |x|^2/2 and g += lambda x at point p. */
static void add_penalty(const od_problem *problem, unsigned want, size_t n, size_t p, const double *x, double *f,
                        double *g)
{
    const od_network_problem *np = problem->data;
    double square = 0;
    for (size_t i = 0; i < problem->dim && np->lambda != 0; i++) {
        const double xi = x[i * n + p];
        square += xi * xi;
        if ((want & OD_GRADIENT) != 0) {
            g[i * n + p] += np->lambda * xi;
        }
    }
    if ((want & OD_VALUE) != 0) {
        f[p] += 0.5 * np->lambda * square;
    }
}

static od_status eval_sum(const od_problem *problem, unsigned want, size_t n, size_t p, const double *x,
                          const od_network_samples *samples, double *f, double *g)
{
    const od_network_problem *np = problem->data;
    od_status status = np->api->eval(np->net, want, samples, n, x + p, f != NULL ? f + p : NULL,
                                     g != NULL ? g + p : NULL);
    if (status == OD_OK) {
        add_penalty(problem, want, n, p, x, f, g);
    }
    return status;
}

static od_status network_eval(const od_problem *problem, unsigned want, size_t n, const double *x, double *f, double *g,
                              double *ws)
{
    const od_network_problem *np = problem->data;
    const od_network_samples all = {.count = np->data.rows};
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = eval_sum(problem, want, n, p, x, &all, f, g);
    }
    return status;
}

static od_status network_hvp(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                             double *hu, double *ws)
{
    const od_network_problem *np = problem->data;
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = np->api->hvp(np->net, n, x + p, m, u + p, hu + p);
    }
    for (size_t i = 0; i < m * problem->dim * n && np->lambda != 0; i++) {
        hu[i] += np->lambda * u[i];
    }
    return status;
}

static od_status network_samples(const od_problem *problem, unsigned want, size_t n, const double *x, size_t batch,
                                 const uint32_t *index, double *f, double *g, double *ws)
{
    const od_network_problem *np = problem->data;
    od_status status = OD_OK;
    for (size_t k = 0; k < batch * n; k++) {
        if (index[k] >= np->data.rows) {
            return OD_EINVAL;
        }
    }
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        const od_network_samples some = {.count = batch, .index = index + p, .index_stride = n};
        status = eval_sum(problem, want, n, p, x, &some, f, g);
    }
    return status;
}

/* out = sum_i (w_i - mean w) g_i / N; the penalty, the same in every g_i, drops out. centred[N] is scratch. */
static od_status centred_sum(const od_network_problem *np, size_t n, size_t p, const double *x, const double *weight,
                             size_t stride, double *out, double *centred)
{
    const size_t rows = np->data.rows;
    double mean = 0;
    for (size_t i = 0; i < rows; i++) {
        mean += weight[i * stride] / (double)rows;
    }
    for (size_t i = 0; i < rows; i++) {
        centred[i] = (weight[i * stride] - mean) / (double)rows;
    }
    const od_network_samples all = {.count = rows, .weight = centred, .weight_stride = 1};
    return np->api->eval(np->net, OD_GRADIENT, &all, n, x + p, NULL, out + p);
}

static od_status network_weighted(const od_problem *problem, size_t n, const double *x, const double *weight,
                                  double *out, double *ws)
{
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = centred_sum(problem->data, n, p, x, weight + p, n, out, ws);
    }
    return status;
}

/* (1/N) sum_i (g_i - g) <g_i - g, u>: one forward derivative of all losses, then one weighted gradient. */
static od_status network_covariance(const od_problem *problem, size_t n, const double *x, size_t m, const double *u,
                                    double *out, double *ws)
{
    const od_network_problem *np = problem->data;
    const size_t rows = np->data.rows;
    double *slope = ws, *direction = ws + 2 * rows;
    od_status status = OD_OK;
    for (size_t j = 0; j < m; j++) {
        for (size_t p = 0; p < n && status == OD_OK; p++) {
            const size_t at = j * problem->dim * n;
            status = np->api->slopes(np->net, n, x + p, u + at + p, direction);
            for (size_t i = 0; i < rows && status == OD_OK; i++) {
                slope[i] = direction[i * n];
            }
            status = status == OD_OK ? centred_sum(np, n, p, x, slope, 1, out + at, ws + rows) : status;
        }
    }
    return status;
}

static od_status network_predict(const od_problem *problem, size_t n, const double *x, double *out, double *ws)
{
    const od_network_problem *np = problem->data;
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = np->api->outputs(np->net, n, x + p, out + p);
    }
    return status;
}

static od_status network_predict_jvp(const od_problem *problem, size_t n, const double *x, const double *u, double *out,
                                     double *ws)
{
    const od_network_problem *np = problem->data;
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = np->api->outputs_jvp(np->net, n, x + p, u + p, out + p);
    }
    return status;
}

static od_status network_predict_vjp(const od_problem *problem, size_t n, const double *x, const double *v, double *g,
                                     double *ws)
{
    const od_network_problem *np = problem->data;
    od_status status = OD_OK;
    for (size_t p = 0; p < n && status == OD_OK; p++) {
        status = np->api->outputs_vjp(np->net, n, x + p, v + p, g + p);
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------ the start */

static double deviation(const od_network_problem *np, const od_network_piece *piece)
{
    const double in = (double)piece->fan_in, out = (double)piece->fan_out;
    switch (np->init) {
    case OD_INIT_LECUN: return np->init_scale / sqrt(in);
    case OD_INIT_XAVIER: return np->init_scale * sqrt(2 / (in + out));
    case OD_INIT_HE: return np->init_scale * sqrt(2 / in);
    case OD_INIT_OWN: return np->init_scale;
    }
    return NAN;
}

static void network_initial(const od_problem *problem, uint64_t seed, uint64_t path, size_t stride, double *x)
{
    const od_network_problem *np = problem->data;
    for (size_t k = 0; k < np->facts.piece_count; k++) {
        const od_network_piece *piece = &np->facts.piece[k];
        const double s = deviation(np, piece);
        for (size_t i = piece->offset; i < piece->offset + piece->count; i++) {
            double value = piece->role == OD_ROLE_GAIN ? 1 : 0;
            if (piece->role == OD_ROLE_STORED) {
                value = np->facts.stored[i];
            } else if (piece->role == OD_ROLE_WEIGHT && np->uniform) {
                value = s * sqrt(3) * (2 * od_uniform(seed, OD_STREAM_START, path, i, 0) - 1);
            } else if (piece->role == OD_ROLE_WEIGHT) {
                value = s * od_normal(seed, OD_STREAM_START, path, i, 0);
            }
            x[i * stride] = value;
        }
    }
}

static const char *network_trouble(const od_problem *problem)
{
    const od_network_problem *np = problem->data;
    return np->api->trouble(np->net);
}

/* ------------------------------------------------------------------------------------------------------- creation */

static void network_free(void *data)
{
    od_network_problem *np = data;
    if (np->net != NULL) {
        np->api->destroy(np->net);
    }
    od_data_free(&np->data);
    free(np->inputs);
    free(np);
}

void od_network_discard(od_network_problem *np)
{
    network_free(np);
}

/* What labels become under this loss. */
static od_status choose_targets(od_context *ctx, const od_settings *s, od_network_loss loss, od_targets *targets)
{
    static const char *const names[] = {"numbers", "signs", "classes"};
    const char *name = od_setting_text(s, "targets"), *loss_name = od_setting_text(s, "loss");
    const bool free_choice = loss == OD_NETWORK_MSE || loss == OD_NETWORK_OWN, automatic = strcmp(name, "auto") == 0;
    const od_targets needed = loss == OD_NETWORK_CROSS_ENTROPY ? OD_TARGETS_CLASSES
                              : free_choice                    ? OD_TARGETS_NUMBERS
                                                               : OD_TARGETS_SIGNS;
    *targets = automatic ? needed : (od_targets)position(name, names);
    return free_choice || *targets == needed
               ? OD_OK
               : od_setting_fail(ctx, s, "targets", "loss: %s needs %s; leave the entry out", loss_name, names[needed]);
}

od_status od_network_read(od_context *ctx, const od_settings *s, od_network_spec *spec, od_network_problem **np)
{
    static const char *const losses[] = {"mse", "cross-entropy", "logistic", "sigmoid", "model"};
    od_network_problem *made = od_zalloc(1, sizeof *made);
    od_targets targets = OD_TARGETS_NUMBERS;
    spec->loss = (od_network_loss)position(od_setting_text(s, "loss"), losses);
    od_status status = made != NULL ? choose_targets(ctx, s, spec->loss, &targets)
                                    : od_fail(ctx, OD_ENOMEM, "problem", "no memory for a problem");
    status = status == OD_OK ? od_data_read(ctx, s, targets, false, &made->data) : status;
    if (status != OD_OK) {
        free(made);
        return status;
    }
    const od_data *data = &made->data;
    const bool classes = spec->loss == OD_NETWORK_CROSS_ENTROPY ||
                         (spec->loss == OD_NETWORK_OWN && targets == OD_TARGETS_CLASSES);
    spec->rows = data->rows;
    spec->cols = data->cols;
    spec->stride = data->stride;
    spec->row = data->row;
    spec->outputs = classes ? data->classes : data->outputs;
    spec->target = data->target;
    spec->class_index = classes ? data->class_index : NULL;
    *np = made;
    return OD_OK;
}

od_status od_network_make(od_context *ctx, size_t rows, size_t cols, size_t outputs, od_network_spec *spec,
                          od_network_problem **np)
{
    od_network_problem *made = od_zalloc(1, sizeof *made);
    double *row = od_zalloc(rows * cols, sizeof *row), *target = od_zalloc(rows * outputs, sizeof *target);
    if (made == NULL || row == NULL || target == NULL) {
        free(made);
        free(row);
        free(target);
        return od_fail(ctx, OD_ENOMEM, "problem", "no memory for %zu samples of %zu numbers", rows, cols);
    }
    made->data = (od_data){
        .rows = rows, .cols = cols, .stride = cols, .row = row, .outputs = outputs, .target = target};
    spec->loss = OD_NETWORK_MSE;
    spec->rows = rows;
    spec->cols = spec->stride = cols;
    spec->outputs = outputs;
    spec->row = row;
    spec->target = target;
    *np = made;
    return OD_OK;
}

od_status od_network_drawn_only(od_context *ctx, const od_settings *s, const char *given, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL && od_setting_present(s, given); i++) {
        if (od_setting(s, names[i])->given) {
            return od_setting_fail(ctx, s, names[i],
                                   "it shapes what is drawn, but `%s` is given; leave one of them out", given);
        }
    }
    return OD_OK;
}

od_status od_network_widths(od_context *ctx, const od_settings *s, const char *entry, size_t room, size_t most,
                            size_t *width, size_t *count)
{
    const od_value *widths = od_setting(s, entry);
    *count = widths->present ? widths->cols : 0;
    if (*count > room) {
        return od_setting_fail(ctx, s, entry, "%zu layers are more than %zu", *count, room);
    }
    for (size_t l = 0; l < *count; l++) {
        const double units = widths->list[l];
        if (!(units >= 1 && units <= (double)most) || units != floor(units)) {
            return od_setting_fail(ctx, s, entry, "expected whole numbers from 1 to %zu, got %g", most, units);
        }
        width[l] = (size_t)units;
    }
    return OD_OK;
}

static void fill_callbacks(od_network_problem *np, od_problem *problem)
{
    problem->dim = np->facts.dim;
    problem->eval = network_eval;
    problem->hvp = network_hvp;
    if (np->facts.sum) {
        problem->samples = np->data.rows;
        problem->eval_samples = network_samples;
        problem->weighted_gradients = network_weighted;
        problem->covariance = network_covariance;
        /* slopes, centred weights, and slopes as they come, `n` apart */
        problem->scratch = (od_scratch){2 * np->data.rows, np->data.rows};
    }
    if (np->facts.sum && np->facts.outputs > 0) {
        problem->outputs = np->facts.outputs;
        problem->predict = network_predict;
        problem->predict_jvp = network_predict_jvp;
        problem->predict_vjp = network_predict_vjp;
    }
    problem->initial = network_initial;
    problem->trouble = network_trouble;
    problem->rough = np->facts.rough;
    problem->inputs = np->inputs != NULL ? np->inputs : np->data.inputs;
    problem->minimum.how = "unknown: no closed form";
    problem->data = np;
    problem->free = network_free;
}

/* The model file among the inputs, by its own name: folders differ between machines. */
static od_status note_model(od_context *ctx, const od_settings *s, const char *file, od_network_problem *np)
{
    const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
    const char *data = np->data.inputs != NULL ? np->data.inputs : "";
    const size_t room = strlen(data) + strlen(name) + OD_SHA256_ROOM + 3;
    char digits[OD_SHA256_ROOM];
    if (!od_sha256_file(file, digits)) {
        return od_setting_fail(ctx, s, "model", "%s cannot be read; name a file that torch.jit.save wrote", file);
    }
    np->inputs = od_zalloc(room, 1);
    if (np->inputs == NULL) {
        return od_fail(ctx, OD_ENOMEM, "problem.model", "no memory for the list of files");
    }
    snprintf(np->inputs, room, "%s%s%s %s", data, data[0] != '\0' ? "\n" : "", name, digits);
    return OD_OK;
}

od_status od_network_open(od_context *ctx, const od_settings *s, od_network_spec *spec, od_network_problem *np,
                          od_problem *problem)
{
    static const char *const inits[] = {"lecun", "xavier", "he", "own"};
    char trouble[OD_NETWORK_TROUBLE] = "";
    spec->single = strcmp(od_setting_text(s, "precision"), "single") == 0;
    spec->threads = (int)od_setting_real(s, "threads");
    np->lambda = od_setting_real(s, "lambda");
    if (spec->kind != OD_NETWORK_TORCHSCRIPT) {
        np->init = (od_init)position(od_setting_text(s, "init"), inits);
        np->uniform = strcmp(od_setting_text(s, "init_law"), "uniform") == 0;
        np->init_scale = od_setting_real(s, "init_scale");
    }
    openblas_set_num_threads(1); /* as in linear_model.h */
    np->api = od_network_load(ctx);
    od_status status = np->api == NULL      ? OD_EUNSUPPORTED
                       : spec->file != NULL ? note_model(ctx, s, spec->file, np)
                                            : OD_OK;
    if (status != OD_OK) {
        network_free(np);
        return status;
    }
    np->net = np->api->create(spec, &np->facts, trouble);
    if (np->net == NULL) {
        status = spec->file != NULL ? od_setting_fail(ctx, s, "model", "%s: %s", spec->file, trouble)
                                    : od_fail(ctx, OD_EINVAL, "problem", "%s", trouble);
        network_free(np);
        return status;
    }
    fill_callbacks(np, problem);
    if (spec->single) {
        problem->precision = "single";
        od_note(ctx, "the model is evaluated in single precision: derivatives have about seven digits");
    }
    return OD_OK;
}
