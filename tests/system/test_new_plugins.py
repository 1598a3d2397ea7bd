"""What `gen plugin new` writes passes the conformance kit and trains, unedited, for every kind.

The check that rebuilds a component in a fresh process imports torch there, for seconds; two kinds stand for all.

One fresh virtual environment holds wheels of this checkout and of a new plugin of each kind, installed by pip. Torch
and other people's packages are seen through a path to this environment's, so that nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import attrs
import pytest

from gen import manifest, registry
from gen.cli import main
from gen.cli.plugin import new
from gen.manifest import FILE, Manifest
from gen_sdk.templates.kinds import KINDS

ROOT = registry.checkout_file().parent
PATIENCE = 600  # seconds; only a hang waits so long, whatever the load of the machine

BUILD = """
import os, sys
from hatchling.build import build_wheel
for folder in sys.argv[2:]:
    os.chdir(folder)
    build_wheel(sys.argv[1])
"""

WORK = """
import contextlib, io, json, sys, time
from gen.cli import main
from gen_sdk.checks import report
from gen_sdk.checks.table import CHECKS

fast = tuple(check for check in CHECKS if check.id != "rebuilt-in-a-fresh-process")
answers, runs, *kinds = sys.argv[1:]
steps = ["train.steps=2", "train.log=1", "evaluate.every=2", "save.every=2"]
with open(answers, "w", encoding="utf-8") as file:
    for kind in kinds:
        start = time.perf_counter()
        report.CHECKS = CHECKS if kind in ("encoder", "model") else fast
        found = json.loads(report.examine(f"new-{kind}").to_json())
        middle = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            status = main(["run", f"new-{kind}-digits", *steps, "--runs", runs, "--quiet"])
        took = [middle - start, time.perf_counter() - middle]
        print(json.dumps([kind, found, status, out.getvalue(), took]), file=file)
