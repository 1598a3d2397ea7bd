"""A condition as a code that networks can use: the three ways of this plugin.

- `norm` (generators): gain and shift of every batch norm (de Vries et al. 2017, arXiv:1707.00683);
- `input`: the code joins the input, z of a generator or, as a further channel, x of a discriminator (Mirza and
  Osindero 2014, arXiv:1411.1784);
- `projection` (discriminators): the inner product of a code with the last features is added to the logit (Miyato and
  Koyama 2018, arXiv:1802.05637).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_gan.networks.layers import linear
from gen_gan.networks.spectral import SpectralEmbedding

__all__ = ["Code"]


class Code(nn.Module):
    """A condition [B] or [B, size] → a code [B, features]: an embedding of labels, a linear map of vectors.

    Labels have one row more, for the null label; `cond=None` is null for every sample (the zero vector, for vectors).
    `spectral`: the largest singular value of the map is 1.

    Raises:
        ShapeError: the condition is an image.
    """

    def __init__(self, title: str, spec: CondSpec, features: int, *, spectral: bool = False) -> None:
        super().__init__()
        if spec.kind == "image":
            raise ShapeError(f"{title} can be told a class or a vector, not an image: wire it without the condition")
        self.size, self.null, self.classes = spec.size, spec.null, spec.kind == "class"
        if self.classes:
            self.map: nn.Module = (SpectralEmbedding if spectral else nn.Embedding)(spec.size + 1, features)
        else:
            self.map = linear(spec.size, features, bias=False, spectral=spectral)

    def forward(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """The codes for the batch `x` [B, ...], whose size and device serve where `cond` is None."""
        if self.classes:
            labels = torch.full(x.shape[:1], self.null, device=x.device) if cond is None else cond  # [B]
            code: Tensor = self.map(labels)
            return code
        given = x.new_zeros(x.shape[0], self.size) if cond is None else cond  # [B, size]
        code = self.map(given.to(self.map.weight.dtype))
        return code
