"""Ctrl-C and SIGTERM: the first finishes the step and saves, the second ends at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["StopSignals"]


class StopSignals:
    """Within the block, SIGINT and SIGTERM only set `caught`; a second one leaves at once with status 130 or 143.

    Off the main thread (some notebooks) no handler can be set; then signals keep their usual meaning.
    """

    def __init__(self) -> None:
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            os._exit(128 + number)
        self.caught = number
        os.write(2, b"\nstopping: the step will be finished and saved; once more to leave at once\n")
