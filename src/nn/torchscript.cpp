/*
 * Models that users export as TorchScript.
 *
 * A module holds its parameters in slots. An evaluation takes a copy of the module from a pool, so that threads do not
 * meet, and puts the caller's tensors into the slots: gradients arrive at them directly. The interpreter runs without
 * its optimiser, which rewrites a model after its first runs and with that changes the last bits.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "model.hpp"

#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <map>
#include <mutex>

namespace od
{
namespace
{

struct Slot {
    std::vector<std::string> path; /* of the submodule */
    std::string name;
    size_t piece;
};

struct Operation {
    const char *name, *what;
};

const char slope[] = "whose slope jumps", curvature[] = "whose curvature jumps";
const char choice[] = "which chooses between pieces";

/* Ties of max_pool are kinks. What chooses may join pieces smoothly, as a stabilised logsumexp does. */
const Operation operations[] = {{"relu", slope},
                                {"relu6", slope},
                                {"leaky_relu", slope},
                                {"prelu", slope},
                                {"rrelu", slope},
                                {"selu", slope},
                                {"hardtanh", slope},
                                {"hardswish", slope},
                                {"hardsigmoid", slope},
                                {"max_pool1d", slope},
                                {"max_pool2d", slope},
                                {"max_pool3d", slope},
                                {"abs", slope},
                                {"threshold", slope},
                                {"hardshrink", slope},
                                {"softshrink", slope},
                                {"l1_loss", slope},
                                {"elu", curvature},
                                {"celu", curvature},
                                {"smooth_l1_loss", curvature},
                                {"huber_loss", curvature},
                                {"max", choice},
                                {"min", choice},
                                {"maximum", choice},
                                {"minimum", choice},
                                {"amax", choice},
                                {"amin", choice},
                                {"clamp", choice},
                                {"clamp_min", choice},
                                {"clamp_max", choice},
                                {"adaptive_max_pool1d", slope},
                                {"adaptive_max_pool2d", slope},
                                {"where", choice},
                                {"masked_fill", choice},
                                {"sort", choice},
                                {"topk", choice},
                                {"gt", choice},
                                {"ge", choice},
                                {"lt", choice},
                                {"le", choice},
                                {"floor", choice},
                                {"ceil", choice},
                                {"round", choice},
                                {"sign", choice}};

/* The first operation that jumps, else the first that may; "" of neither. */
void find_pieces(const torch::jit::Block *block, std::string &rough, std::string &pieces)
{
    for (const torch::jit::Node *node : block->nodes()) {
        std::string name = node->kind().toUnqualString();
        if (node->kind().is_aten() && name.size() > 1 && name.back() == '_') {
            name.pop_back(); /* in place */
        }
        const bool tensor = !node->outputs().empty() && node->output(0)->type()->isSubtypeOf(*c10::TensorType::get());
        for (const Operation &o : operations) {
            if (node->kind().is_aten() && tensor && name == o.name) {
                std::string &to = o.what == choice ? pieces : rough;
                to = to.empty() ? "the model uses " + name + ", " + o.what : to;
            }
        }
        for (const torch::jit::Block *inner : node->blocks()) {
            find_pieces(inner, rough, pieces);
        }
    }
}

const char *name_of(at::ScalarType type)
{
    switch (type) {
    case at::kDouble: return "float64";
    case at::kFloat: return "float32";
    case at::kHalf: return "float16";
    default: return c10::toString(type);
    }
}

class TorchScript : public Model
{
  public:
    explicit TorchScript(const od_network_spec &spec) : type_(spec.single ? at::kFloat : at::kDouble)
    {
        torch::jit::Module module = open(spec.file);
        check_forward(module, spec.loss == OD_NETWORK_OWN);
        module.eval();
        collect(module, {});
        if (piece.empty()) {
            throw Refusal(frozen > 0 ? "none of its parameters takes a gradient; export it with requires_grad"
                                     : "it has no parameters; export a model that was not frozen");
        }
        module.to(type_);
        std::shared_ptr<torch::jit::Graph> graph = module.get_method("forward").graph()->copy();
        torch::jit::Inline(*graph);
        find_pieces(graph->block(), rough, pieces);
        original_ = module;
    }

    at::Tensor forward(const Tensors &theta, const at::Tensor &inputs) const override
    {
        return run(theta, {inputs});
    }

    at::Tensor own_loss(const Tensors &theta, const at::Tensor &inputs, const at::Tensor &targets) const override
    {
        return run(theta, {inputs, targets}).squeeze();
    }

