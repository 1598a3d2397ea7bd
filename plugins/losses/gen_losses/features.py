"""Feature matching: the generator is judged by what the discriminator notices, not by its verdict."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Regularizer
from gen.types import Contest, Progress

__all__ = ["FeatureMatching"]


@component
class FeatureMatching(Regularizer):
    """weight |E f(x) - E f(y)|^2, f the discriminator's last features (Salimans et al. 2016, arXiv:1606.03498).

    For the generator's side (`generator_regularizers`). The discriminator must have a method `features(x, cond)`,
    [B, ...]; it runs on real and generated samples once more.
    """

    serves = ("generator",)
    weight: float = option(1.0, min=0, max=1e6, doc="factor, in units of the loss per squared feature")

    def __call__(self, network: nn.Module, batch: Contest, progress: Progress) -> dict[str, Tensor]:
        features = getattr(network, "features", None)
        if features is None:
            raise GenError(
                f"losses/feature-matching asks a discriminator for its features, and {type(network).__name__} has "
                f"none: choose one with a method features(x, cond), or leave feature matching out"
            )
        with torch.no_grad():
            wanted = features(batch.real, batch.cond).float().mean(0)  # [...]
        got = features(batch.fake, batch.cond).float().mean(0)
        return {"feature_matching": self.weight * (got - wanted).square().sum()}
