"""What the models of this plugin tell their parts: shapes, labels, the range of the data; and what they refuse."""

from __future__ import annotations

from torch import Tensor

from gen.errors import ShapeError
from gen.interfaces import Prior
from gen.types import Domain

__all__ = ["settle", "squashed"]


def settle(prior: Prior) -> None:
    """Takes the prior as it stands: here it is the codes that come to it.

    Raises:
        ShapeError: the prior is made of the model's own posteriors.
    """
    if hasattr(prior, "bind"):
        raise ShapeError("this prior is made of posteriors, and here codes come to a prior that stands: choose another")
    prior.requires_grad_(False)


def squashed(y: Tensor, domain: Domain, squash: bool) -> Tensor:
    """A decoder's output as samples: through tanh into the range of the data, if asked for."""
    if not squash:
        return y
    low, high = domain.range
    return low + (high - low) * 0.5 * (y.tanh() + 1)
