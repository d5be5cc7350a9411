/*
 * Sums over samples and their derivatives by automatic differentiation.
 *
 * Samples go through in chunks of fixed size, added in their order: memory does not grow with the data, a chunk's
 * activations stay near the processor, and the bits do not depend on who calls. Every tensor of parameters is a view of
 * the caller's vector and a leaf of its own, so that gradients come piece by piece, without padding.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "model.hpp"

#include "build_config.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <future>
#include <mutex>

using od::Tensors;

namespace
{

constexpr size_t CHUNK = 1024; /* rows */

std::vector<int64_t> spread(const std::vector<int64_t> &shape, size_t stride)
{
    std::vector<int64_t> strides(shape.size());
    int64_t next = (int64_t)stride;
    for (size_t i = shape.size(); i-- > 0;) {
        strides[i] = next;
        next *= shape[i];
    }
    return strides;
}

at::Tensor view(const double *at, const std::vector<int64_t> &shape, size_t stride)
{
    return at::from_blob(const_cast<double *>(at), shape, spread(shape, stride), at::kDouble);
}

Tensors gradients(const at::Tensor &of, const Tensors &leaves, const at::Tensor &along, bool keep, bool differentiable)
{
    const Tensors start = along.defined() ? Tensors{along} : Tensors{};
    return torch::autograd::grad({of}, leaves, start, keep || differentiable, differentiable, true);
}

/* sum <a_i, b_i>; undefined if it is constant in the leaves. */
at::Tensor inner(const Tensors &a, const Tensors &b)
{
    at::Tensor sum;
    for (size_t i = 0; i < a.size(); i++) {
        if (a[i].defined() && a[i].requires_grad()) {
            const at::Tensor term = (a[i] * b[i]).sum();
            sum = sum.defined() ? sum + term : term;
        }
    }
    return sum;
}

} // namespace

struct od_network {
    od_network_spec spec;
    std::unique_ptr<od::Model> model;
    at::ScalarType type;
    at::Tensor inputs, targets; /* all samples; targets are numbers [rows, outputs] or classes [rows] */
    bool sum;                   /* samples do not depend on each other */
    size_t chunk;               /* rows at once; all of them unless `sum` */
    size_t outputs;
    mutable std::mutex lock;
    mutable char trouble[OD_NETWORK_TROUBLE] = "";

    void fail(const std::string &sentence) const
    {
        const std::lock_guard<std::mutex> hold(lock);
        if (trouble[0] == '\0') {
            std::snprintf(trouble, sizeof trouble, "%s", sentence.c_str());
        }
    }

    Tensors leaves(const double *x, size_t stride, bool differentiable) const
    {
        Tensors theta;
        for (size_t i = 0; i < model->piece.size(); i++) {
            const at::Tensor t = view(x + model->piece[i].offset * stride, model->shape[i], stride);
            theta.push_back(t.to(type).contiguous().set_requires_grad(differentiable));
        }
        return theta;
    }

    void put(const Tensors &part, double *to, size_t stride, bool first) const
    {
        for (size_t i = 0; i < part.size(); i++) {
            at::Tensor out = view(to + model->piece[i].offset * stride, model->shape[i], stride);
            if (!part[i].defined()) {
                first ? out.zero_() : out;
            } else {
                first ? out.copy_(part[i]) : out.add_(part[i]);
            }
        }
    }

    od_network_samples all() const
    {
        od_network_samples s = {};
        s.count = spec.rows;
        return s;
    }

    at::Tensor rows_of(const at::Tensor &of, const od_network_samples &s, size_t from, size_t count) const
    {
        if (s.index == nullptr) {
            return of.narrow(0, (int64_t)from, (int64_t)count);
        }
        at::Tensor chosen = at::empty({(int64_t)count}, at::kLong);
        for (size_t k = 0; k < count; k++) {
            chosen.data_ptr<int64_t>()[k] = s.index[(from + k) * s.index_stride];
        }
        return of.index_select(0, chosen);
    }

    at::Tensor weights_of(const od_network_samples &s, size_t from, size_t count) const
    {
        return view(s.weight + from * s.weight_stride, {(int64_t)count}, s.weight_stride).to(type);
    }

