"""A recipe: read, merged, overridden and checked, with the origin and the place of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from gen.errors import Place, did_you_mean
from gen.plugins import Catalogue
from gen.plugins import catalogue as discover
from gen.recipe import overrides as arguments
from gen.recipe.context import listed
from gen.recipe.files import check_format, read_with_bases
from gen.recipe.mapping import from_mapping
from gen.recipe.nodes import MapNode
from gen.recipe.problems import Problems
from gen.recipe.resolve import resolve
from gen.recipe.write import to_yaml
from gen.spec import ComponentSpec

__all__ = ["Recipe"]


@attrs.frozen
class Recipe:
    """One experiment, every value resolved.

    `config` holds every section and option with its default, names in full; a slot is `{use: "ns/name", **options,
    **slots}`, null, a list, a mapping from labels, or `{run, part, weights, frozen}`. `written` is the file byte for
    byte, `sources` the base files by name. `origins` says for each dotted path where its value comes from
    (`vae.yaml:12`, `argument 2`, `default of nets/conv-encoder`), `places` where it was written.
    """

    name: str
    config: dict[str, Any]
    written: bytes = b""
    sources: dict[str, bytes] = attrs.field(factory=dict)
    overrides: tuple[str, ...] = ()
    origins: dict[str, str] = attrs.field(factory=dict, repr=False)
    components: dict[str, ComponentSpec] = attrs.field(factory=dict, repr=False)
    places: dict[str, Place] = attrs.field(factory=dict, repr=False)

    @classmethod
    def read(cls, path: str | Path, overrides: Sequence[str] = (), *, catalogue: Catalogue | None = None) -> Recipe:
        """Reads a file, or the recipe of that name which a plugin ships ("vae-digits").

        Raises:
            RecipeError: with all problems of the recipe, its bases and the overrides.
        """
        known = catalogue if catalogue is not None else discover()
        problems = Problems()
        inherited = read_with_bases(_find(path, known, problems), problems)
        made = cls._checked(inherited.tree, overrides, known, problems)
        return attrs.evolve(made, written=inherited.written, sources=inherited.sources)

    @classmethod
    def parse(
        cls, mapping: Mapping[str, Any], overrides: Sequence[str] = (), *, catalogue: Catalogue | None = None
    ) -> Recipe:
        """A recipe written as a mapping; the same checks, with dotted paths for places.

        Raises:
            RecipeError: with all problems of the mapping and the overrides.
        """
        problems = Problems()
        tree = from_mapping(mapping, problems)
        for word in ("base", "drop"):
            if word in tree.entries:
                problems.add("base", f"{word} stands in recipe files only", tree.entries[word].where, "merge in Python")
        entries = {name: node for name, node in tree.entries.items() if name not in ("base", "drop")}
        check_format(tree, problems)
        known = catalogue if catalogue is not None else discover()
        return cls._checked(attrs.evolve(tree, entries=entries), overrides, known, problems)

    @classmethod
    def _checked(cls, tree: MapNode, overrides: Sequence[str], catalogue: Catalogue, problems: Problems) -> Recipe:
        tree = arguments.apply(tree, overrides, problems)
        check_format(tree, problems)
        config, ctx = resolve(tree, catalogue, problems)
        problems.raise_any()
        return cls(
            name=config["name"],
            config=config,
            overrides=tuple(overrides),
            origins=ctx.origins,
            components=ctx.components,
            places=ctx.places,
        )

    def to_yaml(self) -> str:
        """The resolved recipe: reading it gives an equal config."""
        return to_yaml(self.config)


def _find(path: str | Path, catalogue: Catalogue, problems: Problems) -> Path:
    """The file meant: one at that path, else the shipped recipe of that name."""
    file = Path(path)
    if file.is_file():
        return file
    shipped = catalogue.recipe(str(path))
    if shipped is not None:
        return shipped.path
    if file.exists() or file.is_symlink():
        return file
    names = [recipe.name for plugin in catalogue.plugins if plugin.usable for recipe in plugin.recipes]
    note = f"recipes shipped: {listed(names)}   (gen ls recipes)" if names else ""
    problems.fail("no-recipe", f'there is no recipe "{path}"', None, did_you_mean(file.stem, names), [note])
