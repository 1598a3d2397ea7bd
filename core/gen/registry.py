"""The yellow pages: which plugin holds what, installed or not. Never an import source.

`registry.yaml` lies at the root of the repository and is shipped inside gen-core. The entries of this workspace are
written from their manifests (`gen plugin manifest`); an entry of anyone else is kept as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import yaml

from gen.errors import PluginError
from gen.manifest import Manifest

__all__ = ["Entry", "checkout_file", "entries", "known", "parse", "registry_file", "search", "updated"]

_HEAD = """\
# The yellow pages of gen: which plugin holds what. `gen plugin manifest` writes the plugins of this repository; to list
# yours, add an entry: namespace, package (what pip installs), summary, components (name: one line).
"""


@attrs.frozen
class Entry:
    """A plugin that exists: `package` is what pip installs, `components` maps names (without namespace) to a line."""

    namespace: str
    package: str
    summary: str
    components: dict[str, str] = attrs.field(factory=dict)

    @property
    def install(self) -> str:
        """The line that installs it."""
        return f"pip install {self.package}"


def registry_file() -> Path | None:
    """`gen/registry.yaml` as a wheel ships it; else the repository's, where core is an editable checkout."""
    shipped = Path(__file__).with_name("registry.yaml")
    return shipped if shipped.is_file() else checkout_file()


def checkout_file() -> Path | None:
    """Where the repository's `registry.yaml` is, or belongs; None where core is no checkout."""
    core = Path(__file__).resolve().parents[1]
    return core.parent / "registry.yaml" if (core / "pyproject.toml").is_file() else None


@cache
def entries() -> tuple[Entry, ...]:
    """Every entry, by namespace; none where gen was installed without the file.

    Raises:
        PluginError: the file is damaged.
    """
    path = registry_file()
    if path is None or not path.is_file():
        return ()
    return parse(path.read_text(encoding="utf-8"), str(path))


def known(name: str) -> Entry | None:
    """The entry that owns a namespace (`diffusion`) or a name in it (`diffusion/ddpm`)."""
    namespace = name.partition("/")[0]
    return next((entry for entry in entries() if entry.namespace == namespace), None)


def search(word: str) -> tuple[tuple[Entry, tuple[str, ...]], ...]:
    """The entries that speak of `word`, each with the full names of its components that do."""
    word, found = word.lower(), []
    for entry in entries():
        names = tuple(
            f"{entry.namespace}/{name}" for name, line in entry.components.items() if word in f"{name} {line}".lower()
        )
        if names or word in f"{entry.namespace} {entry.summary}".lower():
            found.append((entry, names))
    return tuple(found)


def parse(text: str, source: str) -> tuple[Entry, ...]:
    """The entries written in `text`; `source` is what a message calls it."""
    try:
        records: list[dict[str, Any]] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or []  # noqa: S506
        found = sorted((Entry(**record) for record in records), key=lambda entry: entry.namespace)
    except (yaml.YAMLError, TypeError) as error:
        raise PluginError(f"{source} is damaged: {error}") from error
    for one, next_ in pairwise(found):
        if one.namespace == next_.namespace:
            claims = f"{one.package} and {next_.package} both claim the namespace {one.namespace}"
            raise PluginError(f"{source} is damaged: {claims}, which has one owner")
    return tuple(found)


def updated(text: str, manifests: Iterable[Manifest]) -> str:
    """The text of registry.yaml once the entries of these plugins are replaced by what their manifests say."""
    fresh = {entry.namespace: entry for entry in map(_entry, manifests)}
    kept = {entry.namespace: entry for entry in parse(text, "registry.yaml")}
    records = [attrs.asdict(entry) for _, entry in sorted((kept | fresh).items())]
    return "\n".join([_HEAD, *(_dump([record]) for record in records)])


def _dump(record: Any) -> str:
    text: str = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _entry(manifest: Manifest) -> Entry:
    from importlib.metadata import metadata

    lines = {spec.name.partition("/")[2]: spec.summary for spec in manifest.components}
    return Entry(manifest.namespace, manifest.distribution, metadata(manifest.distribution)["Summary"] or "", lines)
