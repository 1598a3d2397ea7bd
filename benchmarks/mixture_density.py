"""Three kinds of denoisers trained on a mixture in the plane: the densities they learned beside the true one.

    python -m benchmarks mixture-density

log p(x) of each is that of its probability flow (Song et al. 2021, arXiv:2011.13456) with the exact divergence, on a
grid of cells; sums over the cells stand for integrals. For DDPM too, whose own `log_prob` is a bound of another law,
that of its chain.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from benchmarks.drawing import beside, enlarged, heat, signed, titled
from benchmarks.figures import Figure, at_least, parser_of, show
from gen.loading import load
from gen.recipe.recipe import Recipe
from gen.running import run
from gen_diffusion.ode_likelihood import ode_log_prob

__all__ = ["main"]

KINDS: dict[str, dict[str, Any]] = {
    "ddpm": {"use": "diffusion/ddpm", "schedule": "core/cosine-noise", "parameterization": "v"},
    "edm": {"use": "diffusion/edm", "sigma_data": 0.57},
    "flow-matching": {"use": "diffusion/flow-matching"},
}
"""sigma_data is the standard deviation of a coordinate of eight Gaussians on a circle of radius 0.8."""
POWER = {"ddpm": 3, "edm": 1, "flow-matching": 3}
"""The flow is solved in equal steps of t^(1/p). With 64 of them, perfect denoisers of eight Gaussians get log p right
within 0.001 nats on average and 0.07 at worst."""
REACH = 1.2
"""The grid covers [-1.2, 1.2]²: of the figures here all but 1e-8 of the mass lies in it."""
ZOOM = 3
CHUNK = 4096


@attrs.frozen
class Deviation:
    """Of a density q from the truth p on a grid: KL in nats, both ways of being far off, and the mass of q in it."""

    kl: float
    most: float
    total: float
    mass: float


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where a recipe is refused."""
    parser = parser_of("mixture-density", "the densities of ddpm, edm and flow matching beside a known one")
    parser.add_argument(
        "--figure", choices=("eight-gaussians", "grid", "moons", "rings"), default="eight-gaussians", help="of the data"
    )
    parser.add_argument("--steps", type=at_least(1), default=6_000, help="of training, each kind (6,000)")
    parser.add_argument("--size", type=at_least(256), default=100_000, help="training points (100,000)")
    parser.add_argument("--cells", type=at_least(8), default=96, help="of the grid along each axis (96)")
    parser.add_argument("--ode-steps", type=at_least(1), default=64, help="of the flow's solver, four calls each (64)")
    return show("diffusion-mixture", parser, words, _figure)


def compare(log_p: Tensor, log_q: Tensor, cell: float) -> Deviation:
    """What lies between two densities [N] on cells of the area `cell`."""
    p, q = log_p.double().exp(), log_q.double().exp()
    kl = (torch.where(p > 0, p * (log_p.double() - log_q.double()), 0.0)).sum() * cell
    gap = (p - q).abs()
    return Deviation(float(kl), float(gap.max() / p.max()), float(gap.sum() * cell / 2), float(q.sum() * cell))


def cells(count: int) -> tuple[Tensor, float]:
    """The middles [count², 2] of the cells, rows from top to bottom, and the area of one."""
    side = (torch.arange(count, dtype=torch.float32) + 0.5) / count * 2 * REACH - REACH
    y, x = torch.meshgrid(side.flip(0), side, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2), (2 * REACH / count) ** 2


def _figure(args: argparse.Namespace) -> Figure:
    x, cell = cells(args.cells)
    data = {"use": "data/points2d", "figure": args.figure, "size": args.size, "batch": 256}
    truth = _truth(data)
    log_p = truth.log_prob(x)
    rows = [["density", "minutes", "KL(p, model), nats", "largest deviation", "total variation", "mass on the grid"]]
    maps = {"truth": log_p, "one Gaussian": _gaussian(log_p, x, cell)}
    minutes = {}
    for kind, model in KINDS.items():
        start = time.perf_counter()
        trained = _trained(kind, {**model, "denoiser": "diffusion/mlp"}, data, args)
        minutes[kind] = f"{(time.perf_counter() - start) / 60:.1f}"
        solver = {"steps": args.ode_steps, "probes": 0, "power": POWER[kind]}
        maps[kind] = torch.cat([ode_log_prob(trained, part, None, **solver) for part in x.split(CHUNK)])
    for name, log_q in maps.items():
        found = compare(log_p, log_q, cell)
        figures = [f"{found.kl:.4f}", f"{100 * found.most:.1f} %", f"{found.total:.3f}", f"{found.mass:.4f}"]
        rows.append([name, minutes.get(name, ""), *figures])
        print(" | ".join(rows[-1]), file=sys.stderr)
    del maps["one Gaussian"]
    entropy = float(-(log_p.exp() * log_p).sum() * cell)
    below = [
        f"{args.figure}, {args.size:,} training points, {args.steps:,} steps of 256; `diffusion/mlp` of the same size "
        "for all, and as many updates.",
        f"p is the truth, its entropy {entropy:.3f} nats; {args.cells}² cells on [-{REACH}, {REACH}]². The largest "
        "deviation is that of the density, in per cent of its greatest value; the total variation is half the "
        "integral of |p - q|. One Gaussian of the truth's mean and covariance stands for comparison.",
        "In the picture, above: densities, white to dark; below: model less truth, blue is too little, red too much, "
        "full colour at a third of the greatest density.",
    ]
    title = f"What three kinds of denoisers learn of a known density, {args.figure}"
    return Figure(title, [rows], below, {"densities": _picture(maps, args.cells)})


def _truth(data: dict[str, Any]) -> Any:
    from gen.building import Builder

    return Builder().make(data, path="data")


def _trained(kind: str, model: dict[str, Any], data: dict[str, Any], args: argparse.Namespace) -> Any:
    """A model of a kind, with averaged weights."""
    recipe = Recipe.parse(
        {
            "gen": 1,
            "name": kind,
            "seed": args.seed,
            "data": data,
            "model": model,
            "optim": {"all": {"use": "adam", "lr": 2e-3, "schedule": {"use": "cosine", "warmup": 100}}},
            "train": {"steps": args.steps, "log": args.steps, "ema": {"decay": 0.995}},
            "save": {"every": args.steps},
        }
    )
    with tempfile.TemporaryDirectory() as runs:
        path = run(recipe, runs=Path(runs), device="cpu", quiet=True).path
        return load(path).model.requires_grad_(False)


def _gaussian(log_p: Tensor, x: Tensor, cell: float) -> Tensor:
    """log density [N] of the Gaussian with the mean and the covariance of p."""
    p, x = log_p.exp() * cell, x.double()
    mean = p @ x  # [2]
    covariance = ((x - mean) * p[:, None]).T @ (x - mean)
    found: Tensor = torch.distributions.MultivariateNormal(mean, covariance, validate_args=False).log_prob(x)
    return found


def _picture(maps: dict[str, Tensor], count: int) -> Tensor:
    """Densities in a row, and below those of models what lies between them and the truth; [3, H, W]."""
    p = maps["truth"].exp().view(count, count)
    above, below = [], []
    for name, log_q in maps.items():
        q = log_q.double().exp().view(count, count)
        above.append(titled(enlarged(heat(q / p.max()), ZOOM), name))
        below.append(
            titled(enlarged(signed(3 * (q - p) / p.max()), ZOOM), "" if name == "truth" else f"{name} less truth")
        )
    height = above[0].shape[1]
    below = [torch.nn.functional.pad(one, (0, 0, height - one.shape[1], 0), value=255) for one in below]
    return beside([above, below])
