"""A folder of images as a data set."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.types import CondSpec, DataSpec, Domain
from gen_data.decode import Reader
from gen_data.example import write_images
from gen_data.files import inside, shown
from gen_data.folder import classes, list_images
from gen_data.image_rows import ImageRows, cached
from gen_data.splits import hashed_split

__all__ = ["Images"]

_CACHE_LIMIT = 4 << 30


@component
class Images(Dataset):
    """A folder of PNG, JPEG and WebP files, grey or colour, brought to one square size.

    Where every file lies in one of several sub-folders, these are the classes, numbered by name. Which split a file
    belongs to depends on its name alone. Transparent pixels are laid over white, photos are turned upright, of
    animations the first frame is read; files of more than 64 megapixels are refused.
    """

    example: ClassVar[dict[str, object]] = {"folder": "images", "side": 8, "channels": 1, "val": 4, "test": 4}
    folder: str = option(path="folder", doc="where the images lie, under the data root")
    side: int = option(64, min=1, max=4096, doc="height and width in pixels")
    channels: int = option(3, choices=(1, 3), doc="1: grey, 3: colour")
    fit: str = option(
        "crop",
        choices=("crop", "stretch", "pad", "exact"),
        doc="to the square: crop the middle, stretch, pad with black, or exact: refuse any other size",
    )
    val: float = option(0.1, min=0, doc="held out for validation: below 1 a share, from 1 on a count")
    test: float = option(0.1, min=0, doc="held out for the test: below 1 a share, from 1 on a count")
    cache: bool = option(False, doc="read every image once, when the data are opened, and keep it in memory")
    on_bad: str = option(
        "stop", choices=("stop", "skip"), doc="an unreadable image stops the run, or another takes its place (to 1 %)"
    )

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes the files that `example` names."""
        write_images(root / "images", 24)

    def open(self, split: str, root: Path) -> Rows:
        folder = inside(root, self.folder, "folder")
        files = list_images(folder)
        names = classes(files)
        chosen = [files[place] for place in hashed_split([file.name for file in files], split, self.val, self.test)]
        labels = torch.tensor([names.index(file.top or "") for file in chosen]) if names is not None else None  # [N]
        domain = Domain((self.channels, self.side, self.side), levels=256)
        spec = DataSpec.single(domain, CondSpec("class", len(names)) if names is not None else None)
        reader = Reader(self.side, self.channels, self.fit)
        rows = ImageRows(spec, folder, chosen, labels, reader, skip=self.on_bad == "skip", total=len(files))
        if not self.cache or not chosen:
            return rows
        size = len(chosen) * self.channels * self.side**2
        if size > _CACHE_LIMIT:
            raise DataError(
                f"{shown(folder)} would take {size / 2**30:.1f} GiB of memory; at most {_CACHE_LIMIT >> 30} are taken: "
                "set cache to false"
            )
        return cached(rows)
