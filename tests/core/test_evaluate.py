"""Evaluation: what metrics are handed is complete, in order, drawn once, and said on the card; `gen eval`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from torch import Tensor

from gen import cli
from gen.building import Experiment, build
from gen.checkpoint import load, newest
from gen.component import component
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured, check_metrics, content_hash, evaluate, source_of
from gen.interfaces import Extractor
from gen.loading import load as load_model
from gen.loss_metric import LossMetric
from gen.processes import make_accelerator
from gen.recipe.recipe import Recipe
from gen.running import run
from gen.types import Progress

TOYS = Path(__file__).parents[1] / "toys.py"
CODES = {"class": "Codes", "precision": "fp32", "channels_last": False}


@component
class Counting(Extractor):
    """Features that count how many samples were asked for."""

    def build(self) -> None:
        self.layer = torch.nn.Linear(*self.in_shape, 2)
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return self.layer(x)


@pytest.fixture
def experiment(toys: Any, toy_recipe: Callable[..., dict[str, Any]]) -> Experiment:
    return build(Recipe.parse(toy_recipe(), catalogue=toys), known=toys)


@pytest.fixture
def evaluation(experiment: Experiment) -> Callable[..., Evaluation]:
    """An evaluation of the untrained toy on its 37 held-out points."""

    def make(**changes: Any) -> Evaluation:
        model = experiment.model.eval().requires_grad_(False)
        usual = {
            "model": model,
            "split": experiment.split("val"),
            "split_name": "val",
            "seed": 5,
            "batch": 16,
            "count": 600,
            "accelerator": make_accelerator("cpu", "fp32"),
            "progress": Progress(0, 1),
            "source": source_of(experiment.samplers(), model, "raw"),
            "train": experiment.train,
        }
        return Evaluation(**{**usual, **changes})

    return make


@pytest.mark.parametrize("batch", [1, 16, 37, 100])
def test_rows_are_every_sample_once_in_order(evaluation, batch) -> None:
    made = evaluation(batch=batch)

    assert torch.equal(made.rows(lambda one: one.index), torch.arange(37))
    assert torch.equal(made.rows(lambda one: one.index, "train", 20), torch.arange(20))
    assert torch.equal(made.rows(lambda one: one.x, "generated"), made.generated())


def test_samples_are_drawn_once_and_depend_on_the_seed_alone(evaluation) -> None:
    one = evaluation()

    assert one.generated() is one.generated()
    assert one.generated().shape == (600, 6)
    assert torch.equal(one.generated(), evaluation(batch=7).generated())
    assert not torch.equal(one.generated(), evaluation(seed=6).generated())
    assert len(one.generated().unique(dim=0)) == 600
    assert one.seconds() > 0


def test_features_are_computed_once_for_equal_extractors(evaluation) -> None:
    made = evaluation()
    first, same = Counting(in_shape=(6,)), Counting(in_shape=(6,))
    same.load_state_dict(first.state_dict())
    features = made.features(first)

    assert features.shape == (37, 2)
    assert torch.equal(made.features(same, "real", 10), features[:10])
    assert (first.seen, same.seen) == (37, 0)
    made.features(Counting(in_shape=(6,)), "real")
    assert torch.equal(made.features(None), made.rows(lambda batch: batch.x))


def test_the_hash_of_an_extractor_is_that_of_its_weights() -> None:
    one, other = Counting(in_shape=(6,)), Counting(in_shape=(6,))

    assert content_hash(one) != content_hash(other)
    other.load_state_dict(one.state_dict())
    assert content_hash(one) == content_hash(other)


def test_the_training_split_is_not_augmented(evaluation) -> None:
    assert evaluation()._split("train").training is False


def test_a_card_says_what_every_value_depends_on(evaluation, experiment) -> None:
    found = evaluate(experiment.metrics(), evaluation())["loss"]

    assert {
        name: found.card[name] for name in ("metric", "better", "split", "samples", "seed", "range", "weights")
    } == {
        **{"metric": "LossMetric", "better": "lower", "split": "val", "samples": 37, "seed": 5},
        **{"range": [-1.0, 1.0], "weights": "ema"},
    }
    assert found.card["loss_of"]["class"] == "One"
    assert len(found.card["data"]) == 16


def test_a_number_that_is_not_finite_is_recorded_as_null(evaluation, experiment) -> None:
    found = attrs.evolve(evaluate(experiment.metrics(), evaluation())["loss"], value=float("nan"), parts={"a": 1.0})

    assert (found.record()["value"], found.record()["parts"]) == (None, {"a": 1.0})


def test_metrics_of_samples_are_refused_before_training_where_nothing_draws(toys, toy_recipe, tmp_path) -> None:
    recipe = toy_recipe(evaluate={"metrics": {"time": "metrics/seconds"}})
    recipe["sample"] = {}

    with pytest.raises(CommandError, match=r"evaluate\.metrics\.time compares generated samples, and no sampler"):
        run(recipe, runs=tmp_path, quiet=True, known=toys)
    assert not list(tmp_path.iterdir())


def test_a_source_is_the_first_sampler_that_needs_no_data(experiment) -> None:
    samplers = experiment.samplers()
    source = source_of(samplers, experiment.model, "ema")

    assert source is not None
    assert source.card() == {"sampler": {"label": "codes", **CODES}}
    assert source_of({}, experiment.model, "ema") is None
    check_metrics({"loss": experiment.metrics()["loss"]}, experiment.model, None)


def test_the_losses_of_a_model_without_phases_are_refused_before_training(experiment, monkeypatch) -> None:
    monkeypatch.setattr(type(experiment.model), "phases", lambda self: [])

    with pytest.raises(CommandError, match=r"evaluate\.metrics\.loss measures the losses of the phases, and \w+"):
        check_metrics(experiment.metrics(), experiment.model, None)


def test_the_checkpoint_kept_is_the_best_by_the_metrics_own_direction(toys, toy_recipe, tmp_path) -> None:
    cover = {"use": "metrics/density-coverage", "k": 2, "samples": 37}
    settings = {"every": 4, "count": 37, "metrics": {"cover": cover}}
    done = run(toy_recipe(evaluate=settings, save={"best": "cover"}), runs=tmp_path, quiet=True, known=toys)
    values = {line["step"]: line["cover"] for line in done.metrics() if line["kind"] == "evaluate"}
    found = newest(done.path / "checkpoints")[0]

    assert found is not None
    assert len(set(values.values())) > 1
    assert load(found).state["best"]["value"] == max(values.values())


def test_a_value_that_is_not_a_number_is_never_the_best(toys, toy_recipe, tmp_path, monkeypatch) -> None:
    measure = LossMetric.measure

    def first_bad(self: LossMetric, evaluation: Evaluation) -> Measured:
        bad = evaluation.progress.step == 4
        return attrs.evolve(measure(self, evaluation), **({"value": float("nan")} if bad else {}))

    monkeypatch.setattr(LossMetric, "measure", first_bad)
    recipe = toy_recipe(train={"steps": 8}, evaluate={"every": 4}, save={"best": "loss", "every": 4})
    done = run(recipe, runs=tmp_path, quiet=True, known=toys)
    found = newest(done.path / "checkpoints")[0]

    assert found is not None
    assert load(found).state["best"]["step"] == 8


def test_the_best_weights_are_those_of_the_best_step(toys, toy_recipe, tmp_path, monkeypatch) -> None:
    measure = LossMetric.measure

    def fourth_best(self: LossMetric, evaluation: Evaluation) -> Measured:
        best = evaluation.progress.step == 4
        return attrs.evolve(measure(self, evaluation), **({"value": -1e9} if best else {}))

    monkeypatch.setattr(LossMetric, "measure", fourth_best)
    settings = {"evaluate": {"every": 4}, "save": {"best": "loss", "every": 1}}
    done, short = (
        run(toy_recipe(name=name, train={"steps": n}, **settings), runs=tmp_path, quiet=True, known=toys)
        for name, n in (("long", 12), ("short", 4))
    )
    best, then, last = (
        load_model(path, weights=which, known=toys)
        for path, which in ((done.path, "best"), (short.path, "ema"), (done.path, "ema"))
    )

    assert (best.step, then.step, last.step) == (4, 4, 12)
    assert all(torch.equal(a, then.model.state_dict()[name]) for name, a in best.model.state_dict().items())
    assert best.digest != last.digest


@pytest.fixture(scope="module")
def trained(toys: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the toy."""
    recipe = {
        **{"gen": 1, "name": "toy", "seed": 3, "data": {"use": "local/points", "batch": 16}, "model": "local/one"},
        **{"train": {"steps": 4, "ema": {"decay": 0.9}}, "sample": {"codes": "local/codes"}},
        **{"evaluate": {"count": 40, "metrics": {"loss": "loss"}}},
    }
    return run(recipe, runs=tmp_path_factory.mktemp("runs"), quiet=True, known=toys).path


