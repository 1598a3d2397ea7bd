"""Transforms as theorems: what each leaves alone, what undoes it, what it costs in levels and range."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from gen.data import open_split
from gen.errors import ShapeError
from gen.interfaces import Transform
from gen.types import Domain
from gen_data.digits import Digits
from gen_data.transforms.binarize import Binarize
from gen_data.transforms.crop import Crop
from gen_data.transforms.dequantize import Dequantize
from gen_data.transforms.flip import Flip
from gen_data.transforms.grayscale import Grayscale
from gen_data.transforms.pad import Pad
from gen_data.transforms.range import Range
from gen_data.transforms.resize import Resize

GREY, COLOUR = Domain((1, 8, 8), levels=256), Domain((3, 8, 6), levels=256)
VECTOR = Domain((5,), "vector", (-2.0, 6.0))
INDEX = torch.arange(16)


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _data(domain: Domain, n: int = 16) -> torch.Tensor:
    """Samples of a domain, quantized where it has levels: [n, *shape]."""
    low, high = domain.range
    u = torch.rand(n, *domain.shape, generator=_rng())
    if domain.levels is not None:
        u = (u * domain.levels).floor().clamp(max=domain.levels - 1) / (domain.levels - 1)
    return low + (high - low) * u


TRANSFORMS = [
    (Resize(to=8), GREY),
    (Resize(to=5, width=9), COLOUR),
    (Pad(to=11), GREY),
    (Pad(to=8, width=9, value=0.5), COLOUR),
    (Crop(to=5), GREY),
    (Crop(to=5, mode="random"), COLOUR),
    (Flip(), COLOUR),
    (Flip(p=1), COLOUR),
    (Grayscale(), COLOUR),
    (Grayscale(), GREY),
    (Range(low=0), VECTOR),
    (Binarize(), GREY),
    (Binarize(mode="static"), COLOUR),
    (Binarize(mode="threshold"), VECTOR),
    (Dequantize(), GREY),
    (Dequantize(mode="static"), COLOUR),
]
RANDOM = {"Crop/random", "Flip", "Binarize/dynamic", "Dequantize/dynamic"}


def _name(value: object) -> str:
    if not isinstance(value, Transform):
        return ""
    mode = getattr(value, "mode", "always" if getattr(value, "p", 0) == 1 else "")
    return f"{type(value).__name__}/{mode}".rstrip("/")


@pytest.mark.parametrize(("transform", "domain"), TRANSFORMS, ids=_name)
def test_result_is_as_the_domain_says(transform: Transform, domain: Domain) -> None:
    made = transform.domain(domain)
    y = transform(_data(domain), INDEX, _rng())
    low, high = made.range

    assert y.shape == (16, *made.shape)
    assert y.dtype == torch.float32
    assert low - 1e-6 <= y.min() <= y.max() <= high + 1e-6
    if made.levels is not None:
        level = (y - low) / (high - low) * (made.levels - 1)
        assert (level - level.round()).abs().max() < 1e-3


@pytest.mark.parametrize(("transform", "domain"), TRANSFORMS, ids=_name)
def test_only_random_transforms_depend_on_the_generator(transform: Transform, domain: Domain) -> None:
    transform.domain(domain)
    x = _data(domain)
    first, again, other = (transform(x, INDEX, _rng(seed)) for seed in (0, 0, 1))

    assert transform.random == (_name(transform) in RANDOM)
    assert torch.equal(first, again)
    assert torch.equal(first, other) is not transform.random


@pytest.mark.parametrize(("transform", "domain"), [pair for pair in TRANSFORMS if not pair[0].random], ids=_name)
def test_a_sample_alone_equals_itself_in_a_batch(transform: Transform, domain: Domain) -> None:
    transform.domain(domain)
    x = _data(domain)
    together = transform(x, INDEX)

    for place in (0, 7, 15):
        assert torch.equal(transform(x[[place]], INDEX[[place]])[0], together[place])


def test_resize_to_the_same_size_is_identity() -> None:
    x = _data(GREY)

    assert torch.equal(Resize(to=8)(x, INDEX), x)
    assert Resize(to=8).domain(GREY) == GREY


@pytest.mark.parametrize("to", [1, 3, 5, 16, 29])
def test_resize_keeps_constants(to: int) -> None:
    constants = _data(Domain((3, 1, 1))).expand(16, 3, 8, 8)

    assert torch.allclose(Resize(to=to)(constants, INDEX), constants[:, :, :1, :1].expand(16, 3, to, to), atol=1e-6)


@pytest.mark.parametrize("to", [8, 16, 64])
def test_resize_keeps_slopes_away_from_the_border(to: int) -> None:
    slope = torch.arange(32.0).expand(1, 1, 32, 32)
    position = (torch.arange(to) + 0.5) * (32 / to) - 0.5  # of the new pixels' centres among the old ones

    assert torch.allclose(Resize(to=to)(slope, INDEX[:1])[0, 0, :, 2:-2], position[2:-2].expand(to, -1), atol=1e-4)


def test_mirror_twice_is_identity() -> None:
    x, flip = _data(COLOUR), Flip(p=1)
    rng = torch.Generator().manual_seed(0)
    once = flip(x, INDEX, rng)

    assert torch.equal(once, x.flip(-1))
    assert torch.equal(flip(once, INDEX, rng), x)


@pytest.mark.parametrize(
    ("augmentation", "still"), [(Flip(p=1), Crop(to=8, width=6)), (Crop(to=6, mode="random"), Crop(to=6))]
)
def test_augmentation_takes_its_unvarying_form_outside_training(augmentation: Transform, still: Transform) -> None:
    """Without a generator there is no flip, and a random crop is the middle one."""
    x = _data(COLOUR)

    assert torch.equal(augmentation(x, INDEX), still(x, INDEX))


def test_flip_mirrors_whole_samples_with_its_probability() -> None:
    x = _data(COLOUR, 2000)
    y = Flip(p=0.25)(x, torch.arange(2000), _rng())
    kept, mirrored = ((y == side).all(-1).all(-1).all(-1) for side in (x, x.flip(-1)))

    assert (kept ^ mirrored).all()
    assert abs(mirrored.double().mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 2000)


@pytest.mark.parametrize(("to", "width"), [(8, 6), (9, 9), (12, 7), (13, 20)])
def test_pad_then_crop_is_identity(to: int, width: int) -> None:
    x, pad = _data(COLOUR), Pad(to=to, width=width)
    pad.domain(COLOUR)

    assert torch.equal(Crop(to=8, width=6)(pad(x, INDEX), INDEX), x)


@pytest.mark.parametrize(("value", "margin", "levels"), [(None, -2.0, 9), (6.0, 6.0, 9), (1.5, 1.5, None)])
def test_pad_fills_with_the_low_end_or_its_value(value: float | None, margin: float, levels: int | None) -> None:
    pad, domain = Pad(to=10, value=value), Domain((1, 8, 8), range=(-2.0, 6.0), levels=9)
    made = pad.domain(domain)
    y = pad(_data(domain), INDEX)

    assert (y[:, :, 0] == margin).all()
    assert made == Domain((1, 10, 10), range=(-2.0, 6.0), levels=levels)


def test_random_crop_takes_every_place_equally_often() -> None:
    x = torch.arange(48.0).view(1, 1, 8, 6).expand(6000, 1, 8, 6)
    y = Crop(to=6, width=5, mode="random")(x, torch.arange(6000), _rng())
    corner = y[:, 0, 0, 0].long()
    counts = torch.stack([(corner == 6 * top + left).sum() for top in range(3) for left in range(2)])
    offsets = torch.arange(6)[:, None] * 6 + torch.arange(5)

    assert torch.equal(y[:, 0], (corner[:, None, None] + offsets).float())
    assert counts.sum() == 6000
    assert ((counts - 1000).abs() < 5 * math.sqrt(6000 / 6 * 5 / 6)).all()


def test_grayscale_keeps_greys_and_weights_sum_to_one() -> None:
    grey = _data(GREY)
    colour = grey.expand(16, 3, 8, 8)

    assert torch.allclose(Grayscale()(colour, INDEX), grey, atol=1e-6)
    assert torch.equal(Grayscale()(grey, INDEX), grey)
    assert Grayscale()(torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1), INDEX[:1]).item() == pytest.approx(0.587)


def test_range_is_undone_by_the_range_before() -> None:
    there, back = Range(low=0, high=1), Range(low=-2, high=6)
    x = _data(VECTOR)
    made = there.domain(VECTOR)

    assert made.range == (0, 1)
    assert back.domain(made) == VECTOR
    assert torch.allclose(back(there(x, INDEX), INDEX), x, atol=1e-6)


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_the_mean_of_binarized_samples_is_the_intensity(mode: str) -> None:
    intensity, n = torch.linspace(0, 1, 11), 5000
    domain = Domain((11,), "vector", (-2.0, 6.0))
    binarize = Binarize(mode=mode)
    binarize.domain(domain)
    y = binarize((-2 + 8 * intensity).expand(n, 11), torch.arange(n), _rng())
    error = ((y.mean(0) + 2) / 8 - intensity).abs()

    assert set(y.unique().tolist()) == {-2.0, 6.0}
    assert (error <= 5 * (intensity * (1 - intensity) / n).sqrt() + 1e-6).all()


def test_static_draws_differ_between_seeds_and_samples() -> None:
    x = torch.zeros(16, 1, 8, 8)
    draws = []
    for seed in (0, 1):
        binarize = Binarize(mode="static", seed=seed)
        binarize.domain(GREY)
        draws.extend(binarize(x, INDEX))

    assert len({tuple(draw.flatten().tolist()) for draw in draws}) == 32


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_threshold_is_idempotent(threshold: float) -> None:
    x, binarize = _data(Domain((1, 8, 8))), Binarize(mode="threshold", threshold=threshold)
    again = Binarize(mode="threshold", threshold=max(threshold, 0.1))
    again.domain(binarize.domain(Domain((1, 8, 8))))
    once = binarize(x, INDEX)

    assert torch.equal(once == 1, (x + 1) / 2 >= threshold)
    assert torch.equal(again(once, INDEX), once)


@pytest.mark.parametrize("mode", ["static", "dynamic"])
@pytest.mark.parametrize("domain", [Domain((256,), "vector", levels=256), Domain((17,), "vector", (0.0, 16.0), 17)])
def test_dequantized_values_floor_back_to_their_level(mode: str, domain: Domain) -> None:
    low, high = domain.range
    level = torch.arange(domain.levels).expand(4000, -1)
    dequantize = Dequantize(mode=mode)
    made = dequantize.domain(domain)
    y = dequantize(low + (high - low) * level / (domain.levels - 1), torch.arange(4000), _rng())
    share = (y.double() - low) / (high - low) * domain.levels

    assert (made.range, made.levels) == (domain.range, None)
    assert torch.equal((share + 1e-5).floor().long(), level)
    assert abs((share - level).mean() - 0.5) < 5 / math.sqrt(12 * share.numel())


def test_dequantize_never_rounds_up_to_the_next_level() -> None:
    dequantize = Dequantize()
    dequantize.domain(Domain((1,), "vector", levels=256))
    y = dequantize(torch.ones(2_000_000, 1), torch.arange(2_000_000), _rng())

    assert y.max() < 1


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "domain", "message"),
    [
        *(
            (transform, VECTOR, f"{name} takes images (C, H, W); these data are a vector of shape (5,)")
            for name, transform in (
                ("resize", Resize(to=8)),
                ("pad", Pad(to=8)),
                ("crop", Crop(to=8)),
                ("flip", Flip()),
                ("grayscale", Grayscale()),
            )
        ),
        (Pad(to=7), GREY, "pad cannot bring 8x8 to 7x7: `to` is at least the side"),
        (Pad(to=9, value=-2), GREY, "pad has the value -2, outside the range [-1, 1] of the data"),
        (Crop(to=9), GREY, "crop cannot cut 9x9 out of 8x8: `to` is at most the side"),
        (
            Grayscale(),
            Domain((4, 8, 8)),
            "grayscale takes 3 channels (1 is left as it is), these data have 4",
        ),
        (Range(low=1, high=1), GREY, "range needs low below high, got 1 and 1"),
        (
            Dequantize(),
            VECTOR,
            "dequantize takes data with levels (8-bit images, say): these are continuous already",
        ),
    ],
)
def test_domains_that_cannot_be_served_are_refused(transform: Transform, domain: Domain, message: str) -> None:
    with pytest.raises(ShapeError) as error:
        transform.domain(domain)

    assert str(error.value) == message


def test_one_transform_serves_one_range() -> None:
    binarize = Binarize()
    binarize.domain(GREY)
    binarize.domain(COLOUR)
    with pytest.raises(ShapeError) as error:
        binarize.domain(VECTOR)

    assert str(error.value) == (
        "binarize was set up for data in [-1, 1] with 256 levels and cannot serve data in [-2, 6] as well: "
        "bring them to one range first"
    )


def test_a_transform_without_its_domain_says_so() -> None:
    with pytest.raises(ShapeError) as error:
        Range()(_data(VECTOR), INDEX)

    assert str(error.value) == "range does not know the range of its data yet: call domain(...) on it first"


# -- in the core's hands --------------------------------------------------------------------------------------------


def test_static_transforms_run_once_and_random_ones_at_every_visit() -> None:
    chain = (Pad(to=10), Binarize(mode="static"), Flip())
    split = open_split(Digits(transforms=chain), "train", Path())
    index, cpu = torch.arange(64), torch.device("cpu")
    first, again, other = (split.batch(index, _rng(seed), cpu).x for seed in (0, 0, 1))

    assert split.transforms == chain[2:]
    assert (split.spec.shape, split.spec.domain.levels) == ((1, 10, 10), 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first.abs(), torch.ones(64, 1, 10, 10))
