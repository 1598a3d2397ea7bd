"""Points in the plane, drawn from densities that are known exactly."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.seeds import generator
from gen.types import CondSpec, DataSpec, Domain
from gen_data.densities import Density, figure

__all__ = ["Points2d"]


@component
class Points2d(Dataset):
    """Points in the plane whose exact density is known: rings, moons and mixtures of Gaussians.

    Drawn when opened, the same points for the same options. The label is the ring, moon or Gaussian a point was drawn
    from. `range` [-1, 1] holds the bulk: a Gaussian has no bounds.
    """

    figure: str = option(
        "eight-gaussians", choices=("eight-gaussians", "grid", "moons", "rings"), doc="what the points draw"
    )
    noise: float = option(0.05, min=0.02, max=0.5, doc="standard deviation of the Gaussian blur")
    size: int = option(10_000, min=1, max=10_000_000, doc="samples for training")
    val: int = option(2_000, min=1, max=10_000_000, doc="samples for validation")
    test: int = option(2_000, min=1, max=10_000_000, doc="samples for the test")
    seed: int = option(0, min=0, doc="of the draws; the seed of the run has no part in them")

    @property
    def density(self) -> Density:
        """What the points are drawn from; `density.log_prob(x)` is exact."""
        return figure(self.figure, self.noise)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) [B] in nats of points [B, 2], exact."""
        return self.density.log_prob(x)

    def open(self, split: str, root: Path) -> Rows:
        sizes = {"train": self.size, "val": self.val, "test": self.test}
        if split not in sizes:
            raise DataError(f'there is no split "{split}": train, val and test are')
        density = self.density
        x, label = density.sample(sizes[split], generator("points2d", self.figure, self.seed, split))
        spec = DataSpec.single(Domain((2,), "vector"), CondSpec("class", density.parts))
        return TensorRows(spec, x, label)