def test_eval_joins_the_record_of_the_run(trained, capsys) -> None:
    files = set((trained / "evaluate").iterdir())
    status = cli.main(["eval", str(trained), "--metrics", "metrics/frechet", "--seed", "4", "--plugin", str(TOYS)])
    (made,) = set((trained / "evaluate").iterdir()) - files
    record = json.loads(made.read_text())["frechet"]
    line = json.loads((trained / "metrics.jsonl").read_text().splitlines()[-1])

    assert status == 0
    assert made.name.startswith("step-00000004-eval-")
    assert (line["kind"], line["step"], line["file"]) == ("eval", 4, made.name)
    assert line["frechet"] == record["value"] > 0
    assert (record["card"]["split"], record["card"]["generated"], record["card"]["seed"]) == ("val", 40, 4)
    assert str(made) in capsys.readouterr().out


def test_eval_takes_metrics_from_a_file_and_settings_from_the_line(trained, tmp_path) -> None:
    file = tmp_path / "ruler.yaml"
    file.write_text("near: {use: metrics/precision-recall, k: 2}\nloss: loss\n")
    words = ["--metrics", str(file), "--split", "test", "--count", "30", "evaluate.metrics.near.samples=25"]

    assert cli.main(["eval", str(trained), *words, "--plugin", str(TOYS)]) == 0
    record = json.loads(max((trained / "evaluate").glob("*eval*"), key=lambda path: path.name).read_text())
    assert set(record) == {"near", "loss"}
    assert record["near"]["card"]["options"] == {"k": 2, "samples": 25}
    assert (record["near"]["card"]["split"], record["near"]["card"]["generated"]) == ("test", 25)


