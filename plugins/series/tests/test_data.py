"""A table as a series: what is read, how it is split, the way back to the original scale, and every refusal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gen.errors import DataError
from gen_series.csv_file import Csv
from gen_series.scales import Scale
from gen_series.sunspots import Sunspots

MONTHS = [f"{1949 + m // 12}-{m % 12 + 1:02d}" for m in range(40)]
VALUES = [str(float(m * m % 11) + 1) for m in range(40)]


def _write(folder: Path, times: list[str], values: list[str], name: str = "time,value") -> Path:
    lines = [name, *(f"{time},{value}" for time, value in zip(times, values, strict=True))]
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _open(folder: Path, split: str = "train", **options: Any) -> Any:
    return Csv(**{"file": "a.csv", "time": ["time"], "frequency": "monthly", **options}).open(split, folder)


def test_all_training_values_are_one_row(tmp_path: Path) -> None:
    rows = _open(_write(tmp_path, MONTHS, VALUES), val=4, test=6)

    assert (len(rows), rows.spec.shape, rows.spec.domain.modality) == (1, (1, 30), "series")
    assert rows.fetch(torch.tensor([0])).x.flatten().tolist() == [float(value) for value in VALUES[:30]]


def test_held_out_windows_end_in_their_split(tmp_path: Path) -> None:
    _write(tmp_path, MONTHS, VALUES)
    for split, first, count in (("val", 31, 4), ("test", 35, 6)):
        rows = _open(tmp_path, split, val=4, test=6, window=8)
        ends = rows.fetch(torch.arange(len(rows))).x[:, 0, -1].tolist()
        assert ends == [float(value) for value in VALUES[first - 1 : first - 1 + count]]
    assert len(_open(tmp_path, val=4, test=6, window=8, stride=5)) == 5
    assert len(_open(tmp_path, "test", val=4, test=6, window=8, ahead=3)) == 4


def test_two_columns_may_be_the_time(tmp_path: Path) -> None:
    _write(tmp_path, [month.replace("-", ",") for month in MONTHS], VALUES, "Year,Month,value")

    assert _open(tmp_path, time=["Year", "Month"], val=4, test=6).spec.shape == (1, 30)


@pytest.mark.parametrize("lags", [(), (1,), (12,), (12, 1)])
@pytest.mark.parametrize("log", [False, True])
def test_the_way_back_ends_at_the_original_values(lags: tuple[int, ...], log: bool) -> None:
    x = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1
    scale = Scale(log, lags, mean=0.2, spread=3.0)
    changed = scale.forward(x)

    assert len(changed) == 60 - sum(lags)
    torch.testing.assert_close(scale.back(changed[-9:], x[:-9]), x[-9:])
    torch.testing.assert_close(scale.back(changed[-9:].expand(2, -1), x[:-9]), x[-9:].expand(2, -1))


def test_a_window_finds_its_way_back(tmp_path: Path) -> None:
    rows = _open(_write(tmp_path, MONTHS, VALUES), "test", log=True, difference=[1], window=10, standardize=True)
    last = rows.fetch(torch.tensor([2])).x[0, 0, -3:]
    end = 36 + 3

    wanted = [float(value) for value in VALUES[end - 3 : end]]
    torch.testing.assert_close(rows.back(last, 2, 7).tolist(), wanted, rtol=1e-5, atol=0)


def test_training_values_are_standardised_by_themselves(tmp_path: Path) -> None:
    x = _open(_write(tmp_path, MONTHS, VALUES), standardize=True).fetch(torch.tensor([0])).x

    torch.testing.assert_close(x.mean(), torch.tensor(0.0), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.std(), torch.tensor(1.0))


def _with(values: list[str], at: int, value: str) -> list[str]:
    return [*values[:at], value, *values[at + 1 :]]


@pytest.mark.parametrize(
    ("times", "values", "options", "message"),
    [
        (MONTHS, _with(VALUES, 3, "abc"), {}, r'line 5, column "value": "abc" is no number'),
        (MONTHS, _with(VALUES, 3, ""), {}, r'line 5, column "value": there is no value'),
        (MONTHS, _with(VALUES, 3, "nan"), {}, r'line 5, column "value": nan is no finite number'),
        ([*MONTHS[:6], *MONTHS[8:]], VALUES[2:], {}, r"line 8: the time 1949-09 follows 1949-06, 2 in between"),
        ([MONTHS[1], MONTHS[0], *MONTHS[2:]], VALUES, {}, r"line 3: the time 1949-01 stands after 1949-02: sort"),
        ([MONTHS[0], *MONTHS[:-1]], VALUES, {}, r"line 3: the time 1949-01 stands twice"),
        (MONTHS, VALUES, {"frequency": "yearly"}, r"line 3: from 1949-01 to 1949-02 is not one step of a yearly clock"),
        (_with(MONTHS, 4, "spring"), VALUES, {}, r'line 6: "spring" is no time'),
        (MONTHS, ["5"] * 40, {}, r'"value" holds nothing but 5: a constant series has nothing to model'),
        (MONTHS, VALUES, {"column": "valu"}, r'there is no single column "valu": did you mean "value"\?'),
        (MONTHS, _with(VALUES, 0, "-1"), {"log": True}, r"log needs values above 0, and there is -1: leave log out"),
        (MONTHS, VALUES, {"difference": [30, 12]}, r"differences at \[30, 12\] use up 42 of 40 values"),
        (MONTHS, VALUES, {"window": 39}, r"window is 39, and there are 32 values to train on: lower it"),
        (MONTHS, VALUES, {"val": 20, "test": 20}, r"val 20 and test 20 leave 0 of 40 values for training"),
        (MONTHS, _with(VALUES, 2, "1,2"), {}, r"line 4 has 3 fields, and the line of names 2"),
        (MONTHS, VALUES, {"file": "../a.csv"}, r'file is "\.\./a\.csv": name a file under the data root'),
        (MONTHS, VALUES, {"file": "b.csv"}, r"b\.csv is no file: name it relative to the data root"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_message(
    tmp_path: Path, times: list[str], values: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _open(_write(tmp_path, times, values), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "holds no rows"), (b"time,value\n\xff,2\n", "no CSV file in UTF-8")]
)
def test_files_that_are_no_tables_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        _open(tmp_path)


def test_a_split_without_a_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the val split holds 4 values, fewer than ahead, 5: raise val"):
        _open(_write(tmp_path, MONTHS, VALUES), "val", ahead=5)


def test_sunspots_come_with_statsmodels() -> None:
    pytest.importorskip("statsmodels", reason="statsmodels is not installed")
    rows = Sunspots().open("train", Path())

    assert rows.spec.shape == (1, 249)
    assert rows.fetch(torch.tensor([0])).x[0, 0, :3].tolist() == [5.0, 11.0, 16.0]


def test_sunspots_without_statsmodels_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.datasets", None)
    with pytest.raises(DataError, match="needs statsmodels, which brings the numbers along: pip install statsmodels"):
        Sunspots().open("train", Path())
