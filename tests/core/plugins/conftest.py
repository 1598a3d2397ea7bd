"""Installed distributions that are not installed: folders on the path with a `.dist-info` and a package.

Their components need no torch, so that compiling them takes a tenth of a second. Importing a package of theirs leaves
a file `imported` behind, in whatever process it happens.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path

import attrs
import pytest

from gen import installed, plugins
from gen.hookspecs import GROUP

THING = '''
from gen.component import component, interface, option

@interface
class Thing:
    kind = "thing"

@component
class Ring(Thing):
    """A ring.

    Round.
    """

    width: int = option(4, min=1, doc="how wide")
'''

HOOK = """
from gen.hookspecs import Component, hookimpl

@hookimpl
def gen_components():
    return [Component("ring", "{package}.things:Ring")]
"""

INIT = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
"""


@attrs.frozen
class Installation:
    """Two folders on the path: what lies in `site-packages` counts as a wheel, the other as a checkout."""

    wheels: Path
    checkout: Path

    def add(
        self,
        namespace: str = "ring",
        *,
        distribution: str = "",
        package: str = "",
        wheel: bool = False,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        """Makes a distribution with a plugin; gives its package's folder. `files` replace or add to the usual ones."""
        root = self.wheels if wheel else self.checkout
        package = package or f"gen_{namespace.replace('-', '_')}"
        distribution = distribution or f"gen-{namespace}"
        info = root / f"{distribution.replace('-', '_')}-1.2.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\nSummary: Rings.\n"
        )
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{namespace} = {package}.plugin\n")
        usual = {"__init__.py": INIT, "plugin.py": HOOK.format(package=package), "things.py": THING}
        folder = root / package
        for name, text in (usual | dict(files or {})).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    def look(self) -> plugins.Catalogue:
        """What a new process would find."""
        installed.installed.cache_clear()
        return plugins.catalogue()


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    made = Installation(tmp_path / "site-packages", tmp_path / "checkout")
    for folder in (made.wheels, made.checkout):
        folder.mkdir()
        monkeypatch.syspath_prepend(folder)
    everything = installed.distributions

    def visible() -> list[Distribution]:
        return [dist for dist in everything() if dist.name == "gen-core" or tmp_path in dist._path.parents]

    monkeypatch.setattr(installed, "distributions", visible)
    known = set(sys.modules)
    yield made
    installed.installed.cache_clear()
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def manifest_text() -> Callable[..., str]:
    """The text of a manifest, with what a wheel's author would have had."""
    from gen.manifest import Manifest
    from gen.spec import ComponentSpec, OptionSpec

    def text(namespace: str = "ring", api: tuple[int, int] = (1, 0)) -> str:
        package = f"gen_{namespace}"
        ring = ComponentSpec(
            f"{namespace}/ring", "thing", f"{package}.things:Ring", options=(OptionSpec("width", "int"),)
        )
        return Manifest(namespace, package, f"gen-{namespace}", api, (ring,)).to_text()

    return text
