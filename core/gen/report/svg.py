"""Charts as inline SVG: a frame, ticks with numbers, curves in classes that the style sheet colours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs
from markupsafe import Markup

from gen.report.scales import Axis, axis_of, figure, spread, step_axis, step_text, widest
from gen.report.series import Chart, Curve, Point

__all__ = ["Drawing", "drawing"]

WIDTH, HEIGHT = 480, 270
TOP, RIGHT, BOTTOM = 10, 20, 40
LETTER = 7.4  # the width of a digit at the size of the numbers
WIDE = 12.0  # a spread of values from which a logarithmic axis is shown first
DOTTED = 30  # curves with fewer points show each of them


@attrs.frozen
class Drawing:
    """A chart drawn: on a linear and, where all values are positive, on a logarithmic axis; `first` is shown first.

    `names`: of the curves, each with its classes.
    """

    title: str
    names: tuple[tuple[str, str], ...]
    linear: Markup
    log: Markup | None
    first: str
    notes: tuple[str, ...]


def drawing(chart: Chart) -> Drawing:
    """Draws a chart; its text is escaped."""
    if not any(math.isfinite(value) for curve in chart.curves for _, value in curve.points):
        return Drawing(chart.title, (), Markup(), None, "linear", ("No value of it is finite.",))
    linear, cut = _svg(chart, log=False)
    log = _svg(chart, log=True)[0] if spread(chart) > 1.05 else None
    notes = []
    if cut is not None:
        notes.append(f"The beginning, up to {figure(cut)}, lies above the frame.")
    if any(curve.low for curve in chart.curves):
        notes.append("Means of neighbouring steps; the band runs from the least to the greatest value.")
    if any(not math.isfinite(value) for curve in chart.curves for _, value in curve.points):
        notes.append("Red ticks: steps with values that are not finite.")
    if chart.left_out:
        notes.append(f"{chart.left_out} more curves are left out.")
    names = tuple((curve.name, _classes(number, curve)) for number, curve in enumerate(chart.curves))
    first = "log" if log is not None and _falls_far(chart) else "linear"
    return Drawing(chart.title, names, linear, log, first, tuple(notes))


def _classes(number: int, curve: Curve) -> str:
    """The classes that give the curve of this number its colour and dashes."""
    tone = number if curve.tone is None else curve.tone
    return f"s{tone % 8}{' dashed' if curve.dashed else ''}"


def _falls_far(chart: Chart) -> bool:
    """Whether a logarithmic axis shows more: values of the model fall over orders of magnitude."""
    ends = [(curve.points[0][1], curve.points[-1][1]) for curve in chart.curves if curve.points]
    return not chart.machine and spread(chart, settled=True) > WIDE and any(last < first for first, last in ends)


def _svg(chart: Chart, log: bool) -> tuple[Markup, float | None]:
    y, cut = axis_of(chart, log)
    x = step_axis(chart)
    labels = [figure(tick) for tick in y.ticks]
    frame = _Frame(x, y, left=round(18 + LETTER * widest(labels)))
    parts = [
        *frame.grid(labels),
        *(part for number, curve in enumerate(chart.curves) for part in frame.curve(number, curve)),
    ]
    kind = "log" if log else "linear"
    head = Markup(
        '<svg class="chart {kind}" viewBox="0 0 {w} {h}" role="img" aria-label="{title} over the step, {kind} axis" '
        'data-frame="{frame}" data-axes="{axes}">'
    ).format(
        kind=kind,
        w=WIDTH,
        h=HEIGHT,
        title=chart.title,
        frame=f"{frame.left} {TOP} {frame.width} {frame.height}",
        axes=f"{x.low!r} {x.high!r} {y.low!r} {y.high!r}",
    )
    body = Markup("\n").join([head, *parts, Markup('<line class="hair" y1="{}" y2="{}"/></svg>').format(*frame.sides)])
    return body, cut


@attrs.frozen
class _Frame:
    """The rectangle that curves are drawn in."""

    x: Axis
    y: Axis
    left: int

    @property
    def width(self) -> int:
        return WIDTH - RIGHT - self.left

    @property
    def height(self) -> int:
        return HEIGHT - TOP - BOTTOM

    @property
    def sides(self) -> tuple[int, int]:
        return TOP, TOP + self.height

    def at(self, point: Point) -> tuple[float, float]:
        """Where a point stands in the picture; far outside of the frame it stays near, so that numbers stay short."""
        across, up = self.x.place(point[0]), max(-2.0, min(3.0, self.y.place(point[1])))
        return self.left + across * self.width, TOP + (1 - up) * self.height

    def grid(self, labels: Sequence[str]) -> Iterator[Markup]:
        right, bottom = WIDTH - RIGHT, TOP + self.height
        for tick, label in zip(self.y.ticks, labels, strict=True):
            at = self.at((self.x.low, tick))[1]
            yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                self.left, right, at, at
            )
            yield Markup('<text class="tick" text-anchor="end" x="{}" y="{:.1f}">{}</text>').format(
                self.left - 7, at + 4, label
            )
        for tick in self.x.ticks:
            at = self.at((tick, self.y.low))[0]
            yield Markup('<line class="rim" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
                at, at, bottom, bottom + 4
            )
            yield Markup('<text class="tick" text-anchor="middle" x="{:.1f}" y="{}">{}</text>').format(
                at, bottom + 17, step_text(tick)
            )
        yield Markup('<line class="rim" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(self.left, right, bottom, bottom)
        yield Markup('<text class="name" text-anchor="end" x="{}" y="{}">step</text>').format(right, HEIGHT - 6)

    def curve(self, number: int, curve: Curve) -> Iterator[Markup]:
        """The band, the line with gaps, the points of a short curve, and red ticks where it is not finite.

        What lies above the frame is cut off by an inner picture of the frame's size.
        """
        clip = Markup('<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}" class="{n}">').format(
            x=self.left - 4, y=TOP - 4, w=self.width + 8, h=self.height + 5, n=_classes(number, curve)
        )
        yield clip
        if curve.low:
            edge = [self.at(point) for point in (*curve.high, *reversed(curve.low))]
            yield Markup('<polygon class="band" points="{}"/>').format(" ".join(f"{a:.1f},{b:.1f}" for a, b in edge))
        pieces = list(_pieces(curve.points))
        path = "".join("M" + "L".join("{:.1f} {:.1f}".format(*self.at(p)) for p in piece) for piece in pieces)
        yield Markup('<path class="line" data-name="{}" d="{}"/>').format(curve.name, path)
        short = len(curve.points) <= DOTTED
        for piece in pieces:
            for point in piece if short else piece[:1] if len(piece) == 1 else ():
                yield Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.6"/>').format(*self.at(point))
        for step, value in curve.points:
            if not math.isfinite(value):
                at = self.at((step, self.y.low))[0]
                yield Markup('<line class="bad" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
                    at, at, TOP + self.height - 12, TOP + self.height
                )
        yield Markup("</svg>")


def _pieces(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Runs of consecutive points with finite values."""
    piece: list[Point] = []
    for point in points:
        if math.isfinite(point[1]):
            piece.append(point)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece
