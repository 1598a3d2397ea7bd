"""`gen plugin new`: what it refuses, what it writes, and that it writes whole packages or nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gen.cli import main
from gen.cli.plugin import new
from gen.errors import PluginError
from gen.manifest import FILE, Manifest


@pytest.fixture
def quick(monkeypatch):
    """Without the process that imports torch to make the manifest."""
    made = Manifest("ring", "gen_ring", "gen-ring", (1, 0))
    monkeypatch.setattr(new, "compiled", lambda namespace, hook, distribution: made)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My_Ring", 'gen plugin new: "My_Ring" is no namespace: lower-case words joined by hyphens: my-ring?'),
        ("2d", 'gen plugin new: "2d" is no namespace: lower-case words joined by hyphens: d?'),
        ("...", 'gen plugin new: "..." is no namespace: lower-case words joined by hyphens, such as ring or my-nets'),
        ("../up", 'gen plugin new: "../up" is no namespace: lower-case words joined by hyphens: up?'),
        ("gen-ring", "gen plugin new gen-ring: leave gen- out: gen plugin new ring writes the package gen-ring"),
        ("local", 'gen plugin new: the namespace "local" is reserved, as are core, gen, local, sdk, test'),
        ("r" * 41, f"gen plugin new: a namespace has at most 40 letters, {'r' * 41} has 41"),
        ("vae", 'gen plugin new: the namespace "vae" is taken by gen-vae: Variational autoencoders for gen.'),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_message(name, said, tmp_path, capsys):
    assert main(["plugin", "new", name, "--into", str(tmp_path)]) == 2

    assert capsys.readouterr().err == f"{said}\n"
    assert not list(tmp_path.iterdir())


def test_the_reserved_names_are_refused(tmp_path, capsys):
    for name in ("core", "gen", "sdk", "local", "test"):
        assert main(["plugin", "new", name, "--into", str(tmp_path)]) == 2
        assert "is reserved" in capsys.readouterr().err


def test_a_namespace_of_an_installed_plugin_is_taken(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(new.registry, "known", lambda name: None)

    assert main(["plugin", "new", "vae", "--into", str(tmp_path)]) == 2
    assert 'the namespace "vae" is taken by gen-vae, installed here' in capsys.readouterr().err


def test_a_kind_that_is_none_gets_the_nearest(tmp_path, capsys):
    assert main(["plugin", "new", "ring", "--kind", "denoser", "--into", str(tmp_path)]) == 2

    said = capsys.readouterr().err
    assert said.startswith(
        'gen plugin new: there is no kind "denoser": did you mean "denoiser"?\n   there are: encoder,'
    )


def test_a_folder_that_is_there_or_is_not_is_said(tmp_path, capsys):
    (tmp_path / "gen-ring").mkdir()

    assert main(["plugin", "new", "ring", "--into", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"gen plugin new: {tmp_path}/gen-ring is there already: choose another name, or another --into\n"
    )
    assert main(["plugin", "new", "ring", "--into", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"gen plugin new: --into {tmp_path}/none: there is no such folder\n"


def test_without_gen_sdk_the_remedy_is_said(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "gen_sdk"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gen_sdk", None)

    assert main(["plugin", "new", "ring", "--into", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "gen plugin new needs gen-sdk, which is not installed\n   pip install gen-sdk\n"


def test_it_writes_the_package_and_says_the_next_four_commands(tmp_path, capsys, quick):
    assert main(["plugin", "new", "ring", "--kind", "sampler", "--into", str(tmp_path)]) == 0

    folder = tmp_path / "gen-ring"
    assert capsys.readouterr().out.splitlines() == [
        f"{folder}: a plugin with the sampler ring/tempered-prior, in 10 files",
        "",
        f"  cd {folder}",
        '  pip install -e ".[dev]"',
        "  gen plugin check ring",
        "  gen run ring-digits",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["gen-ring"]
    assert sum(path.is_file() for path in folder.rglob("*")) == 10
    assert (folder / "gen_ring" / "tempered_prior.py").is_file()


def test_the_manifest_is_made_at_once(tmp_path, capsys):
    assert main(["plugin", "new", "ring", "--kind", "lr-schedule", "--into", str(tmp_path), "--minimal"]) == 0

    record = json.loads((tmp_path / "gen-ring" / "gen_ring" / FILE).read_text())
    assert [spec["name"] for spec in record["components"]] == ["ring/restarts"]
    assert [recipe["name"] for recipe in record["recipes"]] == ["ring-digits"]
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_manifest_that_cannot_be_made_yet_is_said_with_the_remedy(tmp_path, capsys, monkeypatch):
    def fail(namespace: str, hook: str, distribution: str) -> Manifest:
        raise PluginError("torch is missing")

    monkeypatch.setattr(new, "compiled", fail)

    assert main(["plugin", "new", "ring", "--into", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "in 9 files" in out
    assert out.endswith(
        "Its gen-plugin.json could not be made yet (torch is missing).\n"
        "Once it is installed: gen plugin manifest ring\n"
    )
    assert not (tmp_path / "gen-ring" / "gen_ring" / FILE).exists()


def test_it_writes_all_or_nothing(tmp_path, capsys, monkeypatch, quick):
    written = Path.write_text

    def full(self: Path, *args: object, **kwargs: object) -> int:
        if self.name == "plugin.py":
            raise OSError(28, "No space left on device")
        return written(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)

    assert main(["plugin", "new", "ring", "--into", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"gen plugin new: {tmp_path}/gen-ring cannot be written: No space left on device\n"
    )
    assert not list(tmp_path.iterdir())
