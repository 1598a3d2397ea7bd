"""Small Ising models whose probabilities are enumerated: the truth for models of binary images.

    p(x) = exp(sum_i h_i x_i + sum_(i,j neighbours) J_ij x_i x_j) / Z,   x_i = -1 or +1

A lattice of 3x3 has 512 images, so Z, marginals and every conditional are exact sums (Ising 1925).
Shapes: B batch, H W sides, N = H W pixels in raster order, S = 2^N images.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

__all__ = ["Ising"]

LARGEST = 16  # pixels


@attrs.frozen(eq=False)
class Ising:
    """`field` h [H, W]; couplings J of horizontal neighbours, `right` [H, W - 1], and vertical ones, `down` [H - 1, W].

    Raises:
        ValueError: the couplings do not fit the field, or the images are too many to enumerate.
    """

    field: Tensor
    right: Tensor
    down: Tensor
    images: Tensor = attrs.field(init=False)
    probabilities: Tensor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        height, width = self.field.shape
        if self.right.shape != (height, width - 1) or self.down.shape != (height - 1, width):
            raise ValueError(
                f"a field of {height}x{width} has couplings right [{height}, {width - 1}] and down "
                f"[{height - 1}, {width}], got {list(self.right.shape)} and {list(self.down.shape)}"
            )
        if height * width > LARGEST:
            raise ValueError(f"{height}x{width} pixels are too many to enumerate: at most {LARGEST}")
        bits = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=self.field.dtype)] * (height * width))
        images = bits.reshape(-1, 1, height, width)  # [S, 1, H, W]
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "probabilities", self._score(images).softmax(0))

    @classmethod
    def example(cls, rng: torch.Generator, side: int = 3) -> Ising:
        """A random model in float64 whose neighbours tend to agree."""
        field = 0.4 * torch.randn(side, side, generator=rng, dtype=torch.float64)
        right = 0.4 + 0.3 * torch.randn(side, side - 1, generator=rng, dtype=torch.float64)
        down = 0.4 + 0.3 * torch.randn(side - 1, side, generator=rng, dtype=torch.float64)
        return cls(field, right, down)

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """n exact, independent draws [n, 1, H, W]."""
        return self.images[torch.multinomial(self.probabilities, n, replacement=True, generator=rng)]

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) [B] in nats of images [B, 1, H, W] of -1 and +1."""
        return self._score(x.to(self.field.dtype)) - self._score(self.images).logsumexp(0)

    def entropy(self) -> float:
        """In nats: the least expected -log p that a model can reach."""
        return -(self.probabilities * self.probabilities.log()).sum().item()

    def marginals(self) -> Tensor:
        """p(x_i = +1), [H, W]."""
        return torch.einsum("s,shw->hw", self.probabilities, (self.images[:, 0] > 0).to(self.probabilities))

    def conditionals(self, x: Tensor) -> Tensor:
        """p(x_i = +1 | x_<i) in raster order for images x [B, 1, H, W], [B, 1, H, W]: what an autoregressor learns."""
        on = (self.images.flatten(1) > 0).to(self.probabilities)  # [S, N]
        agree = (x.flatten(1)[:, None] > 0) == (self.images.flatten(1) > 0)  # [B, S, N]
        before = torch.cat([torch.ones_like(agree[..., :1]), agree[..., :-1]], 2).cumprod(2)  # agrees on every x_<i
        mass = before * self.probabilities[:, None]  # [B, S, N]
        return ((mass * on).sum(1) / mass.sum(1)).reshape(x.shape)

    def _score(self, x: Tensor) -> Tensor:
        """log p(x) + log Z, [B]."""
        pixels = x[:, 0]  # [B, H, W]
        across = (self.right * pixels[:, :, 1:] * pixels[:, :, :-1]).sum((1, 2))
        along = (self.down * pixels[:, 1:] * pixels[:, :-1]).sum((1, 2))
        return (self.field * pixels).sum((1, 2)) + across + along
