"""What a component of each kind is called with, and what comes out. Shapes: B batch, D code.

`call` runs what training runs; `answers` what a trained component answers, sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.errors import ShapeError
from gen.types import Batch, Domain, Progress, Shape

__all__ = ["ANSWERS", "KINDS", "NETWORKS", "ROWS", "STEP", "answers", "batch_of", "call", "complete", "inputs"]

STEP = Progress(1, 10)
CODE: Shape = (4,)
NETWORKS = ("encoder", "decoder", "generator", "discriminator", "denoiser", "autoregressor", "extractor")


def _normal(*shape: int, seed: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def _data(batch: int, shape: Shape, seed: int, dtype: torch.dtype, levels: int | None = None) -> Tensor:
    """Samples [B, *shape] in [-1, 1], on a grid where they have levels."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, *shape, generator=rng, dtype=torch.float64)
    if levels is not None:
        x = (x * (levels - 1)).round() / (levels - 1)
    return (2 * x - 1).to(dtype)


def _labels(part: Any, batch: int) -> tuple[Tensor, ...]:
    """Labels [B] for a network that is wired to a condition."""
    spec = getattr(part, "cond", None)
    return () if spec is None else (torch.arange(batch) % spec.size,)


def inputs(kind: str, part: Any, batch: int, seed: int, dtype: torch.dtype, size: Shape) -> tuple[Tensor, ...]:
    """What the component takes, for a batch: always the same for a seed.

    Args:
        size: the shape of data, for kinds that are not wired to one.
    """
    match kind:
        case "encoder" | "discriminator" | "extractor":
            return (_data(batch, part.in_shape, seed, dtype), *(_labels(part, batch) if kind != "extractor" else ()))
        case "decoder" | "generator":
            return (_normal(batch, *part.in_shape, seed=seed, dtype=dtype), *_labels(part, batch))
        case "denoiser":
            level = _normal(batch, seed=seed + 1, dtype=dtype)
            return (_normal(batch, *part.in_shape, seed=seed, dtype=dtype), level, *_labels(part, batch))
        case "autoregressor":
            return (_data(batch, part.in_shape, seed, dtype, levels=2), *_labels(part, batch))
        case "model":
            domains = part.data.domains.values()
            x = [_data(batch, d.shape, seed + i, dtype, d.levels) for i, d in enumerate(domains)]
            return (*x, torch.arange(batch) % part.data.cond.size)
        case "prior" | "quantizer":
            return (_normal(batch, *part.shape, seed=seed, dtype=dtype),)
        case "posterior":
            z = _normal(batch, *CODE, seed=seed + 1, dtype=dtype)
            return (0.5 * _normal(batch, *part.param_shape(CODE), seed=seed, dtype=dtype), z)
        case "likelihood":
            params = 0.5 * _normal(batch, *part.param_shape(size), seed=seed, dtype=dtype)
            return (params, _data(batch, size, seed + 1, dtype, levels=getattr(part, "levels", None) or 2))
        case "adversarial-loss":
            return tuple(_normal(batch, seed=seed + i, dtype=dtype) for i in (0, 1))
        case "distance":
            return (_data(batch, size, seed, dtype), _data(batch, size, seed + 1, dtype))
        case "corruption":
            return (_data(batch, size, seed, dtype),)
        case "transform":
            return (_data(batch, size, seed, dtype, _served(part, size)), torch.arange(batch))
        case "weighting":
            return (_normal(batch, seed=seed, dtype=dtype).exp(),)
        case "noise-schedule":
            return (0.05 + 0.9 * (_data(batch, (), seed, dtype) + 1) / 2,)
    raise AssertionError(f"no inputs for a {kind}: it is not in KINDS")


def complete(part: Any) -> None:
    """Hands a part what its model would: to a prior with `bind`, which is made of posteriors, those of a toy."""
    if not hasattr(part, "bind"):
        return
    from gen_sdk.checks.toys import ToyEncoder, ToyPosterior

    posterior = ToyPosterior()
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(1)
        encoder = ToyEncoder(in_shape=part.out_shape, out_shape=posterior.param_shape(part.shape))
    part.bind(lambda x: (posterior, encoder.to(x.dtype)(x)))


