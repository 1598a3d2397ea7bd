"""Where the three real series lie, and how to write a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.types import DataSpec, Domain
from gen_series.csv_file import Csv

SERIES: dict[str, dict[str, Any]] = {
    "sunspots": {"file": "sunspots-yearly.csv", "time": ["time"], "frequency": "yearly"},
    "air": {"file": "air-passengers.csv", "time": ["time"], "frequency": "monthly"},
    "co2": {"file": "mauna-loa-co2-monthly.csv", "column": "CO2", "time": ["Year", "Month"], "frequency": "monthly"},
}


@pytest.fixture(scope="session")
def real() -> Callable[..., tuple[DataSpec, Tensor]]:
    """The data spec and the training values [1, 1, T] of a real series, in float64; skips where there are none."""
    folder = Path(__file__).resolve().parents[4] / "shared/data/series"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist")

    def read(name: str, **options: Any) -> tuple[DataSpec, Tensor]:
        rows = Csv(**{**SERIES[name], **options}).open("train", folder)
        return rows.spec, rows.fetch(torch.tensor([0])).x.double()

    return read


@pytest.fixture
def one_series() -> Callable[[int], DataSpec]:
    """The data spec of stretches of so many values."""
    return lambda length: DataSpec.single(Domain((1, length), "series"))
