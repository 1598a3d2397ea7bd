"""Two processes measure what one does, on a split that does not divide evenly."""

from __future__ import annotations

import json

import pytest

RULER = """\
fd: metrics/frechet
kd: metrics/kernel-distance
pr: {use: metrics/precision-recall, k: 3}
dc: {use: metrics/density-coverage, k: 3}
copies: metrics/nearest-neighbour
probe: {use: metrics/linear-probe, labels: [10]}
loss: loss
"""


def test_two_processes_measure_what_one_does(gen, toy_recipe):
    """37 points in 3 batches and 300 samples in 2 chunks: one process has more of the batches than the other."""
    (gen.folder / "ruler.yaml").write_text(RULER)
    trained = gen("run", gen.recipe(toy_recipe(train={"steps": 4})))
    words = ("eval", "runs/toy-one", "--metrics", "ruler.yaml", "--count", 300)
    one = gen(*words)
    two = gen.world(*words)

    assert (trained.status, one.status) == (0, 0), trained.err + one.err
    assert [process.wait() for process in two] == [0, 0], two[0].err + two[1].err
    files = sorted((gen.folder / "runs/toy-one/0001/evaluate").glob("*eval*.json"))
    first, second = (json.loads(file.read_text()) for file in files)
    assert first.keys() == second.keys() == {"fd", "kd", "pr", "dc", "copies", "probe", "loss"}
    for label in first:
        assert second[label]["value"] == pytest.approx(first[label]["value"], rel=1e-6, abs=1e-6), label
        assert second[label]["parts"] == pytest.approx(first[label]["parts"], rel=1e-6, abs=1e-6), label
        assert second[label]["card"] == first[label]["card"]
