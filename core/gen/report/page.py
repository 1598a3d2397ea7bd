"""The page: everything in one HTML file of at most 5 MB, with a policy that lets nothing in it reach the network."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from gen.errors import CommandError
from gen.report.comparing import comparison
from gen.report.pictures import Film, films
from gen.report.reading import RunFiles, find_run, read_files, titles
from gen.report.series import charts
from gen.report.svg import drawing
from gen.report.telling import STATES, about, headline, mapping, measurements, provenance, sampler_text, trouble

__all__ = ["LARGEST", "MOST_RUNS", "report"]

LARGEST = 5_000_000
SPARE = 100_000  # for what stands around each picture
MOST_RUNS = 12


def report(paths: Sequence[Path]) -> str:
    """The report of one run, or of several beside each other, as HTML.

    Raises:
        CommandError: no run is there, or they are too many.
    """
    if len(paths) > MOST_RUNS:
        raise CommandError(f"gen report takes up to {MOST_RUNS} runs, got {len(paths)}")
    found = [find_run(path) for path in paths]
    runs = [read_files(path, title) for path, title in zip(found, titles(found), strict=True)]
    drawn, left = charts(runs)
    context: dict[str, Any] = {
        "runs": [_run(run) for run in runs],
        "many": len(runs) > 1,
        "comparison": comparison(runs) if len(runs) > 1 else None,
        "charts": [drawing(chart) for chart in drawn],
        "charts_left": left,
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    bare = _render({**context, "sections": [], "left_out": []})
    shown, said = films([run.shots for run in runs], LARGEST - SPARE - len(bare.encode()))
    page = _render({**context, "sections": _sections(shown, runs), "left_out": said})
    assert len(page.encode()) <= LARGEST, "pictures were fitted into what the rest leaves free"
    return page


def _run(run: RunFiles) -> dict[str, Any]:
    state = run.state()
    return {
        "title": run.title,
        "about": about(run),
        "state": state,
        "said": STATES[state],
        "headline": headline(run),
        "trouble": trouble(run),
        "provenance": provenance(run),
        "measurements": measurements(run),
        "written": run.written,
        "resolved": run.resolved,
    }


def _sections(shown: Sequence[Film], runs: Sequence[RunFiles]) -> list[dict[str, Any]]:
    """Films of one kind and label, of all runs, as a section with a title and what its pictures are."""
    recipe = [label for run in runs for label in mapping(run.config.get("sample"))]
    order = {label: number for number, label in enumerate(dict.fromkeys(recipe))}
    ordered = sorted(shown, key=lambda film: (film.kind != "samples", order.get(film.label, len(order))))
    labels = list(dict.fromkeys((film.kind, film.label) for film in ordered))
    ordered.sort(key=lambda film: labels.index((film.kind, film.label)))
    return [
        {
            "kind": kind,
            "title": label.replace("-", " ") if kind == "samples" else label.replace(".", ": ", 1).replace("-", " "),
            "text": sampler_text(runs[group[0].run], label) if kind == "samples" else "",
            "films": [{"film": film, "title": runs[film.run].title, "text": _film_text(film)} for film in group],
        }
        for (kind, label), group in (
            (key, list(members)) for key, members in groupby(ordered, lambda film: (film.kind, film.label))
        )
    ]


def _film_text(film: Film) -> str:
    if len(film.frames) == film.steps:
        return f"{film.steps} steps" if film.steps > 1 else ""
    return f"{len(film.frames)} of {film.steps} steps, evenly spread; {film.steps - len(film.frames)} left out"


def _render(context: dict[str, Any]) -> str:
    folder = files("gen.report")
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{_hash(script)}'"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "template.html.j2").read_text(encoding="utf-8"))
    return template.render(**context, style=style, script=script, policy=policy)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
