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

/* Operations whose derivative jumps. max_pool and max are counted in: ties are kinks. */
const char *const kinks[] = {"relu",       "relu_",       "relu6",
                             "leaky_relu", "leaky_relu_", "prelu",
                             "rrelu",      "hardtanh",    "hardtanh_",
                             "hardswish",  "hardsigmoid", "max_pool1d",
                             "max_pool2d", "max_pool3d",  "abs",
                             "max",        "min",         "maximum",
                             "minimum",    "clamp",       "threshold",
                             "hardshrink", "softshrink",  "adaptive_max_pool2d",
                             "amax",       "amin",        "smooth_l1_loss",
                             "l1_loss",    "huber_loss",  "where"};

std::string find_kinks(const torch::jit::Block *block)
{
    for (const torch::jit::Node *node : block->nodes()) {
        const std::string name = node->kind().toUnqualString();
        for (const char *kink : kinks) {
            if (name == kink) {
                return "the model uses " + name + ", whose slope jumps";
            }
        }
        for (const torch::jit::Block *inner : node->blocks()) {
            const std::string found = find_kinks(inner);
            if (!found.empty()) {
                return found;
            }
        }
    }
    return "";
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
        torch::jit::Module module = torch::jit::load(spec.file, at::kCPU);
        module.eval();
        collect(module, {});
        if (piece.empty()) {
            throw Refusal(frozen > 0 ? "none of its parameters takes a gradient; export it with requires_grad"
                                     : "it has no parameters; export a model that was not frozen");
        }
        module.to(type_);
        std::shared_ptr<torch::jit::Graph> graph = module.get_method("forward").graph()->copy();
        torch::jit::Inline(*graph);
        rough = find_kinks(graph->block());
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
            throw Refusal("its forward returns a " + result.tagKind() + ", not a tensor");
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
