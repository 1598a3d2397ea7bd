"""Evaluation: metrics over a held-out split and generated samples, exact whatever the number of processes.

Every value carries a card that says how it was made: two values may be compared where their cards agree.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gen.component import options_of, slots_of
from gen.data import Split
from gen.errors import CommandError
from gen.files import write_whole
from gen.interfaces import Extractor, Metric, Model, Sampler
from gen.pictures import png
from gen.sampling import draw
from gen.seeds import generator, key, seed_all
from gen.types import Batch, Domain, Progress

__all__ = [
    "Evaluation",
    "Measured",
    "Source",
    "check_metrics",
    "content_hash",
    "evaluate",
    "save_pictures",
    "source_of",
]

CHUNK = 256
"""About so many samples are drawn at a time; a fixed size, so that neither the batch nor the processes change them."""


@attrs.frozen
class Measured:
    """A metric's value. `parts` are further figures of the same measurement; `card` says how it was made.

    `pictures` show what was measured: name → an image [C, H, W] of uint8, C 1 or 3. They are no part of the record.
    """

    value: float
    unit: str = ""
    parts: dict[str, float] = attrs.field(factory=dict)
    card: dict[str, Any] = attrs.field(factory=dict)
    pictures: dict[str, Tensor] = attrs.field(factory=dict, eq=False)

    def record(self) -> dict[str, Any]:
        """As JSON holds it; what is not finite is null."""
        value = self.value if math.isfinite(self.value) else None
        parts = {name: part if math.isfinite(part) else None for name, part in self.parts.items()}
        return {"value": value, "unit": self.unit, "parts": parts, "card": self.card}


@attrs.frozen
class Source:
    """Where generated samples come from: a sampler that needs no data, and the model with the weights it has.

    `prepare` is called with the sampler before the first draw (to fit it, say).
    """

    label: str
    sampler: Sampler
    model: Model
    weights: str
    prepare: Callable[[Sampler], None] | None = None

    def card(self) -> dict[str, Any]:
        """The sampler's label, class, options and parts.

        Its count and weights are left out: the evaluation's are used, whatever the sampler would choose.
        """
        found = described(self.sampler)
        for name in ("count", "weights"):
            del found[name]
        return {"sampler": {"label": self.label, **found}}


def source_of(
    samplers: Mapping[str, Sampler],
    model: Model,
    weights: str,
    prepare: Callable[[Sampler], None] | None = None,
) -> Source | None:
    """The first sampler that needs no data, as a source; None where there is none."""
    free = next(((label, sampler) for label, sampler in samplers.items() if not sampler.given), None)
    return Source(free[0], free[1], model, weights, prepare) if free is not None else None


@attrs.frozen
class Evaluation:
    """What a metric may use: the model in evaluation mode, splits, generated samples, features, sums over processes.

    Generated samples are drawn once, and features computed once, however many metrics ask for them.

    `train` is the training split (for what is compared with it); `weights` names the model's weights.
    """

    model: Model
    split: Split
    split_name: str
    seed: int
    batch: int
    count: int
    accelerator: Accelerator
    progress: Progress
    source: Source | None = None
    train: Split | None = None
    weights: str = "ema"
    _kept: dict[Any, Any] = attrs.field(factory=dict, init=False)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.accelerator.device
        return device

    @property
    def domain(self) -> Domain:
        """The single domain of the data.

        Raises:
            CommandError: the data have several.
        """
        domains = self.split.spec.domains
        if len(domains) != 1:
            raise CommandError(f"this metric compares samples of one domain; the data have {', '.join(domains)}")
        return next(iter(domains.values()))

    def batches(self) -> Iterator[Batch]:
        """This process's share of the split; every sample is in exactly one batch of one process."""
        return self.split.batches(
            self.batch, self.device, rank=self.accelerator.process_index, world=self.accelerator.num_processes
        )

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        total: Tensor = self.accelerator.reduce(values, "sum")
        return total

    def rows(self, function: Callable[[Batch], Tensor], of: str = "real", n: int | None = None) -> Tensor:
        """`function(batch)` [B, …] for the first n samples of a set, as [n, …] in their order, on the CPU.

        Every process computes its share of the batches, and all get the whole. What is random in `function` is seeded
        for each batch, by the evaluation's seed and the batch's first sample.

        Args:
            of: "real" (the split), "train" or "generated".
        """
        size = self.size(of) if n is None else min(n, self.size(of))

        def one(index: Tensor) -> Tensor:
            seed_all(key(self.seed, "rows", of, int(index[0])), self.device)
            return function(self._batch(of, index)).detach()

        return self._shared(one, size, self.batch)

    def size(self, of: str) -> int:
        """How many samples a set holds."""
        return self.count if of == "generated" else len(self._split(of))

    def generated(self) -> Tensor:
        """`count` generated samples [count, *shape] on the CPU; images are clipped to the range of the data.

        Raises:
            CommandError: there is no sampler that draws without data.
        """
        if "generated" not in self._kept:
            self._kept["generated"] = self._generate()
        x: Tensor = self._kept["generated"]
        return x

    def samples(self, of: str, index: Tensor) -> Tensor:
        """The samples [n, *shape] of a set with these numbers, on the CPU; for `of` see `rows`. Meant for pictures."""
        x: Tensor = self._batch(of, index).x.cpu()
        return x

    def seconds(self) -> float:
        """Seconds it took to draw the generated samples, summed over processes."""
        self.generated()
        return float(self.sum(torch.tensor(self._kept["seconds"], dtype=torch.float64, device=self.device)))

    def features(self, extractor: Extractor | None, of: str = "real", n: int | None = None) -> Tensor:
        """Features [n, D] of the first n samples of a set, float32 on the CPU; without an extractor, the samples."""
        name = ("features", content_hash(extractor) if extractor is not None else None, of)
        size = self.size(of) if n is None else min(n, self.size(of))
        if name not in self._kept or len(self._kept[name]) < size:
            network = extractor.to(self.device).eval() if extractor is not None else nn.Flatten()
            self._kept[name] = self.rows(lambda batch: network(batch.x).flatten(1).float(), of, size)  # [N, D]
        found: Tensor = self._kept[name]
        return found[:size]

    def card(self) -> dict[str, Any]:
        """What every card says: the split, its content, and the seed."""
        if "card" not in self._kept:
            spec = self.split.spec
            domains = {name: {"range": list(d.range), "levels": d.levels} for name, d in spec.domains.items()}
            one = next(iter(domains.values())) if len(domains) == 1 else {"domains": domains}
            data = {"data": self.split.rows.fingerprint()[:16], "split": self.split_name, "samples": len(self.split)}
            self._kept["card"] = {**data, **one, "seed": self.seed, "weights": self.weights}
        return dict(self._kept["card"])

    def card_of(self, extractor: Extractor | None, real: int, generated: int) -> dict[str, Any]:
        """What the card of a comparison of two sets says besides: sizes, extractor, sampler."""
        drawn = self.source.card() if self.source is not None else {}
        if extractor is None:
            space = {"extractor": "none: the samples themselves", "extractor_hash": None}
        else:
            space = {"extractor": type(extractor).__name__, "extractor_hash": content_hash(extractor)}
        return {"real": real, "generated": generated, **space, "resize": "none", **drawn}

    def _split(self, of: str) -> Split:
        if of == "real":
            return self.split
        assert of == "train", "a set of samples is real, train or generated"
        if self.train is None:
            raise CommandError("this metric compares with the training split, which was not opened")
        return attrs.evolve(self.train, training=False)  # no augmentation

    def _batch(self, of: str, index: Tensor) -> Batch:
        if of == "generated":
            return Batch(self.generated()[index].to(self.device), None, index)
        rng = generator("evaluate", int(index[0]), device=self.device)
        assert self.domain, "data of several domains are refused by it"
        return self._split(of).batch(index, rng, self.device)

    def _generate(self) -> Tensor:
        source = self.source
        if source is None:
            raise CommandError(NO_SOURCE)
        if source.prepare is not None:
            source.prepare(source.sampler)
        cond = source.model.data.cond
        classes = cond.size if cond is not None and cond.kind == "class" else 1
        domain = self.domain
        self._kept["seconds"] = 0.0

        def one(index: Tensor) -> Tensor:
            seed = key(self.seed, "generated", int(index[0]))
            seed_all(seed, self.device)
            start = time.perf_counter()
            x, _ = draw(source.model, source.sampler, len(index), seed=seed, device=self.device)  # [n, *shape]
            x = x.cpu()
            self._kept["seconds"] += time.perf_counter() - start
            return x.clamp(*domain.range) if domain.modality == "image" else x

        return self._shared(one, self.count, -(-CHUNK // classes) * classes)  # every class as often in every chunk

    def _shared(self, function: Callable[[Tensor], Tensor], n: int, size: int) -> Tensor:
        """`function(index)` over 0 to n - 1, chunk by chunk, as one tensor; processes take turns, and all get it."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        whole: Tensor | None = None
        for number, start in enumerate(range(0, n, size)):
            if number % world == rank:
                index = torch.arange(start, min(start + size, n))
                part = function(index).cpu()
                if whole is None:
                    whole = torch.zeros(n, *part.shape[1:], dtype=part.dtype)
                whole[index] = part
        if world == 1:
            assert whole is not None, "an evaluation has samples"
            return whole
        shapes: list[Any] = [None] * world
        torch.distributed.all_gather_object(shapes, None if whole is None else (whole.shape, whole.dtype))
        shape, dtype = next(found for found in shapes if found is not None)
        mine = torch.zeros(shape, dtype=dtype) if whole is None else whole
        return self.sum(mine.to(self.device)).cpu()  # every row is zero on all processes but one: the sum is exact


def save_pictures(found: Mapping[str, Measured], folder: Path) -> None:
    """Writes the pictures of measurements as folder/LABEL.NAME.png; without any, no folder is made."""
    for label, measured in found.items():
        for name, image in measured.pictures.items():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / f"{label}.{name}.png", png(image))


NO_SOURCE = "compares generated samples, and no sampler here draws without data: add one under sample"


def described(part: Any) -> Any:
    """The class of a component, its options, and its parts likewise; of a network the hash of its content as well."""
    if isinstance(part, (list, tuple)):
        return [described(one) for one in part]
    if part is None:
        return None
    parts = {s.name: described(getattr(part, s.name)) for s in slots_of(type(part))}
    content = {"content": content_hash(part)} if isinstance(part, nn.Module) else {}
    return {"class": type(part).__name__, **content, **_options(part), **parts}


def _options(part: Any) -> dict[str, Any]:
    return {option.name: getattr(part, option.name) for option in options_of(type(part))}


def content_hash(module: nn.Module) -> str:
    """The first 16 digits of a hash of what a module computes: its class, options and weights."""
    digest = hashlib.sha256(type(module).__name__.encode())
    if attrs.has(type(module)):
        digest.update(repr(list(_options(module).items())).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def check_metrics(metrics: Mapping[str, Metric], model: Model, source: Source | None) -> None:
    """Said before training starts.

    Raises:
        CommandError: a metric compares generated samples, and there is no source of them; or it takes the losses of a
            model that has none.
    """
    for label, metric in metrics.items():
        if metric.draws and source is None:
            raise CommandError(f"evaluate.metrics.{label} {NO_SOURCE}")
        if metric.of_losses and not model.phases():
            raise CommandError(
                f"evaluate.metrics.{label} measures the losses of the phases, and {type(model).__name__} has no phase:"
                " choose another metric (gen ls metrics)"
            )


def evaluate(metrics: Mapping[str, Metric], evaluation: Evaluation) -> dict[str, Measured]:
    """Every metric, on the model in evaluation mode and without gradients; the common lines of the cards are added."""
    evaluation.model.eval()
    found = {}
    with torch.no_grad():
        for label, metric in metrics.items():
            measured = metric.measure(evaluation)
            head = {"metric": type(metric).__name__, "better": metric.better, "options": _options(metric)}
            found[label] = attrs.evolve(measured, card={**head, **evaluation.card(), **measured.card})
    return found
