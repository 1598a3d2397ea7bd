"""The Python of every README runs as it stands there; the recipes in them are accepted."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not any(part.startswith(".") for part in page.parts[len(ROOT.parts) :])
)
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))
]


def test_there_is_python_to_run():
    assert any("README.md" in param.id for param in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS)
def test_python_in_docs_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "block.py"
    script.write_text(block)

    assert runpy.run_path(str(script))
