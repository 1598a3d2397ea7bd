"""Training and sampling of diffusion in gen beside the library `diffusers`, in one process, interleaved.

    pip install diffusers            # an optional dependency of this benchmark alone; tried with 0.42
    OMP_NUM_THREADS=2 python -m benchmarks diffusion-speed [train sample overhead]

Both sides run the same network, gen's U-Net, so that what differs is what stands around it: gen's whole loop beside
`DDPMScheduler.add_noise`, a mean squared error, AdamW and a DataLoader; gen's samplers beside diffusers' schedulers,
called step by step as its pipelines do. Figures are medians of per-round ratios, gen over diffusers.
"""

from __future__ import annotations

import copy
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.loops import Steps, images, interleaved, over_images, plain_batches, whole_loop
from gen.noise_schedules import LinearNoise
from gen.precision import has_bf16
from gen.recipe.recipe import Recipe
from gen.sampling import draw
from gen.types import DataSpec, Domain

__all__ = ["main"]

CPU = torch.device("cpu")
SHAPE, WIDTH = (1, 28, 28), 32
BATCH, STEPS, ROUNDS = 32, 3, 5
PIXELS = images(3_200, SHAPE)
DRAWN = 16
TRIVIAL_SHAPE = (1, 8, 8)
PEAK_SIDE = 1024


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where diffusers is missing or there is no such part."""
    unknown = [word for word in words if word not in PARTS]
    if unknown:
        print(f"diffusion-speed: no part {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    try:
        import diffusers
    except ImportError:
        print("diffusion-speed compares with diffusers, which is not installed: pip install diffusers", file=sys.stderr)
        return 2
    diffusers.utils.logging.set_verbosity_error()
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}, {torch.get_num_threads()} threads")
    for name in words or PARTS:
        PARTS[name]()
    return 0


def _ratios(rounds: int, gen: Callable[[], None], other: Callable[[], None]) -> tuple[float, float, list[float]]:
    """Median seconds of both, and the ratio of every round after one to warm up; they take turns in going first."""
    times = list(interleaved(rounds, {"gen": gen, "other": other}).values())
    ratios = [a / b for a, b in zip(*times, strict=True)]
    return statistics.median(times[0]), statistics.median(times[1]), ratios


def _say(name: str, gen: float, other: float, ratios: list[float], bar: float, more: str = "") -> None:
    ratio = statistics.median(ratios)
    print(
        f"{name:<36} gen {1e3 * gen:9.1f} ms  diffusers {1e3 * other:9.1f} ms  ratio {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  bar {bar:.2f} {'ok' if ratio <= bar else 'ABOVE'}{more}",
        flush=True,
    )


def _recipe() -> Recipe:
    denoiser = {"use": "diffusion/unet", "width": WIDTH}
    return Recipe.parse(
        {
            "gen": 1,
            "name": "diffusion-speed",
            "data": {"use": "data/digits", "batch": BATCH},
            "model": {"use": "diffusion/ddpm", "denoiser": denoiser, "schedule": "core/linear-noise"},
            "optim": {"all": {"use": "adamw", "lr": 1e-4}},
            "train": {"steps": 10**9, "log": 50},
            "save": {"every": 10**9},
        }
    )


def _experiment() -> Any:
    """The recipe's model over images of noise in memory, its U-Net with an output that is not zero."""
    experiment = over_images(_recipe(), PIXELS)
    with torch.no_grad():
        for parameter in experiment.model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return experiment


def train() -> None:
    """A training step in fp32."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = _experiment()
        network = copy.deepcopy(experiment.model.denoiser)
        gen, other = whole_loop(experiment, Path(folder)), _diffusers_training(network)
        mine, theirs, ratios = _ratios(ROUNDS, lambda: gen(STEPS), lambda: other(STEPS))
    numbers = sum(p.numel() for p in network.parameters())
    _say(f"training step, {numbers:,} parameters", mine / STEPS, theirs / STEPS, ratios, 1.00)


def _diffusers_training(network: nn.Module) -> Steps:
    """The loop of diffusers' example of unconditional training."""
    from diffusers import DDPMScheduler

    scheduler, optimizer = DDPMScheduler(), torch.optim.AdamW(network.parameters(), lr=1e-4)
    batches = plain_batches(PIXELS, BATCH)

    def run(steps: int) -> None:
        for _ in range(steps):
            x = next(batches)
            noise, timestep = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
            prediction = network(scheduler.add_noise(x, noise, timestep), (timestep + 1) / 1000)
            loss = nn.functional.mse_loss(prediction, noise)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return run


