"""Structural similarity against its formula, and its bounds."""

import pytest
import torch

from gen.errors import ShapeError
from gen_losses.similarity import StructuralDissimilarity


@pytest.fixture
def images():
    return torch.rand(3, 2, 8, 9, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_equal_images_are_at_distance_zero_and_others_are_not(images):
    distance = StructuralDissimilarity()

    torch.testing.assert_close(distance(images, images), torch.zeros(3), atol=1e-3, rtol=0)
    assert (distance(-images, images) > images[0].numel()).all()
    assert (distance(-images, images) <= 2 * images[0].numel()).all()


@pytest.mark.parametrize(("y", "x"), [(0.5, -0.2), (0.9, 0.1)])
def test_flat_images_differ_by_their_means_alone(y, x):
    # Variances vanish: SSIM = (2 a b + c1) / (a^2 + b^2 + c1) of the brightness a, b in [0, 1], c1 = 0.01^2.
    a, b, c1, flat = (1 + y) / 2, (1 + x) / 2, 0.01**2, torch.ones(1, 2, 6, 6)
    wanted = 72 * (1 - (2 * a * b + c1) / (a * a + b * b + c1))

    assert StructuralDissimilarity()(y * flat, x * flat).item() == pytest.approx(wanted, rel=1e-2)


def test_scale_multiplies_and_samples_count_alone(images):
    distance = StructuralDissimilarity()(images.flip(0), images)

    torch.testing.assert_close(StructuralDissimilarity(scale=3.0)(images.flip(0), images), 3 * distance)
    torch.testing.assert_close(StructuralDissimilarity()(images.flip(0)[1:2], images[1:2]), distance[1:2])


def test_descending_it_leads_to_the_image(images):
    y, distance = torch.zeros_like(images).requires_grad_(), StructuralDissimilarity()
    before = distance(y, images).mean().item()
    for _ in range(8):
        loss = distance(y, images).mean()
        (gradient,) = torch.autograd.grad(loss, y)
        with torch.no_grad():
            y -= 0.2 * gradient / gradient.abs().max()

    assert distance(y, images).mean() < 0.5 * before


@pytest.mark.parametrize("shape", [(3, 5, 9), (7,)])
def test_images_below_the_window_and_vectors_are_refused(shape):
    with pytest.raises(ShapeError, match="sides of 6 or more"):
        StructuralDissimilarity()(torch.zeros(2, *shape), torch.zeros(2, *shape))
