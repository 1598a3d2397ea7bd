"""What data sets of several folders share: options, splits by file name, images kept in memory where they are few."""

from __future__ import annotations

from pathlib import Path

from gen.component import interface, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.types import DataSpec, Domain
from gen_data.decode import Reader
from gen_data.folder import ImageFile, list_images
from gen_data.image_rows import ImageRows, cached
from gen_data.splits import hashed_split

__all__ = ["ImageSets"]

_CACHE_LIMIT = 1 << 30


@interface
class ImageSets(Dataset):
    """The options and the reading of image files for data with the domains `a` and `b`."""

    side: int = option(64, min=1, max=4096, doc="height and width in pixels")
    channels: int = option(3, choices=(1, 3), doc="1: grey, 3: colour")
    fit: str = option(
        "crop",
        choices=("crop", "stretch", "pad", "exact"),
        doc="to the square: crop the middle, stretch, pad with black, or exact: refuse any other size",
    )
    val: float = option(0.1, min=0, doc="held out for validation: below 1 a share, from 1 on a count")
    test: float = option(0.1, min=0, doc="held out for the test: below 1 a share, from 1 on a count")
    cache: bool = option(True, doc="keep the images of a folder in memory where they take less than 1 GiB")

    def chosen(self, folder: Path, split: str) -> list[ImageFile]:
        """The images of a folder that belong to a split."""
        files = list_images(folder)
        return [files[place] for place in hashed_split([file.name for file in files], split, self.val, self.test)]

    def rows(self, folder: Path, files: list[ImageFile], panels: int = 1) -> Rows:
        """The files as uint8 [B, C, side, side], or of several panels [B, panels, C, side, side]."""
        spec = DataSpec.single(Domain((self.channels, self.side, self.side), levels=256))
        reader = Reader(self.side, self.channels, self.fit, panels)
        rows = ImageRows(spec, folder, files, None, reader, skip=False, total=len(files))
        small = len(files) * panels * self.channels * self.side**2 <= _CACHE_LIMIT
        return cached(rows) if self.cache and files and small else rows

    def open_folder(self, folder: Path, domain: str) -> Rows:
        """Every image below the folder, one a sample, in the order of their names."""
        if domain not in ("a", "b"):
            raise DataError(f'there is no domain "{domain}": these data have a and b')
        files = list_images(folder)
        spec = DataSpec({domain: Domain((self.channels, self.side, self.side), levels=256)})
        return ImageRows(spec, folder, files, None, Reader(self.side, self.channels, self.fit), skip=False, total=0)
