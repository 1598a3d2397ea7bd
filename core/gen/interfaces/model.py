"""A family: its parts, their wiring, its phases, and what it can do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
from torch import Tensor, nn

from gen.component import interface, wired
from gen.interfaces.part import Part
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["CAPABILITIES", "Model", "Phase"]

CAPABILITIES = (
    "encode",
    "decode",
    "reconstruct",
    "generate",
    "log_prob",
    "denoise",
    "reverse_variance",
    "complete",
    "translate",
    "forecast",
    "code",
)
"""Methods of a model with one fixed meaning; samplers, metrics and tasks say which they need.

`encode(x, cond) → z` (the code, or the mean of q(z|x)) · `decode(z, cond) → x` (the mean of p(x|z)) ·
`reconstruct(x, cond) → x` · `generate(z, cond) → x` · `log_prob(x, cond) → [B]` nats (`log_prob_kind`: exact,
lower bound, estimate) · `denoise(x_noisy, t, cond) → x` ·
`reverse_variance(x_noisy, t, earlier, cond) → (x, variance of x_earlier)`, of one network call ·
`complete(x, mask, cond, rng) → x` · `translate(x, to) → x` · `forecast(x, steps) → x` ·
`code(n, choose, cond, **terms) → x` (n samples, value by value: `choose` is handed the chances [n, K] of the next value
of each and answers with symbols [n], which decide what comes out; `symbols(x, **terms) → [n, N]` are those that make x,
and `code_terms(x)` is what both must be told besides).

Besides these, `solve(batches)` fits a model in closed form, from all training samples in their order: a recipe that
says of no steps and no epochs is solved, and such a model may have no phases.
"""


@attrs.frozen
class Phase:
    """One player's turn: the parts it trains, the loss it minimises, and how often.

    It is due at every `every`-th step and then runs `repeat` times, on a fresh batch each time. `sparse` declares that
    some of its parameters may get no gradient in some steps (a lazy regularizer alone, say).
    """

    name: str
    train: Sequence[nn.Module]
    loss: Callable[[Batch, Progress], Losses]
    every: int = 1
    repeat: int = 1
    sparse: bool = False


@interface
class Model(Part):
    """A family: owns its parts, their wiring, its phases, and says by its methods what it can do."""

    kind = "model"
    phase_names: ClassVar[tuple[str, ...]] = ()
    log_prob_kind: ClassVar[str] = "exact"
    data: DataSpec = wired()

    @classmethod
    def wire(cls, data: DataSpec, **options: Any) -> Mapping[str, Shapes]:  # type: ignore[override]
        """The shapes of the slots: a pure function of the data spec, the options and the slots without shapes."""
        return {}

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of one step, in order; their names are `phase_names`."""

    def after_step(self, phase: str, progress: Progress) -> None:
        """Called after each of a phase's updates: weight clipping, codebook revival and the like."""

    def code_terms(self, x: Tensor) -> Mapping[str, int]:
        """What `code` and `symbols` must be told of samples x besides, to be kept with the code: a range, a length.

        Raises:
            GenError: these samples cannot be coded; the message says why.
        """
        return {}

    @classmethod
    def capabilities(cls) -> tuple[str, ...]:
        """The fixed-meaning methods this family implements."""
        return tuple(name for name in (*CAPABILITIES, "solve") if callable(getattr(cls, name, None)))
