"""Measurements y = A x of images that are linear and work on rows and columns apart, and their pseudo-inverses.

    A x = L x R^T,    A⁺ y = V ((U^T y U') / s) V'^T,    L = U diag(a) V^T,  R = U' diag(b) V'^T,  s = a b^T

Singular values below `floor` count as zero: what A weakens so much is left to the model. A⁺A projects onto the rest.
Shapes: x [..., H, W], y [..., h, w], L [h, H], R [w, W].
"""

from __future__ import annotations

import copy
import math

import attrs
import torch
from torch import Tensor

from gen.precision import no_autocast

__all__ = ["SeparableMap", "averaging", "blurring"]


@attrs.frozen(eq=False)
class SeparableMap:
    """A, from `left` L and `right` R in float64; `floor` is a share of the largest singular value."""

    left: Tensor
    right: Tensor
    floor: float = 1e-6
    _spectrum: tuple[Tensor, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        (u, a, v), (w, b, z) = (torch.linalg.svd(matrix, full_matrices=False) for matrix in (self.left, self.right))
        values = a[:, None] * b
        kept = values > self.floor * values.max()
        inverse = torch.where(kept, 1 / values.clamp(min=1e-300), 0.0)
        object.__setattr__(self, "_spectrum", (u, v, w, z, kept.to(values), inverse))

    def like(self, x: Tensor) -> SeparableMap:
        """The same map with its matrices where x is, in its precision: a loop copies them no more."""
        moved = copy.copy(self)
        for name in ("left", "right"):
            object.__setattr__(moved, name, getattr(self, name).to(x))
        object.__setattr__(moved, "_spectrum", tuple(each.to(x) for each in self._spectrum))
        return moved

    def __call__(self, x: Tensor) -> Tensor:
        """y = A x."""
        with no_autocast(x.device):
            return self.left.to(x) @ x @ self.right.T.to(x)

    def inverse(self, y: Tensor) -> Tensor:
        """A⁺ y: of all x that explain y best, the least."""
        u, v, w, z, _, inverse = (each.to(y) for each in self._spectrum)
        with no_autocast(y.device):
            return v.T @ ((u.T @ y @ w) * inverse) @ z

    def project(self, x: Tensor) -> Tensor:
        """A⁺A x: the part of x that y tells."""
        _, v, _, z, kept, _ = (each.to(x) for each in self._spectrum)
        with no_autocast(x.device):
            return v.T @ ((v @ x @ z.T) * kept) @ z


def averaging(height: int, width: int, factor: int) -> SeparableMap:
    """The mean over blocks of factor x factor pixels; both sides are multiples of the factor."""
    left, right = (
        torch.eye(side // factor, dtype=torch.float64).repeat_interleave(factor, 1) / factor for side in (height, width)
    )
    return SeparableMap(left, right)


def blurring(height: int, width: int, radius: float, floor: float) -> SeparableMap:
    """A Gaussian blur of standard deviation `radius` in pixels, the image mirrored at its borders."""
    return SeparableMap(_blur(height, radius), _blur(width, radius), floor)


def _blur(side: int, radius: float) -> Tensor:
    """The blur of one axis as a matrix [side, side] whose rows sum to one."""
    reach = math.ceil(4 * radius)
    offsets = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / radius) ** 2)
    places = (torch.arange(side)[:, None] + offsets) % (2 * side)  # [side, 2 reach + 1]
    places = torch.minimum(places, 2 * side - 1 - places)
    return torch.zeros(side, side, dtype=torch.float64).scatter_add(1, places, (kernel / kernel.sum()).expand(side, -1))
