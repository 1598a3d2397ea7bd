"""BiGAN: at the equilibrium the encoder inverts the generator."""

from __future__ import annotations

import pytest
import torch

from gen.types import Batch, Progress
from gen_losses.adversarial import LeastSquares, NonSaturating
from gen_losses.slopes import R1, R2

NOW = Progress(0, 10)


def test_encoder_inverts_the_generator_of_a_line(make, affine, quadric):
    """x ~ N(1.5, 0.5^2) and z ~ N(0, 1): G(z) = 1.5 ± 0.5 z and E its inverse."""
    model = make(
        "bigan", (1,), None, latent=1, squash=False, encoder=affine, decoder=affine, discriminator=quadric,
        regularizers=(R1(gamma=0.1), R2(gamma=0.1)),
    )  # fmt: skip
    optimizers = [
        torch.optim.Adam([p for part in phase.train for p in part.parameters()], lr=rate, betas=(0.5, 0.9))
        for phase, rate in zip(model.phases(), (1e-2, 3e-2), strict=True)
    ]
    for step in range(700):
        x = 1.5 + 0.5 * torch.randn(128, 1)
        for phase, optimizer in zip(model.phases(), optimizers, strict=True):
            optimizer.zero_grad()
            phase.loss(Batch(x, None, torch.arange(128)), Progress(step, 700)).total.backward()
            optimizer.step()
    z = torch.linspace(-2, 2, 9).unsqueeze(1)
    with torch.no_grad():
        x, again = model.decode(z), model.encode(model.decode(z))

    assert (again - z).abs().max() < 0.3
    assert x.mean().item() == pytest.approx(1.5, abs=0.15)
    assert (x[-1] - x[0]).abs().item() == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize("loss", [NonSaturating, LeastSquares])
def test_both_players_minimise_one_loss_with_the_labels_exchanged(make, batch, loss):
    """A discriminator that says nothing loses the same on either side."""
    model = make("bigan", loss=loss())
    torch.nn.init.zeros_(model.discriminator.head[0].weight)
    totals = [phase.loss(batch, NOW).total.item() for phase in model.phases()]

    assert totals[0] == pytest.approx(totals[1])
