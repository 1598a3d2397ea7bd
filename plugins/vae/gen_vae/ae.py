"""The autoencoder (Hinton and Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks).

    min over f, g of  E d(g(f(x)), x)

f the encoder, g the decoder, d the distance. It codes and reconstructs; its codes follow no known density, so it does
not generate by itself: the samplers `vae/latent-*` fit a density to its codes. Regularizers make it a contractive or
a sparse autoencoder.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component
from gen_vae.coder import Coder

__all__ = ["AE"]


@component
class AE(Coder):
    """Autoencoder: codes x in a few numbers and rebuilds it.

    Loss: the mean over the batch of the distance between x and its reconstruction, summed over the dimensions of a
    sample, in the distance's own unit, and the regularizers' penalties. There is no prior, hence nothing to draw codes
    from: `vae/latent-gaussian` and `vae/latent-mixture` fit something.
    """

    def sees(self, x: Tensor) -> Tensor:
        """x itself."""
        return x
