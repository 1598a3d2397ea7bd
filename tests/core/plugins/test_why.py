"""`gen plugin why` and `gen plugin deps`: each state with its reason and its cure; requirements that pip reads."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from gen.cli import main
from gen.cli.plugin import why
from gen.manifest import FILE

RECIPE = {
    "gen": 1,
    "name": "some",
    "data": {"use": "data/digits", "batch": 8},
    "model": {"use": "vae/ae", "encoder": "nets/mlp-encoder", "decoder": "nets/mlp-decoder"},
    "train": {"steps": 1},
}


@pytest.fixture
def ask(installation: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    """What `gen plugin why NAME` says and its exit status, among the plugins of `installation`."""

    def said(name: str) -> tuple[int, str, str]:
        installation.look()
        capsys.readouterr()
        status = main(["plugin", "why", name])
        return (status, *capsys.readouterr())

    return said


def test_a_sound_plugin_is_imported_elsewhere_and_timed(installation: Any, ask: Any) -> None:
    folder = installation.add()
    status, out, _ = ask("ring")

    assert status == 0
    assert out.splitlines()[0] == "ring   a plugin, ok"
    assert "distribution  gen-ring 1.2.3" in out
    assert "entry point   gen.plugins: ring = gen_ring.plugin" in out
    assert f"found in      {folder} (an editable install)" in out
    assert "gen-plugin.json: 1 components, 0 recipes, made for plugin interface 1.0, here is 1.0" in out
    assert "import        works, " in out
    assert "remedy" not in out


@pytest.mark.parametrize("name", ["ring", "gen-ring", "gen_ring", "ring/ring"])
def test_it_answers_to_every_name_of_a_plugin(installation: Any, manifest_text: Any, ask: Any, name: str) -> None:
    installation.add(wheel=True, files={FILE: manifest_text()})
    status, out, _ = ask(name)

    assert status == 0
    assert out.startswith("ring   a plugin, ok\n")
    assert ("class  gen_ring.things:Ring" in out) == (name == "ring/ring")


def test_an_import_that_fails_shows_the_way_to_the_error_and_the_cure(
    installation: Any, manifest_text: Any, ask: Any
) -> None:
    files = {FILE: manifest_text(), "things.py": "import gen_ring.deep\n", "deep.py": "\nimport einops_of_no_one.x\n"}
    folder = installation.add(wheel=True, files=files)
    _, out, _ = ask("ring")

    assert "ring   a plugin, ok\n" in out  # by its manifest, which is all that listing reads
    assert "importing it failed with ModuleNotFoundError: No module named 'einops_of_no_one' (deep.py, line 2)" in out
    assert "remedy        install what provides it: pip install einops_of_no_one\n" in out
    assert out.endswith(
        f"  {folder}/things.py, line 1: import gen_ring.deep\n"
        f"  {folder}/deep.py, line 2: import einops_of_no_one.x\n"
        "  ModuleNotFoundError: No module named 'einops_of_no_one'\n"
    )


def test_an_import_that_exits_is_told(installation: Any, manifest_text: Any, ask: Any) -> None:
    installation.add(wheel=True, files={FILE: manifest_text(), "things.py": "raise SystemExit('no')"})
    _, out, _ = ask("ring")

    assert "import        importing it failed with SystemExit: no (things.py, line 1)" in out
    assert "remedy        update or repair it, or remove it: pip uninstall gen-ring" in out


def test_a_broken_wheel_and_an_incompatible_one_say_so(installation: Any, manifest_text: Any, ask: Any) -> None:
    installation.add(wheel=True)
    folder = installation.add("arc", wheel=True, files={FILE: manifest_text("arc", api=(1, 7))})

    assert f"reason        its wheel lacks {FILE}" in ask("ring")[1]
    _, out, _ = ask("arc")
    assert "arc   a plugin, incompatible" in out
    assert "reason        it was made for plugin interface 1.7, this gen has 1.0" in out
    assert "remedy        pip install --upgrade gen-core" in out
    assert not (folder / "imported").exists()


def test_both_claims_to_a_namespace_are_explained(installation: Any, ask: Any) -> None:
    installation.add()
    installation.add(distribution="ring-fork", package="ring_fork")
    _, out, _ = ask("ring")

    assert out.count("ring   a plugin, conflict") == 2
    assert "distribution  gen-ring 1.2.3" in out
    assert "distribution  ring-fork 1.2.3" in out
    assert out.count("remedy        keep one: pip uninstall gen-ring or pip uninstall ring-fork") == 2


def test_a_component_that_is_not_there_is_told_apart(installation: Any, manifest_text: Any, ask: Any) -> None:
    installation.add(wheel=True, files={FILE: manifest_text()})

    assert 'ring/rong   no such component in what is installed: did you mean "ring/ring"?' in ask("ring/rong")[1]


def test_a_plugin_of_the_yellow_pages_is_not_installed_and_a_stranger_is_refused(installation: Any, ask: Any) -> None:
    installation.look()

    assert ask("nets/conv-encoder")[:2] == (
        0,
        f"nets   not installed; it is in gen-nets: {why.registry.known('nets').summary}\n   pip install gen-nets\n",
    )
    status, out, err = ask("no-such-plugin")
    assert (status, out) == (2, "")
    assert 'gen plugin why: no plugin "no-such-plugin" is installed or listed in the yellow pages' in err


def deps(tmp_path: Any, capsys: pytest.CaptureFixture[str], **changes: Any) -> tuple[int, list[str], str]:
    path = tmp_path / "some.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **changes}))
    capsys.readouterr()
    status = main(["plugin", "deps", str(path)])
    out, err = capsys.readouterr()
    return status, out.splitlines(), err


def test_deps_are_requirements_with_the_defaults_packages_too(tmp_path: Any, capsys: Any) -> None:
    from importlib.metadata import version

    wanted = [f"gen-{name}=={version(f'gen-{name}')}" for name in ("core", "data", "losses", "nets", "vae")]
    status, lines, _ = deps(tmp_path, capsys)

    assert status == 0
    assert lines == [f"# {tmp_path / 'some.yaml'}", *wanted, f"# pip install {' '.join(wanted)}"]


def test_deps_name_what_is_not_installed(installation: Any, tmp_path: Any, capsys: Any) -> None:
    installation.look()
    status, lines, _ = deps(tmp_path, capsys, track=["core/tensorboard"], plugins=["nobodys"])

    assert status == 2
    assert lines[1].startswith("gen-core==")
    assert lines[2:6] == [
        "gen-data  # not installed; what else its defaults need shows once it is",
        "gen-nets  # not installed; what else its defaults need shows once it is",
        "# no package is known to provide the plugin nobodys",
        "gen-vae  # not installed; what else its defaults need shows once it is",
    ]
    assert re.fullmatch("# pip install gen-core==[0-9.]+ gen-data gen-nets gen-vae", lines[-1])


def test_deps_tell_of_a_plugin_that_is_one_file(tmp_path: Any, capsys: Any) -> None:
    status, lines, _ = deps(tmp_path, capsys, data={"use": "local/points", "batch": 8})

    assert status == 0
    assert lines[-2] == "# and a plugin that is one file: gen run … --plugin FILE"
    assert "local" not in lines[-1]


def test_deps_of_a_recipe_that_is_wrong_otherwise_shows_what_is_wrong(tmp_path: Any, capsys: Any) -> None:
    status, lines, err = deps(tmp_path, capsys, train={"stepz": 1})

    assert (status, lines) == (2, [])
    assert "stepz" in err
