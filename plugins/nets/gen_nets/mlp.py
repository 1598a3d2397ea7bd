"""Multilayer perceptrons: h ← act(norm(W h + b) + shift) per hidden layer, then a linear head, for any shapes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

from torch import nn

from gen.component import component, interface, option
from gen.interfaces import Decoder, Discriminator, Encoder
from gen_nets.layers import ACTIVATIONS, GAINS, OUTPUT, activation, chain, linear
from gen_nets.staged import Stage, Staged

__all__ = ["MLPDecoder", "MLPDiscriminator", "MLPEncoder"]


@interface
class _MLP(Staged):
    """What encoder, decoder and discriminator share: everything but their kind."""

    family: ClassVar[str] = "mlp"
    hidden: tuple[int, ...] = option(
        (400,), min=1, max=1_048_576, doc="widths of the hidden layers; empty: a linear map"
    )
    activation: str = option("relu", choices=ACTIVATIONS, doc="after every hidden layer")
    norm: str = option("none", choices=("none", "layer", "batch"), doc="before every activation")
    dropout: float = option(0.0, min=0, below=1, doc="share of hidden units set to 0 in training, after the activation")

    def build(self) -> None:
        sizes = [math.prod(self.main_shape), *self.hidden]
        gains = [1.0, *(GAINS[self.activation] for _ in self.hidden)]  # the first layer reads data, not an activation
        enter = nn.Flatten() if len(self.main_shape) > 1 else None
        stages = []
        for (inputs, outputs), gain in zip(pairwise(sizes), gains, strict=False):
            layer = linear(inputs, outputs, gain, bias=self.norm == "none")
            dropout = nn.Dropout(self.dropout) if self.dropout else None
            stages.append(Stage(chain(enter, layer, self._norm(outputs)), chain(activation(self.activation), dropout)))
            enter = None
        head = chain(enter, linear(sizes[-1], math.prod(self.out_shape), gains[-1] * OUTPUT), self._leave())
        self.assemble(stages, self.hidden, head, maps=0)

    def _leave(self) -> nn.Module | None:
        """From the numbers of a sample to its shape; a single logit has none."""
        if not self.out_shape:
            return nn.Flatten(0)
        return nn.Unflatten(1, self.out_shape) if len(self.out_shape) > 1 else None

    def _norm(self, width: int) -> nn.Module | None:
        match self.norm:
            case "layer":
                return nn.LayerNorm(width)
            case "batch":
                return nn.BatchNorm1d(width)
        return None


@component
class MLPEncoder(_MLP, Encoder):
    """A multilayer perceptron from data of any shape to a code of any shape.

    The network of Kingma & Welling 2014 (arXiv:1312.6114) and of most small autoencoders. Hidden layers keep the
    second moment of what passes through them and the output starts small. A condition shifts every hidden layer.
    """


@component
class MLPDecoder(_MLP, Decoder):
    """A multilayer perceptron from a code of any shape to data of any shape.

    The mirror of `mlp-encoder`: give it the same hidden widths in reverse order.
    """


@component
class MLPDiscriminator(_MLP, Discriminator):
    """A multilayer perceptron from data of any shape, a code, or the tuple (x, z) to one logit.

    In a tuple, x enters the first hidden layer and z joins every one. `features(x, cond)` gives the last hidden layer.
    """