"""


@attrs.frozen
class Installed:
    """The environment, the folders of the new plugins' sources and wheels, and what checking and running them said."""

    python: Path
    sources: Path
    wheels: Path
    runs: Path
    answers: dict[str, tuple[dict[str, Any], int, str]]

    def gen(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Carries out a command line of the environment's own `gen`."""
        return _call(self.python.with_name("gen"), *words, folder=self.runs.parent)


def _call(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**env, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _do(*words: object, folder: Path) -> None:
    done = _call(*words, folder=folder)
    assert done.returncode == 0, f"{words[:4]} failed:\n{done.stdout}\n{done.stderr}"


def _compiled(namespace: str, hook: str, distribution: str) -> Manifest:
    """As `gen plugin new` makes a manifest, but in this process, where torch is imported already."""
    return manifest.compile(namespace, hook.partition(".")[0], hook=hook, distribution=distribution)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("new")
    env, sources, wheels = home / "env", home / "sources", home / "wheels"
    sources.mkdir()
    wheels.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(new, "compiled", _compiled)
        for kind in KINDS:
            assert main(["plugin", "new", f"new-{kind}", "--kind", kind, "--into", str(sources)]) == 0
    ours = [ROOT / "core", ROOT / "sdk", *(path.parents[1] for path in sorted(ROOT.glob(f"plugins/*/gen_*/{FILE}")))]
    _do(sys.executable, "-c", BUILD, wheels, *ours, *sorted(sources.iterdir()), folder=home)
    _do(sys.executable, "-m", "venv", "--without-pip", env, folder=home)
    python = env / "bin" / "python"
    others = env / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages" / "others.pth"
    others.write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    _do(*pip, "--no-deps", "--no-index", "--ignore-installed", *sorted(wheels.iterdir()), folder=home)
    _do(python, "-c", WORK, home / "answers", home / "runs", *KINDS, folder=home)
    lines = (home / "answers").read_text(encoding="utf-8").splitlines()
    answers = {kind: (report, status, said) for kind, report, status, said, _ in map(json.loads, lines)}
    return Installed(python, sources, wheels, home / "runs", answers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_the_kit(kind: str, installed: Installed) -> None:
    report, _, _ = installed.answers[kind]
    failed = [
        f"{one['name']} {check['check']}: {check['said']}"
        for one in report["components"]
        for check in one["checks"]
        if check["outcome"] not in ("passed", "not applicable")
    ]

    assert {one["name"] for one in report["components"]} == {f"new-{kind}/{name}" for name in KINDS[kind].components}
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_of_a_new_plugin_trains(kind: str, installed: Installed) -> None:
    _, status, said = installed.answers[kind]
    (run,) = (installed.runs / f"new-{kind}-digits").glob("[0-9]*")

    assert status == 0, said
    assert json.loads((run / "status.json").read_text())["step"] == 2
    assert list((run / "samples").rglob("*.png"))


def test_the_environment_uses_what_was_installed(installed: Installed) -> None:
    told = json.loads(installed.gen("plugin", "list", "--json").stdout)
    folders = {plugin["namespace"]: Path(plugin["folder"]) for plugin in told if plugin["state"] == "ok"}

    assert {"core", "vae", *(f"new-{kind}" for kind in KINDS)} <= set(folders)
    assert all(installed.python.parents[1] in folder.parents for folder in folders.values())


def test_the_wheel_holds_manifest_recipe_and_hook(installed: Installed) -> None:
    (wheel,) = installed.wheels.glob("gen_new_adversarial_loss-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        points = next(archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))

    package = "gen_new_adversarial_loss"
    assert {f"{package}/gen-plugin.json", f"{package}/plugin.py", f"{package}/least_squares.py"} <= names
    assert f"{package}/recipes/new-adversarial-loss-digits.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "runs/", "."))]
    assert f"[gen.plugins]\nnew-adversarial-loss = {package}.plugin" in points


def test_its_own_tests_pass(installed: Installed) -> None:
    done = _call(
        installed.python, "-m", "pytest", "-q", installed.sources / "gen-new-lr-schedule", folder=installed.runs
    )

    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed", done.stdout)


def test_gen_plugin_check_answers_for_an_installed_wheel(installed: Installed) -> None:
    done = installed.gen("plugin", "check", "new-distance", "--tier", "bronze")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "new-distance/charbonnier" in done.stdout


FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = ["train.steps=2", "train.log=1"]
"""What is added to every `gen run` of a page, so that its example trains for two steps only."""


def test_write_a_plugin_in_ten_minutes(installed: Installed, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", installed.python, "--disable-pip-version-check"]
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    folder = tmp_path

    for language, file, code in FENCE.findall((ROOT / "docs" / "write-a-plugin.md").read_text(encoding="utf-8")):
        if file:
            (folder / file).write_text(code, encoding="utf-8")
        for words in map(shlex.split, code.splitlines() if language == "sh" else []):
            match words:
                case ["cd", name]:
                    folder = folder / name
                case ["pip", *rest]:
                    _do(*pip, *rest[:1], *offline, *rest[1:], folder=folder)
                case ["gen", *rest]:
                    done = _call(installed.python.with_name("gen"), *rest, *_short(rest), folder=folder)
                    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"

    assert len(list((folder / "runs" / "ring-digits").glob("[0-9]*"))) == 2
    told = json.loads((folder / "gen_ring" / FILE).read_text())
    assert [spec["name"] for spec in told["components"]] == ["ring/patch-encoder", "ring/polar-encoder"]


@pytest.mark.parametrize("page", ["adding-a-family", "adding-a-sampler", "wrapping-a-network"])
def test_the_example_of_a_page_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = []

    for language, file, code in FENCE.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")):
        if file:
            Path(file).write_text(code, encoding="utf-8")
        for command, *words in map(shlex.split, code.splitlines() if language == "sh" else []):
            if command == "python":
                runpy.run_path(words[0], run_name="__main__")
            else:
                assert main([*words, *_short(words)]) == 0, words
            done.append(words[0])

    assert {"plugin", "run"} <= set(done)
    assert list((tmp_path / "runs").rglob("*.png"))


def _short(words: list[str]) -> list[str]:
    return STEPS if words[0] == "run" else []