def _served(transform: Any, size: Shape) -> int | None:
    """Tells a transform its domain, as a data set would; the levels of the first that it serves."""
    refused: ShapeError | None = None
    for levels in (None, 256, 2):
        try:
            transform.domain(Domain(size, levels=levels))
        except ShapeError as error:
            refused = refused or error
        else:
            return levels
    assert refused is not None, "three domains were tried"
    raise refused


def batch_of(model: Any, inputs: tuple[Tensor, ...]) -> Batch:
    """The batch that a model's inputs (one per domain, then labels) make."""
    *x, cond = inputs
    named = dict(zip(model.data.domains, x, strict=True))
    return Batch(x[0] if len(x) == 1 else named, cond, torch.arange(len(cond)))


def _losses(model: Any, inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
    batch = batch_of(model, inputs)
    return {phase.name: phase.loss(batch, STEP).total for phase in model.phases()}


ANSWERS = frozenset({"encode", "reconstruct", "translate", "denoise"})
"""Capabilities of a model that answer without drawing."""


def _capabilities(model: Any, inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """What a model answers without drawing: codes, reconstructions, translations."""
    *x, cond = inputs
    can = type(model).capabilities()
    found = {name: getattr(model, name)(x[0], cond) for name in ("encode", "reconstruct") if name in can}
    if "translate" in can:
        found["translate"] = model.translate(x[0], list(model.data.domains)[1])
    if "denoise" in can:
        found["denoise"] = model.denoise(x[0], torch.full((len(cond),), 0.5, dtype=x[0].dtype), cond)
    if "log_prob" in can and model.log_prob_kind == "exact":
        found["log_prob"] = model.log_prob(x[0], cond)
    return found


_CALLS: dict[str, Callable[[Any, tuple[Tensor, ...], torch.Generator | None], Any]] = {
    **{kind: lambda part, inputs, rng: part(*inputs) for kind in (*NETWORKS, "distance", "weighting")},
    "model": lambda part, inputs, rng: _losses(part, inputs),
    "prior": lambda part, inputs, rng: part.log_prob(*inputs),
    "quantizer": lambda part, inputs, rng: dict(zip(("z", "tokens", "penalty"), part(*inputs), strict=True)),
    "posterior": lambda part, inputs, rng: {"mean": part.mean(inputs[0]), "log_prob": part.log_prob(*inputs)},
    "likelihood": lambda part, inputs, rng: {"mean": part.mean(inputs[0]), "log_prob": part.log_prob(*inputs)},
    "adversarial-loss": lambda part, inputs, rng: {
        "discriminator": part.discriminator(*inputs),
        "generator": part.generator(*inputs),
    },
    "corruption": lambda part, inputs, rng: part(*inputs, rng),
    "transform": lambda part, inputs, rng: part(*inputs, rng),
    "noise-schedule": lambda part, inputs, rng: {
        name: getattr(part, name)(*inputs) for name in ("alpha", "sigma", "d_alpha", "d_sigma", "log_snr")
    },
}

KINDS = tuple(_CALLS)
"""The kinds that the kit knows how to call."""

ROWS = (
    *NETWORKS,
    "model",
    "prior",
    "quantizer",
    "posterior",
    "likelihood",
    "distance",
    "weighting",
    "noise-schedule",
)
"""The kinds whose every answer belongs to one sample."""


def call(kind: str, part: Any, inputs: tuple[Tensor, ...], rng: torch.Generator | None = None) -> Any:
    """Runs the one thing that its kind does: a tensor, or tensors by name."""
    return _CALLS[kind](part, inputs, rng)


def answers(kind: str, part: Any, inputs: tuple[Tensor, ...], rng: torch.Generator | None = None) -> dict[str, Tensor]:
    """Tensors by name: of a model its deterministic capabilities, if it has any, else what `call` gives."""
    found = (_capabilities(part, inputs) if kind == "model" else {}) or call(kind, part, inputs, rng)
    return found if isinstance(found, dict) else {"output": found}
