"""What an archive costs, beside what the model says and what the usual formats take. Shapes: n samples."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gen.interfaces import Model
from gen.pictures import to_bytes
from gen_compression.beside import sizes

__all__ = ["figures", "model_bits"]


@torch.no_grad()
def model_bits(model: Model, x: Tensor, cond: Tensor | None, batch: int) -> float | None:
    """-log2 p(x) of all samples x [n, *shape] together; None where the model knows no exact one."""
    if model.log_prob_kind != "exact" or "log_prob" not in type(model).capabilities():
        return None
    exact: Any = model
    nats = 0.0
    for start in range(0, len(x), batch):
        told = None if cond is None else cond[start : start + batch]
        nats -= float(exact.log_prob(x[start : start + batch], told).double().sum())
    return nats / math.log(2)


def figures(
    model: Model, x: Tensor, cond: Tensor | None, *, batch: int, size: int, code: int
) -> list[tuple[str, str, str]]:
    """A table: name, bytes, remark. `size` is of the whole archive, `code` of it without its header."""
    values, domain = x.numel(), model.data.domain
    unit = "bits/dim" if domain.modality == "image" else "bits/value"
    rows = [
        ("archive", f"{size:,} bytes", f"{8 * size / values:.4f} {unit}, {len(x)} samples, header {size - code} bytes")
    ]
    said = model_bits(model, x, cond, batch)
    if said is not None:
        over = f"{8 * size / values:.4f} is {100 * (8 * size / said - 1):+.2f} %" if said > 0 else ""
        rows.append(("model says", f"{said / 8:,.0f} bytes", f"{said / values:.4f} {unit}; {over}".rstrip("; ")))
    others = sizes(to_bytes(x, domain), domain.levels) if domain.modality == "image" else {"text": _text(x)}
    for name, other in others.items():
        rows.append(
            (name, f"{other:,} bytes", f"{8 * other / values:.4f} {unit}, {other / size:.2f} times the archive")
        )
    return rows


def _text(x: Tensor) -> int:
    """Bytes of a series as a column of text."""
    return sum(len(str(int(value))) + 1 for value in x.flatten().tolist())