def sample() -> None:
    """20 steps of DPM-Solver and 50 of DDIM: diffusers in fp32, gen with the options that its samplers have for speed.

    Emulated bf16 would say nothing of bf16: where the processor has no instructions for it, that row is left out.
    """
    model = _experiment().model.eval()
    peak, work = _peak(), _work(model)
    ways: list[tuple[str, dict[str, Any], float]] = [
        ("fp32", {}, 1.00),
        ("fp32, channels-last", {"channels_last": True}, 1.00),
    ]
    if has_bf16(CPU):
        ways.append(("bf16, channels-last", {"precision": "bf16", "channels_last": True}, 0.60))
    else:
        print("no bf16: this processor has no instructions for it")
    for name, steps, mine, theirs in _solvers():
        for label, options, bar in ways:
            gen, other, ratios = _ratios(
                ROUNDS,
                _drawing(mine(steps=steps, **options), model, DRAWN),
                _stepping(theirs, model.denoiser, steps, SHAPE, DRAWN),
            )
            rate = f"  {DRAWN / gen:.2f} images/s, {100 * work * steps / gen / peak:.0f} % of {peak / 1e9:.0f} GFLOP/s"
            _say(f"{name}, {label}", gen, other, ratios, bar, rate)


def _solvers() -> list[tuple[str, int, Any, Callable[[], Any]]]:
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

    from gen_diffusion.samplers.ddim import DDIM
    from gen_diffusion.samplers.dpm_solver import DPMSolver

    return [
        ("DPM-Solver, 20 steps", 20, DPMSolver, DPMSolverMultistepScheduler),
        ("DDIM, 50 steps", 50, DDIM, lambda: DDIMScheduler(clip_sample=False)),
    ]


def _drawing(sampler: Any, model: Any, n: int) -> Callable[[], None]:
    def run() -> None:
        draw(model, sampler, n, seed=0, device=CPU)

    return run


def _stepping(make: Callable[[], Any], network: Any, steps: int, shape: tuple[int, ...], n: int) -> Callable[[], None]:
    """The loop of a diffusers pipeline; the network is told time as gen's is, in [0, 1]."""

    def run() -> None:
        scheduler = make()
        scheduler.set_timesteps(steps)
        with torch.no_grad():
            x = torch.randn(n, *shape, generator=torch.Generator().manual_seed(0)) * scheduler.init_noise_sigma
            for t in scheduler.timesteps:
                output = network(scheduler.scale_model_input(x, t), ((t + 1) / 1000).expand(n))
                x = scheduler.step(output, t, x).prev_sample

    return run


def _peak() -> float:
    """What a plain loop of matrix products reaches here, in fp32 FLOP/s: the best of a few."""
    a, b = torch.randn(2, PEAK_SIDE, PEAK_SIDE)
    best = math.inf
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * PEAK_SIDE**3 / best


def _work(model: Any) -> float:
    """FLOP of one network call for the images that are drawn."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.denoiser(torch.zeros(DRAWN, *SHAPE), torch.full((DRAWN,), 0.5), None)
    return float(counter.get_total_flops())


class _Trivial(nn.Module):
    """A model whose network costs nothing: what is left is the sampler."""

    conditional = False

    def __init__(self) -> None:
        super().__init__()
        self.data, self.schedule = DataSpec.single(Domain(TRIVIAL_SHAPE)), LinearNoise()

    def denoise(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return x


def overhead() -> None:
    """Milliseconds of a sampler's step with a trivial network; a hand-written DDIM stands beside."""
    steps, bar = 200, 0.3
    from gen_diffusion.samplers.ddim import DDIM
    from gen_diffusion.samplers.dpm_solver import DPMSolver

    mine = {"DDIM": DDIM(steps=steps), "DPM-Solver": DPMSolver(steps=steps)}
    theirs = {name.split(",")[0]: make for name, _, _, make in _solvers()}
    for name, sampler in mine.items():
        gen, other, _ = _ratios(
            ROUNDS,
            _drawing(sampler, _Trivial().eval(), 1),
            _stepping(theirs[name], lambda x, t: x, steps, TRIVIAL_SHAPE, 1),
        )
        ms, verdict = 1e3 * gen / steps, "ok" if 1e3 * gen / steps <= bar else "ABOVE"
        print(
            f"{name + ', a step of a trivial network':<36} gen {ms:.3f} ms  diffusers {1e3 * other / steps:.3f} ms"
            f"  bar {bar} ms {verdict}"
        )
    hand, _, _ = _ratios(ROUNDS, lambda: _by_hand(steps), lambda: time.sleep(1e-4))
    print(f"{'DDIM by hand':<36} {1e3 * hand / steps:.3f} ms a step")


@torch.no_grad()
def _by_hand(steps: int) -> None:
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    kept = kept[torch.linspace(999, 0, steps).long()].tolist()
    x = torch.randn(1, *TRIVIAL_SHAPE)
    for now, then in zip(kept, [*kept[1:], 1.0], strict=True):
        clean = (x - math.sqrt(1 - now) * x) / math.sqrt(now)
        x = math.sqrt(then) * clean + math.sqrt(1 - then) * x


PARTS: dict[str, Callable[[], None]] = {"train": train, "sample": sample, "overhead": overhead}
