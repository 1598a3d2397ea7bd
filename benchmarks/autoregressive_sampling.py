"""Seconds to draw 64 binary images of 28x28, with caches and by naive recomputation, for every network.

Naive means a full pass over the image for every pixel. It is timed on a few passes and scaled to all 784, which the
table says; a pass costs the same at every pixel. Cached sampling is timed whole, median of three. The weights are
untrained, which changes nothing in what is computed. Bars: at least 150 times as fast for the convolutional networks,
75 for the transformer.

    OMP_NUM_THREADS=2 python -m benchmarks autoregressive-sampling [NETWORK…]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from gen.building import Builder
from gen.types import DataSpec, Domain

__all__ = ["main"]

IMAGES, SHAPE, PASSES, ROUNDS = 64, (1, 28, 28), 4, 3
POSITIONS = SHAPE[1] * SHAPE[2]
NETWORKS: dict[str, tuple[dict[str, Any], int | None]] = {
    "made": ({"hidden": [8000]}, None),
    "pixelcnn": ({"width": 64, "depth": 12}, 150),
    "gated-pixelcnn": ({"width": 64, "depth": 10}, 150),
    "pixelcnn-pp": ({"width": 64, "depth": 3}, 150),
    "pixelrnn-row": ({"width": 48, "depth": 4}, None),
    "pixelrnn-diagonal": ({"width": 48, "depth": 4}, None),
    "transformer": ({"width": 128, "depth": 6}, 75),
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        print(f"no network {', '.join(unknown)}; there are {', '.join(NETWORKS)}", file=sys.stderr)
        return 2
    print(
        f"{IMAGES} images {SHAPE}: torch {torch.__version__}, {torch.get_num_threads()} threads; cached: median of "
        f"{ROUNDS}; naive: median of {PASSES} passes, times {POSITIONS}"
    )
    for name in names or NETWORKS:
        _measure(name)
    return 0


@torch.no_grad()
def _measure(name: str) -> None:
    options, bar = NETWORKS[name]
    data = DataSpec.single(Domain(SHAPE, levels=2))
    network = {"use": f"autoregressive/{name}", **options}
    model = Builder().make({"use": "autoregressive/image", "autoregressor": network}, data=data).eval()
    sampler = Builder().make({"use": "autoregressive/ancestral"})
    x = sampler.sample(model, IMAGES, rng=torch.Generator().manual_seed(0))
    model.autoregressor(x)
    cached = statistics.median(
        _seconds(lambda: sampler.sample(model, IMAGES, rng=torch.Generator().manual_seed(1))) for _ in range(ROUNDS)
    )
    naive = POSITIONS * statistics.median(_seconds(lambda: model.autoregressor(x)) for _ in range(PASSES))
    size = sum(parameter.numel() for parameter in model.parameters())
    verdict = "" if bar is None else f"  bar {bar} {'ok' if naive / cached >= bar else 'BELOW'}"
    print(
        f"{name:<18} {size:>10,} parameters  cached {cached:7.2f} s  naive {naive:8.1f} s  "
        f"{naive / cached:6.0f}x{verdict}"
    )


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