    at::Tensor outputs_of(const Tensors &theta, const at::Tensor &in) const
    {
        return model->forward(theta, in).reshape({in.size(0), (int64_t)outputs});
    }

    /* Of each row. */
    at::Tensor losses(const Tensors &theta, const at::Tensor &in, const at::Tensor &to) const
    {
        if (spec.loss == OD_NETWORK_OWN) {
            Tensors each;
            for (int64_t i = 0; i < in.size(0); i++) {
                each.push_back(model->own_loss(theta, in.narrow(0, i, 1), to.narrow(0, i, 1)));
            }
            return at::stack(each);
        }
        const at::Tensor out = outputs_of(theta, in);
        switch (spec.loss) {
        case OD_NETWORK_MSE: return 0.5 * (out - to).square().sum(1);
        case OD_NETWORK_CROSS_ENTROPY: return at::cross_entropy_loss(out, to, {}, at::Reduction::None);
        case OD_NETWORK_LOGISTIC: return -at::log_sigmoid((out * to).squeeze(1));
        default: return at::sigmoid(-(out * to)).squeeze(1);
        }
    }

    /* sum_k w_k l_k over a chunk. */
    at::Tensor part(const Tensors &theta, const od_network_samples &s, size_t from, size_t count) const
    {
        const at::Tensor in = rows_of(inputs, s, from, count), to = rows_of(targets, s, from, count);
        const double mean = 1 / (double)s.count;
        if (s.weight != nullptr) {
            return (losses(theta, in, to) * weights_of(s, from, count)).sum();
        }
        return spec.loss == OD_NETWORK_OWN ? model->own_loss(theta, in, to) * (mean * (double)count)
                                           : losses(theta, in, to).sum() * mean;
    }

    size_t step(const od_network_samples &s, size_t from) const
    {
        return std::min(chunk, s.count - from);
    }
};

