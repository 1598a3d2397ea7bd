"""A map of the codes: where a model puts the samples, seen from the side on which they spread the most.

    z - mean(z) = U S V',  map = (z - mean(z)) V[:, :2]

Principal components (Pearson 1901); codes of two numbers are shown as they are. N samples, D numbers of a code.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric
from gen.types import Batch

__all__ = ["LatentMap", "plane", "scatter"]

SIDE, RADIUS, SCALE = 512, 2, 3
COLOURS = (
    *((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)),
    *((140, 86, 75), (227, 119, 194), (110, 110, 110), (188, 160, 20), (23, 170, 190)),
)
DIGITS = (0x7B6F, 0x2C97, 0x73E7, 0x72CF, 0x5BC9, 0x79CF, 0x79EF, 0x7292, 0x7BEF, 0x7BCF)
"""The figures 0 to 9 as bitmaps, 3 wide and 5 high, row by row from the highest bit."""


@component
class LatentMap(Metric):
    """The share of the codes' variance that their two principal directions hold; the picture is the map they make.

    Points are coloured by label where the data have classes, and each label stands at the mean of its points.
    """

    needs = ("encode",)
    better = "higher"
    samples: int = option(2000, min=2, max=100_000, doc="samples of the split that are shown, the first ones")

    def measure(self, evaluation: Evaluation) -> Measured:
        model: Any = evaluation.model
        classes = evaluation.split.spec.cond is not None and evaluation.split.spec.cond.kind == "class"

        def view(batch: Batch) -> Tensor:
            code = model.encode(batch.x, batch.cond)
            if not code.is_floating_point():
                raise CommandError("metrics/latent-map shows codes of real numbers, and this model's are tokens")
            label = batch.cond if classes else torch.zeros(len(code), device=code.device)
            return torch.cat([code.flatten(1).double(), label[:, None].double()], 1)  # type: ignore[index]

        rows = evaluation.rows(view, "real", self.samples)  # [N, D + 1]
        points, share = plane(rows[:, :-1])
        labels = rows[:, -1].long() if classes else None
        card = {"shown": len(rows), "code_size": rows.shape[1] - 1}
        return Measured(share, "share of variance", {}, card, {"map-of-codes": scatter(points, labels)})


def plane(z: Tensor) -> tuple[Tensor, float]:
    """Codes [N, D] on the plane of their two principal directions [N, 2], and the share of their variance in it.

    Codes of at most two numbers stay as they are. A direction's sign is such that its largest entry is positive.
    """
    middle = z - z.mean(0)
    if z.shape[1] <= 2:
        return torch.nn.functional.pad(middle, (0, 2 - z.shape[1])), 1.0
    _, s, v = torch.linalg.svd(middle, full_matrices=False)  # v: [min(N, D), D]
    first = v[:2]
    first = first * first.gather(1, first.abs().argmax(1, keepdim=True)).sign()
    total = float(s.square().sum())
    points = middle @ first.T
    points = torch.nn.functional.pad(points, (0, 2 - points.shape[1]))
    return points, float(s[:2].square().sum()) / total if total else 1.0


def scatter(points: Tensor, labels: Tensor | None) -> Tensor:
    """A picture [3, SIDE, SIDE] of uint8: points [N, 2] as discs, the plane's upper right at the picture's.

    Args:
        labels: whole numbers [N]; they choose the colours and are written at the means of their points.
    """
    labels = torch.zeros(len(points), dtype=torch.long) if labels is None else labels
    written = labels.unique().tolist() if len(labels.unique()) > 1 else []
    radius = points.abs().quantile(0.995).clamp(min=1e-12) if len(points) else torch.ones(())
    place = ((points / radius * 0.94).clamp(-0.98, 0.98) + 1) / 2 * (SIDE - 1)  # [N, 2]
    place = torch.stack([SIDE - 1 - place[:, 1], place[:, 0]], 1).round().long()  # row, column
    canvas = torch.full((SIDE, SIDE, 3), 255, dtype=torch.uint8)
    palette = torch.tensor(COLOURS, dtype=torch.uint8)
    colours = palette[labels % len(palette)]  # [N, 3]
    for down in range(-RADIUS, RADIUS + 1):
        for right in range(-RADIUS, RADIUS + 1):
            if down**2 + right**2 <= RADIUS**2 + 1:
                at = (place + torch.tensor([down, right])).clamp(0, SIDE - 1)
                canvas[at[:, 0], at[:, 1]] = colours
    for label in written:
        middle = place[labels == label].double().mean(0).round().long().tolist()
        _write(canvas, str(int(label)), middle, palette[int(label) % len(palette)])
    return canvas.permute(2, 0, 1).contiguous()


def _write(canvas: Tensor, text: str, at: list[int], colour: Tensor) -> None:
    """A number in white on a box of its colour, its middle at row and column `at`."""
    bits = torch.zeros(7, 4 * len(text) + 1, dtype=torch.bool)
    for number, digit in enumerate(text):
        pattern = torch.tensor([DIGITS[int(digit)] >> (14 - bit) & 1 for bit in range(15)], dtype=torch.bool)
        bits[1:6, 4 * number + 1 : 4 * number + 4] = pattern.view(5, 3)
    bits = bits.repeat_interleave(SCALE, 0).repeat_interleave(SCALE, 1)
    height, width = bits.shape
    top, left = (max(0, min(SIDE - size, middle - size // 2)) for middle, size in zip(at, bits.shape, strict=True))
    box = colour.expand(height, width, 3).clone()
    box[bits] = 255
    canvas[top : top + height, left : left + width] = box
