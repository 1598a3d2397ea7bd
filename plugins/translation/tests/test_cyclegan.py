"""CycleGAN: its terms in closed form, whose gradients they are, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.private import per_rank_names, shared_state
from gen.types import Batch, DataSpec, Domain, Progress
from gen_translation.cyclegan import CycleGAN

Make = Callable[..., CycleGAN]


@pytest.mark.parametrize("by", [1.0, -1.0, 2.0, -0.25])
def test_exact_inverses_have_no_cycle_loss(scaled: Make, batch: Batch, start: Progress, by: float) -> None:
    assert scaled(by, 1 / by).generators_loss(batch, start).terms["cycle"].item() == 0


def test_the_terms_are_what_the_paper_writes(scaled: Make, batch: Batch, start: Progress) -> None:
    """G = 2x and F = 3x: a cycle moves x by 5x, the identity terms are |x| and 2|x|."""
    a, b = batch.x["a"], batch.x["b"]
    total, terms = scaled(2.0, 3.0, cycle=7.0, identity=0.25).generators_loss(batch, start)
    adversarial = (2 * a.mean((1, 2, 3)) - 1).square().mean() + (3 * b.mean((1, 2, 3)) - 1).square().mean()
    cycle = 5 * (a.abs().mean() + b.abs().mean())
    identity = b.abs().mean() + 2 * a.abs().mean()

    torch.testing.assert_close(terms, {"adversarial": adversarial, "cycle": cycle, "identity": identity})
    torch.testing.assert_close(total, adversarial + 7 * cycle + 7 * 0.25 * identity)


def test_the_game_is_the_same_seen_from_the_other_domain(scaled: Make, batch: Batch, start: Progress) -> None:
    swapped = Batch({"a": batch.x["b"], "b": batch.x["a"]}, None, batch.index)
    one, two = scaled(2.0, -0.5), scaled(-0.5, 2.0)

    torch.testing.assert_close(one.generators_loss(batch, start).total, two.generators_loss(swapped, start).total)
    torch.testing.assert_close(
        one.eval().discriminators_loss(batch, start).total, two.eval().discriminators_loss(swapped, start).total
    )


def test_gradients_of_a_phase_reach_exactly_its_parts(scaled: Make, batch: Batch, start: Progress) -> None:
    model = scaled(2.0, 3.0)
    owners = {"generators": {"a_to_b", "b_to_a"}, "discriminators": {"discriminator_a", "discriminator_b"}}
    for phase in model.phases():
        model.zero_grad()
        mine = {id(p) for part in phase.train for p in part.parameters()}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in mine)
        phase.loss(batch, start).total.backward()
        reached = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}

        assert reached == owners[phase.name]


def test_a_discriminator_is_shown_translations_without_their_gradient(
    scaled: Make, batch: Batch, start: Progress
) -> None:
    model = scaled(2.0, 3.0)
    model.discriminators_loss(batch, start).total.backward()

    assert model.a_to_b.weight.grad is None
    assert model.discriminator_b.weight.grad is not None


def test_a_paired_loss_is_told_about_real_samples(
    scaled: Make, batch: Batch, start: Progress, paired_loss: Any
) -> None:
    a, b = (batch.x[name].mean() for name in ("a", "b"))
    terms = scaled(2.0, 3.0, loss=paired_loss).generators_loss(batch, start).terms

    torch.testing.assert_close(terms["adversarial"], (b - 2 * a) + (a - 3 * b))


def test_domains_of_different_shapes_have_no_identity_term(spec: Any, start: Progress) -> None:
    model = _small(spec(b=(3, 8, 8)))
    x = {"a": torch.zeros(2, 1, 8, 8), "b": torch.zeros(2, 3, 8, 8)}
    losses = model.generators_loss(Batch(x, None, torch.arange(2)), start)

    assert sorted(losses.terms) == ["adversarial", "cycle"]
    assert model.translate(x["a"], "b").shape == (2, 3, 8, 8)


def test_evaluation_leaves_the_pools_as_they_are(scaled: Make, batch: Batch, start: Progress) -> None:
    model = scaled(2.0, 3.0).eval()
    one, two = (model.discriminators_loss(batch, start).total for _ in range(2))

    assert torch.equal(one, two)
    assert model.pool_a.seen == 0


def test_pools_belong_to_a_process(scaled: Make) -> None:
    names = {f"pool_{domain}.{buffer}" for domain in "ab" for buffer in ("past", "seen")}

    model = scaled(1.0, 1.0)

    assert per_rank_names(model) == names
    assert names.isdisjoint(shared_state(model))


def test_translation_goes_to_the_domain_it_is_told(scaled: Make) -> None:
    model, x = scaled(2.0, 3.0), torch.ones(1, 1, 8, 8)

    assert (model.translate(x, "b").mean().item(), model.translate(x, "a").mean().item()) == (2.0, 3.0)
    with pytest.raises(GenError, match='no domain "c" to translate to: this model knows a and b'):
        model.translate(x, "c")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DataSpec.single(Domain((1, 8, 8))), "data of two domains, these have x: data/unpaired"),
        (DataSpec({n: Domain((1, 8, 8)) for n in "abc"}), "data of two domains, these have a, b, c"),
        (DataSpec({"a": Domain((1, 8, 8)), "b": Domain((1, 8, 8), range=(0.0, 1.0))}), "domain b has the range"),
    ],
)
def test_data_that_cannot_be_translated_are_refused(data: DataSpec, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        CycleGAN.wire(data)


def _small(data: DataSpec) -> CycleGAN:
    from gen_translation.patches import PatchDiscriminator
    from gen_translation.resnet import ResNetGenerator

    wired = CycleGAN.wire(data)
    parts = {
        name: (ResNetGenerator if "_to_" in name else PatchDiscriminator)(
            width=4, in_shape=shapes.in_shape, out_shape=shapes.out_shape
        )
        for name, shapes in wired.items()
    }
    return CycleGAN(data=data, **parts)
