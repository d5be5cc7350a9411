/* A model as the module sees it: pieces of parameters and a forward pass. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_NN_MODEL_HPP
#define OD_NN_MODEL_HPP

#include "network.h"

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

namespace od
{

using Tensors = std::vector<at::Tensor>;

/** A sentence for the user. */
struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Model
{
  public:
    virtual ~Model() = default;

    /** Outputs [rows, outputs] for inputs [rows, cols]; `theta` has one tensor for each piece. */
    virtual at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const = 0;
    /** Mean loss over the rows, for models that return their own. */
    virtual at::Tensor own_loss(const Tensors &theta, const at::Tensor &inputs, const at::Tensor &targets) const;

    std::vector<od_network_piece> piece;
    std::vector<std::vector<int64_t>> shape; /* of each piece */
    std::vector<double> stored;              /* of a model file, else empty */
    std::string rough;                       /* why there is no Hessian everywhere; "" if that is not known */
    std::string pieces;                      /* what may be a reason, "" if nothing is */
    size_t frozen = 0;
    std::string dtype = "float64";

    size_t dim() const;

  protected:
    void add(const std::string &name, od_network_role role, std::vector<int64_t> sizes, size_t fan_in, size_t fan_out);
};

std::unique_ptr<Model> make_mlp(const od_network_spec &spec);
std::unique_ptr<Model> make_convnet(const od_network_spec &spec);
std::unique_ptr<Model> make_sensing(const od_network_spec &spec);
std::unique_ptr<Model> make_gram(const od_network_spec &spec);
std::unique_ptr<Model> make_torchscript(const od_network_spec &spec);

/** What the model said, without addresses, frames of C++ and source lines. */
std::string sentence_of(const std::exception &e);

} // namespace od

#endif
