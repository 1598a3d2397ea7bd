"""Learning curves: what is read from a run, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.__main__ import main
from benchmarks.learning_curves import points_of, ticks

from gen.running import run


@pytest.fixture
def done(toys, toy_recipe, tmp_path) -> Path:
    """A run of 20 steps of 16 samples, measured at every tenth."""
    return run(toy_recipe(evaluate={"every": 10}), runs=tmp_path / "runs", quiet=True, known=toys).path


def test_a_curve_has_the_samples_seen_and_the_value_of_every_evaluation(done: Path) -> None:
    points = points_of(str(done), "loss")

    assert [x for x, _ in points] == [0.16, 0.32]
    assert all(y > 0 for _, y in points)


def test_curves_are_drawn_with_a_table_below_each_other(done: Path, out: Path) -> None:
    assert main(["learning-curves", str(done), str(done), "-o", str(out)]) == 0

    text = (out / "learning-curves.md").read_text()
    assert text.count(f"| {done.parent.name} | 320 |") == 2
    assert (out / "learning-curves-plot.png").stat().st_size > 1000


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.4), (1, 1), (24, 1497.6), (50, 100)])
def test_the_axis_reaches_around_what_is_shown_and_no_further(low: float, high: float) -> None:
    found = ticks(low, high)

    assert found[0] <= low < found[1]
    assert found[-2] < high <= found[-1] or found[-2] == low == high
    assert {f"{tick:e}"[0] for tick in found} <= {"1", "2", "5"}


def test_what_cannot_be_drawn_gets_one_message(done: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learning-curves", str(done), "--of", "fd", "-o", str(out)]) == 2
    assert f"{done} has no fd measured while it trained; it has loss" in capsys.readouterr().err

    assert main(["learning-curves", *[str(done)] * 6, "-o", str(out)]) == 2
    assert "6 runs were named, and the chart has room for 5" in capsys.readouterr().err
    assert not out.exists()
