"""What the samplers of denoisers share: grid, guidance, the start in noise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import interface, option, slot
from gen.errors import OptionError
from gen.interfaces import Denoiser, Sampler
from gen.types import Given
from gen_diffusion.samplers.grid import GRIDS, make_grid
from gen_diffusion.samplers.walk import Guidance, Walk

__all__ = ["DenoisingSampler", "GridSampler"]


@interface
class GridSampler(Sampler):
    """Walks a grid of noise levels from noise to data, asking the model for clean x on the way."""

    needs = ("denoise",)
    steps: int = option(50, min=1, max=100_000, doc="steps from noise to data")
    grid: str = option("time", choices=GRIDS, doc="what the steps divide evenly: t, t down to 0, log-SNR, sigma^(1/7)")
    guidance: float = option(1.0, min=0, max=100, doc="w: how far beyond the weak estimate; 1 = off, 0 = the weak one")
    interval: tuple[float, float] = option((0.0, 1.0), min=0, max=1, doc="times between which guidance acts")
    rescale: float = option(0.0, min=0, max=1, doc="share of the guided estimate's spread that is set back")
    clip: bool = option(False, doc="keep estimates of x within the range of the data")
    guide: Denoiser | None = slot(default=None, doc="a weaker network to guide by, taken from a run")

    def check(self, model: Any) -> None:
        """Raises:
        OptionError: guidance that cannot act on this model.
        """
        if self.interval[0] > self.interval[1]:
            raise OptionError(f"interval must rise, got {list(self.interval)}")
        if not getattr(model, "conditional", True):
            self._check_guided(None)
        if self.guide is not None and not _fits(self.guide, model.denoiser):
            raise OptionError(
                f"guide maps {_told(self.guide)}, but the model's denoiser {_told(model.denoiser)}: take one trained "
                "on the same data by the same kind of model"
            )

    def start(
        self,
        model: Any,
        cond: Tensor | None,
        rng: torch.Generator,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Walk:
        """The walk of one call: its grid, how it is guided.

        Raises:
            OptionError: guidance that cannot act.
        """
        self.check(model)
        self._check_guided(cond)
        grid = make_grid(model.schedule, self.steps, self.grid, rng.device)
        guidance = Guidance(self.guidance, self.interval, self.rescale, self.guide)
        return Walk(
            model, grid, cond if getattr(model, "conditional", True) else None, guidance, rng, self.clip, observe
        )

    def _check_guided(self, cond: Tensor | None) -> None:
        """Guidance acts on labels, or through a weaker network."""
        if self.guidance != 1 and cond is None and self.guide is None:
            raise OptionError(
                f"guidance: {self.guidance:g} needs labels or a weaker network: train with conditional: true, or "
                "give guide"
            )


@interface
class DenoisingSampler(GridSampler):
    """A grid sampler that starts from noise alone: all that is its own is how it walks."""

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        walk = self.start(model, cond, rng, observe)
        x = torch.randn(n, *model.data.shape, generator=rng, device=rng.device)  # [n, *shape]
        return self.walk(walk, x * walk.grid.sigma[0])

    @abstractmethod
    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        """From x [n, *shape] at the first stop of the grid to clean samples."""


def _fits(guide: Denoiser, denoiser: Denoiser) -> bool:
    shapes = guide.in_shape == denoiser.in_shape and guide.out_shape == denoiser.out_shape
    return shapes and (guide.cond is None or guide.cond == denoiser.cond)


def _told(network: Denoiser) -> str:
    labels = "no labels" if network.cond is None else f"{network.cond.size} labels"
    return f"{network.in_shape} to {network.out_shape} by {labels}"
