"""Penalties in the slots of vae/ae and vae/dae."""

import torch

from gen.component import component
from gen.interfaces import Regularizer
from gen.types import Batch, Progress

X = torch.linspace(-1, 1, 30).view(5, 1, 2, 3)
LABELS = torch.tensor([0, 1, 2, 0, 1])


@component
class Energy(Regularizer):
    """The mean square of the codes, and what it was shown."""

    def __call__(self, network, batch, progress):
        self.seen = (network, batch, progress)
        return {"energy": network(batch.x, batch.cond).square().mean()}


def test_penalties_join_the_loss_and_its_terms(ae, dae):
    for make in (ae, dae):
        energy, progress = Energy(), Progress(3, 9)
        model = make(regularizers=(energy,), conditional=True)
        losses = model.loss(Batch(X, LABELS, torch.arange(5)), progress)

        torch.testing.assert_close(losses.total, losses.terms["distance"] + losses.terms["energy"])
        assert energy.seen[0] is model.encoder
        assert energy.seen[2] is progress
        assert energy.seen[1].cond is LABELS


def test_penalties_of_a_dae_look_at_what_the_encoder_saw(dae):
    energy = Energy()
    model = dae(regularizers=(energy,))
    model.loss(Batch(X, LABELS, torch.arange(5)), Progress(0, 1))

    assert not torch.equal(energy.seen[1].x, X)
    assert energy.seen[1].cond is None
