"""What a report says of several runs: one table of figures, ranked where their cards agree, and differing options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gen.comparison import RunRecord, best_of, differing, flat
from gen.report.reading import RunFiles
from gen.report.scales import figure
from gen.report.telling import STATES, duration, text_of

__all__ = ["comparison"]

SKIPPED = ("name", "about", "evaluate", "save", "track", "gen")
ROWS = 200


def comparison(runs: Sequence[RunFiles]) -> dict[str, Any]:
    """Rows of the table of runs: labels, cells {text, sort, best}; why some are not ranked; options that differ."""
    records = [_record(run) for run in runs]
    labels = list(dict.fromkeys(label for run in runs for label in run.figures))[:ROWS]
    ranks = {label: best_of(label, records) for label in labels}
    heads = [(label, _better(label, runs)) for label in labels]
    rows = []
    for number, run in enumerate(runs):
        cells = []
        for label in labels:
            value = run.figures[label]["value"] if label in run.figures else None
            cells.append({"text": figure(value), "sort": value, "best": ranks[label][0] == number})
        seconds = records[number].seconds
        rows.append(
            {
                "title": run.title,
                "state": STATES[run.state()],
                "step": {"text": figure(run.status.get("step")), "sort": run.status.get("step")},
                "time": {"text": "–" if seconds is None else duration(seconds), "sort": seconds},
                "size": {"text": figure(run.numbers), "sort": run.numbers},
                "cells": cells,
            }
        )
    options = [(path[:120], [_option(record, path) for record in records]) for path in differing(records)[:ROWS]]
    notes = [f"{label} is not ranked: {why}."[:600] for label, (_, why) in ranks.items() if why]
    return {"heads": heads, "rows": rows, "options": options, "notes": notes}


def _record(run: RunFiles) -> RunRecord:
    seconds = [line["seconds"] for line in run.train if isinstance(line.get("seconds"), int | float)]
    options = flat({name: value for name, value in run.config.items() if name not in SKIPPED})
    return RunRecord(run.path, run.figures, options, min(max(seconds), 1e12) if seconds else None, run.numbers)


def _better(label: str, runs: Sequence[RunFiles]) -> str:
    card = next(run.figures[label]["card"] for run in runs if label in run.figures)
    return {"lower": "lower is better", "higher": "higher is better"}.get(card.get("better"), "")


def _option(record: RunRecord, path: str) -> str:
    if path not in record.options:
        return "–"
    return "null" if record.options[path] is None else text_of(record.options[path])[:120]
