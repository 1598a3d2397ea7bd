"""The one shape of all networks here: stages, each with its shift from the condition, then a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from gen.component import interface
from gen.interfaces import Network
from gen_nets.condition import Condition

__all__ = ["Stage", "Staged"]


class Stage(nn.Module):
    """h → act(layer(h) + shift)."""

    def __init__(self, layer: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.layer, self.act = layer, act

    def forward(self, h: Tensor, shift: Tensor | None = None) -> Tensor:
        h = self.layer(h)
        h = self.act(h if shift is None else h + shift)
        return h


@interface
class Staged(Network):
    """A chain of stages and a head, [B, *in_shape] → [B, *out_shape]; what derives from it only builds them."""

    family: ClassVar[str]

    @property
    def title(self) -> str:
        """What messages call the network: `conv-encoder`."""
        return f"{self.family}-{self.kind}"

    def assemble(self, stages: Sequence[nn.Module], widths: Sequence[int], head: nn.Module, *, maps: bool) -> None:
        """Keeps the stages (`widths` says what each puts out, `maps` whether it is a feature map) and the head."""
        self.stages = nn.ModuleList(stages)
        self.condition = Condition(self.title, self.cond, widths, maps)
        self.head = head

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """[B, *in_shape] → [B, *out_shape], told labels [B] or vectors [B, size]; None is the null condition."""
        h = x
        for stage, shift in zip(self.stages, self.condition(x, cond), strict=True):
            h = stage(h, shift)
        out: Tensor = self.head(h)
        return out
