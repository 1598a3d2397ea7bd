"""A finished run of a denoiser, drawn from by any sampler and measured as `gen eval` measures."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from torch import Tensor, nn

from benchmarks.figures import at_least
from gen.component import options_of
from gen.data import Split, open_split
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured, Source, evaluate
from gen.interfaces import Metric, Sampler
from gen.loading import Loaded, load
from gen.processes import make_accelerator
from gen.rundir import RunFolder
from gen.types import Progress, Shapes

__all__ = ["Measuring", "add_measuring", "counted", "denoiser_of", "sampler_recipe", "told"]

BATCH = 256
K = 5
"""Neighbours of density and coverage, as in benchmarks/PROTOCOL.md."""


def add_measuring(parser: argparse.ArgumentParser) -> None:
    """The words for what is measured and by which ruler."""
    parser.add_argument("run", metavar="RUN", help="a finished run of a denoiser on images")
    parser.add_argument(
        "--ruler", default="runs/classifier-digits", metavar="RUN", help="the classifier's run, or the word random"
    )
    parser.add_argument("--count", type=at_least(K + 1), default=2_000, help="samples of every sampler (2,000)")
    parser.add_argument(
        "--split", choices=("train", "val", "test"), default="train", help="the real images (train: the most)"
    )


def denoiser_of(run: str) -> Loaded:
    """The run's model, averaged weights.

    Raises:
        GenError: no run is there, or its model is no denoiser.
    """
    loaded = load(run)
    if not isinstance(getattr(loaded.model, "denoiser", None), nn.Module):
        raise CommandError(f"{run} is a run of {loaded.config['model']['use']}, which has no denoiser")
    loaded.model.requires_grad_(False)
    return loaded


def sampler_recipe(loaded: Loaded, name: str | None) -> dict[str, Any]:
    """How a sampler stands in a recipe: the run's of this label, or its first that draws from noise, or a component.

    Raises:
        CommandError: there is none such, or it starts from data.
    """
    labels = [label for label in loaded.config["sample"] if not loaded.sampler(label).given]
    chosen = name or next(iter(labels), "diffusion/ddim")
    if loaded.sampler(chosen).given:
        raise CommandError(f"--with {chosen} starts from data: choose one that draws from noise alone")
    value = loaded.config["sample"].get(chosen, chosen)
    return {"use": value} if isinstance(value, str) else dict(value)


def told(recipe: Mapping[str, Any], sampler: Sampler, without: str = "") -> str:
    """A sampler in words: its name and the options that are not its defaults, `without` the one that is swept."""
    chosen = [
        f"{option.name} {str(value).lower() if isinstance(value, bool) else value}"
        for option in options_of(type(sampler))
        if (value := getattr(sampler, option.name)) != option.convert(option.default)
        if option.name not in ("count", without)
    ]
    return ", ".join([f"`{recipe['use']}`", *chosen])


@contextmanager
def counted(network: nn.Module) -> Iterator[list[int]]:
    """The rows of every call of a network in the block; their sum over the samples drawn is the NFE."""
    rows: list[int] = []
    handle = network.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    try:
        yield rows
    finally:
        handle.remove()


@attrs.frozen(eq=False)
class Measuring:
    """A model, the real images it is held against, and the Fréchet distance, density and coverage by one ruler."""

    loaded: Loaded
    split: Split
    metrics: Mapping[str, Metric]
    args: argparse.Namespace

    @classmethod
    def open(cls, args: argparse.Namespace) -> Measuring:
        """
        Raises:
            GenError: a run is missing or of another kind, or its data are no images.
        """
        loaded = denoiser_of(args.run)
        root = Path(RunFolder.open(Path(args.run)).read("run.json").get("data_root", "."))
        split = open_split(loaded.builder.make(loaded.config["data_section"], path="data"), args.split, root)
        if len(loaded.model.data.domains) != 1 or loaded.model.data.domain.modality != "image":
            raise CommandError(f"{args.run} was trained on data that are no images")
        return cls(loaded, attrs.evolve(split, training=False), _metrics(loaded, args.ruler), args)

    @property
    def body(self) -> Any:
        """The network of the features."""
        metric: Any = self.metrics["fd"]
        return metric.features

    def of(self, label: str, sampler: Sampler) -> tuple[dict[str, Measured], Tensor]:
        """What is found of `count` samples of a sampler, and they [count, C, H, W]."""
        evaluation = Evaluation(
            model=self.loaded.model,
            split=self.split,
            split_name=self.args.split,
            seed=self.args.seed,
            batch=BATCH,
            count=self.args.count,
            accelerator=make_accelerator("cpu", "fp32"),
            progress=Progress(0, 1),
            source=Source(label, sampler, self.loaded.model, "ema"),
        )
        return evaluate(self.metrics, evaluation), evaluation.generated()

    def said(self, card: Mapping[str, Any]) -> str:
        """One line on how a figure was measured, from its card."""
        real, hash_ = f"{card['real']:,} {card['split']} images", card["extractor_hash"]
        pairs = min(card["real"], card["generated"])
        return (
            f"{card['generated']:,} generated against {real}; density and coverage by the first {pairs:,} of both, "
            f"k = {K}; {card['extractor']}, extractor_hash {hash_}."
        )


def _metrics(loaded: Loaded, ruler: str) -> dict[str, Metric]:
    if ruler != "random" and not Path(ruler).is_dir():
        raise CommandError(
            f"--ruler {ruler}: there is no run; gen run classifier-digits makes one, and the word random takes "
            "features of a random network"
        )
    features = "metrics/random-features" if ruler == "random" else {"run": ruler, "part": "body"}
    data = loaded.model.data
    shapes = Shapes(data.shape, (), data.cond)
    chosen = {
        "fd": {"use": "metrics/frechet", "features": features},
        "dc": {"use": "metrics/density-coverage", "k": K, "samples": 2_000, "features": features},
    }
    return {label: loaded.builder.make(value, shapes, path=label) for label, value in chosen.items()}
