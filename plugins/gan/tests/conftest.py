"""Small GANs for the tests."""

import pytest
import torch

from gen.types import Batch, CondSpec, DataSpec, Domain
from gen_gan.gan import GAN
from gen_gan.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gen_losses.adversarial import NonSaturating

SHAPE, LATENT = (1, 8, 8), 4
CLASSES = CondSpec("class", 10)


@pytest.fixture
def make():
    """make(cond=…, norm=…, loss=…, …) → a GAN of 8x8 images with DCGAN networks, seeded."""

    def build(*, conditional=False, norm="none", loss=None, **slots):
        torch.manual_seed(0)
        cond = CLASSES if conditional else None
        return GAN(
            latent=LATENT,
            conditional=conditional,
            generator=DCGANGenerator(in_shape=(LATENT,), out_shape=SHAPE, cond=cond, width=8),
            discriminator=DCGANDiscriminator(in_shape=SHAPE, out_shape=(), cond=cond, width=8, norm=norm),
            loss=loss or NonSaturating(),
            **{"data": DataSpec.single(Domain(SHAPE), CLASSES), "augment": None, **slots},
        )

    return build


@pytest.fixture
def batch():
    rng = torch.Generator().manual_seed(1)
    x = torch.rand(6, *SHAPE, generator=rng) * 2 - 1
    return Batch(x, torch.arange(6), torch.arange(6))
