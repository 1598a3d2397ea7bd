"""Encoders with faults in how they come into being; `caught_by` is the check that is meant to catch each."""

import math
import random
import socket
import tempfile
from contextlib import suppress

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
class OwnGenerator(Net):
    """Draws its weights from Python's generator."""

    caught_by = "same-seed-gives-same-weights"

    def build(self):
        Net.build(self)
        nn.init.constant_(self.net.enter.weight, random.random())


@component
class Listed(Net):
    """Keeps its layers in a plain list."""

    caught_by = "modules-are-registered"

    def build(self):
        Net.build(self)
        self.more = [nn.Linear(*self.out_shape, *self.out_shape)]

    def forward(self, x, cond=None):
        return self.more[0](Net.forward(self, x, cond))


@component
class Writing(Net):
    """Writes a file while it is built."""

    caught_by = "building-has-no-side-effects"

    def build(self):
        Net.build(self)
        with tempfile.TemporaryFile("w") as log:
            log.write("built")


@component
class Calling(Net):
    """Asks the network for its weights while it is built."""

    caught_by = "building-has-no-side-effects"

    def build(self):
        Net.build(self)
        with suppress(OSError), socket.socket() as line:
            line.connect(("127.0.0.1", 9))


@component
class WideForAll(Net):
    """Sets torch's default dtype for everyone."""

    caught_by = "building-has-no-side-effects"

    def build(self):
        Net.build(self)
        torch.set_default_dtype(torch.float64)


@component
class DrawsElsewhere(Net):
    """Moves Python's random state while it is built."""

    caught_by = "building-has-no-side-effects"

    def build(self):
        Net.build(self)
        self.name = f"net-{random.randrange(1000)}"


@component
class Reseeding(Net):
    """Ignores the seed of the run: seeds the global generator itself."""

    caught_by = "building-reseeds-nothing"

    def build(self):
        torch.manual_seed(0)
        Net.build(self)


@component
class ReadsValues(Net):
    """Reads the value of a weight while it is built."""

    caught_by = "meta-build-materialises"

    def build(self):
        Net.build(self)
        self.scale = 1 / self.net.enter.weight.abs().max().item()


@component
class OwnDevice(Net):
    """Puts a buffer on a device of its own choice."""

    caught_by = "meta-build-materialises"

    def build(self):
        Net.build(self)
        self.register_buffer("table", torch.zeros(3, device="cpu"))


@component
class LeftOnMeta(Net):
    """Keeps a table that is neither parameter nor buffer: it stays on the meta device."""

    caught_by = "meta-build-materialises"

    def build(self):
        Net.build(self)
        self.table = torch.linspace(0, 1, *self.out_shape)

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond) + self.table


@component
class UnsavedDraw(Net):
    """Draws a buffer at random and does not save it."""

    caught_by = "meta-build-materialises"

    def build(self):
        Net.build(self)
        self.register_buffer("directions", torch.randn(self.out_shape), persistent=False)

    def forward(self, x, cond=None):
        return Net.forward(self, x, cond) * self.directions


FAULTS = (
    OwnGenerator,
    Listed,
    Writing,
    Calling,
    WideForAll,
    DrawsElsewhere,
    Reseeding,
    ReadsValues,
    OwnDevice,
    LeftOnMeta,
    UnsavedDraw,
)


@hookimpl
def gen_components():
    return [Component(cls.__name__.lower(), f"construction:{cls.__name__}") for cls in FAULTS]
