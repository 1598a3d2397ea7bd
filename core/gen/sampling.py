"""Drawing from a trained model: seeds of its own, chunks of bounded size, labels, what samplers are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.data import Split
from gen.errors import CommandError
from gen.interfaces import Model, Sampler
from gen.seeds import generator
from gen.types import Domain, Given

__all__ = ["draw", "given_for", "interleave", "labels_for"]


def labels_for(model: Model, n: int, label: int | None, device: torch.device) -> Tensor | None:
    """The condition of n samples [n]: one label for all, or every class in turn; None for unconditional models.

    Raises:
        CommandError: a label for a model that takes none, or out of range.
    """
    spec = model.data.cond
    conditional = spec is not None and spec.kind == "class" and getattr(model, "conditional", False)
    if not conditional:
        if label is not None:
            raise CommandError("this model was not trained with labels: leave --label out")
        return None
    assert spec is not None
    if label is None:
        return torch.arange(n, device=device) % spec.size
    if not 0 <= label < spec.size:
        raise CommandError(f"--label takes 0 to {spec.size - 1}, got {label}")
    return torch.full((n,), label, device=device)


def given_for(
    sampler: Sampler, split: Split | None, n: int, device: torch.device
) -> tuple[Given | None, Tensor | None]:
    """What the sampler starts from, taken from a split, and the labels that belong to it.

    Raises:
        CommandError: the sampler needs data and there are none.
    """
    if "x" not in sampler.given:
        return None, None
    if split is None:
        raise CommandError("this sampler starts from data: name the data root with --data-root")
    batch = split.first(n, device)
    x = batch.x if isinstance(batch.x, Tensor) else next(iter(batch.x.values()))
    return Given(x=x), batch.cond


@torch.no_grad()
def draw(
    model: Model,
    sampler: Sampler,
    n: int,
    *,
    seed: int,
    device: torch.device,
    split: Split | None = None,
    label: int | None = None,
    observe: Callable[[int, int, Tensor], None] | None = None,
) -> tuple[Tensor, Given | None]:
    """n samples [n, *shape] of a model in evaluation mode, and what they were drawn from."""
    assert not model.training, "samples are drawn in evaluation mode"
    given, given_cond = given_for(sampler, split, n, device)
    cond = labels_for(model, n, label, device)
    if cond is not None and given_cond is not None and label is None:
        cond = given_cond
    rng = generator(seed, "sample", device=device)
    options: dict[str, Any] = {"rng": rng, "cond": cond, "given": given, "observe": observe}
    return sampler.sample(model, n, **options), given


def interleave(sampler: Sampler, x: Tensor, given: Given | None, domain: Domain) -> tuple[Tensor, int | None]:
    """The samples in the order of a picture, and its columns: reconstructions stand under what they reconstruct."""
    columns = sampler.columns(len(x))
    if given is None or given.x is None or columns is not None or tuple(given.x.shape) != tuple(x.shape):
        return x, columns
    columns = min(len(x), 12)
    blocks = [
        torch.cat([given.x[start : start + columns], x[start : start + columns]])
        for start in range(0, len(x) - len(x) % columns, columns)
    ]
    return torch.cat(blocks), columns
