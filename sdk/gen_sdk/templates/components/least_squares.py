"""An adversarial loss: both sides of the game, as pure functions of logits.

    D: 1/2 E (D(x) - 1)² + 1/2 E (D(G(z)) + 1)²       G: 1/2 E (D(G(z)) - 1)²

Least squares (Mao et al. 2017, arXiv:1611.04076, with b = c = 1 and a = -1): a sample that is judged real with too much
confidence is drawn back as well, so gradients do not vanish.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component
from gen.interfaces import AdversarialLoss

__all__ = ["LeastSquares"]


@component
class LeastSquares(AdversarialLoss):
    """Real samples should get the logit 1, generated ones -1; the generator wants 1 for its own."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * ((real - 1).square().mean() + (fake + 1).square().mean())

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0.5 * (fake - 1).square().mean()
