"""A model that needs no training: Gaussian data of which every capability is in closed form.

    x ~ N(m, diag s^2),   z = R (x - m) / s with R a rotation, so that codes are standard normal
    E[x | x_noisy] = m + gain (x_noisy - alpha m),   gain = alpha s^2 / (alpha^2 s^2 + sigma^2)

So a sampler that asks it can be held against the truth: mean, variance, and order of convergence. Labels shift m. It
counts its calls, and can spoil one row of all it answers, to see where that row goes. Shapes: B batch, N numbers of x.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Model, Phase
from gen.noise import expand
from gen.noise_schedules import TrigonometricPath
from gen.types import Batch, CondSpec, DataSpec, Domain, Shape
from gen_sdk.checks.toys import ToyCorruption, ToyPrior, normals

__all__ = ["Analytic", "analytic", "batches"]

LABELS = CondSpec("class", 3)


@component
class Analytic(Model):
    """Gaussian data, known exactly; `conditional`: every label has a mean of its own."""

    log_prob_kind = "exact"
    conditional: bool = option(False, doc="labels shift the mean")

    def build(self) -> None:
        rng = torch.Generator().manual_seed(11)
        shape = next(iter(self.data.domains.values())).shape
        self.latent = math.prod(shape)
        self.m: Tensor
        self.s: Tensor
        self.rotation: Tensor
        self.register_buffer("m", 0.6 * torch.rand(shape, generator=rng, dtype=torch.float64) - 0.3)
        self.register_buffer("s", 0.1 + 0.15 * torch.rand(shape, generator=rng, dtype=torch.float64))
        noise = torch.randn(self.latent, self.latent, generator=rng, dtype=torch.float64)
        self.register_buffer("rotation", torch.linalg.qr(noise)[0].contiguous())
        self.unit = nn.Parameter(torch.ones(()))
        self.prior = ToyPrior(shape=(self.latent,))
        self.corruption = ToyCorruption()
        self.schedule = TrigonometricPath()
        self.calls = 0
        self.spoiled: int | None = None

    def phases(self) -> Sequence[Phase]:
        return ()

    def draws(self, n: int, rng: torch.Generator) -> Tensor:
        """n samples [n, *shape] of the truth, float32."""
        return (self.m + self.s * torch.randn(n, *self.m.shape, generator=rng, dtype=torch.float64)).float()

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        white = ((x - self.m.to(x)) / self.s.to(x)).flatten(1)
        return self._answer(white @ self.rotation.T.to(x))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        white = (z.flatten(1) @ self.rotation.to(z)).unflatten(1, self.m.shape)
        return self._answer(self._mean(z, cond) + self.s.to(z) * white)

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.decode(z, cond)

    def draw(self, z: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        """A draw of p(x|z), which is narrow."""
        x = self.decode(z, cond)
        return x + 0.01 * normals(x, rng)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self._answer(x + self._mean(x, cond) - self.m.to(x))

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        squares = ((x - self._mean(x, cond)) / self.s.to(x)).square()
        terms = squares + 2 * self.s.to(x).log() + math.log(2 * math.pi)
        return self._answer(-0.5 * terms.flatten(1).sum(1), wide=True)

    def denoise(self, x_noisy: Tensor, t: Any, cond: Tensor | None = None) -> Tensor:
        time = torch.as_tensor(t, dtype=x_noisy.dtype).expand(len(x_noisy))  # [B]
        alpha, sigma = (expand(level(time), x_noisy) for level in (self.schedule.alpha, self.schedule.sigma))
        mean, variance = self._mean(x_noisy, cond), self.s.to(x_noisy).square()
        gain = alpha * variance / (alpha.square() * variance + sigma.square())
        return self._answer(mean + gain * (x_noisy - alpha * mean), wide=True)

    def complete(
        self, x: Tensor, mask: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Known pixels (mask 1) as they are, the others from the truth, in which pixels are independent."""
        drawn = self._mean(x, cond) + self.s.to(x) * normals(x, rng)
        return self._answer(torch.where(mask.bool(), x, drawn))

    def translate(self, x: Tensor, to: str) -> Tensor:
        if to not in self.data.domains:
            raise GenError(
                f'there is no domain "{to}" to translate to: this model knows {", ".join(self.data.domains)}'
            )
        return self._answer(-x)

    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """The mean: values in a series are independent."""
        return self._answer(x.mean(-1, keepdim=True).expand(*x.shape[:-1], steps))

    def _mean(self, like: Tensor, cond: Tensor | None) -> Tensor:
        """m, shifted by labels (not by the null label), [B, *shape] or [*shape]."""
        mean = self.m.to(like)
        if cond is None or not self.conditional:
            return mean
        shift = torch.where(cond == LABELS.null, 0.0, 0.1 * (cond + 1.0))
        return mean + shift.to(like.dtype).view(-1, *[1] * self.m.ndim)

    def _answer(self, x: Tensor, wide: bool = False) -> Tensor:
        """Under autocast as narrow as a network's, unless the interface promises float32 (`wide`)."""
        self.calls += 1
        x = x * self.unit.to(x.dtype)
        if not wide and torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        if self.spoiled is None:
            return x
        return torch.cat([x[: self.spoiled], x[self.spoiled : self.spoiled + 1] + 0.37, x[self.spoiled + 1 :]])


def analytic(shape: Shape = (1, 4, 4), *, domains: Sequence[str] = ("x",), conditional: bool = False) -> Analytic:
    """The model, in evaluation mode, over images of this shape (of two domains, for samplers that translate)."""
    data = DataSpec({name: Domain(shape) for name in domains}, LABELS if conditional else None)
    return Analytic(data=data, conditional=conditional).eval()


def batches(model: Analytic, count: int = 4, size: int = 64) -> Iterator[Batch]:
    """Data that a sampler may be fitted to."""
    for number in range(count):
        x = model.draws(size, torch.Generator().manual_seed(100 + number))
        cond = torch.arange(size) % LABELS.size if model.conditional else None
        yield Batch(x, cond, torch.arange(size) + size * number)
