"""What a report says of one run in words and tables: headline figures, trouble, where it comes from, measurements."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from gen.report.reading import RunFiles
from gen.report.scales import figure
from gen.report.series import not_finite

__all__ = [
    "STATES",
    "about",
    "chosen",
    "duration",
    "headline",
    "mapping",
    "measurements",
    "provenance",
    "sampler_text",
    "text_of",
    "trouble",
]

LONG = 300
STATES = {
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
    "running": "still running",
    "dead": "died",
    "unknown": "end unknown",
}

Pair = tuple[str, str]


def headline(run: RunFiles) -> list[tuple[str, str, str]]:
    """Name, figure, unit or remark: what one looks for first."""
    found = [("progress", *_progress(run))]
    label, best = chosen(run), _best(run)
    if label is not None:
        one = run.figures[label]
        where = f"{'best, ' if best and best[1] == one['step'] else ''}at step {one['step']:,}"
        found.append((label, figure(one["value"]), f"{one['unit'][:60]} · {where}" if one["unit"] else where))
    if best is not None and best[1] != run.figures[best[0]]["step"]:
        found.append((f"best {best[0]}", figure(best[2]), f"at step {best[1]:,}"))
    if label is None and run.train:
        name, value = next(((k, v) for k, v in run.train[-1].items() if k.endswith("loss")), ("", None))
        if name:
            found.append((name, figure(value), f"at step {run.train[-1]['step']:,}"))
    seconds = _seconds(run)
    if seconds is not None:
        rate = run.train[-1].get("images_per_s")
        found.append(("training", duration(seconds), f"{figure(rate)} images/s" if rate is not None else ""))
    if run.numbers is not None:
        found.append(("model", figure(run.numbers), "weights and buffers"))
    return found


def trouble(run: RunFiles) -> list[str]:
    """What went wrong and what is missing, most important first."""
    said = []
    state, reason = run.state(), text_of(run.status.get("reason"))
    where = f" at step {figure(run.status.get('step'))} of {figure(run.status.get('steps'))}" if run.status else ""
    if state in ("stopped", "failed"):
        said.append(f"The run {state}{where}{f': {reason}' if reason else ''}.".replace("..", "."))
    if state == "running":
        said.append(f"The run was still going on{where} when this report was made (last sign of life {_beat(run)}).")
    if state == "dead":
        said.append(f"The run died{where}: nobody writes it any more (last sign of life {_beat(run)}).")
    for name, steps in not_finite(run).items():
        said.append(f"{name[:80]} was not finite at {_logged(steps)}.")
    for label, one in run.figures.items():
        if one["value"] is None:
            said.append(f"{label[:80]} has no finite value at step {one['step']:,}.")
    return [*said, *run.problems, *(f"From log.txt: {line}" for line in run.warnings)]


def provenance(run: RunFiles) -> list[Pair]:
    """Where the run comes from, as far as run.json says it."""
    told, machine, git = run.run, mapping(run.run.get("machine")), mapping(run.run.get("git"))
    plugins = ", ".join(
        f"{text_of(entry.get('distribution'))} {text_of(entry.get('version'))}"
        for entry in map(mapping, mapping(told.get("plugins")).values())
    )
    versions = ", ".join(f"{name} {text_of(version)}" for name, version in mapping(told.get("versions")).items())
    command, overrides = told.get("command"), told.get("overrides")
    changes = f", with uncommitted changes ({text_of(git['changes'])})" if git.get("changes") else ""
    rows = [
        ("folder", str(run.path.resolve())),
        ("started", text_of(told.get("started"))),
        ("command", " ".join(map(text_of, command)) if isinstance(command, list) else ""),
        ("set on the command line", " ".join(map(text_of, overrides)) if isinstance(overrides, list) else ""),
        ("seed", text_of(told.get("seed"))),
        ("data", text_of(told.get("data"))[:16]),
        ("data root", text_of(told.get("data_root"))),
        ("device", text_of(machine.get("device"))),
        ("processes", text_of(machine.get("processes"))),
        ("platform", text_of(machine.get("platform"))),
        ("Python", text_of(told.get("python"))),
        ("versions", versions[:1000]),
        ("plugins", plugins[:1000]),
        ("git", f"{text_of(git.get('commit'))[:12]}{changes}" if git else ""),
    ]
    return [(name, value) for name, value in rows if value]


def measurements(run: RunFiles) -> list[dict[str, Any]]:
    """The newest value of every metric, its parts, and its card as plain lines."""
    return [
        {
            "label": label,
            "value": figure(one["value"]),
            "sort": one["value"],
            "unit": one["unit"][:80],
            "better": {"lower": "lower", "higher": "higher"}.get(one["card"].get("better"), ""),
            "step": one["step"],
            "parts": [(name[:80], figure(value)) for name, value in list(one["parts"].items())[:60]],
            "card": list(_card(one["card"]))[:80],
            "file": one["file"],
        }
        for label, one in list(run.figures.items())[:200]
    ]


def sampler_text(run: RunFiles, label: str) -> str:
    """What a sampler of the recipe is: its component and options."""
    rule = mapping(mapping(run.config.get("sample")).get(label))
    if not isinstance(rule.get("use"), str):
        return ""
    options = [
        f"{name} {text_of(value)}"
        for name, value in rule.items()
        if name != "use" and not isinstance(value, dict | list)
    ]
    return " · ".join([rule["use"][:80], *options])[:LONG]


def about(run: RunFiles) -> str:
    """The recipe's own sentence."""
    return text_of(run.config.get("about"))


