"""Sound components, whose faulty cousins the other files of this folder hold: every generic check passes them."""

import math
from typing import ClassVar

from torch import nn

from gen.component import component, option
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Encoder


@component
class Plain(Encoder):
    """One hidden layer of some width; the last layer starts at zero."""

    traits: ClassVar[dict[str, object]] = {"dtypes": ("bfloat16",)}
    width: int = option(8, min=1, doc="hidden units")

    def build(self):
        self.enter = nn.Linear(math.prod(self.in_shape), self.width)
        self.leave = nn.Linear(self.width, math.prod(self.out_shape))
        nn.init.zeros_(self.leave.weight)

    def forward(self, x, cond=None):
        return self.leave(self.enter(x.flatten(1)).tanh()).reshape(len(x), *self.out_shape)


FAULTS = ()


@hookimpl
def gen_components():
    return [Component("plain", "sound:Plain")]
