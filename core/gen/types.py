"""Data contracts between the parts of the framework: shapes, what the data are, batches, losses.

Torch-free at run time: the annotations alone name tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import attrs

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Batch", "CondSpec", "Contest", "DataSpec", "Domain", "Given", "Losses", "Progress", "Shape", "Shapes"]

Shape: TypeAlias = tuple[int, ...]
"""A shape of one sample, without the batch: (C, H, W) for images, (D,) for vectors."""


@attrs.frozen
class Domain:
    """One domain of the data: the shape of a sample, what it is, the range of its values.

    `levels` is the number of distinct values of quantized data (256 for 8-bit images, 2 for binary ones), None for
    continuous data; bits/dim are defined through it.
    """

    shape: Shape
    modality: Literal["image", "vector", "series", "tokens"] = "image"
    range: tuple[float, float] = (-1.0, 1.0)
    levels: int | None = None


@attrs.frozen
class CondSpec:
    """What a condition is: `class` (a label below `size`), `vector` (of `size`) or `image` (of `shape`).

    `null` is the label that stands for "no condition": unconditional use, condition dropout and guidance need it.
    """

    kind: Literal["class", "vector", "image"]
    size: int
    shape: Shape | None = None

    @property
    def null(self) -> int:
        return self.size


@attrs.frozen
class DataSpec:
    """What a data set holds: its domains (one, or several for translation) and the condition that comes along."""

    domains: Mapping[str, Domain]
    cond: CondSpec | None = None

    @classmethod
    def single(cls, domain: Domain, cond: CondSpec | None = None) -> DataSpec:
        return cls({"x": domain}, cond)

    @property
    def domain(self) -> Domain:
        """The single domain; several are an error of the caller, who must ask for one by name."""
        assert len(self.domains) == 1, f"data with the domains {', '.join(self.domains)} have no single one"
        return next(iter(self.domains.values()))

    @property
    def shape(self) -> Shape:
        return self.domain.shape


@attrs.frozen
class Shapes:
    """What the owner of a join tells a part: what comes in, what must come out (per sample), and the condition."""

    in_shape: Shape
    out_shape: Shape
    cond: CondSpec | None = None


class Batch(NamedTuple):
    """A batch of samples. `x`: [B, *shape], or a mapping domain → tensor; `cond`: [B] labels or None; `index`: [B]."""

    x: Any
    cond: Tensor | None
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a batch


class Contest(NamedTuple):
    """What a discriminator was shown, and said: the batch of an adversarial regularizer.

    `real` and `fake` [B, *shape] (or tuples of tensors) as it saw them, augmented and in this order; `cond` [B] or
    None. The logits [B, ...] hang on `real` and `fake` by autograd where a regularizer is `due`, and are None where
    nobody asked the discriminator (a regularizer of the generator).
    """

    real: Any
    fake: Any
    cond: Tensor | None = None
    real_logits: Tensor | None = None
    fake_logits: Tensor | None = None


class Losses(NamedTuple):
    """The scalar to minimise, and the named scalars to log, in stated units (nats per sample; never mixed)."""

    total: Tensor
    terms: dict[str, Tensor]


class Progress(NamedTuple):
    """How far training is, for warm-ups and lazy regularizers.

    `step` counts from 0 to `steps` - 1, `turn` the updates of the phase at hand: fewer than the steps where it has its
    turn every few of them, more where it has several in one.
    """

    step: int
    steps: int
    turn: int = 0


@attrs.frozen
class Given:
    """What a sampler starts from besides noise: data to reconstruct or complete, a mask (1 = known), a domain.

    `observed`: x is what somebody has, small or blurred as it may be, and not data to try a task on, which the task
    would first degrade itself.
    """

    x: Tensor | None = None
    mask: Tensor | None = None
    to: str | None = None
    observed: bool = False
