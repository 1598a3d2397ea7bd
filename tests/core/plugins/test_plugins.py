"""What is installed is known from manifests alone, and nothing a plugin does wrong is raised."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from gen import current, manifest, plugins
from gen.errors import PluginError, Stopped
from gen.manifest import FILE, Manifest
from gen.spec import REQUIRED


def state(installation: Any, namespace: str = "ring") -> tuple[str, str, str]:
    found = installation.look().plugin(namespace)
    assert found is not None
    return found.state, found.reason, found.remedy


def test_a_wheel_is_known_without_being_imported(installation: Any, manifest_text: Any) -> None:
    folder = installation.add(wheel=True, files={FILE: manifest_text()})
    found = installation.look().plugin("ring")

    assert (found.state, found.version, found.distribution, found.folder) == ("ok", "1.2.3", "gen-ring", folder)
    assert found.components[0].options[0].default is REQUIRED
    assert not (folder / "imported").exists()
    assert "gen_ring" not in sys.modules


def test_an_editable_install_without_manifest_gets_one(installation: Any, capfd: pytest.CaptureFixture[str]) -> None:
    folder = installation.add()
    found = installation.look().find("ring/ring")

    assert (found.kind, found.summary, found.doc, found.options[0].min) == ("thing", "A ring.", "Round.", 1)
    assert capfd.readouterr().err == "gen: the manifest of ring (gen-ring) is missing or damaged: making it anew\n"
    assert Manifest.from_text((folder / FILE).read_text()).components == (found,)
    assert "gen_ring" not in sys.modules  # it was imported elsewhere

    (folder / "imported").unlink()
    installation.look()

    assert capfd.readouterr().err == ""
    assert not (folder / "imported").exists()


def test_a_manifest_is_deterministic_and_names_no_absolute_path(installation: Any, tmp_path: Any) -> None:
    folder = installation.add(files={"recipes/round.yaml": "about: A round thing.\n"})
    installation.look()
    text = (folder / FILE).read_text()
    (folder / FILE).unlink()
    installation.look()

    assert (folder / FILE).read_text() == text == Manifest.from_text(text).to_text()
    assert text.endswith("}\n")
    assert str(tmp_path) not in text
    record = json.loads(text)
    assert [*record["sources"]] == ["__init__.py", "plugin.py", "recipes/round.yaml", "things.py"]
    assert record["recipes"] == [{"name": "round", "about": "A round thing."}]


@pytest.mark.parametrize(
    ("name", "text", "anew"),
    [
        ("things.py", "class Nothing: ...", True),
        ("plugin.py", "", True),
        ("recipes/new.yaml", "about: New.", True),
        ("unrelated.py", "import nothing_at_all", False),
    ],
)
def test_a_changed_source_makes_a_manifest_anew(
    installation: Any, capfd: pytest.CaptureFixture[str], name: str, text: str, anew: bool
) -> None:
    folder = installation.add()
    installation.look()
    capfd.readouterr()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    installation.look()

    assert ("is out of date: making it anew" in capfd.readouterr().err) == anew


def test_a_source_that_was_only_touched_changes_nothing(installation: Any, capfd: pytest.CaptureFixture[str]) -> None:
    folder = installation.add()
    installation.look()
    capfd.readouterr()
    later = (folder / FILE).stat().st_mtime + 60
    os.utime(folder / "things.py", (later, later))
    installation.look()

    assert capfd.readouterr().err == ""


def test_a_source_that_went_away_makes_a_manifest_anew(installation: Any) -> None:
    folder = installation.add()
    installation.look()
    (folder / "things.py").unlink()

    assert state(installation)[:2] == (
        "broken",
        "importing it failed with ModuleNotFoundError: No module named 'gen_ring.things'",
    )


def test_a_stale_manifest_that_cannot_be_written_serves_from_memory(
    installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.add()

    def refuse(path: object, data: object) -> None:
        raise Stopped("the place is read-only")

    monkeypatch.setattr(current, "write_whole", refuse)

    assert state(installation) == (
        "stale",
        "its manifest is out of date: the place is read-only",
        "gen plugin manifest ring",
    )
    assert plugins.catalogue().find("ring/ring") is not None


BREAKAGES = {
    "raise ImportError('no einops')": "importing it failed with ImportError: no einops (plugin.py, line 1)",
    "raise SystemExit(3)": "importing it failed with SystemExit: 3 (plugin.py, line 1)",
    "import os; os._exit(4)": "importing it ended the process (exit status 4)",
    "def (": "importing it failed with SyntaxError: invalid syntax (plugin.py, line 1)",
    "HOOK": '"Ring_Two" is no name of a component: lower-case words joined by hyphens',
    "TWICE": "ring/ring is registered twice: gen_ring.things:Ring and gen_ring.things:Ring",
    "ABSENT": '"gen_ring.things:Rong" names nothing: a target is "package.module:Class"',
    "PLAIN": "gen_ring.things:component is no component: decorate the class with gen.component",
}
HOOKS = {
    "HOOK": '[Component("Ring_Two", "gen_ring.things:Ring")]',
    "TWICE": '[Component("ring", "gen_ring.things:Ring")] * 2',
    "ABSENT": '[Component("ring", "gen_ring.things:Rong")]',
    "PLAIN": '[Component("ring", "gen_ring.things:component")]',
}


@pytest.mark.parametrize("text", BREAKAGES)
def test_a_broken_plugin_is_a_state_with_a_reason_and_a_remedy(
    installation: Any, manifest_text: Any, text: str
) -> None:
    hook = "from gen.hookspecs import Component, hookimpl\n@hookimpl\ndef gen_components():\n    return "
    installation.add(files={"plugin.py": hook + HOOKS[text] if text in HOOKS else text})
    installation.add("sound", wheel=True, files={FILE: manifest_text("sound")})

    assert state(installation) == (
        "broken",
        BREAKAGES[text],
        "repair or update gen-ring, or remove it: pip uninstall gen-ring",
    )
    known = plugins.catalogue()
    assert known.find("ring/ring") is None
    assert known.find("sound/ring") is not None


def test_a_wheel_without_or_with_a_damaged_manifest_is_broken(installation: Any) -> None:
    folder = installation.add(wheel=True)

    assert state(installation)[:2] == (
        "broken",
        f"its wheel lacks {FILE}: its author must build it with `gen plugin manifest` done",
    )

    for text in ("{", "[]", "{}", '{"manifest": 1, "components": 3}', "[" * 5000):
        (folder / FILE).write_text(text)
        assert state(installation)[0] == "broken"
        assert state(installation)[1].startswith(f"its {FILE} is damaged")
    (folder / FILE).write_text('{"manifest": 2}')
    assert state(installation)[1] == f"its {FILE} has format 2, this gen reads format 1"
    assert not (folder / "imported").exists()


@pytest.mark.parametrize(
    ("api", "remedy"),
    [((1, 7), "upgrade gen-core"), ((2, 0), "upgrade gen-core"), ((0, 9), "upgrade gen-ring")],
)
@pytest.mark.parametrize("wheel", [True, False])
def test_another_interface_version_is_refused_before_import(
    installation: Any, manifest_text: Any, api: tuple[int, int], remedy: str, wheel: bool
) -> None:
    folder = installation.add(wheel=wheel, files={FILE: manifest_text(api=api)})

    assert state(installation) == (
        "incompatible",
        f"it was made for plugin interface {api[0]}.{api[1]}, this gen has 1.0",
        f"pip install --{remedy}",
    )
    assert installation.look().find("ring/ring") is None
    assert not (folder / "imported").exists()


def test_two_claims_to_a_namespace_are_both_shown_and_neither_wins(installation: Any, manifest_text: Any) -> None:
    installation.add()
    installation.add(distribution="ring-fork", package="ring_fork")
    installation.add("sound", wheel=True, files={FILE: manifest_text("sound")})
    known = installation.look()
    rivals = [plugin for plugin in known.plugins if plugin.namespace == "ring"]

    assert [plugin.distribution for plugin in rivals] == ["gen-ring", "ring-fork"]
    assert {plugin.state for plugin in rivals} == {"conflict"}
    assert rivals[0].reason == 'the distributions gen-ring and ring-fork both claim the namespace "ring"'
    assert rivals[0].remedy == "keep one: pip uninstall gen-ring or pip uninstall ring-fork"
    assert known.find("ring/ring") is None
    assert known.find("sound/ring") is not None
    with pytest.raises(PluginError, match=r"plugin ring \(gen-ring 1.2.3\) is conflict: the distributions"):
        raise rivals[0].failure()


def test_a_distribution_seen_twice_counts_once(installation: Any, manifest_text: Any) -> None:
    installation.add()
    installation.add(wheel=True, files={FILE: manifest_text()})

    assert [plugin.state for plugin in installation.look().plugins if plugin.namespace == "ring"] == ["ok"]


@pytest.mark.parametrize(
    ("namespace", "reason"),
    [
        ("Ring_Two", '"Ring_Two" is no namespace: lower-case words joined by hyphens'),
        ("local", 'the namespace "local" is reserved'),
    ],
)
def test_a_bad_namespace_is_broken(installation: Any, namespace: str, reason: str) -> None:
    installation.add(namespace, distribution="gen-odd", package="gen_odd")

    assert state(installation, namespace)[:2] == ("broken", reason)


def test_the_namespace_core_cannot_be_taken(installation: Any) -> None:
    installation.add("core", distribution="evil", package="gen_evil")
    claims = {plugin.distribution: plugin.state for plugin in installation.look().plugins if plugin.namespace == "core"}

    assert claims == {"evil": "broken", "gen-core": "ok"}


def test_a_package_that_is_gone_is_broken(installation: Any) -> None:
    folder = installation.add()
    folder.rename(folder.with_name("elsewhere"))

    assert state(installation)[:2] == ("broken", 'its package "gen_ring" cannot be found')


def test_a_bare_name_is_cores(installation: Any) -> None:
    known = installation.look()

    assert known.find("adam") == known.find("core/adam")
    assert "core/adam" in [spec.name for spec in known.of_kind("optimizer")]
    assert "optimizer" in known.kinds


def test_recipes_are_found_by_name_and_an_ambiguous_name_is_refused(installation: Any) -> None:
    recipes = {"recipes/round.yaml": "about: Round.\n"}
    installation.add(files=recipes)
    installation.add("arc", files={**recipes, "recipes/bent.yaml": "nothing: [\n"})
    known = installation.look()

    assert known.recipe("bent").about == ""
    assert known.recipe("ring/round").path.read_text() == "about: Round.\n"
    assert known.recipe("square") is None
    with pytest.raises(PluginError, match='2 plugins ship a recipe called "round": write arc/round or ring/round'):
        known.recipe("round")


def test_sources_are_what_hook_and_targets_import(installation: Any) -> None:
    folder = installation.add(
        files={
            "plugin.py": "def hook():\n    from . import names\n",
            "names.py": "",
            "things.py": "from typing import TYPE_CHECKING\nfrom .deep.inner import x\nif TYPE_CHECKING:\n"
            "    from gen_ring import typed\ndef f():\n    import gen_ring.lazy\n",
            "deep/__init__.py": "",
            "deep/inner.py": "import gen_ring.shared as s\n",
            "shared.py": "try:\n    from gen_ring import optional\nexcept ImportError:\n    pass\n",
            "optional.py": "",
            "typed.py": "",
            "lazy.py": "",
        }
    )
    found = manifest.sources.fingerprint(folder, "gen_ring.plugin", ["gen_ring.things", "other.module"])

    assert [*found] == sorted(
        [
            "__init__.py",
            "deep/__init__.py",
            "deep/inner.py",
            "names.py",
            "optional.py",
            "plugin.py",
            "shared.py",
            "things.py",
        ]
    )


def test_a_manifest_cannot_speak_for_another_namespace(installation: Any, manifest_text: Any) -> None:
    text = manifest_text().replace("ring/ring", "core/adam")
    installation.add(wheel=True, files={FILE: text})

    assert state(installation)[:2] == ("broken", f"its {FILE} speaks for another namespace: core, ring")
    assert plugins.catalogue().find("adam").target == "gen.optimizers:Adam"


def test_unreadable_metadata_break_nothing(installation: Any) -> None:
    installation.add()
    bad = installation.wheels / "bad-1.0.dist-info"
    bad.mkdir()
    (bad / "entry_points.txt").write_bytes(b"[gen.plugins]\nno equals sign\n\xff\xfe")

    assert [plugin.namespace for plugin in installation.look().plugins] == ["core", "ring"]