def chosen(run: RunFiles) -> str | None:
    """The metric that stands for the run: the one that chooses the best checkpoint, or the first."""
    label = mapping(run.config.get("save")).get("best")
    return label if isinstance(label, str) and label in run.figures else next(iter(run.figures), None)


def duration(seconds: float) -> str:
    """2.3 s, 6 min 25 s, 3 h 12 min."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {int(seconds) % 60} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def _logged(steps: list[int]) -> str:
    return f"step {steps[0]:,}" if len(steps) == 1 else f"{len(steps):,} logged steps, first at step {steps[0]:,}"


def _progress(run: RunFiles) -> Pair:
    step, steps = run.status.get("step"), run.status.get("steps")
    if not isinstance(step, int) and run.train:
        step = run.train[-1]["step"]
    of = f"of {figure(steps)} steps" if isinstance(steps, int) else "steps"
    return figure(step), of


def _best(run: RunFiles) -> tuple[str, int, float] | None:
    """Label, step and value of the best evaluation on the way, by the metric that the recipe goes by."""
    label = mapping(run.config.get("save")).get("best")
    if not isinstance(label, str) or label not in run.figures:
        return None
    points = [(line["step"], line[label]) for line in run.evaluated if isinstance(line.get(label), int | float)]
    points = [(step, value) for step, value in points if value == value]
    if not points:
        return None
    better = max if run.figures[label]["card"].get("better") == "higher" else min
    step, value = better(points, key=lambda point: point[1])
    return label, step, value


def _seconds(run: RunFiles) -> float | None:
    found = [line["seconds"] for line in run.train if isinstance(line.get("seconds"), int | float)]
    return min(max(found), 1e12) if found else None


def _card(value: Any, path: str = "") -> Iterator[Pair]:
    """The lines of a card, dotted."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _card(inner, f"{path}.{name}".lstrip("."))
    else:
        yield path[:LONG], text_of(value if isinstance(value, str) else json.dumps(value))


def _beat(run: RunFiles) -> str:
    if run.beat is None or not 0 < run.beat < 2**33:
        return "unknown"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(run.beat))


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text_of(value: Any) -> str:
    """A short text of whatever a file holds."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else "a very large number"
    return str(value)[:LONG]
