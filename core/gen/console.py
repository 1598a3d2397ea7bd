"""What a run tells the person at the terminal: a live bar where there is one, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

__all__ = ["Console", "figures"]

_REFRESH = 0.2  # seconds between two updates of the bar


def figures(values: Mapping[str, float]) -> str:
    """`model/loss 103.2  model/rate 12.4`: four significant digits."""
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())


class Console:
    """Progress of one run; silent on processes other than the first, and when `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        live = sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._bar: Progress | None = None
        if live and not quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[text]}"),
                console=RichConsole(file=sys.stderr),
                transient=True,
            )
        self._task: TaskID | None = None
        self._next = 0.0

    def start(self, step: int, steps: int) -> None:
        if self._bar is not None:
            self._task = self._bar.add_task("training", total=steps, completed=step, text="")
            self._bar.start()

    def step(self, step: int) -> None:
        """Called after every step; costs a clock reading."""
        if self._bar is None or self._task is None:
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REFRESH
            self._bar.update(self._task, completed=step)

    def losses(self, step: int, steps: int, values: Mapping[str, float], rate: float, left: float) -> None:
        """The line of the log cadence: losses, images per second, seconds left."""
        text = f"{figures(values)}  {rate:,.0f} images/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=step, text=text)
        elif not self.quiet:
            print(f"step {step}/{steps}  {text}  {_duration(left)} left", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
