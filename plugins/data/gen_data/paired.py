"""Images in pairs: maps and aerial views, edges and shoes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Rows
from gen_data.example import write_images
from gen_data.files import inside, listed, shown
from gen_data.folder import ImageFile, list_images
from gen_data.image_sets import ImageSets
from gen_data.paired_rows import SideBySideRows, TwoFolderRows
from gen_data.splits import hashed_split

__all__ = ["Paired"]


@component
class Paired(ImageSets):
    """Pairs of images, the domains `a` and `b`: of equal names in two folders, or side by side in one image.

    The two of a pair are mirrored and cropped alike. Which split a pair belongs to depends on its name alone.
    """

    example: ClassVar[dict[str, object]] = {"a": "a", "b": "b", "side": 8, "channels": 1, "val": 4, "test": 4}
    a: str = option(path="folder", doc="where the images of domain a lie, under the data root")
    b: str | None = option(
        None, path="folder", doc="those of b, with the same names; without it every image of a shows a left, b right"
    )

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes the files that `example` names."""
        write_images(root / "a", 24)
        write_images(root / "b", 24, side=12)

    def open(self, split: str, root: Path) -> Rows:
        left = inside(root, self.a, "a")
        if self.b is None:
            return SideBySideRows(self.rows(left, self.chosen(left, split), panels=2))
        right = inside(root, self.b, "b")
        pairs = _pairs(left, right)
        kept = [pairs[place] for place in hashed_split([one.name for one, _ in pairs], split, self.val, self.test)]
        return TwoFolderRows(self.rows(left, [one for one, _ in kept]), self.rows(right, [two for _, two in kept]))


def _pairs(left: Path, right: Path) -> list[tuple[ImageFile, ImageFile]]:
    """The files of equal names, endings aside.

    Raises:
        DataError: a file without a partner.
    """
    ones, twos = ({file.name.rpartition(".")[0]: file for file in list_images(folder)} for folder in (left, right))
    alone = sorted(ones.keys() ^ twos.keys())
    if alone:
        names = listed(shown(name) for name in alone)
        raise DataError(
            f"images of equal names are a pair, but only one of {shown(left)} and {shown(right)} has {names}"
        )
    return [(ones[name], twos[name]) for name in sorted(ones)]
