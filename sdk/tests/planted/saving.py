"""Encoders that are more than name, options and tensors; `caught_by` is the check that is meant to catch each."""

import math

import torch
from torch import nn

from gen.component import component, interface
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Encoder
from gen_sdk.checks.toys import Dense


@interface
class Net(Encoder):
    """One hidden layer, sound."""

    def build(self):
        self.net = Dense(math.prod(self.in_shape), self.out_shape, self.cond)

    def forward(self, x, cond=None):
        return self.net(x.flatten(1), cond)


@component
class Tied(Net):
    """Shares one tensor between two names."""

    caught_by = "safetensors-round-trip"

    def build(self):
        Net.build(self)
        self.again = nn.Linear(self.net.enter.in_features, self.net.enter.out_features)
        self.again.weight = self.net.enter.weight


@component
class Hidden(Net):
    """Keeps state outside its tensors."""

    caught_by = "safetensors-round-trip"

    def build(self):
        Net.build(self)
        self.shift = float(torch.rand((), device="cpu"))

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond) + self.shift


@component
class Hashing(Net):
    """Numbers a channel by the hash of its name, which every process salts anew."""

    caught_by = "rebuilt-in-a-fresh-process"

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond) * (1 + hash("red") % 1009 / 1009)


@component
class Closure(Net):
    """Computes in a closure over itself: a deep copy trains, the original answers."""

    caught_by = "deep-copy-is-independent"

    def build(self):
        Net.build(self)
        self.run = lambda x: self.net(x.flatten(1))

    def forward(self, x, cond=None):
        return self.run(x)


FAULTS = (Tied, Hidden, Hashing, Closure)


@hookimpl
def gen_components():
    return [Component(cls.__name__.lower(), f"saving:{cls.__name__}") for cls in FAULTS]
