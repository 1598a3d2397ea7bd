"""What a family that codes samples promises: whoever follows `code` stores x in -log p(x), and gets x back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.errors import GenError
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.kinds.capabilities import can, ready
from gen_sdk.checks.kinds.probing import expect_close, expect_equal
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]


@check(
    tier="bronze",
    kinds=("model",),
    applies=can("code"),
    hint="ask for one value after another, from the chances that log_prob multiplies; take what `choose` answers",
)
def coding_walks_under_log_prob(subject: Subject) -> None:
    """code asks once for every symbol, from chances that sum to 1 and are the same, bit for bit, at every walk.

    Told the symbols of x it gives x; where log_prob is exact and the data have levels, their chances multiply to p(x).
    """
    model, x, cond, _ = ready(subject)
    x, terms = _codable(model, x)
    symbols = model.symbols(x, **terms)
    expect(
        symbols.ndim == 2 and len(symbols) == len(x) and symbols.dtype == torch.int64,
        f"symbols(x) is {tuple(symbols.shape)} of {symbols.dtype}, not [{len(x)}, N] of torch.int64",
    )
    first, x_coded = _walk(model, symbols, cond, terms)
    expect_equal(x_coded, x, "samples decoded from their symbols")
    log_p = torch.zeros(len(x), dtype=torch.float64)
    for number, chances in enumerate(first):
        total = chances.double().sum(1)
        expect(bool((chances >= 0).all()), f"a chance of value {number} is negative")
        expect_close(total, torch.ones_like(total), 1e-5, f"the sum of the chances of value {number}")
        log_p += chances.double().gather(1, symbols[:, number, None])[:, 0].log()
    for number, (one, two) in enumerate(zip(first, _walk(model, symbols, cond, terms)[0], strict=True)):
        expect_equal(two, one, f"the chances of value {number} at a second walk")
    if model.log_prob_kind == "exact" and model.data.domain.levels is not None:
        expect_close(log_p, model.log_prob(x, cond).double(), 1e-3, "log of the product of the chances, and log_prob")


def _codable(model: Any, x: Tensor) -> tuple[Tensor, dict[str, int]]:
    """Samples that the model can code, and what code and symbols must be told of them: x, else whole numbers."""
    for samples in (x, (8 * x.double()).round()):
        try:
            return samples, dict(model.code_terms(samples))
        except GenError:
            continue
    raise NotApplicable("it codes neither the kit's samples nor whole numbers")


def _walk(model: Any, symbols: Tensor, cond: Tensor, terms: dict[str, int]) -> tuple[list[Tensor], Tensor]:
    """The chances that code names on its way through these symbols, and what it gives."""
    seen: list[Tensor] = []

    def choose(chances: Tensor) -> Tensor:
        number = len(seen)
        expect(number < symbols.shape[1], f"code asks for more than the {symbols.shape[1]} symbols of a sample")
        expect(
            chances.ndim == 2 and len(chances) == len(symbols) and bool((symbols[:, number] < chances.shape[1]).all()),
            f"the chances of value {number} are {tuple(chances.shape)}: [{len(symbols)}, K], K above every symbol",
        )
        seen.append(chances.clone())
        return symbols[:, number]

    x = model.code(len(symbols), choose, cond, **terms)
    expect(len(seen) == symbols.shape[1], f"code asks {len(seen)} times for the {symbols.shape[1]} symbols of a sample")
    return seen, x


CHECKS = (coding_walks_under_log_prob,)
