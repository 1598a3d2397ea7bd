"""The codebook of VQ-VAE (van den Oord et al. 2017, arXiv:1711.00937), learned by moving averages (appendix A.1).

Each code vector is the average of the encoder's vectors that chose it. Codes that are hardly chosen take the place of
a vector of the batch (as in Dhariwal et al. 2020, Jukebox, arXiv:2005.00341, section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen.precision import no_autocast
from gen_vae.quantizers.quantizer import Quantized, Quantizer, rows_of

__all__ = ["Codebook"]


@component
class Codebook(Quantizer):
    """The nearest of V learned vectors. The penalty is commitment * |z - e|^2, summed over a sample's code.

    The vectors start as vectors of the first batch. All processes learn from the sums over all of them.
    """

    codes: int = option(512, min=1, max=10_000_000, doc="code vectors, V")
    decay: float = option(0.99, min=0, below=1, doc="share of the moving averages kept per step")
    commitment: float = option(0.25, min=0, max=1e6, doc="weight of the distance of codes from their vectors, beta")
    dead: float = option(0.05, min=0, max=0.5, doc="codes chosen less often than this share of even use begin anew")

    def build(self) -> None:
        self.register_buffer("vectors", torch.randn(self.codes, self.shape[0]))  # [V, D]
        self.register_buffer("counts", torch.zeros(self.codes))  # uses per step, averaged; all 0: nothing learned yet
        self.register_buffer("sums", torch.zeros(self.codes, self.shape[0]))
        self._seen: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def values(self) -> int:
        return self.codes

    def forward(self, z: Tensor) -> Quantized:
        with no_autocast(z.device):
            rows = rows_of(z)  # [N, D]
            distances = torch.addmm(self.vectors.square().sum(1), rows.detach(), self.vectors.T, alpha=-2)  # less |z|^2
            flat = distances.argmin(1)  # [N]
            if self.training and torch.is_grad_enabled():
                self._note(rows.detach(), flat)
            tokens = flat.view(z.shape[0], *z.shape[2:])
            chosen = self.lookup(tokens)
            penalty = self.commitment * (z - chosen).square().flatten(1).sum(1)
            return Quantized(z + (chosen - z).detach(), tokens, penalty)

    def lookup(self, tokens: Tensor) -> Tensor:
        return self.vectors[tokens].movedim(-1, 1)

    @torch.no_grad()
    def after_step(self) -> None:
        """Moves the averages, then the vectors; the same on every process."""
        if self._seen is None:
            return
        counts, sums, pool = self._seen
        self._seen = None
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(counts)
            torch.distributed.all_reduce(sums)
            torch.distributed.broadcast(pool, 0)
        even, new = counts.sum() / self.codes, self.counts.sum() == 0
        kept = torch.where(new, 0.0, self.decay)
        counts, sums = kept * self.counts + (1 - kept) * counts, kept * self.sums + (1 - kept) * sums
        lost = new | (counts < self.dead * even)  # [V]
        heirs = pool[((lost.cumsum(0) - 1) * len(pool) // lost.sum().clamp(min=1)).clamp(min=0)]  # spread over the pool
        trial = (2 * self.dead or 1.0) * even  # uses a new code is credited with: few, to move fast or die soon
        self.counts.copy_(torch.where(lost, trial, counts))
        self.sums.copy_(torch.where(lost.unsqueeze(1), trial * heirs, sums))
        known = (self.counts > 1e-6).unsqueeze(1)
        self.vectors.copy_(torch.where(known, self.sums / self.counts.clamp(min=1e-6).unsqueeze(1), self.vectors))

    def _note(self, rows: Tensor, flat: Tensor) -> None:
        """Adds to what the step has seen: uses [V], sums [V, D], and some of its vectors [V, D], the first ones met."""
        chosen = F.one_hot(flat, self.codes).to(rows.dtype)  # [N, V]
        counts, sums = chosen.sum(0), chosen.T @ rows
        if self._seen is None:
            some = torch.arange(self.codes, device=rows.device) * len(rows) // self.codes
            self._seen = counts, sums, rows[some]
        else:
            self._seen = self._seen[0] + counts, self._seen[1] + sums, self._seen[2]
