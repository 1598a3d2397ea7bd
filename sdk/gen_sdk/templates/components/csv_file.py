"""A tracker: a place besides the run folder's own files that shows figures.

A table, figures.csv, which a spreadsheet opens: a line for each figure of each step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelerate.tracking import GeneralTracker

from gen.component import component
from gen.interfaces import Tracker

__all__ = ["CSVFile"]


@component
class CSVFile(Tracker):
    """Every figure as a line `step,name,value` of `figures.csv` in the run's folder."""

    def tracker(self, run: Path, name: str) -> Any:
        """What accelerate logs with; it exists on the main process only."""
        return _Table(run / "figures.csv")


class _Table(GeneralTracker):  # type: ignore[misc]  # accelerate has no types
    """Adds lines to a file; a resumed run goes on below."""

    name = "csv"
    requires_logging_directory = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    @property
    def tracker(self) -> Path:
        return self.path

    def start(self) -> None:
        """Called once, before the first figure."""
        if not self.path.is_file():
            self.path.write_text("step,name,value\n", encoding="utf-8")

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """The run folder holds the recipe already."""

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{step},{name},{float(value):.9g}\n" for name, value in values.items())

    def finish(self) -> None:
        """Every line is on disk already."""
