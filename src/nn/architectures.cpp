/*
 * The built-in networks.
 *
 * Layers are written with operations that have two derivatives everywhere they are smooth: LayerNorm is spelt out, and
 * softplus is -log sigmoid(-z), because the library's own turns linear at 20.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "model.hpp"

#include <cmath>

namespace od
{

size_t Model::dim() const
{
    return piece.empty() ? 0 : piece.back().offset + piece.back().count;
}

at::Tensor Model::own_loss(const Tensors &, const at::Tensor &, const at::Tensor &) const
{
    throw Refusal("the model returns no loss of its own");
}

void Model::add(const std::string &name, od_network_role role, std::vector<int64_t> sizes, size_t fan_in,
                size_t fan_out)
{
    od_network_piece p = {};
    std::snprintf(p.name, sizeof p.name, "%s", name.c_str());
    p.role = role;
    p.offset = dim();
    p.count = 1;
    for (const int64_t size : sizes) {
        p.count *= static_cast<size_t>(size);
    }
    p.fan_in = fan_in;
    p.fan_out = fan_out;
    piece.push_back(p);
    shape.push_back(std::move(sizes));
}

static at::Tensor activate(od_activation activation, const at::Tensor &z)
{
    switch (activation) {
    case OD_ACTIVATION_LINEAR: return z;
    case OD_ACTIVATION_RELU: return at::relu(z);
    case OD_ACTIVATION_TANH: return at::tanh(z);
    case OD_ACTIVATION_SIGMOID: return at::sigmoid(z);
    case OD_ACTIVATION_SOFTPLUS: return -at::log_sigmoid(-z);
    case OD_ACTIVATION_GELU: return at::gelu(z);
    }
    throw Refusal("there is no such activation");
}

/* J. L. Ba, J. R. Kiros, G. E. Hinton, Layer normalization, arXiv:1607.06450. */
static at::Tensor normalise(const at::Tensor &z, const at::Tensor &gain, const at::Tensor &shift)
{
    const at::Tensor centred = z - z.mean(1, true);
    const at::Tensor variance = centred.square().mean(1, true);
    return centred * at::rsqrt(variance + 1e-5) * gain + shift;
}

static const char *kinks_of(od_activation activation, size_t layers)
{
    return activation == OD_ACTIVATION_RELU && layers > 0 ? "ReLU has a kink at 0, where its slope jumps" : "";
}

namespace
{

/* h_l = act(N(W_l h_{l-1} + b_l)), N LayerNorm or nothing; with `residual`, where widths agree, h_{l-1} is added. */
class Mlp : public Model
{
  public:
    explicit Mlp(const od_network_spec &spec) : spec_(spec)
    {
        size_t in = spec.cols;
        for (size_t l = 0; l <= spec.depth; l++) {
            const bool hidden = l < spec.depth;
            const size_t out = hidden ? spec.width[l] : spec.outputs;
            const std::string layer = hidden ? "layer " + std::to_string(l + 1) : "output";
            add(layer + " weights", OD_ROLE_WEIGHT, {(int64_t)out, (int64_t)in}, in, out);
            if (spec.biases) {
                add(layer + " biases", OD_ROLE_BIAS, {(int64_t)out}, in, out);
            }
            if (hidden && spec.layer_norm) {
                add(layer + " gains", OD_ROLE_GAIN, {(int64_t)out}, in, out);
                add(layer + " shifts", OD_ROLE_BIAS, {(int64_t)out}, in, out);
            }
            in = out;
        }
        rough = kinks_of(spec.activation, spec.depth);
    }

    at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const override
    {
        const double branch = spec_.depth_scaling ? 1 / std::sqrt((double)spec_.depth) : 1;
        at::Tensor h = inputs;
        size_t k = 0;
        for (size_t l = 0; l <= spec_.depth; l++) {
            const at::Tensor &weights = theta[k++];
            at::Tensor z = spec_.biases ? at::addmm(theta[k++], h, weights.t()) : at::mm(h, weights.t());
            if (l == spec_.depth) {
                return z;
            }
            if (spec_.layer_norm) {
                z = normalise(z, theta[k], theta[k + 1]);
                k += 2;
            }
            z = activate(spec_.activation, z);
            const bool skip = spec_.residual && z.size(1) == h.size(1);
            h = skip ? h + (branch != 1 ? branch * z : z) : z;
        }
        return h;
    }

  private:
    const od_network_spec spec_;
};

/* Convolutions with zero padding, each followed by the activation and means over 2 x 2 pixels; then one linear layer.
 */
class Convnet : public Model
{
  public:
    explicit Convnet(const od_network_spec &spec) : spec_(spec)
    {
        size_t in = spec.shape[0], height = spec.shape[1], width = spec.shape[2];
        const size_t area = spec.kernel * spec.kernel;
        for (size_t l = 0; l < spec.depth; l++) {
            const size_t out = spec.width[l];
            const std::string layer = "layer " + std::to_string(l + 1);
            const int64_t side = (int64_t)spec.kernel;
            add(layer + " filters", OD_ROLE_WEIGHT, {(int64_t)out, (int64_t)in, side, side}, in * area, out * area);
            if (spec.biases) {
                add(layer + " biases", OD_ROLE_BIAS, {(int64_t)out}, in * area, out * area);
            }
            in = out;
            height /= 2;
            width /= 2;
            if (height == 0 || width == 0) {
                throw Refusal("after " + std::to_string(l + 1) +
                              " layers, each of which halves the image, nothing is left of it; take fewer channels");
            }
        }
        in *= height * width;
        add("output weights", OD_ROLE_WEIGHT, {(int64_t)spec.outputs, (int64_t)in}, in, spec.outputs);
        if (spec.biases) {
            add("output biases", OD_ROLE_BIAS, {(int64_t)spec.outputs}, in, spec.outputs);
        }
        rough = kinks_of(spec.activation, spec.depth);
    }

    at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const override
    {
        const int64_t padding = (int64_t)spec_.kernel / 2;
        at::Tensor h = inputs.reshape(
            {inputs.size(0), (int64_t)spec_.shape[0], (int64_t)spec_.shape[1], (int64_t)spec_.shape[2]});
        size_t k = 0;
        for (size_t l = 0; l < spec_.depth; l++) {
            const at::Tensor &filters = theta[k++];
            const at::Tensor bias = spec_.biases ? theta[k++] : at::Tensor();
            const c10::optional<at::Tensor> optional = bias.defined() ? c10::optional<at::Tensor>(bias) : c10::nullopt;
            h = activate(spec_.activation, at::conv2d(h, filters, optional, 1, padding));
            h = at::avg_pool2d(h, 2);
        }
        h = h.flatten(1);
        const at::Tensor &weights = theta[k++];
        return spec_.biases ? at::addmm(theta[k], h, weights.t()) : at::mm(h, weights.t());
    }

  private:
    const od_network_spec spec_;
};

class Sensing : public Model
{
  public:
    explicit Sensing(const od_network_spec &spec) : side_((int64_t)std::llround(std::sqrt((double)spec.cols)))
    {
        add("factor", OD_ROLE_WEIGHT, {side_, (int64_t)spec.rank}, (size_t)side_, spec.rank);
    }

    at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const override
    {
        return at::mm(inputs, at::mm(theta[0], theta[0].t()).reshape({side_ * side_, 1}));
    }

  private:
    const int64_t side_;
};

class Gram : public Model
{
  public:
    explicit Gram(const od_network_spec &spec)
    {
        add("factor", OD_ROLE_WEIGHT, {(int64_t)spec.cols, (int64_t)spec.rank}, spec.cols, spec.rank);
    }

    at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const override
    {
        return at::mm(at::mm(inputs, theta[0]), theta[0].t());
    }
};

} // namespace

std::unique_ptr<Model> make_mlp(const od_network_spec &spec)
{
    return std::make_unique<Mlp>(spec);
}

std::unique_ptr<Model> make_convnet(const od_network_spec &spec)
{
    return std::make_unique<Convnet>(spec);
}

std::unique_ptr<Model> make_sensing(const od_network_spec &spec)
{
    return std::make_unique<Sensing>(spec);
}

std::unique_ptr<Model> make_gram(const od_network_spec &spec)
{
    return std::make_unique<Gram>(spec);
}

} // namespace od
