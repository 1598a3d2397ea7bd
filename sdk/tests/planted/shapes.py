"""Encoders with faults in shapes, types and graphs; `caught_by` is the check that is meant to catch each."""

import math
from typing import ClassVar

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
class Squeezed(Net):
    """Loses the batch where it holds one sample."""

    caught_by = "shapes-are-as-wired"

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond).squeeze()


@component
class OneSize(Net):
    """Is written for one size of images."""

    caught_by = "shapes-are-as-wired"

    def build(self):
        self.net = Dense(64, self.out_shape, self.cond)


@component
class Declared(Net):
    """Gives twice as many numbers as it is wired to."""

    caught_by = "shapes-are-as-wired"

    def build(self):
        self.net = Dense(math.prod(self.in_shape), (2 * self.out_shape[0],), self.cond)


@component
class Narrow(Net):
    """Answers in float32 whatever it is handed."""

    caught_by = "keeps-float32-and-float64"

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond).float()


@component
class Boasting(Net):
    """Declares bfloat16 and leaves it on the way."""

    caught_by = "keeps-declared-low-precisions"
    traits: ClassVar[dict[str, object]] = {"dtypes": ("bfloat16",)}

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond).float()


@component
class Cancelling(Net):
    """Takes the difference of large numbers, which bfloat16 cannot hold."""

    caught_by = "autocast-is-finite-and-near"

    def build(self):
        Net.build(self)
        self.last = nn.Linear(*self.out_shape, *self.out_shape)

    def forward(self, x, cond=None):
        return (self.last(Net.forward(self, x, cond)) + 1000) - 1000


@component
class Branching(Net):
    """Branches on the value of a tensor."""

    caught_by = "compiles-as-one-graph"

    def forward(self, x, cond=None):
        return Net.forward(self, x if x.mean().item() > 0 else x / 2, cond)


@component
class BranchingToo(Net):
    """Branches on the value of a tensor, looked at with inductor."""

    caught_by = "compiles-with-inductor"

    def forward(self, x, cond=None):
        return Net.forward(self, x if x.sum() > 0 else x / 2, cond)


FAULTS = (Squeezed, OneSize, Declared, Narrow, Boasting, Cancelling, Branching, BranchingToo)


@hookimpl
def gen_components():
    return [Component(cls.__name__.lower(), f"shapes:{cls.__name__}") for cls in FAULTS]
