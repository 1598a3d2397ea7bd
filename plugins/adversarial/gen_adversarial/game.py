"""The discriminator's turn, the same for every family here: what it minimises, its penalties, what is logged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gen.interfaces import AdversarialLoss, Discriminator, Regularizer
from gen.types import Contest, Losses, Progress

__all__ = ["constrain", "discriminate"]


def discriminate(
    discriminator: Discriminator,
    loss: AdversarialLoss,
    regularizers: Sequence[Regularizer],
    real: Any,
    fake: Any,
    cond: Tensor | None,
    progress: Progress,
) -> Losses:
    """The discriminator's side on `real` and `fake`, tensors or tuples of them that carry no gradient.

    The terms are the mean logits on both and the penalties, which the total includes, in the loss's unit.
    """
    due = any(regularizer.due(progress) for regularizer in regularizers)
    if due:
        real, fake = _leaves(real), _leaves(fake)
    with torch.enable_grad() if due else _as_it_is():  # evaluation asks for penalties too
        on_real, on_fake = discriminator(real, cond), discriminator(fake, cond)
    total = loss.discriminator(on_real, on_fake)
    terms = {"real": on_real.float().mean(), "fake": on_fake.float().mean()}
    contest = Contest(real, fake, cond, on_real, on_fake)
    for regularizer in regularizers:
        penalties = regularizer(discriminator, contest, progress)
        terms.update(penalties)
        total = total + sum(penalties.values())
    return Losses(total, terms)


def constrain(discriminator: Discriminator, regularizers: Sequence[Regularizer]) -> None:
    """After an update of the discriminator: weight clipping and the like."""
    for regularizer in regularizers:
        regularizer.constrain(discriminator)


def _leaves(x: Any) -> Any:
    """The same samples, for penalties to take the slope in."""
    return tuple(_leaves(one) for one in x) if isinstance(x, tuple) else x.detach().requires_grad_()


def _as_it_is() -> AbstractContextManager[Any]:
    return nullcontext()
