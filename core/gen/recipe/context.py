"""What the checks of one recipe share: the catalogue, the problems, and what is learned of every value on the way."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from gen.errors import Place
from gen.plugins import Catalogue
from gen.recipe.nodes import Node
from gen.recipe.problems import Problems
from gen.spec import ComponentSpec

__all__ = ["Context", "Stranger", "a", "brief", "installed", "joined", "listed", "plural"]


@attrs.frozen
class Stranger:
    """A key that its owner does not know; judged at the end, when it is known where else it would be right."""

    path: str
    key: str
    place: Place
    owner: str
    options: tuple[str, ...]
    component: bool


@attrs.define
class Context:
    """`components` are those used, by full name; `used` says which stands at which path."""

    catalogue: Catalogue
    problems: Problems
    origins: dict[str, str] = attrs.field(factory=dict)
    places: dict[str, Place] = attrs.field(factory=dict)
    components: dict[str, ComponentSpec] = attrs.field(factory=dict)
    used: dict[str, ComponentSpec] = attrs.field(factory=dict)
    strangers: list[Stranger] = attrs.field(factory=list)

    def note(self, path: str, node: Node) -> None:
        """Records where a value comes from and, where it was written, its place."""
        self.origins[path] = node.origin
        self.mark(path, node)

    def mark(self, path: str, node: Node) -> None:
        if not node.default:
            self.places[path] = node.place


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def a(kind: str) -> str:
    """The kind with its article: `an encoder`, `a decoder`."""
    return f"{'an' if kind[0] in 'aeiou' or kind.startswith('lr-') else 'a'} {kind}"


def plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def brief(name: str) -> str:
    """The name as a recipe writes it: core's components go without their namespace."""
    return name.removeprefix("core/")


def listed(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f", … ({len(names)})" if len(names) > most else "")


def installed(catalogue: Catalogue, kind: str) -> str:
    """The note that names what could stand in a slot: `encoders installed: …   (gen ls encoders)`."""
    names = [brief(spec.name) for spec in catalogue.of_kind(kind)]
    if not names:
        return f"no {kind} is installed"
    return f"{plural(kind)} installed: {listed(names)}   (gen ls {plural(kind)})"
