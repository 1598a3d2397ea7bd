"""Pictures that metrics draw: pairs of neighbours, the map of codes."""

from __future__ import annotations

import pytest
import torch

from gen.errors import CommandError
from gen.evaluate import Measured, save_pictures
from gen.pictures import grid, to_bytes
from gen_metrics.latent_map import COLOURS, SIDE, LatentMap, plane, scatter
from gen_metrics.sets.nearest_neighbour import NearestNeighbour
from gen_metrics.sets.neighbours import matches


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def test_matches_name_the_nearest_point() -> None:
    y = normal(700, 5)
    order = torch.randperm(700, generator=torch.Generator().manual_seed(1))
    distance, number = matches(y[order] + 1e-4, y)

    assert torch.equal(number, order)
    assert distance.max() < 1e-3


def test_copies_come_first_and_stand_over_the_training_images_they_copy(evaluation) -> None:
    train, made = normal(40, 1, 4, 4).tanh(), normal(60, 1, 4, 4, seed=1).tanh()
    made[30:54] = train[:24]
    found = NearestNeighbour().measure(evaluation(normal(30, 1, 4, 4, seed=2).tanh(), made, train=train))
    image = found.pictures["generated-over-nearest-training"]
    rows = [train[:12], train[:12], train[12:24], train[12:24]]

    assert torch.equal(image, grid(to_bytes(torch.cat(rows), evaluation(train).domain), 12))


def test_real_images_stand_over_the_nearest_generated_ones(evaluation) -> None:
    real = normal(12, 1, 4, 4).tanh()
    made = real.flip(0)
    found = NearestNeighbour().measure(evaluation(real, made, train=normal(20, 1, 4, 4, seed=1).tanh()))
    image = found.pictures["real-over-nearest-generated"]
    domain = evaluation(real).domain

    assert torch.equal(image, grid(to_bytes(torch.cat([real, real]), domain), 12))


def test_vectors_have_no_pairs_to_look_at(evaluation) -> None:
    found = NearestNeighbour().measure(evaluation(normal(9, 3), normal(9, 3), train=normal(9, 3, seed=1)))

    assert found.pictures == {}


def test_the_plane_holds_what_lies_in_a_plane() -> None:
    flat = normal(50, 2).double()
    turn = torch.linalg.qr(normal(6, 6, seed=1).double()).Q[:2]
    points, share = plane(flat @ turn + 3.0)

    assert share == pytest.approx(1.0)
    middle = flat - flat.mean(0)
    assert torch.allclose(torch.pdist(points), torch.pdist(middle))


def test_the_share_is_that_of_the_largest_variances() -> None:
    u = torch.linalg.qr(normal(60, 4).double() - normal(60, 4).double().mean(0)).Q
    assert plane(u * torch.tensor([4.0, 2.0, 1.0, 1.0]))[1] == pytest.approx(20 / 22, abs=0.02)


@pytest.mark.parametrize("size", [1, 2])
def test_codes_of_at_most_two_numbers_stay_as_they_are(size) -> None:
    z = normal(20, size).double()
    points, share = plane(z)

    assert share == 1.0
    assert torch.equal(points[:, :size], z - z.mean(0))


def test_a_point_lies_where_its_code_is_in_the_colour_of_its_label() -> None:
    points = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).double()
    image = scatter(points, torch.tensor([0, 0]))
    inked = (image != 255).any(0).nonzero()

    assert image.shape == (3, SIDE, SIDE)
    upper_right = inked[(inked[:, 0] < SIDE // 2) & (inked[:, 1] > SIDE // 2)]
    lower_left = inked[(inked[:, 0] > SIDE // 2) & (inked[:, 1] < SIDE // 2)]
    assert len(upper_right) == len(lower_left) == len(inked) / 2 > 0
    assert set(map(tuple, image.permute(1, 2, 0)[inked[:, 0], inked[:, 1]].tolist())) == {COLOURS[0]}


def test_each_label_is_written_in_white_at_the_mean_of_its_points() -> None:
    image = scatter(normal(40, 2).double(), torch.arange(40) % 12)

    assert (image == 255).all(0).any()
    assert {tuple(c) for c in image.permute(1, 2, 0).reshape(-1, 3).unique(dim=0).tolist()} <= {*COLOURS, (255,) * 3}


def test_the_map_shows_the_codes_of_the_split(evaluation) -> None:
    real, labels = normal(30, 1, 4, 4), torch.arange(30) % 3
    found = LatentMap().measure(
        evaluation(real, labels=labels, encode=lambda x, cond: x.flatten(1)[:, :3] * torch.tensor([3.0, 2.0, 0.0]))
    )

    assert found.value == pytest.approx(1.0)
    assert found.card == {"shown": 30, "code_size": 3}
    assert found.pictures["map-of-codes"].shape == (3, SIDE, SIDE)


def test_tokens_have_no_map(evaluation) -> None:
    with pytest.raises(CommandError, match=r"this model's are tokens"):
        LatentMap().measure(evaluation(normal(4, 1, 4, 4), encode=lambda x, cond: x.flatten(1).long()))


def test_pictures_of_measurements_are_files_beside_the_record(tmp_path) -> None:
    image = torch.zeros(1, 4, 4, dtype=torch.uint8)
    found = {"nn": Measured(1.0, pictures={"pairs": image}), "plain": Measured(2.0)}
    save_pictures(found, tmp_path / "step-00000005")

    assert [path.name for path in (tmp_path / "step-00000005").iterdir()] == ["nn.pairs.png"]
    assert "pictures" not in found["nn"].record()
    save_pictures({"plain": Measured(2.0)}, tmp_path / "none")
    assert not (tmp_path / "none").exists()
