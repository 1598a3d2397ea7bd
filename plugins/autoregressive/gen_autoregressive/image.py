"""Autoregressive models of images: p(x) = prod_i p(x_i | x_<i), an exact likelihood.

A network puts out the numbers of all factors in one pass; a pixel likelihood gives them their meaning (van den Oord et
al. 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759). Shapes: B batch, N values of a sample, K numbers each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import ShapeError
from gen.interfaces import Autoregressor, Model, Phase
from gen.joins import cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_autoregressive.choosing import How, choose
from gen_autoregressive.drawing import fill, uniforms
from gen_autoregressive.levels import index_of
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood
from gen_autoregressive.order import factors, values

__all__ = ["AutoregressiveImage"]


@component
class AutoregressiveImage(Model):
    """Autoregressive model of images: each value given those before it, in raster order, channels inside a pixel.

    Loss: the mean over the batch of -log p(x) in nats per sample, exact; the term bits_per_dim is the same over
    log 2 and the dimensions.
    """

    phase_names = ("model",)
    log_prob_kind = "exact"
    autoregressor: Autoregressor = slot(doc="x to the numbers of every factor p(x_i given x_<i)")
    likelihood: PixelLikelihood = slot(default="autoregressive/bernoulli", doc="p(x_i given x_<i) from its numbers")
    conditional: bool = option(False, doc="tell the network the labels")

    @classmethod
    def wire(cls, data: DataSpec, likelihood: PixelLikelihood, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        _check_data(data, likelihood)
        cond = cond_of(data, conditional)
        return {"autoregressor": Shapes(data.shape, likelihood.param_shape(data.shape), cond)}

    def build(self) -> None:
        (shapes,) = self.wire(self.data, likelihood=self.likelihood, conditional=self.conditional).values()
        for field, needed in attrs.asdict(shapes, recurse=False).items():
            has = getattr(self.autoregressor, field)
            if has != needed:
                raise ShapeError(f"autoregressor was built with {field}={has}, but this model needs {field}={needed}")

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self.autoregressor, self.likelihood], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean of -log p(x) [], nats per sample."""
        nats = -self.log_prob(batch.x, batch.cond).mean()
        return Losses(nats, {"bits_per_dim": nats.detach() / (math.log(2) * batch.x[0].numel())})

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """log p(x) [B] in nats, exact: the sum over all values, each given those before it."""
        logits = widen(factors(self.autoregressor(x, labels_told(self.conditional, cond)), x.shape[1]))  # [B, N, K]
        with no_autocast(x.device):
            return self.likelihood.log_prob(logits, values(widen(x))).sum(1)

    def complete(
        self, x: Tensor, mask: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """x [B, C, H, W] where the mask (broadcast to x) is 1; the other values drawn, each given all before it.

        Exact draws of p(unknown | known) where everything known comes before everything unknown in raster order.
        Known values after an unknown one are kept, but not looked ahead at.
        """
        return self.draw(x, mask, cond, rng, How())

    @torch.no_grad()
    def draw(self, x: Tensor, mask: Tensor, cond: Tensor | None, rng: torch.Generator | None, how: How) -> Tensor:
        """`complete`, with a word on how: temperature, top-k, top-p, and without caches."""
        uniform = uniforms(x, rng)  # [B, N]

        def pick(position: int, log_chances: Tensor) -> Tensor:
            return choose(log_chances, uniform[:, position], how)

        return fill(
            self.autoregressor, self.likelihood, x, mask.expand_as(x), labels_told(self.conditional, cond), pick, how
        )

    @torch.no_grad()
    def code(self, n: int, choose: Callable[[Tensor], Tensor], cond: Tensor | None = None) -> Tensor:
        """n images [n, C, H, W] of the levels that `choose` gives for their chances [n, V] (float64), in raster order.

        The steps are those of cached draws: the same batch, weights and machine give the same chances, bit for bit.
        """
        like = next(self.autoregressor.parameters())
        nothing = like.new_zeros(n, *self.data.shape)  # [n, C, H, W]: no value is known

        def pick(position: int, log_chances: Tensor) -> Tensor:
            return choose(log_chances.double().exp())

        return fill(
            self.autoregressor, self.likelihood, nothing, nothing, labels_told(self.conditional, cond), pick, How()
        )

    def symbols(self, x: Tensor) -> Tensor:
        """The numbers of the levels of images, [n, N] int64, in the order in which `code` asks for them."""
        return index_of(values(x), self.likelihood.counted)


def _check_data(data: DataSpec, likelihood: PixelLikelihood) -> None:
    """Refuses data that are no images, or whose levels the likelihood does not count."""
    if len(data.shape) != 3:
        raise ShapeError(f"autoregressive/image models images (channels, height, width), but the data are {data.shape}")
    counted, there = likelihood.counted, data.domain.levels
    if there == counted:
        return
    has = f"{there} levels" if there is not None else "no levels (they are continuous)"
    if counted == 2:
        remedy = "binarise them (transforms: data/binarize), or choose autoregressive/categorical"
    elif there is None:
        remedy = "choose quantized data"
    else:
        remedy = f"give it levels: {there}"
    raise ShapeError(f"the pixel likelihood counts {counted} levels, but the data have {has}: {remedy}")
