"""What samplers with a fitted latent density share: they learn from the codes of training data, then decode draws.

Shapes: N codes, D their size, K components.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from gen.component import interface, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Batch, Given
from gen_vae.samplers.placing import device_of
from gen_vae.samplers.starts import real_codes

__all__ = ["Latent"]


@interface
class Latent(Sampler):
    """Fits a density to codes z = encode(x) and shows decode(z) of its draws; one density for all labels together."""

    needs = ("encode", "decode")
    limit: int = option(10_000, min=2, max=100_000_000, doc="training samples whose codes are used, the first ones")

    @abstractmethod
    def learn(self, codes: Tensor) -> dict[str, Tensor]:
        """The density's arrays, from codes [N, D] in float64 on the CPU."""

    @abstractmethod
    def density_draws(self, learned: Mapping[str, Tensor], n: int, rng: torch.Generator) -> Tensor:
        """n draws [n, D] of the density, in float64, where `rng` lives."""

    @torch.no_grad()
    def fit(self, model: Any, batches: Iterable[Batch]) -> None:
        codes: list[Tensor] = []
        for batch in batches:
            codes.append(real_codes(model, batch.x, batch.cond).cpu())
            if sum(map(len, codes)) >= self.limit:
                break
        z = torch.cat(codes)[: self.limit]  # [N, *z]
        self._learned = {**self.learn(z.flatten(1).double()), "like": torch.zeros_like(z[0])}

    def state(self) -> dict[str, Tensor]:
        return dict(getattr(self, "_learned", {}))

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._learned = dict(state)

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
        learned = self.state()
        if not learned:
            raise GenError(
                "this sampler draws codes from a density that is fitted to training data, and it was not: name it "
                "under sample: in the recipe of the run, or call fit"
            )
        like = learned.pop("like")
        z = self.density_draws({name: t.to(rng.device) for name, t in learned.items()}, n, rng)
        return model.decode(z.to(device_of(model), like.dtype).view(n, *like.shape), cond)
