"""Only what a recipe uses is imported, and a failure names the plugin, its package, its version and the remedy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gen.activate import activate, load_class, local_plugin
from gen.errors import PluginError
from gen.manifest import FILE
from gen.plugins import catalogue

LOCAL = """
from gen.component import component, interface, option
from gen.hookspecs import Component, hookimpl

@interface
class Thing:
    kind = "thing"

@component
class Disc(Thing):
    \"\"\"A disc.\"\"\"

    width: int = option(4, doc="how wide")

@hookimpl
def gen_components():
    return [Component("disc", "{stem}:Disc"), Component("other", f"{{__name__}}:Disc")]
"""


def test_only_the_plugins_named_are_imported(installation: Any, manifest_text: Any) -> None:
    folders = [installation.add(name, wheel=True, files={FILE: manifest_text(name)}) for name in ("ring", "arc")]
    known = installation.look()
    manager = activate(["ring"], known)

    assert [name for name, _ in manager.list_name_plugin()] == ["ring"]
    assert manager.hook.gen_components()[0][0].name == "ring"
    assert [(folder / "imported").exists() for folder in folders] == [True, False]


def test_a_class_is_loaded_by_the_manifests_target(installation: Any, manifest_text: Any) -> None:
    installation.add(wheel=True, files={FILE: manifest_text()})
    known = installation.look()
    cls = load_class(known.find("ring/ring"), known)

    assert cls(width=7).width == 7
    assert cls is sys.modules["gen_ring.things"].Ring


@pytest.mark.parametrize(
    ("things", "said"),
    [
        ("", "ring/ring should be gen_ring.things:Ring, which does not exist\n   its manifest and its code disagree"),
        (None, "its module gen_ring.things does not exist\n   its manifest and its code disagree: reinstall gen-ring"),
        (
            "import einops_of_no_one.deep",
            'gen_ring.things needs the package "einops_of_no_one", which is missing\n   install what provides it',
        ),
        (
            "1 / 0",
            "importing gen_ring.things failed with ZeroDivisionError: division by zero (things.py, line 1)",
        ),
        (
            "raise SystemExit('no')",
            "importing gen_ring.things failed with SystemExit: no (things.py, line 1)\n   update or repair gen-ring",
        ),
        ("Ring = 3", "gen_ring.things:Ring is no component of kind thing\n   its manifest and its code disagree"),
    ],
)
def test_a_class_that_cannot_be_loaded_names_the_plugin(
    installation: Any, manifest_text: Any, things: str | None, said: str
) -> None:
    folder = installation.add(wheel=True, files={FILE: manifest_text(), "things.py": things or ""})
    if things is None:
        (folder / "things.py").unlink()
    known = installation.look()
    with pytest.raises(PluginError) as caught:
        load_class(known.find("ring/ring"), known)

    assert str(caught.value).startswith(f"plugin ring (gen-ring 1.2.3): {said}")


def test_a_plugin_that_is_absent_or_unusable_cannot_be_activated(installation: Any) -> None:
    installation.add(wheel=True)
    known = installation.look()

    with pytest.raises(PluginError, match='no plugin "rings" is installed: did you mean "ring"'):
        activate(["rings"], known)
    with pytest.raises(PluginError, match=r"plugin ring \(gen-ring 1.2.3\) is broken: its wheel lacks"):
        activate(["ring"], known)


def test_a_local_file_is_a_plugin(installation: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(LOCAL.format(stem="mine"))
    (tmp_path / "yours.py").write_text(
        LOCAL.format(stem="yours").replace('"disc"', '"disc-b"').replace('"other"', '"b"')
    )
    before = list(sys.path)
    known = catalogue([local_plugin(tmp_path / "mine.py"), local_plugin(tmp_path / "yours.py")])

    assert [spec.name for spec in known.of_kind("thing")] == ["local/b", "local/disc", "local/disc-b", "local/other"]
    assert load_class(known.find("local/disc"), known)(width=2).width == 2
    assert load_class(known.find("local/disc-b"), known) is not load_class(known.find("local/disc"), known)
    assert len(activate(["local"], known).get_plugins()) == 2
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "1 / 0",
            r"plugin local \(mine.py \(file\)\): it failed with ZeroDivisionError: .* \(mine.py, line 1\)",
        ),
        ("raise SystemExit(1)", "it failed with SystemExit: 1"),
        (LOCAL.format(stem="elsewhere"), "No module named 'elsewhere'"),
        (LOCAL.format(stem="mine").replace('"disc"', '"Disc"'), '"Disc" is no name of a component'),
    ],
)
def test_a_local_file_that_breaks_a_rule_is_refused(installation: Any, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(text)

    with pytest.raises(PluginError, match=said):
        local_plugin(tmp_path / "mine.py")


def test_a_local_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"--plugin .*absent.py: there is no such Python file"):
        local_plugin(tmp_path / "absent.py")
