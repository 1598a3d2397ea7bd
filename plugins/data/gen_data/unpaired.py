"""Two folders of images without a correspondence: photos and paintings, horses and zebras."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Rows
from gen_data.example import write_images
from gen_data.files import inside
from gen_data.image_sets import ImageSets
from gen_data.unpaired_rows import UnpairedRows

__all__ = ["Unpaired"]


@component
class Unpaired(ImageSets):
    """Two folders of images, the domains `a` and `b`: which image of b an image of a meets is drawn at every epoch.

    The folders may differ in length: an epoch shows every image of the longer once. Files are read and split as
    `data/images` does, each folder on its own.
    """

    example: ClassVar[dict[str, object]] = {"a": "a", "b": "b", "side": 8, "channels": 1, "val": 4, "test": 4}
    a: str = option(path="folder", doc="where the images of domain a lie, under the data root")
    b: str = option(path="folder", doc="where the images of domain b lie, under the data root")

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes the files that `example` names."""
        write_images(root / "a", 24)
        write_images(root / "b", 20, side=12)

    def open(self, split: str, root: Path) -> Rows:
        folders = {"a": inside(root, self.a, "a"), "b": inside(root, self.b, "b")}
        domains = {name: self.rows(folder, self.chosen(folder, split)) for name, folder in folders.items()}
        for name, rows in domains.items():
            if not len(rows):
                raise DataError(f"the {split} split of domain {name} is empty: raise {split}, or add images")
        return UnpairedRows(domains)
