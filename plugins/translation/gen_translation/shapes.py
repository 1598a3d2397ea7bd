"""What the parts here refuse: data that are no images, sides that do not fit, domains that are not two."""

from __future__ import annotations

from gen.errors import ShapeError
from gen.types import DataSpec, Domain, Shape

__all__ = ["check_images", "two_domains"]


def check_images(name: str, given: Shape, made: Shape) -> None:
    """Raises `ShapeError` unless both are images (C, H, W) of the same sides."""
    if len(given) != 3 or len(made) != 3 or given[1:] != made[1:]:
        raise ShapeError(f"{name} turns images (C, H, W) into images of the same sides, got {given} and {made}")


def two_domains(data: DataSpec) -> tuple[tuple[str, Domain], tuple[str, Domain]]:
    """The names and domains of the data, source first.

    Raises:
        ShapeError: the data have another number of domains, or values outside what a tanh puts out.
    """
    if len(data.domains) != 2:
        raise ShapeError(
            f"translation needs data of two domains, these have {', '.join(data.domains)}: "
            "data/unpaired and data/paired hold two"
        )
    for name, domain in data.domains.items():
        if domain.range != (-1.0, 1.0):
            raise ShapeError(f"domain {name} has the range {domain.range}, generators put out [-1, 1]: use data/range")
    first, second = data.domains.items()
    return first, second
