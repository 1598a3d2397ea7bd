"""Pictures for one file: evenly spread steps of each, as WebP, as large and as many as a budget allows."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs
from PIL import Image

from gen.errors import CheckpointError
from gen.files import open_regular, size_text
from gen.report.reading import Shot

__all__ = ["Film", "Frame", "films", "spaced"]

PIXELS, BYTES = 40_000_000, 64_000_000
SAID = 20
FILM, FRAME = 2000, 400  # bytes of the page around a film and around each of its pictures, generously
LEVELS = (
    *((24, 720), (16, 720), (12, 640), (8, 640), (6, 560), (4, 560), (3, 480), (2, 480), (1, 480)),
    *((1, 320), (1, 200), (1, 120)),
)
"""How many steps of a film and how wide a picture, from the most generous on; three times as high at most."""


@attrs.frozen
class Frame:
    """A picture of one step: WebP as base64, and its size in pixels."""

    step: int
    data: str
    width: int
    height: int


@attrs.frozen
class Film:
    """One sampler's (or metric's) pictures over the steps of a run. `steps`: how many there were."""

    kind: str
    label: str
    run: int
    frames: tuple[Frame, ...]
    steps: int


def films(shots: Sequence[Sequence[Shot]], budget: int) -> tuple[list[Film], list[str]]:
    """The films of all runs in at most `budget` bytes of base64, and what had to be left out or could not be read.

    Args:
        shots: the pictures of every run.
    """
    grouped: dict[tuple[int, str, str], list[Shot]] = {}
    for run, ones in enumerate(shots):
        for shot in ones:
            grouped.setdefault((run, shot.kind, shot.label), []).append(shot)
    kept: dict[tuple[Path, int], Frame | str] = {}
    wrong: dict[Path, str] = {}
    made: list[Film] = []
    for most, side in LEVELS:
        if (most, side) != LEVELS[-1] and _expected(grouped.values(), most, side, kept, wrong) > 1.1 * budget:
            continue
        made = [
            Film(kind, label, run, tuple(_frames(spaced(ones, most), side, kept, wrong)), len(ones))
            for (run, kind, label), ones in grouped.items()
        ]
        if sum(map(_size, made)) <= budget:
            break
    whole = len(made)
    while made and sum(map(_size, made)) > budget:
        made.pop()
    said = [f"{path.parent.name}/{path.name} is left out: {why}." for path, why in list(wrong.items())[:SAID]]
    if len(wrong) > SAID:
        said.append(f"{len(wrong) - SAID} more pictures are left out for such reasons.")
    if len(made) < whole:
        said.append(f"{whole - len(made)} of {whole} series of pictures are left out: there is no room for them.")
    return [film for film in made if film.frames], said


def spaced(items: Sequence[Shot], most: int) -> list[Shot]:
    """At most `most` of the items, evenly spread, the last and (of two or more) the first among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[-1]]
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _expected(
    groups: Iterable[Sequence[Shot]],
    most: int,
    side: int,
    kept: dict[tuple[Path, int], Frame | str],
    wrong: dict[Path, str],
) -> int:
    """About how many bytes the films would take, were every picture as large as the last of its film."""
    return sum(
        len(frame.data) * min(most, len(ones)) for ones in groups for frame in _frames(ones[-1:], side, kept, wrong)
    )


def _size(film: Film) -> int:
    return FILM + sum(FRAME + len(frame.data) for frame in film.frames)


def _frames(
    shots: Sequence[Shot], side: int, kept: dict[tuple[Path, int], Frame | str], wrong: dict[Path, str]
) -> Iterator[Frame]:
    for shot in shots:
        key = shot.path, side
        if key not in kept:
            kept[key] = _encoded(shot, side)
        found = kept[key]
        if isinstance(found, Frame):
            yield found
        else:
            wrong[shot.path] = found


def _encoded(shot: Shot, side: int) -> Frame | str:
    """A picture at most `side` wide and three times as high, in the shorter of WebP's two forms; or why it is not."""
    try:
        with open_regular(shot.path) as file:
            content = file.read(BYTES + 1)
        if len(content) > BYTES:
            return f"it is larger than {size_text(BYTES)}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # what is too large is refused below
            image: Image.Image = Image.open(io.BytesIO(content), formats=("PNG",))
            if image.width * image.height > PIXELS:
                return f"{image.width} x {image.height} pixels are too many"
            image = image.convert("RGB")
    except CheckpointError as error:
        return str(error)[:200]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow says of bad files
        return f"it cannot be read as a picture ({str(error)[:120]})"
    factor = min(1.0, side / image.width, 3 * side / image.height)
    if factor < 1:
        size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
        image = image.resize(size, Image.Resampling.LANCZOS)
    forms = []
    for options in ({"lossless": True, "quality": 40, "method": 3}, {"quality": 82, "method": 3}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", **options)
        forms.append(buffer.getvalue())
    return Frame(shot.step, base64.b64encode(min(forms, key=len)).decode("ascii"), image.width, image.height)
