"""Plain text in aligned columns: no colour, nothing cut, the same in a pipe as on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["table"]


def table(rows: Iterable[Sequence[str]], indent: str = "  ") -> str:
    """One line per row; every column but the last as wide as its widest cell; columns empty throughout vanish."""
    rows = [list(row) for row in rows]
    used = [any(cells) for cells in zip(*rows, strict=True)]
    kept = [[cell for cell, wanted in zip(row, used, strict=True) if wanted] for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return "\n".join(
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in kept
    )