def test_eval_draws_with_the_sampler_that_is_asked_for(trained) -> None:
    words = [
        "--metrics",
        "metrics/frechet",
        "--with",
        "local/codes",
        "sampler.precision=bf16",
        "sampler.channels_last=true",
        "--plugin",
        str(TOYS),
    ]

    assert cli.main(["eval", str(trained), *words]) == 0
    record = json.loads(max((trained / "evaluate").glob("*eval*"), key=lambda path: path.name).read_text())
    assert record["frechet"]["card"]["sampler"] == {
        "label": "local/codes",
        **CODES,
        "precision": "bf16",
        "channels_last": True,
    }


def test_eval_without_metrics_measures_those_of_the_recipe(trained) -> None:
    assert cli.main(["eval", str(trained), "--plugin", str(TOYS)]) == 0
    record = json.loads(max((trained / "evaluate").glob("*eval*"), key=lambda path: path.name).read_text())
    assert set(record) == {"loss"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train.steps=3"], 'gen eval changes how a run is measured, not the run: "train.steps=3" is no evaluate'),
        (["--metrics", "none.yaml"], "--metrics none.yaml: cannot be read"),
        (["--metrics", "metrics/frecht"], 'no metric is called "metrics/frecht"'),
        (["--metrics", "metrics/psnr"], "metrics/psnr needs `reconstruct`, which local/one lacks"),
        (["--count", "0"], "evaluate.count"),
        (["--with", "mixture"], 'the run has no sampler "mixture"; it has codes'),
        (["--with", "vae/interpolate"], "--with vae/interpolate: it starts from data, and metrics compare"),
        (["sampler.stepz=3"], 'codes has no option "stepz"'),
        (
            ["sampler.use=local/latent"],
            '"sampler.use=local/latent" would be another sampler: choose it with --with NAME',
        ),
        (["sampler.count=3"], '"sampler.count=3" has no effect: write --count'),
        (["sampler.weights=raw"], '"sampler.weights=raw" has no effect: write --weights'),
        (["sampler.channels_last=true"], '"sampler.channels_last=true" has no effect: none of these metrics draws'),
        (
            ["--metrics", "metrics/frechet", "sampler.precision=fp16"],
            "the sampler codes asks for fp16, which a CPU lacks",
        ),
        (["--with", "vae/interpolate", "sampler.steps=3"], "--with vae/interpolate: it starts from data, and metrics"),
        (["--seed", "-1"], "--seed takes 0 to 2**63 - 1, got -1"),
    ],
)
def test_a_mistake_of_eval_is_one_message(trained, capsys, words, said) -> None:
    files = sorted((trained / "evaluate").iterdir())

    assert cli.main(["eval", str(trained), *words, "--plugin", str(TOYS)]) == 2
    assert said in capsys.readouterr().err
    assert sorted((trained / "evaluate").iterdir()) == files
