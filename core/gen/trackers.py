"""Trackers besides the run folder, through accelerate."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gen.component import component
from gen.errors import PluginError
from gen.interfaces import Tracker

__all__ = ["TensorBoard"]


@component
class TensorBoard(Tracker):
    """Event files for TensorBoard in the run's folder `tensorboard/` (needs `pip install tensorboard`)."""

    def tracker(self, run: Path, name: str) -> Any:
        if find_spec("tensorboard") is None:
            raise PluginError("track: core/tensorboard needs the package tensorboard: pip install tensorboard")
        from accelerate.tracking import TensorBoardTracker

        return TensorBoardTracker(run_name="tensorboard", logging_dir=run)
