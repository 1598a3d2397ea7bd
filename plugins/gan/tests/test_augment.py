"""Differentiable augmentation: what each change leaves as it is, and that gradients pass."""

import pytest
import torch

from gen.errors import ShapeError
from gen_gan.augment import DiffAugment

SHIFT = {"color": False, "cutout": 0.0}
CUT = {"color": False, "translation": 0.0}


def images(n=32, shape=(3, 8, 8)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shifts_move_whole_images_by_at_most_their_share():
    x = torch.zeros(64, 1, 16, 16)
    x[:, :, 8, 8] = 1
    y = DiffAugment(**SHIFT)(x, rng())
    places = y[:, 0].flatten(1).argmax(1)
    rows, columns = places // 16 - 8, places % 16 - 8

    torch.testing.assert_close(y.sum((1, 2, 3)), torch.ones(64))
    assert rows.min() == columns.min() == -2
    assert rows.max() == columns.max() == 2


def test_shifts_let_the_fill_in():
    y = DiffAugment(**SHIFT, fill=-1.0)(torch.zeros(64, 1, 8, 8), rng())

    assert set(y.unique().tolist()) == {-1.0, 0.0}


@pytest.mark.parametrize("side", [8, 7])
def test_cutout_takes_one_square_of_at_most_its_side(side):
    y = DiffAugment(**CUT, fill=-1.0)(torch.zeros(200, 2, side, side), rng())
    lost = (y == -1).sum((2, 3))[:, 0]
    length = round(side * 0.5)

    assert lost.max() == length**2
    assert lost.min() >= (length // 2) ** 2
    assert (lost < length**2).any()  # squares that hang over the edge


def test_colour_keeps_the_picture_up_to_scale_and_shift():
    x = images(shape=(1, 8, 8))
    y = DiffAugment(translation=0.0, cutout=0.0)(x, rng())
    a, b = (t.flatten(1) - t.flatten(1).mean(1, keepdim=True) for t in (x, y))
    cosine = torch.cosine_similarity(a, b)

    torch.testing.assert_close(cosine, torch.ones(32))
    assert (b.norm(dim=1) / a.norm(dim=1)).max() <= 1.5
    assert (y.flatten(1).mean(1) - x.flatten(1).mean(1)).abs().max() <= 0.5


def test_nothing_asked_for_is_the_identity():
    x = images()

    assert torch.equal(DiffAugment(color=False, translation=0.0, cutout=0.0)(x, rng()), x)


def test_every_sample_is_changed_in_its_own_way():
    y = DiffAugment()(images(1).expand(16, -1, -1, -1), rng())

    assert len({tuple(one.flatten().tolist()) for one in y}) == 16


def test_gradients_pass_to_every_pixel_that_is_still_seen():
    x = images().requires_grad_()
    augment = DiffAugment(color=False)
    augment(x, rng()).sum().backward()
    alone = augment(torch.ones_like(x), rng()).sum()

    assert set(x.grad.unique().tolist()) <= {0.0, 1.0}
    assert x.grad.sum() == alone


def test_same_generator_same_change():
    assert torch.equal(DiffAugment()(images(), rng(3)), DiffAugment()(images(), rng(3)))
    assert not torch.equal(DiffAugment()(images(), rng(3)), DiffAugment()(images(), rng(4)))


def test_what_is_no_image_is_refused():
    with pytest.raises(ShapeError, match=r"changes images \(C, H, W\), got the shape \(6,\)"):
        DiffAugment()(torch.zeros(2, 6))
