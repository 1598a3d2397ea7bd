"""What a denoiser makes of damaged digits, beside what needs no model: filled, enlarged and sharpened test images.

    python -m benchmarks inverse-tasks RUN --ruler runs/classifier-mnist

Every method is shown the same measurements. PSNR and SSIM compare with the images that were damaged, in [-1, 1] and
clipped to it; of samples, both are of single ones, and "PSNR of mean" is of the mean over the samples of an input.
Accuracy is the classifier's on what was made, told nothing of labels; spread is the standard deviation over the samples
of an input, a mean over pixels. The table is printed and written below -o.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from benchmarks.figures import Figure, parser_of, show
from gen.data import open_split
from gen.errors import GenError
from gen.loading import Loaded, load
from gen.masks import make_mask
from gen.rundir import RunFolder
from gen.seeds import generator
from gen.types import Given

__all__ = ["main"]

MASKS = ("centre", "half", "random:0.3")
FACTORS = (2, 4)
RADIUS = 1.5
BATCH = 250
HEAD = ["task", "method", "PSNR, dB", "PSNR of mean, dB", "SSIM", "accuracy, %", "spread", "seconds"]

Fill = Callable[[Tensor], Tensor]


@attrs.frozen(eq=False)
class Task:
    """A measurement of images: what samplers are given of it (a recipe and a mask), and what needs no model."""

    name: str
    samplers: dict[str, dict[str, Any]]
    plain: dict[str, Fill]
    mask: Tensor | None = None


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where the run cannot be measured so."""
    parser = parser_of("inverse-tasks", "PSNR, SSIM, accuracy and spread of restored test images")
    parser.add_argument("run", metavar="RUN", help="a run whose model can denoise, on MNIST")
    parser.add_argument("--ruler", default="runs/classifier-mnist", metavar="RUN", help="the classifier's run")
    parser.add_argument("--count", type=int, default=500, help="test images, the first ones (500)")
    parser.add_argument("--samples", type=int, default=4, help="samples of every image (4)")
    parser.add_argument("--steps", type=int, default=50, help="of every sampler (50)")
    parser.add_argument(
        "--repeats", type=int, default=4, help="walks of every stretch, where stretches are repeated (4)"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return show("inverse-tasks", parser, words, _figure)


def _figure(args: argparse.Namespace) -> Figure:
    below = f"{args.count} test images, {args.samples} samples of each."
    return Figure(f"Inverse tasks, {args.run}", [[HEAD, *_rows(args)]], [below])


@torch.no_grad()
def _rows(args: argparse.Namespace) -> list[list[str]]:
    loaded, device = load(args.run), torch.device(args.device)
    loaded.model.to(device)
    x, labels = _test_images(args.run, loaded, args.count, device)
    body: Any = load(args.ruler).model.to(device)
    classify = lambda made: body.body.scores(body.body(made)).argmax(1)  # noqa: E731
    rows = [["", "the test images", "", "", "1.000", f"{100 * (classify(x) == labels).float().mean():.1f}", "", ""]]
    for task in _tasks(x, args):
        methods: dict[str, Callable[[], Tensor]] = {name: _once(fill, x) for name, fill in task.plain.items()}
        for name, recipe in task.samplers.items():
            methods[name] = _sampled(loaded, recipe, x, task.mask, args)
        for name, method in methods.items():
            start = time.perf_counter()
            made = method().clamp(-1, 1)  # [K, N, C, H, W]
            rows.append([task.name, name, *_figures(made, x, labels, classify), f"{time.perf_counter() - start:.1f}"])
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _tasks(x: Tensor, args: argparse.Namespace) -> list[Task]:
    """The measurements of the table."""
    once = {"steps": args.steps, "clip": True, "repeats": 1}
    again = {**once, "repeats": args.repeats}
    found = []
    for word in MASKS:
        mask = make_mask(word, tuple(x.shape[1:]), len(x), args.seed).to(x).expand_as(x)
        samplers = {
            "RePaint": {"use": "diffusion/inpaint", **again},
            "DDNM": {"use": "diffusion/inpaint", "method": "projection", **once},
            "DDNM, repeated": {"use": "diffusion/inpaint", "method": "projection", **again},
        }
        plain = {"mean fill": _mean_fill(mask), "nearest fill": _nearest_fill(mask)}
        found.append(Task(f"inpaint, {word} known" if ":" in word else f"inpaint, {word}", samplers, plain, mask))
    for factor in FACTORS:
        sampler = {"use": "diffusion/super-resolve", "factor": factor, **once}
        enlarged: dict[str, Fill] = {name: _enlarged(factor, name) for name in ("nearest", "bicubic")}
        found.append(Task(f"enlarge x{factor}", {"DDNM": sampler, "DDNM, repeated": {**sampler, **again}}, enlarged))
    sampler = {"use": "diffusion/deblur", "radius": RADIUS, **once}
    found.append(
        Task(f"deblur, {RADIUS:g} pixels", {"DDNM": sampler, "DDNM, repeated": {**sampler, **again}}, _sharpened(x))
    )
    return found


def _mean_fill(mask: Tensor) -> Fill:
    """Unknown pixels take the mean of the image's known ones."""
    return lambda x: torch.where(mask > 0, x, (x * mask).mean((1, 2, 3), True) / mask.mean((1, 2, 3), True))


def _nearest_fill(mask: Tensor) -> Fill:
    """Unknown pixels take the value of a nearest known one."""

    def fill(x: Tensor) -> Tensor:
        side = torch.arange(x.shape[3], device=x.device)
        places = torch.cartesian_prod(torch.arange(x.shape[2], device=x.device), side).float()
        far = torch.cdist(places, places)  # [P, P]
        known = mask.flatten(1) > 0
        near = torch.stack([torch.where(row, far, torch.inf).argmin(1) for row in known])  # [N, P]
        return x.flatten(1).gather(1, near).view_as(x)

    return fill


def _enlarged(factor: int, mode: str) -> Fill:
    options: dict[str, Any] = {} if mode == "nearest" else {"align_corners": False}
    return lambda x: F.interpolate(F.avg_pool2d(x, factor), scale_factor=float(factor), mode=mode, **options)


def _sharpened(x: Tensor) -> dict[str, Fill]:
    """The blurred image itself, and its truncated pseudo-inverse."""
    from gen_diffusion.tasks.linear import blurring

    blur = blurring(x.shape[2], x.shape[3], RADIUS, 0.05)
    return {"blurred": blur, "pseudo-inverse": blur.project}


def _once(fill: Fill, x: Tensor) -> Callable[[], Tensor]:
    return lambda: fill(x)[None]


def _sampled(
    loaded: Loaded, recipe: dict[str, Any], x: Tensor, mask: Tensor | None, args: argparse.Namespace
) -> Callable[[], Tensor]:
    """Draws `samples` of every image in batches; a conditional model is told the null label."""
    sampler, spec = loaded.builder.make(recipe, path="task"), loaded.model.data.cond
    told = spec is not None and getattr(loaded.model, "conditional", False)

    def draw() -> Tensor:
        rounds = []
        for number in range(args.samples):
            parts = []
            for start in range(0, len(x), BATCH):
                part = slice(start, start + BATCH)
                n = len(x[part])
                cond = torch.full((n,), spec.null, device=x.device) if told and spec is not None else None
                given = Given(x[part], None if mask is None else mask[part])
                rng = generator(args.seed, "inverse", number, start, device=x.device)
                parts.append(sampler.sample(loaded.model, n, rng=rng, cond=cond, given=given))
            rounds.append(torch.cat(parts))
        return torch.stack(rounds)

    return draw


def _figures(made: Tensor, x: Tensor, labels: Tensor, classify: Callable[[Tensor], Tensor]) -> list[str]:
    """The cells of one method from what it made, [K, N, C, H, W]."""
    single = torch.stack([_psnr(each, x) for each in made]).mean()
    mean = _psnr(made.mean(0), x).mean()
    ssim = torch.stack([_ssim(each, x) for each in made]).mean()
    right = torch.stack([classify(each) == labels for each in made]).float().mean()
    spread = f"{made.std(0).mean():.3f}" if len(made) > 1 else ""
    return [f"{single:.2f}", f"{mean:.2f}", f"{ssim:.3f}", f"{100 * right:.1f}", spread]


def _psnr(made: Tensor, x: Tensor) -> Tensor:
    """[N] in dB."""
    return peak_signal_noise_ratio(made, x, data_range=2.0, dim=(1, 2, 3), reduction="none")


def _ssim(made: Tensor, x: Tensor) -> Tensor:
    """The mean over images; pixels count from black."""
    found = structural_similarity_index_measure(made + 1, x + 1, data_range=2.0)
    assert isinstance(found, Tensor), "one value, and no maps"
    return found


def _test_images(run: str, loaded: Loaded, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The first test images [N, C, H, W] of the run's data, and their labels [N].

    Raises:
        GenError: the data have no labels for the classifier to be right about.
    """
    root = Path(RunFolder.open(Path(run)).read("run.json").get("data_root", "."))
    split = open_split(loaded.builder.make(loaded.config["data_section"], path="data"), "test", root)
    batch = split.first(min(count, len(split)), device)
    if batch.cond is None or not isinstance(batch.x, Tensor) or batch.x.dim() != 4:
        raise GenError(f"{run} was trained on data that are not labelled images")
    return batch.x, batch.cond
