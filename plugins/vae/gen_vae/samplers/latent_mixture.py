"""Codes from a mixture of Gaussians, fitted to those of the training data (as in Ghosh et al. 2020, 1903.12436)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor

from gen.component import component, option
from gen_vae.samplers.latent import Latent
from gen_vae.samplers.latent_gaussian import root_of

__all__ = ["LatentMixture"]


@component
class LatentMixture(Latent):
    """New samples: z from a mixture of Gaussians with full covariances, then what z stands for.

    Fitted by expectation maximisation (scikit-learn's GaussianMixture, always from the same start); what is kept are
    its weights, means and covariances' roots.
    """

    components: int = option(10, min=1, max=10_000, doc="Gaussians in the mixture, K")
    iterations: int = option(100, min=1, max=1_000_000, doc="rounds of expectation maximisation at most")

    def learn(self, codes: Tensor) -> dict[str, Tensor]:
        # Its own import: scikit-learn takes a second to load, and only fitting needs it.
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        spread = float(codes.var(0, correction=0).mean())
        mixture = GaussianMixture(
            min(self.components, len(codes)),
            max_iter=self.iterations,
            reg_covar=1e-6 * spread + 1e-12,
            random_state=0,
        )
        with warnings.catch_warnings():  # an early stop costs likelihood, not soundness
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(codes.numpy())
        arrays = (mixture.weights_, mixture.means_, mixture.covariances_)
        weights, means, covariances = (torch.from_numpy(array).double() for array in arrays)
        return {"weights": weights, "means": means, "roots": root_of(covariances)}

    def density_draws(self, learned: Mapping[str, Tensor], n: int, rng: torch.Generator) -> Tensor:
        k = torch.multinomial(learned["weights"], n, replacement=True, generator=rng)  # [n]
        mean = learned["means"][k]
        noise = torch.randn(mean.shape, generator=rng, device=rng.device, dtype=mean.dtype)
        return mean + (learned["roots"][k] @ noise.unsqueeze(2)).squeeze(2)
