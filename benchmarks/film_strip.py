"""A denoising film strip: what a sampler sees on its way from noise to data, and what the model makes of it.

    python -m benchmarks film-strip RUN --with guided

Two rows for each sample. Above: x_noisy / sqrt(alpha² + sigma²), so that noise is as bright at every level; below: the
estimate of clean x there. The last column is the sample.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from benchmarks.denoisers import denoiser_of, sampler_recipe, told
from benchmarks.drawing import enlarged, titled
from benchmarks.figures import Figure, at_least, parser_of, show, trained
from gen.errors import CommandError
from gen.noise import expand, level_at
from gen.pictures import grid, to_bytes
from gen.sampling import draw

__all__ = ["main"]


@attrs.frozen(eq=False)
class Frame:
    """A step of a walk: its time, x_noisy before it and the estimate of clean x, both [n, *shape]."""

    t: float
    x_noisy: Tensor
    clean: Tensor


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where the run cannot be shown so."""
    parser = parser_of("film-strip", "what a sampler sees from noise to data")
    parser.add_argument("run", metavar="RUN", help="a finished run of a denoiser on images")
    parser.add_argument("--with", dest="sampler", metavar="SAMPLER", help="of the run's recipe, or a component")
    parser.add_argument("-n", dest="count", type=at_least(1), default=5, help="samples (5)")
    parser.add_argument("--frames", type=at_least(2), default=12, help="of the steps, evenly spread (12)")
    return show("diffusion-film", parser, words, _figure)


def film(model: Any, sampler: Any, n: int, seed: int) -> tuple[list[Frame], Tensor]:
    """The steps of a sampler, in order, and its n samples [n, *shape]."""
    frames: list[Frame] = []
    seen: list[tuple[float, Tensor]] = []  # of the network calls of a step: time, x_noisy
    denoise = model.denoise

    def watched(x_noisy: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        seen.append((float(t[0]), x_noisy[:n].clone()))  # a guided call holds every sample twice
        return denoise(x_noisy, t, cond)

    def observe(step: int, total: int, clean: Tensor) -> None:
        if seen:
            frames.append(Frame(*seen[0], clean.clone()))
        seen.clear()

    model.denoise = watched
    try:
        x, _ = draw(model, sampler, n, seed=seed, device=torch.device("cpu"), observe=observe)
    finally:
        del model.denoise
    return frames, x


def _figure(args: argparse.Namespace) -> Figure:
    loaded = denoiser_of(args.run)
    model: Any = loaded.model
    if model.data.domain.modality != "image":
        raise CommandError(f"{args.run} was trained on data that are no images")
    recipe = sampler_recipe(loaded, args.sampler)
    sampler = loaded.builder.make(recipe, path="sample")
    frames, x = film(model, sampler, args.count, args.seed)
    shown = sorted({round(place) for place in torch.linspace(0, len(frames) - 1, args.frames).tolist()})
    frames = [frames[number] for number in shown]
    seen = [_visible(model, frame) for frame in frames]  # each [count, C, H, W]
    columns = len(frames) + 1
    strips = []  # each [columns, C, H, W]
    for number in range(args.count):
        above = [one[number] for one in seen]
        strips += [torch.stack([*above, x[number]]), torch.stack([*(one.clean[number] for one in frames), x[number]])]
    image = enlarged(grid(to_bytes(torch.cat(strips), model.data.domain), columns))
    row = image.shape[1] / (2 * args.count)
    left = {
        round(row * (2 * number + half + 0.5)): ("x_noisy", "estimate")[half]
        for number in range(args.count)
        for half in (0, 1)
    }
    picture = titled(image, f"{recipe['use']}, {loaded.config['model']['use']}: noise to data", left)
    times = [["step", *(str(number + 1) for number in shown)], ["t", *(f"{frame.t:.3f}" for frame in frames)]]
    below = [
        f"{told(recipe, sampler)}. The columns of the picture, but for the last, stand before "
        "these steps: above what the network sees (scaled to the same brightness), below its estimate of the digit.",
        trained(args.run),
    ]
    return Figure(f"From noise to data, {loaded.config['model']['use']}", [times], below, {"strip": picture})


def _visible(model: Any, frame: Frame) -> Tensor:
    level = level_at(model.schedule, torch.tensor([frame.t], dtype=torch.float64))
    scale = (level.alpha**2 + level.sigma**2).sqrt().float()
    return frame.x_noisy / expand(scale, frame.x_noisy)
