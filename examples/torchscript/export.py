#!/usr/bin/env python3
"""Writes the models of this folder as TorchScript (needs PyTorch; Debian's python3-torch serves).

    net.pt     a small tanh network for 10 features and 3 classes, used by experiment.yaml
    own.pt     the same network with its loss inside: forward takes inputs and targets and returns the mean loss
    linear.pt  one linear layer from 784 features to one output, for images of 28 x 28 pixels

SPDX-License-Identifier: GPL-3.0-or-later

The parameters are a function of the seed, so that running it again gives the same models.
"""
import pathlib
import sys

import torch


class WithLoss(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, inputs, targets):
        return torch.nn.functional.cross_entropy(self.net(inputs), targets)


def main(folder):
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3)).double()
    torch.jit.script(net).save(str(folder / "net.pt"))
    torch.jit.script(WithLoss(net)).save(str(folder / "own.pt"))
    torch.jit.script(torch.nn.Linear(784, 1).double()).save(str(folder / "linear.pt"))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
