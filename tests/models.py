#!/usr/bin/env python3
"""Models and answers for models_test.py, by PyTorch itself: models.py FOLDER. SPDX-License-Identifier: GPL-3.0-or-later

Writes models that must be refused or remarked on, and answers.json: losses and gradients of networks written with
torch.nn, at parameters p_i = sin(i + 1)/3, on samples.csv (also written: 40 samples of 12 numbers, labels 0, 1, 2); their
full Hessians by double backward, as eigenvalues, trace and a product with u_i = cos(2.385 i), and the product of u with
the covariance of the samples' gradients, each sample's by a backward pass of its own.
"""
import json
import math
import pathlib
import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)
folder = pathlib.Path(sys.argv[1])


class Residual(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.first, self.last = nn.Linear(12, width), nn.Linear(width, 3)
        self.norm = nn.LayerNorm(width)
        self.second, self.norm2 = nn.Linear(width, width), nn.LayerNorm(width)
        self.scale = 1 / math.sqrt(depth)

    def forward(self, a):
        h = nn.functional.gelu(self.norm(self.first(a)))
        h = h + self.scale * nn.functional.gelu(self.norm2(self.second(h)))
        return self.last(h)

    def ordered(self):
        return [p for m in (self.first, self.norm, self.second, self.norm2, self.last) for p in m.parameters()]


class Convnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Unflatten(1, (1, 3, 4)), nn.Conv2d(1, 2, 3, padding=1), nn.Softplus(threshold=1000),
                                 nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3))  # 3 x 4 halves to 1 x 2, two channels

    def forward(self, a):
        return self.net(a)

    def ordered(self):
        return list(self.net.parameters())


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 7), nn.Tanh(), nn.Linear(7, 3))

    def forward(self, a):
        return self.net(a)

    def ordered(self):
        return list(self.net.parameters())


def fill(parameters):
    i = 0
    with torch.no_grad():
        for p in parameters:
            for k in range(p.numel()):
                p.view(-1)[k] = math.sin(i + 1) / 3
                i += 1


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def hessian(loss, parameters):
    gradient = flat(torch.autograd.grad(loss, parameters, create_graph=True))
    return torch.stack([flat(torch.autograd.grad(g, parameters, retain_graph=True)) for g in gradient])


def sample_gradients(model, inputs, labels):
    each = nn.functional.cross_entropy(model(inputs), labels, reduction="none")
    return torch.stack([flat(torch.autograd.grad(one, model.ordered(), retain_graph=True)) for one in each])


def answer(model, inputs, labels):
    fill(model.ordered())
    loss = nn.functional.cross_entropy(model(inputs), labels)
    gradient = flat(torch.autograd.grad(loss, model.ordered(), retain_graph=True))
    h, g = hessian(loss, model.ordered()), sample_gradients(model, inputs, labels)
    u = torch.cos(2.385 * torch.arange(len(gradient)))
    centred = g - g.mean(0)
    return {"loss": loss.item(), "gradient": gradient.norm().item(), "parameters": len(gradient),
            "eigenvalues": torch.linalg.eigvalsh(h).tolist(), "trace": h.trace().item(), "square": (h * h).sum().item(),
            "diagonal_square": (h.diagonal() ** 2).sum().item(), "hvp": (h @ u).tolist(),
            "covariance": (centred.T @ (centred @ u) / len(centred)).tolist()}


inputs = torch.randn(40, 12)
labels = torch.arange(40) % 3
with open(folder / "samples.csv", "w") as out:
    for a, b in zip(inputs, labels):
        out.write(",".join(repr(float(v)) for v in a) + f",{int(b)}\n")
answers = {"plain": answer(Plain(), inputs, labels), "residual": answer(Residual(7, 2), inputs, labels),
           "convnet": answer(Convnet(), inputs, labels)}
(folder / "answers.json").write_text(json.dumps(answers))


def save(name, model):
    torch.jit.script(model).save(str(folder / name))


class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 7), nn.Linear(7, 3)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)).detach()) + self.a(x)[:, :3]


class Centred(Plain):
    def forward(self, a):
        return self.net(a - a.mean(0))


class NotANumber(Plain):
    def forward(self, a):
        return self.net(a) / torch.zeros(1, dtype=a.dtype)


class Frozen(Plain):
    def __init__(self):
        super().__init__()
        self.net[0].weight.requires_grad_(False)


class Nothing(nn.Module):
    def forward(self, a):
        return a[:, :3]


class Fails(Plain):
    def forward(self, a):
        if bool(self.net[0].bias.square().max() > 4):
            raise RuntimeError("the bias has left the cage")
        return self.net(a)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 12), nn.Linear(12, 12)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))[:, :3]


class Piecewise(Plain):
    """z (z > 0): a kink that no operation's name tells."""

    def forward(self, a):
        z = self.net(a)
        return z * (z > 0).to(z.dtype)


class Root(Plain):
    """|z|, without a comparison."""

    def forward(self, a):
        z = self.net(a)
        return (z * z).sqrt()


class Stairs(Plain):
    def forward(self, a):
        z = self.net(a)
        return z + 0.1 * torch.floor(4 * z)


class Stabilised(Plain):
    """Log-softmax by hand: max chooses, and nothing jumps."""

    def forward(self, a):
        z = self.net(a)
        m = z.max(1, keepdim=True)[0]
        return z - (m + (z - m).exp().sum(1, keepdim=True).log())


class Elu(Plain):
    def forward(self, a):
        return nn.functional.elu(self.net(a))


class Rounds(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 3)

    def forward(self, x):
        return torch.tanh(x.float() @ self.a.weight.float().t()).double() + self.a.bias


class Once(nn.Module):
    """An operation with one derivative, not two."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 3)

    def forward(self, x):
        return torch.cdist(self.a(x), torch.eye(3, dtype=x.dtype), p=3.0)


class SampleLosses(Plain):
    def forward(self, a, labels):
        return nn.functional.cross_entropy(self.net(a), labels, reduction="none")


class Pair(Plain):
    def forward(self, a):
        return self.net(a), a


class Indices(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Embedding(12, 3)

    def forward(self, x):
        return self.a(x).sum(1)


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(12, 3, dtype=torch.complex128))

    def forward(self, x):
        return (x.to(torch.complex128) @ self.w).real


class InfiniteSlope(Plain):
    """sqrt at 0, where its gradient is not a number."""

    def forward(self, a):
        return self.net(a) + (self.net[2].bias * 0).sqrt() * 0


class Nameless(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 3)

    @torch.jit.export
    def predict(self, x):
        return self.a(x)


save("plain.pt", Plain())
save("single.pt", Plain().float())
save("relu.pt", nn.Sequential(nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 3)))
save("cut.pt", Cut())
save("centred.pt", Centred())
save("nan.pt", NotANumber())
save("frozen.pt", Frozen())
save("nothing.pt", Nothing())
save("fails.pt", Fails())
save("tied.pt", Tied())
for kind in (Piecewise, Root, Stairs, Stabilised, Elu, Rounds, Once, SampleLosses, Pair, Indices, Complex, InfiniteSlope, Nameless):
    save(kind.__name__.lower() + ".pt", kind())
torch.save(Plain().state_dict(), folder / "checkpoint.pt")
whole = (folder / "plain.pt").read_bytes()
(folder / "half.pt").write_bytes(whole[:len(whole) // 2])
