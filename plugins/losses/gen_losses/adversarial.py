"""Adversarial losses: both sides of the game as functions of raw logits, [B] or patch logits [B, 1, h, w] → [].

With p the data, q the generator, D* the discriminator that minimises its side and f = softplus:

    minimax          E_p f(-D) + E_q f(D)          generator  -E_q f(D)      2 JS(p, q) - 2 log 2      (at D*)
    non-saturating   the same                      generator   E_q f(-D)     gradient of KL(q, p)
    least squares    E_p (D - 1)^2 + E_q D^2       generator   E_q (D - 1)^2
    hinge            E_p (1 - D)+ + E_q (1 + D)+   generator  -E_q D         total variation
    Wasserstein      E_q D - E_p D                 generator  -E_q D         W1(p, q), if D has slope at most 1
    relativistic     E f(-(D(x) - D(y)))           generator   E f(-(D(y) - D(x)))

In float32 at least, whatever the logits are in. Logistic losses (the first two and the last) are in nats.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component
from gen.interfaces import AdversarialLoss

__all__ = ["Hinge", "LeastSquares", "Minimax", "NonSaturating", "Relativistic", "Wasserstein"]


@component
class Minimax(AdversarialLoss):
    """The game as first stated: both sides play for one value (Goodfellow et al. 2014, arXiv:1406.2661).

    The discriminator minimises -V, V = E log D(x) + E log(1 - D(y)) in nats; at its best, V = 2 JS - log 4. The
    generator minimises V. While it is far from the data the discriminator is sure and its gradient vanishes.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return _logistic(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -F.softplus(_wide(fake)).mean()


@component
class NonSaturating(AdversarialLoss):
    """The game in use: the generator minimises -E log D(y), whose gradient does not vanish (Goodfellow et al. 2014).

    Against the best discriminator its gradient is that of KL(q, p) - 2 JS(p, q) (Arjovsky and Bottou 2017,
    arXiv:1701.04862, theorem 2.5).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return _logistic(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return F.softplus(-_wide(fake)).mean()


@component
class LeastSquares(AdversarialLoss):
    """Squared errors from 1 for real and 0 for generated samples (Mao et al. 2017, arXiv:1611.04076).

    Without the paper's factor 1/2. The best discriminator is p / (p + q), where it loses 1/2 - 1/4 of the integral of
    (p - q)^2 / (p + q).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (_wide(real) - 1).square().mean() + _wide(fake).square().mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return (_wide(fake) - 1).square().mean()


@component
class Hinge(AdversarialLoss):
    """Only logits within the margin cost the discriminator anything (Lim and Ye 2017, arXiv:1705.02894)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - _wide(real)).mean() + F.relu(1 + _wide(fake)).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -_wide(fake).mean()


@component
class Wasserstein(AdversarialLoss):
    """The difference of means of a critic (Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875).

    In the unit of the data for a critic of slope at most 1: give it `losses/gradient-penalty`, `losses/weight-clip` or
    spectral norm, and several updates a step (`optim.discriminator.repeat: 5`).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return _wide(fake).mean() - _wide(real).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -_wide(fake).mean()


@component
class Relativistic(AdversarialLoss):
    """Each generated sample against a real one (Jolicoeur-Martineau 2018, arXiv:1807.00734, RpGAN).

    Without a landscape's bad local minima (Sun et al. 2020); with `losses/r1` and `losses/r2` it converges locally
    (Huang et al. 2024, arXiv:2501.05441). The generator's side asks the discriminator about real samples too.
    """

    paired = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(_wide(fake) - _wide(real)).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        assert real is not None, "a paired loss compares with real samples: the model passes their logits"
        return F.softplus(_wide(real) - _wide(fake)).mean()


def _logistic(real: Tensor, fake: Tensor) -> Tensor:
    """-E log sigmoid(real) - E log(1 - sigmoid(fake)), which never takes the logarithm of 0."""
    return F.softplus(-_wide(real)).mean() + F.softplus(_wide(fake)).mean()


def _wide(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
