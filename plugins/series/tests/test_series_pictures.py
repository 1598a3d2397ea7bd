"""A series is shown as a curve."""

import torch

from gen.pictures import picture
from gen.types import Domain


def test_a_curve_goes_from_the_lowest_to_the_highest_row() -> None:
    x = torch.linspace(-1, 1, 40).expand(3, 1, 40)
    image = picture(x, Domain((1, 40), "series"))

    assert image is not None
    assert image.shape[:2] == (1, 3 * 64)
    rows = (image[0, :64] == 30).float().argmax(0)  # the highest inked row of every column
    assert rows[0] >= 60
    assert rows[-1] == 1
    assert (rows.diff() <= 0).all()


def test_a_long_series_keeps_its_swings() -> None:
    x = torch.zeros(1, 1, 5000)
    x[..., 2500] = 1
    image = picture(x, Domain((1, 5000), "series"))

    assert image is not None
    assert image.shape[2] <= 1300
    assert (image[0, :4] == 30).any()
