"""Drawing from a trained model: seeds of its own, chunks of bounded size, labels, what samplers are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen.data import Split
from gen.errors import CommandError, GenError
from gen.interfaces import Model, Sampler
from gen.masks import make_mask
from gen.picture_files import read_pictures
from gen.precision import autocast, has_bf16, memory_order, settled, widen
from gen.seeds import generator
from gen.types import DataSpec, Domain, Given

__all__ = [
    "check_samplers",
    "domain_of",
    "draw",
    "given_for",
    "interleave",
    "labels_for",
    "own_samples",
    "settle",
    "source",
    "target",
    "translations",
]

_CHUNK = 32  # files translated at a time


def labels_for(model: Model, n: int, label: int | None, device: torch.device) -> Tensor | None:
    """The condition of n samples [n]: one label for all, or every class in turn; None for unconditional models.

    Raises:
        CommandError: a label for a model that takes none, or out of range.
    """
    spec = model.data.cond
    conditional = spec is not None and spec.kind == "class" and getattr(model, "conditional", False)
    if not conditional:
        if label is not None:
            raise CommandError("this model was not trained with labels: leave --label out")
        return None
    assert spec is not None
    if label is None:
        return torch.arange(n, device=device) % spec.size
    if not 0 <= label < spec.size:
        raise CommandError(f"--label takes 0 to {spec.size - 1}, got {label}")
    return torch.full((n,), label, device=device)


def given_for(
    model: Model,
    sampler: Sampler,
    split: Split | None,
    n: int,
    device: torch.device,
    to: str | None = None,
    *,
    own: Tensor | None = None,
    mask: str | None = None,
    seed: int = 0,
) -> tuple[Given | None, Tensor | None]:
    """What the sampler starts from, samples of the user's own or of a split, and the labels that belong to it.

    A sampler that translates is given samples of another domain than the one it translates to; one that completes a
    mask as well: the one said (see `gen.masks`), or its option of that name.

    Raises:
        CommandError: the sampler needs data and there are none, they have no such domain, or it takes no such thing.
    """
    if to is not None and "to" not in sampler.given:
        raise CommandError("this sampler translates nothing: leave --to out, or choose another with --with")
    if mask is not None and "mask" not in sampler.given:
        raise CommandError("this sampler completes nothing: leave --mask out, or choose another with --with")
    if "x" not in sampler.given:
        return None, None
    if own is not None:
        x, cond = own.to(device), None
    elif split is None:
        raise CommandError("this sampler starts from data: name the data root with --data-root")
    else:
        batch = split.first(n, device)
        to, cond = target(sampler, model, to), batch.cond
        x = batch.x if isinstance(batch.x, Tensor) else batch.x[source(split.spec, to)]
    known = None
    if "mask" in sampler.given:
        word = mask or getattr(sampler, "mask", None) or "half"
        known = make_mask(word, tuple(x.shape[1:]), n, seed).to(device)
    return Given(x=x, mask=known, to=to, observed=own is not None), cond


def own_samples(sampler: Sampler, data: DataSpec, path: Path) -> Tensor:
    """Pictures of the user's own [m, C, H, W], as this sampler takes them.

    Raises:
        CommandError: it takes none, or none of this size and colour.
        DataError: a file is no picture.
    """
    if "x" not in sampler.given:
        raise CommandError("this sampler starts from noise alone: leave --input out, or choose another with --with")
    if "to" in sampler.given:
        raise CommandError("this sampler translates: name a folder of pictures with --translate, not --input")
    return read_pictures(path, sampler.given_shapes(data.shape), data.domain)


def target(sampler: Sampler, model: Model, to: str | None = None) -> str | None:
    """The domain that a sampler translates to: `to`, its option of that name, or the last; None if it translates none.

    Raises:
        CommandError: the model translates to no such domain.
    """
    if "to" not in sampler.given:
        return None
    known = tuple(getattr(model, "targets", model.data.domains))
    chosen: str = to or getattr(sampler, "to", None) or known[-1]
    if chosen not in known:
        raise CommandError(f'there is no domain "{chosen}" to translate to: this model knows {" and ".join(known)}')
    return chosen


def source(data: DataSpec, to: str | None) -> str:
    """The domain that samples are taken from: the first that is not `to`."""
    return next((name for name in data.domains if name != to), next(iter(data.domains)))


def domain_of(data: DataSpec, given: Given | None) -> Domain:
    """The domain that drawn samples belong to."""
    return data.domains[given.to] if given is not None and given.to else next(iter(data.domains.values()))


@torch.no_grad()
def draw(
    model: Model,
    sampler: Sampler,
    n: int,
    *,
    seed: int,
    device: torch.device,
    split: Split | None = None,
    label: int | None = None,
    to: str | None = None,
    own: Tensor | None = None,
    mask: str | None = None,
    observe: Callable[[int, int, Tensor], None] | None = None,
) -> tuple[Tensor, Given | None]:
    """n samples [n, *shape] of a model in evaluation mode, and what they were drawn from.

    Raises:
        CommandError: what was asked for does not go with the sampler or the model.
    """
    assert not model.training, "samples are drawn in evaluation mode"
    given, given_cond = given_for(model, sampler, split, n, device, to, own=own, mask=mask, seed=seed)
    cond = labels_for(model, n, label, device)
    if cond is not None and own is not None and label is None:
        raise CommandError("this model was trained with labels: say what the pictures of --input show with --label")
    if cond is not None and given_cond is not None and label is None:
        cond = given_cond
    rng = generator(seed, "sample", device=device)
    options: dict[str, Any] = {"rng": rng, "cond": cond, "given": given, "observe": observe}
    with _as_asked(model, sampler, device):
        x = sampler.sample(model, n, **options)
    return widen(x), given


def check_samplers(samplers: Mapping[str, Sampler], model: Model) -> None:
    """Whether they can draw from the model, as far as that is known before it is trained.

    Raises:
        CommandError: one cannot, by its label in the recipe.
    """
    for label, sampler in samplers.items():
        try:
            sampler.check(model)
            target(sampler, model)
        except GenError as error:
            raise CommandError(f"sample.{label}: {error}") from error


def settle(sampler: Sampler, label: str, device: torch.device) -> str:
    """Settles the precision "auto" by the device; returns a warning where half precision is slow there, or nothing.

    Raises:
        CommandError: the sampler asks for a precision that the device lacks.
    """
    sampler.precision = settled(sampler.precision, device)
    if sampler.precision == "fp16" and device.type == "cpu":
        raise CommandError(f"the sampler {label} asks for fp16, which a CPU lacks: bf16 works here")
    emulated = sampler.precision == "bf16" and not has_bf16(device)
    said = "draws in bf16, which this device emulates, several times slower than fp32: precision: auto avoids it"
    return f"the sampler {label} {said}" if emulated else ""


@contextmanager
def _as_asked(model: Model, sampler: Sampler, device: torch.device) -> Iterator[None]:
    """A region in the precision and the memory order that the sampler's options name."""
    with memory_order(model, sampler.channels_last), autocast(device, settled(sampler.precision, device)):
        yield