  private:
    static torch::jit::Module open(const char *file)
    {
        try {
            return torch::jit::load(file, at::kCPU);
        } catch (const std::exception &e) {
            const std::string said = sentence_of(e);
            const bool checkpoint = said.find("constants.pkl") != std::string::npos;
            throw Refusal("it is no whole TorchScript file (" + said + "); " +
                          (checkpoint ? "torch.save wrote it: " : "") +
                          "write it with torch.jit.script(net).save(...)");
        }
    }

    /* Whether the inputs of forward are those that the loss gives it. */
    static void check_forward(const torch::jit::Module &module, bool own_loss)
    {
        if (!module.find_method("forward")) {
            throw Refusal("it has no method forward; export a module that has");
        }
        const std::vector<c10::Argument> &arguments = module.get_method("forward").function().getSchema().arguments();
        size_t required = 0;
        for (size_t i = 1; i < arguments.size(); i++) { /* the first is self */
            required += !arguments[i].default_value().has_value();
        }
        const size_t given = own_loss ? 2 : 1, most = arguments.size() - 1;
        if (given < required || given > most) {
            const std::string takes = "its forward takes " + std::to_string(required) +
                                      (required == 1 ? " input" : " inputs");
            throw Refusal(own_loss
                              ? takes + ", but with loss: model it gets the samples and their targets; export one that "
                                        "takes both and returns the mean loss, or name another loss"
                              : takes + ", but it gets the samples alone; if it takes samples and targets and returns "
                                        "the mean loss, set loss: model");
        }
    }

    /* Parameters in the order of the module; one that is used twice is one piece with two slots. */
    void collect(const torch::jit::Module &module, const std::vector<std::string> &path)
    {
        for (const auto &parameter : module.named_parameters(false)) {
            const at::Tensor value = parameter.value;
            if (!value.requires_grad()) {
                frozen += (size_t)value.numel();
                continue;
            }
            if (!at::isFloatingType(value.scalar_type())) {
                throw Refusal("its parameter " + parameter.name + " is of type " + c10::toString(value.scalar_type()) +
                              ", not a real number");
            }
            const auto known = seen_.find(value.unsafeGetTensorImpl());
            slots_.push_back({path, parameter.name, known != seen_.end() ? known->second : piece.size()});
            if (known != seen_.end()) {
                continue;
            }
            seen_[value.unsafeGetTensorImpl()] = piece.size();
            kept_.push_back(value);
            dtype = name_of(value.scalar_type());
            std::string full;
            for (const std::string &part : path) {
                full += part + ".";
            }
            add(full + parameter.name, OD_ROLE_STORED, value.sizes().vec(), 1, 1);
            const at::Tensor numbers = value.detach().to(at::kDouble).contiguous();
            stored.insert(stored.end(), numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel());
        }
        for (const auto &child : module.named_children()) {
            std::vector<std::string> inner = path;
            inner.push_back(child.name);
            collect(child.value, inner);
        }
    }

    torch::jit::Module take() const
    {
        const std::lock_guard<std::mutex> hold(lock_);
        if (pool_.empty()) {
            return original_.deepcopy();
        }
        torch::jit::Module module = pool_.back();
        pool_.pop_back();
        return module;
    }

    void fill(torch::jit::Module &module, const Tensors &theta) const
    {
        for (const Slot &slot : slots_) {
            torch::jit::Module owner = module;
            for (const std::string &part : slot.path) {
                owner = owner.attr(part).toModule();
            }
            owner.setattr(slot.name, theta[slot.piece]);
        }
    }

    at::Tensor run(const Tensors &theta, std::vector<c10::IValue> inputs) const
    {
        const torch::jit::GraphOptimizerEnabledGuard plain(false);
        torch::jit::Module module = take();
        fill(module, theta);
        const c10::IValue result = module.forward(std::move(inputs));
        {
            const std::lock_guard<std::mutex> hold(lock_);
            pool_.push_back(module); /* one that failed is dropped */
        }
        if (!result.isTensor()) {
            throw Refusal("its forward returns a " + result.tagKind() + ", not a tensor; return the outputs alone");
        }
        return result.toTensor();
    }

    const at::ScalarType type_;
    torch::jit::Module original_;
    std::vector<Slot> slots_;
    std::map<const void *, size_t> seen_;
    std::vector<at::Tensor> kept_; /* so that no address in seen_ is used again */
    mutable std::mutex lock_;
    mutable std::vector<torch::jit::Module> pool_;
};

} // namespace

std::unique_ptr<Model> make_torchscript(const od_network_spec &spec)
{
    return std::make_unique<TorchScript>(spec);
}

} // namespace od