namespace
{

/* Every thread that evaluates tells OpenMP once that it works alone: with helpers the last bits would change. */
void work_alone()
{
    thread_local bool alone = false;
    if (!alone) {
        at::set_num_threads(1);
        alone = true;
    }
}

template <typename Work> od_status guarded(const od_network *net, Work work)
{
    try {
        work_alone();
        work();
        return OD_OK;
    } catch (const std::bad_alloc &) {
        net->fail("no memory");
        return OD_ENOMEM;
    } catch (const std::exception &e) {
        net->fail(od::sentence_of(e));
    } catch (...) {
        net->fail("the model failed without a reason");
    }
    return OD_EUSER;
}

/*
 * work(from, count) for all chunks, and take(result, from) in their order. Threads work side by side, as many chunks at
 * once as there are threads; what is added is added here, so that the bits are those of one thread.
 */
template <typename Work, typename Take>
void over_chunks(const od_network *net, const od_network_samples &s, Work work, Take take)
{
    using Result = decltype(work(size_t(), size_t()));
    const size_t threads = (size_t)net->spec.threads;
    for (size_t from = 0; from < s.count;) {
        const size_t first = from, count = net->step(s, from);
        std::vector<std::future<Result>> others;
        for (from += count; others.size() + 1 < threads && from < s.count; from += net->step(s, from)) {
            others.push_back(std::async(std::launch::async, [=] {
                work_alone();
                return work(from, net->step(s, from));
            }));
        }
        take(work(first, count), first);
        size_t at = first + count;
        for (std::future<Result> &other : others) {
            take(other.get(), at);
            at += net->step(s, at);
        }
    }
}

void sum_value(const od_network *net, const od_network_samples &s, size_t stride, const double *x, double *f)
{
    const Tensors theta = net->leaves(x, stride, false);
    const auto work = [&](size_t from, size_t count) {
        const at::NoGradGuard none;
        return net->part(theta, s, from, count).item<double>();
    };
    *f = 0;
    over_chunks(net, s, work, [&](double value, size_t) { *f += value; });
}

void sum_gradient(const od_network *net, const od_network_samples &s, size_t stride, const double *x, double *f,
                  double *g)
{
    double sum = 0;
    const auto work = [&](size_t from, size_t count) {
        const Tensors theta = net->leaves(x, stride, true);
        const at::Tensor part = net->part(theta, s, from, count);
        return std::make_pair(part.item<double>(), gradients(part, theta, {}, false, false));
    };
    over_chunks(net, s, work, [&](const std::pair<double, Tensors> &part, size_t from) {
        net->put(part.second, g, stride, from == 0);
        sum += part.first;
    });
    if (f != nullptr) {
        *f = sum;
    }
}

od_status network_eval(const od_network *net, unsigned want, const od_network_samples *s, size_t stride,
                       const double *x, double *f, double *g)
{
    return guarded(net, [&] {
        if ((want & OD_GRADIENT) != 0) {
            sum_gradient(net, *s, stride, x, (want & OD_VALUE) != 0 ? f : nullptr, g);
        } else {
            sum_value(net, *s, stride, x, f);
        }
    });
}

od_status network_hvp(const od_network *net, size_t stride, const double *x, size_t m, const double *u, double *hu)
{
    return guarded(net, [&] {
        const od_network_samples s = net->all();
        const size_t apart = net->model->dim() * stride;
        const auto work = [&](size_t from, size_t count) {
            const Tensors theta = net->leaves(x, stride, true);
            const Tensors g = gradients(net->part(theta, s, from, count), theta, {}, true, true);
            std::vector<Tensors> products;
            for (size_t j = 0; j < m; j++) {
                const at::Tensor slope = inner(g, net->leaves(u + j * apart, stride, false));
                products.push_back(slope.defined() ? gradients(slope, theta, {}, true, false) : Tensors(theta.size()));
            }
            return products;
        };
        over_chunks(net, s, work, [&](const std::vector<Tensors> &products, size_t from) {
            for (size_t j = 0; j < m; j++) {
                net->put(products[j], hu + j * apart, stride, from == 0);
            }
        });
    });
}

od_status network_outputs(const od_network *net, size_t stride, const double *x, double *out)
{
    return guarded(net, [&] {
        const at::NoGradGuard none;
        const od_network_samples s = net->all();
        const Tensors theta = net->leaves(x, stride, false);
        for (size_t from = 0, count; from < s.count; from += count) {
            count = net->step(s, from);
            view(out + from * net->outputs * stride, {(int64_t)count, (int64_t)net->outputs}, stride)
                .copy_(net->outputs_of(theta, net->rows_of(net->inputs, s, from, count)));
        }
    });
}

/* The derivative of y along u, by differentiating its transpose: J u = d/dv <J' v, u>. */
at::Tensor forward_derivative(const at::Tensor &y, const Tensors &theta, const Tensors &u)
{
    const at::Tensor v = at::zeros_like(y).set_requires_grad(true);
    const at::Tensor sum = inner(gradients(y, theta, v, true, true), u);
    const at::Tensor derivative = sum.defined() ? gradients(sum, {v}, {}, false, false)[0] : at::Tensor();
    return derivative.defined() ? derivative : at::zeros_like(y);
}

od_status network_outputs_jvp(const od_network *net, size_t stride, const double *x, const double *u, double *out)
{
    return guarded(net, [&] {
        const od_network_samples s = net->all();
        const Tensors theta = net->leaves(x, stride, true), along = net->leaves(u, stride, false);
        for (size_t from = 0, count; from < s.count; from += count) {
            count = net->step(s, from);
            const at::Tensor y = net->outputs_of(theta, net->rows_of(net->inputs, s, from, count));
            view(out + from * net->outputs * stride, {(int64_t)count, (int64_t)net->outputs}, stride)
                .copy_(forward_derivative(y, theta, along));
        }
    });
}

od_status network_outputs_vjp(const od_network *net, size_t stride, const double *x, const double *v, double *g)
{
    return guarded(net, [&] {
        const od_network_samples s = net->all();
        const Tensors theta = net->leaves(x, stride, true);
        for (size_t from = 0, count; from < s.count; from += count) {
            count = net->step(s, from);
            const at::Tensor y = net->outputs_of(theta, net->rows_of(net->inputs, s, from, count));
            const at::Tensor along =
                view(v + from * net->outputs * stride, {(int64_t)count, (int64_t)net->outputs}, stride).to(net->type);
            net->put(gradients(y, theta, along, false, false), g, stride, from == 0);
        }
    });
}

od_status network_slopes(const od_network *net, size_t stride, const double *x, const double *u, double *slope)
{
    return guarded(net, [&] {
        const od_network_samples s = net->all();
        const Tensors theta = net->leaves(x, stride, true), along = net->leaves(u, stride, false);
        for (size_t from = 0, count; from < s.count; from += count) {
            count = net->step(s, from);
            const at::Tensor y = net->losses(theta, net->rows_of(net->inputs, s, from, count),
                                             net->rows_of(net->targets, s, from, count));
            view(slope + from * stride, {(int64_t)count}, stride).copy_(forward_derivative(y, theta, along));
        }
    });
}

const char *network_trouble(const od_network *net)
{
    const std::lock_guard<std::mutex> hold(net->lock);
    return net->trouble;
}

/* ------------------------------------------------------------------------------------------------------- creation */

std::unique_ptr<od::Model> make(const od_network_spec &spec)
{
    switch (spec.kind) {
    case OD_NETWORK_MLP: return od::make_mlp(spec);
    case OD_NETWORK_CONVNET: return od::make_convnet(spec);
    case OD_NETWORK_SENSING: return od::make_sensing(spec);
    case OD_NETWORK_GRAM: return od::make_gram(spec);
    case OD_NETWORK_TORCHSCRIPT: return od::make_torchscript(spec);
    }
    throw od::Refusal("there is no such network");
}

void take_samples(od_network *net)
{
    const od_network_spec &s = net->spec;
    const int64_t rows = (int64_t)s.rows;
    net->inputs = at::from_blob(const_cast<double *>(s.row), {rows, (int64_t)s.cols}, {(int64_t)s.stride, 1},
                                at::kDouble)
                      .to(net->type);
    if (s.class_index != nullptr) {
        net->targets = at::empty({rows}, at::kLong);
        std::copy_n(s.class_index, s.rows, net->targets.data_ptr<int64_t>());
        return;
    }
    net->targets = view(s.target, {rows, (int64_t)s.outputs}, 1).to(net->type, false, true);
    if (s.loss == OD_NETWORK_OWN && s.outputs == 1) {
        net->targets = net->targets.squeeze(1);
    }
}

/* A forward pass at the stored parameters: the shapes must be right and the numbers finite. */
void try_outputs(od_network *net, const double *x)
{
    const at::NoGradGuard none;
    const od_network_samples s = net->all();
    const size_t count = std::min(net->chunk, s.count);
    const at::Tensor out = net->model->forward(net->leaves(x, 1, false), net->rows_of(net->inputs, s, 0, count));
    const size_t each = (size_t)out.numel() / count;
    if ((size_t)out.size(0) != count || each != net->outputs) {
        throw od::Refusal("for " + std::to_string(count) + " samples the model gives a tensor of shape " +
                          c10::str(out.sizes()) + ", but the loss needs [" + std::to_string(count) + ", " +
                          std::to_string(net->outputs) + "]; return one row for each sample, or choose the data's " +
                          (net->spec.class_index != nullptr ? "classes" : "targets") + " to match");
    }
    if (!at::isfinite(out).all().item<bool>()) {
        throw od::Refusal("the model's outputs at its stored parameters are not finite; export it with others");
    }
}

void try_own_loss(od_network *net, const double *x)
{
    const at::NoGradGuard none;
    const od_network_samples s = net->all();
    const size_t count = std::min(net->chunk, s.count);
    const at::Tensor loss = net->model->own_loss(net->leaves(x, 1, false), net->rows_of(net->inputs, s, 0, count),
                                                 net->rows_of(net->targets, s, 0, count));
    if (loss.numel() != 1) {
        throw od::Refusal("with loss: model the model's forward must return one number, but it returns a tensor of "
                          "shape " +
                          c10::str(loss.sizes()) + "; return the mean over the samples");
    }
    if (!std::isfinite(loss.item<double>())) {
        throw od::Refusal("the model's loss at its stored parameters is not finite; export it with others");
    }
}

/* Whether the loss of five samples together is the mean of theirs alone, to rounding. */
bool is_sum(const od_network *net, const double *x)
{
    od_network_samples s = net->all();
    s.count = std::min<size_t>(5, s.count);
    double together, sum = 0, size = 0;
    sum_value(net, s, 1, x, &together);
    for (uint32_t i = 0; i < s.count; i++) {
        double one;
        od_network_samples single = {};
        single.count = 1;
        single.index = &i;
        sum_value(net, single, 1, x, &one);
        sum += one / (double)s.count;
        size += std::abs(one) / (double)s.count;
    }
    return std::abs(together - sum) <= (net->spec.single ? 1e-4 : 1e-10) * (size + 1e-300);
}

void check_file(od_network *net)
{
    const double *x = net->model->stored.data();
    try {
        net->spec.loss == OD_NETWORK_OWN ? try_own_loss(net, x) : try_outputs(net, x);
    } catch (const od::Refusal &) {
        throw;
    } catch (const std::exception &e) {
        const std::string said = od::sentence_of(e), type = net->spec.single ? "float32" : "float64";
        const bool types = said.find("dtype") != std::string::npos || said.find("scalar type") != std::string::npos;
        throw od::Refusal(
            "on samples of " + std::to_string(net->spec.cols) + " numbers the model fails: " + said +
            (types ? "; samples and parameters are " + type + " here: let it convert none, nor create others"
                   : "; give it the samples that it was made for"));
    }
    net->sum = is_sum(net, x);
    if (!net->sum) {
        net->chunk = net->spec.rows;
    }
}

void describe(const od_network *net, od_network_facts *facts)
{
    const od::Model &m = *net->model;
    *facts = {};
    facts->dim = m.dim();
    facts->outputs = net->spec.loss == OD_NETWORK_OWN ? 0 : net->outputs;
    facts->single = net->spec.single;
    facts->piece_count = m.piece.size();
    facts->piece = m.piece.data();
    facts->stored = m.stored.empty() ? nullptr : m.stored.data();
    facts->rough = m.rough.empty() ? nullptr : m.rough.c_str();
    facts->pieces = m.pieces.empty() ? nullptr : m.pieces.c_str();
    facts->frozen = m.frozen;
    facts->sum = net->sum;
    std::snprintf(facts->dtype, sizeof facts->dtype, "%s", m.dtype.c_str());
}

void network_destroy(od_network *net)
{
    delete net;
}

od_network *network_create(const od_network_spec *spec, od_network_facts *facts, char *trouble)
{
    static std::once_flag once;
    std::call_once(once, [] { at::set_num_interop_threads(1); });
    try {
        work_alone();
        auto net = std::make_unique<od_network>();
        net->spec = *spec;
        net->type = spec->single ? at::kFloat : at::kDouble;
        net->chunk = CHUNK;
        net->sum = true;
        net->outputs = spec->outputs;
        net->model = make(*spec);
        take_samples(net.get());
        if (!net->model->stored.empty()) {
            check_file(net.get());
        }
        describe(net.get(), facts);
        return net.release();
    } catch (const std::exception &e) {
        std::snprintf(trouble, OD_NETWORK_TROUBLE, "%s", od::sentence_of(e).c_str());
    } catch (...) {
        std::snprintf(trouble, OD_NETWORK_TROUBLE, "the model failed without a reason");
    }
    return nullptr;
}

} // namespace

std::string od::sentence_of(const std::exception &e)
{
    const auto *error = dynamic_cast<const c10::Error *>(&e);
    std::string text = error != nullptr ? error->what_without_backtrace() : e.what();
    /* TorchScript shows where in the model's code it was; the reason stands last */
    if (text.find("Traceback") != std::string::npos) {
        text.erase(text.find_last_not_of(" \n") + 1);
        const size_t line = text.rfind('\n');
        text.erase(0, line != std::string::npos ? line + 1 : 0);
    }
    const std::string label = "Error: "; /* behind a name without spaces, as in builtins.RuntimeError */
    const size_t named = text.find(label);
    if (named != std::string::npos && text.find(' ') > named) {
        text.erase(0, named + label.size());
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    text.erase(text.find_last_not_of(" .") + 1);
    return text.substr(0, 400);
}

const od_network_api od_network_module = {{OD_VERSION, OD_NETWORK_VERSION},
                                          "LibTorch " TORCH_VERSION,
                                          network_create,
                                          network_destroy,
                                          network_trouble,
                                          network_eval,
                                          network_hvp,
                                          network_outputs,
                                          network_outputs_jvp,
                                          network_outputs_vjp,
                                          network_slopes};