@torch.no_grad()
def translations(
    model: Model, sampler: Sampler, split: Split, to: str, n: int | None, *, seed: int, device: torch.device
) -> Iterator[tuple[int, Tensor]]:
    """The first n samples of a split (all without n) in another domain, one by one: number and translation [*shape]."""
    rng = generator(seed, "sample", device=device)
    for batch in split.batches(_CHUNK, device):
        with _as_asked(model, sampler, device):
            made = sampler.sample(model, len(batch.index), rng=rng, given=Given(x=batch.x, to=to))
        for number, x in zip(batch.index.tolist(), widen(made), strict=True):
            if n is not None and number >= n:
                return
            yield number, x


def interleave(model: Model, sampler: Sampler, x: Tensor, given: Given | None) -> tuple[Tensor, int | None]:
    """The samples in the order of a picture, and its columns: reconstructions stand under what they reconstruct.

    Rows of other sides than the samples are left out; grey ones stand beside colour.
    """
    columns = sampler.columns(len(x))
    rows = sampler.rows(model, x, given)
    channels = max((row.shape[1] for row in rows), default=1)
    fitting = [_coloured(row, channels) for row in rows if row.ndim == x.ndim and row.shape[2:] == x.shape[2:]]
    fitting = [row for row in fitting if row.shape == fitting[-1].shape]
    if columns is not None or len(fitting) < 2:
        return x, columns
    columns = min(len(x), 12)
    starts = range(0, len(x) - len(x) % columns, columns)
    return torch.cat([row[start : start + columns] for start in starts for row in fitting]), columns


def _coloured(images: Tensor, channels: int) -> Tensor:
    """Grey images [n, 1, H, W] with as many channels as asked for; others as they are."""
    return images.expand(-1, channels, *images.shape[2:]) if images.ndim == 4 and images.shape[1] == 1 else images
