"""Components with faults in how they compute; `caught_by` is the check that is meant to catch each."""

import math

import torch
from torch import nn

from gen.component import component, interface
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Corruption, Encoder
from gen_sdk.checks.toys import Dense


@interface
class Net(Encoder):
    """One hidden layer, sound."""

    def build(self):
        self.net = Dense(math.prod(self.in_shape), self.out_shape, self.cond)

    def forward(self, x, cond=None):
        return self.net(x.flatten(1), cond)


@component
class Spare(Net):
    """Has a layer that forward never uses."""

    caught_by = "gradients-reach-every-parameter"

    def build(self):
        Net.build(self)
        self.spare = nn.Linear(3, 3)


@component
class Detached(Net):
    """Cuts the gradient between two layers."""

    caught_by = "gradients-reach-every-parameter"

    def forward(self, x, cond=None):
        return self.net.leave(self.net.enter(x.flatten(1)).tanh().detach())


@component
class Explosive(Net):
    """Takes the root of zero: gradients that are not finite."""

    caught_by = "gradients-reach-every-parameter"

    def forward(self, x, cond=None):
        out = Net.forward(self, x, cond)
        return out + (0 * out).sqrt()


@component
class Noisy(Net):
    """Draws noise in evaluation and does not declare it."""

    caught_by = "is-deterministic"

    def forward(self, x, cond=None):
        out = Net.forward(self, x, cond)
        return out + 0.1 * torch.randn_like(out)


@component
class OwnNoise(Corruption):
    """Ignores the generator that it is handed."""

    caught_by = "is-deterministic"

    def __call__(self, x, rng=None):
        return x + 0.1 * torch.randn_like(x)


@component
class InPlace(Net):
    """Changes its input in place."""

    caught_by = "inputs-are-left-alone"

    def forward(self, x, cond=None):
        return Net.forward(self, x.add_(1).div_(2), cond)


@component
class Remembering(Net):
    """Moves a running mean in evaluation too."""

    caught_by = "eval-changes-no-state"

    def build(self):
        Net.build(self)
        self.register_buffer("mean", torch.zeros(self.out_shape))

    def forward(self, x, cond=None):
        out = Net.forward(self, x, cond)
        self.mean.lerp_(out.detach().mean(0), 0.1)
        return out


@component
class Standardised(Net):
    """Subtracts the mean of the batch."""

    caught_by = "rows-are-independent"

    def forward(self, x, cond=None):
        return Net.forward(self, x - x.mean(0), cond)


@component
class Undeclared(Net):
    """Normalises over the batch while training and does not declare it."""

    caught_by = "rows-are-independent"

    def build(self):
        Net.build(self)
        self.norm = nn.LayerNorm(self.out_shape)

    def forward(self, x, cond=None):
        out = self.norm(Net.forward(self, x, cond))
        return out - out.mean(0) if self.training else out


FAULTS = (Spare, Detached, Explosive, Noisy, OwnNoise, InPlace, Remembering, Standardised, Undeclared)


@hookimpl
def gen_components():
    return [Component(cls.__name__.lower(), f"learning:{cls.__name__}") for cls in FAULTS]
