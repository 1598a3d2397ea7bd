"""`gen compare`: one table from run folders alone; values are ranked only where their cards agree."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gen import cli
from gen.comparison import best_of, differing, flat, read_run

CARD = {"metric": "Frechet", "better": "lower", "split": "test", "real": 100, "extractor_hash": "ab", "seed": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A run folder as a run leaves it: `figures` are label → (value, card changes)."""

    def make(name: str, recipe: dict[str, Any] | None = None, **figures: Any) -> Path:
        path = tmp_path / name / "0001"
        for inner in ("evaluate", "model"):
            (path / inner).mkdir(parents=True)
        (path / "run.json").write_text("{}")
        (path / "resolved.yaml").write_text(yaml.safe_dump({"gen": 1, "name": name, **(recipe or {})}))
        lines = [{"kind": "train", "step": 1, "seconds": 1.5}, {"kind": "train", "step": 2, "seconds": 3.25}]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        header = json.dumps({"w": {"shape": [3, 4]}, "b": {"shape": []}, "__metadata__": {}}).encode()
        (path / "model/raw.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
        (path / "model/config.json").write_text(json.dumps({"files": {"raw": {"file": "raw.safetensors"}}}))
        record(path, "step-00000002", **figures)
        return path

    return make


def record(path: Path, stem: str, **figures: Any) -> None:
    made = {
        label: {"value": value, "unit": "", "parts": {"half": value / 2}, "card": {**CARD, **changes}}
        for label, (value, changes) in figures.items()
    }
    (path / "evaluate" / f"{stem}.json").write_text(json.dumps(made))


def compare(*paths: Path) -> int:
    return cli.main(["compare", *map(str, paths)])


def test_the_table_has_metrics_time_size_and_what_differs(folder, capsys) -> None:
    recipe = {"seed": 0, "model": {"use": "vae/vae", "latent": 8}}
    one = folder("one", recipe, fd=(2.0, {}))
    two = folder("two", {**recipe, "model": {"use": "vae/vae", "latent": 16}}, fd=(1.5, {"seed": 2}))

    assert compare(one, two) == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    table = {cells[0] or "  ".join(cells).strip(): [c.strip() for c in cells[1:] if c.strip()] for cells in rows}
    assert table["fd (lower is better)"] == ["2", "1.5*"]
    assert table["training seconds"] == ["3.25", "3.25"]
    assert table["weights and buffers"] == ["13", "13"]
    assert table["model.latent"] == ["8", "16"]
    assert "model" not in table


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "val"}, "split: test and val"),
        ({"extractor_hash": "cd"}, "extractor_hash: ab and cd"),
        ({"real": 90}, "real: 100 and 90"),
        ({"options": {"k": 3}}, "options.k: absent and 3"),
    ],
)
def test_values_measured_differently_are_not_ranked(folder, capsys, changes, said) -> None:
    assert compare(folder("one", fd=(2.0, {})), folder("two", fd=(1.0, changes))) == 0
    out = capsys.readouterr().out

    assert "*" not in out
    assert "fd is not ranked: " in out
    assert said in out


def test_what_belongs_to_the_run_may_differ(folder) -> None:
    changes = {"seed": 9, "weights": "raw", "sampler": {"label": "other"}}
    runs = [read_run(folder("one", fd=(2.0, {}))), read_run(folder("two", fd=(1.0, changes)))]

    assert best_of("fd", runs) == (1, "")


def test_the_direction_is_the_metrics_own(folder) -> None:
    higher = {"better": "higher"}
    runs = [read_run(folder(name, cover=(value, higher))) for name, value in (("a", 0.5), ("b", 0.9), ("c", 0.7))]

    assert best_of("cover", runs) == (1, "")


def test_a_single_value_is_not_ranked_and_a_missing_one_is_a_dash(folder, capsys) -> None:
    one, two = folder("one", fd=(2.0, {})), folder("two")

    assert best_of("fd", [read_run(one), read_run(two)]) == (None, "")
    assert compare(one, two) == 0
    out = capsys.readouterr().out
    assert "*" not in out
    assert "not ranked" not in out
    assert [line.split()[-2:] for line in out.splitlines() if line.startswith("fd")] == [["2", "-"]]


def test_the_newest_record_of_a_label_counts(folder) -> None:
    path = folder("one", fd=(2.0, {}), pr=(0.5, {}))
    record(path, "step-00000002-eval-0001", fd=(3.0, {}))
    record(path, "step-00000001-eval-0001", fd=(4.0, {}), pr=(4.0, {}))

    assert {label: figure["value"] for label, figure in read_run(path).figures.items()} == {"fd": 3.0, "pr": 0.5}


def test_values_that_are_not_finite_do_not_win(folder) -> None:
    one, two, three = (folder(name, fd=(1.0 + number, {})) for number, name in enumerate("abc"))
    broken = json.loads((one / "evaluate/step-00000002.json").read_text())
    broken["fd"]["value"] = None
    (one / "evaluate/step-00000002.json").write_text(json.dumps(broken))

    assert best_of("fd", [read_run(path) for path in (one, two, three)]) == (1, "")


def test_options_are_flat_and_only_those_that_differ(folder) -> None:
    one = read_run(folder("one", {"model": {"use": "a/b", "width": [1, 2]}, "seed": 1}))
    two = read_run(folder("two", {"model": {"use": "a/c", "width": [1, 3]}, "seed": 1}))

    assert differing([one, two]) == ["model", "model.width.1"]
    assert flat({"a": {"use": "x", "b": []}}) == {"a": "x", "a.b": []}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: (path / "evaluate/step-00000002.json").write_text("[]"), "it should hold a mapping"),
        (lambda path: (path / "evaluate/step-00000002.json").write_text('{"fd": 1}'), "fd has no value with a card"),
        (lambda path: (path / "resolved.yaml").unlink(), "resolved.yaml cannot be read"),
        (lambda path: (path / "resolved.yaml").write_text("a: &x [1]\nb: *x\n"), "error[anchor]"),
        (lambda path: (path / "resolved.yaml").write_text("[1]"), "resolved.yaml is damaged: it should hold a mapping"),
        (lambda path: (path / "run.json").unlink(), "is not a run folder"),
    ],
)
def test_a_damaged_folder_is_one_message(folder, capsys, spoil, said) -> None:
    one, two = folder("one", fd=(1.0, {})), folder("two")
    spoil(one)

    assert compare(one, two) == 2
    assert said in capsys.readouterr().err


def test_one_run_is_nothing_to_compare(folder, capsys) -> None:
    assert compare(folder("one")) == 2
    assert "takes two runs or more" in capsys.readouterr().err


def test_comparing_imports_no_torch() -> None:
    code = "import sys, gen.cli.compare; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
