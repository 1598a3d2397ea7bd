"""Models that train in two processes: one soundly, one otherwise than in one process."""

import torch

from gen.component import component, interface, slot
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Encoder, Model, Phase
from gen.types import Losses, Shapes


@interface
class Reconstruction(Model):
    """Trains an encoder to repeat its input, soundly."""

    phase_names = ("model",)
    encoder: Encoder = slot(doc="x to x")

    @classmethod
    def wire(cls, data, **_):
        return {"encoder": Shapes(data.shape, data.shape)}

    def phases(self):
        return [Phase("model", train=[self.encoder], loss=self.loss)]

    def loss(self, batch, progress):
        error = (self.encoder(batch.x) - batch.x).square().flatten(1).sum(1).mean()
        return Losses(error, {"error": error})

    def encode(self, x, cond=None):
        return self.encoder(x)


@component
class Repeating(Reconstruction):
    """Trains an encoder to repeat its input."""


@component
class Balancing(Reconstruction):
    """Divides its loss by a running mean that every micro-batch moves, so that their order matters."""

    caught_by = "two-processes-step-as-one"

    def build(self):
        self.register_buffer("scale", torch.ones(()))

    def loss(self, batch, progress):
        error = Reconstruction.loss(self, batch, progress).total
        if self.training:
            self.scale.lerp_(error.detach(), 0.5)
        return Losses(error / self.scale, {"error": error})


FAULTS = (Balancing,)


@hookimpl
def gen_components():
    return [Component("repeating", "processes:Repeating"), Component("balancing", "processes:Balancing")]
