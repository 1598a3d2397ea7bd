"""Encoders with faults in what they say of themselves; `caught_by` is the check that is meant to catch each."""

import math

from gen.component import component, interface, option
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
class Mute(Net):
    """Has a summary that ends without a full stop"""

    caught_by = "says-what-it-is"


@component
class Wordless(Net):
    """Says nothing about an option."""

    caught_by = "says-what-it-is"
    width: int = option(4, min=1, doc=" ")


@component
class Rounding(Net):
    """Rounds an option up in build()."""

    caught_by = "options-round-trip"
    width: int = option(4, min=1, doc="rounded up to a multiple of 8")

    def build(self):
        self.width = 8 * math.ceil(self.width / 8)
        Net.build(self)


@component
class Swallowing(Net):
    """Swallows options that it does not know."""

    caught_by = "unknown-options-are-refused"

    def __init__(self, *, in_shape, out_shape, cond=None, **rest):
        self.__attrs_init__(in_shape=in_shape, out_shape=out_shape, cond=cond)


@component
class Clamping(Net):
    """Clamps an option out of bounds in silence."""

    caught_by = "options-out-of-bounds-are-refused"
    width: int = option(4, min=1, doc="hidden units")

    def __init__(self, *, in_shape, out_shape, cond=None, width=4):
        width = max(width, 1) if isinstance(width, int) else width
        self.__attrs_init__(in_shape=in_shape, out_shape=out_shape, cond=cond, width=width)


FAULTS = (Mute, Wordless, Rounding, Swallowing, Clamping)


@hookimpl
def gen_components():
    return [Component(cls.__name__.lower(), f"declared:{cls.__name__}") for cls in FAULTS]
