"""The denoising autoencoder (Vincent et al. 2008; Vincent et al. 2010, Stacked Denoising Autoencoders).

    min over r of  E d(r(x~), x),   x~ ~ C(x~|x),   r = decoder after encoder

With Gaussian noise and squared errors the best r is the mean of p(x|x~), and by Tweedie's relation it knows the score
of the noisy density (Miyasawa 1961; Vincent 2011; Alain and Bengio 2014, arXiv:1211.4246):

    r(x~) - x~  =  sigma^2 grad log p_sigma(x~)
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component, slot
from gen.errors import GenError
from gen.interfaces import Corruption
from gen_vae.coder import Coder
from gen_vae.corruptions.gaussian import GaussianNoise

__all__ = ["DAE"]


@component
class DAE(Coder):
    """Denoising autoencoder: rebuilds x from a spoiled copy of it.

    Loss: the mean over the batch of the distance between x and the reconstruction of a corrupted x, summed over the
    dimensions of a sample, in the distance's own unit, and the regularizers' penalties. `encode` and `reconstruct`
    take what they are given as it is: clean data to code, spoiled data to restore.
    """

    corruption: Corruption = slot(default="vae/gaussian-noise", doc="what spoils x before the encoder sees it")

    def sees(self, x: Tensor) -> Tensor:
        """A corrupted copy of x."""
        return self.corruption(x)

    def score(self, x_noisy: Tensor, cond: Tensor | None = None) -> Tensor:
        """(r(x_noisy) - x_noisy) / sigma^2 [B, *shape]: the score of the noisy density that the model has learned.

        Raises:
            GenError: the corruption is not additive Gaussian noise, to which alone the relation belongs.
        """
        if not isinstance(self.corruption, GaussianNoise):
            raise GenError("only a model trained with vae/gaussian-noise knows a score: choose that corruption")
        return (self.reconstruct(x_noisy, cond) - x_noisy) / self.corruption.sigma**2
